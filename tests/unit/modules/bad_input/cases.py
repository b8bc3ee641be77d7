# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wrong input and refused wishes as data: what is asked for in which lab, and what has to be answered.

tests/unit/modules/bad_input/test_bad_input.py holds every case to its promise, tools/bad_input_page.py writes docs/bad_input.md from them.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass, field
from io import StringIO
from typing import Any
from unittest import mock

from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session import connect
from tests.unit.modules.harness import MODULES, Lab, _arguments

Setup = Callable[[Lab], None]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One thing somebody gets wrong.

    ``title`` says what, in words for the page. ``code`` is the expected error_code; None: Ansible itself refuses the options before
    the module runs. ``says`` must all be in the message: the object and the cure. ``setup`` changes the lab before. ``over_tls``: with
    a real server and the module's own transport, ``options`` then may hold ``{port}``, ``{ca}``, ``{control}``.
    """

    title: str
    module: str
    options: dict[str, Any]
    code: str | None
    says: tuple[str, ...]
    lab: Callable[[], Lab]
    setup: Setup = lambda lab: None
    user: str | None = None
    password: str | None = None
    over_tls: bool = False
    shown: str = ""
    check: bool = False
    """In check mode: a real run writes into its journal before it looks closer."""
    warns: bool = False
    """Nothing is refused: what is worth knowing is said, in check mode as well, where these cases run."""

    @property
    def asked(self) -> str:
        """The options as the page shows them."""
        return self.shown or ", ".join(f"{key}: {_plain(value)}" for key, value in self.options.items())

    def run(self) -> Answer:
        """Run the module against a fresh lab."""
        lab = self.lab()
        self.setup(lab)
        before = lab.sim.describe(lab.sim)
        lab.user, lab.password = self.user, self.password
        if self.over_tls:
            result = _over_tls(lab, self)
        else:
            result = lab.run(self.module, fails=not self.warns, check=self.warns or self.check, **self.options)
        written = [call.method for call in lab.sim.journal.writes() if call.outcome == "ok"]
        return Answer(result=result, written=written, untouched=lab.sim.describe(lab.sim) == before)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of it: the module's result, writes that the server accepted, and whether its state is as before."""

    result: dict[str, Any]
    written: list[str] = field(default_factory=list)
    untouched: bool = True

    @property
    def warnings(self) -> list[str]:
        """What was said of the hosts or VMs without refusing anything: with each of them, or of all together."""
        targets = [*self.result.get("hosts", ()), *self.result.get("vms", ())]
        of_targets = [warning for target in targets for warning in target.get("warnings", ())]
        return of_targets or list(map(_words, self.result.get("warnings", ())))

    @property
    def message(self) -> str:
        """The message without the summary at its end, which every module adds."""
        text: str = self.result["msg"]
        return text.rpartition(" [")[0] if text.endswith("]") and " looked at" in text else text


def _words(warning: Any) -> str:
    """Newer releases of Ansible keep a warning with where it came from."""
    return str(warning["event"]["msg"]) if isinstance(warning, dict) else str(warning)


def _plain(value: Any) -> str:
    """Options the way YAML would show them on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_plain(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_plain(entry) for entry in value) + "]"
    if isinstance(value, str):
        return value if re.fullmatch(r"[A-Za-z][\w.@-]*", value) and value not in ("on", "off") else json.dumps(value)
    return json.dumps(value)


def _over_tls(lab: Lab, case: Case) -> dict[str, Any]:
    """The module's main() with its own transport against the lab served on a socket."""
    code = importlib.import_module(f"{MODULES}.{case.module}")
    with lab.sim.serve(control_port=0) as server:
        control = int(server.control_url.rpartition(":")[2].partition("/")[0])
        places = {"port": server.port, "ca": str(server.ca_file), "control": control}
        given = {**lab.credentials(), "hostname": "localhost", "port": "{port}", "ca_path": "{ca}", **case.options}
        filled = {key: _filled(value, places) for key, value in given.items() if value is not None}
        printed = StringIO()
        with (
            mock.patch.object(connect, "FIRST_PAUSE", 0.01),
            _arguments(filled),
            redirect_stdout(printed),
            suppress(SystemExit),
        ):
            code.main()
    result: dict[str, Any] = json.loads(printed.getvalue().strip().splitlines()[-1])
    return result


def _filled(value: Any, places: dict[str, Any]) -> Any:
    return value.format(**places) if isinstance(value, str) and value.startswith("{") else value
