# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.facts import Gap, Unknown
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.vms import (
    MemoryState,
    UnknownBacking,
    VgpuBacking,
    Vm,
    VmDevice,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.planning.details import MemoryWrite
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.planning.plan import TargetPlan
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.memory import (
    DesiredMemory,
    merge_writes,
    plan_memory,
)
from tests.unit.module_utils._domain.vm.builders import codes, dynamic, fixed, guest, locked, pool, remember


def planned(vm: Vm, state: str, reservation_mb: int | None = None) -> TargetPlan:
    desired = DesiredMemory(state=state, reservation_mb=reservation_mb)  # type: ignore[arg-type]
    return plan_memory([vm], {vm.moid: desired}).targets[0]


@pytest.mark.parametrize(
    ("memory", "state", "reservation_mb", "write"),
    [
        pytest.param({}, "locked", None, MemoryWrite(locked=True), id="lock"),
        pytest.param(locked(), "locked", None, MemoryWrite(), id="locked already"),
        pytest.param({"reservation_mb": 8192}, "locked", None, MemoryWrite(locked=True), id="full but not locked"),
        pytest.param({"limit_mb": 4096}, "locked", None, MemoryWrite(locked=True, unlimited=True), id="limit goes"),
        pytest.param(
            replace(locked(), limit_mb=9000), "locked", None, MemoryWrite(unlimited=True), id="only the limit goes"
        ),
        pytest.param({}, "reserved", 4096, MemoryWrite(locked=False, reservation_mb=4096), id="reserve"),
        pytest.param(
            locked(), "reserved", 4096, MemoryWrite(locked=False, reservation_mb=4096), id="unlock and lower in one"
        ),
        pytest.param({"reservation_mb": 4096}, "reserved", 4096, MemoryWrite(), id="reserved already"),
        pytest.param(locked(), "reserved", 8192, MemoryWrite(locked=False, reservation_mb=8192), id="full in numbers"),
        pytest.param(locked(), "unlocked", None, MemoryWrite(locked=False, reservation_mb=0), id="lock's own goes"),
        pytest.param(
            {"reservation_mb": 2048},
            "unlocked",
            None,
            MemoryWrite(locked=False, reservation_mb=0),
            id="no lock: to nothing",
        ),
        pytest.param(locked(), "unlocked", 1024, MemoryWrite(locked=False, reservation_mb=1024), id="unlock to number"),
        pytest.param(
            {"reservation_mb": 2048}, "unlocked", 0, MemoryWrite(locked=False, reservation_mb=0), id="to none"
        ),
    ],
)
def test_one_write_says_it_all(memory: Any, state: str, reservation_mb: int | None, write: MemoryWrite) -> None:
    target = planned(guest(memory=memory), state, reservation_mb)
    assert codes(target) == []
    assert merge_writes(target.changes) == write


def test_changes_are_told_in_plain_values() -> None:
    target = planned(guest(memory={"reservation_mb": 512, "limit_mb": 4096}), "locked")
    assert [(change.subject, change.before, change.after) for change in target.changes] == [
        ("memory reservation", {"locked": False, "reservation_mb": 512}, {"locked": True, "reservation_mb": 8192}),
        ("memory limit", 4096, "unlimited"),
    ]


@pytest.mark.parametrize(
    ("vm", "state", "reservation_mb", "code", "words"),
    [
        pytest.param(
            guest(memory={}),
            "reserved",
            9000,
            "reservation_above_size",
            ["train-01 has 8192 MB", "9000 MB cannot be reserved"],
            id="above size",
        ),
        pytest.param(
            guest("train-01", fixed("3b:00.0"), memory=locked()),
            "unlocked",
            None,
            "device_needs_reservation",
            ["cannot be unlocked", "PCI device 0 (fixed 0000:3b:00.0)"],
            id="unlock below a fixed device",
        ),
        pytest.param(
            guest("train-01", dynamic(), memory={"reservation_mb": 8192}),
            "reserved",
            4096,
            "device_needs_reservation",
            ["lowered to 4096 of 8192 MB", "PCI device 0 (dynamic)"],
            id="lower below a dynamic device",
        ),
        pytest.param(
            guest("train-01", dynamic(), memory={"reservation_mb": 1024}),
            "reserved",
            4096,
            "device_needs_reservation",
            ["lowered to 4096 of 8192 MB"],
            id="raise, but not to the size",
        ),
        pytest.param(
            guest("train-01", VmDevice(key=1, label="vGPU", backing=VgpuBacking(profile="a100-40c")), memory=locked()),
            "reserved",
            8192,
            "device_needs_reservation",
            ["vGPU (vgpu)"],
            id="take off the lock below a vGPU",
        ),
        pytest.param(
            guest(memory={"limit_mb": 2048}),
            "reserved",
            4096,
            "limit_below_reservation",
            ["limit of 2048 MB", "4096 MB"],
            id="limit below reservation",
        ),
        pytest.param(
            guest(memory={"lock_supported": False}),
            "locked",
            None,
            "memory_lock_unsupported",
            ["hardware version 19"],
            id="no lock",
        ),
        pytest.param(
            guest(memory={}, pool=pool(6000)),
            "locked",
            None,
            "pool_memory",
            ["needs 8192 MB more", "pool gold has 6000 MB left", "own reservation 4096 MB, not expandable"],
            id="pool, off",
        ),
        pytest.param(
            guest(memory={"reservation_mb": 1000}, pool=pool(6000), power_state="poweredOn"),
            "locked",
            None,
            "pool_memory",
            ["needs 7192 MB more", "8192 MB, of which it has 1000 MB"],
            id="pool, running",
        ),
        pytest.param(
            guest(memory={}, pool=pool(100)), "reserved", 4096, "pool_memory", ["4096 MB more"], id="pool, a number"
        ),
        pytest.param(guest(memory={}, is_template=True), "locked", None, "template", ["is a template"], id="template"),
        pytest.param(
            guest(memory={}, connection_state="inaccessible"),
            "locked",
            None,
            "vm_not_connected",
            ["is inaccessible"],
            id="not connected",
        ),
        pytest.param(
            guest(memory={}, unreadable=("config",)), "locked", None, "vm_unreadable", ["config"], id="not readable"
        ),
        pytest.param(
            guest("a", VmDevice(key=1, label="x", backing=UnknownBacking(type_name="New")), memory=locked()),
            "unlocked",
            None,
            "device_needs_reservation",
            ["x (unknown)"],
            id="a backing of a later release may need it",
        ),
        pytest.param(
            guest(memory=locked(), fault_tolerance=True),
            "unlocked",
            None,
            "feature_needs_reservation",
            ["protected by Fault Tolerance"],
            id="Fault Tolerance",
        ),
        pytest.param(
            guest(memory={"reservation_mb": 8192}, latency_sensitivity="high"),
            "reserved",
            4096,
            "feature_needs_reservation",
            ["lowered to 4096 of 8192 MB", "latency sensitivity is high"],
            id="latency sensitivity",
        ),
        pytest.param(
            guest(memory=locked(), latency_sensitivity=Unknown(gap=Gap(path="config.latencySensitivity"))),
            "unlocked",
            None,
            "feature_needs_reservation",
            ["its latency sensitivity is unknown", "may be high"],
            id="latency sensitivity not read",
        ),
    ],
)
def test_refused(vm: Vm, state: str, reservation_mb: int | None, code: str, words: list[str]) -> None:
    target = planned(vm, state, reservation_mb)
    assert codes(target) == [code]
    assert target.effective == ()
    assert target.blockers[0].cure
    for word in words:
        assert word in target.blockers[0].message


@pytest.mark.parametrize(
    ("vm", "state", "reservation_mb"),
    [
        pytest.param(guest(memory=locked(), pool=pool(0)), "locked", None, id="locked already"),
        pytest.param(
            guest(memory={"reservation_mb": 4096}, pool=pool(4096), power_state="poweredOn"), "locked", None, id="just"
        ),
        pytest.param(guest(memory={"reservation_mb": 4096}, pool=pool(0)), "reserved", 1024, id="lowering"),
        pytest.param(guest(memory={}, pool=pool(None)), "locked", None, id="unlimited pool"),
        pytest.param(guest("a", fixed("3b:00.0"), memory={"reservation_mb": 1}), "reserved", 8192, id="device, full"),
        pytest.param(guest(memory=locked(), is_template=True), "locked", None, id="template with nothing to do"),
    ],
)
def test_allowed(vm: Vm, state: str, reservation_mb: int | None) -> None:
    assert codes(planned(vm, state, reservation_mb)) == []


def test_a_number_that_no_longer_covers_a_grown_vm_is_drift() -> None:
    grown = guest("train-01", fixed("3b:00.0"), memory={"size_mb": 16384, "reservation_mb": 8192})
    assert merge_writes(planned(grown, "locked").changes) == MemoryWrite(locked=True)
    (warning,) = planned(grown, "unlocked").warnings
    assert "8192 of 16384 MB" in warning
    assert "will not power on" in warning


def test_a_number_under_a_device_is_warned_of() -> None:
    target = planned(guest("train-01", fixed("3b:00.0"), memory={"reservation_mb": 8192}), "reserved", 8192)
    assert target.changes == ()
    assert "does not grow with its memory" in target.warnings[0]


def test_a_limit_under_a_device_is_lifted_with_a_number_too() -> None:
    vm = guest("train-01", fixed("3b:00.0"), memory={"limit_mb": 4096, "reservation_mb": 100})
    target = planned(vm, "reserved", 8192)
    assert codes(target) == []
    assert merge_writes(target.changes) == MemoryWrite(locked=False, reservation_mb=8192, unlimited=True)


@pytest.mark.parametrize(
    ("state", "reservation_mb", "code"),
    [
        ("locked", 4096, "reservation_with_locked"),
        ("reserved", None, "reservation_missing"),
        ("reserved", -1, "bad_reservation"),
    ],
)
def test_contradicting_wishes_are_input_errors(state: Any, reservation_mb: int | None, code: str) -> None:
    with pytest.raises(InputError) as caught:
        DesiredMemory(state=state, reservation_mb=reservation_mb)
    assert caught.value.code == code
    assert caught.value.parameter == "reservation_mb"


def test_a_vm_that_was_not_read_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="vm-9"):
        plan_memory([guest(memory={})], {"vm-9": DesiredMemory(state="locked")})


