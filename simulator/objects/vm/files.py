# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a VM as far as its configuration names them: .vmx, disks, a .vmsn for each snapshot.

Source: API reference (VirtualMachineFileLayoutEx, VirtualMachineStorageInfo). Contents are not simulated: the disks are
thin and nobody ever wrote to them, all files are empty.
"""

from __future__ import annotations

from typing import Any

from pyVmomi import vim

from ...api import data
from .state import VmState

EX = vim.vm.FileLayoutEx


def _disks(vm: VmState) -> list[Any]:
    return [item for item in vm.get("config").hardware.device if isinstance(item, vim.vm.device.VirtualDisk)]


def layout(vm: VmState) -> Any:
    """`layout`: names only; `configFile` leaves out the .vmx, and there is no other (API reference)."""
    cls = vim.vm.FileLayout
    disks = [data.new(cls.DiskLayout, key=disk.key, diskFile=[disk.backing.fileName]) for disk in _disks(vm)]
    return data.new(cls, disk=disks)


def layout_ex(vm: VmState) -> Any:
    """`layoutEx`: every file with a key, and which of them a disk or a snapshot is made of."""
    path = str(vm.get("config").files.vmPathName)
    files = [data.new(EX.FileInfo, key=0, name=path, type="config", size=0)]

    def add(name: str, kind: str) -> int:
        files.append(data.new(EX.FileInfo, key=len(files), name=name, type=kind, size=0))
        return len(files) - 1

    disks = []
    for disk in _disks(vm):
        name = str(disk.backing.fileName)
        keys = [add(name, "diskDescriptor"), add(name.replace(".vmdk", "-flat.vmdk"), "diskExtent")]
        disks.append(data.new(EX.DiskLayout, key=disk.key, chain=[data.new(EX.DiskUnit, fileKey=keys)]))
    snapshots = []
    for number, ref in enumerate(_snapshots(vm), start=1):
        key = add(path.replace(".vmx", f"-Snapshot{number}.vmsn"), "snapshotData")
        snapshots.append(data.new(EX.SnapshotLayout, key=ref, dataKey=key, memoryKey=-1, disk=data.clone(disks)))
    return data.new(EX, file=files, disk=disks, snapshot=snapshots, timestamp=vm.sim.clock.start)


def _snapshots(vm: VmState) -> list[Any]:
    """From the oldest on."""
    info = vm.props["snapshot"]
    todo = list(info.rootSnapshotList) if info is not None else []
    for tree in todo:
        todo += tree.childSnapshotList or []
    return [tree.snapshot for tree in todo]


def storage(vm: VmState) -> Any:
    """`storage`: the sums of the summary, all on its one datastore."""
    cls = vim.vm.StorageInfo
    taken = vm.get("summary").storage
    usage = []
    if vm.datastore is not None:
        usage = [
            data.new(
                cls.UsageOnDatastore, datastore=vm.datastore.ref, committed=taken.committed,
                uncommitted=taken.uncommitted, unshared=taken.unshared,
            )
        ]  # fmt: skip
    return data.new(cls, perDatastoreUsage=usage, timestamp=vm.sim.clock.start)
