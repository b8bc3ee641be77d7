# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An empty list selects nothing: it must never mean everything, and never be ignored. It comes from a template that found nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.unit.modules.bad_input.test_ranges import CALLS, FOLDER, arguments
from tests.unit.modules.harness import Lab

SELECTORS = frozenset({"hosts", "cluster", "clusters", "targets", "graphics", "vm", "vms"})
EVERYTHING = {
    ("rolling_reboot_pause", "clusters"): "the pause of the whole vCenter; the default, and documented so",
    ("rolling_reboot_restore", "hosts"): "all hosts in the journal; the default, and documented so",
    ("host_rolling_reboot", "graphics"): "adds hosts to targets, which must not be empty without it",
    ("drift_info", "targets"): "the desired state: nothing may be desired",
    ("drift_info", "graphics"): "the same",
    ("drift_info", "vms"): "the same",
}
"""Module and option for which an empty list has a documented meaning."""
INFO: Mapping[str, Mapping[str, Any]] = {
    "host_pci_device_info": {},
    "vm_pci_device_info": {},
    "host_capacity_info": {},
    "rolling_reboot_info": {},
}
KNOWN = {**CALLS, **INFO}
CASES = [
    (module, name)
    for module in sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))
    for name in sorted(SELECTORS & arguments(module).keys())
    if (module, name) not in EVERYTHING
]


OF_A_TARGET = frozenset({"devices", "default_type", "assignment_policy", "restart_xorg"})
"""Options that an entry of ``targets`` has itself."""


def others(module: str, name: str) -> dict[str, Any]:
    """The options of a call without those that select something."""
    left_out = SELECTORS | (OF_A_TARGET if name == "targets" else frozenset())
    return {option: value for option, value in KNOWN[module].items() if option not in left_out}


@pytest.fixture(scope="module")
def lab() -> Lab:
    """One for all: no test may call it."""
    return Lab.load("three_hosts")


def test_each_module_that_selects_something_is_tried() -> None:
    assert {module for module, _name in CASES} <= KNOWN.keys()
    assert len(CASES) > 20
    assert all(name in arguments(module) for module, name in EVERYTHING)


@pytest.mark.parametrize("check", [True, False], ids=["check", "run"])
@pytest.mark.parametrize(("module", "name"), CASES, ids=str)
def test_an_empty_list_is_refused_before_anything_is_connected(lab: Lab, module: str, name: str, check: bool) -> None:
    result = lab.run(module, check=check, fails=True, **{**others(module, name), name: []})
    assert lab.calls() == 0
    assert result["error_code"] in ("no_hosts", "no_vms")
    assert "when" in result["msg"] or "at least one VM" in result["msg"]


NAMES = [
    (module, name)
    for module in sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))
    for name in sorted(SELECTORS & arguments(module).keys())
    if arguments(module)[name].get("elements") == "str"
]
"""Also the lists that may be empty: an empty name is never meant."""


@pytest.mark.parametrize("empty", ["", " "], ids=["empty", "blank"])
@pytest.mark.parametrize(("module", "name"), NAMES, ids=str)
def test_an_empty_name_is_refused_before_anything_is_connected(lab: Lab, module: str, name: str, empty: str) -> None:
    result = lab.run(module, fails=True, **{**others(module, name), name: ["first", empty]})
    assert lab.calls() == 0
    assert result["error_code"] in ("no_hosts", "no_vms")
    assert f"{name}[1] is empty" in result["msg"]


@pytest.mark.parametrize("option", ["hosts", "cluster"])
def test_an_empty_name_in_an_entry_is_refused_too(lab: Lab, option: str) -> None:
    target = {option: [""], "devices": [{"match": "10de:20f1"}]}
    graphics = {option: [""], "assignment_policy": "consolidation"}
    for module, name, entry in (
        ("host_passthrough", "targets", target),
        ("host_graphics", "targets", graphics),
        ("host_rolling_reboot", "targets", target),
        ("drift_info", "graphics", graphics),
    ):
        result = lab.run(module, fails=True, **{**others(module, name), name: [entry]})
        assert lab.calls() == 0
        assert result["error_code"] == "no_hosts"
        assert f"{name}[0].{option}[0] is empty" in result["msg"]


@pytest.mark.parametrize(
    ("module", "name"),
    [case for case in CASES if case[0] not in INFO and not arguments(case[0])[case[1]].get("required")],
    ids=str,
)
def test_an_option_without_a_value_does_not_mean_everything(lab: Lab, module: str, name: str) -> None:
    """Ansible accepts ``hosts: null`` where one of several options is required."""
    lab.run(module, fails=True, **{**others(module, name), name: None})
    assert lab.calls() == 0


def test_an_empty_list_beside_another_selector_is_no_problem() -> None:
    lab = Lab.load("three_hosts")
    devices = [{"match": "10de:20f1"}]
    done = lab.run("host_passthrough", check=True, hosts=[], cluster=["compute"], devices=devices)
    assert len(done["hosts"]) == 3
    graphics = [{"hosts": ["esx-01.lab"], "assignment_policy": "consolidation"}]
    planned = lab.run("host_rolling_reboot", check=True, targets=[], graphics=graphics)
    assert [host["name"] for host in planned["hosts"]] == ["esx-01.lab"]


def test_without_selectors_an_info_module_shows_everything() -> None:
    lab = Lab.load("three_hosts")
    assert len(lab.run("host_pci_device_info")["hosts"]) == 3
    assert len(lab.run("vm_pci_device_info", include="all")["vms"]) == 4
    assert not lab.run("rolling_reboot_restore", check=True, hosts=[])["changed"]
