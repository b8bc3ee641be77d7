# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Storage of a host as the API shows it: adapters, LUNs, topologies, volumes, partitions, vSAN disks.

An adapter in passthrough is gone from all of these, with its disks and volumes: the kernel no longer sees them.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pyVmomi import vim

from .. import data
from .pci import optional
from .specs import Adapter, Disk, HostSpec

GIB = 1024**3
SECTOR = 512
LUN = "key-vim.host.ScsiDisk-"


def present(spec: HostSpec, taken: Collection[str]) -> list[Adapter]:
    """Adapters the kernel owns."""
    return [adapter for adapter in spec.adapters if adapter.address not in taken]


def busy_addresses(spec: HostSpec) -> frozenset[str]:
    """Controllers with something in use behind them: boot, datastore, vSAN, memory tiering."""
    return frozenset(adapter.address for adapter in spec.adapters if any(disk.use != "free" for disk in adapter.disks))


def boot_adapter(spec: HostSpec) -> Adapter | None:
    """The adapter of the boot disk."""
    return next((item for item in spec.adapters if any(disk.use == "boot" for disk in item.disks)), None)


def storage_device(spec: HostSpec, taken: Collection[str]) -> Any:
    """Build `HostStorageDeviceInfo`."""
    adapters = present(spec, taken)
    disks = [(adapter, disk) for adapter in adapters for disk in adapter.disks]
    info = data.new(
        vim.host.StorageDeviceInfo,
        softwareInternetScsiEnabled=False,
        hostBusAdapter=[_hba(adapter) for adapter in adapters],
        scsiLun=[scsi_disk(disk, adapter) for adapter, disk in disks],
        scsiTopology=data.new(vim.host.ScsiTopology, adapter=[_topology(adapter) for adapter in adapters]),
        multipathInfo=data.new(vim.host.MultipathInfo, lun=[_multipath(adapter, disk) for adapter, disk in disks]),
    )
    if spec.major >= 7:
        for name, value in optional(type(info), nvmeTopology=_nvme_topology(adapters)).items():
            setattr(info, name, value)
    return info


def _hba(adapter: Adapter) -> Any:
    kinds = {
        "nvme": getattr(vim.host, "PcieHba", vim.host.BlockHba),
        "fc": vim.host.FibreChannelHba,
        "ahci": vim.host.BlockHba,
        "usb": vim.host.BlockHba,
        "raid": vim.host.BlockHba,
    }
    cls = kinds[adapter.kind]
    values: dict[str, Any] = optional(cls, storageProtocol="nvme" if adapter.kind == "nvme" else "scsi")
    if adapter.kind == "fc":
        wwn = 0x2100000000000000 + int.from_bytes(adapter.device.encode()[-3:], "big")
        values |= {"portWorldWideName": wwn, "nodeWorldWideName": wwn + 1, "portType": "fabric", "speed": 32}
    return data.new(
        cls,
        key=_hba_key(adapter),
        device=adapter.device,
        bus=int(adapter.address[5:7], 16),
        status="unknown" if adapter.kind != "fc" else "online",
        model=adapter.model,
        driver=adapter.driver,
        pci=adapter.address,
        **values,
    )


def _hba_key(adapter: Adapter) -> str:
    kind = {"nvme": "PcieHba", "fc": "FibreChannelHba"}.get(adapter.kind, "BlockHba")
    return f"key-vim.host.{kind}-{adapter.device}"


