# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a roll of 4 or 8 clusters with 16 hosts each takes, compared with the shortest time the budget allows at all."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.policy import (
    Durations,
    LockRule,
    Pinned,
    Policy,
)
from tests.unit.module_utils._domain.rolling.miniature import HostS, State, VmS, begin
from tests.unit.module_utils._domain.rolling.timed import Pace, roll

pytestmark = pytest.mark.slow

HOSTS = 16
PACE = Pace(seed=7)
POLICY = Policy(canary=False, pinned=Pinned(action="shutdown"), lock=LockRule(settle=3))


def fleet(clusters: int) -> State:
    """Each host with a VM that moves, each fourth one with a VM that does not."""
    hosts, vms = [], []
    for c in range(clusters):
        for h in range(HOSTS):
            name = f"c{c}-h{h:02}"
            hosts.append(HostS(name, f"c{c}"))
            if h % 4 == 0:
                vms.append(VmS(f"{name}-gpu", name, pinned=True))
    return begin(tuple(hosts), tuple(vms))


def alone(name: str) -> int:
    """Seconds the host itself needs: nothing the scheduler does could make it less."""
    seconds = sum(PACE.of(f"{name} {kind}") for kind in ("is empty", "goes down", "comes back"))
    vm = f"{name}-gpu"
    return seconds + (PACE.of(f"{vm} shuts down") if int(name[-2:]) % 4 == 0 else 0)


def shortest(state: State, per_cluster: int, fleet_wide: int) -> float:
    """No schedule is shorter than its work spread evenly over all places, or than its longest host."""
    bounds = [sum(alone(host.moid) for host in state.hosts) / fleet_wide]
    for cluster in {host.cluster for host in state.hosts}:
        times = [alone(host.moid) for host in state.hosts if host.cluster == cluster]
        bounds += [sum(times) / per_cluster, max(times)]
    return max(bounds)


def in_turn(times: Iterable[int], places: int) -> int:
    """Seconds until the last is done when each starts, in this order, as soon as there is a place."""
    free = [0] * places
    for seconds in times:
        heapq.heapreplace(free, free[0] + seconds)
    return max(free)


def larger(*values: object) -> Any:
    """For `make long`: twice the fleet costs four times as much."""
    return pytest.param(*values, marks=pytest.mark.long)


@pytest.mark.parametrize(
    ("clusters", "per_cluster", "fleet_wide", "measured"),
    [
        (4, 1, None, False),
        (4, 4, 8, False),
        (4, "25%", None, True),
        larger(8, 1, None, False),
        larger(8, 2, 8, False),
        larger(8, 4, 16, False),
        larger(8, "25%", None, True),
    ],
)
def test_it_takes_at_most_a_tenth_longer_than_it_must(
    clusters: int, per_cluster: int | str, fleet_wide: int | None, measured: bool
) -> None:
    places = per_cluster if isinstance(per_cluster, int) else 4
    start = fleet(clusters)
    ideal = shortest(start, places, fleet_wide or clusters * places)
    known = (
        {host.moid: Durations(drain=0, reboot=alone(host.moid), settle=0) for host in start.hosts} if measured else {}
    )
    policy = replace(POLICY, max_unavailable=per_cluster, fleet_max_unavailable=fleet_wide, measured=known)
    result = roll(start, policy, PACE)
    print(
        f"{per_cluster} a cluster, {fleet_wide or 'any'} in all: {result.seconds} s, at least {ideal:.0f} s, {result.looks} looks"
    )
    assert result.state.ended == "finished"
    assert result.seconds <= 1.10 * ideal
    assert max(number for cluster, number in result.peak.items() if cluster != "*") == places
    assert result.peak["*"] == (fleet_wide or clusters * places)


@pytest.mark.parametrize("clusters", [4, larger(8)])
def test_of_hosts_of_which_nothing_is_known_none_waits_while_there_is_a_place(clusters: int) -> None:
    """Four at a time of sixteen in a cluster, the slowest thrice as slow as the fastest: that the slow ones should have gone first
    is known to nobody, and may cost a tenth. Nothing else is lost: it takes as long as they take one after the other.
    """
    start = fleet(clusters)
    ideal = shortest(start, 4, clusters * 4)
    names = {host.cluster for host in start.hosts}
    times = {name: [alone(host.moid) for host in start.hosts if host.cluster == name] for name in names}
    possible = max(in_turn(hosts, 4) for hosts in times.values())
    known = max(in_turn(sorted(hosts, reverse=True), 4) for hosts in times.values())
    result = roll(start, replace(POLICY, max_unavailable=4), PACE)
    print(
        f"4 a cluster, any in all, unknown: {result.seconds} s, at least {ideal:.0f} s, {result.seconds / ideal:.3f} times; "
        f"{possible} s in the order of names, {known} s with the slowest first"
    )
    assert result.state.ended == "finished"
    assert result.seconds <= 1.01 * possible
    assert max(number for cluster, number in result.peak.items() if cluster != "*") == 4


@pytest.mark.long
def test_hosts_of_which_nothing_is_known_cost_less_than_the_longest_of_them() -> None:
    """Whoever starts hosts as places become free cannot lose more than that at the end (Graham 1966)."""
    start = fleet(8)
    ideal = shortest(start, 4, 8 * 4)
    longest = max(alone(host.moid) for host in start.hosts)
    result = roll(start, replace(POLICY, max_unavailable=4, canary=True), PACE)
    canary = alone("c0-h00")
    print(f"25% a cluster, unknown, canary of {canary} s: {result.seconds} s, at least {ideal + canary:.0f} s")
    assert result.seconds <= ideal + canary + longest * 3 / 4
