# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ReconfigVM: versions, memory, extraConfig, privileges."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim, vmodl

from simulator.rules.knobs import Knobs
from simulator.rules.vm import privileges, reconfigure
from simulator.rules.vm.reconfigure import Memory

OFF = Memory(size=32768, reservation=0)
LOCKED = Memory(size=32768, reservation=32768, locked=True)
PASSTHROUGH = vim.vm.device.VirtualPCIPassthrough


def spec(**values: Any) -> Any:
    return vim.vm.ConfigSpec(**values)


def allocation(**values: Any) -> Any:
    return vim.ResourceAllocationInfo(**values)


def change(now: Memory, wish: Any, **values: Any) -> Memory:
    usual: dict[str, Any] = {"version": 20, "powered_on": False, "hot_add": False, "passthrough": False}
    return reconfigure.memory(now, wish, **{**usual, **values})


@pytest.mark.parametrize(
    ("now", "wish", "after"),
    [
        (OFF, spec(memoryReservationLockedToMax=True), LOCKED),
        (LOCKED, spec(), LOCKED),
        (LOCKED, spec(memoryMB=65536), Memory(size=65536, reservation=65536, locked=True)),
        (LOCKED, spec(memoryReservationLockedToMax=False), Memory(size=32768, reservation=32768)),
        (LOCKED, spec(memoryReservationLockedToMax=False, memoryAllocation=allocation(reservation=0)), OFF),
        (LOCKED, spec(memoryAllocation=allocation(reservation=32768)), LOCKED),
        (OFF, spec(memoryAllocation=allocation(reservation=32768)), Memory(size=32768, reservation=32768)),
        (OFF, spec(memoryMB=4096), Memory(size=4096, reservation=0)),
        (Memory(size=32768, reservation=0, limit=8192), spec(memoryAllocation=allocation(limit=-1)), OFF),
    ],
)
def test_memory_after_a_spec(now: Memory, wish: Any, after: Memory) -> None:
    assert change(now, wish) == after


@pytest.mark.parametrize(
    ("now", "wish", "named"),
    [
        (LOCKED, spec(memoryAllocation=allocation(reservation=0)), "spec.memoryAllocation.reservation"),
        (
            OFF,
            spec(memoryReservationLockedToMax=True, memoryAllocation=allocation(reservation=1024)),
            "spec.memoryAllocation.reservation",
        ),
        (OFF, spec(memoryAllocation=allocation(reservation=65536)), "spec.memoryAllocation.reservation"),
        (OFF, spec(memoryAllocation=allocation(reservation=-1)), "spec.memoryAllocation.reservation"),
        (Memory(size=32768, reservation=32768), spec(memoryMB=16384), "spec.memoryAllocation.reservation"),
        (
            Memory(size=32768, reservation=0, limit=8192),
            spec(memoryReservationLockedToMax=True),
            "spec.memoryAllocation.limit",
        ),
        (OFF, spec(memoryMB=0), "spec.memoryMB"),
        (OFF, spec(memoryMB=1001), "spec.memoryMB"),
    ],
)
def test_memory_that_is_refused(now: Memory, wish: Any, named: str) -> None:
    with pytest.raises(vmodl.fault.InvalidArgument) as caught:
        change(now, wish)
    assert caught.value.invalidProperty == named
    assert caught.value.msg == f"A specified parameter was not correct: {named}"


def test_an_old_vm_cannot_lock_its_memory() -> None:
    with pytest.raises(vmodl.fault.NotSupported):
        change(OFF, spec(memoryReservationLockedToMax=True), version=7)


def test_growing_the_memory_of_a_running_vm() -> None:
    wish = spec(memoryMB=65536)
    assert change(OFF, wish, powered_on=True, hot_add=True).size == 65536
    for values in ({"hot_add": False}, {"hot_add": True, "passthrough": True}):
        with pytest.raises(vim.fault.MemoryHotPlugNotSupported):
            change(OFF, wish, powered_on=True, **values)
    with pytest.raises(vim.fault.InvalidPowerState):
        change(OFF, spec(memoryMB=4096), powered_on=True, hot_add=True)


def test_another_change_version_is_a_race() -> None:
    reconfigure.check_change_version(None, "a")
    reconfigure.check_change_version("a", "a")
    with pytest.raises(vim.fault.ConcurrentAccess):
        reconfigure.check_change_version("a", "b")


