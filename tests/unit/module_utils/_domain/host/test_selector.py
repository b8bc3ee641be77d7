# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The selector form: what it means, how it is written, and what is said when it is written wrongly."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.selector import (
    SELECTOR_KEYS,
    DesiredDevice,
    Selector,
    parse_desired_devices,
    parse_selector,
    refuse_contradictions,
)
from tests.unit.module_utils._domain.strategies import A100, NVME, addresses, device, device_lists, hex_ids

_words = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1).filter(lambda text: text.strip())
_texts = _words.map(str.strip)
selectors = st.builds(
    Selector,
    vendor_id=st.none() | hex_ids,
    device_id=st.none() | hex_ids,
    subvendor_id=st.none() | hex_ids,
    subdevice_id=st.none() | hex_ids,
    class_id=st.none() | hex_ids | hex_ids.map(lambda text: text[:2]),
    address=st.none() | addresses(),
    slot=st.none() | _texts,
    name=st.none() | _texts,
    label=st.none() | _texts,
).filter(lambda selector: selector.given)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("10DE:20F1", Selector(vendor_id="10de", device_id="20f1")),
        ("0x8086:0xa54", Selector(vendor_id="8086", device_id="0a54")),
        ("3b:00.0", Selector(address="0000:3b:00.0")),
        ("0000:3B:00.0", Selector(address="0000:3b:00.0")),
        ({"vendor_id": "10de", "device_id": None}, Selector(vendor_id="10de")),
        ({"class_id": "0x0302"}, Selector(class_id="0302")),
        ({"class_id": "03"}, Selector(class_id="03")),
        ({"name": " *P5800X* ", "slot": "6"}, Selector(name="*P5800X*", slot="6")),
        ({"address": "3b:0.1", "label": "a100"}, Selector(address="0000:3b:00.1", label="a100")),
    ],
)
def test_forms(raw: Any, expected: Selector) -> None:
    assert parse_selector(raw) == expected


