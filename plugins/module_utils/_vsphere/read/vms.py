# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read VMs: VirtualMachine → Vm. PRIVATE to the collection."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..._domain.facts import Fact, Gap, Unknown
from ..._domain.names import Directory, shown_name
from ..._domain.observed.hosts import Host
from ..._domain.observed.vms import (
    AllowedDevice,
    Backing,
    CpuState,
    DvxBacking,
    DynamicBacking,
    FixedBacking,
    MemoryState,
    PoolState,
    SriovBacking,
    UnknownBacking,
    VgpuBacking,
    Vm,
    VmDevice,
    VmName,
)
from ..._domain.pci import backing_addresses, hex4, parse_backing_address, parse_backing_device_id
from ..property_collector.parser import PageStart, ReadPart
from ..property_collector.retrieve import DEVICES_PAGE, Row, collect_around, collect_objects
from ..sdk import vim
from ..session.answer_checks import reader
from ..session.connect import Session
from .inventory_paths import PLACE_PATHS, Places

_ALWAYS = (
    "name",
    "parent",
    "resourcePool",
    "runtime.host",
    "runtime.powerState",
    "runtime.connectionState",
    "runtime.faultToleranceState",
    "config.latencySensitivity",
    "guest.toolsRunningStatus",
    "capability.memoryReservationLockSupported",
    "snapshot",
    "config.template",
    "config.changeVersion",
    "config.createDate",
    "config.version",
    "config.uuid",
    "config.firmware",
    "config.flags.vvtdEnabled",
    "config.nestedHVEnabled",
    "config.cpuHotAddEnabled",
    "config.memoryHotAddEnabled",
    "config.memoryReservationLockedToMax",
    "config.memoryAllocation",
    "config.cpuAllocation",
    "config.hardware.numCPU",
    "config.hardware.memoryMB",
    "config.hardware.device",
    "config.extraConfig",
    "config.deviceGroups",
)
_OF_HOLDERS = (
    "name",
    "runtime.host",
    "runtime.powerState",
    "runtime.connectionState",
    "config.createDate",
    "config.memoryReservationLockedToMax",
    "config.memoryAllocation",
    "config.hardware.memoryMB",
    "config.hardware.device",
)
"""The devices and the power state of a VM, not the other properties that a change needs, and not extraConfig, which is large."""
_OF_POOLS = ("name", "runtime.memory.unreservedForVm", "config.memoryAllocation")
USER_PATHS = ("name", "runtime.host", "runtime.powerState", "runtime.connectionState", "config.hardware.device")
"""The devices of a VM, where it is, and its state."""
_SINCE = {
    "config.createDate": (vim.vm.ConfigInfo, "createDate"),
    "config.flags.vvtdEnabled": (vim.vm.FlagInfo, "vvtdEnabled"),
    "config.latencySensitivity": (vim.vm.ConfigInfo, "latencySensitivity"),
    "config.nestedHVEnabled": (vim.vm.ConfigInfo, "nestedHVEnabled"),
    "config.memoryReservationLockedToMax": (vim.vm.ConfigInfo, "memoryReservationLockedToMax"),
    "capability.memoryReservationLockSupported": (vim.vm.Capability, "memoryReservationLockSupported"),
    "config.deviceGroups": (vim.vm.ConfigInfo, "deviceGroups"),
    "config.fixedPassthruHotPlugEnabled": (vim.vm.ConfigInfo, "fixedPassthruHotPlugEnabled"),
}
_NEEDED = ("config.hardware.device", "config.memoryAllocation", "config.hardware.memoryMB")
"""Every VM has these: without disks and network cards it still has controllers and memory."""
_MIB = 2**20


VM_NAME_PATHS: Mapping[type, tuple[str, ...]] = {vim.VirtualMachine: ("name", "parent", "runtime.host"), **PLACE_PATHS}


def vm_names(rows: Iterable[Row], places: Places, directory: Directory) -> tuple[VmName, ...]:
    """Names and places of VMs, from a bulk read of ``VM_NAME_PATHS``, sorted by path."""
    names = (_vm_name(row, places, directory) for row in rows)
    return tuple(sorted(names, key=lambda vm: (vm.path, vm.moid)))


def _vm_name(row: Row, places: Places, directory: Directory) -> VmName:
    host = row.get("runtime.host")
    return VmName(
        moid=row.moid,
        name=directory.label(row.moid),
        path=directory.path(row.moid),
        host_moid=host._moId if host is not None else None,
        datacenter_moid=places.datacenter(row),
    )


def _paths(
    session: Session, paths: Sequence[str] = (*_ALWAYS, "config.fixedPassthruHotPlugEnabled")
) -> tuple[str, ...]:
    return tuple(path for path in paths if path not in _SINCE or session.knows(*_SINCE[path]))


