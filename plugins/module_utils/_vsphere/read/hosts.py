# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read hosts: HostSystem → Host. PRIVATE to the collection.

The basic properties are read for all hosts in one bulk read. What a host depends on (``read_fabric``) is read only for hosts with changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from operator import attrgetter
from typing import Any

from ..._domain.host.targets import Inventory
from ..._domain.observed.device_users import function_users_by_host, unplaced_by_host, users_by_host
from ..._domain.observed.direct_path import DirectPathState
from ..._domain.observed.hosts import DeviceMode, DeviceUser, Host, HostCapabilities, HostDevice, Sriov
from ..._domain.observed.uncertain_holders import unread_vms
from ..._domain.observed.vms import Vm, VmName
from ..._domain.pci import hex4
from ..._domain.text import visible_name
from ..property_collector.parser import PageStart, ReadPart
from ..property_collector.retrieve import (
    DEVICES_PAGE,
    NAMES_PAGE,
    Row,
    collect_around,
    collect_objects,
    collect_through,
    collect_view,
)
from ..sdk import vim
from ..session.answer_checks import reader
from ..session.connect import Session
from .graphics import graphics_paths, with_graphics
from .inventory_paths import PLACE_PATHS, Places
from .vms import USER_PATHS, VM_NAME_PATHS, holder_paths, holders, vm_from_row, vm_names

_NICS = "config.network.pnic"
_ALWAYS = (
    "name",
    "parent",
    "config.product.version",
    "runtime.connectionState",
    "runtime.powerState",
    "runtime.inMaintenanceMode",
    "runtime.bootTime",
    "summary.rebootRequired",
    "summary.hardware.cpuMhz",
    "configManager.pciPassthruSystem",
    "hardware.pciDevice",
    "config.pciPassthruInfo",
    _NICS,
    "capability.rebootSupported",
    "capability.maintenanceModeSupported",
)
_CAPABILITIES = {
    "deviceRebindWithoutRebootSupported": "rebind_without_reboot",
    "assignHwPciConfigSupported": "hardware_labels",
    "assignableHardwareSupported": "assignable_hardware",
}
_BOUND_ADDRESS = re.compile(r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]", re.IGNORECASE)
_ASSIGNABLE = "configManager.assignableHardwareManager"
_RESIDENTS = "vm"
_WAITS = "summary.maintenanceModeRequired"
_NEEDED = ("runtime.connectionState", "hardware.pciDevice", "config.pciPassthruInfo", _RESIDENTS)
"""Without one of these paths, nothing is decided about a host."""


def host_paths(session: Session, *, numa: bool = False, vms: bool = False, graphics: bool = False) -> tuple[str, ...]:
    """Property paths for ``host_from_row``. ``numa``: with NUMA nodes. ``vms``: with the list of its VMs. ``graphics``: with those of
    ``with_graphics``."""
    known = tuple(f"capability.{name}" for name in _CAPABILITIES if session.knows(vim.host.Capability, name))
    nodes = ("hardware.numaInfo",) if numa else ()
    waits = (_WAITS,) if session.knows(vim.host.Summary, "maintenanceModeRequired") else ()
    further = (*((_RESIDENTS,) if vms else ()), *(graphics_paths(session) if graphics else ()))
    return _ALWAYS + known + waits + nodes + _manager_paths(session) + further


def _manager_paths(session: Session) -> tuple[str, ...]:
    return (_ASSIGNABLE,) if session.knows(vim.host.ConfigManager, "assignableHardwareManager") else ()


@reader
def read_hosts(session: Session, *, numa: bool = False, vms: bool = False, graphics: bool = False) -> Inventory:
    """Read all hosts of the endpoint, sorted by name, in one bulk read. ``vms``: with the ids of their VMs. ``graphics``: with their
    graphics."""
    paths = host_paths(session, numa=numa, vms=vms, graphics=graphics)
    found = collect_view(session, {vim.HostSystem: paths, **PLACE_PATHS})
    inventory = _inventory(session, found)
    if not graphics:
        return inventory
    rows = {row.moid: row for row in found[vim.HostSystem]}
    return replace(inventory, hosts=tuple(with_graphics(host, rows[host.moid]) for host in inventory.hosts))


