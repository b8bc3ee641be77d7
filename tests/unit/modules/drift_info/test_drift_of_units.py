# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""drift_info for vGPUs, vendor device groups and DVX devices: in sync exactly when vm_pci_device would change nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.modules.vm_pci_device.unit_labs import DVX, GROUP, QUARTER, T4, WHOLE, lab

FIXED = {"fixed": "0000:86:00.0"}
HAS: dict[str, list[dict[str, Any]]] = {
    "nothing": [],
    "a vGPU": [{"vgpu": QUARTER}],
    "two vGPUs": [{"vgpu": QUARTER}] * 2,
    "a group": [{"group": GROUP}],
    "a DVX device": [{"dvx": DVX, "parameters": {"mode": "1", "size": 10}}],
    "everything": [FIXED, {"vgpu": QUARTER}, {"group": GROUP}, {"dvx": DVX, "parameters": {"mode": "2", "size": 5}}],
}
WANTS: dict[str, dict[str, Any]] = {
    "vGPU": {"devices": [{"vgpu": QUARTER}]},
    "vGPU with a setting": {"devices": [{"vgpu": QUARTER, "advanced": {"enable_uvm": 1}}]},
    "exactly a vGPU": {"devices": [{"vgpu": QUARTER}], "state": "exactly"},
    "group": {"devices": [{"group": GROUP}]},
    "DVX device": {"devices": [{"dvx": {"class": DVX, "parameters": {"mode": 1}}}]},
    "no vGPU": {"devices": [{"vgpu": QUARTER}], "state": "absent"},
    "no passthrough": {"devices": [], "state": "exactly"},
    "nothing at all": {"devices": [], "state": "exactly", "kinds": "all"},
    "unknown profile": {"devices": [{"vgpu": "grid_a100-7c"}]},
    "all kinds": {
        "devices": [
            {"match": T4},
            {"vgpu": QUARTER},
            {"group": GROUP},
            {"dvx": {"class": DVX, "parameters": {"mode": 2}}},
        ]
    },
}


@pytest.mark.parametrize("wants", WANTS)
@pytest.mark.parametrize("has", HAS)
def test_in_sync_exactly_when_the_module_changes_nothing(has: str, wants: str) -> None:
    cards = [*(["a100"] * 3), {"card": "t4", "at": "86", "enabled": True}]
    made = lab({"name": "vm-1", "locked": True, "version": 21, "devices": HAS[has]}, cards=cards)
    entry = {"name": "vm-1", "backing": "fixed", **WANTS[wants]}
    found = made.run("drift_info", vms=[entry])["report"]["differences"]
    planned = [one for one in found if one["planned"]]
    result = made.run("vm_pci_device", vms=[entry], check=True, fails=wants == "unknown profile")
    assert bool(planned) is bool(result["changes"] or result["refused"]), (found, result["changes"])
    assert not [one for one in found if one["kind"] in ("unchecked", "unreadable")]


def test_a_converged_vm_costs_no_call_more() -> None:
    plain = lab({"name": "vm-1", "locked": True, "devices": []})
    with_units = lab({"name": "vm-1", "locked": True, "devices": HAS["everything"][1:]}, cards=["a100"] * 3)
    wanted = [{"vgpu": QUARTER}, {"group": GROUP}, {"dvx": {"class": DVX}}]
    calls = []
    for made, devices in ((plain, []), (with_units, wanted)):
        made.sim.journal.clear()
        report = made.run("drift_info", vms=[{"name": "vm-1", "devices": devices}])
        assert report["status"] == "in_sync", report["report"]["differences"]
        calls.append(made.calls())
    assert calls[0] == calls[1]


def test_a_plan_costs_the_same_calls_for_any_number_of_hosts_and_vms() -> None:
    calls = []
    for hosts, vms in ((2, 1), (12, 5)):
        names = [f"train-{number}" for number in range(vms)]
        made = lab(*({"name": name} for name in names), hosts=hosts)
        made.sim.journal.clear()
        made.run("vm_pci_device", vm=names, devices=[{"vgpu": WHOLE}], check=True)
        calls.append(made.calls())
    assert calls[0] == calls[1]
