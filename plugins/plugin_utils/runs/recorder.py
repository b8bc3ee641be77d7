# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collects what a run of Ansible did with this collection, and makes a run file of it. PRIVATE to the collection."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...module_utils._domain.capture.document import FORMAT as CAPTURE
from .decisions import decisions
from .document import Call, RunFile, Server
from .names import RunNames
from .options import REPLAYED, kept_options

COLLECTION = "directpath.vsphere."
_INTENT = "__directpath_intent"
_OF_INTENT = ("targets", "vms", "graphics")
"""The parts of the desired state that drift_info takes, too."""
_MOST_ANSWERS = 200
Record = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class TaskEnd:
    """The end of a task on one inventory host. ``arguments``: of the task, with its templates resolved; ``only_asks``: the task shows what
    another one will do. ``began``, ``ended``: seconds since 1970."""

    action: str
    hostname: str
    arguments: Record
    result: Record
    check: bool
    only_asks: bool
    began: float
    ended: float


@dataclass
class _Recorded:
    """A server: the number of its entry in the file, its capture and names."""

    number: int
    text: str
    names: RunNames
    intent: dict[str, Any] = field(default_factory=dict)


class Recorder:
    """``began``: seconds since 1970. ``check``: Ansible was started with --check. The capture decides whether names are replaced."""

    def __init__(self, began: float, check: bool = False) -> None:
        self._began, self._check = began, check
        self._places: dict[str, _Recorded] = {}
        self._calls: list[Call] = []
        self._left: set[str] = set()
        self._intents: dict[str, Record] = {}

    def add(self, event: TaskEnd) -> bool:
        """Returns whether the file has to be written again."""
        if event.action.rpartition(".")[2] == "set_fact":
            self._learn_intent(event.result)
            return False
        if not event.action.startswith(COLLECTION):
            return False
        module = event.action.removeprefix(COLLECTION)
        if module == "capture":
            return self._capture(event)
        if module not in REPLAYED:
            self._left.add(f"calls of {module}")
            return False
        if event.result.get("skipped") or "censored" in event.result:
            if "censored" in event.result:
                self._left.add(f"a call of {module} with no_log")
            return False
        self._call(module, event)
        return True

    def file(self) -> RunFile:
        """What is known so far."""
        places = sorted(self._places.values(), key=lambda place: place.number)
        return RunFile(
            began=self._began,
            check=self._check,
            anonymized=all(place.names.anonymized for place in places),
            servers=tuple(Server(name=_label(p.number), capture=p.text, intent=p.intent) for p in places),
            calls=tuple(self._calls),
            left_out=tuple(sorted(self._left)),
            key={_label(place.number): place.names.key() for place in places if place.names.anonymized},
        )

    def missing(self) -> int:
        """How many servers have calls and no capture."""
        return sum(not place.text for place in self._places.values())

    # -- captures -----------------------------------------------------------------------------------------------------

    def _capture(self, event: TaskEnd) -> bool:
        path = str(event.result.get("path") or "")
        if not path or event.check or event.hostname in self._places:
            return False  # the first one counts: it has the state before the first change
        text = _read(Path(path))
        key_path = str(event.result.get("key_path") or "")
        key = json.loads(_read(Path(key_path))) if key_path else None
        raw = json.loads(text)
        if raw.get("format") != CAPTURE or bool(raw.get("anonymized")) != (key is not None):
            raise ValueError(f"{path} was replaced by another file")
        names = RunNames(key, () if key is None else texts(raw))
        self._add_place(event.hostname, text, names)
        return True

    def _add_place(self, hostname: str, text: str, names: RunNames) -> _Recorded:
        place = self._places[hostname] = _Recorded(number=len(self._places), text=text, names=names)
        names.replace(hostname, _label(place.number))
        if hostname in self._intents:
            self._take_intent(place, self._intents[hostname])
        return place

    # -- calls --------------------------------------------------------------------------------------------------------

    def _call(self, module: str, event: TaskEnd) -> None:
        place = self._places.get(event.hostname) or self._add_place(event.hostname, "", RunNames({}))
        options, left = kept_options(module, event.arguments, place.names)
        self._left.update(f"{module}: {name}" for name in left)
        unusual = event.result.get("unusual_answers") or ()
        self._calls.append(
            Call(
                server=place.number,
                module=module,
                check=event.check,
                only_asks=event.only_asks,
                at=round(event.began - self._began, 1),
                seconds=round(event.ended - event.began, 1),
                options=options,
                decisions=decisions(event.result, place.names, check=event.check),
                answers=tuple(self._answer(row) for row in unusual[:_MOST_ANSWERS]),
            )
        )

    def _answer(self, row: Record) -> dict[str, Any]:
        """Names of methods and of faults are those of the API."""
        return {
            "at": round(float(row["time"]) - self._began, 1),
            "method": str(row["method"]),
            "answer": str(row["answer"]),
        }

    # -- the desired state --------------------------------------------------------------------------------------------

    def _learn_intent(self, result: Record) -> None:
        found = (result.get("ansible_facts") or {}).get(_INTENT)
        for share in found.values() if isinstance(found, Mapping) else ():
            if isinstance(share, Mapping) and share.get("vcenter"):
                hostname = str(share["vcenter"])
                self._intents[hostname] = share
                if hostname in self._places and not self._places[hostname].intent:
                    self._take_intent(self._places[hostname], share)

    def _take_intent(self, place: _Recorded, share: Record) -> None:
        wanted = {name: share[name] for name in _OF_INTENT if share.get(name)}
        place.intent, left = kept_options("drift_info", wanted, place.names)
        self._left.update(f"desired state: {name}" for name in left)


def _label(number: int) -> str:
    return f"vcenter-{number + 1:05d}"


def texts(tree: Any) -> Iterator[str]:
    """All texts of a capture that are values. Those of an anonymized one have no names of the site."""
    waiting = [tree]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, Mapping):
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)


def _read(path: Path) -> str:
    try:
        content = path.read_bytes()
        return (gzip.decompress(content) if path.name.endswith(".gz") else content).decode()
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None