_HOST_NAME_PATHS: Mapping[type, tuple[str, ...]] = {vim.HostSystem: ("name", "parent"), **PLACE_PATHS}


@reader
def read_host_names(session: Session) -> Inventory:
    """Read name and place of all hosts of the endpoint, sorted by name, in one bulk read.

    A server has hundreds of PCI functions, so these are read only for some hosts (``reread_hosts``).
    """
    return _inventory(session, collect_view(session, _HOST_NAME_PATHS, page=NAMES_PAGE))


@reader
def read_names(session: Session, *, managers: bool = False) -> Inventory:
    """Read name and place of all VMs and hosts, in one bulk read. ``managers``: with the id of the object that has the bindings of a
    host."""
    paths = {**VM_NAME_PATHS, **_HOST_NAME_PATHS}
    if managers:
        paths[vim.HostSystem] = (*paths[vim.HostSystem], *_manager_paths(session))
    return _inventory(session, collect_view(session, paths, page=NAMES_PAGE))


def _inventory(session: Session, found: Mapping[type, Sequence[Row]]) -> Inventory:
    places, rows = Places(found), found[vim.HostSystem]
    clusters = places.clusters()
    # In a direct connection to an ESXi host, the hostname of the connection is also a name of the host.
    is_alone = not session.is_vcenter and len(rows) == 1
    names = places.directory("host", rows, {session.endpoint.hostname.casefold(): rows[0].moid} if is_alone else {})
    labels = {row.moid: clusters.label(row.moid) for row in found[vim.ClusterComputeResource]}
    hosts = (replace(host_from_row(row, labels), name=names.label(row.moid), path=names.path(row.moid)) for row in rows)
    machines = found.get(vim.VirtualMachine, ())
    vms = places.directory("vm", machines)
    return Inventory(
        hosts=tuple(sorted(hosts, key=lambda host: (host.name, host.moid))),
        host_names=names,
        cluster_names=clusters,
        vms=vm_names(machines, places, vms),
        vm_names=vms,
    )


@reader
def reread_hosts(
    session: Session, hosts: Sequence[Host], *, numa: bool = False, vms: bool = False, graphics: bool = False
) -> tuple[Host, ...]:
    """Read the same hosts again, in one bulk read. A removed host stays in the result, with the connection state ``removed``.

    ``vms``: with the ids of their VMs. ``graphics``: with their graphics.
    """
    paths = host_paths(session, numa=numa, vms=vms, graphics=graphics)
    rows = collect_objects(session, vim.HostSystem, [host.moid for host in hosts], paths)
    return _update(hosts, rows, graphics=graphics)


def read_around(
    session: Session, hosts: Sequence[Host], names: Iterable[VmName]
) -> tuple[tuple[Host, ...], tuple[Vm, ...]]:
    """Read the same hosts again, with the VMs that a device is bound to, and the VMs on them with their devices: one bulk read.

    ``names``: the known names of VMs for results. Threads that read the same hosts at the same time share a read.
    """

    def read() -> tuple[tuple[Host, ...], tuple[Vm, ...]]:
        part = hosts_part(session, hosts)
        here = replace(part.starts[0], link=_RESIDENTS, both=True)
        paths = {**part.paths, vim.VirtualMachine: holder_paths(session)}
        found = collect_around(session, [here, *part.starts[1:]], paths, page=DEVICES_PAGE)
        return bound_hosts(found, hosts), holders(found[vim.VirtualMachine], names)

    return session.around.get(tuple(host.moid for host in hosts), read)


