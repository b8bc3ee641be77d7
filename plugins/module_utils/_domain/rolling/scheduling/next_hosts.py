# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts are started now, and why others are not. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ...gate_record import GateVms
from ...health_gate import gate_targets, gate_vms
from ...host.blockers import unreachable
from ...planning.plan import Blocker
from ...text import counted
from ..blockers.rules import precheck_blockers, quick_blockers
from ..state.actions import Action
from ..state.budget import cluster_budget, count_down, counts_as_down, describe_down, fleet_budget
from ..state.codec import fits
from ..state.fleet_index import FleetIndex, earliest
from ..state.journal import Entry, Lock, is_active
from ..state.lock import LockState
from ..state.observed import ClusterView, HostView, VmView
from ..state.pending_reboot import is_part_of
from ..state.phases import Phase
from ..state.pinned import is_powered_off_by_vcenter, pinned_vms
from ..state.policy import Policy
from ..state.verification import before_reboot
from ..steps import health_gate
from ..steps.drain import request_reboot
from . import pace
from .pace import Progress


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """What happens to a host that requires a reboot and is not in progress. ``paused``: an administrator paused it and can resume it."""

    phase: Phase
    reason: str
    actions: tuple[Action, ...] = ()
    blockers: tuple[Blocker, ...] = ()
    wake: float | None = None
    paused: bool = False
    hopeless: bool = False
    """It would not fit into any maintenance window: waiting does not help."""


def is_candidate(fleet: FleetIndex, view: HostView) -> bool:
    """The host requires a reboot, and was not already rebooted for the same pending changes."""
    pending = fleet.pending_reboots.get(view.moid)
    if pending is None or is_active(view.entry):
        return False
    entry = view.entry
    if entry is None:
        return True
    if health_gate.is_due(fleet, view):
        return False
    if entry.step == "blocked":
        return entry.run_id != fleet.observed.run_id or entry.tries < fleet.policy.tries
    same = is_part_of(pending.mark, entry.pending) and entry.asked is not None
    if entry.step == "done":
        return entry.run_id != fleet.observed.run_id if fleet.policy.reason == "firmware" else not same
    if entry.step == "failed":
        return not same and view.in_service and not fleet.stopped_vms.get(view.moid) and _is_older(fleet, view, entry)
    return entry.run_id != fleet.observed.run_id and not same and view.in_service


def _is_older(fleet: FleetIndex, view: HostView, entry: Entry) -> bool:
    """The entry was written by an earlier run."""
    held = fleet.cluster_of(view).lock
    return not isinstance(held, Lock) or entry.at < held.since


def is_to_verify_again(fleet: FleetIndex, view: HostView) -> bool:
    """It failed in an earlier run, stayed in maintenance mode, and this run is to verify such hosts again."""
    entry = view.entry
    if entry is None or entry.step != "failed" or fleet.policy.failed_hosts != "verify":
        return False
    return (
        view.host.is_reachable
        and view.in_maintenance
        and not entry.by_operator
        and view.maintenance_is_own is not False
    )


def unknown(fleet: FleetIndex, view: HostView) -> tuple[Blocker, ...]:
    """A blocker for a requested host whose pending reboot is unknown, because it is not reachable."""
    return (unreachable(view.host),) if view.wanted and not view.host.is_reachable else ()


def starts(
    fleet: FleetIndex,
    candidates: Sequence[HostView],
    state: Progress,
    lock_states: Mapping[str, LockState],
    also_down: Iterable[HostView] = (),
) -> Mapping[str, Start]:
    """One result for each candidate, by moid. Blocked hosts do not count against the budget; each start reduces it for the next ones.

    ``also_down``: hosts that count against it from now on.
    """
    room = _Room(fleet)
    for view in also_down:
        room.take(view)
    hold = pace.find_run_hold(fleet, state)
    single_holds = pace.may_hold_hosts(fleet)
    started: list[HostView] = []
    answers: dict[str, Start | str] = {}
    quick, prechecked = _find_blockers(fleet, candidates)
    for view in pace.in_order(fleet, candidates):
        moid = view.moid
        blockers = (quick[moid], prechecked.get(moid, ()))
        held = hold or _rest(fleet, view)
        if held is None and single_holds:
            held = pace.find_host_hold(fleet, state, view, started)
        answer = _one(fleet, view, lock_states[view.host.compute_moid], room, held, blockers)
        if not isinstance(answer, str) and (answer.actions or "precheck" in view.under_way):
            room.take(view)
            started.append(view)
        answers[moid] = answer
    waiting = fleet.memo.each(
        _waiting, (), {moid: answer for moid, answer in answers.items() if isinstance(answer, str)}
    )
    return {moid: waiting[moid] if isinstance(answer, str) else answer for moid, answer in answers.items()}


def _waiting(reason: str) -> Start:
    return Start(phase="waiting", reason=reason)


