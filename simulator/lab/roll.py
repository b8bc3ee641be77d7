# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters for a rolling reboot: every host requires a reboot, and each takes a different time.

`roll_fleet: {clusters: 8, hosts: 16}` in a lab file, or `roll_lab(clusters=8, hosts=16)` in a test. The same numbers give
the same lab in every run; `reboot_times` says beforehand how long each host is going to take.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .expand import unknown_keys
from .hardware.cards import LabError, token

DEFAULTS: dict[str, Any] = {
    "clusters": 8,
    "hosts": 16,
    "vms": 4,
    "pinned": 0,
    "models": 2,
    "boot_seconds": 600.0,
    "spread": 0.5,
    "seed": "",
    "version": "8.0.3",
}
"""`hosts` per cluster, `vms` and `pinned` (powered-on VMs with an active GPU) per host. A host takes `boot_seconds`, give or
take the share `spread` of it: 0.5 means between 300 and 900. `models`: makes of server, in turn."""

MODELS = ("PowerEdge R750", "ProLiant DL380 Gen10", "ThinkSystem SR650", "UCSC-C240-M6")


def _numbers(numbers: Mapping[str, Any]) -> dict[str, Any]:
    unknown_keys(numbers, DEFAULTS, "roll_fleet")
    values = {**DEFAULTS, **numbers}
    counts = {name: int(values[name]) for name in ("clusters", "hosts", "vms", "pinned", "models")}
    if min(counts["clusters"], counts["hosts"], counts["models"]) < 1 or min(counts.values()) < 0:
        raise LabError("roll_fleet: clusters, hosts and models are at least 1, vms and pinned at least 0")
    if not 0 <= float(values["spread"]) < 1:
        raise LabError("roll_fleet: spread is from 0 to below 1")
    return {**values, **counts}


def boot_seconds(name: str, values: Mapping[str, Any]) -> float:
    """How long one host is away, between the ends of the spread; it depends on its name and the seed only."""
    place = int(token("boot", str(values["seed"]), name, size=6), 16) / 0xFFFFFF
    middle, spread = float(values["boot_seconds"]), float(values["spread"])
    return float(round(middle * (1 - spread + 2 * spread * place)))


def reboot_times(**numbers: Any) -> dict[str, dict[str, float]]:
    """Cluster -> host -> seconds from the moment it stops answering until it answers again."""
    values = _numbers(numbers)
    return {
        cluster["name"]: {host["name"]: host["knobs"]["boot_seconds"] for host in cluster["hosts"]}
        for cluster in _clusters(values)
    }


def datacenters(numbers: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One datacenter with all the clusters. Raises LabError."""
    return [{"name": "Roll", "clusters": _clusters(_numbers(numbers))}]


def _clusters(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [_cluster(number, values) for number in range(1, values["clusters"] + 1)]


def _cluster(number: int, values: Mapping[str, Any]) -> dict[str, Any]:
    name = f"roll-{number:02d}"
    names = [f"esx-{place:03d}.{name}.lab" for place in range(1, values["hosts"] + 1)]
    hosts = [_host(host, index, values) for index, host in enumerate(names)]
    vms: list[dict[str, Any]] = []
    for index, host in enumerate(names):
        short = host.split(".", maxsplit=1)[0]
        common = {"host": host, "power": "on", "cpus": 4}
        vms += [{"name": f"{name}-{short}-app-{one:02d}", "memory_gb": 8, **common} for one in range(values["vms"])]
        if values["pinned"]:
            device = {"fixed": hosts[index]["cards"][1]["at"]}
            vms += [
                {"name": f"{name}-{short}-gpu-{one:02d}", "memory_gb": 32, **common, "devices": [device], "extra": WIDE}
                for one in range(values["pinned"])
            ]
    return {"name": name, "drs": "fullyAutomated", "ha": {"failover_hosts": 1}, "hosts": hosts, "vms": vms}


WIDE = {"pciPassthru.use64bitMMIO": "TRUE", "pciPassthru.64bitMMIOSizeGB": "256"}


def _host(name: str, index: int, values: Mapping[str, Any]) -> dict[str, Any]:
    cards: list[dict[str, Any]] = [{"card": "nvme", "at": "3b", "enabled": True, "active": False}]
    if values["pinned"]:
        cards.append({"card": "a100", "at": "0000:5e:00.0", "enabled": True})
    return {
        "name": name,
        "model": MODELS[index % min(values["models"], len(MODELS))],
        "memory_gb": 512,
        "rebind": False,
        "cards": cards,
        "knobs": {"boot_seconds": boot_seconds(name, values)},
    }


def roll_lab(**numbers: Any) -> dict[str, Any]:
    """A whole lab, for tests: `roll_lab(clusters=32, hosts=16, vms=2)`; other keys of a lab may be added to it."""
    return {"kind": "vcenter", "version": str(numbers.get("version", DEFAULTS["version"])), "roll_fleet": numbers}
