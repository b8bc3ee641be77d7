# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshots, as far as passthrough cares: one line of them, and none of a running VM with a passthrough device."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pyVmomi import vim

from ...api import data
from ...api.takes import takes
from ...core.base import ManagedObject
from ...core.tasks import Task
from ...rules import maintenance
from .state import VmState
from .tasks import start

if TYPE_CHECKING:
    from ...core.call import Call


class VirtualMachineSnapshot(ManagedObject):
    """One snapshot of a VM."""

    vim_type = vim.vm.Snapshot
    id_prefix = "snapshot"
    owner: VmState
    label: tuple[str, str, datetime, str]

    @takes("removeChildren", "consolidate=true")
    def RemoveSnapshot_Task(self, call: Call, removeChildren: bool, consolidate: Any = None) -> Task:
        """This one, and those made after it when asked."""
        vm = self.owner

        def body(task: Task) -> None:
            chain = _chain(vm)
            where = [item.moid for item in chain].index(self.moid)
            gone = chain[where:] if removeChildren else [self]
            _store(vm, [item for item in chain if item not in gone])
            for item in gone:
                vm.sim.remove(item)

        return vm.sim.start_task(call, vm, "VirtualMachine.removeSnapshot", body, duration=1.0)


def _chain(vm: VmState) -> list[VirtualMachineSnapshot]:
    """Snapshots from the oldest on."""
    found: list[VirtualMachineSnapshot] = [
        item for item in vm.sim.registry.all(VirtualMachineSnapshot) if item.owner is vm
    ]
    return found


def take_now(vm: VmState, name: str, description: str = "") -> VirtualMachineSnapshot:
    """Make a snapshot without a task."""
    made = VirtualMachineSnapshot(
        vm.sim, value=None, availableField=None, config=vm.get("config"), childSnapshot=[], vm=vm.ref
    )
    made.label = (name, description, vm.sim.clock.now(), vm.power)
    vm.sim.add(made, owner=vm)
    _store(vm, _chain(vm))
    return made


def _store(vm: VmState, chain: list[VirtualMachineSnapshot]) -> None:
    tree: Any = None
    for number, item in reversed(list(enumerate(chain, start=1))):
        name, description, when, state = item.label
        tree = data.new(
            vim.vm.SnapshotTree,
            snapshot=item.ref,
            vm=vm.ref,
            name=name,
            description=description,
            id=number,
            createTime=when,
            state=state,
            quiesced=False,
            childSnapshotList=[tree] if tree is not None else [],
        )
    if tree is None:
        vm.update({"snapshot": None, "rootSnapshot": []})
        return
    info = data.new(vim.vm.SnapshotInfo, currentSnapshot=chain[-1].ref, rootSnapshotList=[tree])
    vm.update({"snapshot": info, "rootSnapshot": [chain[0].ref]})


def create(vm: VmState, call: Call, name: str, description: str, *, memory: bool) -> Task:
    """CreateSnapshot_Task: SnapshotIncompatibleDeviceInVm for a running VM with a passthrough device (API reference)."""

    def body(task: Task) -> Any:
        if vm.is_on and any(kind in ("fixed", "dynamic", "sriov") for kind in vm.device_kinds):
            raise vim.fault.SnapshotIncompatibleDeviceInVm(fault=maintenance.device_fault("device_not_supported"))
        return take_now(vm, name, description)

    return start(vm, call, "createSnapshot", body, 1.0)


def remove_all(vm: VmState, call: Call) -> Task:
    """RemoveAllSnapshots_Task."""

    def body(task: Task) -> None:
        gone = _chain(vm)
        _store(vm, [])
        for item in gone:
            vm.sim.remove(item)

    return start(vm, call, "removeAllSnapshots", body, 1.0)
