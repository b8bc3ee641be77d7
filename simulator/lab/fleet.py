# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Big labs from a few numbers: `fleet: {hosts: 1000, vms: 5000}` in a lab file, or `fleet_lab(hosts=10)` in a test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .expand import unknown_keys
from .hardware.cards import LabError

DEFAULTS = {
    "hosts": 1000,
    "vms": 5000,
    "per_cluster": 50,
    "devices": 32,
    "ready": 50,
    "attached": 0,
    "version": "8.0.3",
}
"""`devices` are PCI functions a host; `ready` is the share of hosts, in percent, whose GPUs are enabled and active. The first `attached`
VMs of each cluster have a GPU, and run; one for each ready host at most."""
_WITH_GPU = {
    "devices": [{"dynamic": "10de:20f1"}],
    "extra": {"pciPassthru.use64bitMMIO": "TRUE", "pciPassthru.64bitMMIOSizeGB": "128"},
}


def datacenters(numbers: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One datacenter with clusters of `per_cluster` hosts, the VMs spread over them. Raises LabError."""
    unknown_keys(numbers, DEFAULTS, "fleet")
    values = {**DEFAULTS, **numbers}
    total, size, vms = int(values["hosts"]), int(values["per_cluster"]), int(values["vms"])
    if min(total, size) < 1 or vms < 0:
        raise LabError("fleet: hosts and per_cluster are at least 1, vms at least 0")
    clusters: list[dict[str, Any]] = []
    placed = 0
    for first in range(0, total, size):
        count = min(size, total - first)
        share = vms * (first + count) // total - placed
        placed += share
        clusters.append(_cluster(len(clusters) + 1, count, share, values))
    return [{"name": "Fleet", "clusters": clusters}]


def _cluster(number: int, hosts: int, vms: int, values: Mapping[str, Any]) -> dict[str, Any]:
    ready = hosts * int(values["ready"]) // 100
    name = f"cluster-{number:02d}"
    common = {"memory_gb": 1024, "pad": int(values["devices"]), "version": values["version"]}
    rest = ["p5800x", "nvme-data", {"card": "x710"}]
    groups = [
        ("new", hosts - ready, {"card": "a100", "count": 2}),
        ("ready", ready, {"card": "a100", "count": 2, "enabled": True}),
    ]
    listed = [
        {"name": f"{kind}-{{:02d}}.{name}.lab", "count": count, "cards": [gpus, *rest], **common}
        for kind, count, gpus in groups
        if count
    ]
    machine = {"name": f"{name}-vm-{{:03d}}", "power": "on", "memory_gb": 8}
    attached = min(int(values["attached"]), vms, ready)
    groups_of_vms = [
        {**machine, "count": attached, "host": f"ready-{{:02d}}.{name}.lab", **_WITH_GPU},
        {**machine, "count": vms - attached, "first": attached + 1},
    ]
    machines = [group for group in groups_of_vms if group["count"]]
    return {"name": name, "drs": "fullyAutomated", "hosts": listed, "vms": machines}


def fleet_lab(**numbers: Any) -> dict[str, Any]:
    """A whole lab, for tests: `fleet_lab(hosts=100, vms=200)`."""
    return {"kind": "vcenter", "version": str(numbers.get("version", DEFAULTS["version"])), "fleet": numbers}
