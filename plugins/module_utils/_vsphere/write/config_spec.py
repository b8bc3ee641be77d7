# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of a VM, converted to one ConfigSpec. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, assert_never

from ..._domain.errors import DirectPathError
from ..._domain.observed.vms import DynamicBacking, FixedBacking, Vm
from ..._domain.pci import signed16
from ..._domain.planning.details import (
    Detach,
    DetachGroup,
    DvxSpec,
    DynamicSpec,
    ExtraConfig,
    FixedSpec,
    GraphicsWrite,
    GroupSpec,
    HotAdd,
    Latency,
    MaintenanceStep,
    MemoryWrite,
    ModeWrite,
    NumaEdit,
    PassthroughWrite,
    PinToHost,
    PowerOff,
    PowerOn,
    SriovEdit,
    SriovSpec,
    SriovWrite,
    UpgradeHardware,
    VgpuSpec,
    XorgRestart,
)
from ..._domain.planning.plan import Change
from ..._domain.vm.memory import merge_writes
from ..sdk import vim
from .sriov_adapters import sriov_addition, sriov_edit
from .units import FIRST_SEQUENCES, backing_of, device_groups, edited_device, group_devices, set_numa_node


def reconfigure_spec(vm: Vm, changes: Sequence[Change], *, first_sequence: int = FIRST_SEQUENCES[0]) -> Any:
    """One ConfigSpec for all changes. It has the changeVersion that was read, so the server refuses it if the VM changed since then.

    ``first_sequence``: the first sequence id in a new device group whose template has none.
    Raises DirectPathError (no_system_id), and ValueError for a change that is not a setting.
    """
    spec = vim.vm.ConfigSpec(changeVersion=vm.change_version or None)
    device_changes = []
    temporary_key = -100
    for change in changes:
        match change.detail:
            case Detach(key=key):
                device_changes.append(_removal(vm, key))
            case DetachGroup(keys=keys):
                device_changes += [_removal(vm, key) for key in keys]
            case DvxSpec(key=int()) as edited:
                device_changes.append(edited_device(vm, edited))
            case NumaEdit() as moved:
                device_changes.append(_moved_device(vm, moved))
            case GroupSpec():
                pass  # all groups are added below
            case FixedSpec() | DynamicSpec() | VgpuSpec() | DvxSpec() as desired:
                # The keys of new devices must be negative and different, else "Cannot add multiple devices using the same device key".
                device_changes.append(_addition(vm, desired, temporary_key))
                temporary_key -= 1
            case SriovSpec() as adapter:
                device_changes.append(sriov_addition(vm, adapter, temporary_key))
                temporary_key -= 1
            case SriovEdit() as edit:
                device_changes.append(sriov_edit(vm, edit))
            case MemoryWrite():
                pass  # merged below
            case ExtraConfig(key=name, value=value):
                spec.extraConfig = [*(spec.extraConfig or ()), vim.option.OptionValue(key=name, value=value)]
            case HotAdd(memory=memory, cpu=cpu):
                spec.memoryHotAddEnabled = spec.memoryHotAddEnabled if memory is None else memory
                spec.cpuHotAddEnabled = spec.cpuHotAddEnabled if cpu is None else cpu
            case Latency(level=level, cpu_reservation_mhz=mhz):
                if level is not None:
                    spec.latencySensitivity = vim.LatencySensitivity(level=level)
                if mhz is not None:
                    spec.cpuAllocation = vim.ResourceAllocationInfo(reservation=mhz)
            case (
                PassthroughWrite()
                | SriovWrite()
                | ModeWrite()
                | GraphicsWrite()
                | XorgRestart()
                | MaintenanceStep()
                | PowerOff()
                | PowerOn()
                | UpgradeHardware()
                | PinToHost()
            ):
                raise ValueError(f"{change.kind} is not a setting of a VM")
            case other:
                assert_never(other)
    groups = device_groups(vm, changes)
    if groups is not None:
        device_changes += group_devices(vm, changes, temporary_key, _dynamic, first_sequence)
        spec.deviceGroups = groups
    _set_memory(spec, merge_writes(changes))
    if device_changes:
        spec.deviceChange = device_changes
    return spec


def _removal(vm: Vm, key: int) -> Any:
    # The server finds the device by its key, among the devices of this type.
    sriov = any(device.key == key and device.backing.kind == "sriov" for device in vm.devices)
    kind = vim.vm.device.VirtualSriovEthernetCard if sriov else vim.vm.device.VirtualPCIPassthrough
    return vim.vm.device.VirtualDeviceSpec(operation="remove", device=kind(key=key))


def _moved_device(vm: Vm, edit: NumaEdit) -> Any:
    """The edit of a device in place, with the backing that it has: some servers read an edit without one as a device without a backing."""
    match edit.backing:
        case FixedBacking() as own:
            backing = vim.vm.device.VirtualPCIPassthrough.DeviceBackingInfo(
                deviceName=edit.name,
                id=own.text,
                deviceId=own.device_id or "",
                systemId=own.system_id or "",
                vendorId=signed16(own.vendor_id or "0"),
            )
        case DynamicBacking() as own:
            backing = _dynamic(DynamicSpec(allowed=own.allowed, custom_label=own.custom_label, name=edit.name))
        case other:
            backing = backing_of(other)
    device = vim.vm.device.VirtualPCIPassthrough(key=edit.key, controllerKey=vm.pci_controller_key, backing=backing)
    set_numa_node(device, edit.numa_node)
    return vim.vm.device.VirtualDeviceSpec(operation="edit", device=device)


def _addition(vm: Vm, desired: FixedSpec | DynamicSpec | VgpuSpec | DvxSpec, key: int) -> Any:
    if isinstance(desired, FixedSpec):
        backing = _fixed(desired)
    else:
        backing = _dynamic(desired) if isinstance(desired, DynamicSpec) else backing_of(desired)
    device = vim.vm.device.VirtualPCIPassthrough(key=key, controllerKey=vm.pci_controller_key, backing=backing)
    set_numa_node(device, desired.numa_node)
    return vim.vm.device.VirtualDeviceSpec(operation="add", device=device)


def _fixed(desired: FixedSpec) -> Any:
    if not desired.system_id:
        # The server accepts an empty id, but then the VM does not power on.
        raise DirectPathError(
            message=f"The system id of the host of {desired.address} is unknown, so {desired.address} cannot be attached",
            code="no_system_id",
            cure="Run the task again; if the error stays, refresh the hardware of the host in vCenter",
        )
    return vim.vm.device.VirtualPCIPassthrough.DeviceBackingInfo(
        deviceName=desired.name,
        id=desired.address,
        # Hexadecimal, unlike in the API reference: the server accepts a decimal id, but then refuses to power on the VM.
        deviceId=desired.device_id,
        systemId=desired.system_id,
        vendorId=signed16(desired.vendor_id),
    )


def _dynamic(desired: DynamicSpec) -> Any:
    kinds = vim.vm.device.VirtualPCIPassthrough
    allowed = []
    for entry in desired.allowed:
        # Unsigned here, unlike in the rest of the API.
        one = kinds.AllowedDevice(vendorId=int(entry.vendor_id, 16), deviceId=int(entry.device_id, 16))
        if entry.subvendor_id is not None:
            one.subVendorId = int(entry.subvendor_id, 16)
        if entry.subdevice_id is not None:
            one.subDeviceId = int(entry.subdevice_id, 16)
        allowed.append(one)
    return kinds.DynamicBackingInfo(deviceName=desired.name, allowedDevice=allowed, customLabel=desired.custom_label)


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