@pytest.mark.parametrize(
    ("raw", "code", "said"),
    [
        ("", "bad_selector", "is empty"),
        ("a100", "bad_id", "'a100'"),
        ("3b:00.9", "bad_address", "'3b:00.9'"),
        (1572, "bad_selector", "1572 is a number, not a string or a mapping"),
        (None, "bad_selector", "None is nothing"),
        (["10de:20f1"], "bad_selector", "is a list"),
        ({}, "bad_selector", "would match every device"),
        ({"vendor_id": None}, "bad_selector", "would match every device"),
        ({"vendor": "10de"}, "bad_selector", "unknown key vendor"),
        ({"count": 2, "vendor_id": "10de"}, "bad_selector", "unknown key count"),
        ({"device_id": 1572}, "bad_selector", "match.device_id 1572 is a number, not a string"),
        ({"device_id": 8e05}, "bad_selector", "match.device_id 800000.0 is a number"),
        ({"slot": 6}, "bad_selector", "match.slot 6 is a number"),
        ({"vendor_id": "nvidia"}, "bad_id", "match.vendor_id 'nvidia'"),
        ({"class_id": "302"}, "bad_id", "match.class_id '302'"),
        ({"class_id": "display"}, "bad_id", "match.class_id 'display'"),
        ({"address": "slot 6"}, "bad_address", "'slot 6'"),
        ({"name": "  "}, "bad_selector", "match.name is empty"),
        ({"name": True}, "bad_selector", "match.name True is a boolean"),
        ({"name": ("a",)}, "bad_selector", "is of type tuple"),
    ],
)
def test_bad_selectors_name_the_key(raw: Any, code: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_selector(raw)
    assert caught.value.code == code
    assert said in caught.value.message
    assert caught.value.cure


def test_only_a_number_is_explained_by_what_yaml_does() -> None:
    for raw, explained in ((0.5, True), (7, True), (True, False), (["10de:20f1"], False), (None, False)):
        with pytest.raises(InputError) as caught:
            parse_selector(raw)  # type: ignore[arg-type]
        assert ("YAML reads" in caught.value.message) is explained


def test_an_unknown_key_lists_the_known_ones() -> None:
    with pytest.raises(InputError) as caught:
        parse_selector({"pci_id": "10de:20f1"}, "devices[3].match")
    assert caught.value.candidates == SELECTOR_KEYS
    assert caught.value.parameter == "devices[3].match"


@given(selectors)
def test_the_text_can_be_pasted_back(selector: Selector) -> None:
    text = selector.text
    assert parse_selector(yaml.safe_load(text) if text.startswith("{") else text) == selector


def test_an_address_that_yaml_takes_for_a_number() -> None:
    """In YAML 1.1 0000:03:00.0 is a number to the base of sixty."""
    for raw in ("[0000:03:00.0]", "[{match: 0000:03:00.0}]", "[{match: {address: 0000:03:00.0}}]"):
        with pytest.raises(InputError) as caught:
            parse_desired_devices(yaml.safe_load(raw))
        assert "0000:03:00.0" in caught.value.sentence()
        assert "quotes" in caught.value.sentence()


def test_the_text_of_the_short_forms_is_short() -> None:
    assert parse_selector("10DE:20f1").text == "10de:20f1"
    assert parse_selector("3B:0.0").text == "0000:3b:00.0"
    assert parse_selector({"vendor_id": "10de", "slot": "6"}).text == '{vendor_id: "10de", slot: "6"}'


ONE = device(
    "0000:3b:00.0", subvendor_id="10de", subdevice_id="145f", slot="PCIe Slot 6", label="a100", name="NVIDIA A100 [x]"
)


@pytest.mark.parametrize(
    ("condition", "is_met"),
    [
        ({"vendor_id": "10de"}, True),
        ({"vendor_id": "10df"}, False),
        ({"device_id": "20f1"}, True),
        ({"subvendor_id": "10de", "subdevice_id": "145f"}, True),
        ({"subdevice_id": "1460"}, False),
        ({"class_id": "03"}, True),
        ({"class_id": "0302"}, True),
        ({"class_id": "0300"}, False),
        ({"class_id": "02"}, False),
        ({"address": "0000:3b:00.0"}, True),
        ({"address": "0000:3b:00.1"}, False),
        ({"slot": "PCIe Slot 6"}, True),
        ({"slot": "pcie slot 6"}, True),
        ({"slot": "6"}, True),
        ({"slot": "06"}, True),
        ({"slot": "16"}, False),
        ({"slot": "PCIe"}, False),
        ({"name": "nvidia a100 [x]"}, True),
        ({"name": "*a100*"}, True),
        ({"name": "NVIDIA A?00*"}, True),
        ({"name": "A100"}, False),
        ({"label": "a100"}, True),
        ({"label": "A100"}, False),
        ({"vendor_id": "10de", "label": "other"}, False),
    ],
)
def test_conditions(condition: dict[str, str], is_met: bool) -> None:
    selector = parse_selector(condition)
    assert selector.matches(ONE) is is_met
    assert bool(selector.misses(ONE)) is not is_met


def test_a_slot_by_number_as_newer_releases_give_it() -> None:
    assert parse_selector({"slot": "6"}).matches(device("0000:3b:00.0", slot="6"))
    assert not parse_selector({"slot": "2"}).matches(device("0000:3b:00.0", slot="NIC2"))
    assert not parse_selector({"slot": "6"}).matches(device("0000:3b:00.0"))


def test_misses_say_which_condition_fails() -> None:
    selector = parse_selector({"vendor_id": "10de", "device_id": "2235", "slot": "4"})
    assert selector.misses(ONE) == ("device_id", "slot")


@given(selectors, selectors, device_lists())
def test_covering_means_selecting_at_least_as_much(wide: Selector, narrow: Selector, devices: Any) -> None:
    if wide.covers(narrow):
        assert all(wide.matches(found) for found in devices if narrow.matches(found))
    assert narrow.covers(narrow)


def test_covering() -> None:
    kind, place = parse_selector("10de:20f1"), parse_selector({"vendor_id": "10de", "device_id": "20f1", "slot": "6"})
    assert kind.covers(place)
    assert not place.covers(kind)
    assert Selector(class_id="03").covers(Selector(class_id="0302"))
    assert not Selector(class_id="0302").covers(Selector(class_id="03"))


@pytest.mark.parametrize(("raw", "names_kind"), [("10de:20f1", True), ("3b:00.0", False), ({"vendor_id": "1"}, False)])
def test_whether_it_says_what_is_expected(raw: Any, names_kind: bool) -> None:
    assert parse_selector(raw).names_kind is names_kind


# --- wishes -----------------------------------------------------------------------------------------------------------

A = Selector(vendor_id=A100["vendor_id"], device_id=A100["device_id"])
N = Selector(vendor_id=NVME["vendor_id"], device_id=NVME["device_id"])


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ([], []),
        (["10de:20f1"], [DesiredDevice(selector=A)]),
        ([{"match": "10de:20f1"}], [DesiredDevice(selector=A)]),
        ([{"match": "10de:20f1", "count": None, "label": None}], [DesiredDevice(selector=A)]),
        ([{"match": "10de:20f1", "count": 2, "label": " a100 "}], [DesiredDevice(selector=A, count=2, label="a100")]),
        ([{"match": "10de:20f1", "count": "2"}], [DesiredDevice(selector=A, count=2)]),
        (
            [{"match": {"vendor_id": "10de", "device_id": "20f1"}, "count": "all"}],
            [DesiredDevice(selector=A, count="all")],
        ),
        (["144d:a808", "10de:20f1"], [DesiredDevice(selector=N), DesiredDevice(selector=A)]),
        (({"match": "10de:20f1", "label": ""},), [DesiredDevice(selector=A, label="")]),
    ],
)
def test_wishes(raw: Any, expected: list[DesiredDevice]) -> None:
    assert parse_desired_devices(raw) == tuple(expected)


