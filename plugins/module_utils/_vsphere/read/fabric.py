# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The devices that a host depends on: uplinks, boot and datastore disks, shared GPUs. PRIVATE to the collection.

The data is large (hundreds of kilobytes per host), so it is read only for hosts with changes, all of them in one bulk read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..._domain.facts import Fact, Gap, Listing, Unknown
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
_SYSTEM_TYPES = frozenset({"vmkDiagnostic"})
_SYSTEM_GUIDS = frozenset({"4eb2ea3978554790a79efae495e21f8d", "9d27538040ad11dbbf97000c2911d1b8"})
"""GPT types that only ESXi uses: OSDATA (VMFS-L) and core dump. For both, the partition type of the API is only "none" (KB 1036609)."""
_BOOT_BANKS = (5, 6)
_BOOT_BANK_GUID = "ebd0a0a2b9e5443387c068b6b72699c7"
"""The GPT type "basic data". Any system uses it, but two such partitions with these numbers are the boot banks of ESXi."""
_BOOT_VOLUMES = ("bootbank", "osdata", "locker")
_BOOT_VOLUME_TYPES = ("VMFSL", "VMFS-L", "VMFSOS")
_SYSTEM = "ESXi system"
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
        partitions = _partitions(session, row) if row is not None and host.moid in with_partitions else {}
        filled.append(replace(host, fabric=_fabric(row, partitions, names) if row is not None else host.fabric))
    return tuple(filled)


def _vm_names(session: Session, rows: Iterable[Row]) -> dict[str, str]:
    """id → name of the VMs that use a shared GPU. No round trip if there are none."""
    moids = {vm._moId for row in rows for info in row.get("config.graphicsInfo", ()) for vm in info.vm or ()}
    return {
        row.moid: row.get("name", row.moid) for row in collect_objects(session, vim.VirtualMachine, moids, ("name",))
    }


def _fabric(row: Row, partitions: Mapping[str, tuple[str, ...] | None], names: Mapping[str, str]) -> HostFabric:
    gaps = gaps_by_fact(row)
    adapters = _adapters(row)
    disks = _disks(row, partitions)
    return HostFabric(
        nics=Listing(_nics(row), gaps=gaps["nics"]),
        switches=Listing(switches_of(row), gaps=gaps["switches"]),
        adapters=Listing(adapters, gaps=gaps["adapters"]),
        disks=Listing(disks, gaps=gaps["disks"]),
        hidden_disks=_hidden_disks(row, disks),
        boot_disk_known=any(disk.is_boot for disk in disks),
        boots_from_usb=_boots_from_usb(disks, adapters),
        vsan_esa=_vsan_esa(row, gaps["vsan_esa"]),
        graphics=Listing(_graphics(row, names), gaps=gaps["graphics"]),
    )


def _vsan_esa(row: Row, gaps: Sequence[Gap]) -> Fact[bool]:
    return Unknown(gap=gaps[0]) if gaps else bool(getattr(row.get("config.vsanHostConfig"), "vsanEsaEnabled", False))


def _hidden_disks(row: Row, disks: Iterable[Disk]) -> tuple[str, ...]:
    """Extents of volumes that are not in the list of disks. NFS, vSAN, vVol and boot banks have no extents."""
    known = {disk.name for disk in disks}
    extents = {extent.diskName for mount in _mounts(row) for extent in getattr(mount.volume, "extent", None) or ()}
    return tuple(sorted(extents - known))


def _mounts(row: Row) -> Any:
    return row.get("config.fileSystemVolume.mountInfo", ())


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


def _disks(row: Row, partitions: Mapping[str, tuple[str, ...] | None]) -> tuple[Disk, ...]:
    uses = _disk_uses(row)
    installed = {name for name, kinds in partitions.items() if kinds is not None and _SYSTEM in kinds}
    boot = _boot_disks(row, partitions, installed)
    disks = []
    for lun in row.get("config.storageDevice.scsiLun", ()):
        name = lun.canonicalName
        found = uses.setdefault(name, set())
        _add_disk_flags(lun, found)
        if name in boot:
            found.add("is the disk ESXi boots from")
        elif name in installed:
            found.add("has an installation of ESXi, perhaps the one this host boots")
        kinds = partitions.get(name)
        disks.append(
            Disk(
                name=name,
                local=getattr(lun, "localDisk", None),
                partitioned=None if kinds is None else bool(kinds),
                uses=tuple(sorted(found)),
                is_boot=name in boot,
            )
        )
    return tuple(sorted(disks, key=lambda disk: disk.name))