@pytest.mark.parametrize(
    "wish",
    [
        spec(firmware="efi"),
        spec(memoryHotAddEnabled=False),
        spec(nestedHVEnabled=True),
        spec(flags=vim.vm.FlagInfo(vvtdEnabled=True)),
    ],
)
def test_what_needs_the_vm_off(wish: Any) -> None:
    reconfigure.check_power(wish, powered_on=False)
    with pytest.raises(vim.fault.InvalidPowerState):
        reconfigure.check_power(wish, powered_on=True)


@pytest.mark.parametrize(
    ("key", "value", "after"),
    [
        ("pciPassthru.use64bitMMIO", "TRUE", {"a": "1", "pciPassthru.use64bitMMIO": "TRUE"}),
        ("a", "2", {"a": "2"}),
        ("a", "", {}),
        ("b", "", {"a": "1"}),
        ("sched.mem.min", "32768", {"a": "1"}),
        ("sched.mem.pin", "TRUE", {"a": "1"}),
        ("a", 5, {"a": "5"}),
    ],
)
def test_extra_config(key: str, value: object, after: dict[str, str]) -> None:
    assert reconfigure.extra_config({"a": "1"}, [(key, value)]) == after


@pytest.mark.parametrize(("wanted", "after"), [(None, 21), ("vmx-20", 20), ("vmx-21", 21)])
def test_upgrading(wanted: str | None, after: int) -> None:
    assert reconfigure.upgraded(19, wanted, 21) == after


@pytest.mark.parametrize(
    ("current", "wanted", "fault"),
    [
        (21, None, vim.fault.AlreadyUpgraded),
        (20, "vmx-19", vim.fault.AlreadyUpgraded),
        (20, "vmx-22", vmodl.fault.NotSupported),
    ],
)
def test_upgrades_that_are_refused(current: int, wanted: str | None, fault: type[Exception]) -> None:
    with pytest.raises(fault):
        reconfigure.upgraded(current, wanted, 21)


def device_change(operation: str, device: Any) -> Any:
    return spec(deviceChange=[vim.vm.device.VirtualDeviceSpec(operation=operation, device=device)])


FIXED = PASSTHROUGH(
    key=-1, backing=PASSTHROUGH.DeviceBackingInfo(deviceName="", id="", deviceId="1", systemId="", vendorId=1)
)
DYNAMIC = PASSTHROUGH(key=-1, backing=PASSTHROUGH.DynamicBackingInfo(deviceName=""))
VGPU = PASSTHROUGH(key=-1, backing=PASSTHROUGH.VmiopBackingInfo(vgpu="grid"))
SRIOV = vim.vm.device.VirtualSriovEthernetCard(key=-1)


@pytest.mark.parametrize(
    ("wish", "knob", "needed"),
    [
        (spec(), "raw_device", []),
        (spec(changeVersion="x"), "raw_device", []),
        (spec(memoryReservationLockedToMax=True), "raw_device", ["Resource"]),
        (spec(memoryAllocation=allocation(reservation=1)), "raw_device", ["Resource"]),
        (spec(memoryMB=4096), "raw_device", ["Memory"]),
        (spec(extraConfig=[vim.option.OptionValue(key="a", value="b")]), "raw_device", ["AdvancedConfig"]),
        (spec(firmware="efi"), "raw_device", ["Settings"]),
        (spec(name="x"), "raw_device", ["Rename"]),
        (device_change("add", FIXED), "raw_device", ["RawDevice"]),
        (device_change("add", DYNAMIC), "raw_device", ["RawDevice"]),
        (device_change("remove", PASSTHROUGH(key=13000)), "raw_device", ["RawDevice"]),
        (device_change("add", FIXED), "add_remove", ["AddRemoveDevice"]),
        (device_change("add", FIXED), "both", ["AddRemoveDevice", "RawDevice"]),
        (device_change("edit", FIXED), "add_remove", ["EditDevice"]),
        (device_change("add", VGPU), "raw_device", ["AddRemoveDevice"]),
        (device_change("add", SRIOV), "raw_device", ["AddRemoveDevice"]),
        (device_change("edit", SRIOV), "raw_device", ["EditDevice"]),
    ],
)
def test_privileges_of_a_spec(wish: Any, knob: str, needed: list[str]) -> None:
    found = privileges.needed(wish, Knobs(raw_device_privilege=knob))
    assert found == [f"VirtualMachine.Config.{name}" for name in needed]
