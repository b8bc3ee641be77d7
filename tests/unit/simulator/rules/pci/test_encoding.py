# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""PCI numbers and addresses on the wire."""

from __future__ import annotations

import pytest

from simulator.rules.pci import encoding


@pytest.mark.parametrize(
    ("value", "wire"), [(0x8086, -32634), (0x10DE, 4318), (0xA808, -22520), (0, 0), (0x7FFF, 32767), (0xFFFF, -1)]
)
def test_ids_are_signed_shorts(value: int, wire: int) -> None:
    assert encoding.signed16(value) == wire
    assert wire & 0xFFFF == value


@pytest.mark.parametrize(("bus", "wire"), [(0x3B, 59), (0x7F, 127), (0x80, -128), (0xC1, -63), (0xFF, -1)])
def test_bus_is_a_signed_byte(bus: int, wire: int) -> None:
    assert encoding.signed8(bus) == wire


@pytest.mark.parametrize(
    ("address", "decimal", "vmx"),
    [
        ("0000:61:00.0", "97:0.0", "00000:097:00.0"),
        ("0000:1a:01.2", "26:1.2", "00000:026:01.2"),
        ("0001:06:1f.7", "6:31.7", "00001:006:31.7"),
    ],
)
def test_other_spellings_of_an_address(address: str, decimal: str, vmx: str) -> None:
    assert encoding.decimal_bus(address) == decimal
    assert encoding.vmx_id(address) == vmx
    assert encoding.address(encoding.place(address)) == address


@pytest.mark.parametrize("text", ["3b:00.0", "0000:3B:00.0", "0000:3b:00.8", "", "0000:3b:00", "00000:026:01.2"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="not a PCI address"):
        encoding.place(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("20f1", 0x20F1),
        ("0x20f1", 0x20F1),
        ("7734", 0x7734),
        ("A808", 0xA808),
        ("-4d2", 0xFB2E),
        ("gpu", None),
        ("", None),
    ],
)
def test_device_ids_of_a_backing_are_hexadecimal(text: str, number: int | None) -> None:
    assert encoding.parse_hex_id(text) == number


def test_vmx_spelling_of_an_id() -> None:
    assert encoding.vmx_hex(-22520) == "0xa808"
