# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verifying the host, leaving maintenance mode, and starting its VMs. PRIVATE to the collection."""

from __future__ import annotations

from dataclasses import replace

from ..state.actions import Kind
from ..state.fleet_index import FleetIndex, earliest
from ..state.journal import Entry
from ..state.observed import HostView
from ..state.phases import NextStep, phase_of
from ..state.verification import other_build, problems
from . import guests
from .health_gate import done_text, enter_gate, is_gated, may_have_changed
from .transitions import act, call, fail, is_entered_by_operator, record, refused, wait, withdraw


def verifying(fleet: FleetIndex, view: HostView, entry: Entry) -> NextStep:
    """``verifying``: compare the host with its state before the reboot, then leave maintenance mode."""
    end = fleet.end_of(view, entry.at, fleet.policy.deadlines.verify)
    found = problems(view, fleet.policy.allow_build_change)
    if found and fleet.now >= end:
        code, text = found[0]
        left = fleet.pending_reboots.get(view.moid)
        spent = entry if left is None else replace(entry, pending=left.mark)
        return fail(fleet, view, spent, code, text if len(found) == 1 else f"{text} And {len(found) - 1} more.")
    if found:
        return wait(view, found[0][1].rstrip("."), end)
    if entry.by_operator:
        text = f"rebooted and verified{other_build(view)}, stays in the maintenance mode of another user"
        return record(fleet, view, entry, "done", text, text=text, gate=False)
    if is_entered_by_operator(view):
        return withdraw(
            fleet,
            view,
            entry,
            f"{view.name} is rebooted and verified, but another user has put it into maintenance mode",
        )
    if not view.in_maintenance:
        return record(fleet, view, entry, "restoring", "it is verified; another user ended its maintenance mode")
    leaving_entry = replace(entry, step="leaving", at=fleet.now, calls=1, called=fleet.now)
    return act(
        fleet,
        view,
        "leave_maintenance",
        leaving_entry,
        "its devices are verified",
        timeout=fleet.policy.deadlines.leave,
    )


def leaving(fleet: FleetIndex, view: HostView, entry: Entry) -> NextStep:
    """``leaving``: wait until the host has left maintenance mode, and repeat the call if it had no effect."""
    end = fleet.end_of(view, entry.at, fleet.policy.deadlines.leave)
    rebooted = fleet.policy.goal == "reboot"
    if view.connected and is_entered_by_operator(view) and fleet.policy.operator_maintenance != "end":
        text = f"{view.name} is rebooted and verified, but another user has put it into maintenance mode"
        text = text if rebooted else f"another user has put {view.name} into maintenance mode"
        return withdraw(fleet, view, entry, text)
    if view.connected and not view.in_maintenance:
        return _released(fleet, view, entry)
    if fleet.now >= end:
        text = f"{view.name} {'is verified, but ' * rebooted}does not leave maintenance mode{refused(view, 'leave_maintenance')}"
        return fail(fleet, view, entry, "not_released", text)
    if not view.connected:
        return wait(view, f"it is {view.host.connection_state}", end)
    found = problems(view, fleet.policy.allow_build_change) if rebooted else ()
    if found:
        return wait(view, found[0][1].rstrip("."), end)
    reason = ("its devices are verified" if rebooted else "it returns to service") + refused(view, "leave_maintenance")
    next_step = call(fleet, view, "leave_maintenance", entry, reason, timeout=max(1.0, end - fleet.now))
    return replace(next_step, wake=earliest(next_step.wake, end))


def _released(fleet: FleetIndex, view: HostView, entry: Entry) -> NextStep:
    if not fleet.policy.start_vms or not guests.unsettled(fleet, view):
        return _done(fleet, view, entry)
    return record(fleet, view, entry, "restoring", "it left maintenance mode")


def _done(fleet: FleetIndex, view: HostView, entry: Entry) -> NextStep:
    if is_gated(fleet, entry):
        reason = "it is in service, and its health gate is checked"
        return enter_gate(fleet, view, entry, reason, done_text(view, entry))
    text = done_text(view, entry) if fleet.policy.goal == "reboot" else "returned to service"
    return record(fleet, view, entry, "done", text, text=text)


