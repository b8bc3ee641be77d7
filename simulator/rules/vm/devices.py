# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to the devices of a VM when it is reconfigured: checks, keys, unit numbers.

Sources: a logged run on vCenter 8.0.3 with ESXi 8.0.3 (keys 13000 and 13031, units, hot-add messages), captured
device keys of VMs, terraform-provider-vsphere issue about equal temporary keys, API reference for typed faults.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from pyVmomi import vim, vmodl

from ...api.takes import not_modelled
from .. import faults, limits
from ..knobs import Knobs
from . import numa, sriov

DEVICE = vim.vm.device
PCI_CONTROLLER = 100
SRIOV_START = 31

HOT_ADD_LINES = (
    ("msg.devices.hotplug.failed", "The hot-plug operation failed."),
    ("msg.devices.hotadd.failed", "Hot-add of pciPassthru{index} failed."),
    ("msg.migrate.save.error", "Failed to save the virtual machine's state."),
    (
        "msg.pciPassthru.noSuspend.postedInterrupts",
        "The virtual machine cannot be suspended: a passthrough device uses posted interrupts.",
    ),
    (
        "msg.pciPassthru.noMigration",
        "The virtual machine has passthrough devices: migration, fault tolerance and PCI hot-plug cannot be used.",
    ),
)
"""Message keys as logged on 8.0.3 for an SR-IOV card; the wording of the last three is invented."""
HOT_REMOVE_LINE = ("msg.devices.hotremove.failed", "Hot-remove of pciPassthru{index} failed.")
"""What a failed removal says in the place of the second line; key and wording are invented, made after those of the addition."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """What around the VM decides: its version, whether it runs, and the maximum of its host.

    `hot_plug` are the addresses whose devices may come and go while it runs: NVMe disks, when the VM is set up for it
    (vSphere 8.0 U1, fixed passthrough hot-plug).
    """

    version: int
    powered_on: bool
    maximum: int
    hot_plug: frozenset[str] = frozenset()
    cpus: int = 1
    """The number of virtual CPUs."""
    seed: str = ""
    """What the MAC addresses that the server gives are made of."""


def kind(device: Any) -> str:
    """fixed, dynamic, vgpu, dvx or sriov for passthrough devices; empty for all others."""
    if isinstance(device, DEVICE.VirtualSriovEthernetCard):
        return "sriov"
    if not isinstance(device, DEVICE.VirtualPCIPassthrough):
        return ""
    names = {
        "DeviceBackingInfo": "fixed",
        "DynamicBackingInfo": "dynamic",
        "VmiopBackingInfo": "vgpu",
        "DvxBackingInfo": "dvx",
    }
    for name, found in names.items():
        cls = getattr(DEVICE.VirtualPCIPassthrough, name, None)
        if cls is not None and isinstance(device.backing, cls):
            return found
    return "unknown"


def kinds(devices: Sequence[Any]) -> tuple[str, ...]:
    """The kinds of all passthrough devices, in order."""
    return tuple(found for found in map(kind, devices) if found)


def unit(index: int) -> int:
    """Unit number of pciPassthru<index> on controller 100: 18 to 21, then 38 to 161 (seen on 8.0.3)."""
    return 18 + index if index < 4 else 34 + index


def free_index(taken: Collection[int], *, sriov: bool) -> int | None:
    """The slot the next device gets: upward from 0, or for SR-IOV cards downward from 31 (seen on 8.0.3)."""
    order = range(limits.KEY_COUNT)
    if sriov:
        order = [*range(SRIOV_START, -1, -1), *range(SRIOV_START + 1, limits.KEY_COUNT)]  # type: ignore[assignment]
    return next((index for index in order if index not in taken), None)


def changed(devices: Sequence[Any], changes: Sequence[Any], setting: Setting, knobs: Knobs) -> list[Any]:
    """Return the devices after all changes, or raise; nothing is applied in part. Given devices are kept as they are."""
    _check_temporary_keys(changes)
    numa.check(changes, setting.version, setting.cpus, knobs)
    result = list(devices)
    present = {device.key: device for device in devices}
    placed: dict[int, int] = {}
    for position, change in sriov.in_order(changes, knobs):
        operation = str(change.operation or "")
        found = kind(change.device)
        _check_power(change, found, present.get(change.device.key, change.device), setting, knobs)
        if operation == "add":
            _check_new(change.device, found, position, setting)
            temporary, controller = change.device.key, change.device.controllerKey
            change.device.controllerKey = placed.get(controller, controller)
            result.append(_placed(change.device, result, found, position))
            if isinstance(result[-1], DEVICE.VirtualController):
                placed[temporary] = result[-1].key
            if found == "sriov":
                sriov.complete(result[-1], knobs, seed=setting.seed)
            elif isinstance(change.device, sriov.ETHERNET):
                sriov.complete_ethernet(result[-1], seed=setting.seed)
        elif operation == "edit":
            index = _index(result, change.device.key, position)
            _check_new(change.device, found, position, setting)
            old = result[index]
            result[index] = _edited(old, change.device)
            if found == "sriov":
                sriov.edit(old, result[index], knobs)
        elif operation == "remove":
            if found and change.fileOperation is not None:
                raise vim.fault.InvalidDeviceSpec(property="deviceChange.fileOperation", deviceIndex=position)
            del result[_index(result, change.device.key, position)]
        else:
            raise faults.invalid_argument(f"spec.deviceChange[{position}].operation")
    _check_addresses(result, changes, knobs)
    _check_count(result, changes, setting, knobs)
    return sorted(result, key=lambda device: device.key)


def _check_temporary_keys(changes: Sequence[Any]) -> None:
    keys = [change.device.key for change in changes if str(change.operation or "") == "add"]
    if len(keys) != len(set(keys)):
        text = "Cannot add multiple devices using the same device key."
        raise faults.vm_config_fault([("vpxd.vm.duplicateDeviceKey", text)])


def _check_power(change: Any, found: str, meant: Any, setting: Setting, knobs: Knobs) -> None:
    """Passthrough devices come and go while the VM is off; NVMe with fixed-passthrough hot-plug excepted (8.0 U1)."""
    if not setting.powered_on or not found:
        return
    if kind(meant) == "fixed" and meant.backing.id in setting.hot_plug:
        return
    if knobs.hot_add_fault == "hot_plug_not_supported":
        raise vim.fault.DeviceHotPlugNotSupported(deviceIndex=0)
    if knobs.hot_add_fault == "invalid_power_state":
        raise faults.invalid_power_state("poweredOff", "poweredOn")
    first, adding, *rest = HOT_ADD_LINES
    said = (first, HOT_REMOVE_LINE if str(change.operation) == "remove" else adding, *rest)
    lines = [(key, text.replace("{index}", str(_any_index(change.device)))) for key, text in said]
    raise faults.vm_config_fault(lines)


def _any_index(device: Any) -> int:
    number = device.key - limits.FIRST_KEY
    return number if 0 <= number < limits.KEY_COUNT else 0


def _check_new(device: Any, found: str, position: int, setting: Setting) -> None:
    """A fixed backing is not compared with the host here; that happens at power-on (govmomi 2248)."""
    needed = {"dynamic": limits.DYNAMIC_FROM, "dvx": limits.DEVICE_GROUPS_FROM}.get(found, 0)
    if setting.version < needed:
        raise vim.fault.DeviceUnsupportedForVmVersion(
            deviceIndex=position,
            currentVersion=limits.vmx(setting.version),
            expectedVersion=limits.vmx(needed),
            msg=f"A virtual device of this kind needs hardware version {needed}.",
        )
    if found == "sriov":
        sriov.check(device, position)
    if found == "unknown":
        raise vim.fault.InvalidDeviceBacking(deviceIndex=position)
    if found == "fixed" and not -0x8000 <= device.backing.vendorId <= 0x7FFF:
        raise vmodl.fault.InvalidRequest(msg="vendorId is an xsd:short.")
    if found == "dynamic":
        _check_allowed(device.backing, position)


def _check_allowed(backing: Any, position: int) -> None:
    """allowedDevice: at least one, ids from 0 to 0xffff (API reference)."""
    where = f"spec.deviceChange[{position}].device.backing.allowedDevice"
    if not backing.allowedDevice:
        raise faults.invalid_argument(where)
    for item in backing.allowedDevice:
        for name in ("vendorId", "deviceId", "subVendorId", "subDeviceId"):
            value = getattr(item, name)
            if value is not None and not 0 <= value <= 0xFFFF:
                raise faults.invalid_argument(f"{where}.{name}")


def _index(devices: Sequence[Any], key: int, position: int) -> int:
    for index, device in enumerate(devices):
        if device.key == key:
            return index
    raise vim.fault.DeviceNotFound(deviceIndex=position, property=f"deviceChange[{position}].device.key")


def _placed(device: Any, devices: Sequence[Any], found: str, position: int) -> Any:
    """Give a new device its key and unit; what the client asked for is ignored for passthrough devices (8.0.3)."""
    if found:
        taken = {item.key - limits.FIRST_KEY for item in devices if kind(item)}
        index = free_index(taken, sriov=found == "sriov")
        if index is None:
            raise vim.fault.TooManyDevices()
        device.key, device.controllerKey, device.unitNumber = limits.FIRST_KEY + index, PCI_CONTROLLER, unit(index)
        device.deviceInfo = vim.Description(label=label(found, index), summary="")
        _clean(device, found)
        numa.add(device)
        return device
    return _plain(device, devices, position)


def label(found: str, index: int) -> str:
    """What the client shows for a passthrough device."""
    return f"SR-IOV network adapter {SRIOV_START - index + 1}" if found == "sriov" else f"PCI device {index}"


def _clean(device: Any, found: str) -> None:
    """`assignedId` is read only; the VF of an SR-IOV card is not shown (8.0.3)."""
    if found == "dynamic":
        device.backing.assignedId = None
    if found == "sriov" and device.sriovBacking is not None:
        device.sriovBacking.virtualFunctionBacking = None


def _plain(device: Any, devices: Sequence[Any], position: int) -> Any:
    """Network cards, SCSI controllers and disks on them; other devices are not modelled and are refused.

    A controller has its own unit 7 (API reference, VirtualSCSIController.scsiCtlrUnitNumber).
    """
    units: Sequence[int]
    if isinstance(device, DEVICE.VirtualEthernetCard):
        first, controller, units, name = 4000, PCI_CONTROLLER, range(7, 17), "Network adapter"
    elif isinstance(device, DEVICE.VirtualSCSIController):
        first, controller, units, name = 1000, PCI_CONTROLLER, range(3, 7), "SCSI controller"
    elif isinstance(device, DEVICE.VirtualDisk):
        first, controller, name = 2000, device.controllerKey or 1000, "Hard disk"
        units = [number for number in range(16) if number != 7]
        if not any(item.key == controller for item in devices):
            raise vim.fault.InvalidController(deviceIndex=position, controllerKey=controller)
    else:
        raise not_modelled(f"adding a {device._wsdlName} (deviceChange[{position}])")
    taken = {item.unitNumber for item in devices if item.controllerKey == controller}
    wanted = device.unitNumber
    if wanted is not None and wanted >= 0 and wanted in taken:
        raise faults.invalid_argument("unitNumber")
    keys = {item.key for item in devices}
    device.key = next(key for key in range(first, first + 1000) if key not in keys)
    device.controllerKey = controller
    device.unitNumber = wanted if wanted is not None and wanted >= 0 else next(n for n in units if n not in taken)
    number = device.key - first
    device.deviceInfo = vim.Description(
        label=f"{name} {number + (first != 1000)}", summary=str(device.deviceInfo.summary if device.deviceInfo else "")
    )
    if isinstance(device, DEVICE.VirtualSCSIController):
        device.busNumber, device.scsiCtlrUnitNumber = number, 7
    if isinstance(device, DEVICE.VirtualDisk):
        _resize(device, device)
    return device


def _edited(old: Any, new: Any) -> Any:
    """An edit keeps key, controller and unit; it replaces the backing when one is given."""
    if new.backing is None:
        new.backing = old.backing
    new.controllerKey, new.unitNumber, new.deviceInfo = old.controllerKey, old.unitNumber, old.deviceInfo
    numa.edit(old, new)
    if isinstance(new, DEVICE.VirtualDisk):
        _resize(old, new)
    _clean(new, kind(new))
    return new


def _resize(old: Any, new: Any) -> None:
    """A disk grows by capacityInBytes, or by the older capacityInKB; it never shrinks (API reference, VirtualDisk)."""
    before = int(old.capacityInBytes or old.capacityInKB * 1024)
    after = next(
        (
            size
            for size in (int(new.capacityInBytes or 0), int(new.capacityInKB or 0) * 1024)
            if size not in (0, before)
        ),
        before,
    )
    if after < before:
        raise vim.fault.InvalidDeviceOperation(deviceIndex=0, msg="A virtual disk cannot be made smaller.")
    new.capacityInBytes, new.capacityInKB = after, after // 1024


def _check_addresses(devices: Sequence[Any], changes: Sequence[Any], knobs: Knobs) -> None:
    """No card stands twice in one VM. Nobody has published when that is noticed and with which fault, hence a knob."""
    if knobs.same_card_twice == "power_on":
        return
    fixed = [item.backing.id.lower() for item in devices if kind(item) == "fixed" and item.backing.id]
    for position, change in enumerate(changes):
        device = change.device
        if str(change.operation or "") not in ("add", "edit") or kind(device) != "fixed" or not device.backing.id:
            continue
        if fixed.count(device.backing.id.lower()) > 1:
            if knobs.same_card_twice == "invalid_argument":
                raise faults.invalid_argument(f"spec.deviceChange[{position}].device.backing")
            text = f"The virtual machine already has the PCI device {device.backing.id}."
            raise faults.vm_config_fault([("msg.pciPassthru.duplicateDevice", text)])


def _check_count(devices: Sequence[Any], changes: Sequence[Any], setting: Setting, knobs: Knobs) -> None:
    """Maxima are checked when something is added: of all devices, and of vGPUs; the fault type is not published."""
    if "vgpu" in {kind(change.device) for change in changes if str(change.operation or "") == "add"}:
        most = limits.vgpu_max(setting.version)
        if kinds(devices).count("vgpu") > most:
            raise vim.fault.TooManyDevices(msg=f"The number of vGPUs exceeds the maximum of {most}.")
    counted = [item for item in kinds(devices) if item != "sriov" or knobs.sriov_counts_in_limit]
    added = any(str(change.operation or "") == "add" and kind(change.device) for change in changes)
    if added and len(counted) > setting.maximum:
        raise vim.fault.TooManyDevices(
            msg=f"The number of PCI passthrough devices exceeds the maximum of {setting.maximum}."
        )
