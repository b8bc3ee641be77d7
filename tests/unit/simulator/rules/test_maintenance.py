# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who leaves a host, who stays, and how long the task waits."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim

from simulator.rules import maintenance
from simulator.rules.knobs import Knobs
from simulator.rules.maintenance import Cluster, Resident, Target

GIB = 1024**3


def vm(name: str = "vm", **values: Any) -> Resident:
    return Resident(**{"moid": name, "name": name, "powered_on": True, "memory": GIB, **values})


def cluster(*free: int, drs: bool = True, **values: Any) -> Cluster:
    targets = [Target(moid=f"host-{index}", usable=size > 0, free_memory=size * GIB) for index, size in enumerate(free)]
    return Cluster(**{"drs": drs, "targets": targets, **values})


def moved(*residents: Resident, around: Cluster, powered_off: bool = False, **knobs: Any) -> dict[str, str]:
    return maintenance.moves(residents, around, powered_off=powered_off, knobs=Knobs(**knobs))


@pytest.mark.parametrize(
    ("resident", "leaves"),
    [
        (vm(), True),
        (vm(automation="partiallyAutomated"), False),
        (vm(automation="manual"), False),
        (vm(automation="disabled"), False),
        (vm(devices=("fixed",)), False),
        (vm(devices=("dynamic",)), False),
        (vm(devices=("sriov",)), False),
        (vm(devices=("vgpu",)), False),
        (vm(powered_on=False), False),
        (vm(memory=9 * GIB), False),
    ],
)
def test_which_vm_drs_moves(resident: Resident, leaves: bool) -> None:
    assert bool(moved(resident, around=cluster(8))) is leaves


@pytest.mark.parametrize(
    ("resident", "knobs", "leaves"),
    [
        (vm(powered_on=False), {}, True),
        (vm(powered_on=False, devices=("dynamic",)), {}, True),
        (vm(powered_on=False, devices=("fixed",)), {}, True),
        (vm(powered_on=False, devices=("fixed",)), {"evacuate_moves_fixed": False}, False),
        (vm(powered_on=False, memory=99 * GIB), {}, True),
    ],
)
def test_evacuating_powered_off_vms(resident: Resident, knobs: dict[str, Any], leaves: bool) -> None:
    assert bool(moved(resident, around=cluster(8), powered_off=True, **knobs)) is leaves


@pytest.mark.parametrize(
    ("around", "leaves"),
    [
        (cluster(8), True),
        (cluster(), False),
        (cluster(0), False),
        (cluster(8, drs=False), False),
        (cluster(8, admitted=False), False),
    ],
)
def test_drs_evacuates_only_within_what_ha_sets_aside(around: Cluster, leaves: bool) -> None:
    assert bool(moved(vm(), around=around)) is leaves


def test_memory_is_spread_over_the_hosts_with_most_of_it() -> None:
    residents = [vm("a", memory=4 * GIB), vm("b", memory=4 * GIB), vm("c", memory=4 * GIB)]
    assert moved(*residents, around=cluster(5, 8)) == {"a": "host-1", "b": "host-0", "c": "host-1"}


@pytest.mark.parametrize(
    ("residents", "done"), [([], True), ([vm(powered_on=False)], True), ([vm(), vm("b", powered_on=False)], False)]
)
def test_the_task_is_done_when_nothing_runs(residents: list[Resident], done: bool) -> None:
    assert maintenance.is_done(residents) is done


@pytest.mark.parametrize(("timeout", "expected"), [(0, None), (-5, None), (60, 160.0)])
def test_no_timeout_waits_for_ever(timeout: int, expected: float | None) -> None:
    assert maintenance.deadline(100.0, timeout) == expected


@pytest.mark.parametrize(
    ("devices", "pinned"), [((), False), (("vgpu",), False), (("dynamic",), True), (("sriov", "vgpu"), True)]
)
def test_who_is_pinned(devices: tuple[str, ...], pinned: bool) -> None:
    assert maintenance.is_pinned(vm(devices=devices)) is pinned
    assert not maintenance.is_pinned(vm(devices=devices, powered_on=False))


def test_entering_twice_and_leaving_twice() -> None:
    maintenance.check_enter(False)
    maintenance.check_exit(True)
    with pytest.raises(vim.fault.InvalidState):
        maintenance.check_enter(True)
    with pytest.raises(vim.fault.InvalidState):
        maintenance.check_exit(False)


@pytest.mark.parametrize(
    ("operation", "allowed"),
    [("PowerOnVM_Task", False), ("PowerOffVM_Task", True), ("ShutdownGuest", True), ("MigrateVM_Task", True)],
)
def test_what_a_host_allows_while_it_enters(operation: str, allowed: bool) -> None:
    maintenance.check_operation(False, False, operation)
    if allowed:
        maintenance.check_operation(True, False, operation)
        return
    with pytest.raises(vim.fault.InvalidState):
        maintenance.check_operation(True, False, operation)


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("device_not_supported", vim.fault.DeviceNotSupported),
        ("device_backing", vim.fault.DeviceBackingNotSupported),
        ("disallowed_device", vim.fault.DisallowedMigrationDeviceAttached),
        ("cannot_access_device", vim.fault.CannotAccessVmDevice),
    ],
)
def test_migration_faults_by_knob(kind: str, fault: type[Exception]) -> None:
    assert isinstance(maintenance.device_fault(kind), fault)