def hosts_part(session: Session, hosts: Sequence[Host], *, graphics: bool = False) -> ReadPart:
    """What to read for ``bound_hosts``: the hosts, and the bindings of those whose manager is known."""
    starts = [PageStart(kind=vim.HostSystem, moids=[host.moid for host in hosts])]
    paths: dict[type, Sequence[str]] = {vim.HostSystem: host_paths(session, numa=True, vms=True, graphics=graphics)}
    managers = [host.assignable_moid for host in hosts if host.assignable_moid]
    if managers:
        starts.append(PageStart(kind=vim.host.AssignableHardwareManager, moids=managers))
        paths[vim.host.AssignableHardwareManager] = ("binding",)
    return ReadPart(starts=starts, paths=paths)


def bound_hosts(
    found: Mapping[type, Sequence[Row]], hosts: Sequence[Host], *, graphics: bool = False
) -> tuple[Host, ...]:
    """The hosts as they are now, with the VMs that a device is bound to."""
    bindings = {row.moid: row.get("binding", ()) for row in found.get(vim.host.AssignableHardwareManager, ())}
    fresh = [replace(host, users={}) for host in _update(hosts, found[vim.HostSystem], graphics=graphics)]
    return tuple(_bound(host, bindings.get(host.assignable_moid or "", ())) for host in fresh)


def _update(hosts: Sequence[Host], rows: Iterable[Row], *, graphics: bool = False) -> tuple[Host, ...]:
    table = {row.moid: row for row in rows}
    fresh = []
    for host in hosts:
        row = table.get(host.moid)
        if row is None:
            fresh.append(replace(host, connection_state="removed", devices=()))
            continue
        now = host_from_row(row, {})
        now = with_graphics(now, row) if graphics else now
        fresh.append(
            replace(
                now,
                name=host.name,
                path=host.path,
                cluster=host.cluster,
                datacenter=host.datacenter,
                fabric=host.fabric,
                users=host.users,
                function_users=host.function_users,
                module_options=host.module_options,
            )
        )
    return tuple(fresh)


@reader
def host_from_row(row: Row, clusters: Mapping[str, str]) -> Host:
    """Convert one row of a bulk read. ``clusters``: cluster id → label. Needed paths without a value are in ``unreadable``."""
    parent = row.get("parent")
    assignable, system = row.get(_ASSIGNABLE), row.get("configManager.pciPassthruSystem")
    capabilities = {field: row.get(f"capability.{name}") for name, field in _CAPABILITIES.items()}
    boot_time = row.get("runtime.bootTime")
    return Host(
        moid=row.moid,
        name=row.get("name", row.moid),
        cluster=clusters.get(parent._moId) if parent is not None else None,
        compute_moid=parent._moId if parent is not None else "",
        assignable_moid=assignable._moId if assignable is not None else None,
        passthrough_moid=system._moId if system is not None else None,
        version=row.get("config.product.version", ""),
        cpu_mhz=row.get("summary.hardware.cpuMhz") or None,
        connection_state=str(row.get("runtime.connectionState", "unknown")),
        power_state=str(row.get("runtime.powerState", "unknown")),
        in_maintenance_mode=bool(row.get("runtime.inMaintenanceMode", False)),
        boot_time=boot_time.timestamp() if boot_time is not None else None,
        reboot_required_hint=bool(row.get("summary.rebootRequired", False)),
        maintenance_mode_required=row.get(_WAITS),
        capabilities=HostCapabilities(
            reboot=bool(row.get("capability.rebootSupported", True)),
            maintenance_mode=bool(row.get("capability.maintenanceModeSupported", True)),
            **capabilities,
        ),
        devices=_devices(row),
        passthrough_supported=system is not None,
        nics_unread=not row.get(_NICS),
        residents=frozenset(vm._moId for vm in row.get(_RESIDENTS, ())),
        unreadable=tuple(sorted(path for path in row.missing if path in _NEEDED)),
    )


