# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Features beside devices that need all memory reserved: Fault Tolerance and high latency sensitivity."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim

from simulator.lab.hardware.cards import LabError
from tests.unit.simulator.world import World

SPEC = vim.vm.ConfigSpec
ALLOCATION = vim.ResourceAllocationInfo


def world(**vm: Any) -> World:
    """The hosts and VMs of a real report: a fault tolerant VM that runs, and one of high latency sensitivity that is off."""
    hosts = [{"name": "esx-0{}.lab", "count": 2, "version": "6.7.0", "cards": ["t4", "t4"]}]
    vms = [
        {
            "name": "ft", "host": "esx-01.lab", "version": 14, "power": "on", "memory_gb": 8, "locked": True,
            "reservation_mb": 8192, "fault_tolerance": "running",
        },
        {"name": "lowlat", "host": "esx-01.lab", "version": 14, "memory_gb": 16, "latency_sensitivity": "high", **vm},
    ]  # fmt: skip
    return World({"datacenters": [{"name": "DC1", "clusters": [{"name": "c1", "hosts": hosts, "vms": vms}]}]})


def test_the_api_shows_them() -> None:
    lab = world()
    ft, lowlat = lab.vm("ft"), lab.vm("lowlat")
    assert (ft.runtime.faultToleranceState, ft.config.ftInfo.role) == ("running", 1)
    assert ft.config.ftInfo.instanceUuids == [ft.config.instanceUuid]
    assert ft.config.latencySensitivity.level == "normal"
    assert (lowlat.runtime.faultToleranceState, lowlat.config.ftInfo) == ("notConfigured", None)
    assert lowlat.config.latencySensitivity.level == "high"
    assert lowlat.config.memoryReservationLockedToMax
    old = lab.sim.stub("vim.version.version7").connect()
    vm = old.content.searchIndex.FindByInventoryPath("DC1/vm/lowlat")
    assert vm.config.latencySensitivity is None, "5.0 does not know it"


@pytest.mark.parametrize(
    "spec",
    [
        SPEC(memoryReservationLockedToMax=False),
        SPEC(memoryReservationLockedToMax=False, memoryAllocation=ALLOCATION(reservation=0)),
        SPEC(memoryReservationLockedToMax=False, memoryAllocation=ALLOCATION(reservation=4096)),
        SPEC(memoryAllocation=ALLOCATION(limit=16384)),
    ],
    ids=["unlock", "none", "half", "limit"],
)
def test_memory_of_a_fault_tolerant_vm_is_not_edited(spec: Any) -> None:
    lab = world()
    vm = lab.vm("ft")
    before = vm.config.changeVersion
    fault = lab.fails(vim.fault.FaultToleranceCannotEditMem, vm.ReconfigVM_Task(spec))
    assert (fault.vmName, fault.vm) == ("ft", vm)
    assert (vm.config.memoryAllocation.reservation, vm.config.changeVersion) == (8192, before)
    lab.wait(vm.ReconfigVM_Task(SPEC(annotation="x", memoryAllocation=ALLOCATION(reservation=8192))))


def lower(lab: World) -> Any:
    spec = SPEC(memoryReservationLockedToMax=False, memoryAllocation=ALLOCATION(reservation=8192))
    return lab.vm("lowlat").ReconfigVM_Task(spec)


def test_high_latency_sensitivity_keeps_its_memory() -> None:
    lab = world()
    vm = lab.vm("lowlat")
    fault = lab.fails(vim.fault.GenericVmConfigFault, lower(lab))
    assert "latency sensitivity of lowlat is high" in fault.reason
    lab.wait(vm.ReconfigVM_Task(SPEC(memoryReservationLockedToMax=False)))
    assert vm.config.memoryAllocation.reservation == 16384, "all of it reserved in numbers is enough"
    normal = vim.LatencySensitivity(level="normal")
    lab.wait(vm.ReconfigVM_Task(SPEC(latencySensitivity=normal, memoryAllocation=ALLOCATION(reservation=0))))
    assert (vm.config.latencySensitivity.level, vm.config.memoryAllocation.reservation) == ("normal", 0)


def test_whether_a_reconfigure_refuses_it_is_a_knob_and_it_does_not_start_either_way() -> None:
    lab = world()
    lab.sim.knobs.set("latency_needs_memory", "power_on")
    lab.wait(lower(lab))
    fault = lab.fails(vim.fault.GenericVmConfigFault, lab.vm("lowlat").PowerOnVM_Task(None))
    assert fault.reason.startswith("Invalid memory setting: memory reservation (sched.mem.min)")


def test_a_vm_of_normal_sensitivity_may_do_as_it_likes() -> None:
    lab = world(latency_sensitivity="medium", locked=True)
    lab.wait(lower(lab))
    lab.wait(lab.vm("lowlat").PowerOnVM_Task(None))


@pytest.mark.parametrize(
    "wrong", [{"latency_sensitivity": "highest"}, {"evacuation": "move"}, {"fault_tolerance": "on"}]
)
def test_a_lab_with_another_word_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(LabError, match=f"{next(iter(wrong))} is one of "):
        world(**wrong)
