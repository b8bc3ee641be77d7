# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The complete schedule before anything is done: for check mode, and for the remaining time. PRIVATE to the collection.

It runs the scheduler repeatedly on a simulated fleet, in which every host takes the expected time and nothing fails.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from ...memo import Memo
from ...plain import Record
from ..state.fleet_index import FleetIndex, earliest, index_fleet
from ..state.journal import Entry, is_active
from ..state.lock import LockState, plan_lock
from ..state.observed import ClusterView, HostView, ObservedFleet, Precheck, VmView
from ..state.phases import HostStatus
from ..state.pinned import pin_reason, pinned_vms
from ..state.policy import Durations, Policy
from . import next_hosts, pace
from .host_texts import ended_text
from .next_hosts import Start

AFTER_REBOOT = ("verifying", "leaving", "restoring", "checking", "backing_out")
"""Steps of a host in progress after which it is not rebooted any more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedVm:
    """A VM that will be stopped, and why it cannot be migrated."""

    name: str
    moid: str
    reason: str
    order: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedHost:
    """A host that will be rebooted. ``wave`` counts from 1: hosts that start at the same time belong to one wave."""

    moid: str
    name: str
    cluster: str
    wave: int
    starts_at: float
    ends_at: float
    reason: str
    expected: Durations
    stops: tuple[PlannedVm, ...] = ()
    """In the order in which they are stopped; they are started in reverse order."""
    moves: tuple[str, ...] = ()
    """Names of running VMs that are migrated away."""
    moves_powered_off: tuple[str, ...] = ()
    """Names of VMs that vCenter registers on other hosts while they are off (``evacuate_powered_off``)."""
    gate: tuple[str, ...] = ()
    """What must be true of it before another host takes its place, as nouns."""
    in_progress: bool = False
    is_rebooted: bool = False
    """It is in progress, and its reboot is over, or does not take place."""

    def record(self, since: float) -> Record:
        """As data for results and reports. ``since``: the start of the forecast, seconds since the epoch."""
        return {
            "name": self.name,
            "cluster": self.cluster,
            "wave": self.wave,
            "starts_after_seconds": round(self.starts_at - since),
            "ends_after_seconds": round(self.ends_at - since),
            "reason": self.reason,
            "stops": [{"name": vm.name, "reason": vm.reason, "order": vm.order} for vm in self.stops],
            "moves": list(self.moves),
            "moves_powered_off": list(self.moves_powered_off),
            "gate": list(self.gate),
            "in_progress": self.in_progress,
            "is_rebooted": self.is_rebooted,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Forecast:
    """``hosts``: in the order in which they start; ``left``: hosts that would not be rebooted, with the reason; ``idle``: hosts that
    require no reboot."""

    at: float
    hosts: tuple[PlannedHost, ...]
    left: tuple[HostStatus, ...]
    idle: tuple[str, ...]

    @property
    def ends_at(self) -> float:
        """When the last host is done; ``at`` if there is none."""
        return max((host.ends_at for host in self.hosts), default=self.at)

    @property
    def waves(self) -> int:
        """The number of waves."""
        return max((host.wave for host in self.hosts), default=0)

    def record(self) -> Record:
        """As data for results and reports."""
        return {
            "waves": self.waves,
            "seconds": round(self.ends_at - self.at),
            "hosts": [host.record(self.at) for host in self.hosts],
            "stops": [vm.name for host in self.hosts for vm in host.stops],
            "left": [
                {
                    "name": status.name,
                    "cluster": status.cluster,
                    "phase": status.phase,
                    "reason": status.reason,
                    "blockers": [blocker.record() for blocker in status.blockers],
                }
                for status in self.left
            ],
            "idle": list(self.idle),
        }


def forecast(observed: ObservedFleet, policy: Policy, now: float) -> Forecast:
    """The schedule if nothing else changes. Prechecks count as up to date; hosts without a precheck count as not blocked."""
    now = float(int(now))
    lock_states = _lock_states(observed, policy, now)
    planned: dict[str, PlannedHost] = {}
    memo, running = Memo(), _in_progress(observed, policy, now, lock_states, planned)
    observed = _never_outdated(observed)
    at, wave = now, 0
    while True:
        fleet, answers = _ask(observed, policy, at, lock_states, memo)
        started = [moid for moid, answer in answers.items() if answer.actions]
        if started:
            wave += 1
            state = pace.progress(fleet, 0)
            for moid in started:
                planned[moid] = _plan(fleet, moid, wave, pace.estimate(fleet.hosts[moid], state, policy))
                running[moid] = planned[moid].ends_at
            observed = _with_entries(observed, {moid: _entry_of(answers[moid]) for moid in started})
            continue
        wakes = (answer.wake for answer in answers.values() if answer.phase == "waiting")
        following = earliest(*running.values(), *(wake for wake in wakes if wake is not None and wake > at))
        if following is None:
            return _forecast(observed, policy, now, planned, answers, lock_states)
        at = following
        ended = [moid for moid, end in running.items() if end <= at]
        observed = _with_entries(observed, {moid: _done(observed, planned[moid]) for moid in ended})
        running = {moid: end for moid, end in running.items() if end > at}


def _lock_states(observed: ObservedFleet, policy: Policy, now: float) -> Mapping[str, LockState]:
    """Clusters that another run has locked stay locked; this run gets all the others."""
    lock_states = {cluster.moid: plan_lock(cluster, observed, policy, now) for cluster in observed.clusters}
    return {
        moid: lock_state if lock_state.blocker is not None else LockState(held=True)
        for moid, lock_state in lock_states.items()
    }


def _in_progress(
    observed: ObservedFleet,
    policy: Policy,
    now: float,
    lock_states: Mapping[str, LockState],
    planned: dict[str, PlannedHost],
) -> dict[str, float]:
    """Host id → its end, for hosts that are in progress: their start plus the expected duration. Hosts that another live run works on are
    not included."""
    fleet = index_fleet(observed, policy, now)
    state = pace.progress(fleet, 0)
    for view in state.active:
        entry = view.entry
        if entry is not None and lock_states[view.host.compute_moid].blocker is None:
            expected = pace.estimate(view, state, policy)
            host = _plan(fleet, view.moid, 0, expected)
            if entry.step != "draining":  # what runs on it now was powered on, or moved there, after its evacuation
                host = replace(host, stops=(), moves=(), moves_powered_off=())
            ends = max(now + 1, entry.started + expected.total + policy.gate.soak)
            planned[view.moid] = replace(
                host,
                starts_at=entry.started,
                ends_at=ends,
                in_progress=True,
                is_rebooted=entry.rebooted is not None or entry.step in AFTER_REBOOT,
                reason="in progress",
            )
    return {moid: host.ends_at for moid, host in planned.items()}


def _never_outdated(observed: ObservedFleet) -> ObservedFleet:
    """Every host has a precheck, and none is ever too old."""

    def prechecked(view: HostView) -> HostView:
        precheck = replace(view.precheck, at=math.inf) if view.precheck is not None else Precheck(at=math.inf)
        return replace(view, precheck=precheck)

    return replace(observed, hosts=tuple(prechecked(view) for view in observed.hosts))


def _ask(
    observed: ObservedFleet, policy: Policy, at: float, lock_states: Mapping[str, LockState], memo: Memo
) -> tuple[FleetIndex, Mapping[str, Start]]:
    fleet = index_fleet(observed, policy, at, memo)
    candidates = [view for view in fleet.hosts.values() if next_hosts.is_candidate(fleet, view)]
    state = pace.progress(fleet, len(candidates))
    return fleet, next_hosts.starts(fleet, candidates, state, lock_states)


def _plan(fleet: FleetIndex, moid: str, wave: int, expected: Durations) -> PlannedHost:
    view = fleet.hosts[moid]
    cluster = fleet.cluster_of(view)
    residents = fleet.residents.get(moid, ())
    running = [vm for vm in residents if vm.is_on]
    pinned = pinned_vms(running, cluster)
    pending = fleet.pending_reboots.get(moid)
    return PlannedHost(
        moid=moid,
        name=view.name,
        cluster=cluster.name,
        wave=wave,
        starts_at=fleet.now,
        ends_at=fleet.now + expected.total + fleet.policy.gate.soak,
        gate=fleet.policy.gate.describe(),
        reason=pending.reason if pending is not None else "",
        stops=tuple(
            PlannedVm(name=vm.name, moid=vm.moid, reason=pin_reason(vm, cluster), order=vm.order) for vm in pinned
        ),
        moves=tuple(sorted(vm.name for vm in running if not pin_reason(vm, cluster))),
        moves_powered_off=_registered_elsewhere(residents, pinned, cluster, fleet.policy),
        expected=expected,
    )


def _registered_elsewhere(
    residents: Iterable[VmView], stopped: Collection[VmView], cluster: ClusterView, policy: Policy
) -> tuple[str, ...]:
    """VMs that are off, or are stopped for the reboot, and that another host can take. A fixed device blocks the host before that."""
    if not policy.evacuate_powered_off or not cluster.is_cluster:
        return ()
    off = [vm for vm in residents if vm in stopped or not vm.is_on]
    return tuple(sorted(vm.name for vm in off if not (vm.agent or vm.local_datastores)))


def _entry_of(answer: Start) -> Entry:
    entry = answer.actions[0].entry
    if not isinstance(entry, Entry):
        raise ValueError("a host is started with an entry")
    return entry


def _done(observed: ObservedFleet, host: PlannedHost) -> Entry:
    entry = next(view.entry for view in observed.hosts if view.moid == host.moid)
    if entry is None:
        raise ValueError("a host that was started has an entry")
    took = host.expected
    return replace(
        entry, step="done", at=host.ends_at, asked=host.starts_at, drained=took.drain, rebooted=took.reboot, gate=False
    )


def _with_entries(observed: ObservedFleet, entries: Mapping[str, Entry]) -> ObservedFleet:
    return replace(
        observed,
        hosts=tuple(_with_entry(view, entries[view.moid]) if view.moid in entries else view for view in observed.hosts),
    )


def _with_entry(view: HostView, entry: Entry) -> HostView:
    """A finished host is in service and requires no reboot, whatever its state was before."""
    if entry.step != "done":
        return replace(view, entry=entry)
    settled = tuple(device.rebooted() for device in view.host.devices)
    back = replace(view.host, connection_state="connected", in_maintenance_mode=entry.by_operator, devices=settled)
    return replace(view, entry=entry, host=back, entering=False, expected_reboot=None, graphics=None)


def _forecast(
    observed: ObservedFleet,
    policy: Policy,
    now: float,
    planned: Mapping[str, PlannedHost],
    answers: Mapping[str, Start],
    lock_states: Mapping[str, LockState],
) -> Forecast:
    fleet = index_fleet(observed, policy, now)
    left, idle = [], []
    for view in fleet.hosts.values():
        answer = answers.get(view.moid)
        cluster = fleet.cluster_of(view).name
        status = HostStatus(moid=view.moid, name=view.name, cluster=cluster, phase="blocked")
        unknown = next_hosts.unknown(fleet, view)
        if view.moid in planned:
            continue
        if answer is not None:
            left.append(replace(status, phase=answer.phase, reason=answer.reason, blockers=answer.blockers))
        elif is_active(view.entry) and (locked := lock_states[view.host.compute_moid].blocker) is not None:
            left.append(replace(status, reason=locked.message, blockers=(locked,)))
        elif view.entry is not None and not is_active(view.entry) and view.entry.step != "done":
            phase = "failed" if view.entry.step == "failed" else "blocked"
            text = ended_text(view, view.entry, taken=fleet.taken(view))
            left.append(replace(status, phase=phase, reason=text))  # type: ignore[arg-type]
        elif unknown:
            left.append(replace(status, reason=unknown[0].message, blockers=unknown))
        elif view.wanted:
            idle.append(view.name)
    hosts = sorted(planned.values(), key=lambda host: (host.starts_at, host.wave, host.cluster, host.name))
    return Forecast(at=now, hosts=tuple(hosts), left=tuple(left), idle=tuple(idle))
