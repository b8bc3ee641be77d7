# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stopping the VMs that cannot be migrated, and starting them again. PRIVATE to the collection.

The journal entry of a VM is written before the VM is stopped, and removed only when it runs again. Any run that finds an entry must
start the VM.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from ..state.actions import Action
from ..state.fleet_index import FleetIndex, earliest, next_call_at
from ..state.journal import VmEntry
from ..state.observed import HostView, VmView
from ..state.pinned import is_powered_off_by_vcenter, pin_reason, pinned_vms

START_CALLS = 4
"""After this number of calls without effect, an administrator must start the VM."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Guests:
    """The next actions for the VMs of a host. ``left``: VMs that are not yet in the intended state; ``give_up``: (code, sentence) when
    this cannot be reached."""

    actions: tuple[Action, ...] = ()
    left: tuple[VmView, ...] = ()
    reason: str = ""
    wake: float | None = None
    give_up: tuple[str, str] | None = None


def stop(fleet: FleetIndex, view: HostView) -> Guests:
    """Stop the pinned VMs, one rank after another, when no other VM runs there. So they are down for as short as possible."""
    cluster = fleet.cluster_of(view)
    running = [vm for vm in fleet.residents.get(view.moid, ()) if vm.is_on]
    moving = sorted((vm for vm in running if not vm.agent and not pin_reason(vm, cluster)), key=_by_name)
    pinned = pinned_vms(running, cluster)
    # Some agents leave only when nothing else runs on the host, so the pinned VMs are stopped without waiting for them.
    agents = sorted((vm for vm in running if vm.agent), key=_by_name)
    left = (*moving, *pinned, *agents)
    rule = fleet.policy.pinned
    refused = [vm for vm in pinned if vm.never_stop or rule.action == "fail"]
    if refused:
        sentence = f"{_names(refused)} cannot be migrated, and must not be stopped"
        return Guests(left=left, give_up=("pinned_vms", sentence))
    if moving:
        return Guests(left=left, reason=f"{_names(moving)} to be migrated")
    if not pinned:
        return Guests(left=left, reason=f"{_names(agents)} to be stopped by vCenter") if agents else Guests()
    first = [vm for vm in pinned if vm.order == pinned[0].order]
    return _together([_stop_one(fleet, view, vm) for vm in first], left, f"{_names(first)} to shut down")


def stop_early(fleet: FleetIndex, view: HostView) -> Guests:
    """Before the host is evacuated: shut down the VMs that vCenter would power off then, without their guest, and those in front of them
    in the stop order. ``left`` is empty when this is done."""
    cluster = fleet.cluster_of(view)
    pinned = pinned_vms(fleet.residents.get(view.moid, ()), cluster)
    if not any(is_powered_off_by_vcenter(vm, cluster) for vm in pinned):
        return Guests()
    first = [vm for vm in pinned if vm.order == pinned[0].order]
    return _together([_stop_one(fleet, view, vm) for vm in first], pinned, f"{_names(first)} to shut down")


def _stop_one(fleet: FleetIndex, view: HostView, vm: VmView) -> Guests:
    now, limits = fleet.now, fleet.policy.deadlines
    forces = fleet.policy.pinned.action == "shutdown_then_power_off"
    entry = vm.entry
    if entry is None or not _is_of_this_drain(fleet, view, entry):
        entry = VmEntry(
            run_id=fleet.observed.run_id,
            host=view.moid,
            step="stop",
            at=now,
            purpose=fleet.policy.purpose,
            rank=vm.order,
        )
    end = fleet.end_of(view, entry.at, limits.stop_vm)
    force = forces and (entry.forced or now >= end or (vm.tools_known and not vm.tools_running))
    if vm.refusal is not None and vm.refusal.kind != "start_vm" and vm.refusal.code == "no_permission":
        text = f"this account may not stop and start {vm.name} ({vm.refusal.text})"
        return Guests(give_up=("vm_not_stopped", text))
    if not forces and now >= end:
        text = f"{vm.name} did not shut down within {limits.stop_vm:.0f} seconds{answered(vm, 'stop_vm')}"
        return Guests(give_up=("vm_not_stopped", text))
    kind = "power_off_vm" if force else "stop_vm"
    fresh = entry.calls == 0 or (force and not entry.forced)
    due = now if fresh else next_call_at(kind, entry.called, limits.retry, vm.under_way, vm.refusal)
    if due is None or now < due:
        return Guests(wake=earliest(due, end if not entry.forced else None))
    entry = replace(entry, calls=entry.calls + 1, called=now, forced=force)
    how = "its guest did not shut down" if force else f"{pin_reason(vm, fleet.cluster_of(view))}"
    action = Action(
        kind="power_off_vm" if force else "stop_vm",
        target=vm.moid,
        name=vm.name,
        reason=how,
        entry=entry,
        host_moid=view.moid,
        timeout=limits.stop_vm,
    )
    return Guests(actions=(action,))


def mark_powered_off(fleet: FleetIndex, view: HostView) -> tuple[Action, ...]:
    """VMs that vCenter powered off to evacuate the host count as stopped by this run: they are recorded, and powered on again."""
    marked = []
    for vm in fleet.residents.get(view.moid, ()):
        if vm.is_on or vm.entry is not None or vm.powered_off is None or vm.powered_off.by != "vcenter":
            continue
        due = next_call_at("mark_vm", 0.0, fleet.policy.deadlines.retry, vm.under_way, vm.refusal)
        if due is None or fleet.now < due:
            continue  # its journal could not be written a moment ago; the host does not wait for it
        entry = VmEntry(
            run_id=fleet.observed.run_id,
            host=view.moid,
            step="stop",
            at=fleet.now,
            purpose=fleet.policy.purpose,
            rank=vm.order,
            calls=1,
            called=fleet.now,
            forced=True,
        )
        reason = "vCenter powered it off to evacuate its host"
        marked.append(
            Action(kind="mark_vm", target=vm.moid, name=vm.name, reason=reason, entry=entry, host_moid=view.moid)
        )
    return tuple(marked)


def _is_of_this_drain(fleet: FleetIndex, view: HostView, entry: VmEntry) -> bool:
    begun = view.entry.started if view.entry is not None else fleet.now
    return (entry.step, entry.host, entry.run_id) == ("stop", view.moid, fleet.observed.run_id) and entry.at >= begun


def unsettled(fleet: FleetIndex, view: HostView) -> tuple[VmView, ...]:
    """VMs for which the host stays in progress. VMs that were not stopped after all are only watched for a while."""
    return tuple(
        vm for vm in fleet.stopped_vms.get(view.moid, ()) if not (vm.is_on and vm.entry and vm.entry.step == "stop")
    )


def restore(fleet: FleetIndex, view: HostView) -> Guests:
    """Start the VMs that were stopped for a host that is back in service, in reverse order. Each rank waits for the previous one."""
    stopped_vms = sorted(fleet.stopped_vms.get(view.moid, ()), key=_latest_first)
    hopeless: list[VmView] = []
    for _unused, rank in groupby(stopped_vms, key=lambda vm: vm.entry.rank if vm.entry else 0):
        vms = list(rank)
        parts = _fixed_first(vms, [_start_one(fleet, view, vm) for vm in vms])
        hopeless += [vm for vm, part in zip(vms, parts, strict=True) if part.give_up]
        going = [part for part in parts if not part.give_up]
        if going:
            left = tuple(vm for vm in stopped_vms)
            return _together(going, left, f"{_names(vms)} to start")
    if not hopeless:
        return Guests()
    sentence = f"{_names(hopeless)} did not start; see the tasks of these VMs"
    return Guests(left=tuple(hopeless), reason=sentence, give_up=("vm_not_started", sentence))


def _fixed_first(vms: Sequence[VmView], parts: Sequence[Guests]) -> list[Guests]:
    """VMs with dynamic devices wait until those with fixed devices run: vCenter would give them any free card, even one that belongs to
    a VM that is powered off."""
    pairs = list(zip(vms, parts, strict=True))
    if not any(vm.fixed and not vm.is_on and not part.give_up for vm, part in pairs):
        return list(parts)
    return [Guests() if vm.devices and not (vm.fixed or vm.is_on or part.give_up) else part for vm, part in pairs]


def answered(vm: VmView, kind: str) -> str:
    """The error of the last call of that kind, in parentheses, to append to a sentence; empty if it was not rejected."""
    return f" ({vm.refusal.text})" if vm.refusal is not None and vm.refusal.kind == kind else ""


def _latest_first(vm: VmView) -> tuple[int, str, str]:
    return (-vm.entry.rank if vm.entry else 0, vm.name, vm.moid)


def _start_one(fleet: FleetIndex, view: HostView, vm: VmView) -> Guests:
    entry = vm.entry
    if entry is None:
        return Guests()
    return _running(fleet, view, vm, entry) if vm.is_on else _off(fleet, view, vm, entry)


def _running(fleet: FleetIndex, view: HostView, vm: VmView, entry: VmEntry) -> Guests:
    """The entry is removed when it is certain that the VM stays on: a requested shutdown may still happen."""
    now, limits = fleet.now, fleet.policy.deadlines
    if entry.step == "stop":
        was_off = _was_off(view, entry)
        # Not by the journal alone: if vCenter's clock was set while no run worked, the time would seem to be over.
        until = now if was_off else fleet.end_of(view, entry.called, limits.watch_vm)
        what = "is running: it was not stopped after all"
    else:
        waits = fleet.policy.pinned.wait_for_tools and vm.has_tools and not vm.tools_running
        until = entry.called + limits.start_vm if waits else now
        what = (
            "is running again"
            if not waits
            else f"is running; VMware Tools did not report within {limits.start_vm:.0f} seconds"
        )
    if now < until:
        return Guests(wake=until)
    return Guests(actions=(Action(kind="forget_vm", target=vm.moid, name=vm.name, reason=f"it {what}"),))


def _was_off(view: HostView, entry: VmEntry) -> bool:
    """The host was rebooted, or entered maintenance mode, after the VM was asked to shut down."""
    host = view.entry
    if host is None:
        return False
    if host.purpose == "maintenance":
        return host.drained is not None
    return host.asked is not None and host.asked >= entry.called


def _off(fleet: FleetIndex, view: HostView, vm: VmView, entry: VmEntry) -> Guests:
    now, observed = fleet.now, fleet.observed
    if entry.step == "stop" or entry.run_id != observed.run_id:
        entry = replace(entry, run_id=observed.run_id, step="start", at=now, calls=0, called=now)
    elif entry.calls >= START_CALLS and now >= entry.called + fleet.policy.deadlines.retry:
        return Guests(give_up=("vm_not_started", vm.name))
    else:
        due = next_call_at("start_vm", entry.called, fleet.policy.deadlines.retry, vm.under_way, vm.refusal)
        if due is None:
            # In progress: wait for it, also when nothing else is left to do, but not for a task that never ends.
            end = entry.called + fleet.policy.deadlines.restore
            if now >= end:
                return Guests(give_up=("vm_not_started", vm.name))
            return Guests(wake=min(end, now + fleet.policy.deadlines.retry))
        if now < due:
            return Guests(wake=due)
    action = Action(
        kind="start_vm",
        target=vm.moid,
        name=vm.name,
        reason=f"it was stopped for the {fleet.policy.purpose} of {view.name}",
        entry=replace(entry, calls=entry.calls + 1, called=now),
        host_moid=view.moid if vm.host_moid == view.moid else None,
    )
    return Guests(actions=(action,))


def _together(parts: Iterable[Guests], left: tuple[VmView, ...], reason: str) -> Guests:
    parts = list(parts)
    return Guests(
        actions=tuple(action for part in parts for action in part.actions),
        left=left,
        reason=reason,
        wake=earliest(*(part.wake for part in parts)),
        give_up=next((part.give_up for part in parts if part.give_up), None),
    )


def _by_name(vm: VmView) -> tuple[str, str]:
    return (vm.name, vm.moid)


def _names(vms: Iterable[VmView]) -> str:
    return ", ".join(vm.name for vm in vms)
