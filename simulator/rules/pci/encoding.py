# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How PCI numbers and addresses look on the wire.

`HostPciDevice` carries ids as xsd:short and bus, slot, function as xsd:byte, so 0x8086 arrives as -32634 and bus
0xc1 as -63 (vSphere Web Services API, HostPciDevice). Addresses in error texts are decimal (KB 2001216), the ones in
`id` are hexadecimal.
"""

from __future__ import annotations

import re
from typing import NamedTuple

ADDRESS = re.compile(r"^([0-9a-f]{4}):([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])$")


class Place(NamedTuple):
    """A PCI address taken apart."""

    domain: int
    bus: int
    slot: int
    function: int


def place(address: str) -> Place:
    """Take `0000:3b:00.0` apart; ValueError when it is no such address."""
    found = ADDRESS.match(address)
    if not found:
        raise ValueError(f"{address!r} is not a PCI address like 0000:3b:00.0")
    domain, bus, slot, function = found.groups()
    return Place(int(domain, 16), int(bus, 16), int(slot, 16), int(function))


def address(where: Place) -> str:
    """Write an address the way `HostPciDevice.id` does: lower-case hexadecimal."""
    return f"{where.domain:04x}:{where.bus:02x}:{where.slot:02x}.{where.function}"


def signed16(value: int) -> int:
    """A 16-bit id as xsd:short: 0x8086 becomes -32634."""
    return ((value & 0xFFFF) ^ 0x8000) - 0x8000


def signed8(value: int) -> int:
    """A bus number as xsd:byte: 0xc1 becomes -63."""
    return ((value & 0xFF) ^ 0x80) - 0x80


def decimal_bus(device: str) -> str:
    """`0000:61:00.0` as error texts print it: `97:0.0` (KB 2001216)."""
    where = place(device)
    return f"{where.bus}:{where.slot}.{where.function}"


def vmx_id(device: str) -> str:
    """`0000:1a:01.2` as the VMX file stores it: `00000:026:01.2` (seen on 8.0.3)."""
    where = place(device)
    return f"{where.domain:05d}:{where.bus:03d}:{where.slot:02d}.{where.function}"


def parse_hex_id(text: str | None) -> int | None:
    """Read a backing's deviceId: hexadecimal, with or without 0x; None when it is no number (govmomi 2248, 2249)."""
    try:
        return int(text or "", 16) & 0xFFFF
    except ValueError:
        return None


def vmx_hex(value: int) -> str:
    """An id as the VMX file keeps it: `0x1016` (seen on 8.0.3)."""
    return f"0x{value & 0xFFFF:04x}"
