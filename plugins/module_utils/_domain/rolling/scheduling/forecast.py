# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The complete schedule before anything is done: for check mode, and for the time that is left. PRIVATE to the collection.

The scheduler itself is asked, over and over, in a world in which every host takes the time it is expected to take and nothing goes wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..state.fleet_index import Scene, scene_of, soonest
from ..state.journal import Entry
from ..state.observed import Exam, HostView, World
from ..state.phases import HostStatus, is_active
from ..state.pinned import pin_reason, pinned_vms
from ..state.policy import Durations, Policy
from . import next_hosts, pace
from .lock import Hand, hand_of
from .next_hosts import Start


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedVm:
    """A VM that will be stopped, and why it cannot be moved instead."""

    name: str
    moid: str
    reason: str
    order: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedHost:
    """A host that will be rebooted. ``wave`` counts from 1: hosts that start at the same moment are of one wave."""

    moid: str
    name: str
    cluster: str
    wave: int
    starts_at: float
    ends_at: float
    reason: str
    expected: Durations
    stops: tuple[PlannedVm, ...] = ()
    """In the order in which they are stopped; they start in reverse order."""
    moves: tuple[str, ...] = ()
    """Names of running VMs that are moved away."""
    in_progress: bool = False

    def record(self, since: float) -> dict[str, Any]:
        return {
            "name": self.name,
            "cluster": self.cluster,
            "wave": self.wave,
            "starts_after_seconds": round(self.starts_at - since),
            "ends_after_seconds": round(self.ends_at - since),
            "reason": self.reason,
            "stops": [{"name": vm.name, "reason": vm.reason, "order": vm.order} for vm in self.stops],
            "moves": list(self.moves),
            "in_progress": self.in_progress,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Forecast:
    """``hosts`` in the order in which they start; ``left`` are those that would not be, with why; ``idle`` owe nothing."""

    at: float
    hosts: tuple[PlannedHost, ...]
    left: tuple[HostStatus, ...]
    idle: tuple[str, ...]

    @property
    def ends_at(self) -> float:
        return max((host.ends_at for host in self.hosts), default=self.at)

    @property
    def waves(self) -> int:
        return max((host.wave for host in self.hosts), default=0)

    def record(self) -> dict[str, Any]:
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


def forecast(world: World, policy: Policy, now: float) -> Forecast:
    """What the roll will be if nothing changes meanwhile. Examinations count as fresh, and hosts without one as harmless."""
    now = float(int(now))
    hands = _hands(world, policy, now)
    planned: dict[str, PlannedHost] = {}
    world, running = _in_progress(world, policy, now, planned)
    at, wave = now, 0
    while True:
        world = _refreshed(world, at)
        scene, answers = _ask(world, policy, at, hands)
        begun = [moid for moid, answer in answers.items() if answer.actions]
        if begun:
            wave += 1
            for moid in begun:
                planned[moid] = _plan(scene, moid, wave)
                running[moid] = planned[moid].ends_at
            world = _with_entries(world, {moid: _entry_of(answers[moid]) for moid in begun})
            continue
        wakes = (answer.wake for answer in answers.values() if answer.phase == "waiting")
        following = soonest(*running.values(), *(wake for wake in wakes if wake is not None and wake > at))
        if following is None:
            return _forecast(world, policy, now, planned, answers)
        at = following
        ended = [moid for moid, end in running.items() if end <= at]
        world = _with_entries(world, {moid: _done(world, planned[moid]) for moid in ended})
        running = {moid: end for moid, end in running.items() if end > at}


def _hands(world: World, policy: Policy, now: float) -> Mapping[str, Hand]:
    """Clusters that others have locked stay so; all others are ours."""
    hands = {cluster.moid: hand_of(cluster, world, policy, now) for cluster in world.clusters}
    return {moid: hand if hand.blocker is not None else Hand(held=True) for moid, hand in hands.items()}


def _in_progress(
    world: World, policy: Policy, now: float, planned: dict[str, PlannedHost]
) -> tuple[World, dict[str, float]]:
    """Hosts that are in hand already end when they are expected to, seen from when they were started."""
    scene = scene_of(world, policy, now)
    state = pace.progress(scene, 0)
    for view in state.active:
        entry = view.entry
        if entry is not None:
            expected = pace.estimate(view, state.done, policy)
            host = _plan(scene, view.moid, 0, expected)
            ends = max(now + 1, entry.started + expected.total)
            planned[view.moid] = replace(
                host, starts_at=entry.started, ends_at=ends, in_progress=True, reason="in progress"
            )
    return world, {moid: host.ends_at for moid, host in planned.items()}


def _refreshed(world: World, at: float) -> World:
    """Every examination is of this very moment."""

    def examined(view: HostView) -> HostView:
        exam = replace(view.exam, at=at) if view.exam is not None else Exam(at=at)
        return replace(view, exam=exam)

    return replace(world, hosts=tuple(examined(view) for view in world.hosts))


def _ask(world: World, policy: Policy, at: float, hands: Mapping[str, Hand]) -> tuple[Scene, Mapping[str, Start]]:
    scene = scene_of(world, policy, at)
    candidates = [view for view in scene.hosts.values() if next_hosts.is_candidate(scene, view)]
    state = pace.progress(scene, len(candidates))
    return scene, next_hosts.starts(scene, candidates, state, hands)


def _plan(scene: Scene, moid: str, wave: int, expected: Durations | None = None) -> PlannedHost:
    view = scene.hosts[moid]
    cluster = scene.cluster_of(view)
    running = [vm for vm in scene.residents.get(moid, ()) if vm.is_on]
    pinned = pinned_vms(running, cluster)
    if expected is None:
        expected = pace.estimate(view, pace.progress(scene, 0).done, scene.policy)
    debt = scene.debts.get(moid)
    return PlannedHost(
        moid=moid,
        name=view.name,
        cluster=cluster.name,
        wave=wave,
        starts_at=scene.now,
        ends_at=scene.now + expected.total,
        reason=debt.reason if debt is not None else "",
        stops=tuple(
            PlannedVm(name=vm.name, moid=vm.moid, reason=pin_reason(vm, cluster), order=vm.order) for vm in pinned
        ),
        moves=tuple(sorted(vm.name for vm in running if not pin_reason(vm, cluster))),
        expected=expected,
    )


def _entry_of(answer: Start) -> Entry:
    entry = answer.actions[0].entry
    if not isinstance(entry, Entry):
        raise ValueError("a host is started with an entry")
    return entry


def _done(world: World, host: PlannedHost) -> Entry:
    entry = next(view.entry for view in world.hosts if view.moid == host.moid)
    if entry is None:
        raise ValueError("a host that was started has an entry")
    took = host.expected
    return replace(entry, step="done", at=host.ends_at, asked=host.starts_at, drained=took.drain, rebooted=took.reboot)


def _with_entries(world: World, entries: Mapping[str, Entry]) -> World:
    return replace(
        world,
        hosts=tuple(_with_entry(view, entries[view.moid]) if view.moid in entries else view for view in world.hosts),
    )


def _with_entry(view: HostView, entry: Entry) -> HostView:
    """A host that is done serves again and owes nothing, whatever it was in the middle of."""
    if entry.step != "done":
        return replace(view, entry=entry)
    settled = tuple(replace(device, active=device.enabled) for device in view.host.devices)
    back = replace(view.host, connection_state="connected", in_maintenance_mode=entry.theirs, devices=settled)
    return replace(view, entry=entry, host=back, entering=False, expected_debt=None)


def _forecast(
    world: World, policy: Policy, now: float, planned: Mapping[str, PlannedHost], answers: Mapping[str, Start]
) -> Forecast:
    scene = scene_of(world, policy, now)
    left, idle = [], []
    for view in scene.hosts.values():
        answer = answers.get(view.moid)
        cluster = scene.cluster_of(view).name
        status = HostStatus(moid=view.moid, name=view.name, cluster=cluster, phase="blocked")
        unknown = next_hosts.unknown(scene, view)
        if view.moid in planned:
            continue
        if answer is not None:
            left.append(replace(status, phase=answer.phase, reason=answer.reason, blockers=answer.blockers))
        elif view.entry is not None and not is_active(view.entry) and view.entry.step != "done":
            phase = "failed" if view.entry.step == "failed" else "blocked"
            left.append(replace(status, phase=phase, reason=view.entry.text))  # type: ignore[arg-type]
        elif unknown:
            left.append(replace(status, reason=unknown[0].message, blockers=unknown))
        elif view.wanted:
            idle.append(view.name)
    hosts = sorted(planned.values(), key=lambda host: (host.starts_at, host.wave, host.cluster, host.name))
    return Forecast(at=now, hosts=tuple(hosts), left=tuple(left), idle=tuple(idle))