def test_targets_are_sorted_whatever_the_order_of_input() -> None:
    vms = [guest("b", memory={}), guest("a", memory={})]
    desired_memory = {vm.moid: DesiredMemory(state="locked") for vm in vms}
    assert [target.target for target in plan_memory(vms, desired_memory).targets] == ["a", "b"]
    assert plan_memory(vms, desired_memory) == plan_memory(vms[::-1], dict(reversed(desired_memory.items())))


states = st.builds(
    lambda size, share, limit, lock: MemoryState(
        size_mb=size, reservation_mb=size if lock else size * share // 4, limit_mb=limit, locked_to_max=lock
    ),
    st.sampled_from([4096, 8192]),
    st.integers(0, 4),
    st.sampled_from([None, 1024, 9000]),
    st.booleans(),
)
desired_memory = st.one_of(
    st.just(DesiredMemory(state="locked")),
    st.builds(DesiredMemory, state=st.just("reserved"), reservation_mb=st.sampled_from([0, 1024, 4096, 8192])),
    st.builds(DesiredMemory, state=st.just("unlocked"), reservation_mb=st.sampled_from([None, 0, 2048, 9000])),
)


@given(states, desired_memory, st.booleans())
def test_carried_out_it_stays_and_never_robs_a_device(
    memory: MemoryState, desired: DesiredMemory, has_device: bool
) -> None:
    vm = guest("train-01", *((fixed("3b:00.0"),) if has_device else ()), memory=memory)
    target = plan_memory([vm], {vm.moid: desired}).targets[0]
    after = remember(memory, merge_writes(target.effective))
    if target.blockers:
        assert after == memory
        return
    again = plan_memory([replace(vm, memory=after)], {vm.moid: desired}).targets[0]
    assert again.changes == ()
    assert again.blockers == ()
    if has_device and target.effective:
        assert after.reservation_mb in (after.size_mb, memory.reservation_mb)  # it is not made worse
        assert after.limit_mb is None
    if desired.state == "locked":
        assert (after.locked_to_max, after.limit_mb) == (True, None)
    elif desired.reservation_mb is not None:
        assert (after.locked_to_max, after.reservation_mb) == (False, desired.reservation_mb)