@pytest.mark.parametrize(
    ("raw", "code", "said"),
    [
        ("10de:20f1", "bad_devices", "devices is a string, not a list"),
        ({"match": "10de:20f1"}, "bad_devices", "is a mapping, not a list"),
        (
            [3],
            "bad_devices",
            "devices[0] 3 is a number, not a string or a mapping: without quotes, YAML reads 0000:03:00.0 as a number",
        ),
        ([True], "bad_devices", "devices[0] True is a boolean, not a string or a mapping"),
        ([{"count": 2}], "bad_devices", "devices[0] selects no device: match is missing"),
        ([{"match": None}], "bad_devices", "match is missing"),
        ([{"match": "10de:20f1", "number": 2}], "bad_devices", "unknown key number"),
        (
            [{"match": "10de:20f1", "slot": "6"}],
            "bad_devices",
            "a condition belongs under match, as in match: {slot: ...}",
        ),
        (["10de:20f1", {"match": {"device_id": 1572}}], "bad_selector", "devices[1].match.device_id 1572"),
        ([{"match": "10de:20f1", "count": 0}], "bad_count", "devices[0].count 0 is not a number of devices"),
        ([{"match": "10de:20f1", "count": -1}], "bad_count", "-1"),
        ([{"match": "10de:20f1", "count": True}], "bad_count", "True"),
        ([{"match": "10de:20f1", "count": 1.5}], "bad_count", "1.5"),
        ([{"match": "10de:20f1", "count": "some"}], "bad_count", "'some'"),
        ([{"match": "10de:20f1", "label": 7}], "bad_label", "devices[0].label 7 is a number"),
        (["10de:20f1", {"match": "10DE:20F1"}], "duplicate_wish", "devices names 10de:20f1 twice"),
        ([{"match": "10de:20f1", "count": 1}, "10de:20f1"], "duplicate_wish", "twice"),
        (
            [{"match": "10de:20f1", "count": "all"}, {"match": {**A.given, "slot": "6"}, "count": 1}],
            "contradicting_wishes",
            "all x 10de:20f1 selects every such device, and none is left for 1 x",
        ),
        (
            [
                {"match": {"class_id": "03"}, "count": "all", "label": "a"},
                {"match": {"class_id": "0302"}, "count": "all", "label": "b"},
            ],
            "contradicting_wishes",
            "with another label",
        ),
    ],
)
def test_bad_wishes(raw: Any, code: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_desired_devices(raw)
    assert caught.value.code == code
    assert said in caught.value.message
    assert caught.value.cure


@pytest.mark.parametrize(
    "raw",
    [
        [{"match": "10de:20f1", "count": 1, "label": "a"}, {"match": "10de:20f1", "count": 2, "label": "b"}],
        [{"match": {"class_id": "03"}, "count": "all"}, {"match": {"class_id": "0302"}, "count": "all", "label": "b"}],
        [{"match": "10de:20f1", "count": 2}, {"match": {**A.given, "slot": "6"}, "label": "b"}],
    ],
)
def test_wishes_that_share_hardware_without_contradiction(raw: Any) -> None:
    assert len(parse_desired_devices(raw)) == 2


def test_what_an_entry_without_a_count_means_decides() -> None:
    desired_devices = (DesiredDevice(selector=A), DesiredDevice(selector=Selector(**{**A.given, "slot": "6"}), count=1))
    refuse_contradictions(desired_devices, "devices", default_is_all=False)
    with pytest.raises(InputError, match="none is left for 1 x"):
        refuse_contradictions(desired_devices, "devices", default_is_all=True)


def test_wishes_in_words() -> None:
    assert DesiredDevice(selector=A).text == "10de:20f1"
    assert DesiredDevice(selector=A, count=2, label="train").text == "2 x 10de:20f1 labeled train"
