# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Three hosts to roll, served by a simulated vCenter over TLS, and what must be true of them in the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulator.lab.describe import describe
from simulator.simulator import Simulator
from tests.kill.ranks import assert_ranks

RANKS: Mapping[str, int] = {"train-02": 10, "train-01": 20}
"""Two VMs that pin the same host, in the order in which they are to be stopped."""

PINNED: Mapping[str, Any] = {
    "host": "esx-01",
    "memory_gb": 32,
    "power": "on",
    "extra": {"pciPassthru.use64bitMMIO": "TRUE", "pciPassthru.64bitMMIOSizeGB": "256"},
}

LAB: Mapping[str, Any] = {
    "kind": "vcenter",
    "version": "8.0.3",
    "name": "vc-01.lab",
    "knobs": {"boot_seconds": 45, "down_after_seconds": 8, "shutdown_seconds": 6, "guest_boot_seconds": 6},
    "hardware": {
        "node": {
            "memory_gb": 512,
            "cards": [
                {"card": "a100", "at": "3b", "enabled": True},
                {"card": "a100", "at": "5e", "enabled": True},
                {"card": "p5800x", "enabled": True, "active": False},
                "nvme-data",
            ],
        }
    },
    "datacenters": [
        {
            "name": "DC",
            "clusters": [
                {
                    "name": "gpu",
                    "drs": "fullyAutomated",
                    "hosts": [{"name": "esx-{:02d}.lab", "count": 3, "hardware": "node"}],
                    "vms": [
                        {"name": "train-01", "devices": [{"fixed": "0000:3b:00.0"}], **PINNED},
                        {"name": "train-02", "devices": [{"fixed": "0000:5e:00.0"}], **PINNED},
                        {"name": "web-01", "host": "esx-01", "power": "on"},
                        {"name": "web-02", "host": "esx-02", "power": "on"},
                        {"name": "spare", "host": "esx-03"},
                    ],
                }
            ],
        }
    ],
}


TASK: Mapping[str, Any] = {"cluster": ["gpu"], "pinned_vms": "shutdown", "vm_order": dict(RANKS)}


@dataclass
class Site:
    """A simulated vCenter over TLS, and what must be as before when all is done. ``told``: what the last run had to say."""

    sim: Simulator
    port: int
    ca_file: str
    folder: Path
    before: dict[str, Any] = field(default_factory=dict)
    told: str = ""

    def __post_init__(self) -> None:
        self.before = self.state()

    def home(self, name: str) -> Path:
        """Home, working directory and place of temporary files of a run: two homes know nothing of each other."""
        place = self.folder / name
        place.mkdir(exist_ok=True)
        return place

    def credentials(self) -> dict[str, str]:
        """Environment variables that the modules read."""
        account = next(iter(self.sim.authz.users.values()))
        return {
            "VMWARE_HOST": "localhost",
            "VMWARE_PORT": str(self.port),
            "VMWARE_USER": account.name,
            "VMWARE_PASSWORD": account.password,
            "VMWARE_CA_PATH": self.ca_file,
        }

    def proven(self) -> None:
        """Every host was rebooted once and all is as before, but for the debt: that is settled. Nothing of ours is left.

        VMs that pin one host were stopped in their order and started in reverse, over all runs together.
        """
        state = self.state()
        assert self.reboots() == dict.fromkeys(state["connection"], 1), self.told
        assert state == {**self.before, "pending": []}, self.told
        assert_ranks(self.sim, *RANKS)

    def reboots(self) -> Counter[str]:
        """Host → how often a call that reboots it had its effect."""
        return Counter(
            entry.name for entry in self.sim.journal.writes() if entry.method == "RebootHost_Task" and entry.effect
        )

    def state(self) -> dict[str, Any]:
        """What a user would find."""
        with self.sim.lock:
            seen = describe(self.sim)
        return {
            "connection": {host["name"]: host["connection"] for host in seen["hosts"]},
            "maintenance": sorted(host["name"] for host in seen["hosts"] if host["maintenance"] or host["entering"]),
            "pending": sorted(
                host["name"] for host in seen["hosts"] for device in host["devices"] if device["pending"]
            ),
            "power": {vm["name"]: vm["power"] for vm in seen["vms"]},
            "pinned": {vm["name"]: vm["host"] for vm in seen["vms"] if vm["devices"]},
            "attributes": leftovers(self.sim),
        }


def leftovers(sim: Simulator) -> list[str]:
    """Names of our custom attributes that are still defined."""
    manager = sim.content["customFieldsManager"]
    return sorted(item.name for item in manager.get("field") or () if item.name.startswith("directpath."))