def place_of(vm: Vm) -> VmName:
    """The name and place of a VM, to read it again."""
    return VmName(moid=vm.moid, name=vm.name, path=vm.path, host_moid=vm.host_moid, datacenter_moid=vm.datacenter_moid)


@reader
def read_vms(session: Session, names: Sequence[VmName], *, pools: bool = False) -> tuple[Vm, ...]:
    """Read these VMs in full, with their resource pools if ``pools``: one bulk read. Removed VMs are left out."""
    part = vms_part(session, names, pools=pools)
    return vms_in_full(collect_around(session, part.starts, part.paths), names)


def vms_part(session: Session, names: Sequence[VmName], *, pools: bool) -> ReadPart:
    """What to read for ``vms_in_full``."""
    paths: dict[type, Sequence[str]] = {vim.VirtualMachine: _paths(session)}
    start = PageStart(kind=vim.VirtualMachine, moids=[name.moid for name in names])
    if pools:
        start = replace(start, link="resourcePool", both=True)
        paths[vim.ResourcePool] = _OF_POOLS
    return ReadPart(starts=[start], paths=paths)


def vms_in_full(found: Mapping[type, Sequence[Row]], names: Sequence[VmName]) -> tuple[Vm, ...]:
    """Convert the rows of the VMs with these names, sorted by path."""
    table = {name.moid: name for name in names}
    states = {row.moid: _pool(row) for row in found.get(vim.ResourcePool, ())}
    vms = []
    for row in found[vim.VirtualMachine]:
        if row.moid in table:
            pool = row.get("resourcePool")
            vm = vm_from_row(row, table[row.moid])
            vms.append(replace(vm, pool=states.get(pool._moId)) if pool is not None else vm)
    return tuple(sorted(vms, key=lambda vm: (vm.path or vm.name, vm.moid)))


@reader
def read_holders(session: Session, names: Sequence[VmName]) -> tuple[Vm, ...]:
    """Read only the devices and the power state of these VMs, in one bulk read: for the many VMs without a desired state."""
    moids = [name.moid for name in names]
    rows = collect_objects(session, vim.VirtualMachine, moids, holder_paths(session), page=DEVICES_PAGE)
    return holders(rows, names)


def holder_paths(session: Session) -> tuple[str, ...]:
    """Property paths for ``holders``."""
    return _paths(session, _OF_HOLDERS)


def holders(rows: Iterable[Row], names: Iterable[VmName]) -> tuple[Vm, ...]:
    """Convert rows of ``holder_paths`` to VMs, sorted by path. ``names``: their known names for results."""
    table = {name.moid: name for name in names}
    vms = (vm_from_row(row, table.get(row.moid)) for row in rows)
    return tuple(sorted(vms, key=lambda vm: (vm.path or vm.name, vm.moid)))


@reader
def read_residents(session: Session, hosts: Sequence[Host], names: Iterable[VmName] = ()) -> dict[str, tuple[Vm, ...]]:
    """Read host id → all VMs on it, in full and sorted by name, in one bulk read. A VM is on a host if the host or the VM says so.

    ``hosts``: hosts that were read with their residents. ``names``: VMs of the inventory, with the hosts they name.
    """
    places = {host.moid for host in hosts}
    moids = {moid for host in hosts for moid in host.residents}
    moids |= {vm.moid for vm in names if vm.host_moid in places}
    rows = collect_objects(session, vim.VirtualMachine, moids, _paths(session))
    vms = sorted((vm_from_row(row, None) for row in rows), key=lambda vm: (vm.name, vm.moid))
    return {
        host.moid: tuple(vm for vm in vms if vm.host_moid == host.moid or vm.moid in host.residents) for host in hosts
    }


def _pool(row: Row) -> PoolState:
    allocation = row.get("config.memoryAllocation")
    unreserved = row.get("runtime.memory.unreservedForVm")
    return PoolState(
        moid=row.moid,
        name=row.get("name", ""),
        unreserved_for_vm_mb=unreserved // _MIB if unreserved is not None else None,
        expandable=getattr(allocation, "expandableReservation", None),
        reservation_mb=getattr(allocation, "reservation", None),
    )


