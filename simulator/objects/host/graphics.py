# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Graphics of a host: devices the kernel has, how they are set up for sharing, and the vGPUs it offers.

What is configured is `host.graphics`; what is in effect are `shared_gpus` and `vgpu_modes` of its specification. The rules that lead from
one to the other are in rules/pci/graphics.py.

Sources: API reference (HostGraphicsConfig, HostGraphicsInfo, HostSharedGpuCapabilities), a recorded ESXi 8.0.3 (every host has a
graphicsConfig, a virtual display adapter is no graphics device) and a recorded 9.x (only profiles of the present mode are offered).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyVmomi import vim

from ...api import data
from ...rules.pci.graphics import MIG, Settings
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


def _serves(item: Function, spec: HostSpec) -> bool:
    return spec.shared_gpus.get(item.address) == "sharedDirect" and bool(item.profiles)


def _mode(item: Function, spec: HostSpec) -> str:
    """`vgpuMode` in effect, since 8.0.3: equal profiles on one card at a time, unless it was set."""
    return spec.vgpu_modes.get(item.address, "sameSize") if _serves(item, spec) else "none"


def info(spec: HostSpec, taken: frozenset[str], users: Mapping[str, list[Any]], *, direct: bool = False) -> list[Any]:
    """`config.graphicsInfo`; `users` are the VMs on each GPU by address. `direct`: with the GPUs in passthrough."""
    cls = vim.host.GraphicsInfo
    return [
        data.new(
            cls,
            deviceName=item.device_name,
            vendorName=item.vendor_name,
            pciId=item.address,
            graphicsType="direct" if item.address in taken else spec.shared_gpus.get(item.address, "basic"),
            memorySizeInKB=int(item.bar_gb * 1024 * 1024),
            vm=users.get(item.address, []),
            **optional(cls, vgpuMode="none" if item.address in taken else _mode(item, spec)),
        )
        for item in _devices(spec, frozenset() if direct else taken)
    ]


def config(settings: Settings) -> Any:
    """`config.graphicsConfig`."""
    cls = vim.host.GraphicsConfig.DeviceType
    return data.new(
        vim.host.GraphicsConfig,
        hostDefaultGraphicsType=settings.default,
        sharedPassthruAssignmentPolicy=settings.policy,
        deviceType=[
            data.new(cls, deviceId=address, graphicsType=entry.kind, **optional(cls, vgpuMode=entry.mode or None))
            for address, entry in settings.devices.items()
        ],
    )


def _profiles(item: Function, spec: HostSpec) -> list[str]:
    """The profiles of a GPU in its mode: those of MIG, or the time-sliced ones."""
    return list(item.mig_profiles) if _mode(item, spec) == MIG else [name for name, _count in item.profiles]


def offered(spec: HostSpec, taken: frozenset[str]) -> dict[str, frozenset[str]]:
    """The vGPU profiles the host offers in its present mode, each with what a VM with one can do."""
    return {
        name: spec.vgpu_abilities.get(item.address, frozenset())
        for item in _devices(spec, taken)
        if _serves(item, spec)
        for name in _profiles(item, spec)
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