def reasons(
    fleet: FleetIndex, candidates: Sequence[HostView], state: Progress, lock_states: Mapping[str, LockState]
) -> Mapping[str, str]:
    """moid → a clause: why the host is not rebooted, at the end of the run."""
    held = {moid: LockState(held=True) for moid in fleet.clusters}
    found = starts(fleet, candidates, state, {**held, **lock_states})
    return {
        moid: start.reason if not start.actions else "it could be started now, by another run"
        for moid, start in found.items()
    }


def _find_blockers(
    fleet: FleetIndex, candidates: Sequence[HostView]
) -> tuple[Mapping[str, tuple[Blocker, ...]], Mapping[str, tuple[Blocker, ...]]]:
    """Host id → its quick blockers, and for hosts with a precheck those from the precheck.

    Most hosts wait for long without a change: their rules are not evaluated in each decision.
    """
    memo, vms = fleet.memo, fleet.residents
    views = {view.moid: view for view in candidates}
    clusters = {view.moid: fleet.cluster_of(view) for view in candidates}
    prechecked = {moid: view for moid, view in views.items() if view.precheck is not None}
    members = {moid: fleet.members[view.host.compute_moid] for moid, view in prechecked.items()}
    return (
        memo.each(_quick, (fleet.policy,), views, vms, clusters),
        memo.each(_prechecked, (fleet.policy,), prechecked, vms, clusters, members),
    )


def _quick(policy: Policy, view: HostView, vms: Sequence[VmView] | None, cluster: ClusterView) -> tuple[Blocker, ...]:
    return quick_blockers(view, vms or (), cluster, (), policy)


def _prechecked(
    policy: Policy, view: HostView, vms: Sequence[VmView] | None, cluster: ClusterView, members: Sequence[HostView]
) -> tuple[Blocker, ...]:
    others = [other for other in members if other.moid != view.moid]
    return precheck_blockers(view, vms or (), cluster, others, policy)


class _Room:
    """The remaining budgets while hosts are started."""

    def __init__(self, fleet: FleetIndex) -> None:
        self._fleet = fleet
        members, down = fleet.members, fleet.memo.each(count_down, (), fleet.members)
        self._left = {
            moid: cluster_budget(cluster, len(members.get(moid, ())), fleet.policy) - down.get(moid, 0)
            for moid, cluster in fleet.clusters.items()
        }
        self._slots = fleet_budget(len(fleet.hosts), fleet.policy) - sum(down.values())
        self._down = fleet.memo.each(counts_as_down, (), fleet.hosts)
        self._full: dict[str, str] = {}

    def take(self, view: HostView) -> None:
        """Count the host against the budgets."""
        if not self._down[view.moid]:
            self._left[view.host.compute_moid] -= 1
            self._slots -= 1
            self._full.clear()

    def refusal(self, view: HostView) -> str:
        """A clause: why the budgets do not allow to start the host; empty when they do."""
        if self._down[view.moid]:
            return ""
        moid = view.host.compute_moid
        if moid not in self._full:
            self._full[moid] = self._why_full(moid)
        return self._full[moid]

    def _why_full(self, moid: str) -> str:
        policy, cluster = self._fleet.policy, self._fleet.clusters[moid]
        if self._left[moid] < 1:
            members = self._fleet.members[moid]
            budget = cluster_budget(cluster, len(members), policy)
            described = self._fleet.memo.each(describe_down, (), self._fleet.members)
            down = described[moid] or "others are being started"
            return f"at most {budget} of {counted(len(members), 'host')} of {cluster.name} may be down at once: {down}"
        if self._slots < 1:
            return f"at most {fleet_budget(len(self._fleet.hosts), policy)} hosts of the fleet may be down at once"
        return ""


def _one(
    fleet: FleetIndex,
    view: HostView,
    lock_state: LockState,
    room: _Room,
    hold: pace.Hold | None,
    blockers: tuple[tuple[Blocker, ...], tuple[Blocker, ...]],
) -> Start | str:
    """``hold``: why the host may not be started now. ``blockers``: the quick ones, and those from the precheck. A text: why the host waits
    for the budget, as most hosts do."""
    found, prechecked = blockers
    if lock_state.blocker is not None:
        return Start(
            phase="blocked",
            reason=lock_state.blocker.message,
            blockers=(lock_state.blocker, *found),
            wake=lock_state.wake,
        )
    precheck, policy_gate = view.precheck, fleet.policy.gate
    prechecked = found or prechecked
    if prechecked and (found or precheck is None or fleet.now < precheck.at + fleet.policy.revisit):
        wake = precheck.at + fleet.policy.revisit if precheck is not None and not found else None
        return Start(phase="blocked", reason=prechecked[0].message, blockers=prechecked, wake=wake)
    if hold is not None:
        return Start(phase="waiting", reason=hold.reason, wake=hold.wake, paused=hold.paused)
    full = room.refusal(view)
    if full:
        return full
    if not lock_state.held:
        return Start(
            phase="waiting", reason=f"this run must lock {fleet.cluster_of(view).name} first", wake=lock_state.wake
        )
    if "precheck" in view.under_way:
        return Start(phase="waiting", reason="its precheck is running")
    if precheck is None or fleet.now >= precheck.at + fleet.policy.precheck_age or prechecked:
        action = Action(kind="precheck", target=view.moid, name=view.name, reason="it is to be started")
        return Start(phase="waiting", reason="its precheck is running", actions=(action,))
    gate = _gate_blockers(fleet, view) if policy_gate.checks else ()
    if gate:
        return Start(phase="blocked", reason=gate[0].message, blockers=gate)
    return _refused(fleet, view) or _begin(fleet, view)