def _devices(row: Row) -> tuple[HostDevice, ...]:
    nics = tuple((nic.pci.lower(), (nic.device, nic.driver or "")) for nic in row.get(_NICS, ()) if nic.pci)
    return _devices_of(
        tuple(row.get("hardware.pciDevice", ())),
        tuple(row.get("config.pciPassthruInfo", ())),
        tuple(_numa_nodes(row.get("hardware.numaInfo")).items()),
        nics,
    )


@lru_cache(maxsize=1024)
def _devices_of(
    functions: Sequence[Any],
    infos: Sequence[Any],
    nodes: Sequence[tuple[str, int]],
    nics: Sequence[tuple[str, tuple[str | None, str]]],
) -> tuple[HostDevice, ...]:
    """Convert the PCI functions of a host. Cached as ``_device`` is: most hosts of a fleet have equal devices at equal addresses."""
    states, node_of, nic_of = {info.id.lower(): info for info in infos}, dict(nodes), dict(nics)
    devices = []
    for pci in functions:
        address = pci.id.lower()
        devices.append(_device(pci, states.get(address), node_of.get(address), nic_of.get(address, (None, ""))))
    return tuple(sorted(devices, key=attrgetter("address")))


def _numa_nodes(info: Any) -> dict[str, int]:
    nodes: dict[str, int] = {}
    for node in getattr(info, "numaNode", None) or ():
        for address in getattr(node, "pciId", None) or ():
            nodes[address.lower()] = int(node.typeId)
    return nodes


@lru_cache(maxsize=8192)
def _device(pci: Any, info: Any, node: int | None, nic: tuple[str | None, str]) -> HostDevice:
    """Convert a PCI function. Cached: a bulk read has the same objects for the equal devices of a thousand hosts."""
    dependent = getattr(info, "dependentDevice", None)
    return HostDevice(
        address=pci.id.lower(),
        vendor_id=hex4(pci.vendorId),
        device_id=hex4(pci.deviceId),
        subvendor_id=hex4(pci.subVendorId),
        subdevice_id=hex4(pci.subDeviceId),
        class_id=hex4(pci.classId),
        vendor_name=visible_name(pci.vendorName or ""),
        name=visible_name(pci.deviceName or ""),
        slot=_slot(pci),
        parent_bridge=(pci.parentBridge or "").lower() or None,
        numa_node=node,
        capable=bool(info.passthruCapable) if info is not None else False,
        enabled=bool(info.passthruEnabled) if info is not None else False,
        active=bool(info.passthruActive) if info is not None else False,
        reported=info is not None,
        dependent_device=dependent.lower() if dependent else None,
        label=getattr(info, "hardwareLabel", None) or None,
        mode=_mode(info),
        direct_path=_direct_path(info),
        sriov=_sriov(info),
        vmnic=nic[0],
        driver=nic[1],
    )


def _slot(pci: Any) -> str | None:
    """The slot number as text, if the release has one. For -1 (on board): the slot description."""
    number = getattr(pci, "physicalSlot", None)
    if number is not None and number >= 0:
        return str(number)
    return getattr(pci, "slotDescription", None) or None


def _mode(info: Any) -> DeviceMode:
    if info is None:
        return "off"
    mode = getattr(getattr(info, "directPathState", None), "mode", None)
    if mode:
        known: dict[str, DeviceMode] = {
            "none": "off",
            "host": "off",
            "directPath": "passthrough",
            "enhancedDirectPath": "directpath",
            "vGpuSameSize": "vgpu",
            "vGpuMixedSize": "vgpu",
        }
        return known.get(str(mode), "unknown")
    if isinstance(info, vim.host.SriovInfo) and info.sriovEnabled:
        return "sriov"
    return "passthrough" if info.passthruEnabled or info.passthruActive else "off"


def _direct_path(info: Any) -> DirectPathState | None:
    state = getattr(info, "directPathState", None)
    if state is None or not state.mode:
        return None
    return DirectPathState.of(str(state.mode), map(str, state.configurableModes or ()))


