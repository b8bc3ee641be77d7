# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Play a run file on the twins of its captures, and print where the outcome differs from what the file says.

``make replay FILE=run.json.gz``. Exit status 0: the same outcome, 1: it differs, 2: the file cannot be read or played. The file is data: it
decides which modules are called on simulators in this process, with options that reach nothing else.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import signal
import sys
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NoReturn
from unittest import mock

import jsonschema

from tools.collection_path import install
from tools.envs import ROOT
from tools.replay_compare import compare, placements

install()

from ansible.utils.display import Display  # noqa: E402

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine import earlier_tasks  # noqa: E402
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.run import RECORDS_ANSWERS  # noqa: E402
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.slices import slices  # noqa: E402
from ansible_collections.directpath.vsphere.plugins.plugin_utils.runs.decisions import decisions  # noqa: E402
from ansible_collections.directpath.vsphere.plugins.plugin_utils.runs.document import FORMAT, VERSION  # noqa: E402
from ansible_collections.directpath.vsphere.plugins.plugin_utils.runs.names import RunNames  # noqa: E402
from ansible_collections.directpath.vsphere.plugins.plugin_utils.runs.options import arguments_of, kept_options  # noqa: E402
from simulator.core.base import Entity  # noqa: E402
from simulator.core.clock import ManualClock  # noqa: E402
from simulator.simulator import Simulator  # noqa: E402
from tests.unit.modules.harness import Lab  # noqa: E402

Display()  # before a module redirects what it prints: when it is made, it looks at the outputs of this process, and warns
MOST_BYTES = 512 * 2**20
"""Of a file that is not compressed any more: a fleet of 5,000 VMs has 20 MB."""
MOST_SECONDS = 900
SLICE = 600.0
"""Seconds of a slice of a rolling reboot, as the action plugin has it."""
SAME, DIFFERS, UNREADABLE = 0, 1, 2
SCHEMA = ROOT / "docs" / "run.schema.json"
Record = Mapping[str, Any]


LEGEND = "     (numbers of texts: how many, how many different ones, and how many pairs of equal ones)"


class ReplayError(Exception):
    """The file cannot be read or played; the message says why."""


class _TooLong(BaseException):
    """Not an Exception: a module would report it as its own failure."""


@dataclass
class Replay:
    """A run file, and the twins of its servers. ``folder``: for journals and captures."""

    raw: Record
    folder: Path
    twins: dict[int, Lab] = field(default_factory=dict)

    def play(self) -> Iterator[tuple[Record, list[str], list[str]]]:
        """Each call with a capture, where its outcome differs, and what the server may choose otherwise. Raises ReplayError."""
        for number, server in enumerate(self.raw["servers"]):
            if server["capture"] is not None:
                self.twins[number] = self._twin(number, server["capture"])
        if not self.twins:
            raise ReplayError(
                "it has no capture, so there is nothing to play it on. Runs whose first playbook is directpath.vsphere.capture have one"
            )
        for call in self.raw["calls"]:
            if call["server"] in self.twins:
                filed, played = call["decisions"], self._called(call)
                yield call, compare(filed, played, self._titles(call["server"])), placements(filed, played)

    def _titles(self, server: int) -> dict[str, str]:
        sim = self.twins[server].sim
        return {str(each.moid): str(each.name) for each in sim.registry.all(Entity)}

    def _twin(self, number: int, capture: Record) -> Lab:
        path = self.folder / f"capture-{number}.json"
        path.write_text(json.dumps(capture), encoding="utf-8")
        try:
            return Lab(sim=Simulator.from_lab(str(path), clock=ManualClock()))
        except Exception as error:  # whatever a file can make the simulator raise
            raise ReplayError(f"the capture of server {number} cannot be loaded: {error}") from None

    def _called(self, call: Record) -> dict[str, Any]:
        lab, module = self.twins[call["server"]], str(call["module"])
        options = {**_checked(module, call["options"]), **lab.credentials(), **self._own(module)}
        predictions = self.folder / "predictions" if self.raw["check"] else None
        if predictions is not None:
            predictions.mkdir(exist_ok=True)
        with ExitStack() as stack:
            stack.enter_context(mock.patch.object(earlier_tasks, "controller_folder", return_value=predictions))
            only_asks = {earlier_tasks.ONLY_ASKS: "1"} if call["only_asks"] else {}
            stack.enter_context(mock.patch.dict(os.environ, {RECORDS_ANSWERS: "1", **only_asks}))
            if module == "host_rolling_reboot" and not call["check"]:
                *_parts, (_part, result) = slices(options, SLICE, partial(_slice, lab))
            else:
                result = lab._main(module, {**options, "_ansible_check_mode": call["check"], "_ansible_diff": True})
        return decisions(result, RunNames(None), check=bool(call["check"]))

    def _own(self, module: str) -> dict[str, Any]:
        return {"journal_dir": str(self.folder / "journal")} if "journal_dir" in arguments_of(module) else {}


def _slice(lab: Lab, options: dict[str, Any], _is_first: bool) -> dict[str, Any]:
    return lab._main("host_rolling_reboot", {**options, "_ansible_check_mode": False, "_ansible_diff": True})


