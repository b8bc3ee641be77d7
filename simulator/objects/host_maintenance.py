# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entering and leaving maintenance mode: who moves, who keeps the task waiting, how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyVmomi import vim

from ..rules import faults, maintenance
from ..tasks import PENDING, Task

if TYPE_CHECKING:
    from ..clock import Timer
    from ..dispatch import Call
    from .host import HostSystem
    from .vm import VirtualMachine


class Entering:
    """One EnterMaintenanceMode that has begun. `look` is called whenever something on the host changed."""

    def __init__(self, host: HostSystem, task: Task, *, powered_off: bool) -> None:
        self.host = host
        self.task = task
        self.powered_off = powered_off
        self.deadline: Timer | None = None
        self.finish: Timer | None = None

    def look(self) -> None:
        """Start the moves that are due; begin to finish once nothing runs here."""
        host = self.host
        if host.entering is not self:
            return
        for moid, destination in planned_moves(host, powered_off=self.powered_off).items():
            vm = host.sim.obj(moid)
            if not vm.moving:
                vm.move_by_drs(host.sim.obj(destination))
        if maintenance.is_done(resident(vm) for vm in host.vms):
            if self.finish is None:
                self.finish = host.sim.clock.call_later(host.settings.maintenance_seconds, self._finish)
        else:
            self.task.progress(host.settings.maintenance_stuck_progress)

    def _finish(self) -> None:
        self.finish = None
        if self.host.entering is not self:
            return
        if not maintenance.is_done(resident(vm) for vm in self.host.vms):
            return
        self.stop()
        self.host.set("runtime.inMaintenanceMode", True)
        self.host.sim.post_event(
            vim.event.EnteredMaintenanceModeEvent,
            self.host,
            message=f"Host {self.host.name} in {_place(self.host)} has entered maintenance mode",
        )
        self.task.succeed()

    def expire(self) -> None:
        """The timeout is over: the host stays as it is, out of maintenance mode."""
        self.stop()
        self.task.fail(vim.fault.Timedout(msg="Operation timed out."))

    def stop(self, task: Task | None = None) -> None:
        """Forget about it: done, cancelled, timed out, or the host went away."""
        for timer in (self.deadline, self.finish):
            if timer is not None:
                timer.cancel()
        if self.host.entering is self:
            self.host.entering = None


def _place(host: HostSystem) -> str:
    datacenter = next((node for node in host.ancestors() if isinstance(node.ref, vim.Datacenter)), None)
    return datacenter.name if datacenter is not None else "ha-datacenter"


def resident(vm: VirtualMachine) -> maintenance.Resident:
    """A VM as the rules see it."""
    return maintenance.Resident(
        moid=vm.moid,
        name=vm.name,
        powered_on=vm.is_on,
        devices=vm.device_kinds,
        automation=vm.automation,
        memory=vm.charged,
    )


def cluster_of(host: HostSystem) -> maintenance.Cluster:
    """The cluster around a host as the rules see it; a standalone host has none to help."""
    from .cluster import ClusterComputeResource

    parent = host.up
    if not isinstance(parent, ClusterComputeResource):
        return maintenance.Cluster(drs=False, failover_hosts=0, targets=())
    targets = [
        maintenance.Target(moid=other.moid, usable=other.usable, free_memory=other.free_memory)
        for other in parent.hosts
        if other is not host
    ]
    return maintenance.Cluster(drs=parent.drs_enabled, failover_hosts=parent.failover_hosts, targets=targets)


def planned_moves(host: HostSystem, *, powered_off: bool) -> dict[str, str]:
    """VM -> destination of what DRS would take away now."""
    return maintenance.moves(
        [resident(vm) for vm in host.vms], cluster_of(host), powered_off=powered_off, knobs=host.settings
    )


def enter(host: HostSystem, call: Call, timeout: int, powered_off: bool) -> Task:
    """Start the task; it ends when nothing runs here, at the timeout, or when it is cancelled."""
    host.reach()

    def body(task: Task) -> Any:
        maintenance.check_enter(host.in_maintenance or host.entering is not None)
        entering = Entering(host, task, powered_off=powered_off)
        host.entering = entering
        if maintenance.deadline(0.0, timeout) is not None:
            entering.deadline = host.sim.clock.call_later(timeout, entering.expire)
        host.sim.post_event(
            vim.event.EnteringMaintenanceModeEvent,
            host,
            message=f"Host {host.name} in {_place(host)} has started to enter maintenance mode",
            call=call,
        )
        entering.look()
        return PENDING

    def cancel(task: Task) -> None:
        if host.entering is not None and host.entering.task is task:
            host.entering.stop()

    return host.sim.start_task(call, host, "HostSystem.enterMaintenanceMode", body, duration=0.0, on_cancel=cancel)


def leave(host: HostSystem, call: Call) -> Task:
    """Start the task of ExitMaintenanceMode."""
    host.reach()

    def body(task: Task) -> Any:
        maintenance.check_exit(host.in_maintenance)
        host.sim.clock.call_later(host.settings.exit_maintenance_seconds, lambda: finish(task))
        return PENDING

    def finish(task: Task) -> None:
        host.set("runtime.inMaintenanceMode", False)
        host.sim.post_event(
            vim.event.ExitMaintenanceModeEvent,
            host,
            message=f"Host {host.name} in {_place(host)} has exited maintenance mode",
            call=call,
        )
        task.succeed()

    return host.sim.start_task(call, host, "HostSystem.exitMaintenanceMode", body, duration=0.0)


def check_operation(host: HostSystem, operation: str) -> None:
    """Raise InvalidState for VM operations the host refuses while it enters or is in maintenance mode."""
    maintenance.check_operation(host.entering is not None, host.in_maintenance, operation)


def abandon(host: HostSystem) -> None:
    """The host went away: a task that waits for it fails."""
    if host.entering is not None:
        task = host.entering.task
        host.entering.stop()
        task.fail(faults.invalid_state("The host went away."))