def _disk_uses(row: Row) -> dict[str, set[str]]:
    """Disk → its uses, as clauses for messages."""
    uses: dict[str, set[str]] = {}
    for mount in _mounts(row):
        volume = mount.volume
        what = "the ESXi system volume" if _is_system_volume(volume) else "datastore"
        for extent in getattr(volume, "extent", None) or ():
            uses.setdefault(extent.diskName, set()).add(f"holds {what} {volume.name}")
    dump = row.get("config.activeDiagnosticPartition")
    if dump is not None and getattr(dump, "id", None) is not None:
        uses.setdefault(dump.id.diskName, set()).add("holds the core dump partition")
    for name in _vsan_disks(row.get("config.vsanHostConfig")):
        uses.setdefault(name, set()).add("belongs to a vSAN disk group")
    return uses


def _is_system_volume(volume: Any) -> bool:
    return volume.name.lower().startswith(_BOOT_VOLUMES) or str(volume.type).upper() in _BOOT_VOLUME_TYPES


def _boot_disks(
    row: Row, partitions: Mapping[str, tuple[str, ...] | None], installed: Collection[str]
) -> frozenset[str]:
    """The disk that the host boots from, if that is certain: it has a mounted system volume, or it is the only disk with an installation of
    ESXi and all partition tables were read. A second disk with an installation, perhaps an old one, makes it uncertain.
    """
    extents = {
        extent.diskName
        for mount in _mounts(row)
        if _is_system_volume(mount.volume)
        for extent in getattr(mount.volume, "extent", None) or ()
    }
    if extents:
        return frozenset(extents)
    unread = {name for name, kinds in partitions.items() if kinds is None}
    return frozenset(installed) if len(installed) == 1 and not unread else frozenset()


def _add_disk_flags(lun: Any, found: set[str]) -> None:
    vsan = getattr(lun, "vsanDiskInfo", None)
    if vsan is not None and getattr(vsan, "vsanUuid", None):
        found.add("belongs to vSAN")
    if getattr(lun, "usedByMemoryTiering", False):
        found.add("is used for memory tiering")


def _vsan_disks(config: Any) -> set[str]:
    mapping = getattr(getattr(config, "storageInfo", None), "diskMapping", None) or ()
    return {disk.canonicalName for group in mapping for disk in (group.ssd, *(group.nonSsd or ())) if disk is not None}


def _boots_from_usb(disks: Iterable[Disk], adapters: Iterable[StorageAdapter]) -> bool | None:
    """Whether a boot or core dump disk is behind a USB adapter; None when the boot disk is unknown."""
    usb = {disk for adapter in adapters if "usb" in adapter.driver.lower() for disk in adapter.disks}
    system = [disk for disk in disks if disk.is_boot or any("core dump" in use for use in disk.uses)]
    if any(disk.name in usb for disk in system):
        return True
    return False if any(disk.is_boot for disk in system) else None


def _graphics(row: Row, names: Mapping[str, str]) -> tuple[SharedGpu, ...]:
    return tuple(
        SharedGpu(address=info.pciId.lower(), vms=tuple(sorted(names.get(vm._moId, vm._moId) for vm in info.vm or ())))
        for info in row.get("config.graphicsInfo", ())
        if str(info.graphicsType) in ("shared", "sharedDirect")
    )


def _partitions(session: Session, row: Row) -> dict[str, tuple[str, ...] | None]:
    """Canonical name → partition types of each disk; None if the host refused to return them.

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
        paths[table.deviceName]: _kinds(table.spec.partition or ())
        for table in tables or ()
        if table.deviceName in paths
    }


def _kinds(partitions: Sequence[Any]) -> tuple[str, ...]:
    """Partition types of one disk, with ``_SYSTEM`` if it has an installation of ESXi."""
    kinds = tuple(str(partition.type) for partition in partitions)
    guids = {entry.partition: (getattr(entry, "guid", None) or "").lower().replace("-", "") for entry in partitions}
    is_system = (
        not _SYSTEM_TYPES.isdisjoint(kinds)
        or not _SYSTEM_GUIDS.isdisjoint(guids.values())
        or all(guids.get(number) == _BOOT_BANK_GUID for number in _BOOT_BANKS)
    )
    return (*kinds, _SYSTEM) if is_system else kinds
