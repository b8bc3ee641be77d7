# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a host says that its disks are reached: scsiTopology, nvmeTopology, multipathInfo, plugStoreTopology.

Source: the recorded answer of an ESXi 8.0.3. Local NVMe disks stand in all four, adapters without disks in scsiTopology and
plugStoreTopology; every local disk is claimed by HPP, which older releases use for NVMe only (vSphere storage guide).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pyVmomi import vim

from ...api import data
from ..pci import optional
from ..specs import Adapter, Disk

LUN = "key-vim.host.ScsiDisk-"
_UNIT = "key-vim.host.MultipathInfo.LogicalUnit-"
_STORE = "key-vim.host.PlugStoreTopology."
HBA_CLASSES = {"nvme": "PcieHba", "fc": "FibreChannelHba", "pscsi": "ParallelScsiHba"}
_TRANSPORTS = {
    "nvme": "PcieTargetTransport",
    "fc": "FibreChannelTargetTransport",
    "pscsi": "ParallelScsiTargetTransport",
}
_TARGETS = {"nvme": "pcie", "fc": "fc", "pscsi": "pscsi"}


def hba_class(adapter: Adapter) -> str:
    """Name of the type of its adapter; a BlockHba when nothing else is known. PcieHba is there since 7.0."""
    name = HBA_CLASSES.get(adapter.kind, "BlockHba")
    return name if hasattr(vim.host, name) else "BlockHba"


def hba_key(adapter: Adapter) -> str:
    """The key other parts name an adapter by."""
    return f"key-vim.host.{hba_class(adapter)}-{adapter.device}"


def lun_uuid(disk: Disk) -> str:
    """`ScsiLun.uuid`, which the keys are made of too: the kind of name in two digits, then the name (recorded from 8.0.3)."""
    kind, _dot, rest = disk.canonical.partition(".")
    if kind == "eui":
        return f"06{rest}"
    if kind == "naa":
        return f"0200000000{rest}"
    if kind == "mpx":
        device, _channel, target, lun = rest.split(":")
        return "0000000000" + f"{device}:{target[1:]}:{lun[1:]}".encode().hex()
    return "0100000000" + disk.canonical.encode().hex()


def world_wide_names(adapter: Adapter) -> tuple[int, int]:
    """Port and node name of a Fibre Channel adapter."""
    name = 0x2100000000000000 + int.from_bytes(adapter.device.encode()[-3:], "big")
    return name, name + 1


def _transport(adapter: Adapter) -> Any:
    cls = getattr(vim.host, _TRANSPORTS.get(adapter.kind, ""), vim.host.BlockAdapterTargetTransport)
    values: dict[str, int] = {}
    if adapter.kind == "fc":
        values = {"portWorldWideName": 0x5000097000000001, "nodeWorldWideName": 0x5000097000000000}
    return data.new(cls, **values)


def _paths(adapters: Sequence[Adapter]) -> Iterator[tuple[str, Adapter, Disk]]:
    for adapter in adapters:
        for disk in adapter.disks:
            yield f"{adapter.device}:C0:T{disk.target}:L{disk.lun}", adapter, disk


def scsi(adapters: Sequence[Adapter], *, nvme_in_scsi: bool) -> Any:
    """`scsiTopology`: every adapter, with the disks behind it by target."""
    return data.new(
        vim.host.ScsiTopology,
        adapter=[
            data.new(
                vim.host.ScsiTopology.Interface,
                key=f"key-vim.host.ScsiTopology.Interface-{adapter.device}",
                adapter=hba_key(adapter),
                target=_targets(adapter) if nvme_in_scsi or adapter.kind != "nvme" else [],
            )
            for adapter in adapters
        ],
    )


def _targets(adapter: Adapter) -> list[Any]:
    cls = vim.host.ScsiTopology
    numbers = dict.fromkeys(disk.target for disk in adapter.disks)
    return [
        data.new(
            cls.Target,
            key=f"key-vim.host.ScsiTopology.Target-{adapter.device}:0:{number}",
            target=number,
            lun=[
                data.new(
                    cls.Lun,
                    key=f"key-vim.host.ScsiTopology.Lun-{lun_uuid(disk)}",
                    lun=disk.lun,
                    scsiLun=LUN + lun_uuid(disk),
                )
                for disk in adapter.disks
                if disk.target == number
            ],
            transport=_transport(adapter),
        )
        for number in numbers
    ]


def nvme(adapters: Sequence[Adapter]) -> Any:
    """`nvmeTopology`: one controller an adapter, its disks as namespaces."""
    return data.new(
        vim.host.NvmeTopology,
        adapter=[
            data.new(
                vim.host.NvmeTopology.Interface,
                key=f"key-vim.host.NvmeTopology.Interface-{adapter.device}",
                adapter=hba_key(adapter),
                connectedController=[_controller(adapter, 256 + index)],
            )
            for index, adapter in enumerate(item for item in adapters if item.kind == "nvme")
        ],
    )


