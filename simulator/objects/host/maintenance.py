# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entering and leaving maintenance mode: who moves, who keeps the task waiting, how it ends."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from pyVmomi import vim, vmodl

from ...core.tasks import PENDING, Task
from ...rules import faults, maintenance
from ...rules.pci import device_modes
from ..cluster import ha as cluster_ha
from ..cluster.state import ClusterState
from ..vm import agents, evacuated
from ..vm.state import VmState
from . import cards as host_cards
from .state import HostState

if TYPE_CHECKING:
    from ...core.call import Call
    from ...core.clock import Timer


VSAN_ACTIONS = ("ensureObjectAccessibility", "evacuateAllData", "noAction")
"""HostVsanDecommissionMode.objectAction; the first is what vCenter takes when nothing is said (API reference)."""


class Entering:
    """One EnterMaintenanceMode that has begun. `look` is called whenever something on the host changed.

    ``done`` is called at the end; ``seconds`` is what the host needs once nothing runs on it.
    """

    def __init__(
        self, host: HostState, task: Task, *, powered_off: bool, done: Callable[[], None], seconds: float
    ) -> None:
        self.host = host
        self.task = task
        self.powered_off = powered_off
        self.done = done
        self.seconds = seconds
        self.deadline: Timer | None = None
        self.finish: Timer | None = None

    def look(self) -> None:
        """Start the moves that are due; begin to finish once nothing runs here."""
        host = self.host
        if host.entering is not self:
            return
        if any(not vm.moving and (vm.is_on or self.powered_off) for vm in host.vms):
            for moid, destination in planned_moves(host, powered_off=self.powered_off).items():
                vm = host.sim.obj(moid)
                if not vm.moving:
                    vm.move_by_drs(host.sim.obj(destination))
        agents.leave(host)
        evacuated.leave(host)
        if maintenance.is_done(resident(vm) for vm in host.vms):
            if self.finish is None:
                self.finish = host.sim.clock.call_later(self.seconds, self._finish)
        else:
            self.task.progress(host.settings.maintenance_stuck_progress)

    def _finish(self) -> None:
        self.finish = None
        if self.host.entering is not self:
            return
        if not maintenance.is_done(resident(vm) for vm in self.host.vms):
            return
        self.stop(tell=False)  # not before it is in maintenance mode: in between it would look usable
        self.done()
        self.host.counted()
        self.task.succeed()

    def expire(self) -> None:
        """The timeout is over: the host stays as it is, out of maintenance mode."""
        self.stop()
        if str(self.host.props["runtime"].standbyMode) == "entering":
            self.host.set("runtime.standbyMode", "none")
        self.task.fail(vim.fault.Timedout(msg="Operation timed out."))

    def stop(self, *, tell: bool = True) -> None:
        """Forget about it: done, cancelled, timed out, or the host went away."""
        for timer in (self.deadline, self.finish):
            if timer is not None:
                timer.cancel()
        if self.host.entering is self:
            self.host.entering = None
            if tell:
                self.host.counted()


def _place(host: HostState) -> str:
    datacenter = next((node for node in host.ancestors() if isinstance(node.ref, vim.Datacenter)), None)
    return datacenter.name if datacenter is not None else "ha-datacenter"


def resident(vm: VmState) -> maintenance.Resident:
    """A VM as the rules see it."""
    return maintenance.Resident(
        moid=vm.moid,
        name=vm.name,
        powered_on=vm.is_on,
        devices=vm.device_kinds,
        automation=vm.automation,
        memory=vm.charged,
        store=vm.datastore.moid if vm.datastore is not None else "",
        media=vm.host_media,
        profiles=vm.profiles,
        evacuation=evacuated.way(vm) if vm.is_on else "",
    )


