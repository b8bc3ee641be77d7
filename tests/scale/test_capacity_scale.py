# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counting the devices of a fleet: the calls do not grow with it but for pages, and no step looks at all VMs for each host."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.scale.test_adoption_scale import ROOM
from tests.unit.modules.harness import Lab

A100, FUNCTION = "10de:20f1", "8086:154c"
SECONDS = 60
"""CPU seconds of a thousand hosts, without building the lab: a multiple of what it takes."""


def fleet(hosts: int) -> Lab:
    """Clusters of 50 hosts with eight A100 and 128 virtual functions. Five VMs a host use one A100 each, wherever it is free."""
    clusters = []
    cards = [{"card": "a100", "at": f"{0x10 + 8 * number:02x}", "enabled": True} for number in range(8)]
    one = {
        "memory_gb": 1024,
        "pad": 32,
        "cards": [*cards, {"card": "x710", "at": "e0"}, "nvme-data"],
        "states": {f"0000:e0:00.{port}": {"virtual_functions": 64} for port in range(2)},
    }
    machine = {"memory_gb": 8, "devices": [{"dynamic": A100}], "power": "on", "locked": True, "extra": ROOM}
    for first in range(0, hosts, 50):
        names = [f"gpu-{number:04d}.lab" for number in range(first, min(first + 50, hosts))]
        machines = [{**machine, "name": f"{name[:8]}-{number}", "host": name} for name in names for number in range(5)]
        clusters.append(
            {
                "name": f"cluster-{first // 50:02d}",
                "ha": True,
                "drs": "fullyAutomated",
                "hosts": [{**one, "name": name} for name in names],
                "vms": machines,
            }
        )
    described = {"kind": "vcenter", "version": "8.0.3", "name": "vc-fleet.lab"}
    return Lab.load({**described, "datacenters": [{"name": "Fleet", "clusters": clusters}]})


def count(lab: Lab, hosts: int, match: str = A100, **more: Any) -> tuple[dict[str, Any], float]:
    """The result, whose numbers are right, and its CPU seconds."""
    begin = time.process_time()
    result = lab.run("host_capacity_info", fit=[{"match": match, **more}])
    seconds = time.process_time() - begin
    rows = [row for row in result["stock"] if row["model"] == A100]
    assert (sum(row["used"] for row in rows), sum(row["free"] for row in rows)) == (5 * hosts, 3 * hosts)
    assert result["unknown"] == []
    assert [fit["when"] for fit in result["fit"]] == ["now"] * hosts
    failures = [host for cluster in result["failures"] for host in cluster["hosts"]]
    assert len(failures) == hosts
    assert all(len(host["restarts"]) == 5 for host in failures) or hosts < 3
    return result, seconds


def test_the_calls_do_not_grow_with_the_fleet() -> None:
    small, large = count(fleet(2), 2)[0], count(fleet(12), 12, count=3)[0]
    assert small["calls"] == large["calls"]


@pytest.mark.long
def test_a_thousand_hosts() -> None:
    lab = fleet(1000)
    for options in ({"match": A100, "count": 2}, {"match": FUNCTION, "virtual_function": True, "count": 3}):
        result, seconds = count(lab, 1000, **options)
        sets = sum(fit["sets"] for fit in result["fit"])
        print(f"\ncapacity: {result['calls']} calls, {seconds:.1f} CPU s; {sets} sets; {len(result['stock'])} rows")
        assert sets == 1000 * (1 if options["match"] == A100 else 42)
        assert seconds < SECONDS
