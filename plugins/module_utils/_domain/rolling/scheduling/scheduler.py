# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scheduler: decides from the observed fleet what to do next. PRIVATE to the collection.

A pure function of the observed fleet, the policy and the time, without memory: a process that has just started decides the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ...memo import Memo
from ...planning.plan import Blocker
from ..state import lock
from ..state.actions import Action
from ..state.fleet_index import FleetIndex, earliest, index_fleet
from ..state.journal import Entry, Lock, is_active
from ..state.observed import ClusterView, HostView, ObservedFleet, VmView
from ..state.phases import ANOTHER_RUN, Decision, HostStatus, NextStep, Outlook, Phase, phase_of
from ..state.policy import Policy
from ..steps import guests, health_gate
from ..steps.next_step import plan_next_step
from . import finish, next_hosts, pace
from .hold_notices import notices
from .host_texts import ended_text, gate_blockers, gone_status
from .next_hosts import Start
from .pace import Progress


@dataclass(frozen=True, kw_only=True, slots=True)
class _InProgress:
    """The next steps of all hosts that are or were in progress; ``actions`` and ``wake`` of all of them."""

    next_steps: Mapping[str, NextStep]
    lock_states: Mapping[str, lock.LockState]
    """cluster moid → its lock; clusters without work are not included."""
    actions: tuple[Action, ...]
    wake: float | None

    def begins_gate(self, fleet: FleetIndex) -> list[HostView]:
        """Hosts that are not in progress yet, and whose health gate begins now."""
        found = (fleet.hosts[moid] for moid, step in self.next_steps.items() if step.phase == "checking")
        return [view for view in found if not is_active(view.entry)]

    def holds(self, view: HostView) -> bool:
        lock_state = self.lock_states.get(view.host.compute_moid)
        return lock_state is not None and lock_state.held


def decide(observed: ObservedFleet, policy: Policy, now: float, memo: Memo | None = None) -> Decision:
    """What to do now, the status of every host with its reason, and the state of the whole rolling reboot.

    When ``outlook.ended`` is true, the actions are the last ones: carry them out, and do not decide again. Otherwise observe the fleet
    again and decide again when it changes, or at ``outlook.wake_at``. ``memo``: of the decision before. It changes the cost only.
    """
    fleet = index_fleet(observed, policy, now, memo)
    finishing = any(
        isinstance(cluster.lock, Lock)
        and cluster.lock.finishing
        and cluster.lock.run_id == observed.run_id
        and lock.may_work_under(cluster.lock, me=observed.me, policy=policy, now=now)
        for cluster in observed.clusters
    )
    requiring = [
        fleet.hosts[moid] for moid in fleet.pending_reboots if next_hosts.is_candidate(fleet, fleet.hosts[moid])
    ]
    candidates = [] if finishing or policy.only_restore else requiring
    in_progress = _in_progress(fleet, candidates)
    state = pace.progress(fleet, len(candidates))
    starts = _without_hope(
        fleet,
        state,
        next_hosts.starts(fleet, candidates, state, in_progress.lock_states, in_progress.begins_gate(fleet)),
    )
    hosts = (*_statuses(fleet, in_progress, starts), *(gone_status(host) for host in observed.gone))
    outlook = _outlook(fleet, state, in_progress, starts, finishing=finishing)
    actions = (*in_progress.actions, *(action for start in starts.values() for action in start.actions))
    if outlook.ended:
        reasons = next_hosts.reasons(fleet, requiring, state, in_progress.lock_states) if finishing else {}
        last = finish.closing(fleet, hosts, state, outlook, finishing=finishing, reasons=reasons)
        return Decision(actions=last.actions, hosts=hosts, outlook=last.outlook, closing=finishing)
    outlook = replace(outlook, notices=notices(fleet, state, starts, outlook, in_progress.next_steps))
    return Decision(actions=actions, hosts=hosts, outlook=outlook, closing=finishing)


def _without_hope(fleet: FleetIndex, state: Progress, starts: Mapping[str, Start]) -> Mapping[str, Start]:
    """Hosts that wait for something else, and would then not fit into any maintenance window, do not wait at all."""
    waiting = [fleet.hosts[moid] for moid, start in starts.items() if start.phase == "waiting" and not start.actions]
    never = pace.never_fits(fleet, state, waiting)
    return {
        moid: Start(phase="waiting", reason=never[moid].reason, hopeless=True) if moid in never else start
        for moid, start in starts.items()
    }


