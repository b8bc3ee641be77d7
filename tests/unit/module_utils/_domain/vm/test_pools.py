# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""VMs of one plan share the memory that is left in their resource pool."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.vms import MemoryState, PoolState, Vm
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.memory import DesiredMemory, plan_memory

LOCKED = DesiredMemory(state="locked")


def vm(
    name: str, size_mb: int, *, pool: str = "resgroup-1", left: int | None = 100, on: bool = True, reserved: int = 0
) -> Vm:
    return Vm(
        moid=f"vm-{name}",
        name=name,
        power_state="poweredOn" if on else "poweredOff",
        memory=MemoryState(size_mb=size_mb, reservation_mb=reserved),
        pool=PoolState(moid=pool, name="small", unreserved_for_vm_mb=left),
    )


def refused(*vms: Vm) -> list[str]:
    plan = plan_memory(vms, {one.moid: LOCKED for one in vms})
    return [target.target for target in plan.targets if target.blockers]


@pytest.mark.parametrize(
    ("vms", "expected"),
    [
        ([vm("a", 60), vm("b", 40)], []),
        ([vm("a", 60), vm("b", 41)], ["b"]),
        ([vm("a", 60), vm("b", 41), vm("c", 40)], ["b"]),
        ([vm("a", 60), vm("b", 60, pool="resgroup-2")], []),
        ([vm("a", 60), vm("b", 60, on=False)], []),  # it needs the memory only when it is powered on
        ([vm("a", 60, on=False), vm("b", 60)], []),
        ([vm("a", 60), vm("b", 60, reserved=20)], []),
        ([vm("a", 60), vm("b", 61, reserved=20)], ["b"]),
        ([vm("a", 101), vm("b", 60)], ["a"]),  # what is refused takes nothing
        ([vm("a", 60, left=None), vm("b", 60, left=None)], []),
        ([vm("a", 60, pool=""), vm("b", 60, pool="")], []),  # nothing says that these are one pool
    ],
)
def test_a_pool_is_shared(vms: list[Vm], expected: list[str]) -> None:
    assert refused(*vms) == expected


def test_the_message_has_the_numbers() -> None:
    vms = [vm("a", 60), vm("b", 50)]
    (blocker,) = plan_memory(vms, {one.moid: LOCKED for one in vms}).targets[1].blockers
    assert blocker.code == "pool_memory"
    assert blocker.message == (
        "b needs 50 MB more reserved, but resource pool small has 40 MB left for VMs when this run has changed a (60 MB)"
    )


@given(st.lists(st.tuples(st.integers(1, 60), st.booleans(), st.integers(0, 60)), max_size=6), st.integers(0, 150))
def test_what_is_not_refused_fits_together(sizes: list[tuple[int, bool, int]], left: int) -> None:
    vms = [
        vm(f"{number}", size, on=on, left=left, reserved=min(size, held))
        for number, (size, on, held) in enumerate(sizes)
    ]
    out = refused(*vms)
    kept = [one for one in vms if one.name not in out and one.is_powered_on]
    assert sum(one.memory.size_mb - one.memory.reservation_mb for one in kept) <= left
