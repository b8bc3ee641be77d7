# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a capture costs: the calls of a drift report, pages of events, and one call a host for partition tables."""

from __future__ import annotations

import resource
import time
from pathlib import Path
from typing import Any

import pytest
from pyVmomi import vim

from simulator.core.clock import ManualClock
from simulator.simulator import Simulator
from tests.unit.modules.harness import Lab

MOST_OF_A_DRIFT = 40
"""See test_drift.py: a fleet costs no more than forty calls."""
CONTINUES = "ContinueRetrievePropertiesEx"


def fleet(hosts: int) -> Lab:
    return Lab.load({"kind": "vcenter", "version": "8.0.3", "name": "vc-fleet.lab",
                     "fleet": {"hosts": hosts, "vms": 5 * hosts, "per_cluster": min(50, hosts), "devices": 32, "ready": 90}})  # fmt: skip


def measured(lab: Lab, path: Path) -> tuple[dict[str, Any], int]:
    """The result, and the calls that no host, page or cluster explains."""
    result = lab.run("capture", path=str(path))
    cost = result["cost"]
    rest = cost["calls"] - sum(number for name, number in cost.items() if name != "calls")
    return result, rest


def test_ten_hosts_and_forty_cost_the_same_beside_one_call_each(tmp_path: Path) -> None:
    rests = set()
    for hosts in (10, 40):
        result, rest = measured(fleet(hosts), tmp_path / "capture.json.gz")
        assert result["cost"]["partition_calls"] == hosts
        assert result["cost"]["event_pages"] == 1
        assert result["cost"]["target_calls"] == 1
        rests.add(rest)
    assert len(rests) == 1
    assert rests.pop() <= MOST_OF_A_DRIFT
    assert f"{hosts} calls for the partition tables" in result["lines"][0]


def test_each_page_has_a_thousand_events(tmp_path: Path) -> None:
    lab = Lab.load("three_hosts")
    host = lab.sim.find_entity("esx-01.lab")
    for _number in range(1200):
        lab.sim.post_event(vim.event.HostConnectedEvent, host)
    result, _rest = measured(lab, tmp_path / "capture.json")
    assert result["cost"]["event_pages"] == 2
    lab.sim.journal.clear()
    result = lab.run("capture", path=str(tmp_path / "capture.json"), events=False, tags=False)
    assert "ReadNextEvents" not in lab.sim.journal.counters.methods
    assert (result["cost"]["event_pages"], result["cost"]["tag_calls"]) == (0, 0)


def test_events_beyond_the_last_page_are_in_the_notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.capture.reboots.MOST_PAGES", 1
    )
    lab = Lab.load("three_hosts")
    for number, notes in ((999, []), (1, ["Only the oldest 1,000 events were read, so later reboots are unknown"])):
        for _event in range(number):
            lab.sim.post_event(vim.event.HostConnectedEvent, lab.sim.find_entity("esx-01.lab"))
        result, _rest = measured(lab, tmp_path / "capture.json")
        assert (result["cost"]["event_pages"], result["notes"]) == (1, notes)


@pytest.mark.slow
@pytest.mark.parametrize("hosts", [100, pytest.param(1000, marks=pytest.mark.long)])
def test_a_fleet(hosts: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Calls, seconds, size, memory; and the twin answers about as fast as the lab."""
    lab = fleet(hosts)
    path = tmp_path / "capture.json.gz"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    result, rest = measured(lab, path)
    seconds = time.process_time() - began
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert rest <= MOST_OF_A_DRIFT
    assert (result["hosts"], result["vms"]) == (hosts, 5 * hosts)
    assert result["size"] <= 1500 * hosts, "a kilobyte and a half for a host and its five VMs"
    assert memory <= 100 + 2 * hosts
    began = time.process_time()
    twin = Lab(sim=Simulator.from_lab(path, clock=ManualClock()))
    loaded = time.process_time() - began
    assert loaded <= max(seconds, 1)
    with capsys.disabled():
        print(
            f"{hosts} hosts: {result['cost']}, {seconds:.1f} CPU s, {result['size']} bytes, {memory:.0f} MB, twin in {loaded:.1f} CPU s"
        )
    times = []
    for each in (lab, twin):
        began = time.process_time()
        each.run("host_pci_device_info")
        each.run("vm_pci_device_info", include="all")
        times.append(time.process_time() - began)
    assert times[1] <= 2 * times[0] + 1
