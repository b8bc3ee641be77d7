# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Storage of a host as the API shows it: adapters, LUNs, volumes, partitions, vSAN disks. How disks are reached: host_topology.

An adapter in passthrough is gone from all of these, with its disks and volumes: the kernel no longer sees them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Any

from pyVmomi import vim

from ...api import data
from ...rules.pci import encoding
from ..pci import optional
from ..specs import Adapter, Disk, HostSpec
from . import topology as host_topology
from .topology import hba_class, hba_key

GIB = 1024**3
SECTOR = 512
VOLUME_TYPES = ("VMFS", "NFS", "NFS41", "vsan", "VVOL", "VFFS", "OTHER", "PMEM")
"""What `volumeTypeList` holds (recorded from 8.0.3)."""


def present(spec: HostSpec, taken: Collection[str]) -> list[Adapter]:
    """Adapters the kernel owns."""
    return [adapter for adapter in spec.adapters if adapter.address not in taken]


def busy_addresses(spec: HostSpec) -> frozenset[str]:
    """Controllers with something in use behind them: boot, datastore, vSAN, memory tiering."""
    return frozenset(adapter.address for adapter in spec.adapters if any(disk.use != "free" for disk in adapter.disks))


def boot_adapter(spec: HostSpec) -> Adapter | None:
    """The adapter of the boot disk."""
    return next((item for item in spec.adapters if any(disk.use == "boot" for disk in item.disks)), None)


def storage_device(spec: HostSpec, taken: Collection[str], *, nvme_in_scsi: bool) -> Any:
    """Build `HostStorageDeviceInfo`. Without `nvme_in_scsi` disks on NVMe adapters are not in scsiTopology (a knob)."""
    adapters = present(spec, taken)
    reached = {disk.canonical: (disk, adapter) for adapter in adapters for disk in adapter.disks}
    info = data.new(
        vim.host.StorageDeviceInfo,
        softwareInternetScsiEnabled=False,
        hostBusAdapter=[_hba(adapter) for adapter in adapters],
        scsiLun=[scsi_disk(disk, adapter) for disk, adapter in reached.values()],
        scsiTopology=host_topology.scsi(adapters, nvme_in_scsi=nvme_in_scsi),
        multipathInfo=host_topology.multipath(adapters, spec.major),
        plugStoreTopology=host_topology.plug_store(adapters, spec.major),
    )
    if spec.major >= 7:
        for name, value in optional(type(info), nvmeTopology=host_topology.nvme(adapters)).items():
            setattr(info, name, value)
    return info


def _hba(adapter: Adapter) -> Any:
    cls = getattr(vim.host, hba_class(adapter))
    values: dict[str, Any] = optional(cls, storageProtocol="nvme" if adapter.kind == "nvme" else "scsi")
    if adapter.kind == "fc":
        name, node = host_topology.world_wide_names(adapter)
        values |= {"portWorldWideName": name, "nodeWorldWideName": node, "portType": "fabric", "speed": 32}
    return data.new(
        cls,
        key=hba_key(adapter),
        device=adapter.device,
        bus=encoding.place(adapter.address).bus,
        status="unknown" if adapter.kind != "fc" else "online",
        model=adapter.model,
        driver=adapter.driver,
        pci=adapter.address,
        **values,
    )