def _controller(adapter: Adapter, number: int) -> Any:
    name = f"nqn.2014-08.org.nvmexpress:{adapter.device}"
    return data.new(
        vim.host.NvmeController,
        key=f"key-vim.host.NvmeController-{number}",
        controllerNumber=number,
        subnqn=name,
        name=name,
        associatedAdapter=hba_key(adapter),
        transportType="pcie",
        fusedOperationSupported=False,
        numberOfQueues=8,
        queueSize=1024,
        attachedNamespace=[
            data.new(
                vim.host.NvmeNamespace,
                key=f"key-vim.host.NvmeNamespace-{disk.canonical}@{number}",
                name=disk.canonical,
                id=index,
                blockSize=512,
                capacityInBlocks=disk.size_gb * 1024**3 // 512,
            )
            for index, disk in enumerate(adapter.disks, 1)
        ],
        **optional(
            vim.host.NvmeController,
            vendorId="0x144d",
            model=adapter.model,
            serialNumber=adapter.device,
            firmwareVersion="1.0",
        ),
    )


def _by_hpp(adapter: Adapter, disk: Disk, major: int) -> bool:
    """The plug-in that claims a disk: HPP, or NMP with everything remote and older."""
    return disk.local and (major >= 8 or (major == 7 and adapter.kind == "nvme"))


def _policy(adapter: Adapter, disk: Disk, major: int) -> Any:
    cls = getattr(vim.host.MultipathInfo, "HppLogicalUnitPolicy", None)
    if cls is not None and _by_hpp(adapter, disk, major):
        return data.new(cls, policy="FIXED", path="none")
    return data.new(vim.host.MultipathInfo.LogicalUnitPolicy, policy="VMW_PSP_FIXED")


def multipath(adapters: Sequence[Adapter], major: int) -> Any:
    """`multipathInfo`: every disk with the paths to it."""
    cls = vim.host.MultipathInfo
    units: dict[str, Any] = {}
    for name, adapter, disk in _paths(adapters):
        number = lun_uuid(disk)
        if number not in units:
            policy = _policy(adapter, disk, major)
            units[number] = data.new(cls.LogicalUnit, key=_UNIT + number, id=number, lun=LUN + number, policy=policy)
        units[number].path.append(
            data.new(
                cls.Path,
                key=f"key-vim.host.MultipathInfo.Path-{name}",
                name=name,
                pathState="active",
                state="active",
                isWorkingPath=True,
                adapter=hba_key(adapter),
                lun=_UNIT + number,
                transport=_transport(adapter),
            )
        )
    return data.new(cls, lun=list(units.values()))


def plug_store(adapters: Sequence[Adapter], major: int) -> Any:
    """`plugStoreTopology`: adapters, paths, targets, devices, and which plug-in claims what."""
    cls = vim.host.PlugStoreTopology
    paths = list(_paths(adapters))
    claims: dict[str, list[tuple[str, str]]] = {"HPP": [], "NMP": []} if major >= 7 else {"NMP": []}
    for name, adapter, disk in paths:
        claims["HPP" if _by_hpp(adapter, disk, major) else "NMP"].append((name, lun_uuid(disk)))
    numbers = dict.fromkeys(lun_uuid(disk) for _name, _adapter, disk in paths)
    return data.new(
        cls,
        adapter=[
            data.new(
                cls.Adapter,
                key=f"{_STORE}Adapter-{adapter.device}",
                adapter=hba_key(adapter),
                path=[f"{_STORE}Path-{name}" for name, other, _disk in paths if other is adapter],
            )
            for adapter in adapters
        ],
        path=[
            data.new(
                cls.Path,
                key=f"{_STORE}Path-{name}",
                name=name,
                channelNumber=0,
                targetNumber=disk.target,
                lunNumber=disk.lun,
                adapter=f"{_STORE}Adapter-{adapter.device}",
                target=_target(adapter, disk),
                device=f"{_STORE}Device-{lun_uuid(disk)}",
            )
            for name, adapter, disk in paths
        ],
        target=[
            data.new(cls.Target, key=key, transport=_transport(adapter))
            for key, adapter in {_target(adapter, disk): adapter for _name, adapter, disk in paths}.items()
        ],
        device=[
            data.new(
                cls.Device,
                key=f"{_STORE}Device-{number}",
                lun=LUN + number,
                path=[f"{_STORE}Path-{name}" for name, _adapter, disk in paths if lun_uuid(disk) == number],
            )
            for number in numbers
        ],
        plugin=[
            data.new(
                cls.Plugin,
                key=f"{_STORE}Plugin-{plugin}",
                name=plugin,
                device=[f"{_STORE}Device-{number}" for number in dict.fromkeys(number for _name, number in found)],
                claimedPath=[f"{_STORE}Path-{name}" for name, _number in found],
            )
            for plugin, found in claims.items()
        ],
    )


def _target(adapter: Adapter, disk: Disk) -> str:
    return f"{_STORE}Target-{_TARGETS.get(adapter.kind, 'block')}.{adapter.device}:{disk.target}"
