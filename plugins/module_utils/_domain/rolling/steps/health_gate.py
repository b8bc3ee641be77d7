# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The health gate of a host that is back in service: checks, then the soak time, then the checks once more. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ...gate_record import GATE_FAILED
from ...health_gate import GateAnswer, GateTarget, HealthGate, is_recent, is_soaked
from ...text import duration
from ...timestamps import at_minute
from ..state.fleet_index import FleetIndex, earliest
from ..state.journal import Entry, Step
from ..state.observed import HostView
from ..state.phases import NextStep
from ..state.verification import other_build
from . import guests
from .transitions import act, fail, record, wait

MOST_NAMED = 3
"""Maximum number of failed checks in a message; the others are counted."""


def is_gated(fleet: FleetIndex, entry: Entry) -> bool:
    """The host was started with a gate, and this run has one. A restore waits for nothing: the run that is resumed later has the gate."""
    policy = fleet.policy
    return entry.gate and policy.gate.is_set and policy.goal == "reboot" and not policy.only_restore


def is_due(fleet: FleetIndex, view: HostView) -> bool:
    """The gate of a host in service was not checked to its end: it failed in an earlier run, or a restore returned the host to service."""
    entry = view.entry
    if entry is None or not view.in_service or not is_gated(fleet, entry) or fleet.stopped_vms.get(view.moid):
        return False
    if entry.step not in ("done", "blocked", "failed") or (entry.step == "failed" and _is_of_now(fleet, view, entry)):
        return False
    return may_have_changed(view, entry)


def _is_of_now(fleet: FleetIndex, view: HostView, entry: Entry) -> bool:
    """The entry was written by this run, and not by one that it resumes."""
    taken = fleet.taken(view)
    return entry.run_id == fleet.observed.run_id and (taken is None or entry.at >= taken)


def may_have_changed(view: HostView, entry: Entry) -> bool:
    """Its reboot was requested, or VMs were to be stopped for it: there is something to check."""
    return entry.asked is not None or (view.gate_vms is not None and bool(view.gate_vms.stopped))


def enter_gate(fleet: FleetIndex, view: HostView, entry: Entry, reason: str, text: str = "") -> NextStep:
    """The host is in service and its VMs run: its gate begins. ``text``: the result of the host when the gate has passed; if empty, as in
    the entry."""
    ready = None if fleet.policy.gate.checks else fleet.now
    text = text or (entry.text if entry.code != GATE_FAILED else "")
    if not text:
        text = done_text(view, entry) if entry.asked is not None else f"{view.name} was given up before its reboot"
    code = "" if entry.asked is not None else entry.code
    return record(fleet, view, entry, "checking", reason, ready=ready, code=code, text=text)


def done_text(view: HostView, entry: Entry) -> str:
    """The result of a host, as a clause."""
    took = f" in {entry.rebooted:.0f} seconds" if entry.rebooted is not None else ""
    return f"rebooted{took} and verified{other_build(view)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class _GateState:
    """``left``: what has not succeeded yet. ``end``: when the host fails if something is left. ``soaks_until``: when the soak time is over,
    while it passes."""

    left: tuple[GateTarget, ...]
    answers: Mapping[tuple[int, str], GateAnswer]
    end: float
    soaks_until: float | None = None

    def answer(self, target: GateTarget) -> str:
        """A clause: what was found last."""
        answer = self.answers.get(target.key)
        return target.problem or ("no answer yet" if answer is None else answer.text)


def checking(fleet: FleetIndex, view: HostView, entry: Entry) -> NextStep:
    """``checking``: the host is in service, and no other host takes its place yet."""
    if not is_gated(fleet, entry):
        return _end(fleet, view, entry, entry.text)
    state = _gate_state(fleet, view, entry)
    if state.soaks_until is not None:
        text = f"soaking until {at_minute(state.soaks_until + fleet.observed.ahead)}"
        return _with_vms(fleet, view, wait(view, text, state.soaks_until))
    if not state.left and entry.ready is None and fleet.policy.gate.soak:
        return act(fleet, view, "record", replace(entry, ready=fleet.now), "all checks succeeded")
    if not state.left:
        passed = replace(entry, ready=fleet.now if entry.ready is None else entry.ready)
        return _end(fleet, view, passed, f"{entry.text}, and its health gate has passed")
    if fleet.now >= state.end:
        return fail(fleet, view, entry, GATE_FAILED, _failure(fleet, view, state))
    first, others = state.left[0], _others(state)
    seconds = duration(state.end - fleet.now)
    text = f"waiting for {first.describe()}{others}, {seconds} left: {state.answer(first)}"
    return _with_vms(fleet, view, wait(view, text, state.end))


