# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual functions of one card that VMs have as PCI devices and as SR-IOV network adapters: what is unknown is a warning."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.modules.harness import Lab
from tests.unit.modules.vm_pci_device.test_each_kind import FUNCTION, NETWORK, WIDE

ADAPTER = {"network": NETWORK}


def site(*numbers: int, **vms: dict[str, Any]) -> Lab:
    """A host with one card. ``numbers``: of the virtual functions of its ports. The network is behind the first one."""
    host = {
        "name": "esx-1",
        "memory_gb": 512,
        "cards": [{"card": "x710", "at": "3b", "uplinks": {0: "vSwitch1"}}],
        "switches": {"vSwitch1": [NETWORK]},
        "states": {f"0000:3b:00.{port}": {"virtual_functions": number} for port, number in enumerate(numbers)},
    }
    usual = {"host": "esx-1", "memory_gb": 8, "version": 20, "extra": WIDE}
    machines = [{"name": name, **usual, **vm} for name, vm in vms.items()]
    clusters = [{"name": "c", "hosts": [host], "vms": machines}]
    return Lab.load({"kind": "vcenter", "version": "8.0.3", "datacenters": [{"name": "D", "clusters": clusters}]})


def plan(lab: Lab, **options: Any) -> dict[str, list[str]]:
    """VM → the beginnings of its warnings about a power-on that may fail."""
    found = lab.run("vm_pci_device", check=True, **options)["vms"]
    return {
        vm["name"]: [text.partition(". ")[0] for text in vm["warnings"] if " may fail to power on: " in text]
        for vm in found
    }


def both(**of_plain: Any) -> list[dict[str, Any]]:
    return [
        {"name": "plain", "devices": [FUNCTION], "power": "on", **of_plain},
        {"name": "router", "sriov_networks": [ADAPTER], "power": "on"},
    ]


HOLDER = "plain may fail to power on: a network adapter of router (1) may have the virtual function 0000:3b:02.0"
PORT = "router may fail to power on: which port of esx-1 provides 0000:3b:02.0 is unknown"


@pytest.mark.parametrize(
    ("numbers", "of_router"),
    [((4,), []), ((2, 1), []), ((1, 1), [PORT]), ((1, 2), [PORT])],
    ids=["one port", "enough", "too few", "too few on this port"],
)
def test_vms_that_are_powered_on_together(numbers: tuple[int, ...], of_router: list[str]) -> None:
    """Both are powered on at the same time: either of them can be the first."""
    lab = site(*numbers, plain={}, router={})
    assert plan(lab, vms=both()) == {"plain": [HOLDER], "router": of_router}
    assert plan(lab, vms=both(power="keep")) == {"plain": [], "router": []}


def test_a_function_that_another_vm_of_the_plan_gets_is_not_free() -> None:
    """The plan of the adapter did not count it: the VM was stopped, and its power-on failed."""
    lab = site(1, plain={}, router={"power": "on"})
    result = lab.run(
        "vm_pci_device",
        fails=True,
        vms=[both()[0], {**both()[1], "power": "cycle", "allow_power_off": True}],
    )
    assert result["error_code"] == "no_free_virtual_function"
    assert "which has 1, in use by plain (1)" in result["msg"]
    assert {vm["name"]: vm["status"] for vm in result["vms"]} == {"plain": "changed", "router": "refused"}


def test_a_vm_that_runs_already_keeps_its_function() -> None:
    """It is in no danger. Only the port of its function is unknown."""
    lab = site(1, 1, plain={"power": "on", "devices": [{"fixed": "0000:3b:02.0"}]}, router={})
    assert plan(lab, vms=[both()[1]]) == {"router": [PORT]}
    assert plan(lab, vms=both()) == {"plain": [], "router": [PORT]}
    lab = site(2, 1, plain={"power": "on", "devices": [{"fixed": "0000:3b:02.0"}]}, router={})
    assert plan(lab, vms=both()) == {"plain": [], "router": []}


def test_an_adapter_that_an_entry_does_not_name_needs_a_function_too() -> None:
    """The other VM gets the last one before. The power-on failed."""
    router = {"devices": [{"sriov": "auto", "network": NETWORK}]}
    lab = site(1, other={}, router=router)
    entries = [
        {"name": "other", "sriov_networks": [ADAPTER], "power": "on"},
        {"name": "router", "devices": [], "power": "on"},
    ]
    result = lab.run("vm_pci_device", fails=True, vms=entries)
    assert result["error_code"] == "no_free_virtual_function"
    assert {vm["name"]: vm["status"] for vm in result["vms"]} == {"other": "changed", "router": "refused"}
