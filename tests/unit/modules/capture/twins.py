# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab, its capture, and the twin that the simulator makes of it; and what the runs ask of both."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from simulator.api import wire
from simulator.core.clock import ManualClock
from simulator.services.reading import PropertyReader
from simulator.simulator import Simulator
from simulator.transport.inprocess import InProcessStub
from tests.unit.modules.harness import LABS, Lab

SHARED = ("fleet",)
"""Labs that are too large for these tests. Smaller ones of the same kind have tests of their own."""
NAMES = sorted(path.stem for path in LABS.glob("*.yml") if path.stem not in SHARED)
BY_CLOCK = frozenset({"clock_difference"})
"""What a result says of clocks other than that of the server."""
OWN = frozenset({"run_id", "calls", "logins", "invocation"})
"""What a result says of its own run."""
FOLDER = Path(tempfile.gettempdir()) / "directpath-no-journal"
"""The folder of journals of ESXi hosts. Nobody writes to it, so it does not exist."""
Key = tuple[str, str, str]


@dataclass
class Asked:
    """What a run asked of a simulator: type, id and path -> value or fault as it goes over the wire; type, id, method and arguments ->
    answer. Rows of tasks, views and sessions, which belong to the run, are left out."""

    values: dict[Key, str] = field(default_factory=dict)
    answers: dict[tuple[str, str, str, str], str] = field(default_factory=dict)
    methods: set[str] = field(default_factory=set)


RUN_OWN = ("ContainerView", "Task", "SessionManager", "PropertyCollector", "EventHistoryCollector", "TaskManager")
"""Types of objects that belong to a session or to what it does."""


@contextmanager
def asked() -> Iterator[Asked]:
    """Record what is asked of simulators in process."""
    found = Asked()
    read, invoke = PropertyReader._value, InProcessStub.InvokeMethod

    def value(self: Any, call: Any, obj: Any, path: Any) -> Any:
        stored, fault = read(self, call, obj, path)
        kind = obj.vim_type._wsdlName
        if kind not in RUN_OWN:
            text = _wire(stored.value, path.type, call.version) if stored is not None else type(fault).__name__
            found.values[kind, obj.moid, path.text] = text
        return stored, fault

    def invoked(self: Any, mo: Any, info: Any, args: Any) -> Any:
        found.methods.add(info.wsdlName)
        kind = type(mo)._wsdlName
        key = (kind, mo._moId, info.wsdlName, _arguments(args, info, self.version))
        try:
            answer = invoke(self, mo, info, args)
        except Exception as error:
            found.answers[key] = type(error).__name__
            raise
        if kind not in RUN_OWN:
            found.answers[key] = _wire(answer, info.result, self.version)
        return answer

    with mock.patch.object(PropertyReader, "_value", value), mock.patch.object(InProcessStub, "InvokeMethod", invoked):
        yield found


def _wire(value: Any, kind: Any, version: str) -> str:
    """A value as it goes over the wire; nothing for one that is unset or empty."""
    if value is None or (isinstance(value, list) and not value):
        return ""
    out: list[str] = []
    wire.write_any(out, "v", value, kind, version)
    return "".join(out)


def _arguments(args: Any, info: Any, version: str) -> str:
    return "".join(_wire(arg, given.type, version) for arg, given in zip(args, info.params, strict=True))


@dataclass
class Captured:
    """A capture in memory. ``key``: alias -> name."""

    text: str
    result: dict[str, Any]
    key: dict[str, str]

    @property
    def raw(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.text)
        return found

    def twin(self, **more: Any) -> Lab:
        """A lab with the simulator's twin."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "capture.json"
            path.write_text(self.text)
            return Lab(sim=Simulator.from_lab({"capture": str(path), **more}, clock=ManualClock()))

    def anonymous(self, value: Any) -> Any:
        """A value with the aliases of all names in it."""
        aliases = {name: alias for alias, name in self.key.items() if len(name) > 1}
        names = "|".join(re.escape(name) for name in sorted(aliases, key=len, reverse=True))
        words = re.compile(rf"(?:(?<![\w-])|(?<=OSDATA-))(?:{names})(?![\w-])")

        def replaced(one: Any) -> Any:
            if isinstance(one, dict):
                return {replaced(key): replaced(item) for key, item in one.items()}
            if isinstance(one, list):
                return [replaced(item) for item in one]
            return words.sub(lambda found: aliases[found[0]], one) if isinstance(one, str) else one

        return replaced(value)


def capture(lab: Lab, *, anonymize: bool = False, **options: Any) -> Captured:
    """Capture a lab with the module itself."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "capture.json"
        result = lab.run("capture", path=str(path), anonymize=anonymize, **options)
        key = json.loads((Path(folder) / "capture.key.json").read_text()) if anonymize else {}
        return Captured(text=path.read_text(), result=result, key=key)


def intent_of(lab: Lab) -> dict[str, Any]:
    """An intent that names every kind of card that more than one host has, for the hosts that answer, and some VMs."""
    state = lab.sim.describe(lab.sim)
    hosts = [host for host in state["hosts"] if host["connection"] == "connected"]
    wanted = {
        host["name"]: sorted({d["id"] for d in host["devices"] if d["id"].startswith(("10de:", "8086:27"))})
        for host in hosts
    }
    targets = [{"hosts": [name], "devices": [{"match": one} for one in ids]} for name, ids in wanted.items() if ids]
    vms = [
        {"name": vm["name"], "devices": [{"match": wanted[vm["host"]][0]}], "mmio": {}}
        for vm in state["vms"]
        if wanted.get(vm["host"]) and not vm["devices"] and vm["power"] == "poweredOff"
    ]
    return {"targets": targets, "vms": vms}


def runs(lab: Lab, intent: dict[str, Any]) -> dict[str, Any]:
    """The results of plan, drift, prechecks and the prediction of a rolling reboot, without what only they know."""
    found = {}
    for title, module, check, options in _plays(intent, str(FOLDER)):
        result = lab._main(
            module, {**lab.credentials(), **options, "_ansible_check_mode": check, "_ansible_diff": True}
        )
        found[title] = _without(result)
    return found


def _plays(intent: dict[str, Any], folder: str) -> Iterator[tuple[str, str, bool, dict[str, Any]]]:
    targets, vms = intent["targets"], intent["vms"]
    yield "hosts", "host_pci_device_info", False, {}
    yield "vms", "vm_pci_device_info", False, {"include": "all"}
    yield "status", "rolling_reboot_info", False, {"journal_dir": folder}
    if targets:
        skip = {"on_missing": "skip"}
        yield "drift", "drift_info", False, {"targets": targets, "vms": vms, "scope": "fleet", **skip}
        yield "enable", "host_passthrough", True, {"targets": targets, **skip}
        yield (
            "reboot",
            "host_rolling_reboot",
            True,
            {"targets": targets, "journal_dir": folder, "pinned_vms": "shutdown", **skip},
        )
    if vms:
        yield "attach", "vm_pci_device", True, {"vms": vms}


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without(item) for name, item in value.items() if name not in OWN | BY_CLOCK}
    return [_without(item) for item in value] if isinstance(value, list) else value
