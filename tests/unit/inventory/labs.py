# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""vCenters for inventories, and the account to read them with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

NAME = "directpath.vsphere.pci_hosts"
PLUGIN = f"plugin: {NAME}\n"
ACCOUNT = "administrator@vsphere.local"
PASSWORD = "VMware1!"  # the simulator's test value


def lab(name: str, *hosts: dict[str, Any], vms: Sequence[dict[str, Any]] = (), **more: Any) -> dict[str, Any]:
    """A vCenter with one cluster named after it."""
    cluster = {"name": f"gpu {name}", "hosts": list(hosts), "vms": list(vms)}
    return {"kind": "vcenter", "version": "8.0.3", "datacenters": [{"name": "DC", "clusters": [cluster]}], **more}


GPU = {"card": "a100", "count": 2, "enabled": True}
WAITING = {"name": "esx-02.lab", "version": "6.7.0", "cards": ["t4", "nvme-data"]}
LAB_A = lab(
    "a",
    {"name": "esx-01.lab", "cards": [GPU, "nvme-data"]},
    WAITING,
    {"name": "esx-03.lab", "cards": ["nvme-data"], "maintenance": True},
    vms=[
        {"name": "train-01", "host": "esx-01", "memory_gb": 16, "version": 20},
        {"name": "web-01", "host": "esx-01"},
        {"name": "{{ 6 * 7 }}", "host": "esx-01", "memory_gb": 16, "version": 20},
    ],
)
LAB_B = lab("b", {"name": "esx-11.lab", "cards": ["nvme-data"]})
