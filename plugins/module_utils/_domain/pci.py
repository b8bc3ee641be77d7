# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""PCI addresses, ids and classes. PRIVATE to the collection.

Ids are lower-case strings of four hexadecimal digits (``10de``), addresses are ``dddd:bb:ss.f`` in lower-case hexadecimal, so that
sorting the strings sorts the hardware. The vSphere API has three forms of the same number (signed short, unsigned int, string).
They are converted here, once, when a value is read.
"""

from __future__ import annotations

import re

from .errors import InputError
from .ranges import RANGES
from .suggest import as_whole

_ADDRESS = re.compile(r"(?:([0-9a-f]{1,8}):)?([0-9a-f]{1,2}):([0-9a-f]{1,2})\.([0-7])", re.IGNORECASE)
_BACKING = re.compile(
    r"(?:(?P<domain>[0-9a-f]{1,8}):)?(?P<bus>[0-9a-f]{1,3}):(?P<slot>[0-9a-f]{1,2})\.(?P<function>[0-7])", re.IGNORECASE
)
_ID = re.compile(r"(?:0x)?([0-9a-f]{1,4})", re.IGNORECASE)
_PAIR = re.compile(r"(?:0x)?([0-9a-f]{1,4}):(?:0x)?([0-9a-f]{1,4})", re.IGNORECASE)

BRIDGE_CLASS = "06"
STORAGE_CLASS = "01"
NETWORK_CLASS = "02"
DISPLAY_CLASS = "03"
VGA_CLASS = "0300"
USB_CLASS = "0c03"
FIBRE_CHANNEL_CLASS = "0c04"
MEMORY_CLASS = "05"
ACCELERATOR_CLASS = "12"
NO_NUMA_NODE = -1
"""As in the API: the device has no affinity to a virtual NUMA node."""


def hex4(value: int) -> str:
    """The four-digit id of a signed or unsigned 16-bit number: ``-32634`` and ``32902`` are both ``8086``."""
    return format(value & 0xFFFF, "04x")


def signed16(hex_id: str) -> int:
    """The signed 16-bit number that the API expects for an id: ``8086`` is -32634, ``10de`` is 4318."""
    number = int(hex_id, 16)
    return number - 0x10000 if number >= 0x8000 else number


def parse_address(text: str) -> str:
    """``3b:00.0``, ``0000:3B:00.0`` → ``0000:3b:00.0``. Raises InputError (bad_address) for other text."""
    match = _ADDRESS.fullmatch(text.strip())
    if match is None or int(match[3], 16) > 0x1F or int(match[1] or "0", 16) > 0xFFFFFFFF:
        raise InputError(
            message=f"{text!r} is not a PCI address",
            code="bad_address",
            parameter="address",
            cure="Write domain:bus:slot.function in hexadecimal, such as 0000:3b:00.0 (slot at most 1f, function at most 7)",
        )
    return f"{int(match[1] or '0', 16):04x}:{int(match[2], 16):02x}:{int(match[3], 16):02x}.{match[4]}"


def parse_id(text: str | int, parameter: str) -> str:
    """``10DE``, ``0x10de``, ``10de`` → ``10de``. Raises InputError (bad_id) for other values.

    A YAML number without quotes is rejected: 1572 may be hexadecimal or decimal, and YAML reads 8e05 as a float.
    """
    if isinstance(text, str):
        match = _ID.fullmatch(text.strip())
        if match is not None:
            return match[1].lower().zfill(4)
    raise InputError(
        message=f"{parameter} {text!r} is not a PCI id",
        code="bad_id",
        parameter=parameter,
        cure='Write up to four hexadecimal digits in quotes, such as "10de" (as printed by lspci -n)',
    )


def parse_pair(text: str) -> tuple[str, str]:
    """``10de:20f1`` → (``10de``, ``20f1``), vendor first, as ``lspci -n`` prints it. Raises InputError (bad_id) for other text."""
    match = _PAIR.fullmatch(text.strip())
    if match is None:
        raise InputError(
            message=f"{text!r} does not name a device by vendor and device id",
            code="bad_id",
            parameter="match",
            cure='Write vendor:device as lspci -n prints it, such as "10de:20f1", or a mapping such as {vendor_id: "10de", slot: "6"}',
        )
    return match[1].lower().zfill(4), match[2].lower().zfill(4)


def decimal_address(address: str) -> str:
    """The decimal form with a five-digit domain, as in a .vmx file: ``0000:1a:01.2`` → ``00000:026:01.2``."""
    domain, bus, rest = address.split(":")
    slot, function = rest.split(".")
    return f"{int(domain, 16):05d}:{int(bus, 16):03d}:{int(slot, 16):02d}.{int(function)}"


def backing_addresses(text: str | None) -> tuple[str, ...]:
    """The addresses that the id in a VM's backing can mean, sorted; empty when it is not an address.

    vCenter returns ``0000:3b:00.0`` (hexadecimal). A backing that comes from a .vmx file may keep a decimal form: ``00000:059:00.0``,
    or a shorter one such as ``130:00.0`` or ``0:66:0.0``. A short form that is valid in both bases has two readings. The id of an
    automatic SR-IOV backing is ``Automatic-<address>``.
    """
    match = _BACKING.fullmatch((text or "").strip().removeprefix("Automatic-"))
    if match is None:
        return ()
    domain, bus, slot, function = match["domain"] or "", match["bus"], match["slot"], match["function"]
    if len(domain) >= 4 and len(bus) == len(slot) == 2 and not (len(domain) == 5 and domain.isdecimal()):
        bases: tuple[int, ...] = (16,)
    elif len(bus) == 3 or len(domain) == 5:
        bases = (10,)
    else:
        bases = (16, 10)
    readings = (_reading(domain or "0", bus, slot, function, base) for base in bases)
    return tuple(sorted({reading for reading in readings if reading is not None}))


def _reading(domain: str, bus: str, slot: str, function: str, base: int) -> str | None:
    try:
        numbers = int(domain, base), int(bus, base), int(slot, base)
    except ValueError:
        return None
    if numbers[1] > 0xFF or numbers[2] > 0x1F:
        return None
    return f"{numbers[0]:04x}:{numbers[1]:02x}:{numbers[2]:02x}.{function}"


def parse_backing_address(text: str | None) -> str | None:
    """The address in a VM's backing, in any of the forms above; None when there is none, or when it can mean several."""
    readings = backing_addresses(text)
    return readings[0] if len(readings) == 1 else None


def parse_backing_device_id(text: str | None) -> str | None:
    """The device id in a fixed backing as four hexadecimal digits; None when there is none.

    The API reference documents another form, but servers return hexadecimal, with or without 0x. A negative number comes from tools
    that print a signed short with %x.
    """
    if not text:
        return None
    try:
        return hex4(int(text.strip(), 16))
    except ValueError:
        return None


def parse_numa_node(raw: object, parameter: str) -> int | None:
    """The virtual NUMA node in an entry of a VM: a number or digits as text, -1 for no affinity, or None. Raises InputError."""
    if raw is None:
        return None
    text = raw.strip() if isinstance(raw, str) else raw
    number = NO_NUMA_NODE if text == str(NO_NUMA_NODE) else as_whole(text)
    allowed = RANGES["numa_node"]
    if number is None or not allowed.lowest <= number <= allowed.highest:
        raise InputError(
            message=f"{parameter} {raw!r} is not a virtual NUMA node",
            code=allowed.code,
            parameter=parameter,
            cure=f"Give a whole number from {allowed}; {NO_NUMA_NODE} is no affinity. Without numa_node, a device keeps what it has",
        )
    return number
