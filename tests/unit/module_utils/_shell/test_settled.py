# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a comparison shows and publishes when nothing is left to do."""

from __future__ import annotations

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.settled import (
    proof_lines,
    settled_lines,
    settled_stats,
)
from ansible_collections.directpath.vsphere.plugins.plugin_utils.report.first_comparison import first_result
from ansible_collections.directpath.vsphere.plugins.plugin_utils.report.stats import run_stats

HOSTS = [{"name": "esx-1", "devices": [{"address": "0000:3b:00.0", "name": "A100", "setting": "active"}]}]
SETTLED = {"settled": True, "summary": "1 host, 0 VMs: in sync", "report": {"hosts": HOSTS, "vms": []}}


def test_the_summary_comes_before_the_hosts() -> None:
    assert settled_lines("1 host, 0 VMs: in sync", HOSTS, []) == [
        "1 host, 0 VMs: in sync; nothing is left to do",
        "esx-1: 1 active (0000:3b:00.0 A100)",
    ]


def test_what_is_published_is_what_the_role_publishes_of_the_same_result() -> None:
    result = first_result(SETTLED)
    assert result is not None
    assert settled_stats("vc-1") == {
        "data": run_stats(result, "verify", "vc-1"),
        # The defaults of ansible.builtin.set_stats.
        "per_host": False,
        "aggregate": True,
    }


def test_of_many_hosts_the_first_and_the_notable_ones_are_told() -> None:
    hosts = [{"name": f"esx-{n}", "devices": [], "in_maintenance_mode": n == 5} for n in range(1, 8)]
    vms = [{"name": f"vm-{n}", "memory": {"fully_reserved": n < 4}, "power_state": "poweredOn"} for n in range(1, 5)]
    told = proof_lines(hosts, vms, most=3)
    assert [line.split(":")[0] for line in told] == [
        *("esx-1", "esx-2", "esx-3", "esx-5", "and 3 more hosts"),
        *("vm-1", "vm-2", "vm-3", "vm-4"),
    ]
    assert told[3].endswith("in maintenance mode")
    assert told[-1] == "vm-4: 0 attached, memory not fully reserved, poweredOn"


def test_what_a_report_of_drift_says_is_proof_as_well() -> None:
    hosts = [{"name": "esx-1", "devices": [{"address": "0000:3b:00.0", "name": "A100", "setting": "active"}]}]
    vms = [{"name": "vm-1", "status": "in_sync", "fully_reserved": True, "devices": [{}], "power_state": "poweredOn"}]
    assert proof_lines(hosts, vms) == [
        "esx-1: 1 active (0000:3b:00.0 A100)",
        "vm-1: 1 attached, all memory reserved, poweredOn",
    ]


def test_proof_names_devices_and_memory() -> None:
    devices = [
        {"address": "0000:3b:00.0", "name": "A100", "active": True},
        {"address": "0000:af:00.0", "active": False},
    ]
    vm = {"name": "vm", "devices": [{}, {}], "memory": {"fully_reserved": True}, "power_state": "poweredOn"}
    elsewhere = {**vm, "name": "other", "status": "skipped"}
    hosts = [{"name": "esx-01", "devices": devices}, {"name": "esx-02", "in_maintenance_mode": True}]
    assert proof_lines(hosts, [vm, elsewhere]) == [
        "esx-01: 1 active (0000:3b:00.0 A100)",
        "esx-02: 0 active, in maintenance mode",
        "vm: 2 attached, all memory reserved, poweredOn",
    ]
