# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""PCI words, in every form people and the API write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.pci import (
    backing_addresses,
    decimal_address,
    hex4,
    parse_address,
    parse_backing_address,
    parse_backing_device_id,
    parse_id,
    parse_pair,
    signed16,
)
from tests.unit.module_utils._domain.strategies import addresses, hex_ids


@pytest.mark.parametrize(
    ("signed", "text"),
    [(-32634, "8086"), (32902, "8086"), (4318, "10de"), (8433, "20f1"), (-22520, "a808"), (-1, "ffff"), (0, "0000")],
)
def test_signed_ids_of_the_api(signed: int, text: str) -> None:
    assert hex4(signed) == text


@given(hex_ids)
def test_signed_round_trip(text: str) -> None:
    number = signed16(text)
    assert -0x8000 <= number <= 0x7FFF
    assert hex4(number) == hex4(number & 0xFFFF) == text


@given(hex_ids)
def test_ids_are_read_in_any_spelling(text: str) -> None:
    spellings = (text, text.upper(), "0x" + text, text.lstrip("0") or "0", f" {text} ")
    assert {parse_id(spelling, "vendor_id") for spelling in spellings} == {text}


@pytest.mark.parametrize("bad", [1572, 8e05, None, True, "", "10deg", "12345", "0x", "-1", "10de:20f1", ["10de"]])
def test_what_is_no_id_is_refused_by_name(bad: object) -> None:
    with pytest.raises(InputError) as caught:
        parse_id(bad, "vendor_id")  # type: ignore[arg-type]
    assert caught.value.code == "bad_id"
    assert caught.value.parameter == "vendor_id"
    assert repr(bad) in caught.value.message
    assert "quotes" in caught.value.cure


@given(hex_ids, hex_ids)
def test_pairs(vendor: str, device: str) -> None:
    assert parse_pair(f"{vendor}:{device}") == parse_pair(f" 0x{vendor.upper()}:0x{device} ") == (vendor, device)


@pytest.mark.parametrize("bad", ["", "10de", "10de:", ":20f1", "10de:20f1:1", "10de-20f1", "a100", "10de:xyz"])
def test_what_is_no_pair(bad: str) -> None:
    with pytest.raises(InputError, match="does not name a device by vendor and device id"):
        parse_pair(bad)


@given(addresses())
def test_addresses_are_read_in_any_spelling(address: str) -> None:
    assert parse_address(address) == parse_address(address.upper()) == parse_address(f" {address}\n") == address
    domain, bus, rest = address.split(":")
    assert parse_address(f"{int(domain, 16):x}:{int(bus, 16):x}:{rest}") == address


def test_the_domain_may_be_left_out() -> None:
    assert parse_address("3b:00.0") == "0000:3b:00.0"
    assert parse_address("3B:0.1") == "0000:3b:00.1"


@pytest.mark.parametrize("bad", ["", "3b", "3b:00", "3b:00.8", "3b:20.0", "0000:3b:00:0", "0000:100:00.0", "g0:00.0"])
def test_what_is_no_address(bad: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_address(bad)
    assert caught.value.code == "bad_address"
    assert repr(bad) in caught.value.message
    assert "0000:3b:00.0" in caught.value.cure


@given(st.lists(addresses(), min_size=2, max_size=5))
def test_sorting_texts_sorts_hardware(found: list[str]) -> None:
    def numbers(address: str) -> list[int]:
        return [int(part, 16) for part in address.replace(".", ":").split(":")]

    assert sorted(found) == sorted(found, key=numbers)


def test_decimal_form_of_a_vmx_file() -> None:
    assert decimal_address("0000:1a:01.2") == "00000:026:01.2"
    assert decimal_address("0000:c1:1f.7") == "00000:193:31.7"


@given(addresses())
def test_backing_addresses_in_both_forms(address: str) -> None:
    forms = (address, decimal_address(address), f"Automatic-{address}", address.upper())
    assert {parse_backing_address(form) for form in forms} == {address}


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("13:00.0", ["0000:0d:00.0", "0000:13:00.0"]),
        ("130:00.0", ["0000:82:00.0"]),
        ("0:66:0.0", ["0000:42:00.0", "0000:66:00.0"]),
        ("00000:013:00.0", ["0000:0d:00.0"]),
        ("3b:00.0", ["0000:3b:00.0"]),
        ("08:00.0", ["0000:08:00.0"]),
        ("26:31.7", ["0000:1a:1f.7"]),  # no slot has the number 0x31
        ("0000:13:00.0", ["0000:13:00.0"]),
        ("Automatic-13:00.0", ["0000:0d:00.0", "0000:13:00.0"]),
        ("300:00.0", []),  # no bus, in either base
        ("00000:03b:00.0", []),
    ],
)
def test_every_reading_of_a_short_form_counts(text: str, readings: list[str]) -> None:
    assert list(backing_addresses(text)) == readings
    assert parse_backing_address(text) == (readings[0] if len(readings) == 1 else None)


@pytest.mark.parametrize("text", [None, "", "BYPASS", "pciPassthru0"])
def test_a_backing_without_an_address(text: str | None) -> None:
    assert parse_backing_address(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [("20f1", "20f1"), ("0x1016", "1016"), ("-57f8", "a808"), ("0", "0000"), (None, None), ("", None), ("zz", None)],
)
def test_device_ids_of_backings(text: str | None, expected: str | None) -> None:
    assert parse_backing_device_id(text) == expected


@given(hex_ids)
def test_device_id_left_by_a_tool_that_prints_signed_numbers(text: str) -> None:
    assert parse_backing_device_id(f"{signed16(text):x}") == text
