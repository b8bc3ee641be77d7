# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The devices that a host depends on: uplinks, boot and datastore disks, shared GPUs. PRIVATE to the collection.

The data is large (hundreds of kilobytes per host), so it is read only for hosts with changes, all of them in one bulk read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..._domain.facts import Fact, Gap, Listing, Unknown
from ..._domain.host.boot_disk import (
    Partition,
    Tables,
    Volume,
    boots_from_usb,
    find_boot_disks,
    find_installations,
)
from ..._domain.observed.hosts import Disk, Host, HostFabric, PhysicalNic, SharedGpu, StorageAdapter, Switch
from ..property_collector.retrieve import Row, collect_objects
from ..sdk import vim, vmodl
from ..session.answer_checks import reader
from ..session.connect import Session
from .disk_paths import TOPOLOGIES, disks_by_adapter
from .gaps import gaps_by_fact

_PATHS = {
    "config.network.pnic": None,
    "config.network.vswitch": None,
    "config.network.proxySwitch": None,
    "config.network.opaqueSwitch": (vim.host.NetworkInfo, "opaqueSwitch"),
    "config.network.portgroup": None,
    "config.network.vnic": None,
    "config.virtualNicManagerInfo.netConfig": None,
    "config.storageDevice.hostBusAdapter": None,
    "config.storageDevice.scsiLun": None,
    **TOPOLOGIES,
    "config.fileSystemVolume.mountInfo": None,
    "config.fileSystemVolume.volumeTypeList": None,
    "config.activeDiagnosticPartition": None,
    "config.vsanHostConfig": (vim.host.ConfigInfo, "vsanHostConfig"),
    "config.graphicsInfo": (vim.host.ConfigInfo, "graphicsInfo"),
    "configManager.storageSystem": None,
}
_REMOTE_ADAPTERS = tuple(
    getattr(vim.host, name)
    for name in ("FibreChannelHba", "FibreChannelOverEthernetHba", "InternetScsiHba", "RdmaHba", "TcpHba")
    if hasattr(vim.host, name)
)
"""Adapters for disks on the network. RdmaHba and TcpHba (NVMe over fabrics) exist since vSphere 7.0."""


@reader
def read_fabric(session: Session, hosts: Sequence[Host], *, disks_of: Iterable[str] = ()) -> tuple[Host, ...]:
    """The hosts with their fabric. ``disks_of``: ids of hosts whose partition tables are read too, with one call per host.

    Hosts that are not reachable keep the fabric they had. Raises faults of the server and BrokenAnswer.
    """
    paths = [path for path, since in _PATHS.items() if since is None or session.knows(*since)]
    reachable = [host.moid for host in hosts if host.is_reachable]
    rows = {row.moid: row for row in collect_objects(session, vim.HostSystem, reachable, paths)}
    names = _vm_names(session, rows.values())
    with_partitions = frozenset(disks_of)
    filled = []
    for host in hosts:
        row = rows.get(host.moid)
        tables = _partitions(session, row) if row is not None and host.moid in with_partitions else {}
        filled.append(replace(host, fabric=_fabric(row, tables, names) if row is not None else host.fabric))
    return tuple(filled)


def _vm_names(session: Session, rows: Iterable[Row]) -> dict[str, str]:
    """id → name of the VMs that use a shared GPU. No round trip if there are none."""
    moids = {vm._moId for row in rows for info in row.get("config.graphicsInfo", ()) for vm in info.vm or ()}
    return {
        row.moid: row.get("name", row.moid) for row in collect_objects(session, vim.VirtualMachine, moids, ("name",))
    }


def _fabric(row: Row, tables: Tables, names: Mapping[str, str]) -> HostFabric:
    gaps = gaps_by_fact(row)
    adapters = _adapters(row)
    disks = _disks(row, tables)
    return HostFabric(
        nics=Listing(_nics(row), gaps=gaps["nics"]),
        switches=Listing(switches_of(row), gaps=gaps["switches"]),
        adapters=Listing(adapters, gaps=gaps["adapters"]),
        disks=Listing(disks, gaps=gaps["disks"]),
        hidden_disks=_hidden_disks(row, disks),
        boot_disk_known=any(disk.is_boot for disk in disks),
        boots_from_usb=boots_from_usb(disks, adapters),
        vsan_esa=_vsan_esa(row, gaps["vsan_esa"]),
        graphics=Listing(_graphics(row, names), gaps=gaps["graphics"]),
    )


