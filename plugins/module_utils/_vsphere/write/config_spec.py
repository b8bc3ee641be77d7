# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of a VM as the one ConfigSpec that makes them. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..._domain.errors import DirectPathError
from ..._domain.observed.vms import Vm
from ..._domain.pci import signed16
from ..._domain.plan import Change
from ..._domain.vm.devices.plan import Detach, DynamicSpec, FixedSpec, HotAdd
from ..._domain.vm.memory import MemoryWrite, merge_writes
from ..sdk import vim


def reconfigure_spec(vm: Vm, changes: Sequence[Change]) -> Any:
    """Everything in one ConfigSpec, tied to the version that was read: a race is refused by the server, not lost."""
    spec = vim.vm.ConfigSpec(changeVersion=vm.change_version or None)
    device_changes = []
    temporary_key = -100
    for change in changes:
        detail = change.detail
        if isinstance(detail, Detach):
            device_changes.append(_removal(vm, detail.key))
        elif isinstance(detail, FixedSpec | DynamicSpec):
            # Keys of new devices must be negative and distinct, else "Cannot add multiple devices using the same device key".
            device_changes.append(_addition(vm, detail, temporary_key))
            temporary_key -= 1
        elif isinstance(detail, MemoryWrite):
            continue  # all of them at once, below
        elif change.kind == "extra_config":
            key, value = detail
            spec.extraConfig = [*(spec.extraConfig or ()), vim.option.OptionValue(key=key, value=value)]
        elif isinstance(detail, HotAdd):
            spec.memoryHotAddEnabled = spec.memoryHotAddEnabled if detail.memory is None else detail.memory
            spec.cpuHotAddEnabled = spec.cpuHotAddEnabled if detail.cpu is None else detail.cpu
        else:
            raise ValueError(f"no writer for {change.kind}")
    _set_memory(spec, merge_writes(changes))
    if device_changes:
        spec.deviceChange = device_changes
    return spec


def _removal(vm: Vm, key: int) -> Any:
    # The server finds the device by its key; the type tells it which family of devices to look in.
    sriov = any(device.key == key and device.backing.kind == "sriov" for device in vm.devices)
    kind = vim.vm.device.VirtualSriovEthernetCard if sriov else vim.vm.device.VirtualPCIPassthrough
    return vim.vm.device.VirtualDeviceSpec(operation="remove", device=kind(key=key))


def _addition(vm: Vm, wanted: FixedSpec | DynamicSpec, key: int) -> Any:
    device = vim.vm.device.VirtualPCIPassthrough(
        key=key,
        controllerKey=vm.pci_controller_key,
        backing=_fixed(wanted) if isinstance(wanted, FixedSpec) else _dynamic(wanted),
    )
    return vim.vm.device.VirtualDeviceSpec(operation="add", device=device)


def _fixed(wanted: FixedSpec) -> Any:
    if not wanted.system_id:
        # Written empty it would be accepted here, and the VM would not start.
        raise DirectPathError(
            message=f"The system id of the host of {wanted.address} is not known, so {wanted.address} cannot be attached",
            code="no_system_id",
            cure="Run this again; if it stays so, refresh the host's hardware in vCenter",
        )
    return vim.vm.device.VirtualPCIPassthrough.DeviceBackingInfo(
        deviceName=wanted.name,
        id=wanted.address,
        # Hexadecimal although the reference says otherwise: a decimal id is accepted here and refused at power-on.
        deviceId=wanted.device_id,
        systemId=wanted.system_id,
        vendorId=signed16(wanted.vendor_id),
    )


def _dynamic(wanted: DynamicSpec) -> Any:
    kinds = vim.vm.device.VirtualPCIPassthrough
    allowed = []
    for entry in wanted.allowed:
        # Unsigned here, unlike everywhere else in the API.
        one = kinds.AllowedDevice(vendorId=int(entry.vendor_id, 16), deviceId=int(entry.device_id, 16))
        if entry.subvendor_id is not None:
            one.subVendorId = int(entry.subvendor_id, 16)
        if entry.subdevice_id is not None:
            one.subDeviceId = int(entry.subdevice_id, 16)
        allowed.append(one)
    return kinds.DynamicBackingInfo(deviceName=wanted.name, allowedDevice=allowed, customLabel=wanted.custom_label)


def _set_memory(spec: Any, write: MemoryWrite) -> None:
    if write.locked is not None:
        spec.memoryReservationLockedToMax = write.locked
    limit = -1 if write.unlimited else write.limit_mb
    if write.reservation_mb is not None or limit is not None:
        allocation = spec.memoryAllocation or vim.ResourceAllocationInfo()
        if write.reservation_mb is not None:
            allocation.reservation = write.reservation_mb
        if limit is not None:
            allocation.limit = limit
        spec.memoryAllocation = allocation
