# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Graphics of a host: devices the kernel has, how they are set up for sharing, and the vGPUs it offers.

Sources: API reference (HostGraphicsConfig, HostGraphicsInfo, HostSharedGpuCapabilities), a recorded ESXi 8.0.3 (every host has a
graphicsConfig, a virtual display adapter is no graphics device) and a recorded 9.x (only profiles of the present mode are offered).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyVmomi import vim

from ...api import data
from ..pci import Function, optional
from ..specs import HostSpec

VMWARE = 0x15AD
ABILITIES = ("diskSnapshotSupported", "memorySnapshotSupported", "suspendSupported", "migrateSupported")


def _devices(spec: HostSpec, taken: frozenset[str]) -> list[Function]:
    """Display and 3D devices the kernel owns."""
    return [
        item
        for item in spec.layout.functions.values()
        if item.class_id >> 8 == 0x03 and item.vendor != VMWARE and item.address not in taken
    ]


def _mode(item: Function, spec: HostSpec) -> dict[str, Any]:
    """`vgpuMode`, since 8.0.3: equal profiles on one card at a time."""
    return {"vgpuMode": "sameSize" if _serves(item, spec) else "none"}


def _serves(item: Function, spec: HostSpec) -> bool:
    return spec.shared_gpus.get(item.address) == "sharedDirect" and bool(item.profiles)


def info(spec: HostSpec, taken: frozenset[str], users: Mapping[str, list[Any]]) -> list[Any]:
    """`config.graphicsInfo`; `users` are the VMs with vGPUs by address."""
    cls = vim.host.GraphicsInfo
    return [
        data.new(
            cls,
            deviceName=item.device_name,
            vendorName=item.vendor_name,
            pciId=item.address,
            graphicsType=spec.shared_gpus.get(item.address, "basic"),
            memorySizeInKB=int(item.bar_gb * 1024 * 1024),
            vm=users.get(item.address, []),
            **optional(cls, **_mode(item, spec)),
        )
        for item in _devices(spec, taken)
    ]


def config(spec: HostSpec, taken: frozenset[str]) -> Any:
    """`config.graphicsConfig`: the desired type of every card that is set up for sharing."""
    cls = vim.host.GraphicsConfig.DeviceType
    return data.new(
        vim.host.GraphicsConfig,
        hostDefaultGraphicsType="shared",
        sharedPassthruAssignmentPolicy="performance",
        deviceType=[
            data.new(
                cls,
                deviceId=item.address,
                graphicsType=spec.shared_gpus[item.address],
                **optional(cls, **_mode(item, spec)),
            )
            for item in _devices(spec, taken)
            if item.address in spec.shared_gpus
        ],
    )


def offered(spec: HostSpec, taken: frozenset[str]) -> dict[str, frozenset[str]]:
    """The vGPU profiles the host offers in its present mode, each with what a VM with one can do."""
    return {
        name: spec.vgpu_abilities.get(item.address, frozenset())
        for item in _devices(spec, taken)
        if _serves(item, spec)
        for name, _count in item.profiles
    }


def profiles(spec: HostSpec, taken: frozenset[str]) -> list[str]:
    """`config.sharedPassthruGpuTypes`."""
    return sorted(offered(spec, taken))


def capabilities(spec: HostSpec, taken: frozenset[str]) -> list[Any]:
    """`config.sharedGpuCapabilities`, since 6.7: what a VM with a profile can do."""
    if spec.version_numbers < (6, 7):
        return []
    return [
        data.new(vim.host.SharedGpuCapabilities, vgpu=name, **{ability: ability in able for ability in ABILITIES})
        for name, able in sorted(offered(spec, taken).items())
    ]