def _vsan_esa(row: Row, gaps: Sequence[Gap]) -> Fact[bool]:
    return Unknown(gap=gaps[0]) if gaps else bool(getattr(row.get("config.vsanHostConfig"), "vsanEsaEnabled", False))


def _hidden_disks(row: Row, disks: Iterable[Disk]) -> tuple[str, ...]:
    """Extents of volumes that are not in the list of disks. NFS, vSAN, vVol and boot banks have no extents."""
    known = {disk.name for disk in disks}
    return tuple(sorted({disk for volume in _volumes(row) for disk in volume.disks} - known))


def _volumes(row: Row) -> list[Volume]:
    mounted = [mount.volume for mount in row.get("config.fileSystemVolume.mountInfo", ())]
    return [
        Volume(
            name=volume.name,
            type=str(volume.type),
            disks=tuple(extent.diskName for extent in getattr(volume, "extent", None) or ()),
        )
        for volume in mounted
    ]


def _nics(row: Row) -> tuple[PhysicalNic, ...]:
    pnics = row.get("config.network.pnic", ())
    nics = [
        PhysicalNic(
            device=pnic.device, address=pnic.pci.lower(), link=pnic.linkSpeed is not None, mac=(pnic.mac or "").lower()
        )
        for pnic in pnics
        if pnic.pci
    ]
    return tuple(sorted(nics, key=lambda nic: nic.address))


def switches_of(row: Row) -> tuple[Switch, ...]:
    """The virtual switches of a host, with their uplinks and the services of their vmkernel adapters."""
    devices = {pnic.key: pnic.device for pnic in row.get("config.network.pnic", ())}

    def uplinks(keys: Iterable[str] | None) -> tuple[str, ...]:
        return tuple(sorted(devices.get(key, key.rpartition("-")[2]) for key in keys or ()))

    services = _services(row)
    switches = [
        Switch(name=sw.name, uplinks=uplinks(sw.pnic), services=services.get(("standard", sw.name), frozenset()))
        for sw in row.get("config.network.vswitch", ())
    ]
    opaque = row.get("config.network.opaqueSwitch", ())
    on_opaque = services.get(("opaque", ""), frozenset())
    for sw in row.get("config.network.proxySwitch", ()):
        # NSX on a distributed switch: its networks are opaque, but its uplinks are those of the distributed switch.
        carried = on_opaque if not opaque and getattr(sw, "nsxtEnabled", False) else frozenset()
        lags = [nic for lag in sw.hostLag or () for port in lag.lagPort or () for nic in (port.pnicKey,) if nic]
        switches.append(
            Switch(
                name=sw.dvsName or sw.dvsUuid,
                kind="distributed",
                uplinks=uplinks([*(sw.pnic or ()), *lags]),
                services=services.get(("distributed", sw.dvsUuid), frozenset()) | carried,
            )
        )
    for sw in opaque:
        switches.append(
            Switch(
                name=sw.name or sw.key,
                kind="opaque",
                uplinks=uplinks(sw.pnic),
                services=on_opaque,
            )
        )
    return tuple(sorted(switches, key=lambda switch: (switch.kind, switch.name)))


def _services(row: Row) -> dict[tuple[str, str], frozenset[str]]:
    """(switch kind, switch) → services of its vmkernel adapters. An adapter without a service may carry NFS or iSCSI: "storage"."""
    by_adapter: dict[str, set[str]] = {}
    for config in row.get("config.virtualNicManagerInfo.netConfig", ()):
        names = {nic.key: nic.device for nic in config.candidateVnic or ()}
        for selected in config.selectedVnic or ():
            device = names.get(selected, selected.rpartition("-")[2])
            by_adapter.setdefault(device, set()).add(config.nicType)
    groups = {group.spec.name: group.spec.vswitchName for group in row.get("config.network.portgroup", ())}
    table: dict[tuple[str, str], set[str]] = {}
    for nic in row.get("config.network.vnic", ()):
        port = nic.spec.distributedVirtualPort
        if port is not None:
            place = ("distributed", port.switchUuid)
        elif getattr(nic.spec, "opaqueNetwork", None) is not None:
            place = ("opaque", "")
        else:
            place = ("standard", groups.get(nic.portgroup, ""))
        table.setdefault(place, set()).update(by_adapter.get(nic.device) or {"storage"})
    return {place: frozenset(found) for place, found in table.items()}


