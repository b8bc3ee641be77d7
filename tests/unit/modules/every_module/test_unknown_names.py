# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exceptions that name nothing (``allow_protected``, ``ignore_unreadable_vms``): a slip in them is named, and costs no call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.unit.modules.bad_input.test_ranges import FOLDER, arguments
from tests.unit.modules.harness import Lab

CARD = [{"match": "10de:20f1"}]
SHORT, ELSEWHERE, FULL = ("esx-01/0000:5e:00.0=x", "esx-77.far/0000:5e:00.0=x", "esx-01.lab/0000:5e:00.0=x")
SLIP, ELSEWHERE_VM, RIGHT = "train-O1", "db-77", "train-02"
CALLS: Mapping[str, Mapping[str, Any]] = {
    "host_passthrough": {"hosts": ["esx-01.lab"], "devices": CARD},
    "host_device_mode": {"hosts": ["esx-01.lab"], "devices": [{"match": "10de:20f1", "mode": "host"}]},
    "host_sriov": {
        "hosts": ["esx-01.lab"],
        "devices": [{"vmnic": "vmnic9", "virtual_functions": 2}],
        "on_missing": "skip",
    },
    "host_rolling_reboot": {"hosts": ["esx-01.lab"]},
    "vm_pci_device": {"vm": ["web-01"], "devices": [], "state": "exactly"},
    "vm_sriov_network": {"vm": ["web-01"], "sriov_networks": [], "state": "exactly"},
    "host_capacity_info": {},
    "drift_info": {"targets": [{"hosts": ["esx-01.lab"], "devices": CARD}]},
}
UNUSED = {("host_passthrough", "ignore_unreadable_vms"): {"state": "disabled"}}
"""What an option needs to be in use."""
LISTS: Mapping[str, tuple[str, str, str, str]] = {
    "allow_protected": (SHORT, ELSEWHERE, FULL, "(esx-01.lab is meant?)"),
    "ignore_unreadable_vms": (SLIP, ELSEWHERE_VM, RIGHT, "(train-01 is meant?)"),
    "host_ignore_unreadable_vms": (SLIP, ELSEWHERE_VM, RIGHT, "(train-01 is meant?)"),
}
"""Option → a slip, a name of another vCenter, a right entry, and what is said of the slip."""
CASES = [
    (module, option)
    for module in CALLS
    for option in LISTS
    if option in arguments(module) and (module, option) != ("vm_pci_device", "allow_protected")
]
"""``allow_protected`` of vm_pci_device only repeats that of host_passthrough, in check mode."""


def warnings(result: Mapping[str, Any]) -> list[str]:
    """The texts of the warnings, in the form of each release of ansible-core."""
    return [str(one["event"]["msg"] if isinstance(one, dict) else one) for one in result.get("warnings", ())]


def run(lab: Lab, module: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """A check run, which may fail: on this release of vSphere, device modes are refused."""
    return lab._main(module, {**lab.credentials(), **options, "_ansible_check_mode": True})


def test_every_module_with_such_a_list_is_tried() -> None:
    with_lists = {path.stem for path in FOLDER.glob("[a-z]*.py") if LISTS.keys() & arguments(path.stem).keys()}
    assert with_lists == CALLS.keys()
    assert all("unknown_names" in arguments(module) for module in CALLS)


@pytest.mark.parametrize(("module", "option"), CASES, ids=str)
def test_a_slip_in_an_exception_is_named_and_costs_no_call(module: str, option: str) -> None:
    slip, elsewhere, right, says = LISTS[option]
    call = {**CALLS[module], **UNUSED.get((module, option), {})}
    quiet, loud = Lab.load("three_hosts"), Lab.load("three_hosts")
    before = run(quiet, module, {**call, option: [right]})
    after = run(loud, module, {**call, option: [slip, elsewhere, right]})
    found = [text for text in warnings(after) if "no effect" in text]
    assert [option in text for text in found] == [True, True], after
    assert any(repr(slip) in text and says in text for text in found)
    assert any(repr(elsewhere) in text for text in found)
    assert not any(repr(right) in text for text in (*found, *warnings(before)))
    assert quiet.calls() == loud.calls()
    assert bool(before.get("failed")) == bool(after.get("failed"))


@pytest.mark.parametrize(("module", "option"), CASES, ids=str)
def test_a_list_of_several_vcenters_is_no_reason_for_a_warning(module: str, option: str) -> None:
    lab = Lab.load("three_hosts")
    call = {**CALLS[module], **UNUSED.get((module, option), {}), option: [LISTS[option][1]]}
    result = run(lab, module, {**call, "unknown_names": "only_if_refused"})
    assert not [text for text in warnings(result) if "no effect" in text]


def test_a_slip_in_such_a_list_is_named_where_it_is_the_reason_of_a_refusal() -> None:
    lab = Lab.load("home")
    boot = {"match": "0000:01:00.0"}
    entries = ["esx/0000:01:00.0=x", "esx-77.far/0000:01:00.0=x"]
    refused = lab.run(
        "host_passthrough",
        check=True,
        fails=True,
        hosts=[lab.run("host_pci_device_info")["hosts"][0]["name"]],
        devices=[boot],
        allow_protected=entries,
        unknown_names="only_if_refused",
    )
    assert any("'esx/0000:01:00.0=x'" in text for text in warnings(refused)), refused


def test_the_id_of_a_vm_that_only_its_host_lists_is_no_slip() -> None:
    """The account may not see the VM, so its name is unknown, and the id is all that messages can show."""
    lab = Lab.load("three_hosts")
    seen = {vm["name"]: vm["moid"] for vm in lab.run("vm_pci_device_info", include="all")["vms"]}
    lab.sim.authz.permit(next(iter(lab.sim.authz.users)), lab.sim.find_entity("train-02"), "NoAccess")
    assert "train-02" not in {vm["name"] for vm in lab.run("vm_pci_device_info", include="all")["vms"]}
    call = {"vm": ["web-01"], "devices": [], "state": "exactly"}
    assert not warnings(run(lab, "vm_pci_device", {**call, "ignore_unreadable_vms": [seen["train-02"]]}))
    assert warnings(run(lab, "vm_pci_device", {**call, "ignore_unreadable_vms": ["train-02"]}))