def cluster_of(host: HostState, *, but: Collection[HostState] = ()) -> maintenance.Cluster:
    """The cluster around a host as the rules see it; a standalone host has none to help. ``but``: nor do these."""

    parent = host.up
    if not isinstance(parent, ClusterState):
        return maintenance.Cluster(drs=False, targets=())
    targets = [
        maintenance.Target(
            moid=other.moid,
            usable=other.usable,
            free_memory=other.free_memory,
            stores=other.reachable_stores,
            gpus=host_cards.gpus(other),
        )
        for other in parent.hosts
        if other is not host and other not in but
    ]
    return maintenance.Cluster(
        drs=parent.drs_enabled,
        targets=targets,
        admitted=cluster_ha.admits_without(parent, host),
        vgpu=parent.moves_vgpu,
    )


def planned_moves(host: HostState, *, powered_off: bool) -> dict[str, str]:
    """VM -> destination of what DRS would take away now."""
    return maintenance.moves(
        [resident(vm) for vm in host.vms], cluster_of(host), powered_off=powered_off, knobs=host.settings
    )


def enter(host: HostState, call: Call, timeout: int, powered_off: bool, spec: Any = None) -> Task:
    """Start the task; it ends when nothing runs here, at the timeout, or when it is cancelled."""
    host.reach()
    action = str(spec.vsanMode.objectAction) if spec is not None and spec.vsanMode is not None else ""
    if action not in ("", *VSAN_ACTIONS):
        raise faults.invalid_argument("maintenanceSpec.vsanMode.objectAction")

    def done() -> None:
        host.set("runtime.inMaintenanceMode", True)
        host.vsan_action = (action or VSAN_ACTIONS[0]) if host.spec.vsan else ""
        host.sim.post_event(
            vim.event.EnteredMaintenanceModeEvent,
            host,
            message=f"Host {host.name} in {_place(host)} has entered maintenance mode",
            call=call,
        )

    def body(task: Task) -> Any:
        maintenance.check_enter(host.in_maintenance or host.entering is not None)
        seconds = host.settings.maintenance_seconds
        if host.spec.vsan and action == "evacuateAllData":
            seconds += host.settings.vsan_data_move_seconds
        entering = Entering(host, task, powered_off=powered_off, done=done, seconds=seconds)
        host.entering = entering
        host.counted()
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


def leave(host: HostState, call: Call, timeout: int) -> Task:
    """Start the task of ExitMaintenanceMode; no timeout at 0 and below (API reference)."""
    host.reach()

    def body(task: Task) -> Any:
        maintenance.check_exit(host.in_maintenance)
        if host.since_boot < host.settings.exit_refused_seconds:
            raise vmodl.fault.HostCommunication(msg="The host's services do not answer yet.")
        seconds = host.settings.exit_maintenance_seconds
        if 0 < timeout < seconds:
            host.sim.clock.call_later(timeout, lambda: task.fail(vim.fault.Timedout()))
        else:
            host.sim.clock.call_later(seconds, lambda: finish(task))
        return PENDING

    def finish(task: Task) -> None:
        host.set("runtime.inMaintenanceMode", False)
        _modes_take_effect(host)
        host.sim.post_event(
            vim.event.ExitMaintenanceModeEvent,
            host,
            message=f"Host {host.name} in {_place(host)} has exited maintenance mode",
            call=call,
        )
        agents.come_back(host)
        evacuated.come_back(host)
        task.succeed()

    return host.sim.start_task(call, host, "HostSystem.exitMaintenanceMode", body, duration=0.0)


def abandon(host: HostState) -> None:
    """The host went away: a task that waits for it fails."""
    if host.entering is not None:
        task = host.entering.task
        host.entering.stop()
        task.fail(faults.invalid_state("The host went away."))


def _modes_take_effect(host: HostState) -> None:
    """Device modes that waited for maintenance mode are in effect."""
    after = {address: device_modes.settled(state, "maintenance") for address, state in host.pci.items()}
    if after != host.pci:
        host.pci = after
        host.publish()
