# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A virtual machine changes hosts: by its owner, by DRS, powered on or off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyVmomi import vim, vmodl

from ...api.takes import not_modelled
from ...core.tasks import Task
from ...rules import faults, maintenance
from ...rules.pci import vgpu
from ...rules.vm import devices as device_rules
from ..cluster import groups as cluster_groups
from ..host import cards as host_cards
from ..host.state import HostState
from . import assigned
from .state import VmState
from .tasks import start

if TYPE_CHECKING:
    from ...core.call import Call


DRS_TRIES_AGAIN = 5.0
"""Seconds until DRS looks for another place after a move failed."""


def check(vm: VmState, destination: HostState) -> None:
    """Raise what stands against the move.

    A running VM with a whole device never moves (message key as logged on 8.0.3). Which fault a powered-off one with
    a fixed backing gives is not published: a knob.
    """
    kinds = vm.device_kinds
    if vm.is_on and any(kind in ("fixed", "dynamic", "sriov") for kind in kinds):
        key, text = device_rules.HOT_ADD_LINES[-1]
        raise faults.vm_config_fault([(key, text)])
    kind = vm.settings.cold_migration_fault
    if "fixed" in kinds and kind != "allowed":
        raise maintenance.device_fault(kind)
    cluster_groups.check(vm, destination)
    if not destination.usable:
        raise faults.invalid_state("The destination host is not available.")
    if vm.datastore is not None and not vm.datastore.is_mounted_on(destination):
        raise vim.fault.CannotAccessFile(file=vm.get("config").files.vmPathName)
    if vm.charged > destination.free_memory:
        raise faults.insufficient_memory(destination.free_memory, vm.charged)
    if vm.is_on and vm.profiles and vgpu.fit(vm.profiles, host_cards.gpus(destination)) is None:
        raise vgpu.insufficient()


def check_elsewhere(vm: VmState, call: Call, *, pool: Any = None, datastore: Any = None) -> None:
    """Raise NotSupported for a move to another pool or datastore; those where the VM is already are no move."""
    here = {"pool": vm.props["resourcePool"], "datastore": vm.datastore.ref if vm.datastore is not None else None}
    for name, asked in (("pool", pool), ("datastore", datastore)):
        if asked is not None and (here[name] is None or asked._moId != here[name]._moId):
            raise not_modelled(f"VirtualMachine.{call.method} to another {name}")


def migrate(vm: VmState, call: Call | None, destination: HostState | None) -> Task:
    """MigrateVM_Task and RelocateVM_Task; without a host nothing moves."""
    source = vm.host
    source.reach()

    def body(task: Task) -> None:
        if destination is None or destination is vm.host:
            return
        check(vm, destination)
        register(vm, destination)
        vm.sim.post_event(
            vim.event.VmMigratedEvent,
            vm,
            message=f"{vm.name} was migrated to {destination.name}",
            call=call,
            host=destination,
            sourceHost=source,
        )

    return start(vm, call, "relocate", body, vm.settings.migrate_seconds)


def by_drs(vm: VmState, destination: HostState) -> None:
    """DRS moves a VM away from a host that enters maintenance mode."""
    vm.moving = True
    source = vm.host

    def body(task: Task) -> None:
        vm.moving = False
        if vm.is_on or not destination.usable:
            try:
                check(vm, destination)
            except vmodl.MethodFault:
                vm.sim.clock.call_later(DRS_TRIES_AGAIN, source.counted)
                raise
        register(vm, destination)
        destination.received_by_drs()
        vm.sim.post_event(
            vim.event.DrsVmMigratedEvent,
            vm,
            message=f"DRS migrated {vm.name} from {source.name} to {destination.name}",
            host=destination,
            sourceHost=source,
        )

    def interrupted(task: Task) -> None:
        vm.moving = False
        vm.sim.clock.call_later(DRS_TRIES_AGAIN, source.counted)

    seconds = vm.settings.migrate_seconds if vm.is_on else 1.0
    vm.sim.start_task(
        None, vm, "Drm.ExecuteVMotionLRO", body, duration=seconds, on_cancel=interrupted, cancelable=False
    )


def register(vm: VmState, destination: HostState) -> None:
    """The VM belongs to another host from now on, and so do its vGPUs while it runs. Raises when the host cannot take them."""
    source = vm.host
    if source is destination:
        return
    shared = vm.is_on and "vgpu" in vm.device_kinds
    if shared:
        assigned.carry_profiles(vm, destination)
    source.set("vm", [ref for ref in source.props["vm"] if ref._moId != vm.moid])
    destination.set("vm", [*destination.props["vm"], vm.ref])
    vm.set("runtime.host", destination.ref)
    if shared or vm.spec.graphics_3d:
        assigned.show_graphics(source)
        assigned.show_graphics(destination)
    source.counted()
    destination.counted()
    if source.entering is not None:
        source.entering.look()