def _refused(fleet: FleetIndex, view: HostView) -> Start | None:
    """The journal could not be written when the host was started. Without the journal nothing is done."""
    refusal = view.refusal
    if refusal is None or (view.entry is not None and view.entry.at >= int(refusal.at)):
        return None
    if refusal.permanent:
        blocker = Blocker(
            code="journal_refused",
            message=f"{view.name} is skipped, because its journal cannot be written: {refusal.text}",
            cure="Grant the account the privilege to set custom attributes on it, or store the journal in a file (journal: file)",
        )
        return Start(phase="blocked", reason=blocker.message, blockers=(blocker,))
    due = int(refusal.at) + fleet.policy.deadlines.retry
    return Start(phase="waiting", reason=refusal.text, wake=due) if fleet.now < due else None


def _rest(fleet: FleetIndex, view: HostView) -> pace.Hold | None:
    """A host that was given up before is retried after a while."""
    entry = view.entry
    if entry is None or entry.step != "blocked" or fleet.now >= entry.at + fleet.policy.revisit:
        return None
    return pace.Hold(reason=f"will be retried: {entry.text}", wake=entry.at + fleet.policy.revisit)


def _gate_vms(fleet: FleetIndex, view: HostView) -> GateVms | None:
    running = [vm for vm in fleet.residents.get(view.moid, ()) if vm.is_on and not vm.agent]
    stopped = [vm.moid for vm in pinned_vms(running, fleet.cluster_of(view))]
    return gate_vms(fleet.policy.gate, stopped, {vm.moid: vm.name for vm in running})


def _gate_blockers(fleet: FleetIndex, view: HostView) -> tuple[Blocker, ...]:
    """A gate that could never pass is found before the host is started."""
    names = {vm.moid: vm.name for vm in fleet.observed.vms}
    for target in gate_targets(fleet.policy.gate, GateVms(stopped=(), ran=()), names):
        if target.problem:
            return (
                Blocker(
                    code="gate_without_vm",
                    message=f"{view.name} is not started: ready_when checks {target.describe()}, but {target.problem} in these clusters",
                    cure="Correct the name in ready_when",
                ),
            )
    vms = _gate_vms(fleet, view)
    if vms is not None and not fits(vms):
        count = len({*vms.stopped, *(vms.ran or ())})
        return (
            Blocker(
                code="too_many_gate_vms",
                message=f"{view.name} is not started: ready_when would check {count} of its VMs, more than the journal can hold",
                cure="Limit them with names, such as names: ['svm-*'], to those that matter for the next host",
            ),
        )
    return ()


def _begin(fleet: FleetIndex, view: HostView) -> Start:
    """Start the host: write its present state, then the intention, then make the call."""
    now, policy, pending = fleet.now, fleet.policy, fleet.pending_reboots[view.moid]
    again = view.entry is not None and view.entry.step == "blocked" and view.entry.run_id == fleet.observed.run_id
    boot = view.host.boot_time
    entry = Entry(
        run_id=fleet.observed.run_id,
        step="draining",
        at=now,
        started=now,
        by_operator=view.in_maintenance,
        tries=view.entry.tries + 1 if again and view.entry is not None else 1,
        calls=1,
        called=now,
        pending=pending.mark,
        boot=None if boot is None else float(int(boot)),
        gate=policy.gate.is_set,
    )
    vms = _gate_vms(fleet, view)
    if view.in_maintenance:
        next_step = request_reboot(fleet, view, replace(entry, drained=0.0), pending.reason, before_reboot(view), vms)
        return Start(phase=next_step.phase, reason=next_step.reason, actions=next_step.actions)
    running = [vm for vm in fleet.residents.get(view.moid, ()) if vm.is_on]
    early = any(is_powered_off_by_vcenter(vm, fleet.cluster_of(view)) for vm in running)
    action = Action(
        kind="record" if early else "enter_maintenance",
        target=view.moid,
        name=view.name,
        reason=pending.reason,
        entry=replace(entry, calls=0, called=0.0) if early else entry,
        before=before_reboot(view),
        gate_vms=vms,
        timeout=policy.deadlines.drain,
        evacuate_powered_off=policy.evacuate_powered_off,
        vsan_mode=policy.vsan_mode,
    )
    return Start(
        phase="draining", reason=pending.reason, actions=(action,), wake=earliest(now + policy.deadlines.drain)
    )
