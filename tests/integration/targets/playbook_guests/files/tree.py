# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tree like /sys (and /proc) of a Linux guest, for the probe. As a script: FOLDER UUID IDS COUNT [DRIVER].

The files and their forms are those of Linux 6.1: drivers/pci/pci-sysfs.c, Documentation/ABI/testing/sysfs-bus-pci.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

MEMORY_64 = 0x14220C  # memory, prefetchable, 64 bits: as the kernel shows the large BAR of a GPU
MEMORY_32 = 0x40200


@dataclass(frozen=True, kw_only=True)
class Function:
    """A PCI function. ``bars``: (address, size, flags); an address of 0 was not assigned. ``config``: other bytes than the right ones."""

    address: str
    ids: str
    subsystem: str = "10de:1463"
    class_id: str = "030200"
    driver: str = ""
    memory_on: bool = True
    bars: tuple[tuple[int, int, int], ...] = ((0xFD000000, 0x1000000, MEMORY_32), (0x380000000000, 1 << 36, MEMORY_64))
    config: bytes | None = None


def write_tree(folder: Path, uuid: str, functions: tuple[Function, ...], *, boot_id: str = "b-1") -> None:
    """Write the tree of a guest: FOLDER/sys and FOLDER/proc."""
    sysfs, proc = folder / "sys", folder / "proc"
    (sysfs / "class/dmi/id").mkdir(parents=True, exist_ok=True)
    (sysfs / "class/dmi/id/product_uuid").write_text(f"{uuid}\n")
    (proc / "sys/kernel/random").mkdir(parents=True, exist_ok=True)
    (proc / "sys/kernel/random/boot_id").write_text(f"{boot_id}\n")
    (proc / "sys/kernel/osrelease").write_text("6.1.0-28-amd64\n")
    (proc / "uptime").write_text("71.33 120.10\n")
    for function in functions:
        write_function(sysfs, function)


def write_function(sysfs: Path, function: Function) -> Path:
    """Write one PCI function, and return its directory."""
    place = sysfs / "bus/pci/devices" / function.address
    place.mkdir(parents=True, exist_ok=True)
    vendor, device = function.ids.split(":")
    subvendor, subdevice = function.subsystem.split(":")
    values = {"vendor": vendor, "device": device, "subsystem_vendor": subvendor, "subsystem_device": subdevice}
    for name, value in {**values, "class": function.class_id}.items():
        (place / name).write_text(f"0x{value}\n")
    (place / "enable").write_text("1\n" if function.driver and function.memory_on else "0\n")
    (place / "config").write_bytes(_config(function) if function.config is None else function.config)
    rows = [(start, start + size - 1 if size else 0, flags) for start, size, flags in function.bars]
    rows += [(0, 0, 0)] * (13 - len(rows))
    (place / "resource").write_text("".join(f"0x{a:016x} 0x{b:016x} 0x{c:016x}\n" for a, b, c in rows))
    if function.driver:
        driver = sysfs / "bus/pci/drivers" / function.driver
        driver.mkdir(parents=True, exist_ok=True)
        (place / "driver").symlink_to(f"../../drivers/{function.driver}")
    return place


def _config(function: Function) -> bytes:
    """The first 64 bytes of the configuration space: ids, command register, class and BARs."""
    header = bytearray(64)
    vendor, device = (int(part, 16) for part in function.ids.split(":"))
    header[0:2], header[2:4] = vendor.to_bytes(2, "little"), device.to_bytes(2, "little")
    header[4] = 0x06 if function.memory_on else 0x00
    header[9:12] = bytes.fromhex(function.class_id)[::-1]
    register = 16
    for start, _size, flags in function.bars:
        if register > 36:
            break
        wide = flags == MEMORY_64
        value = start | (0xC if wide else 0)
        header[register : register + (8 if wide else 4)] = value.to_bytes(8, "little")[: 8 if wide else 4]
        register += 8 if wide else 4
    return bytes(header)


if __name__ == "__main__":
    target, machine, ids, count, *more = sys.argv[1:]
    cards = [
        Function(address=f"0000:0{3 + number}:00.0", ids=ids, driver=more[0] if more else "")
        for number in range(int(count))
    ]
    write_tree(Path(target), machine, tuple(cards))
