# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which disk a host boots from. The API does not report it. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..observed.hosts import Disk, StorageAdapter

_SYSTEM_TYPES = frozenset({"vmkDiagnostic"})
_SYSTEM_GUIDS = frozenset({"4eb2ea3978554790a79efae495e21f8d", "9d27538040ad11dbbf97000c2911d1b8"})
"""GPT types that only ESXi uses: OSDATA (VMFS-L) and core dump. For both, the partition type of the API is only "none" (KB 1036609)."""
_BOOT_BANKS = (5, 6)
_BOOT_BANK_GUID = "ebd0a0a2b9e5443387c068b6b72699c7"
"""The GPT type "basic data". Any system uses it, but two such partitions with these numbers are the boot banks of ESXi."""
_SYSTEM_VOLUMES = ("bootbank", "osdata", "locker")
_SYSTEM_VOLUME_TYPES = ("VMFSL", "VMFS-L", "VMFSOS")


@dataclass(frozen=True, kw_only=True, slots=True)
class Partition:
    """A partition. ``type``: as the API names it; ``guid``: its GPT type, in any form; empty when it has none."""

    number: int
    type: str
    guid: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Volume:
    """A mounted volume, and the disks of its extents."""

    name: str
    type: str
    disks: tuple[str, ...] = ()

    @property
    def is_system(self) -> bool:
        """A volume that only the running ESXi mounts for itself."""
        return self.name.lower().startswith(_SYSTEM_VOLUMES) or self.type.upper() in _SYSTEM_VOLUME_TYPES


Tables = Mapping[str, "Sequence[Partition] | None"]
"""Canonical name of a disk → its partitions; None: they could not be read. Disks whose partitions were not requested are not included."""


def find_installations(tables: Tables) -> frozenset[str]:
    """The disks with an installation of ESXi. It may be an old one."""
    return frozenset(name for name, partitions in tables.items() if _has_esxi(partitions or ()))


def _has_esxi(partitions: Sequence[Partition]) -> bool:
    guids = {partition.number: partition.guid.lower().replace("-", "") for partition in partitions}
    return (
        not _SYSTEM_TYPES.isdisjoint(partition.type for partition in partitions)
        or not _SYSTEM_GUIDS.isdisjoint(guids.values())
        or all(guids.get(number) == _BOOT_BANK_GUID for number in _BOOT_BANKS)
    )


def find_boot_disks(volumes: Iterable[Volume], tables: Tables) -> frozenset[str]:
    """The disk that the host boots from, if that is certain: it has a mounted system volume, or it is the only disk with an installation of
    ESXi and all partition tables were read. A second disk with an installation, perhaps an old one, makes it uncertain.
    """
    mounted = frozenset(disk for volume in volumes if volume.is_system for disk in volume.disks)
    if mounted:
        return mounted
    installed = find_installations(tables)
    return installed if len(installed) == 1 and None not in tables.values() else frozenset()


def boots_from_usb(disks: Iterable[Disk], adapters: Iterable[StorageAdapter]) -> bool | None:
    """Whether a boot or core dump disk is behind a USB adapter; None when the boot disk is unknown."""
    usb = {disk for adapter in adapters if "usb" in adapter.driver.lower() for disk in adapter.disks}
    system = [disk for disk in disks if disk.is_boot or any("core dump" in use for use in disk.uses)]
    if any(disk.name in usb for disk in system):
        return True
    return False if any(disk.is_boot for disk in system) else None
