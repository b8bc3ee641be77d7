# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proof of what the host must have again, the way out of maintenance mode, and its VMs. PRIVATE to the collection."""

from __future__ import annotations

from dataclasses import replace

from ..state.actions import Kind
from ..state.fleet_index import Scene, soonest
from ..state.journal import Entry
from ..state.observed import HostView
from ..state.phases import Move, phase_of
from ..state.verification import problems
from . import guests
from .transitions import act, call, fail, is_theirs, record, refused, wait, withdraw


def verifying(scene: Scene, view: HostView, entry: Entry) -> Move:
    end = scene.end_of(view, entry.at, scene.policy.deadlines.verify)
    found = problems(view)
    if found and scene.now >= end:
        code, text = found[0]
        left = scene.debts.get(view.moid)
        spent = entry if left is None else replace(entry, debt=left.mark)
        return fail(scene, view, spent, code, text if len(found) == 1 else f"{text} And {len(found) - 1} more.")
    if found:
        return wait(view, found[0][1].rstrip("."), end)
    if entry.theirs:
        text = "rebooted and proven, left in the maintenance mode it was in"
        return record(scene, view, entry, "done", text, text=text)
    if is_theirs(view):
        return withdraw(
            scene, view, entry, f"{view.name} is rebooted and proven, and in maintenance mode by somebody else now"
        )
    if not view.in_maintenance:
        return record(scene, view, entry, "restoring", "it is proven; somebody else ended its maintenance mode")
    told = replace(entry, step="leaving", at=scene.now, calls=1, called=scene.now)
    return act(scene, view, "leave_maintenance", told, "its devices are proven", timeout=scene.policy.deadlines.leave)


def leaving(scene: Scene, view: HostView, entry: Entry) -> Move:
    end = scene.end_of(view, entry.at, scene.policy.deadlines.leave)
    if view.connected and is_theirs(view):
        return withdraw(
            scene, view, entry, f"{view.name} is rebooted and proven, and in maintenance mode by somebody else now"
        )
    if view.connected and not view.in_maintenance:
        return _released(scene, view, entry)
    if scene.now >= end:
        text = f"{view.name} is proven and does not leave maintenance mode{refused(view, 'leave_maintenance')}"
        return fail(scene, view, entry, "not_released", text)
    if not view.connected:
        return wait(view, f"it is {view.host.connection_state}", end)
    found = problems(view)
    if found:
        return wait(view, found[0][1].rstrip("."), end)
    reason = "its devices are proven" + refused(view, "leave_maintenance")
    move = call(scene, view, "leave_maintenance", entry, reason, timeout=max(1.0, end - scene.now))
    return replace(move, wake=soonest(move.wake, end))


def _released(scene: Scene, view: HostView, entry: Entry) -> Move:
    if not guests.unsettled(scene, view):
        return _done(scene, view, entry)
    return record(scene, view, entry, "restoring", "it left maintenance mode")


def _done(scene: Scene, view: HostView, entry: Entry) -> Move:
    took = f" in {entry.rebooted:.0f} seconds" if entry.rebooted is not None else ""
    text = f"rebooted{took} and proven"
    return record(scene, view, entry, "done", text, text=text)


def restoring(scene: Scene, view: HostView, entry: Entry) -> Move:
    end = scene.end_of(view, entry.at, scene.policy.deadlines.restore)
    if not guests.unsettled(scene, view):
        return _done(scene, view, entry)
    if view.connected and (view.in_maintenance or view.entering):
        return withdraw(
            scene, view, entry, f"somebody put {view.name} into maintenance mode before its virtual machines were up"
        )
    work = guests.restore(scene, view) if view.serves else guests.Guests(reason=f"{view.name} to serve again")
    if work.actions:
        return Move(phase="restoring", reason=work.reason, actions=work.actions)
    if work.give_up or scene.now >= end:
        names = ", ".join(f"{vm.name}{guests.answered(vm, 'start_vm')}" for vm in scene.owed[view.moid])
        text = f"{view.name} is proven and in service, but these virtual machines are not up again: {names}"
        return fail(scene, view, entry, "vm_not_started", text)
    return wait(view, f"waits for {work.reason}", work.wake, end)


def backing_out(scene: Scene, view: HostView, entry: Entry) -> Move:
    """Given up before the reboot: out of maintenance mode, VMs up again, slot free."""
    limits = scene.policy.deadlines
    end = scene.end_of(view, entry.at, limits.leave + limits.restore)
    late = scene.now >= end
    if view.connected and is_theirs(view):
        return withdraw(scene, view, entry, f"{view.name} is in maintenance mode by somebody else")
    if late:
        return fail(scene, view, entry, entry.code, f"{entry.text}; and it could not be released{refused(view, *_OUT)}")
    if not view.connected:
        return wait(view, f"it is {view.host.connection_state}", end)
    if view.in_maintenance or view.entering:
        kind: Kind = "leave_maintenance" if view.in_maintenance else "cancel_entering"
        if entry.calls == 0 or (
            kind == "leave_maintenance" and view.refusal is not None and view.refusal.kind == "cancel_entering"
        ):
            told = replace(entry, calls=entry.calls + 1, called=scene.now)
            return act(scene, view, kind, told, entry.text, timeout=limits.leave)
        move = call(scene, view, kind, entry, entry.text + refused(view, *_OUT), timeout=limits.leave)
        return replace(move, wake=soonest(move.wake, end))
    if "enter_maintenance" in view.in_flight:
        return wait(view, entry.text, end)
    if not guests.unsettled(scene, view):
        return record(scene, view, entry, "blocked", entry.text)
    work = guests.restore(scene, view)
    if work.give_up:
        return fail(scene, view, entry, "vm_not_started", f"{entry.text}; and {work.give_up[1]}")
    if work.actions:
        return Move(phase="restoring", reason=work.reason, actions=work.actions)
    return wait(view, f"waits for {work.reason}", work.wake, end)


_OUT = ("leave_maintenance", "cancel_entering")


def ended(scene: Scene, view: HostView, entry: Entry) -> Move:
    """Nothing is done to the host any more. VMs that were stopped for it are still owed a start, once it serves."""
    if not (scene.owed.get(view.moid) and view.serves):
        return Move(phase=phase_of(view), reason=entry.text)
    work = guests.restore(scene, view)
    return Move(phase=phase_of(view), reason=entry.text, actions=work.actions, wake=work.wake)