def _checked(module: str, options: Record) -> dict[str, Any]:
    """The options of a call. Raises ReplayError for those that a run file never has."""
    try:
        kept, left = kept_options(module, options, RunNames(None))
    except (ValueError, TypeError, AttributeError) as error:
        raise ReplayError(f"a call of {module}: {error}") from None
    refused = sorted({*left, *(set(options) - set(kept))})
    if refused:
        raise ReplayError(f"a call of {module} has options that a run file never has: {', '.join(refused)}")
    return kept


# -- the file -------------------------------------------------------------------------------------------------------


def read(path: Path) -> dict[str, Any]:
    """The content of a run file. Raises ReplayError."""
    if not path.is_file():
        raise ReplayError(
            "it is a folder. Give the file: FILE=run.json.gz" if path.is_dir() else "there is no such file"
        )
    try:
        with gzip.open(path) as stream:
            content = stream.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise ReplayError(f"it has more than {MOST_BYTES // 2**20} MB")
        raw = json.loads(content, parse_constant=_refuse)
    except (OSError, EOFError, ValueError, RecursionError, zlib.error) as error:
        raise ReplayError(f"it is no run file, or it is damaged: {error}") from None
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise ReplayError(f"it is no run file: its format is not {FORMAT}")
    if raw.get("version") != VERSION:
        raise ReplayError(f"it has version {raw.get('version')!r} of the format; this checkout reads version {VERSION}")
    _validate(raw)
    return raw


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


def _validate(raw: dict[str, Any]) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    try:
        error = next(iter(jsonschema.Draft7Validator(schema).iter_errors(raw)), None)
    except RecursionError:
        raise ReplayError("it is nested too deeply") from None
    if error is not None:
        place = "/".join(map(str, error.absolute_path)) or "the top"
        raise ReplayError(f"it does not fit docs/run.schema.json at {place}: {error.message[:300]}")
    servers = len(raw["servers"])
    if any(call["server"] >= servers for call in raw["calls"]):
        raise ReplayError("a call names a server that is not in the file")


# -- output ---------------------------------------------------------------------------------------------------------


def report(path: Path, raw: Record, played: Iterator[tuple[Record, list[str], list[str]]]) -> Iterator[str]:
    """Lines for a terminal. The last one is the sum."""
    versions = ", ".join(f"{name} {version}" for name, version in raw["versions"].items())
    yield f"{path}: a run of {raw['began']}{' with --check' if raw['check'] else ''} ({versions})"
    if raw["left_out"]:
        yield f"Left out of the file, so it may explain a difference: {'; '.join(raw['left_out'])}"
    for call in raw["calls"]:
        if call["answers"]:
            yield _answers(call)
    number = differing = 0
    for call, lines, chosen in played:
        number += 1
        differing += bool(lines)
        title = f"{number}. {call['module']}{' (check mode)' if call['check'] else ''} on {_server(raw, call)}"
        yield f"{title}: {'differs' if lines else 'same'}"
        yield from (f"     {line}" for line in lines)
        if any(line.startswith("numbers: ") and "[" in line for line in lines):
            yield LEGEND
        yield from (f"     not counted, as the server chooses: {line}" for line in chosen)
    without = len(raw["calls"]) - number
    if without:
        yield f"Not played, because the file has no capture of their server: {without} calls"
    yield f"{'Differs' if differing else 'Same'}: {differing} of {number} calls differ from the file"


def _server(raw: Record, call: Record) -> str:
    return str(raw["servers"][call["server"]]["name"])


def _answers(call: Record) -> str:
    counts: dict[str, int] = {}
    for row in call["answers"]:
        text = f"{row['method']}: {row['answer']}"
        counts[text] = counts.get(text, 0) + 1
    shown = ", ".join(f"{text}{f' ({count} times)' if count > 1 else ''}" for text, count in counts.items())
    first = call["answers"][0]["at"]
    return f"{call['module']} got unusual answers, the first {first:.0f} s after the begin of the run: {shown}"


@contextmanager
def _limit(seconds: int) -> Iterator[None]:
    def stop(_number: int, _frame: Any) -> NoReturn:
        raise _TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def main(arguments: list[str] | None = None) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.replay", description=__doc__)
    parser.add_argument("file", type=Path)
    path: Path = parser.parse_args(arguments).file
    last = ""
    try:
        with tempfile.TemporaryDirectory(prefix="directpath-replay-") as folder, _limit(MOST_SECONDS):
            raw = read(path)
            for last in report(path, raw, Replay(raw=raw, folder=Path(folder)).play()):
                print(_plain(last), flush=True)
    except ReplayError as error:
        print(_plain(f"{path} cannot be replayed: {error}"))
        return UNREADABLE
    except _TooLong:
        print(f"{path} cannot be replayed: it is not done after {MOST_SECONDS // 60} minutes")
        return UNREADABLE
    return SAME if last.startswith("Same") else DIFFERS


def _plain(text: str) -> str:
    """A file must not control the terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # head and less may end first
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))  # so that the captures are removed
    sys.exit(main())