@reader
def vm_from_row(row: Row, place: VmName | None) -> Vm:
    """Convert one row of a bulk read. ``place``: its name and place, if known."""
    host, created = row.get("runtime.host"), row.get("config.createDate")
    hardware = row.get("config.hardware.device", ())
    return Vm(
        moid=row.moid,
        name=place.name if place else row.get("name", row.moid),
        path=place.path if place else "",
        datacenter_moid=place.datacenter_moid if place else None,
        host_moid=host._moId if host is not None else None,
        power_state=str(row.get("runtime.powerState", "unknown")),
        connection_state=str(row.get("runtime.connectionState", "unknown")),
        is_template=bool(row.get("config.template", False)),
        change_version=row.get("config.changeVersion", ""),
        hardware_version=_hardware_version(row.get("config.version", "")),
        uuid=row.get("config.uuid") or None,
        created=None if created is None else created.timestamp(),
        has_disk=any(isinstance(device, vim.vm.device.VirtualDisk) for device in hardware),
        firmware=row.get("config.firmware", "bios"),
        memory=_memory(row),
        cpu=_cpu(row),
        cpu_hot_add=bool(row.get("config.cpuHotAddEnabled", False)),
        nested_virtualisation=bool(row.get("config.nestedHVEnabled", False)),
        virtual_iommu=bool(row.get("config.flags.vvtdEnabled", False)),
        has_snapshots=row.get("snapshot") is not None,
        fault_tolerance=str(row.get("runtime.faultToleranceState", "notConfigured")) != "notConfigured",
        fault_tolerance_known=bool(row.get("runtime.faultToleranceState")),
        tools_running=row.get("guest.toolsRunningStatus") == "guestToolsRunning",
        latency_sensitivity=_latency_sensitivity(row),
        fixed_hot_plug=bool(row.get("config.fixedPassthruHotPlugEnabled", False)),
        devices=passthrough_devices(hardware),
        extra_config=_extra_config(row.get("config.extraConfig", ())),
        device_groups=_device_groups(row.get("config.deviceGroups")),
        pci_controller_key=_controller_key(hardware),
        unreadable=tuple(path for path in sorted(_NEEDED) if not row.get(path)),
    )


def _latency_sensitivity(row: Row) -> Fact[str]:
    """The level. The property is unset if it was never changed, and before vSphere 5.1. If it is set, it must have a level."""
    path = "config.latencySensitivity"
    level = getattr(row.get(path), "level", None)
    if path in row.missing or (level is None and row.get(path) is not None):
        return Unknown(gap=Gap(path=path))
    return str(level or "normal")


def _hardware_version(version: str) -> int:
    digits = version.rpartition("-")[2]
    return int(digits) if digits.isdigit() else 0


def _cpu(row: Row) -> CpuState:
    allocation = row.get("config.cpuAllocation")
    limit = getattr(allocation, "limit", None)
    return CpuState(
        count=row.get("config.hardware.numCPU") or None,
        reservation_mhz=getattr(allocation, "reservation", None),
        limit_mhz=None if limit is None or limit < 0 else limit,
    )


def _memory(row: Row) -> MemoryState:
    allocation = row.get("config.memoryAllocation")
    limit = getattr(allocation, "limit", None)
    return MemoryState(
        size_mb=row.get("config.hardware.memoryMB", 0),
        reservation_mb=getattr(allocation, "reservation", None) or 0,
        limit_mb=None if limit is None or limit < 0 else limit,
        locked_to_max=bool(row.get("config.memoryReservationLockedToMax", False)),
        lock_supported=row.get("capability.memoryReservationLockSupported"),
        hot_add=bool(row.get("config.memoryHotAddEnabled", False)),
    )


OWN_SETTING = re.compile(r"pcipassthru(\.use64bitmmio|\.64bitmmiosizegb|[0-9]+\.cfg\..+)", re.IGNORECASE)
"""Without the rest of pciPassthruN.*: after a failed hot-add it names devices that do not exist."""


def _extra_config(options: Iterable[Any]) -> dict[str, str]:
    return {option.key: str(option.value) for option in options if OWN_SETTING.fullmatch(option.key)}


def _device_groups(groups: Any) -> dict[int, str]:
    """Key → name of each vendor device group. Other kinds of groups have no name, and are left out."""
    found = getattr(groups, "deviceGroup", None) or ()
    return {group.groupInstanceKey: group.deviceGroupName for group in found if hasattr(group, "deviceGroupName")}


def _controller_key(hardware: Iterable[Any]) -> int:
    return next((device.key for device in hardware if isinstance(device, vim.vm.device.VirtualPCIController)), 100)