def _sriov(info: Any) -> Sriov | None:
    if not isinstance(info, vim.host.SriovInfo):
        return None
    return Sriov(
        capable=bool(info.sriovCapable),
        enabled=bool(info.sriovEnabled),
        active=bool(info.sriovActive),
        requested=info.numVirtualFunctionRequested or 0,
        current=info.numVirtualFunction or 0,
        maximum=info.maxVirtualFunctionSupported or 0,
    )


@reader
def read_uuids(session: Session, moids: Iterable[str]) -> dict[str, str]:
    """Read host id → hardware UUID, as the BIOS has it; empty if the host reports none. One round trip."""
    rows = collect_objects(session, vim.HostSystem, moids, ("hardware.systemInfo.uuid",))
    return {row.moid: str(row.get("hardware.systemInfo.uuid", "")) for row in rows}


def read_users(session: Session, hosts: Sequence[Host], names: Iterable[VmName] = ()) -> tuple[Host, ...]:
    """Read the VMs that hold each device of the hosts, or are configured with it, in one bulk read.

    ``names``: VMs of the inventory. A second bulk read gets those that a host does not list, but that name one of the hosts, or no host.
    """
    paths = {vim.VirtualMachine: USER_PATHS}
    reachable = [host.moid for host in hosts if host.is_reachable]
    rows = collect_through(session, vim.HostSystem, reachable, _RESIDENTS, paths, page=DEVICES_PAGE)[vim.VirtualMachine]
    listed = {row.moid for row in rows}
    unlisted = [vm.moid for vm in names if vm.moid not in listed and vm.host_moid in (None, *reachable)]
    rows += collect_objects(session, vim.VirtualMachine, unlisted, USER_PATHS, page=DEVICES_PAGE)
    vms = [vm_from_row(row, None) for row in rows]
    labels = vm_labels(session, {vm.moid: vm.name for vm in vms})
    named = [replace(vm, name=labels[vm.moid]) for vm in vms]
    users, functions, unplaced = users_by_host(named), function_users_by_host(named), unplaced_by_host(named)
    with_users = (
        replace(
            host,
            users=users.get(host.moid, {}),
            function_users=functions.get(host.moid, ()),
            unplaced=unplaced.get(host.moid, ()),
            unread_vms=unread_vms(host, named),
        )
        for host in hosts
    )
    return read_bindings(session, tuple(with_users))


@reader
def vm_labels(session: Session, names: Mapping[str, str]) -> Mapping[str, str]:
    """VM id → name for results. If two VMs have the same name, one bulk read gets their paths."""
    if len(set(names.values())) == len(names):
        return names
    known = read_names(session).vm_names
    return {moid: known.label(moid) if moid in known else name for moid, name in names.items()}


@reader
def read_bindings(session: Session, hosts: Sequence[Host]) -> tuple[Host, ...]:
    """Read the VMs that each host reports as users of its devices at this time, in one bulk read.

    This includes VMs that the account cannot see. Such a VM has its id as its name.
    """
    managers = {host.assignable_moid for host in hosts if host.assignable_moid and host.is_reachable}
    kind = vim.host.AssignableHardwareManager
    bindings = {
        row.moid: row.get("binding", ())
        for row in collect_objects(session, kind, managers, ("binding",), page=NAMES_PAGE)
    }
    return tuple(_bound(host, bindings.get(host.assignable_moid or "", ())) for host in hosts)


def _bound(host: Host, bindings: Iterable[Any]) -> Host:
    users = dict(host.users)
    for binding in bindings:
        # From 9.1 on the address is a separate field; before, it is a part of the name of the instance.
        named = getattr(binding, "pciId", None) or binding.instanceId or ""
        found = _BOUND_ADDRESS.search(named)
        if found is None or binding.vm is None:
            continue
        address, moid = found[0].lower(), binding.vm._moId
        known = users.get(address, ())
        if all(user.moid != moid for user in known):
            users[address] = (*known, DeviceUser(vm=moid, moid=moid, powered_on=True, fixed=False))
    return replace(host, users=users)
