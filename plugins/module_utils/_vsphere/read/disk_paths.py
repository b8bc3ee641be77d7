# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The disks behind each storage adapter of a host. PRIVATE to the collection.

A host has up to four properties for this, and none has all disks: scsiTopology may lack NVMe (over fabrics), nvmeTopology has only NVMe,
multipathInfo has the disks that VMware's own plug-ins claim, plugStoreTopology those that any plug-in claims. The result has all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..property_collector.retrieve import Row
from ..sdk import vim

TOPOLOGIES: Mapping[str, Any] = {
    "config.storageDevice.scsiTopology": None,
    "config.storageDevice.multipathInfo": None,
    "config.storageDevice.plugStoreTopology": None,
    "config.storageDevice.nvmeTopology": (vim.host.StorageDeviceInfo, "nvmeTopology"),
}
"""Property path → (type, field) that the API version must have; None: in all versions."""


def disks_by_adapter(row: Row) -> dict[str, set[str]]:
    """Key of an adapter → canonical names of the disks behind it."""
    names = {lun.key: lun.canonicalName for lun in row.get("config.storageDevice.scsiLun", ())}
    reached: dict[str, set[str]] = {}
    for adapter, lun in (*_scsi(row), *_multipath(row), *_plug_store(row)):
        if lun in names:
            reached.setdefault(adapter, set()).add(names[lun])
    for adapter, name in _nvme(row):
        # Also a name that is not in the list of disks: its use is unknown then.
        reached.setdefault(adapter, set()).add(name)
    return reached


def _scsi(row: Row) -> Iterator[tuple[str, str]]:
    for interface in _parts(row, "scsiTopology", "adapter"):
        for target in interface.target or ():
            for lun in target.lun or ():
                yield interface.adapter, lun.scsiLun


def _multipath(row: Row) -> Iterator[tuple[str, str]]:
    for unit in _parts(row, "multipathInfo", "lun"):
        for path in unit.path or ():
            yield path.adapter, unit.lun


def _plug_store(row: Row) -> Iterator[tuple[str, str]]:
    adapters = {item.key: item.adapter for item in _parts(row, "plugStoreTopology", "adapter")}
    luns = {item.key: item.lun for item in _parts(row, "plugStoreTopology", "device")}
    for path in _parts(row, "plugStoreTopology", "path"):
        if path.adapter in adapters and path.device in luns:
            yield adapters[path.adapter], luns[path.device]


def _nvme(row: Row) -> Iterator[tuple[str, str]]:
    for interface in _parts(row, "nvmeTopology", "adapter"):
        for controller in interface.connectedController or ():
            for namespace in controller.attachedNamespace or ():
                yield interface.adapter, namespace.name


def _parts(row: Row, topology: str, part: str) -> Any:
    return getattr(row.get(f"config.storageDevice.{topology}"), part, None) or ()