def _in_progress(fleet: FleetIndex, candidates: list[HostView]) -> _InProgress:
    """Locks first; then the hosts of clusters that this run has locked."""
    # Hosts without an entry, and without VMs that were stopped for them, are not in progress.
    involved = [view for moid, view in fleet.hosts.items() if view.entry is not None or moid in fleet.stopped_vms]
    busy = {view.host.compute_moid for view in candidates}
    busy |= {view.host.compute_moid for view in involved if _has_work(fleet, view)}
    lock_states = {
        cluster.moid: lock.plan_lock(cluster, fleet.observed, fleet.policy, fleet.now)
        for cluster in sorted(fleet.clusters.values(), key=lambda cluster: (cluster.name, cluster.moid))
        if cluster.moid in busy or _is_own(cluster, fleet.observed)
    }
    next_steps: dict[str, NextStep] = {}
    for view in involved:
        lock_state = lock_states.get(view.host.compute_moid)
        if lock_state is not None and lock_state.held:
            next_step = _next_step(fleet, view)
            if next_step is not None:
                next_steps[view.moid] = next_step
    actions = [action for lock_state in lock_states.values() for action in lock_state.actions]
    actions += [action for next_step in next_steps.values() for action in next_step.actions]
    wake = earliest(
        *(lock_state.wake for lock_state in lock_states.values()),
        *(next_step.wake for next_step in next_steps.values()),
    )
    return _InProgress(next_steps=next_steps, lock_states=lock_states, actions=tuple(actions), wake=wake)


def _is_own(cluster: ClusterView, observed: ObservedFleet) -> bool:
    return isinstance(cluster.lock, Lock) and (
        cluster.lock.owner == observed.me or cluster.lock.run_id == observed.run_id
    )


def _has_work(fleet: FleetIndex, view: HostView) -> bool:
    """Something remains to be done for the host or cleared on it, apart from starting it."""
    entry = view.entry
    if fleet.policy.only_restore and (not view.wanted or (entry is not None and entry.step == "checking")):
        return False
    if fleet.stopped_vms.get(view.moid) and (view.in_service or is_active(entry)):
        return True
    if entry is None:
        return False
    return entry.step != "failed" or view.in_service or next_hosts.is_to_verify_again(fleet, view)


def _next_step(fleet: FleetIndex, view: HostView) -> NextStep | None:
    entry = view.entry
    if fleet.policy.only_restore and not view.wanted:
        return None
    if fleet.policy.only_restore and entry is not None and entry.step == "checking":
        return None  # it is in service; the run that is resumed later checks its gate
    if entry is None:
        if not (fleet.stopped_vms.get(view.moid) and view.in_service):
            return None
        work = guests.restore(fleet, view)
        return NextStep(phase="restoring", reason=work.reason, actions=work.actions, wake=work.wake)
    if health_gate.is_due(fleet, view):
        own = replace(entry, run_id=fleet.observed.run_id)
        return health_gate.enter_gate(fleet, view, own, "its health gate was not checked to its end in an earlier run")
    again = _settled(fleet, view, entry)
    return again if again is not None else plan_next_step(fleet, view, entry)


def _settled(fleet: FleetIndex, view: HostView, entry: Entry) -> NextStep | None:
    """A host that failed in an earlier run: verified again if this is requested, or returned to service by an administrator."""
    held = fleet.cluster_of(view).lock
    if entry.step != "failed" or not isinstance(held, Lock) or entry.at >= held.since:
        return None
    if next_hosts.is_to_verify_again(fleet, view):
        step = "verifying" if entry.asked is not None else "backing_out"
        fresh = replace(entry, run_id=fleet.observed.run_id, step=step, at=fleet.now, calls=0, called=0.0)  # type: ignore[arg-type]
        return _recorded(view, fresh, "it is verified again, as requested")
    settled = view.in_service and entry.asked is not None and not fleet.stopped_vms.get(view.moid)
    pending = fleet.pending_reboots.get(view.moid)
    if settled and (pending is None or fleet.policy.reason == "firmware"):
        text = "rebooted, and returned to service by an administrator"
        return _recorded(view, replace(entry, run_id=fleet.observed.run_id, step="done", at=fleet.now, text=text), text)
    return None


def _recorded(view: HostView, entry: Entry, reason: str) -> NextStep:
    action = Action(kind="record", target=view.moid, name=view.name, reason=reason, entry=entry)
    return NextStep(phase=phase_of(replace(view, entry=entry)), reason=reason, actions=(action,))


