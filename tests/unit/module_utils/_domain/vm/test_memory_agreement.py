# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether all memory of a VM is reserved has one answer: both modules, drift, its report and the results give it."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.drift.commands import Commands
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.drift.compare import (
    ObservedEndpoint,
    find_drift,
    make_plans,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.drift.report import report
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.passthrough import DesiredPassthrough
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.vms import MemoryState, Vm, VmDevice
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.memory import (
    LIMIT,
    DesiredMemory,
    is_lock_outdated,
    is_reserved,
    plan_memory,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.output import memory_result
from tests.unit.module_utils._domain.vm.builders import A100, T4, card, desired, dynamic, esx, fixed, guest, observed

HOST = esx("esx-01", card("3b:00.0"), card("5e:00.0", T4))
LOCK_TAKEN_AWAY = MemoryState(size_mb=8192, reservation_mb=8192, locked_to_max=False, lock_supported=True)
DEVICES: tuple[tuple[VmDevice, str], ...] = ((dynamic(), A100), (fixed("3b:00.0"), A100), (dynamic(T4), T4))

memories = st.builds(
    MemoryState,
    size_mb=st.sampled_from([4096, 8192]),
    reservation_mb=st.sampled_from([0, 1024, 4096, 8192]),
    limit_mb=st.sampled_from([None, 2048, 9000]),
    locked_to_max=st.booleans(),
    lock_supported=st.sampled_from([None, True, False]),
    hot_add=st.booleans(),
)


def answers(vm: Vm, model: str) -> dict[str, bool]:
    """Who says of a VM, which has the desired device, that its memory is reserved."""
    made = ObservedEndpoint(
        vms=observed([vm], [HOST]),
        hosts=DesiredPassthrough(devices={}),
        desired_vms=(desired(vm, model, backing="auto"),),
    )
    plans = make_plans(made)
    (devices,) = plans.vms.targets
    (memory,) = plan_memory([vm], {vm.moid: DesiredMemory(state="locked")}).targets
    differences = find_drift(made, plans, Commands(vcenter="vc-01"))
    kinds = {difference.kind for difference in differences}
    (shown,) = report("vc-01", made, plans, differences)["vms"]
    warned = any("its lock reserves" in warning for warning in devices.warnings)
    return {
        "vm_pci_device": not warned
        and all(change.kind != "memory" or change.subject == LIMIT for change in devices.changes),
        "vm_memory_reservation": all(change.subject == LIMIT for change in memory.changes) and not memory.blockers,
        "drift": not kinds & {"memory_not_reserved", "memory_changed"},
        "report of drift": bool(shown["fully_reserved"]),
        "result": memory_result(vm)["fully_reserved"],
    }


@given(memories, st.sampled_from(DEVICES), st.sampled_from(["poweredOn", "poweredOff"]))
@example(LOCK_TAKEN_AWAY, DEVICES[0], "poweredOn")
def test_all_agree_whether_memory_is_reserved(memory: MemoryState, has: tuple[VmDevice, str], power: str) -> None:
    device, model = has
    vm = guest("train-01", device, memory=memory, power_state=power)
    assert answers(vm, model) == dict.fromkeys(answers(vm, model), is_reserved(memory))


@pytest.mark.parametrize(
    ("memory", "reserved", "outdated"),
    [
        (MemoryState(size_mb=8192, reservation_mb=8192, locked_to_max=True), True, False),
        (LOCK_TAKEN_AWAY, False, False),
        (MemoryState(size_mb=8192, reservation_mb=8192, lock_supported=None), False, False),
        (MemoryState(size_mb=8192, reservation_mb=8192, lock_supported=False), True, False),
        (MemoryState(size_mb=8192, reservation_mb=4096, lock_supported=False), False, False),
        (MemoryState(size_mb=8192, reservation_mb=4096, locked_to_max=True), False, True),
        (MemoryState(size_mb=8192), False, False),
    ],
)
def test_the_lock_is_what_keeps_memory_reserved(memory: MemoryState, reserved: bool, outdated: bool) -> None:
    assert is_reserved(memory) is reserved
    assert is_lock_outdated(memory) is outdated
