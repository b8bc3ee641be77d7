# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine on whole fleets: how long it takes beside the shortest time there is, and how many calls a host costs.

Times are those of the simulated vCenter, so the figures are exact and the same on every machine.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

import pytest
from rolling_lab import Roll

from simulator.lab.roll import reboot_times, roll_lab

SHARED = ("CurrentTime", "WaitForUpdatesEx", "RetrievePropertiesEx", "ContinueRetrievePropertiesEx")
"""Calls that serve all hosts together."""


def rolled(clusters: int, **options: Any) -> tuple[Roll, dict[str, Any], float]:
    """A fleet of clusters of 16 hosts, rolled; the result, and the seconds it took."""
    names = list(reboot_times(clusters=clusters))
    roll = Roll.of(roll_lab(clusters=clusters, vms=1), owing=False, cluster=names, canary=False, **options)
    begun = roll.lab.sim.clock.now()
    result = roll.run()
    assert result["state"] == "finished"
    assert len(result["rebooted"]) == 16 * clusters
    assert set(roll.reboots().values()) == {1}
    return roll, result, (roll.lab.sim.clock.now() - begun).total_seconds()


def shortest(roll: Roll, clusters: int, places: int, fleet: int | None) -> float:
    """No schedule is shorter: the work spread evenly over all places, and the longest host."""
    value = roll.lab.sim.knobs.get
    fixed = value("maintenance_seconds") + value("down_after_seconds") + value("exit_maintenance_seconds")
    times = [[fixed + boot for boot in hosts.values()] for hosts in reboot_times(clusters=clusters).values()]
    bounds = [max(*cluster, sum(cluster) / places) for cluster in times]
    return max([*bounds, *([sum(map(sum, times)) / fleet] if fleet else [])])


@pytest.mark.parametrize(("places", "fleet"), [("1", None), ("4", 16)], ids=["1 a cluster", "4 a cluster, 16 in all"])
def test_8_clusters_of_16_hosts_take_at_most_a_tenth_longer_than_they_must(places: str, fleet: int | None) -> None:
    known = {
        host: {"drain": 20, "reboot": boot, "settle": 10}
        for hosts in reboot_times(clusters=8).values()
        for host, boot in hosts.items()
    }
    options = {"fleet_max_unavailable": str(fleet)} if fleet else {}
    roll, _unused, took = rolled(8, max_unavailable=places, measured=known, **options)
    ideal = shortest(roll, 8, int(places), fleet)
    print(
        f"{places} a cluster, {fleet or 'any'} in all: {took:.0f} s, at least {ideal:.0f} s, {took / ideal:.3f} times"
    )
    assert took <= 1.10 * ideal


@pytest.mark.parametrize(
    ("places", "fleet", "most"),
    [("4", None, 1.10), ("4", 16, None)],
    ids=["4 a cluster", "4 a cluster, 16 in all"],
)
def test_hosts_of_which_nothing_is_known_beforehand(places: str, fleet: int | None, most: float | None) -> None:
    """With 16 places for 128 hosts that share them, it is a little more than a tenth (1.103 times): after the last start, 16
    hosts of unknown length end one after the other, and their places stay empty. Whoever starts hosts as places become free
    cannot lose more than the longest of them so (Graham 1966); moving VMs away comes on top, of which the shortest time knows
    nothing.
    """
    options = {"fleet_max_unavailable": str(fleet)} if fleet else {}
    roll, _unused, took = rolled(8, max_unavailable=places, **options)
    ideal = shortest(roll, 8, int(places), fleet)
    calls = roll.lab.sim.journal.calls
    begun = max(call.time for call in calls if call.method == "EnterMaintenanceMode_Task")
    last = took - (roll.lab.sim.clock.now() - datetime.fromisoformat(begun)).total_seconds()
    print(
        f"{places} a cluster, {fleet or 'any'} in all, unknown: {took:.0f} s, at least {ideal:.0f} s, "
        f"{took / ideal:.3f} times; last start after {last:.0f} s"
    )
    moves = roll.lab.sim.knobs.get("migrate_seconds") * 128 / (fleet or 8 * int(places))
    longest = max(boot for hosts in reboot_times(clusters=8).values() for boot in hosts.values())
    assert took <= (most * ideal if most is not None else ideal + moves + longest)


def test_a_host_costs_the_same_calls_in_a_small_and_in_a_large_fleet() -> None:
    """What is asked of a host itself is the same number; what serves all hosts together grows by less than they do."""
    own: dict[int, float] = {}
    shared: dict[int, float] = {}
    for clusters in (1, 4):
        roll, result, _unused = rolled(clusters, max_unavailable="4")
        calls = Counter(call.method for call in roll.lab.sim.journal.calls)
        hosts = 16 * clusters
        together = sum(calls[method] for method in SHARED)
        own[hosts], shared[hosts] = (result["calls"] - together) / hosts, together / hosts
        print(
            f"{hosts} hosts: {own[hosts]:.1f} calls a host of its own, {shared[hosts]:.1f} shared; {dict(calls.most_common(9))}"
        )
    small, large = min(own), max(own)
    assert own[large] <= own[small] + 0.5
    assert shared[large] <= shared[small]
    assert own[large] + shared[large] <= 60
