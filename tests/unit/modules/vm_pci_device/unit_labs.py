# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster whose hosts offer vGPUs, a vendor device group and DVX classes, for tests of modules."""

from __future__ import annotations

from typing import Any

from tests.unit.modules.harness import Lab

WHOLE, QUARTER = "grid_a100-40c", "grid_a100-10c"
GROUP = "Nvidia:2@grid_a100-40c%NVLink"
MIXED_GROUP = "Example:1@grid_a100-40c+nic"
DVX = "com.example.dvx"
DVX_CLASSES = [
    {"name": DVX, "parameters": {"size": {"low": 1, "high": 100, "default": 10}, "mode": {"choices": ["1", "2", "8"]}}},
    {"name": "com.example.dvx.nic", "nic": True, "parameters": {"size": {}}},
]
T4 = "10de:1eb8"


def lab(
    *vms: dict[str, Any],
    hosts: int = 2,
    knobs: dict[str, Any] | None = None,
    cluster: dict[str, Any] | None = None,
    **host: Any,
) -> Lab:
    """Hosts with two A100 that serve vGPUs and one T4 that is passed through. ``host`` changes each of them."""
    one = {
        "name": "esx-{}",
        "count": hosts,
        "cards": ["a100", "a100", {"card": "t4", "enabled": True}],
        "shared_gpus": {"a100": {"disk_snapshot": True}},
        "device_groups": [
            {"name": GROUP, "parts": [{"vgpu": WHOLE}, {"vgpu": WHOLE}]},
            {"name": MIXED_GROUP, "parts": [{"vgpu": WHOLE}, {"nic": "com.example.dvx.nic"}]},
        ],
        "dvx_classes": DVX_CLASSES,
        **host,
    }
    machines = [{"host": "esx-1", "memory_gb": 8, "version": 20, **vm} for vm in (vms or ({"name": "vm-1"},))]
    description: dict[str, Any] = {
        "kind": "vcenter",
        "version": "9.0",
        "knobs": knobs or {},
        "datacenters": [{"name": "D", "clusters": [{"name": "c", "hosts": [one], "vms": machines, **(cluster or {})}]}],
    }
    return Lab.load(description)


def devices(made: Lab, name: str = "vm-1") -> list[str]:
    """Kind and value of each device that a VM has now, by key."""
    found = made.run("vm_pci_device_info", vms=[name])["vms"][0]["devices"]
    return [
        " ".join(
            [one["backing"], one.get("profile") or one.get("device_class") or one.get("address") or ""]
            + ([f"in {one['group']['name']}"] if one["group"] else [])
        ).strip()
        for one in found
    ]


def run(made: Lab, wanted: list[Any], name: str = "vm-1", **more: Any) -> dict[str, Any]:
    return made.run("vm_pci_device", vm=[name], devices=wanted, **more)
