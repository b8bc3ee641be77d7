# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""VMs of vCenter's agent manager: it starts what others stop, and stops them itself where a host is to be empty."""

from __future__ import annotations

from typing import Any

import pytest

from simulator import ManualClock, Simulator

EAM = "com.vmware.vim.eam"


@pytest.fixture
def sim() -> Simulator:
    hosts = [{"name": f"esx-{n}", "cards": [{"card": "nvme", "datastore": f"disk-{n}"}, "x710"]} for n in (1, 2)]
    vms = [
        {"name": "agent", "host": "esx-1", "datastore": "disk-1", "managed_by": EAM, "power": "on"},
        {"name": "other", "host": "esx-1", "datastore": "disk-1", "managed_by": "com.example.backup", "power": "on"},
    ]
    cluster = {"name": "c", "drs": "fullyAutomated", "hosts": hosts, "vms": vms}
    return Simulator.from_lab(
        {"kind": "vcenter", "datacenters": [{"name": "DC", "clusters": [cluster]}]}, ManualClock()
    )


def _vm(si: Any, name: str) -> Any:
    return si.content.searchIndex.FindByInventoryPath(f"DC/vm/{name}")


def on(sim: Simulator) -> dict[str, bool]:
    return {name: sim.find("VirtualMachine", name).is_on for name in ("agent", "other")}


def test_an_agent_that_somebody_stops_is_started_again(sim: Simulator) -> None:
    si: Any = sim.stub().connect()
    for name in ("agent", "other"):
        assert _vm(si, name).config.managedBy.extensionKey
        _vm(si, name).PowerOffVM_Task()
    sim.clock.advance(5)
    assert on(sim) == {"agent": False, "other": False}
    sim.clock.advance(60)
    assert on(sim) == {"agent": True, "other": False}


def test_it_leaves_for_maintenance_mode_and_comes_back(sim: Simulator) -> None:
    si: Any = sim.stub().connect()
    host = si.content.searchIndex.FindByInventoryPath("DC/host/c/esx-1")
    _vm(si, "other").PowerOffVM_Task()
    sim.clock.advance(5)
    host.EnterMaintenanceMode_Task(0)
    sim.clock.advance(300)
    assert host.runtime.inMaintenanceMode
    assert on(sim) == {"agent": False, "other": False}
    host.ExitMaintenanceMode_Task(0)
    sim.clock.advance(300)
    assert on(sim) == {"agent": True, "other": False}