def scsi_disk(disk: Disk, adapter: Adapter, *, in_vsan: bool = False) -> Any:
    """One disk, as recorded from 8.0.3. Only the list of a vSAN disk group (`in_vsan`) says that a disk belongs to vSAN."""
    cls = vim.host.ScsiDisk
    nvme = adapter.kind == "nvme"
    values: dict[str, Any] = optional(
        cls,
        localDisk=disk.local,
        ssd=disk.ssd,
        usedByMemoryTiering=disk.use == "tiering",
        applicationProtocol="NVMe" if nvme else "SCSI",
        protocolEndpoint=False,
        perenniallyReserved=False,
        clusteredVmdkSupported=False,
        dispersedNs=False,
        emulatedDIXDIFEnabled=False,
        scsiDiskType="emulated512" if nvme else "native512",
    )
    number = host_topology.lun_uuid(disk)
    named = "lowQuality" if disk.canonical.startswith("mpx.") else "highQuality"
    if in_vsan:
        values["vsanDiskInfo"] = data.new(vim.vsan.host.VsanDiskInfo, vsanUuid=disk.volume_uuid, formatVersion=17)
    else:
        values["descriptor"] = [
            data.new(vim.host.ScsiLun.Descriptor, quality=named, id=name)
            for name in (disk.canonical, f"vml.{number}", number)
        ]
    return data.new(
        cls,
        key=host_topology.LUN + number,
        deviceName=f"/vmfs/devices/disks/{disk.canonical}",
        deviceType="disk",
        uuid=number,
        lunType="disk",
        operationalState=["ok"],
        canonicalName=disk.canonical,
        displayName=f"Local {adapter.kind.upper()} Disk ({disk.canonical})" if disk.local else disk.canonical,
        vendor="NVMe" if nvme else "ATA",
        model=disk.model[:16],
        revision="1.0",
        scsiLevel=0 if nvme else 6,
        serialNumber="unavailable",
        queueDepth=1024,
        capabilities=data.new(vim.host.ScsiLun.Capabilities, updateDisplayNameSupported=named == "highQuality"),
        vStorageSupport="vStorageUnsupported" if disk.local else "vStorageSupported",
        capacity=data.new(vim.host.DiskDimensions.Lba, blockSize=SECTOR, block=disk.size_gb * GIB // SECTOR),
        devicePath=f"/vmfs/devices/disks/{disk.canonical}",
        **values,
    )


def volumes(
    spec: HostSpec, taken: Collection[str], *, lost: Collection[str] = (), unreadable: Collection[str] = ()
) -> Any:
    """Build `HostFileSystemVolumeInfo`: VMFS on disks, the boot disk's own volumes, NFS mounts.

    Volumes named in `lost` are not there, those in `unreadable` are mounted and not accessible.
    """
    mounts: list[Any] = []
    for adapter in present(spec, taken):
        for disk in adapter.disks:
            if disk.use == "boot":
                mounts.extend(_boot_mounts(spec, disk))
            if disk.datastore:
                mounts.append(_vmfs_mount(spec, disk))
    mounts.extend(_nfs_mount(name) for name in spec.nfs)
    if spec.vsan_datastore:
        mounts.append(_vsan_mount(spec.vsan_datastore))
    mounts = [mount for mount in mounts if mount.volume.name not in lost]
    for mount in mounts:
        if mount.volume.name in unreadable:
            mount.mountInfo.accessible = False
            mount.mountInfo.inaccessibleReason = "AllPathsDown_Timeout"
    return data.new(vim.host.FileSystemVolumeInfo, volumeTypeList=list(VOLUME_TYPES), mountInfo=mounts)


def _mount(path: str, volume: Any, *, mode: str = "readWrite") -> Any:
    return data.new(
        vim.host.FileSystemMountInfo,
        mountInfo=data.new(vim.host.MountInfo, path=path, accessMode=mode, mounted=True, accessible=True),
        volume=volume,
        **optional(
            vim.host.FileSystemMountInfo, vStorageSupport="vStorageUnsupported" if type(volume) in _BLOCK else None
        ),
    )


_BLOCK = (vim.host.VmfsVolume,)


def _boot_mounts(spec: HostSpec, disk: Disk) -> list[Any]:
    """From 7.0 on OSDATA and two boot banks, all of type OTHER and the banks read-only, as recorded from 8.0.3."""
    names = ("BOOTBANK2", "BOOTBANK1") if spec.major >= 7 else ("Hypervisor1", "Hypervisor2")
    banks = [
        _mount(
            f"/vmfs/volumes/{_volume_uuid(disk, name)}",
            data.new(vim.host.VfatVolume, type="OTHER", name=name, capacity=4 * GIB),
            mode="readOnly",
        )
        for name in names
    ]
    if spec.major < 7:
        return banks
    uuid = disk.volume_uuid if disk.volume_uuid and not disk.datastore else _volume_uuid(disk, "OSDATA")
    system = _vmfs(spec, disk, name=f"OSDATA-{uuid}", partition=7, kind="OTHER", uuid=uuid)
    return [_mount(f"/vmfs/volumes/{uuid}", system), *banks]


def _volume_uuid(disk: Disk, name: str) -> str:
    raw = hashlib.sha256(f"{disk.canonical}/{name}".encode()).hexdigest()
    return f"{raw[:8]}-{raw[8:16]}-{raw[16:20]}-{raw[20:32]}"


def _vmfs_mount(spec: HostSpec, disk: Disk) -> Any:
    partition = 8 if disk.use == "boot" else 1
    volume = _vmfs(spec, disk, name=disk.datastore, partition=partition, kind="VMFS", uuid=disk.volume_uuid)
    return _mount(f"/vmfs/volumes/{disk.volume_uuid}", volume)


def _vmfs(spec: HostSpec, disk: Disk, *, name: str, partition: int, kind: str, uuid: str) -> Any:
    major = 6 if spec.major >= 7 else 5
    cls = vim.host.VmfsVolume
    return data.new(
        cls,
        type=kind,
        name=name,
        capacity=disk.size_gb * GIB,
        blockSizeMb=1,
        **optional(cls, blockSize=1024, unmapGranularity=1024, unmapPriority="low"),
        maxBlocks=63963136,
        majorVersion=major,
        version=f"{major}.82",
        uuid=uuid,
        extent=[data.new(vim.host.ScsiDisk.Partition, diskName=disk.canonical, partition=partition)],
        vmfsUpgradable=False,
        **optional(cls, ssd=disk.ssd, local=disk.local),
    )


def _nfs_mount(name: str) -> Any:
    volume = data.new(
        vim.host.NasVolume,
        type="NFS",
        name=name,
        capacity=50 * 1024 * GIB,
        remoteHost="filer.lab",
        remotePath=f"/export/{name}",
    )
    return _mount(f"/vmfs/volumes/{name}", volume)


def _vsan_mount(name: str) -> Any:
    """The datastore of a vSAN cluster: a plain volume that names no disk (recorded from 8.0.3)."""
    raw = hashlib.sha256(name.encode()).hexdigest()
    volume = data.new(vim.host.FileSystemVolume, type="vsan", name=name, capacity=50 * 1024 * GIB)
    return _mount(f"/vmfs/volumes/vsan:{raw[:16]}-{raw[16:32]}", volume)


def diagnostic_partition(spec: HostSpec, taken: Collection[str]) -> Any:
    """`activeDiagnosticPartition`: on the disk marked with `dump`, unset when there is none."""
    for adapter in present(spec, taken):
        for disk in adapter.disks:
            if disk.dump:
                where = data.new(vim.host.ScsiDisk.Partition, diskName=disk.canonical, partition=7)
                return data.new(
                    vim.host.DiagnosticPartition,
                    storageType="directAttached" if disk.local else "networkAttached",
                    diagnosticType="singleHost",
                    slots=1,
                    id=where,
                )
    return None


def vsan_config(spec: HostSpec, taken: Collection[str], host: Any) -> Any:
    """`vsanHostConfig`: disk groups for OSA; ESA shows only its flag, the pool is in the vSAN API alone."""
    cls = vim.vsan.host.ConfigInfo
    if not spec.vsan:
        return data.new(cls, enabled=False, hostSystem=host)
    found = [(disk, adapter) for adapter in present(spec, taken) for disk in adapter.disks]
    cache = [scsi_disk(*item, in_vsan=True) for item in found if item[0].use == "vsan-cache"]
    capacity = [scsi_disk(*item, in_vsan=True) for item in found if item[0].use == "vsan-capacity"]
    mapping = [data.new(vim.vsan.host.DiskMapping, ssd=ssd, nonSsd=capacity) for ssd in cache[:1]]
    storage = data.new(cls.StorageInfo, autoClaimStorage=False, diskMapping=mapping if spec.vsan == "osa" else [])
    return data.new(
        cls, enabled=True, hostSystem=host, storageInfo=storage, **optional(cls, vsanEsaEnabled=spec.vsan == "esa")
    )
