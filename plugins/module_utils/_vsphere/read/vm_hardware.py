# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pins a virtual machine to its host: devices, media, datastores. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..._domain.observed.vms import FixedBacking, SriovBacking, VmDevice, pinning
from ..property_collector.retrieve import Row
from ..sdk import vim
from ..session.answer_checks import reader
from .vms import passthrough_devices

EVACUATION = 'config.extraConfig["maintenance.vm.evacuation.poweroff"]'
"""One advanced setting by its key. A VM without it has no value at this path (govmomi, cli/collect.bats); vm-operator reads settings in
the same way. If it is TRUE, DRS powers off the VM when its host is evacuated (vm-operator, pull request 353)."""
HARDWARE_PATHS = (
    EVACUATION,
    "config.hardware.device",
    "config.hardware.memoryMB",
    "config.memoryAllocation",
    "config.files.vmPathName",
    "summary.quickStats.hostMemoryUsage",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class VmHardware:
    """See ``VmView``. ``known``: its devices were read. ``datastores`` are names. ``memory_mb``: the host memory that it uses, or its
    configured size if that is unknown."""

    known: bool = True
    devices: tuple[str, ...] = ()
    fixed: bool = False
    vgpu: bool = False
    datastores: tuple[str, ...] = ()
    host_media: tuple[str, ...] = ()
    memory_mb: int = 0
    reserved_mb: int = 0
    evacuation_off: bool | None = False
    """See ``VmView``. None: the account may not read the advanced settings."""


@reader
def vm_hardware(row: Row) -> VmHardware:
    """One row with ``HARDWARE_PATHS``."""
    hardware = row.get("config.hardware.device", ())
    passed = passthrough_devices(hardware)
    kept = pinning(passed)
    allocation = row.get("config.memoryAllocation")
    used = row.get("summary.quickStats.hostMemoryUsage") or row.get("config.hardware.memoryMB", 0)
    return VmHardware(
        known=bool(hardware),  # even a VM without disks and cards has controllers
        devices=tuple(_label(device) for device in kept),
        fixed=any(_is_fixed(device) for device in kept),
        vgpu=len(kept) < len(passed),
        datastores=tuple(sorted(set(_datastores(row)))),
        host_media=tuple(sorted(_host_media(hardware))),
        memory_mb=used,
        reserved_mb=getattr(allocation, "reservation", None) or 0,
        evacuation_off=_evacuation_off(row),
    )


def _evacuation_off(row: Row) -> bool | None:
    if isinstance(row.missing.get(EVACUATION), vim.fault.NoPermission):
        return None
    return str(getattr(row.get(EVACUATION), "value", "")).upper() == "TRUE"


def _label(device: VmDevice) -> str:
    backing = device.backing
    address = backing.address if isinstance(backing, FixedBacking) else None
    name = device.label or f"{backing.kind} device {device.key}"
    return f"{name} ({address})" if address else name


def _is_fixed(device: VmDevice) -> bool:
    backing = device.backing
    if isinstance(backing, SriovBacking):
        return not backing.is_automatic
    return isinstance(backing, FixedBacking)


def _datastores(row: Row) -> Iterator[str]:
    """Names of the datastores of its configuration file, its disks and its connected images."""
    kinds = vim.vm.device
    paths = [row.get("config.files.vmPathName")]
    for device in row.get("config.hardware.device", ()):
        if isinstance(device, kinds.VirtualDisk) or _is_connected(device):
            paths.append(getattr(device.backing, "fileName", None))
    for path in paths:
        if path and path.startswith("[") and "]" in path:
            name = path[1 : path.index("]")]
            if name:
                yield name


def _is_connected(device: Any) -> bool:
    """Whether a device is connected. Devices without ``connectable`` always are; USB devices have their own property."""
    if isinstance(device, vim.vm.device.VirtualUSB):
        return bool(device.connected)
    connectable = getattr(device, "connectable", None)
    return True if connectable is None else bool(connectable.connected)


def _host_media(hardware: Iterable[Any]) -> Iterator[str]:
    """Labels of connected devices that are backed by the host or by a client machine (API reference, backing types).

    USB devices of a client, and those of a host that are reachable over the network, follow the VM and do not count.
    """
    kinds = vim.vm.device
    backings = (
        kinds.VirtualCdrom.AtapiBackingInfo,
        kinds.VirtualCdrom.PassthroughBackingInfo,
        kinds.VirtualCdrom.RemoteAtapiBackingInfo,
        kinds.VirtualCdrom.RemotePassthroughBackingInfo,
        kinds.VirtualFloppy.DeviceBackingInfo,
        kinds.VirtualFloppy.RemoteDeviceBackingInfo,
        kinds.VirtualSerialPort.DeviceBackingInfo,
        kinds.VirtualSerialPort.PipeBackingInfo,
        kinds.VirtualParallelPort.DeviceBackingInfo,
        kinds.VirtualSCSIPassthrough.DeviceBackingInfo,
        kinds.VirtualUSB.USBBackingInfo,
    )
    for device in hardware:
        if isinstance(device.backing, backings) and _is_connected(device):
            yield getattr(device.deviceInfo, "label", None) or f"device {device.key}"
