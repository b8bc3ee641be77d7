# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine on whole fleets: how long it takes beside the shortest time there is, and how many calls a host costs.

Times are those of the simulated vCenter, so the figures are exact and the same on every machine.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from unittest import mock

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling import loop
from simulator.lab.roll import reboot_times, roll_lab
from tests.unit.modules.host_rolling_reboot.lab import Roll

SHARED = ("CurrentTime", "WaitForUpdatesEx", "RetrievePropertiesEx", "ContinueRetrievePropertiesEx")
"""Calls that serve all hosts together."""


def rolled(clusters: int, **options: Any) -> tuple[Roll, dict[str, Any], float]:
    """A fleet of clusters of 16 hosts, rolled; the result, and the seconds it took."""
    names = list(reboot_times(clusters=clusters))
    roll = Roll.of(roll_lab(clusters=clusters, vms=1), owing=False, cluster=names, canary=False, **options)
    begun = roll.lab.sim.clock.now()
    # How long it will take is worked out for the user's eyes alone, for a small part of the time where time is real. Here, where
    # computing takes none, it would be half of all the work.
    with mock.patch.object(loop, "FORECAST_AGE", 3600.0):
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


FLEETS = [2, *(pytest.param(clusters, marks=pytest.mark.long) for clusters in (4, 8))]
"""Numbers of clusters. The larger ones say the same of 64 and 128 hosts; the largest is the one of docs/benchmarks.md."""


@pytest.mark.parametrize("clusters", FLEETS)
@pytest.mark.parametrize(("places", "share"), [("1", None), ("4", 2)], ids=["1 a cluster", "4 a cluster, 2 in all"])
def test_clusters_of_16_hosts_take_at_most_a_tenth_longer_than_they_must(
    clusters: int, places: str, share: int | None
) -> None:
    """``share``: places for each cluster on average, where all share them."""
    known = {
        host: {"drain": 20, "reboot": boot, "settle": 10}
        for hosts in reboot_times(clusters=clusters).values()
        for host, boot in hosts.items()
    }
    fleet = share * clusters if share else None
    options = {"fleet_max_unavailable": str(fleet)} if fleet else {}
    roll, _unused, took = rolled(clusters, max_unavailable=places, measured=known, **options)
    ideal = shortest(roll, clusters, int(places), fleet)
    print(
        f"{places} a cluster, {fleet or 'any'} in all: {took:.0f} s, at least {ideal:.0f} s, {took / ideal:.3f} times"
    )
    assert took <= 1.10 * ideal


@pytest.mark.parametrize("clusters", [4, pytest.param(8, marks=pytest.mark.long)])
def test_hosts_of_which_nothing_is_known_beforehand_take_little_longer_and_no_more_calls_each(clusters: int) -> None:
    roll, result, took = rolled(clusters, max_unavailable="4")
    ideal = shortest(roll, clusters, 4, None)
    print(f"4 a cluster, any in all, unknown: {took:.0f} s, at least {ideal:.0f} s, {took / ideal:.3f} times")
    assert took <= 1.10 * ideal
    small, large = calls(*rolled(1, max_unavailable="4")[:2]), calls(roll, result)
    assert large.own <= small.own + 0.5
    assert large.shared <= small.shared
    assert large.own + large.shared <= 60


@pytest.mark.parametrize("clusters", FLEETS)
def test_hosts_of_which_nothing_is_known_and_that_share_their_places(clusters: int) -> None:
    """With 16 places for 128 hosts that share them, it is a little more than a tenth (1.103 times): after the last start, 16
    hosts of unknown length end one after the other, and their places stay empty. Whoever starts hosts as places become free
    cannot lose more than the longest of them so (Graham 1966); moving VMs away comes on top, of which the shortest time knows
    nothing.
    """
    fleet = 2 * clusters
    roll, _unused, took = rolled(clusters, max_unavailable="4", fleet_max_unavailable=str(fleet))
    ideal = shortest(roll, clusters, 4, fleet)
    begun = max(call.time for call in roll.lab.sim.journal.calls if call.method == "EnterMaintenanceMode_Task")
    last = took - (roll.lab.sim.clock.now() - datetime.fromisoformat(begun)).total_seconds()
    print(
        f"4 a cluster, {fleet} in all, unknown: {took:.0f} s, at least {ideal:.0f} s, {took / ideal:.3f} times; "
        f"last start after {last:.0f} s"
    )
    moves = roll.lab.sim.knobs.get("migrate_seconds") * 16 * clusters / fleet
    longest = max(boot for hosts in reboot_times(clusters=clusters).values() for boot in hosts.values())
    assert took <= ideal + moves + longest


@dataclass(frozen=True, kw_only=True)
class Calls:
    """For each host: of its own, and of those that serve all hosts together."""

    own: float
    shared: float


def calls(roll: Roll, result: dict[str, Any]) -> Calls:
    """What is asked of a host itself is the same number in every fleet; what serves all together grows by less than they do."""
    counted = Counter(call.method for call in roll.lab.sim.journal.calls)
    hosts = len(result["rebooted"])
    together = sum(counted[method] for method in SHARED)
    found = Calls(own=(result["calls"] - together) / hosts, shared=together / hosts)
    print(
        f"{hosts} hosts: {found.own:.1f} calls a host of its own, {found.shared:.1f} shared; {counted.most_common(9)}"
    )
    return found
