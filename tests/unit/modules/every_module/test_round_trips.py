# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cost follows drift, not the size of the fleet: round trips are counted, and they are exact."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.modules.harness import Lab

pytestmark = pytest.mark.slow

A100 = {"match": "10de:20f1"}
PAGING = {"ContinueRetrievePropertiesEx"}


def fleet(hosts: int) -> dict[str, Any]:
    return {
        "kind": "vcenter",
        "version": "8.0.3",
        "users": [{"name": "administrator@vsphere.local", "password": "VMware1!", "role": "Admin"}],
        "datacenters": [
            {
                "name": "DC1",
                "clusters": [
                    {
                        "name": "compute",
                        "drs": "fullyAutomated",
                        "hosts": [
                            {"name": "esx-{:03d}.lab", "count": hosts, "cards": ["a100", "a100", "nvme", "x710"]}
                        ],
                        "vms": [{"name": "web-{:03d}", "count": hosts * 2, "memory_gb": 8}],
                    }
                ],
            }
        ],
    }


def calls_without_paging(lab: Lab) -> list[str]:
    return [entry.method for entry in lab.sim.journal.calls if entry.method not in PAGING]


@pytest.mark.parametrize(
    ("module", "options"),
    [
        ("host_pci_device_info", {}),
        ("host_pci_device_info", {"gather_vms": False, "gather_protection": False}),
        ("host_capacity_info", {"fit": [A100]}),
        ("host_passthrough", {"cluster": ["compute"], "devices": [A100]}),
        ("host_rolling_reboot", {"cluster": ["compute"]}),
        ("drift_info", {"targets": [{"cluster": ["compute"], "devices": []}], "scope": "fleet"}),
        ("vm_pci_device_info", {"include": "all"}),
        ("vm_guest_info", {"vms": ["web-001"], "guest_user": "root", "guest_password": "Guest1!"}),
        ("vm_memory_reservation", {"vm": ["web-001", "web-002"]}),
        ("vm_pci_device", {"vm": ["web-001"], "devices": [A100], "state": "absent"}),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_looking_at_a_hundred_hosts_costs_what_ten_cost(module: str, options: dict[str, Any]) -> None:
    costs = []
    for hosts in (10, 100):
        lab = Lab.load(fleet(hosts))
        lab.sim.journal.clear()
        lab.run(module, check=True, **options)
        costs.append(calls_without_paging(lab))
    assert costs[0] == costs[1]
    # A rolling reboot looks through a property filter, and asks where its journal can be.
    assert len(costs[0]) <= (18 if module == "host_rolling_reboot" else 12)


def test_a_converged_cluster_of_fifty_is_only_looked_at() -> None:
    lab = Lab.load(fleet(50))
    lab.run("host_passthrough", cluster=["compute"], devices=[A100])
    lab.sim.journal.clear()
    result = lab.run("host_passthrough", cluster=["compute"], devices=[A100])
    assert result["changed"] is False
    assert lab.writes() == []
    assert lab.calls() <= 12


def test_one_drifted_host_of_fifty_is_the_only_one_written_to() -> None:
    lab = Lab.load(fleet(50))
    lab.run("host_passthrough", cluster=["compute"], devices=[A100])
    lab.run("host_passthrough", hosts=["esx-017"], devices=[A100], state="disabled")
    lab.sim.journal.clear()
    result = lab.run("host_passthrough", cluster=["compute"], devices=[A100])
    assert {change["target"] for change in result["changes"]} == {"esx-017.lab"}
    assert lab.writes() == ["UpdatePassthruConfig", "Refresh"]


def test_settling_many_hosts_is_one_wait() -> None:
    lab = Lab.load(fleet(20))
    lab.sim.journal.clear()
    lab.run("host_passthrough", cluster=["compute"], devices=[A100])
    methods = [entry.method for entry in lab.sim.journal.calls]
    assert methods.count("UpdatePassthruConfig") == 20
    assert methods.count("CreateFilter") == 1


def test_many_devices_and_their_memory_are_one_reconfigure() -> None:
    lab = Lab.load("three_hosts")
    lab.run("host_passthrough", cluster=["compute"], devices=[A100])
    lab.sim.journal.clear()
    lab.run("vm_pci_device", vm=["train-01"], devices=[{**A100, "count": 2}], mmio={})
    assert lab.writes() == ["ReconfigVM_Task"]


@pytest.mark.parametrize(
    ("module", "options", "read"),
    [
        ("host_passthrough", {"hosts": ["esx-017"], "devices": [A100]}, {"host-17"}),
        ("vm_memory_reservation", {"vm": ["web-001"]}, set()),
        ("vm_pci_device_info", {"vms": ["web-001"]}, set()),
    ],
)
def test_devices_are_read_only_of_the_hosts_that_are_meant(
    module: str, options: dict[str, Any], read: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server lists hundreds of PCI functions: asking a thousand hosts for them, to look at one, is not cheap."""
    from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.property_collector import retrieve

    seen: set[str] = set()
    honest = retrieve._row

    def watched(content: Any) -> retrieve.Row:
        row = honest(content)
        if "hardware.pciDevice" in row.values:
            seen.add(row.moid)
        return row

    monkeypatch.setattr(retrieve, "_row", watched)
    Lab.load(fleet(20)).run(module, check=True, **options)
    assert seen == read
