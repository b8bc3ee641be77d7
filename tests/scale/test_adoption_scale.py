# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adopting a fleet: the calls do not grow with it but for pages, and the intent grows with what differs, not with what there is."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.unit.modules.harness import Lab
from tests.unit.modules.intent_info.adopted import Adopted

ROOM = {"pciPassthru.use64bitMMIO": "TRUE", "pciPassthru.64bitMMIOSizeGB": "128"}
SECONDS = 120
"""CPU seconds of a thousand hosts, without building the lab: a multiple of what it takes."""


def fleet(hosts: int) -> dict[str, Any]:
    """Clusters of 50 hosts with two A100 that are passed through, and five VMs a host: one with a fixed card, which runs, one with a
    dynamic card, which is off, and three without."""
    clusters = []
    for first in range(0, hosts, 50):
        names = [f"gpu-{number:04d}.lab" for number in range(first, min(first + 50, hosts))]
        cards = [
            {"card": "a100", "at": "3b", "enabled": True},
            {"card": "a100", "at": "5e", "enabled": True},
            "nvme-data",
        ]
        machines: list[dict[str, Any]] = []
        for name in names:
            short = name.partition(".")[0]
            common = {"host": name, "memory_gb": 8}
            machines += [
                {
                    **common,
                    "name": f"{short}-fixed",
                    "devices": [{"fixed": "0000:3b:00.0"}],
                    "extra": ROOM,
                    "power": "on",
                },
                {**common, "name": f"{short}-dynamic", "devices": [{"dynamic": "10de:20f1"}], "extra": ROOM},
                *({**common, "name": f"{short}-{number}"} for number in range(3)),
            ]
        listed = [{"name": name, "memory_gb": 1024, "pad": 32, "cards": cards} for name in names]
        clusters.append(
            {"name": f"cluster-{first // 50:02d}", "drs": "fullyAutomated", "hosts": listed, "vms": machines}
        )
    return {
        "kind": "vcenter",
        "version": "8.0.3",
        "name": "vc-fleet.lab",
        "datacenters": [{"name": "Fleet", "clusters": clusters}],
    }


def adopt(hosts: int) -> tuple[Adopted, float]:
    lab = Lab.load(fleet(hosts))
    begin = time.process_time()
    adopted = Adopted.of(lab, "vcenter")
    return adopted, time.process_time() - begin


def test_the_calls_do_not_grow_with_the_fleet() -> None:
    small, large = adopt(2)[0], adopt(12)[0]
    assert small.result["calls"] == large.result["calls"]


@pytest.mark.long
def test_a_thousand_hosts() -> None:
    adopted, seconds = adopt(1000)
    lines = sum(len(text.splitlines()) for text in adopted.files.values())
    calls = adopted.result["calls"]
    begin = time.process_time()
    drift = adopted.drift()
    compared = time.process_time() - begin
    print(f"\nadopt: {calls} calls, {seconds:.1f} CPU s; {lines} lines; drift {compared:.1f} CPU s")
    assert adopted.result["not_adopted"] == []
    assert (len(adopted.result["hosts"]), len(adopted.result["vms"])) == (1000, 2000)
    assert lines < 2100, "one line for a VM, and one entry for a cluster"
    assert drift["status"] == "in_sync"
    assert adopted.planned() == []
    assert adopted.drift({})["status"] == "drift"
    assert seconds < SECONDS