def passthrough_devices(hardware: Iterable[Any]) -> tuple[VmDevice, ...]:
    """The passthrough devices among the virtual devices, sorted by key. A backing of a later release becomes UnknownBacking."""
    found = []
    for device in hardware:
        if isinstance(device, vim.vm.device.VirtualPCIPassthrough):
            backing = backing_from(device.backing)
        elif isinstance(device, vim.vm.device.VirtualSriovEthernetCard):
            backing = _sriov_backing(device)
        else:
            continue
        found.append(
            VmDevice(
                key=device.key,
                label=getattr(device.deviceInfo, "label", "") or "",
                backing=backing,
                group_instance=getattr(getattr(device, "deviceGroupInfo", None), "groupInstanceKey", None),
                numa_node=_numa_node(device),
            )
        )
    return tuple(sorted(found, key=lambda device: device.key))


def _numa_node(device: Any) -> int | None:
    """A negative number, like an unset one, is no affinity (API reference of VirtualDevice)."""
    node = getattr(device, "numaNode", None)
    return None if node is None or node < 0 else int(node)


def dvx_backing(backing: Any) -> DvxBacking:
    """Convert a DVX backing, with its parameters sorted by key."""
    parameters = sorted((option.key, _plain_value(option.value)) for option in backing.configParams or ())
    return DvxBacking(device_class=backing.deviceClass or "", parameters=tuple(parameters))


def _plain_value(value: Any) -> bool | int | float | str:
    """A value of an option in the types of Python: pyVmomi has types of its own for numbers."""
    for kind in (bool, int, float):
        if isinstance(value, kind):
            return kind(value)
    return str(value)


def backing_from(backing: Any) -> Backing:
    """Convert the backing of a passthrough device."""
    kinds = vim.vm.device.VirtualPCIPassthrough
    if isinstance(backing, kinds.DynamicBackingInfo):
        return DynamicBacking(
            allowed=tuple(sorted(_allowed(entry) for entry in backing.allowedDevice or ())),
            custom_label=backing.customLabel or None,
            assigned_address=parse_backing_address(backing.assignedId),
        )
    if isinstance(backing, kinds.VmiopBackingInfo):
        return VgpuBacking(profile=backing.vgpu or "")
    if isinstance(backing, kinds.DvxBackingInfo):
        return dvx_backing(backing)
    if isinstance(backing, kinds.DeviceBackingInfo):
        readings = backing_addresses(backing.id)
        return FixedBacking(
            address=readings[0] if len(readings) == 1 else None,
            readings=readings if len(readings) > 1 else (),
            text=backing.id or "",
            vendor_id=hex4(backing.vendorId) if backing.vendorId is not None else None,
            device_id=parse_backing_device_id(backing.deviceId),
            system_id=backing.systemId or None,
        )
    return UnknownBacking(type_name=type(backing).__name__)


def _allowed(entry: Any) -> AllowedDevice:
    def optional(value: int | None) -> str | None:
        return hex4(value) if value is not None else None

    return AllowedDevice(
        vendor_id=hex4(entry.vendorId),
        device_id=hex4(entry.deviceId),
        subvendor_id=optional(entry.subVendorId),
        subdevice_id=optional(entry.subDeviceId),
    )


_UNCHOSEN = "0000:00:00.0"
"""The address in the physical function of an automatic adapter while vSphere has not chosen one."""


def _sriov_backing(device: Any) -> SriovBacking:
    """An SR-IOV network adapter. The physical function of an automatic one is unset, or ``Automatic-<address>``."""
    backing = getattr(device, "sriovBacking", None)
    text = getattr(getattr(backing, "physicalFunctionBacking", None), "id", None) or ""
    virtual = getattr(getattr(backing, "virtualFunctionBacking", None), "id", None)
    physical, sent = parse_backing_address(text), text.startswith("Automatic-")
    key, name, switch = _network_of(device.backing)
    return SriovBacking(
        physical_function=None if sent and physical == _UNCHOSEN else physical,
        virtual_function=parse_backing_address(virtual),
        automatic=sent or not text,
        network=key,
        network_name=name,
        switch=switch,
        mac=(device.macAddress or "").lower(),
        address_type=str(device.addressType or ""),
        allow_guest_mtu_change=bool(device.allowGuestOSMtuChange),
        dvx_class=getattr(getattr(device, "dvxBackingInfo", None), "deviceClass", None) or "",
        sent_automatic=sent,
    )


def _network_of(backing: Any) -> tuple[str, str, str]:
    """What the backing of a network adapter says: key and name of the network, and UUID of its distributed switch. Empty where it is
    silent: a distributed port group has no name there."""
    cards = vim.vm.device.VirtualEthernetCard
    if isinstance(backing, cards.DistributedVirtualPortBackingInfo):
        return backing.port.portgroupKey or "", "", backing.port.switchUuid or ""
    if isinstance(backing, cards.NetworkBackingInfo):
        network = backing.network
        return network._moId if network is not None else "", shown_name(backing.deviceName or ""), ""
    return "", "", ""
