# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the start of a host until its reboot is requested. PRIVATE to the collection."""

from __future__ import annotations

from dataclasses import replace

from ...gate_record import GateVms
from ..state.actions import Kind
from ..state.codec import fits
from ..state.fleet_index import FleetIndex, earliest
from ..state.journal import Before, Entry
from ..state.observed import HostView
from ..state.phases import NextStep
from . import guests
from .transitions import (
    act,
    back_out,
    call,
    fail,
    give_back,
    is_entered_by_operator,
    record,
    refused,
    restore,
    spent,
    wait,
    withdraw,
)


def draining(fleet: FleetIndex, view: HostView, entry: Entry) -> NextStep:
    """``draining``: stop pinned VMs, enter maintenance mode, then request the reboot."""
    end = drain_ends(fleet, view, entry)
    late = fleet.now >= end
    if not view.host.is_reachable:
        if late:
            text = f"{view.name} is {view.host.connection_state} since before it was evacuated"
            return fail(fleet, view, entry, "lost_contact", text)
        return wait(view, f"it is {view.host.connection_state}", end)
    if is_entered_by_operator(view):
        return withdraw(fleet, view, entry, f"another user put {view.name} into maintenance mode")
    if view.in_maintenance:
        return (_ready_to_reboot if fleet.policy.goal == "reboot" else _reached)(fleet, view, entry)
    if fleet.policy.only_restore:
        return restore(fleet, view, entry)
    if fleet.policy.goal == "reboot" and view.moid not in fleet.pending_reboots:
        return back_out(fleet, view, entry, "owes_nothing", f"{view.name} no longer requires a reboot")
    if fleet.observed.stop:
        return back_out(fleet, view, entry, "journal_unwritable", fleet.observed.stop)
    if held_by_pause(fleet, view):
        return _pause(fleet, view, entry, end)
    work = guests.stop(fleet, view)
    if work.give_up:
        return back_out(fleet, view, entry, *work.give_up)
    if late:
        names = ", ".join(vm.name for vm in work.left)
        still = f", still powered on: {names}" if names else ""
        text = f"{view.name} was not evacuated within {fleet.policy.deadlines.drain:.0f} seconds{still}"
        return back_out(fleet, view, entry, "drain_deadline", text)
    if view.entering:
        if work.actions:
            return NextStep(phase="draining", reason=work.reason, actions=work.actions, wake=end)
        return wait(view, f"waits for {work.reason or 'maintenance mode'}", work.wake, end)
    early = guests.stop_early(fleet, view) if entry.calls == 0 else guests.Guests()
    if early.give_up:
        return back_out(fleet, view, entry, *early.give_up)
    if early.left:
        return NextStep(
            phase="draining", reason=f"waits for {early.reason}", actions=early.actions, wake=earliest(early.wake, end)
        )
    return _enter(fleet, view, entry, end)


def held_by_pause(fleet: FleetIndex, view: HostView) -> str:
    """The text of the pause that holds the drain of the host; empty if none does.

    A host for which a VM was stopped is finished: its VM would otherwise be stopped a second time later.
    """
    if view.entry is None or view.entry.step != "draining" or fleet.stopped_vms.get(view.moid):
        return ""
    return fleet.pause_of(view)


def drain_ends(fleet: FleetIndex, view: HostView, entry: Entry) -> float:
    """When a drain is given up."""
    return fleet.end_of(view, entry.at, fleet.policy.deadlines.drain)


def _pause(fleet: FleetIndex, view: HostView, entry: Entry, end: float) -> NextStep:
    """No VM was stopped for the host: it waits. If the pause lasts too long, it returns to service, and is started again later."""
    pause = held_by_pause(fleet, view)
    if fleet.now < end:
        return wait(view, f"paused: {pause}", end)
    text = f"{view.name} was returned to service before its reboot, because of a pause: {pause}"
    return give_back(fleet, view, entry, code="paused", text=text)


def _enter(fleet: FleetIndex, view: HostView, entry: Entry, end: float) -> NextStep:
    """The call to enter maintenance mode was made, or was about to be made, and vCenter shows no effect."""
    refusal = view.refusal
    rejected = refusal is not None and refusal.kind == "enter_maintenance" and entry.called <= refusal.at
    if refusal is not None and rejected and (refusal.permanent or refusal.code in ("cancelled", "timed_out")):
        return back_out(fleet, view, entry, refusal.code, f"{view.name} did not enter maintenance mode: {refusal.text}")
    if spent(fleet, view, "enter_maintenance", entry):
        text = (
            f"{view.name} did not enter maintenance mode after {entry.calls} calls{refused(view, 'enter_maintenance')}"
        )
        return back_out(fleet, view, entry, "enter_ignored", text)
    if not fleet.has_room(view):
        return wait(view, "other hosts went down and the budget (max_unavailable) is used up", end)
    return call(
        fleet,
        view,
        "enter_maintenance",
        entry,
        "it is to be evacuated" + refused(view, "enter_maintenance"),
        timeout=max(1.0, end - fleet.now),
        evacuate_powered_off=fleet.policy.evacuate_powered_off,
        vsan_mode=fleet.policy.vsan_mode,
    )


