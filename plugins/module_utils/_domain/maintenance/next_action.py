# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What host_maintenance does next with one host, with the steps of a rolling reboot. PRIVATE to the collection.

The goal ``enter`` ends at the step ``maintenance``: the entry stays on the host. The goal ``leave`` begins there, or at any step that an
interrupted run left, and ends when the entry is removed.
"""

from __future__ import annotations

from dataclasses import replace

from ..errors import DirectPathError
from ..rolling.state.actions import Action
from ..rolling.state.fleet_index import FleetIndex, earliest
from ..rolling.state.journal import Entry, Step, is_active
from ..rolling.state.observed import HostView
from ..rolling.state.phases import Decision, HostStatus, NextStep, Outlook, Phase, phase_of
from ..rolling.state.policy import Goal
from ..rolling.steps import guests
from ..rolling.steps.next_step import plan_next_step
from ..rolling.steps.transitions import act, back_out


def decide_maintenance(
    fleet: FleetIndex, view: HostView, *, account: str, left: bool, problem: DirectPathError | None
) -> Decision:
    """``left``: planned changes are still necessary. ``problem``: why the plan is no longer valid. Both are only used before the host is in
    maintenance mode, or before its return to service begins.

    Raises ``problem`` if nothing was begun. As in ``scheduler.decide``, the actions are the last ones when ``outlook.ended`` is true.
    """
    entry = view.entry
    if entry is None or entry.run_id != fleet.observed.run_id:
        if problem is not None:
            raise problem
        return _begin(fleet, view, account) if left else _over(fleet, view, "finished")
    if not is_active(entry):
        return _conclude(fleet, view, entry)
    if problem is not None and entry.calls == 0 and not guests.unsettled(fleet, view):
        return _over(fleet, view, "stalled", _forget(view, "nothing was done yet"))
    return _working(fleet, view, _continue(fleet, view, entry, problem))


def is_to_check(fleet: FleetIndex, view: HostView) -> bool:
    """Whether the plan must still be valid: nothing was begun, or the host is being evacuated."""
    entry = view.entry
    if entry is None or entry.run_id != fleet.observed.run_id:
        return True
    return fleet.policy.goal == "enter" and entry.step == "draining" and not view.in_maintenance


def adopted(entry: Entry | None, goal: Goal) -> str:
    """The id of the interrupted run that is continued; empty = it is a new one. A run does not continue one with the opposite goal, except
    that ``leave`` ends what ``enter`` began."""
    if entry is None or not is_active(entry) or (goal == "enter" and entry.step != "draining"):
        return ""
    return entry.run_id


def waiting(
    fleet: FleetIndex, view: HostView, reason: str, actions: tuple[Action, ...], wake: float | None
) -> Decision:
    """Nothing is done to the host yet."""
    phase: Phase = "waiting" if view.entry is None else phase_of(view)
    return _working(fleet, view, NextStep(phase=phase, reason=reason, actions=actions, wake=wake))


def stopped(fleet: FleetIndex, view: HostView) -> Decision:
    """Nothing was begun, and nothing is done."""
    return _over(fleet, view, "stalled")


def _continue(fleet: FleetIndex, view: HostView, entry: Entry, problem: DirectPathError | None) -> NextStep:
    if entry.step == "draining" and fleet.policy.goal == "leave":
        return back_out(fleet, view, entry, "cancelled", f"{view.name} is no longer to enter maintenance mode")
    if problem is not None and view.host.is_reachable:
        return back_out(fleet, view, entry, problem.code, problem.message)
    return plan_next_step(fleet, view, entry)


def _begin(fleet: FleetIndex, view: HostView, account: str) -> Decision:
    """Write the intention. Before the first call the host is observed again."""
    now, old, goal = fleet.now, view.entry, fleet.policy.goal
    entry = Entry(
        run_id=fleet.observed.run_id, step="draining", at=now, started=now, purpose="maintenance", account=account
    )
    if goal == "enter":
        return _working(fleet, view, act(fleet, view, "record", entry, "it is to be evacuated"))
    stopped = fleet.stopped_vms.get(view.moid, ())
    step: Step | None = None
    if view.in_maintenance:
        step = "leaving"
    elif fleet.policy.start_vms and stopped:
        step = "restoring"
    if step is None:
        return _over(fleet, view, "finished", _forget(view, "nothing is left to do"))
    entry = replace(old or entry, run_id=entry.run_id, step=step, at=now, calls=0, called=0.0)
    return _working(fleet, view, act(fleet, view, "record", entry, "it returns to service"))


def _conclude(fleet: FleetIndex, view: HostView, entry: Entry) -> Decision:
    """The entry of this run shows an end."""
    leaving = fleet.policy.goal == "leave"
    if entry.step == "maintenance" and not leaving:
        return _over(fleet, view, "finished")
    if leaving and entry.step != "withdrawn" and fleet.policy.start_vms and view.in_service:
        # Also after the time for all of them: one that does not start does not keep the others off.
        work = guests.restore(fleet, view)
        if work.actions or (work.wake is not None and not work.give_up):
            step = NextStep(phase="restoring", reason=work.reason, actions=work.actions, wake=work.wake)
            return _working(fleet, view, step)
    if entry.step == "blocked" and not leaving and view.in_service:
        # A guest that was asked to shut down a moment ago may still do so, and is started again then.
        work, until = guests.restore(fleet, view), _settled_at(fleet, view)
        starting = work.wake is not None and not work.give_up and guests.unsettled(fleet, view)
        if work.actions or starting or fleet.now < until:
            wake = earliest(work.wake, until if fleet.now < until else None)
            step = NextStep(phase="restoring", reason=work.reason, actions=work.actions, wake=wake)
            return _working(fleet, view, step)
    if entry.step == "failed":
        return _over(fleet, view, "stalled")
    if leaving and entry.step in ("done", "blocked"):
        return _over(fleet, view, "finished", _forget(view, "it is back in service"))
    return _over(fleet, view, "stalled", _forget(view, "it is back in service, or another user took it over"))


def _settled_at(fleet: FleetIndex, view: HostView) -> float:
    """When the time to shut down is over for all guests that still run. Their entries stay: a later run starts those that are off then."""
    asked = [vm.entry.called for vm in fleet.stopped_vms.get(view.moid, ()) if vm.entry and vm.is_on]
    return max(asked, default=0.0) + fleet.policy.deadlines.stop_vm


def _forget(view: HostView, reason: str) -> tuple[Action, ...]:
    return (Action(kind="forget_host", target=view.moid, name=view.name, reason=reason),)


def _working(fleet: FleetIndex, view: HostView, step: NextStep) -> Decision:
    outlook = Outlook(state="working", wake_at=step.wake)
    status = _status(fleet, view, step.phase, step.reason)
    return Decision(actions=step.actions, hosts=(status,), outlook=outlook)


def _over(fleet: FleetIndex, view: HostView, state: str, actions: tuple[Action, ...] = ()) -> Decision:
    outlook = Outlook(state="finished") if state == "finished" else Outlook(state="stalled")
    text = view.entry.text if view.entry is not None else ""
    phase: Phase = phase_of(view) if view.entry is not None else "idle"
    return Decision(actions=actions, hosts=(_status(fleet, view, phase, text),), outlook=outlook)


def _status(fleet: FleetIndex, view: HostView, phase: Phase, reason: str) -> HostStatus:
    return HostStatus(
        moid=view.moid,
        name=view.name,
        cluster=fleet.cluster_of(view).name,
        phase=phase,
        reason=reason,
        since=view.entry.at if view.entry is not None else None,
        vms=tuple(vm.name for vm in fleet.stopped_vms.get(view.moid, ())),
    )
