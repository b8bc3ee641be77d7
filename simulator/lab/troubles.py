# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events that get in the way of a long job: alarms, lost datastores and links, other people, a vCenter that restarts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from pyVmomi import vim

from ..core.accounts import Peer, Session, User
from ..core.base import Entity
from ..core.call import Call
from ..core.tasks import Task
from ..endpoint import SimulatedEndpoint
from ..objects.cluster.cluster import ClusterComputeResource
from ..objects.cluster.state import VsanState
from ..objects.host import standby, virtual_functions
from ..objects.host.host import HostSystem
from ..objects.vm import move as vm_move
from ..objects.vm.vm import VirtualMachine
from ..rules import faults
from ..vapi.tags import Refusal
from . import values
from .hardware import cards as hardware
from .hardware.cards import LabError
from .hardware.catalogue import CARDS

STATES = ("ok", "inaccessible", "missing")


class Troubles:
    """Holds the simulator the events happen to."""

    def __init__(self, sim: SimulatedEndpoint) -> None:
        self._sim = sim

    def _host(self, name: str) -> HostSystem:
        return self._named(HostSystem, name)  # type: ignore[no-any-return]

    def _vm(self, name: str) -> VirtualMachine:
        return self._named(VirtualMachine, name)  # type: ignore[no-any-return]

    def _named(self, kind: type[Any], name: str) -> Any:
        found = [item for item in self._sim.registry.all(kind) if name == item.moid or item.is_named(name)]
        if len(found) != 1:
            raise LabError(f"{len(found)} objects of type {kind.__name__} are named {name!r}")
        return found[0]

    def _operator(self, user: str, obj: Entity) -> Call:
        """A call of another client than the one under test. An account the lab lacks may do everything."""
        now = self._sim.clock.now()
        account = self._sim.authz.user(user) or User(name=user, password="", role="Admin")
        session = Session(key="", user=account, address="", user_agent="", login_time=now, last_active=now)
        return Call(sim=self._sim, peer=Peer(), session=session, version=self._sim.api_version, method="", obj=obj)

    # -- alarms -----------------------------------------------------------------------------------------------

    def set_alarm(self, on: str, alarm: str, status: str = "red", acknowledged: bool = False) -> None:
        """An alarm on a host, VM, cluster or other object (`on`) turns red or yellow, or ends (green)."""
        if status not in ("red", "yellow", "green"):
            raise LabError(f"an alarm is red, yellow or green, not {status!r}")
        self._alarms().trigger(self._named(Entity, on), alarm, status, acknowledged=acknowledged)

    def acknowledge_alarm(self, on: str, alarm: str, user: str = "somebody") -> None:
        """A user acknowledges an alarm; its status does not change."""
        try:
            self._alarms().acknowledge(self._named(Entity, on), alarm, user)
        except vim.fault.NotFound:
            raise LabError(f"alarm {alarm!r} is not triggered on {on}") from None

    def _alarms(self) -> Any:
        alarms = self._sim.services.alarms
        if alarms is None:
            raise LabError("an ESXi host has no alarms")
        return alarms

    # -- what a host loses ------------------------------------------------------------------------------------

    def set_link(self, host: str, vmnic: str, up: bool, at_boot: bool = False) -> None:
        """A link of a host goes down or up, now or from its next boot."""
        target = self._host(host)
        if vmnic not in [nic.device for nic in target.spec.nics]:
            raise LabError(f"{host} has no {vmnic}")

        def change() -> None:
            target.links_down = target.links_down - {vmnic} if up else target.links_down | {vmnic}

        self._now_or_at_boot(target, change, at_boot)

    def set_datastore(self, host: str, datastore: str, state: str, at_boot: bool = False) -> None:
        """A host sees a datastore (`ok`), cannot read it (`inaccessible`), or does not see it (`missing`), now or from its next boot."""
        target = self._host(host)
        if state not in STATES:
            raise LabError(f"state is one of {', '.join(STATES)}, not {state!r}")
        known = {mount.volume.name for mount in target.volumes().mountInfo} | target.lost_stores
        if datastore not in known:
            raise LabError(f"{host} does not mount {datastore!r}")

        def change() -> None:
            target.lost_stores = target.lost_stores - {datastore} | ({datastore} if state == "missing" else set())
            bad = {datastore} if state == "inaccessible" else set()
            target.unreadable_stores = target.unreadable_stores - {datastore} | bad

        self._now_or_at_boot(target, change, at_boot)

    def _now_or_at_boot(self, host: HostSystem, change: Callable[[], None], at_boot: bool) -> None:
        if at_boot:
            host.at_boot.append(change)
            return
        change()
        host.looks_again()

    def step_clock(self, host: str, seconds: float) -> None:
        """The clock of a host is set: its boot time changes by this number of seconds, although it did not boot; its uptime does not."""
        target = self._host(host)
        target.clock_ahead += timedelta(seconds=seconds)
        target.boot_time += timedelta(seconds=seconds)
        if target.connection == "connected":
            target.set("runtime.bootTime", target.boot_time)

    def swap_card(self, host: str, address: str, card: str) -> None:
        """From the next boot another card is at this address; it gets the settings of the address."""
        target = self._host(host)
        if card not in CARDS:
            raise LabError(f"card {card!r} is unknown; the catalogue has {', '.join(sorted(CARDS))}")
        functions = list(target.next_functions or virtual_functions.hardware(target.spec.layout.functions.values()))
        gone = next((item for item in functions if item.address == address), None)
        if gone is None:
            raise LabError(f"{host} has no device at {address}")
        left = [item for item in functions if item.card != gone.card]
        placed = hardware.placed([{"card": card, "at": address}])
        spec = target.spec
        fresh = hardware.layout(placed, cpu=spec.cpu, numa_nodes=spec.numa_nodes, iommu=spec.iommu, beside=left)
        used = {item.address for item in left}
        target.next_functions = [*left, *(item for item in fresh.functions.values() if item.address not in used)]

    def set_quarantine(self, host: str, on: bool) -> None:
        """Proactive HA puts a host into quarantine mode, or ends it."""
        self._host(host).set("runtime.inQuarantineMode", on)

    def set_standby(self, host: str, on: bool) -> None:
        """Power management puts a host without running VMs into standby at once, or powers it on again."""
        target = self._host(host)
        if on:
            standby.to_standby(target)
        else:
            standby.leave(target, None)

    # -- vSAN -------------------------------------------------------------------------------------------------

    def set_vsan(
        self, cluster: str, resync_gb: float = 0.0, objects: int = 1, inaccessible: int = 0, degraded: int = 0
    ) -> None:
        """Set the state of a vSAN cluster: data and objects to resynchronize, inaccessible objects, and objects without redundancy."""
        target = self._named(ClusterComputeResource, cluster)
        target.vsan_state = VsanState(
            resync=int(resync_gb * 1024**3),
            objects=objects if resync_gb else 0,
            inaccessible=inaccessible,
            degraded=degraded,
        )

    # -- other people -----------------------------------------------------------------------------------------

    def run_task(self, on: str, task: str, seconds: float = 600.0, user: str = "system") -> str:
        """A task of another user (`task` is its descriptionId) runs on an object for this number of seconds; returns its id.

        For a lifecycle manager that remediates a cluster: `com.vmware.vcIntegrity.RemediateTask` on the cluster.
        """
        target = self._named(Entity, on)
        call = None if user == "system" else self._operator(user, target)
        return self._sim.start_task(call, target, task, lambda item: None, duration=seconds, cancelable=True).moid

    def end_task(self, task: str) -> None:
        """A task that `run_task` started ends."""
        found = self._sim.registry.find(task)
        if not isinstance(found, Task):
            raise LabError(f"no task {task!r}")
        found.succeed()

    def enter_maintenance(self, host: str, user: str, timeout: int = 0) -> str:
        """Another user puts a host into maintenance mode; returns the task's id."""
        target = self._host(host)
        return target.EnterMaintenanceMode_Task(self._operator(user, target), timeout, False).moid

    def exit_maintenance(self, host: str, user: str) -> str:
        """Another user takes a host out of maintenance mode; returns the task's id."""
        target = self._host(host)
        return target.ExitMaintenanceMode_Task(self._operator(user, target), 0).moid

    def cancel_entering(self, host: str, user: str) -> None:
        """Another user cancels the task that puts a host into maintenance mode."""
        target = self._host(host)
        if target.entering is None:
            raise LabError(f"{host} is not entering maintenance mode")
        target.entering.task.CancelTask(self._operator(user, target))

    def reboot_host(self, host: str, user: str, force: bool = False) -> str:
        """Another user reboots a host; returns the task's id."""
        target = self._host(host)
        return target.RebootHost_Task(self._operator(user, target), force).moid

    def move_vm(self, vm: str, host: str) -> None:
        """Another user moves a VM to another host at once; most constraints are not checked."""
        try:
            vm_move.register(self._vm(vm), self._host(host))
        except vim.fault.InsufficientGraphicsResourcesFault as fault:
            raise LabError(f"{vm} cannot run on {host}: {fault.msg}") from None

    def set_custom_value(self, on: str, attribute: str, value: str) -> None:
        """A user sets a custom attribute of an object (created if it does not exist)."""
        values.put(self._sim, self._named(Entity, on), attribute, value)

    def set_tag(self, on: str, tag: str, attached: bool = True) -> None:
        """A user attaches a tag (`Category/name`, created if it does not exist) to an object, or detaches it."""
        if self._sim.kind != "vcenter":
            raise LabError("an ESXi host has no tags")
        target, tags = self._named(Entity, on), self._sim.tags
        try:
            tags.attach(tag, target) if attached else tags.detach(tag, target)
        except Refusal as refusal:
            raise LabError(f"{on}: tag {tag}: {refusal}") from None

    # -- the endpoint itself ----------------------------------------------------------------------------------

    def end_sessions(self) -> None:
        """Every session ends, as after the idle timeout or when an administrator ends it."""
        self._sim.sessions.close_all()

    def step_vcenter_clock(self, seconds: float) -> None:
        """The clock of vCenter (or of an ESXi host that is asked itself) is set forward, or back (below 0), by this number of seconds.

        Times of tasks, events and sessions follow; boot times of hosts do not, as they are by the clocks of the hosts.
        """
        self._sim.clock.step(seconds)

    def remove_host(self, host: str) -> None:
        """A user removes a host from the inventory: its VMs leave the inventory with it. The host itself runs on."""
        target = self._host(host)
        for vm in list(target.vms):
            self._sim.remove(vm)
        self._sim.remove(target)

    def remove_vm(self, vm: str) -> None:
        """A user removes a VM from the inventory; its files stay."""
        self._sim.remove(self._vm(vm))

    def set_role(self, role: str, privileges: list[str], granted: bool) -> None:
        """A user grants privileges to a role that the lab defines, or takes them from it."""
        known = self._sim.authz.roles.get(role)
        if known is None:
            raise LabError(f"role {role!r} is unknown")
        if known.privileges is None:
            raise LabError(f"role {role!r} has all privileges, and keeps them")
        changed = set(known.privileges) | set(privileges) if granted else set(known.privileges) - set(privileges)
        self._sim.authz.roles[role] = dataclasses.replace(known, privileges=frozenset(changed))

    def restart_vcenter(self, seconds: float = 120.0, answer: str = "refuse", tasks: str = "fail") -> None:
        """The vCenter service restarts and is down for some seconds. Sessions, filters and views are lost; tasks fail or are kept.

        During this time, connections are refused (`refuse`), dropped after the handshake (`drop`) or answered with `503`.
        """
        if tasks not in ("fail", "keep"):
            raise LabError(f"tasks is fail or keep, not {tasks!r}")
        if answer not in ("refuse", "drop", "503"):
            raise LabError(f"answer is refuse, drop or 503, not {answer!r}")
        self._sim.go_offline(answer)
        if tasks == "fail":
            for task in self._sim.registry.all(Task):
                if task.running:
                    self._interrupt(task)
        self._sim.clock.call_later(seconds, self._sim.go_online)

    def _interrupt(self, task: Task) -> None:
        if task.on_cancel is not None:
            task.on_cancel(task)
        task.fail(faults.invalid_state("The task was interrupted because vCenter Server was restarted."))