def _reached(fleet: FleetIndex, view: HostView, entry: Entry) -> NextStep:
    """The goal ``enter`` ends here: the host stays in maintenance mode, with its entry, until ``state: absent``."""
    if view.refusal is not None and view.refusal.code == "already_in_maintenance":
        return withdraw(fleet, view, entry, f"another user put {view.name} into maintenance mode first")
    text = "in maintenance mode for work on its hardware"
    return record(fleet, view, entry, "maintenance", text, text=text, drained=fleet.now - entry.started)


def _ready_to_reboot(fleet: FleetIndex, view: HostView, entry: Entry) -> NextStep:
    """The host is in maintenance mode, and its reboot is not requested yet."""
    now, end = fleet.now, drain_ends(fleet, view, entry)
    evidence = fleet.evidence(view, entry, entry.started)
    if evidence.boot_differs and evidence.is_rebooted:
        return record(fleet, view, entry, "verifying", "another user has rebooted it", asked=entry.at)
    if evidence.boot_differs and evidence.is_rebooted is None:
        if now < end:
            return wait(view, f"its boot time changed, and {_UNCLEAR}", end)
        return back_out(fleet, view, entry, "drain_deadline", f"The boot time of {view.name} changed, and {_UNCLEAR}")
    if view.refusal is not None and view.refusal.code == "already_in_maintenance":
        return withdraw(fleet, view, entry, f"another user put {view.name} into maintenance mode first")
    if fleet.policy.only_restore and not view.rebooting:
        return restore(fleet, view, entry)
    pending = fleet.pending_reboots.get(view.moid)
    if pending is None:
        return back_out(fleet, view, entry, "owes_nothing", f"{view.name} no longer requires a reboot")
    if fleet.observed.stop and not view.rebooting:
        return back_out(fleet, view, entry, "journal_unwritable", fleet.observed.stop)
    if held_by_pause(fleet, view) and not view.rebooting:
        return _pause(fleet, view, entry, end)
    running = [vm.name for vm in fleet.residents.get(view.moid, ()) if vm.is_on]
    busy = running or view.tasks or view.rebooting
    if busy and now >= end:
        what = ", ".join((*running, *view.tasks)) or "a reboot by another user"
        return back_out(
            fleet, view, entry, "drain_deadline", f"{view.name} is in maintenance mode, but still busy: {what}"
        )
    if busy:
        return wait(view, f"waits for {', '.join((*running, *view.tasks)) or 'a reboot in progress'}", end)
    step = "; its clock was set, as its boot time changed and its uptime did not" if evidence.boot_differs else ""
    return request_reboot(
        fleet, view, replace(entry, pending=pending.mark, drained=now - entry.started), pending.reason + step
    )


_UNCLEAR = "its uptime does not show whether it was rebooted or its clock was set"


def request_reboot(
    fleet: FleetIndex,
    view: HostView,
    entry: Entry,
    reason: str,
    before: Before | None = None,
    gate_vms: GateVms | None = None,
) -> NextStep:
    """Request the reboot. This is the only place where a reboot begins. With method power_cycle: request the shutdown."""
    now, cycle = fleet.now, fleet.policy.method == "power_cycle"
    boot = view.host.boot_time
    requested = replace(
        entry,
        step="rebooting",
        at=now,
        calls=1,
        called=now,
        asked=now,
        boot=None if boot is None else float(int(boot)),
        cycle=cycle,
    )
    kind: Kind = "shut_down_host" if cycle else "reboot_host"
    return act(
        fleet,
        view,
        kind,
        requested,
        reason,
        boot_time=boot,
        timeout=fleet.policy.deadlines.reboot,
        before=before,
        gate_vms=gate_vms or _with_stopped(fleet, view),
    )


def _with_stopped(fleet: FleetIndex, view: HostView) -> GateVms | None:
    """The VMs of the health gate, if more were stopped than was known when the host was started; None if not."""
    known = view.gate_vms
    stopped = {vm.moid for vm in fleet.stopped_vms.get(view.moid, ())}
    if known is None or stopped <= set(known.stopped):
        return None
    more = replace(known, stopped=tuple(sorted(stopped | set(known.stopped))))
    return more if fits(more) else None