_Standing = tuple[Phase, str, tuple[Blocker, ...]]
"""The phase of a host, the reason and the blockers."""


def _statuses(fleet: FleetIndex, in_progress: _InProgress, starts: Mapping[str, Start]) -> tuple[HostStatus, ...]:
    standings = {moid: _standing(fleet, view, in_progress) for moid, view in fleet.hosts.items() if moid not in starts}
    names = fleet.memo.once(_names_of_clusters, fleet.hosts, fleet.clusters)
    # Actions have the time in them, and a status does not depend on them.
    texts = {moid: replace(start, actions=(), wake=None) if start.actions else start for moid, start in starts.items()}
    return tuple(fleet.memo.each(_status, (), fleet.hosts, standings, names, texts, fleet.stopped_vms).values())


def _names_of_clusters(hosts: Mapping[str, HostView], clusters: Mapping[str, ClusterView]) -> Mapping[str, str]:
    return {moid: clusters[view.host.compute_moid].name for moid, view in hosts.items()}


def _status(
    view: HostView, standing: _Standing | None, cluster: str, start: Start | None, stopped: tuple[VmView, ...] | None
) -> HostStatus:
    if start is not None:
        standing = start.phase, start.reason, start.blockers
    phase, reason, blockers = standing or ("idle", "", ())
    return HostStatus(
        moid=view.moid,
        name=view.name,
        cluster=cluster,
        phase=phase,
        reason=reason,
        since=None if view.entry is None or start is not None else view.entry.at,
        blockers=blockers,
        vms=tuple(vm.name for vm in stopped or ()),
    )


def _standing(fleet: FleetIndex, view: HostView, in_progress: _InProgress) -> _Standing:
    next_step, entry = in_progress.next_steps.get(view.moid), view.entry
    if next_step is not None and (entry is None or next_step.reason not in ("", entry.text)):
        return next_step.phase, next_step.reason, ()
    if entry is not None:
        lock_state = in_progress.lock_states.get(view.host.compute_moid)
        locked = lock_state.blocker if lock_state is not None else None
        if locked is not None and is_active(entry):
            # A host that another run reboots is none of this run's, however far that one is.
            own = entry.run_id == fleet.observed.run_id
            return phase_of(view) if own else "blocked", locked.message, (locked,)
        phase = next_step.phase if next_step is not None else phase_of(view)
        text = ended_text(view, entry, taken=fleet.taken(view))
        return phase, text, gate_blockers(view, entry, text)
    blockers = next_hosts.unknown(fleet, view)
    if blockers:
        return "blocked", blockers[0].message, blockers
    pending = fleet.pending_reboots.get(view.moid)
    if pending is not None:
        return "waiting", f"{ANOTHER_RUN}{pending.reason}", ()
    return "idle", "it requires no reboot" if view.wanted else "it is not requested", ()


def _outlook(
    fleet: FleetIndex, state: Progress, in_progress: _InProgress, starts: Mapping[str, Start], *, finishing: bool
) -> Outlook:
    """``working`` as long as something is in progress; then the reasons why the remaining hosts wait."""
    wake = earliest(in_progress.wake, *(start.wake for start in starts.values()))
    moving = any(
        next_step.actions or next_step.wake is not None or is_active(fleet.hosts[moid].entry)
        for moid, next_step in in_progress.next_steps.items()
    )
    opening = any(lock_state.blocker is None and not lock_state.held for lock_state in in_progress.lock_states.values())
    acting = any(start.actions or "precheck" in fleet.hosts[moid].under_way for moid, start in starts.items())
    if moving or opening or acting:
        return Outlook(state="working", wake_at=wake)
    if finishing:
        return Outlook(state="finished")
    held = [start for start in starts.values() if start.phase == "waiting"]
    halt = pace.failure_limit(state, fleet.policy)
    if halt is not None and starts:
        return Outlook(state="halted", reasons=(halt.reason,))
    reasons = tuple(dict.fromkeys(start.reason for start in held))
    # Nothing is in progress, so no other host will make room: only time helps, or the administrator who paused it.
    paused_until = finish.pause_until(fleet)
    paused = any(start.paused for start in held) and (paused_until is None or fleet.now < paused_until)
    if paused or any(start.wake is not None for start in held):
        return Outlook(state="waiting", reasons=reasons, wake_at=earliest(wake, paused_until if paused else None))
    return finish.left_over(fleet, in_progress.lock_states, starts, reasons, wake)