def _end(fleet: FleetIndex, view: HostView, entry: Entry, text: str) -> NextStep:
    """A host that was given up before its reboot is blocked, as it would be without a gate."""
    step: Step = "done" if entry.asked is not None else "blocked"
    return record(fleet, view, entry, step, text, text=text, gate=False)


def describe_gate(fleet: FleetIndex, view: HostView, entry: Entry) -> str:
    """A clause for a notice: what the gate of the host waits for, and until when. It does not change with every answer. Empty when it
    passes now."""
    state = _gate_state(fleet, view, entry)
    if state.soaks_until is not None:
        return f"{view.name} soaks, until {at_minute(state.soaks_until + fleet.observed.ahead)}"
    if not state.left:
        return ""
    titles = ", ".join(dict.fromkeys(target.title for target in state.left))
    what = state.left[0].describe() if len(state.left) == 1 else titles
    return f"{view.name} waits for {what}, until {at_minute(state.end + fleet.observed.ahead)}"


def _gate_state(fleet: FleetIndex, view: HostView, entry: Entry) -> _GateState:
    """Before the soak time, an answer of this gate counts; after it, one that is younger than its end."""
    gate, answers = fleet.policy.gate, {answer.key: answer for answer in view.gate_answers}
    soaked = is_soaked(gate, entry.ready, fleet.now)
    begun = entry.at if entry.ready is None else entry.ready + gate.soak
    left = [target for target in fleet.gate_targets(view) if not _passes(gate, entry, target, answers, soaked=soaked)]
    if not view.in_service:
        state = f"it is {view.host.connection_state}" if not view.connected else "another user took it out of service"
        left = [GateTarget(check=-1, title=f"{view.name} in service", problem=state), *left]
    soaks = entry.ready is not None and not soaked
    return _GateState(
        left=tuple(left),
        answers=answers,
        end=fleet.end_of(view, begun, gate.timeout),
        soaks_until=begun if soaks else None,
    )


def _passes(
    gate: HealthGate, entry: Entry, target: GateTarget, answers: Mapping[tuple[int, str], GateAnswer], *, soaked: bool
) -> bool:
    answer = answers.get(target.key)
    if target.problem or answer is None or not answer.ok:
        return False
    return is_recent(gate, entry.ready, answer) if soaked else answer.at >= entry.at


def _with_vms(fleet: FleetIndex, view: HostView, step: NextStep) -> NextStep:
    """Guests that were asked to shut down and did not are still watched, as for a host that is done."""
    if not fleet.stopped_vms.get(view.moid) or not view.in_service:
        return step
    work = guests.restore(fleet, view)
    return replace(step, actions=work.actions, wake=earliest(step.wake, work.wake))


def _others(state: _GateState) -> str:
    return f" and {len(state.left) - 1} more" if len(state.left) > 1 else ""


def _failure(fleet: FleetIndex, view: HostView, state: _GateState) -> str:
    """The journal keeps only its beginning: first what failed."""
    named = "; ".join(f"{target.describe()}: {state.answer(target)}" for target in state.left[:MOST_NAMED])
    more = f"; and {len(state.left) - MOST_NAMED} more" if len(state.left) > MOST_NAMED else ""
    off = sorted(vm.name for vms in fleet.stopped_vms.values() for vm in vms if not vm.is_on)
    left = f"Off because of this run: {', '.join(off)}" if off else "No VM is off because of this run"
    limit = duration(fleet.policy.gate.timeout)
    return f"{view.name} is not ready: {named}{more}. Its health gate (ready_when) did not pass in {limit}. {left}"