def restoring(fleet: FleetIndex, view: HostView, entry: Entry) -> NextStep:
    """``restoring``: start the VMs that were stopped for the host."""
    end = fleet.end_of(view, entry.at, fleet.policy.deadlines.restore)
    if not guests.unsettled(fleet, view):
        return _done(fleet, view, entry)
    if view.connected and (view.in_maintenance or view.entering):
        return withdraw(
            fleet,
            view,
            entry,
            f"another user put {view.name} into maintenance mode before its virtual machines were running",
        )
    work = guests.restore(fleet, view) if view.in_service else guests.Guests(reason=f"{view.name} to return to service")
    if work.actions:
        return NextStep(phase="restoring", reason=work.reason, actions=work.actions)
    if work.give_up or fleet.now >= end:
        names = ", ".join(f"{vm.name}{guests.answered(vm, 'start_vm')}" for vm in fleet.stopped_vms[view.moid])
        verified = "verified and " if fleet.policy.goal == "reboot" else ""
        text = f"{view.name} is {verified}in service, but these virtual machines are not running again: {names}"
        return fail(fleet, view, entry, "vm_not_started", text)
    return wait(view, f"waits for {work.reason}", work.wake, end)


def backing_out(fleet: FleetIndex, view: HostView, entry: Entry) -> NextStep:
    """``backing_out``: given up before the reboot. Leave maintenance mode and start the VMs again."""
    limits = fleet.policy.deadlines
    end = fleet.end_of(view, entry.at, limits.leave + limits.restore)
    late = fleet.now >= end
    if view.connected and is_entered_by_operator(view):
        return withdraw(fleet, view, entry, f"another user put {view.name} into maintenance mode")
    if late:
        text = f"{entry.text}; and it could not be returned to service{refused(view, *_OUT)}"
        return fail(fleet, view, entry, entry.code, text)
    if not view.connected:
        return wait(view, f"it is {view.host.connection_state}", end)
    if view.in_maintenance or view.entering:
        kind: Kind = "leave_maintenance" if view.in_maintenance else "cancel_entering"
        if entry.calls == 0 or (
            kind == "leave_maintenance" and view.refusal is not None and view.refusal.kind == "cancel_entering"
        ):
            called = replace(entry, calls=entry.calls + 1, called=fleet.now)
            return act(fleet, view, kind, called, entry.text, timeout=limits.leave)
        next_step = call(fleet, view, kind, entry, entry.text + refused(view, *_OUT), timeout=limits.leave)
        return replace(next_step, wake=earliest(next_step.wake, end))
    if "enter_maintenance" in view.under_way:
        return wait(view, entry.text, end)
    if not guests.unsettled(fleet, view):
        if is_gated(fleet, entry) and may_have_changed(view, entry):
            return enter_gate(fleet, view, entry, "it is in service again, and its health gate is checked")
        return record(fleet, view, entry, "blocked", entry.text, gate=entry.gate and fleet.policy.only_restore)
    work = guests.restore(fleet, view)
    if work.give_up:
        return fail(fleet, view, entry, "vm_not_started", f"{entry.text}; and {work.give_up[1]}")
    if work.actions:
        return NextStep(phase="restoring", reason=work.reason, actions=work.actions)
    return wait(view, f"waits for {work.reason}", work.wake, end)


_OUT = ("leave_maintenance", "cancel_entering")


def ended(fleet: FleetIndex, view: HostView, entry: Entry) -> NextStep:
    """Nothing more is done to the host. VMs that were stopped for it are started when it is in service."""
    if not (fleet.stopped_vms.get(view.moid) and view.in_service):
        return NextStep(phase=phase_of(view), reason=entry.text)
    work = guests.restore(fleet, view)
    return NextStep(phase=phase_of(view), reason=entry.text, actions=work.actions, wake=work.wake)
