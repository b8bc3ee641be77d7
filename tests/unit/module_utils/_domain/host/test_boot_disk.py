# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which disk a host boots from: only what is certain."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.boot_disk import (
    Partition,
    Volume,
    boots_from_usb,
    find_boot_disks,
    find_installations,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.hosts import Disk, StorageAdapter

BASIC = "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"
BANKS = (Partition(number=5, type="none", guid=BASIC), Partition(number=6, type="none", guid=BASIC))
ONE_BANK = (Partition(number=1, type="none", guid=BASIC), BANKS[0])
OSDATA = (Partition(number=7, type="none", guid="4eb2ea39-7855-4790-a79e-fae495e21f8d"),)
CORE_DUMP = (Partition(number=2, type="none", guid="9D27538040AD11DBBF97000C2911D1B8"),)
OLD_DUMP = (Partition(number=7, type="vmkDiagnostic"),)
DATA = (Partition(number=1, type="vmfs"),)


@pytest.mark.parametrize("partitions", [BANKS, OSDATA, CORE_DUMP, OLD_DUMP, (*DATA, *OLD_DUMP)])
def test_an_installation_is_known_by_its_partitions(partitions: Any) -> None:
    assert find_installations({"naa.1": partitions}) == {"naa.1"}


@pytest.mark.parametrize("partitions", [None, (), DATA, ONE_BANK])
def test_and_by_nothing_else(partitions: Any) -> None:
    assert find_installations({"naa.1": partitions}) == set()


@pytest.mark.parametrize(
    ("volumes", "tables", "found"),
    [
        ((), {}, set()),
        ((), {"naa.1": BANKS, "naa.2": DATA}, {"naa.1"}),
        ((), {"naa.1": BANKS, "naa.2": OLD_DUMP}, set()),
        ((), {"naa.1": BANKS, "naa.2": None}, set()),
        ((Volume(name="fast", type="VMFS", disks=("naa.2",)),), {"naa.1": BANKS, "naa.2": DATA}, {"naa.1"}),
        ((Volume(name="OSDATA-1", type="VMFS", disks=("naa.2",)),), {"naa.1": BANKS, "naa.2": None}, {"naa.2"}),
        ((Volume(name="x", type="VMFS-L", disks=("naa.2",)),), {}, {"naa.2"}),
        ((Volume(name="BOOTBANK1", type="OTHER"),), {"naa.1": BANKS}, {"naa.1"}),
    ],
    ids=[
        "nothing is known",
        "the only installation",
        "two installations, one perhaps old",
        "another table could not be read",
        "a datastore says nothing",
        "a mounted system volume is certain",
        "also by its type",
        "a boot bank has no extent",
    ],
)
def test_the_boot_disk(volumes: Any, tables: Any, found: Any) -> None:
    assert find_boot_disks(volumes, tables) == found


USB = StorageAdapter(device="vmhba32", address="", driver="usb-storage", disks=("mpx.1",))
SATA = StorageAdapter(device="vmhba0", address="0000:00:17.0", driver="vmw_ahci", disks=("naa.1",))


@pytest.mark.parametrize(
    ("disks", "found"),
    [
        ((Disk(name="mpx.1", is_boot=True),), True),
        ((Disk(name="naa.1", is_boot=True),), False),
        ((Disk(name="mpx.1", uses=("holds the core dump partition",)),), True),
        ((Disk(name="naa.1", uses=("holds the core dump partition",)),), None),
        ((Disk(name="naa.1"),), None),
    ],
)
def test_whether_it_is_on_usb(disks: Any, found: bool | None) -> None:
    assert boots_from_usb(disks, (USB, SATA)) is found