def scsi_disk(disk: Disk, adapter: Adapter) -> Any:
    """One disk; vSAN and memory tiering mark theirs."""
    cls = vim.host.ScsiDisk
    values: dict[str, Any] = optional(
        cls,
        localDisk=disk.local,
        ssd=disk.ssd,
        usedByMemoryTiering=disk.use == "tiering",
        applicationProtocol="NVMe" if adapter.kind == "nvme" else "SCSI",
    )
    if disk.use.startswith("vsan"):
        values["vsanDiskInfo"] = data.new(vim.vsan.host.VsanDiskInfo, vsanUuid=disk.volume_uuid, formatVersion=17)
    return data.new(
        cls,
        key=LUN + disk.canonical,
        deviceName=f"/vmfs/devices/disks/{disk.canonical}",
        deviceType="disk",
        uuid=disk.canonical.encode().hex()[:40],
        lunType="disk",
        operationalState=["ok"],
        canonicalName=disk.canonical,
        displayName=f"Local {adapter.kind.upper()} Disk ({disk.canonical})" if disk.local else disk.canonical,
        vendor="NVMe" if adapter.kind == "nvme" else "ATA",
        model=disk.model[:16],
        capacity=data.new(vim.host.DiskDimensions.Lba, blockSize=SECTOR, block=disk.size_gb * GIB // SECTOR),
        devicePath=f"/vmfs/devices/disks/{disk.canonical}",
        **values,
    )


def _topology(adapter: Adapter) -> Any:
    targets = [
        data.new(
            vim.host.ScsiTopology.Target,
            key=f"key-vim.host.ScsiTopology.Target-{adapter.device}:0:{index}",
            target=index,
            lun=[
                data.new(
                    vim.host.ScsiTopology.Lun,
                    key=f"key-vim.host.ScsiTopology.Lun-{disk.canonical}",
                    lun=0,
                    scsiLun=LUN + disk.canonical,
                )
            ],
        )
        for index, disk in enumerate(adapter.disks)
    ]
    return data.new(
        vim.host.ScsiTopology.Interface,
        key=f"key-vim.host.ScsiTopology.Interface-{adapter.device}",
        adapter=_hba_key(adapter),
        target=targets,
    )


def _multipath(adapter: Adapter, disk: Disk) -> Any:
    path = data.new(
        vim.host.MultipathInfo.Path,
        key=f"key-vim.host.MultipathInfo.Path-{adapter.device}:C0:T0:L0",
        name=f"{adapter.device}:C0:T0:L0",
        pathState="active",
        state="active",
        isWorkingPath=True,
        adapter=_hba_key(adapter),
        lun=f"key-vim.host.MultipathInfo.LogicalUnit-{disk.canonical}",
    )
    return data.new(
        vim.host.MultipathInfo.LogicalUnit,
        key=f"key-vim.host.MultipathInfo.LogicalUnit-{disk.canonical}",
        id=disk.canonical,
        lun=LUN + disk.canonical,
        path=[path],
        policy=data.new(vim.host.MultipathInfo.LogicalUnitPolicy, policy="VMW_PSP_FIXED"),
    )


def _nvme_topology(adapters: list[Adapter]) -> Any:
    interfaces = []
    for adapter in adapters:
        if adapter.kind != "nvme":
            continue
        controllers = [
            data.new(
                vim.host.NvmeController,
                key=f"key-vim.host.NvmeController-{disk.canonical}",
                controllerNumber=256 + index,
                subnqn=f"nqn.2014-08.org.nvmexpress:{disk.canonical}",
                name=disk.canonical,
                associatedAdapter=_hba_key(adapter),
                transportType="pcie",
                fusedOperationSupported=False,
                numberOfQueues=8,
                queueSize=1024,
            )
            for index, disk in enumerate(adapter.disks)
        ]
        interfaces.append(
            data.new(
                vim.host.NvmeTopology.Interface,
                key=f"key-vim.host.NvmeTopology.Interface-{adapter.device}",
                adapter=_hba_key(adapter),
                connectedController=controllers,
            )
        )
    return data.new(vim.host.NvmeTopology, adapter=interfaces)


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
    mounts = [mount for mount in mounts if mount.volume.name not in lost]
    for mount in mounts:
        if mount.volume.name in unreadable:
            mount.mountInfo.accessible = False
            mount.mountInfo.inaccessibleReason = "AllPathsDown_Timeout"
    return data.new(vim.host.FileSystemVolumeInfo, volumeTypeList=["VMFS", "NFS", "VFAT"], mountInfo=mounts)


def _mount(path: str, volume: Any) -> Any:
    return data.new(
        vim.host.FileSystemMountInfo,
        mountInfo=data.new(vim.host.MountInfo, path=path, accessMode="readWrite", mounted=True, accessible=True),
        volume=volume,
    )


def _boot_mounts(spec: HostSpec, disk: Disk) -> list[Any]:
    names = ("BOOTBANK1", "BOOTBANK2") if spec.major >= 7 else ("Hypervisor1", "Hypervisor2")
    mounts = [
        _mount(
            f"/vmfs/volumes/{name}-{disk.canonical[-8:]}",
            data.new(vim.host.VfatVolume, type="VFAT", name=name, capacity=4 * GIB),
        )
        for name in names
    ]
    if spec.major >= 7:
        name = f"OSDATA-{disk.canonical[-16:].lower()}"
        mounts.append(_mount(f"/vmfs/volumes/{name}", _vmfs(spec, disk, name=name, partition=7, kind="OTHER")))
    return mounts


def _vmfs_mount(spec: HostSpec, disk: Disk) -> Any:
    partition = 8 if disk.use == "boot" else 1
    volume = _vmfs(spec, disk, name=disk.datastore, partition=partition, kind="VMFS")
    return _mount(f"/vmfs/volumes/{disk.volume_uuid}", volume)


def _vmfs(spec: HostSpec, disk: Disk, *, name: str, partition: int, kind: str) -> Any:
    major = 6 if spec.major >= 7 else 5
    cls = vim.host.VmfsVolume
    return data.new(
        cls,
        type=kind,
        name=name,
        capacity=disk.size_gb * GIB,
        blockSizeMb=1,
        maxBlocks=63963136,
        majorVersion=major,
        version=f"{major}.82",
        uuid=disk.volume_uuid or disk.canonical[-16:].lower(),
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
    cache = [scsi_disk(*item) for item in found if item[0].use == "vsan-cache"]
    capacity = [scsi_disk(*item) for item in found if item[0].use == "vsan-capacity"]
    mapping = [data.new(vim.vsan.host.DiskMapping, ssd=ssd, nonSsd=capacity) for ssd in cache[:1]]
    storage = data.new(cls.StorageInfo, autoClaimStorage=False, diskMapping=mapping if spec.vsan == "osa" else [])
    return data.new(
        cls, enabled=True, hostSystem=host, storageInfo=storage, **optional(cls, vsanEsaEnabled=spec.vsan == "esa")
    )
