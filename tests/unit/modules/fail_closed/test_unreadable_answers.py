# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generated: every method that a module calls is answered with nonsense of several kinds. The message names the method, and blames neither
the collection nor anything else. What the wire makes of HTML, broken XML and the like is in ``test_bulk_answers`` and ``test_bounds``.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from pyVmomi import vmodl
from pyVmomi.VmomiSupport import DataObject

from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.http.connections import BrokenAnswer
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.connect import Guard
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.endpoint import Endpoint
from simulator.transport.inprocess import InProcessStub
from tests.unit.modules.contracts import contracts, module_names
from tests.unit.modules.harness import GuardedInProcess, Lab

A100 = {"match": "10de:20f1"}
MODULES: Mapping[str, dict[str, Any]] = {
    "drift_info": {"targets": [{"cluster": ["c"], "devices": [A100]}], "vms": [{"name": "web", "devices": [A100]}]},
    "host_maintenance": {"hosts": ["esx-01"], "state": "present"},
    "host_passthrough": {"cluster": ["c"], "devices": [A100]},
    "host_pci_device_info": {"gather_partitions": True},
    "host_rolling_reboot": {"cluster": ["c"], "reboot_if": "always", "check": True},
    "vm_pci_device": {
        "vm": ["web"],
        "devices": [A100],
        "assume_enabled": [{"cluster": ["c"], "devices": [A100]}],
        "mmio": {},
        "check": True,
    },
    "vm_pci_device_info": {"include": "all"},
    **{contract.module: dict(contract.call) for contract in contracts()},
}
LAB: dict[str, Any] = {
    "kind": "vcenter",
    "version": "8.0.3",
    "datacenters": [
        {
            "name": "DC",
            "clusters": [
                {
                    "name": "c",
                    "drs": "fullyAutomated",
                    "hosts": [{"name": "esx-{:02d}", "count": 2, "cards": ["a100", "nvme", "x710"]}],
                    "vms": [{"name": "web", "host": "esx-01"}, {"name": "db", "host": "esx-02", "power": "on"}],
                }
            ],
        }
    ],
}


def _each(value: Any, change: Callable[[DataObject], None]) -> Any:
    """A copy of an answer in which every data object was changed."""
    value = copy.deepcopy(value)
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting += item
        elif isinstance(item, DataObject):
            change(item)
            waiting += [getattr(item, info.name) for info in item._GetPropertyList()]
    return value


def _other_texts(item: DataObject) -> None:
    """Texts that are no address, no id and no path; a property keeps its name, without which it would be another property."""
    named = isinstance(item, vmodl.DynamicProperty | vmodl.query.PropertyCollector.Change)
    for info in item._GetPropertyList():
        if info.type is str and getattr(item, info.name) and not (named and info.name == "name"):
            object.__setattr__(item, info.name, "?:!")


def _without_parts(item: DataObject) -> None:
    for info in item._GetPropertyList():
        if isinstance(getattr(item, info.name), DataObject):
            object.__setattr__(item, info.name, None)


def _other_values(item: DataObject) -> None:
    for name in ("val",):
        if isinstance(item, vmodl.DynamicProperty | vmodl.query.PropertyCollector.Change):
            object.__setattr__(item, name, vmodl.LocalizableMessage(key="k", message="m"))


def _without_values(item: DataObject) -> None:
    if isinstance(item, vmodl.query.PropertyCollector.ObjectContent):
        item.propSet = []


def _broken(_result: Any) -> Any:
    raise BrokenAnswer("an answer that is not SOAP")


KINDS: Mapping[str, Callable[[Any], Any]] = {
    "not SOAP": _broken,
    "nothing": lambda _result: None,
    "a text": lambda _result: "<html>Log in</html>",
    "another object": lambda _result: vmodl.LocalizableMessage(key="k", message="m"),
    "other texts": lambda result: _each(result, _other_texts),
    "without parts": lambda result: _each(result, _without_parts),
    "values of another type": lambda result: _each(result, _other_values),
    "without values": lambda result: _each(result, _without_values),
}
ALWAYS = ("not SOAP", "a text", "another object")
"""Kinds that no answer can be taken for."""


class Garbling(InProcessStub):
    """Answers one method with nonsense, from the ``after``-th call on."""

    method = ""
    spoil: Callable[[Any], Any]
    hit = False

    def InvokeMethod(self, mo: Any, info: Any, args: Any) -> Any:
        result = super().InvokeMethod(mo, info, args)
        if info.wsdlName != self.method or info.result is type(None):
            return result
        Garbling.hit = True
        return type(self).spoil(result)


class GuardedGarbling(Guard, Garbling):
    use_cookie = GuardedInProcess.use_cookie


def run(module: str, method: str = "", kind: str = "not SOAP") -> tuple[Lab, dict[str, Any]]:
    lab = Lab.load(LAB)

    def transport(_endpoint: Endpoint) -> Guard:
        return GuardedGarbling(lab.sim, lab.sim.api_version)

    lab._transport = transport  # type: ignore[method-assign]
    Garbling.method, Garbling.spoil, Garbling.hit = method, staticmethod(KINDS[kind]), False  # type: ignore[assignment]
    options = {name: value for name, value in MODULES[module].items() if name != "check"}
    arguments = {**lab.credentials(), **options, "_ansible_check_mode": MODULES[module].get("check", False)}
    return lab, lab._main(module, arguments)


@functools.cache
def methods(module: str) -> tuple[str, ...]:
    """What the module calls when all goes well."""
    lab, result = run(module)
    assert not result.get("failed"), result
    quiet = {"Logout", "DestroyView", "DestroyPropertyFilter", "DestroyPropertyCollector"}
    return tuple(sorted({entry.method for entry in lab.sim.journal.calls} - quiet))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("module", MODULES)
def test_nonsense_is_told_as_what_it_is(module: str, kind: str) -> None:
    for method in methods(module):
        lab, result = run(module, method, kind)
        said = f"{module}, {method}, {kind}: {result.get('msg')}"
        assert "bug in the collection" not in str(result), said
        assert "Traceback" not in str(result), said
        assert result.get("error_code") != "unexpected", said
        if not Garbling.hit:
            continue
        if kind in ALWAYS and not lab.writes():
            # After a write a fresh look decides, as for any answer that is lost.
            assert result.get("failed"), said
        if result.get("error_code") == "unreadable_answer":
            assert f"the answer to {method} cannot be read: " in result["msg"], said


def test_every_module_that_reads_is_here() -> None:
    assert set(MODULES) == module_names() - {"end_session"}


def test_the_methods_are_those_that_modules_live_on() -> None:
    found = {method for module in MODULES for method in methods(module)}
    assert {"RetrieveServiceContent", "Login", "RetrievePropertiesEx", "CreateContainerView"} <= found
    assert {"ReconfigVM_Task", "RetrieveDiskPartitionInfo", "WaitForUpdatesEx", "CreateFilter"} <= found
