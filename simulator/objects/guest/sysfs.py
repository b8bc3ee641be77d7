# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Linux kernel shows of the hardware of a guest in /sys, as files: for tests that run a script on them.

Source: Documentation/ABI/testing/sysfs-bus-pci and sysfs-devices-pci of the kernel.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from ...rules.vm import guest as rules
from .guest_os import GuestOs

_MEMORY, _BUS_MASTER = 0x2, 0x4
"""Bits of the command register (PCI Local Bus Specification 3.0, 6.2.2)."""
_64_BIT = 0x4
_IORESOURCE_MEM, _IORESOURCE_64, _IORESOURCE_UNSET = 0x200, 0x100000, 0x20000000
"""Flags in `resource` (include/linux/ioport.h)."""


def write(guest: GuestOs, root: Path) -> None:
    """Write `sys` below a folder. What an earlier call wrote there is replaced."""
    bus = root / "sys" / "bus" / "pci"
    if bus.exists():
        shutil.rmtree(bus)
    devices = bus / "devices"
    devices.mkdir(parents=True)
    smbios = root / "sys" / "class" / "dmi" / "id"
    smbios.mkdir(parents=True, exist_ok=True)
    (smbios / "product_uuid").write_text(f"{guest.uuid}\n", encoding="ascii")
    for item in guest.functions():
        _write_function(root, devices / item.address, item)


def _write_function(root: Path, folder: Path, item: rules.Function) -> None:
    folder.mkdir()
    for name, value in (
        ("vendor", f"0x{item.vendor:04x}"),
        ("device", f"0x{item.device:04x}"),
        ("class", f"0x{item.class_id:06x}"),
        ("subsystem_vendor", f"0x{item.subsystem[0]:04x}"),
        ("subsystem_device", f"0x{item.subsystem[1]:04x}"),
        ("enable", "1" if item.driver else "0"),
        ("resource", "\n".join(_resource_lines(item))),
    ):
        (folder / name).write_text(f"{value}\n", encoding="ascii")
    (folder / "config").write_bytes(_config(item))
    if item.driver:
        driver = root / "sys" / "bus" / "pci" / "drivers" / item.driver
        driver.mkdir(parents=True, exist_ok=True)
        (folder / "driver").symlink_to(driver)


def _resource_lines(item: rules.Function) -> list[str]:
    """Start, end and flags of six BARs and the ROM, as the kernel prints them: one that it has no room for starts at 0."""
    lines = []
    for region in item.bars:
        flags = _IORESOURCE_MEM | (_IORESOURCE_64 if region.is_64 else 0) | (0 if region.start else _IORESOURCE_UNSET)
        end = region.start + region.size - 1 if region.start else region.size - 1
        lines.append(f"0x{region.start:016x} 0x{end:016x} 0x{flags:016x}")
        if region.is_64:
            lines.append("0x" + "0" * 16 + " 0x" + "0" * 16 + " 0x" + "0" * 16)
    nothing = " ".join(["0x" + "0" * 16] * 3)
    return [*lines, *[nothing] * (7 - len(lines))]


def _config(item: rules.Function) -> bytes:
    """The first 64 bytes of the configuration space (PCI Local Bus Specification 3.0, 6.1)."""
    space = bytearray(64)
    control = (_MEMORY if item.decodes else 0) | (_BUS_MASTER if item.driver else 0)
    space[0:2], space[2:4] = item.vendor.to_bytes(2, "little"), item.device.to_bytes(2, "little")
    space[4:6] = control.to_bytes(2, "little")
    space[9:12] = item.class_id.to_bytes(3, "little")
    place = 0x10
    for region in item.bars:
        space[place : place + 4] = (region.start & 0xFFFFFFF0 | (_64_BIT if region.is_64 else 0)).to_bytes(4, "little")
        if region.is_64:
            space[place + 4 : place + 8] = (region.start >> 32).to_bytes(4, "little")
        place += 8 if region.is_64 else 4
    space[0x2C:0x2E], space[0x2E:0x30] = (
        item.subsystem[0].to_bytes(2, "little"),
        item.subsystem[1].to_bytes(2, "little"),
    )
    return bytes(space)
