# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast: windows, pauses, failures, checkpoints, canaries, soak, and the order of hosts. PRIVATE to the collection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter

from ...gate_record import GATE_FAILED
from ...text import counted, duration
from ..state.budget import resolve_amount
from ..state.fleet_index import FleetIndex
from ..state.journal import Entry, is_active
from ..state.observed import HostView
from ..state.policy import Durations, Policy
from .natural_sort import natural_key
from .windows import closes_at, longest, opens_at


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """A clause: why a host is not started now. ``wake``: when this may be over.

    Without ``wake``, other hosts in progress change it, or an administrator who ends a pause (``paused``), or only another run.
    """

    reason: str
    wake: float | None = None
    paused: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """What this rolling reboot has done so far, from the journal only."""

    done: tuple[tuple[HostView, Entry], ...]
    """In the order in which they were finished."""
    failed: tuple[HostView, ...]
    active: tuple[HostView, ...]
    total: int
    """Hosts of this rolling reboot: those with an entry and those that still wait."""
    slowest: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    """Model → the longest drain and the longest reboot of the hosts that are done, in seconds."""


def progress(fleet: FleetIndex, waiting: int) -> Progress:
    """Read the progress from the entries. ``waiting``: the number of hosts that still wait."""
    own = [(view, view.entry) for view in fleet.hosts.values() if view.entry is not None]
    mine = [(view, entry) for view, entry in own if entry.run_id == fleet.observed.run_id]
    done = sorted(((v, e) for v, e in mine if e.step == "done"), key=lambda pair: (pair[1].at, pair[0].name))
    return Progress(
        done=tuple(done),
        failed=(
            *(view for view, entry in mine if entry.step == "failed"),
            *(host.view for host in fleet.observed.gone if host.entry.run_id == fleet.observed.run_id),
        ),
        active=tuple(view for view, entry in own if is_active(entry)),
        total=len([entry for _unused, entry in mine if entry.step != "blocked"]) + waiting,
        slowest=_slowest(done),
    )


def _slowest(done: Iterable[tuple[HostView, Entry]]) -> Mapping[str, tuple[float | None, float | None]]:
    found: dict[str, tuple[float | None, float | None]] = {}
    for view, entry in done:
        drain, reboot = found.get(view.model, (None, None))
        found[view.model] = (_longer(drain, entry.drained), _longer(reboot, entry.rebooted))
    return found


def _longer(one: float | None, other: float | None) -> float | None:
    return max((seconds for seconds in (one, other) if seconds is not None), default=None)


def failure_limit(state: Progress, policy: Policy) -> Hold | None:
    """A hold when as many hosts have failed as the policy allows, or a health gate did not pass; otherwise None."""
    gates = [view.name for view in state.failed if view.entry is not None and view.entry.code == GATE_FAILED]
    if gates:
        return Hold(reason=f"the health gate after {', '.join(gates)} did not pass, so no other host is started")
    if not state.failed or len(state.failed) < resolve_amount(policy.max_failures, state.total):
        return None
    names = ", ".join(view.name for view in state.failed)
    count = len(state.failed)
    return Hold(reason=f"{count} host{'s' * (count > 1)} failed ({names}), so no other host is started")


def find_run_hold(fleet: FleetIndex, state: Progress) -> Hold | None:
    """Why no host at all may be started now; None if hosts may be started."""
    if fleet.observed.stop:
        return Hold(reason=fleet.observed.stop)
    if fleet.observed.pause:
        return Hold(reason=f"paused: {fleet.observed.pause}", paused=True)
    return failure_limit(state, fleet.policy) or _closed(fleet) or _checkpoint(fleet, state)


def _closed(fleet: FleetIndex) -> Hold | None:
    windows = fleet.policy.windows
    if not windows or closes_at(windows, fleet.wall) is not None:
        return None
    return Hold(reason="it is outside the maintenance window", wake=_on_run_clock(fleet, opens_at(windows, fleet.wall)))


def _on_run_clock(fleet: FleetIndex, moment: float | None) -> float | None:
    return None if moment is None else moment - fleet.observed.ahead


def _checkpoint(fleet: FleetIndex, state: Progress) -> Hold | None:
    now, policy, done = fleet.now, fleet.policy, state.done
    for count in sorted({resolve_amount(amount, state.total) for amount in policy.checkpoints}):
        if count >= state.total:
            continue
        if len(done) >= count:
            over = done[count - 1][1].at + policy.canary_soak
            if now < over:
                return Hold(reason=f"checkpoint after {counted(count, 'host')}", wake=over)
        elif len(done) + len(state.active) >= count:
            return Hold(reason=f"the checkpoint after {counted(count, 'host')} must be reached first")
    return None


def may_hold_hosts(fleet: FleetIndex) -> bool:
    """Whether ``find_host_hold`` can find anything."""
    policy = fleet.policy
    return bool(policy.canary or policy.windows or policy.checkpoints or any(c.pause for c in fleet.clusters.values()))