def _adapters(row: Row) -> tuple[StorageAdapter, ...]:
    reached = disks_by_adapter(row)
    adapters = [
        StorageAdapter(
            device=hba.device,
            address=(hba.pci or "").lower(),
            driver=hba.driver or "",
            disks=tuple(sorted(reached.get(hba.key, ()))),
            remote=isinstance(hba, _REMOTE_ADAPTERS),
        )
        for hba in row.get("config.storageDevice.hostBusAdapter", ())
    ]
    return tuple(sorted(adapters, key=lambda adapter: (adapter.address, adapter.device)))


def _disks(row: Row, tables: Tables) -> tuple[Disk, ...]:
    volumes = _volumes(row)
    uses = _disk_uses(row, volumes)
    boot, installed = find_boot_disks(volumes, tables), find_installations(tables)
    disks = []
    for lun in row.get("config.storageDevice.scsiLun", ()):
        name = lun.canonicalName
        found = uses.setdefault(name, set())
        _add_disk_flags(lun, found)
        if name in boot:
            found.add("is the disk ESXi boots from")
        elif name in installed:
            found.add("has an installation of ESXi, perhaps the one this host boots")
        partitions = tables.get(name)
        disks.append(
            Disk(
                name=name,
                local=getattr(lun, "localDisk", None),
                partitioned=None if partitions is None else bool(partitions),
                uses=tuple(sorted(found)),
                is_boot=name in boot,
            )
        )
    return tuple(sorted(disks, key=lambda disk: disk.name))


def _disk_uses(row: Row, volumes: Iterable[Volume]) -> dict[str, set[str]]:
    """Disk → its uses, as clauses for messages."""
    uses: dict[str, set[str]] = {}
    for volume in volumes:
        what = "the ESXi system volume" if volume.is_system else "datastore"
        for disk in volume.disks:
            uses.setdefault(disk, set()).add(f"holds {what} {volume.name}")
    dump = row.get("config.activeDiagnosticPartition")
    if dump is not None and getattr(dump, "id", None) is not None:
        uses.setdefault(dump.id.diskName, set()).add("holds the core dump partition")
    for name in _vsan_disks(row.get("config.vsanHostConfig")):
        uses.setdefault(name, set()).add("belongs to a vSAN disk group")
    return uses


def _add_disk_flags(lun: Any, found: set[str]) -> None:
    vsan = getattr(lun, "vsanDiskInfo", None)
    if vsan is not None and getattr(vsan, "vsanUuid", None):
        found.add("belongs to vSAN")
    if getattr(lun, "usedByMemoryTiering", False):
        found.add("is used for memory tiering")


def _vsan_disks(config: Any) -> set[str]:
    mapping = getattr(getattr(config, "storageInfo", None), "diskMapping", None) or ()
    return {disk.canonicalName for group in mapping for disk in (group.ssd, *(group.nonSsd or ())) if disk is not None}


def _graphics(row: Row, names: Mapping[str, str]) -> tuple[SharedGpu, ...]:
    return tuple(
        SharedGpu(address=info.pciId.lower(), vms=tuple(sorted(names.get(vm._moId, vm._moId) for vm in info.vm or ())))
        for info in row.get("config.graphicsInfo", ())
        if str(info.graphicsType) in ("shared", "sharedDirect")
    )


def _partitions(session: Session, row: Row) -> Tables:
    """The partitions of each disk; None if the host refused to return them.

    Remote disks included: a host may boot from one while a local disk still has an old installation.
    """
    system = row.get("configManager.storageSystem")
    paths = {
        lun.devicePath: lun.canonicalName
        for lun in row.get("config.storageDevice.scsiLun", ())
        if getattr(lun, "devicePath", None)
    }
    if system is None or not paths:
        return {}
    storage = session.reference(vim.host.StorageSystem, system._moId)
    try:
        tables = storage.RetrieveDiskPartitionInfo(sorted(paths))
    except vmodl.MethodFault:
        return dict.fromkeys(paths.values())
    return {
        paths[table.deviceName]: tuple(
            Partition(number=item.partition, type=str(item.type), guid=getattr(item, "guid", None) or "")
            for item in table.spec.partition or ()
        )
        for table in tables or ()
        if table.deviceName in paths
    }
