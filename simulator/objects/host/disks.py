# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Partition tables of a host's disks, for RetrieveDiskPartitionInfo."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pyVmomi import vim

from ...api import data
from ..specs import Disk, HostSpec
from .storage import GIB, SECTOR, present

SYSTEM_PARTITIONS_7 = (
    (1, 64, 204863, "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"),
    (5, 208896, 8595455, "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"),
    (6, 8597504, 16984063, "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"),
    (7, 16986112, 268435455, "4EB2EA39-7855-4790-A79E-FAE495E21F8D"),
)
"""Boot, two boot banks and the OSDATA volume, as ESXi 7.0 and later lay out their disk."""

SYSTEM_PARTITIONS_6 = (
    (1, 64, 8191, "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"),
    (5, 8224, 520191, "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"),
    (6, 520224, 1032191, "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"),
    (7, 1032224, 1257471, "9D275380-40AD-11DB-BF97-000C2911D1B8"),
    (8, 1257504, 1843199, "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"),
    (2, 1843200, 10229759, "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"),
)
"""The same before 7.0: boot, boot banks, core dump, locker, scratch."""

VMFS = "AA31E02A-400F-11DB-9590-000C2911D1B8"
VSAN = "381CFCCC-7288-11E0-92EE-000C2911D0B2"


def partition_info(spec: HostSpec, taken: Collection[str], device_path: str) -> Any | None:
    """One answer of RetrieveDiskPartitionInfo; None when the host has no such disk."""
    for adapter in present(spec, taken):
        for disk in adapter.disks:
            if device_path == f"/vmfs/devices/disks/{disk.canonical}":
                return _partitions(spec, disk, device_path)
    return None


def _partitions(spec: HostSpec, disk: Disk, device_path: str) -> Any:
    end = disk.size_gb * GIB // SECTOR - 34
    table: list[tuple[int, int, int, str]] = []
    if disk.use == "boot":
        table = list(SYSTEM_PARTITIONS_7 if spec.major >= 7 else SYSTEM_PARTITIONS_6)
    if disk.datastore:
        table.append((8 if table else 1, 268437504 if table else 2048, end, VMFS))
    elif disk.use.startswith("vsan"):
        table = [(1, 2048, 6143, VSAN), (2, 6144, end, VSAN)]
    lba = vim.host.DiskDimensions.Lba
    ranges = [
        data.new(
            vim.host.DiskPartitionInfo.BlockRange,
            partition=number,
            type="vmfs" if kind == VMFS else "none",
            start=data.new(lba, blockSize=SECTOR, block=start),
            end=data.new(lba, blockSize=SECTOR, block=stop),
        )
        for number, start, stop, kind in table
    ]
    partitions = [
        data.new(
            vim.host.DiskPartitionInfo.Partition,
            partition=number,
            startSector=start,
            endSector=stop,
            type="none" if kind != VMFS else "vmfs",
            guid=kind,
            logical=False,
            attributes=0,
        )
        for number, start, stop, kind in table
    ]
    return data.new(
        vim.host.DiskPartitionInfo,
        deviceName=device_path,
        spec=data.new(
            vim.host.DiskPartitionInfo.Specification,
            partitionFormat="gpt",
            totalSectors=disk.size_gb * GIB // SECTOR,
            partition=partitions,
        ),
        layout=data.new(
            vim.host.DiskPartitionInfo.Layout,
            total=data.new(lba, blockSize=SECTOR, block=disk.size_gb * GIB // SECTOR),
            partition=ranges,
        ),
    )