def find_host_hold(fleet: FleetIndex, state: Progress, view: HostView, started: Sequence[HostView]) -> Hold | None:
    """Why this host may not be started while others may. ``started``: hosts that are started in this same decision."""
    pause = fleet.cluster_of(view).pause
    if pause:
        return Hold(reason=f"its cluster is paused: {pause}", paused=True)
    return _canary(fleet, state, view, started) or _too_late(fleet, state, view) or _planned(fleet, state, started)


def _planned(fleet: FleetIndex, state: Progress, started: Sequence[HostView]) -> Hold | None:
    """The checkpoints again, counting the hosts that are about to be started."""
    if not started or not fleet.policy.checkpoints:
        return None
    return _checkpoint(fleet, replace(state, active=(*state.active, *started)))


def _canary(fleet: FleetIndex, state: Progress, view: HostView, started: Sequence[HostView]) -> Hold | None:
    """The first host of a model is started alone; the others follow when it is done and the soak time is over."""
    if not fleet.policy.canary:
        return None
    verified = next((entry for other, entry in state.done if other.model == view.model), None)
    what = f"of the model {view.model}" if view.model else "of its model"
    if verified is not None:
        over = verified.at + fleet.policy.canary_soak
        return Hold(reason=f"soak after the first host {what}", wake=over) if fleet.now < over else None
    # A host on which another run works is no canary for this run.
    mine = [other for other in state.active if other.entry is not None and other.entry.run_id == fleet.observed.run_id]
    ahead = next((other for other in (*mine, *started) if other.model == view.model), None)
    if ahead is not None:
        return Hold(reason=f"{ahead.name}, the first host {what}, must be done first")
    failed = (other for other in state.failed if other.moid != view.moid)
    broken = next((other for other in failed if other.model == view.model), None)
    if broken is not None:
        return Hold(reason=f"{broken.name}, the first host {what}, failed")
    return None


def _too_late(fleet: FleetIndex, state: Progress, view: HostView) -> Hold | None:
    windows = fleet.policy.windows
    closes = closes_at(windows, fleet.wall) if windows else None
    if closes is None:
        return None
    needs = estimate(view, state, fleet.policy).total
    if fleet.wall + needs <= closes:
        return None
    opens = _on_run_clock(fleet, opens_at(windows, fleet.wall, needs))
    if opens is None:
        return _too_long(needs)
    return Hold(reason=f"it takes about {duration(needs)} and the maintenance window closes before that", wake=opens)


def _too_long(needs: float) -> Hold:
    return Hold(reason=f"it takes about {duration(needs)}, which is longer than any maintenance window")


def longest_window(fleet: FleetIndex) -> float:
    """The longest time (seconds) from now on in which a host could be started and finished."""
    return longest(fleet.policy.windows, fleet.wall)


def never_fits(fleet: FleetIndex, state: Progress, views: Iterable[HostView]) -> Mapping[str, Hold]:
    """moid → hold of the hosts that no window is long enough for, by present knowledge, whether a window is open or not."""
    if not fleet.policy.windows:
        return {}
    most, needs = longest_window(fleet), dict[str, float]()
    found: dict[str, Hold] = {}
    for view in views:
        like = view.name if view.name in fleet.policy.measured else f" {view.model}"
        if like not in needs:
            needs[like] = estimate(view, state, fleet.policy).total
        if needs[like] > most:
            found[view.moid] = _too_long(needs[like])
    return found


def estimate(view: HostView, state: Progress, policy: Policy) -> Durations:
    """The measured durations of the host; else the longest ones of its model in this rolling reboot; else the known ones of the model."""
    own = policy.measured.get(view.name)
    if own is not None:
        return own
    drain, reboot = state.slowest.get(view.model, (None, None))
    known = policy.measured.get(view.model, policy.expected)
    return Durations(
        drain=known.drain if drain is None else drain,
        reboot=known.reboot if reboot is None else reboot,
        settle=known.settle,
    )


def in_order(fleet: FleetIndex, candidates: Iterable[HostView]) -> list[HostView]:
    """By the variables of the inventory, then clusters with the most hosts left, then the lowest load. Second attempts come last.

    Hosts known to take long come first among equals, so that the rolling reboot does not wait for one of them at its end.
    """
    ranks = fleet.memo.each(_rank, (fleet.policy,), fleet.hosts)
    return fleet.memo.once(_in_order, tuple(candidates), ranks)


_Rank = tuple[tuple[object, ...], tuple[object, ...]]
"""What counts before the number of hosts left in the cluster, and after it."""


def _in_order(candidates: tuple[HostView, ...], ranks: Mapping[str, _Rank]) -> list[HostView]:
    left = Counter(view.host.compute_moid for view in candidates)
    keyed = []
    for view in candidates:
        before, after = ranks[view.moid]
        keyed.append((before, -left[view.host.compute_moid], after, view))
    return [view for *_rank, view in sorted(keyed, key=itemgetter(0, 1, 2))]


def _rank(policy: Policy, view: HostView) -> _Rank:
    words = policy.order.get(view.name)
    tries = view.entry.tries if view.entry is not None and view.entry.step == "blocked" else 0
    known = policy.measured.get(view.name)
    minutes = 0 if known is None else round(known.total / 60)
    return (tries, words is None, natural_key(words or ())), (-minutes, view.load, view.name, view.moid)
