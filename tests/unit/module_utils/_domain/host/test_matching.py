# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which devices of a host a list of wishes means."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.matching import (
    near_misses,
    select,
    select_all,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.selector import (
    DesiredDevice,
    parse_desired_devices,
    parse_selector,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.observed.hosts import Host, HostDevice
from tests.unit.module_utils._domain.strategies import (
    A40,
    A100,
    ACTIVE,
    AUDIO,
    BRIDGE,
    NVME,
    OFF,
    PENDING_DISABLE,
    PENDING_ENABLE,
    STALE,
    UNAVAILABLE,
    device,
    device_lists,
    host,
    wish_lists,
)
from tests.unit.searching import search

P, Q, R, S = (f"0000:{bus}:00.0" for bus in ("3b", "5e", "86", "af"))


def chosen(esx: Host, *raw: Any, **how: Any) -> list[list[str]]:
    """Addresses chosen for each wish."""
    return [[d.address for d in s.devices] for s in select_all(esx, parse_desired_devices(raw), **how)]


def states(*flags: dict[str, bool]) -> Host:
    """A host with one A100 in each of the states, at P, Q, R, S."""
    return host(*(device(a, A100, state) for a, state in zip((P, Q, R, S), flags, strict=False)))


MIXED = host(device(P), device(Q), device(R, A40), device(S, NVME))


@pytest.mark.parametrize(
    ("raw", "addresses"),
    [
        ("10de:20f1", [P, Q]),
        ("3b:00.0", [P]),
        ({"match": "10de:20f1", "count": "all"}, [P, Q]),
        ({"match": {"class_id": "0302"}, "count": "all"}, [P, Q, R]),
        ({"match": "10de:20f1", "count": 1}, [P]),
        ({"match": {"name": "*"}, "count": 3}, [P, Q, R]),
        ({"match": {"name": "*a40"}}, [R]),
    ],
)
def test_what_a_wish_means(raw: Any, addresses: list[str]) -> None:
    assert chosen(MIXED, raw) == [addresses]


@pytest.mark.parametrize(
    ("flags", "enabled", "address"),
    [
        ((OFF, OFF), True, P),
        ((OFF, ACTIVE), True, Q),
        ((OFF, PENDING_ENABLE), True, Q),
        ((PENDING_ENABLE, ACTIVE), True, Q),
        ((OFF, PENDING_DISABLE), True, Q),
        ((UNAVAILABLE, OFF), True, Q),
        ((STALE, OFF), True, Q),
        ((OFF, {"enabled": True, "active": True}), True, Q),
        ((ACTIVE, ACTIVE), False, P),
        ((ACTIVE, OFF), False, Q),
        ((ACTIVE, PENDING_ENABLE), False, Q),
        ((PENDING_DISABLE, UNAVAILABLE), False, Q),
    ],
)
def test_which_of_several_is_taken(flags: tuple[dict[str, bool], ...], enabled: bool, address: str) -> None:
    assert chosen(states(*flags), {"match": "10de:20f1", "count": 1}, enabled=enabled) == [[address]]


def test_avoided_devices_are_taken_last_but_are_taken() -> None:
    esx = states(OFF, OFF)
    assert chosen(esx, {"match": "10de:20f1", "count": 1}, avoid={P}) == [[Q]]
    assert chosen(esx, {"match": "10de:20f1", "count": 2}, avoid={P}) == [[P, Q]]
    assert chosen(states(ACTIVE, OFF), {"match": "10de:20f1", "count": 1}, avoid={P}) == [[P]]


def test_the_right_label_is_kept() -> None:
    esx = host(device(P, A100, ACTIVE, label="a"), device(Q, A100, ACTIVE, label="b"), device(R, A100, OFF))
    labelled = [{"match": "10de:20f1", "count": 1, "label": label} for label in ("b", "a")]
    assert chosen(esx, *labelled) == [[Q], [P]]
    assert chosen(esx, {"match": "10de:20f1", "count": 2, "label": "b"}) == [[P, Q]]


def test_a_device_whose_group_is_complete_is_preferred() -> None:
    """Otherwise a second run could choose the other one and complete its group."""
    esx = host(
        device(P, A100, ACTIVE, dependent_device=P),
        device("0000:3b:00.1", AUDIO, OFF, dependent_device=P),
        device(Q, A100, PENDING_ENABLE),
    )
    assert chosen(esx, {"match": "10de:20f1", "count": 1}) == [[Q]]


def test_entries_with_a_number_have_devices_of_their_own() -> None:
    esx = states(OFF, OFF, OFF)
    narrow = {"match": {"address": P, "vendor_id": "10de", "device_id": "20f1"}}
    assert chosen(esx, {"match": "10de:20f1", "count": 2}, narrow) == [[Q, R], [P]]
    assert chosen(esx, {"match": "10de:20f1", "count": 1}, {"match": {"class_id": "03"}, "count": 2}) == [[P], [Q, R]]


def test_a_way_to_grant_everything_is_found() -> None:
    """The first entry could take what only the second can use."""
    esx = host(device(P, slot="1"), device(Q, slot="2"))
    assert chosen(esx, {"match": "10de:20f1", "count": 1}, {"match": {"slot": "1"}, "count": 1}) == [[Q], [P]]


def test_entries_for_all_may_share() -> None:
    raw = [{"match": "10de:20f1", "count": "all"}, {"match": {"class_id": "0302"}, "count": "all"}]
    assert chosen(MIXED, *raw) == [[P, Q], [P, Q, R]]


# --- reasons ----------------------------------------------------------------------------------------------------------


def refusal(esx: Host, raw: Any, **how: Any) -> tuple[str, str, tuple[str, ...], bool]:
    selection = select(esx, parse_desired_devices([raw])[0], **how)
    assert selection.blocker is not None
    assert selection.devices == ()
    return (
        selection.blocker.code,
        selection.blocker.message,
        selection.blocker.candidates,
        selection.blocker.skippable,
    )


def test_nothing_matches_and_something_nearly_does() -> None:
    assert refusal(MIXED, "10de:2230") == (
        "no_match",
        "No device of esx-01 matches 10de:2230",
        (
            f"{P} 10de:20f1 NVIDIA A100-PCIE-40GB (device_id 20f1)",
            f"{Q} 10de:20f1 NVIDIA A100-PCIE-40GB (device_id 20f1)",
            f"{R} 10de:2235 NVIDIA A40 (device_id 2235)",
        ),
        True,
    )


def test_nothing_is_near_so_what_could_be_passed_through_is_shown() -> None:
    esx = host(device(P), device(Q, NVME, UNAVAILABLE))
    assert refusal(esx, {"match": {"name": "Tesla*"}, "count": 1})[2] == (f"{P} 10de:20f1 NVIDIA A100-PCIE-40GB",)


def test_what_the_host_cannot_know_is_said() -> None:
    assert "(this host reports no slots, as is usual before vSphere 9.0)" in refusal(MIXED, {"match": {"slot": "6"}})[1]
    assert "no device of this host has a hardware label" in refusal(MIXED, {"match": {"label": "a100"}})[1]


def test_several_models_without_a_count() -> None:
    code, message, candidates, skippable = refusal(MIXED, {"match": {"class_id": "0302"}})
    assert (code, skippable) == ("ambiguous", False)
    assert message == '{class_id: "0302"} matches devices of 2 models on esx-01: 10de:20f1, 10de:2235'
    assert candidates[2] == f"{R} 10de:2235 NVIDIA A40"


@pytest.mark.parametrize("count", [None, "all", 1])
def test_another_card_sits_at_the_address(count: Any) -> None:
    raw = {"match": {"address": P, "vendor_id": "10de", "device_id": "2235"}, "count": count}
    assert refusal(MIXED, raw) == (
        "identity_changed",
        f"{P} on esx-01 is not 10de:2235: it is {P} 10de:20f1 NVIDIA A100-PCIE-40GB (device_id 20f1)",
        (f"{R} 10de:2235 NVIDIA A40",),
        True,
    )


def test_nothing_sits_at_the_address() -> None:
    code, message, candidates, _unused = refusal(MIXED, "0000:d8:00.0")
    assert (code, message) == ("no_match", "No device of esx-01 matches 0000:d8:00.0")
    assert len(candidates) == 4


def test_a_bridge_is_no_device() -> None:
    esx = host(device("0000:00:01.0", BRIDGE), device(P))
    assert refusal(esx, "00:01.0")[0] == "bridge"
    assert refusal(esx, "8086:2030")[:2] == ("no_match", "No device of esx-01 matches 8086:2030")
    assert chosen(esx, {"match": {"name": "*"}, "count": "all"}) == [[P]]


def test_too_few_says_of_each_why() -> None:
    esx = states(OFF, UNAVAILABLE, STALE)
    assert refusal(esx, {"match": "10de:20f1", "count": 3}) == (
        "too_few",
        "esx-01 has 1 of the 3 desired devices 10de:20f1",
        (
            f"{P} 10de:20f1 NVIDIA A100-PCIE-40GB (available)",
            f"{Q} 10de:20f1 NVIDIA A100-PCIE-40GB (not capable of passthrough)",
            f"{R} 10de:20f1 NVIDIA A100-PCIE-40GB (configured, but the host no longer offers it for passthrough)",
        ),
        True,
    )


def test_too_few_because_others_took_them() -> None:
    first, second = select_all(
        states(OFF, OFF), parse_desired_devices([{"match": P}, {"match": {"class_id": "03"}, "count": 2}])
    )
    assert [d.address for d in first.devices] == [P]
    assert second.blocker is not None
    assert second.blocker.candidates[0].endswith("(selected by another entry of the list)")


def test_asked_to_disable_more_than_there_are() -> None:
    assert chosen(states(ACTIVE, STALE), {"match": "10de:20f1", "count": 3}, enabled=False) == [[P, Q]]


def test_long_lists_are_cut() -> None:
    esx = host(*(device(f"0000:{bus:02x}:00.0", state=OFF) for bus in range(1, 13)))
    candidates = refusal(esx, {"match": "10de:20f2"})[2]
    assert len(candidates) == 9
    assert candidates[-1] == "and 4 more"


def test_near_misses_come_best_first() -> None:
    selector = parse_selector({"vendor_id": "10de", "device_id": "20f1", "slot": "2"})
    devices = [device(Q, A40, slot="1"), device(R, A100, slot=None), device(P, NVME, slot="2"), device(S, NVME)]
    assert [row.split()[0] for row in near_misses(devices, selector)] == [R, P, Q]
    assert near_misses(devices, selector)[0].endswith("(slot not reported)")


# --- properties -------------------------------------------------------------------------------------------------------


@st.composite
def situations(draw: st.DrawFn) -> tuple[Host, tuple[DesiredDevice, ...], bool, frozenset[str]]:
    esx = host(*draw(device_lists()))
    avoid = frozenset(d.address for d in esx.devices if draw(st.booleans()))
    return esx, draw(wish_lists((esx,))), draw(st.booleans()), avoid


@search()
@given(situations())
def test_a_granted_wish_gets_what_it_asks_for(situation: Any) -> None:
    esx, desired_devices, enabled, avoid = situation
    selections = select_all(esx, desired_devices, enabled=enabled, avoid=avoid)
    assert [selection.desired for selection in selections] == list(desired_devices)
    for selection in selections:
        addresses = [found.address for found in selection.devices]
        assert addresses == sorted(set(addresses))
        assert all(selection.desired.selector.matches(found) and not found.is_bridge for found in selection.devices)
        if selection.blocker is not None:
            assert not addresses
            assert esx.name in selection.blocker.message
            assert selection.blocker.cure
        elif isinstance(selection.desired.count, int):
            assert len(addresses) == selection.desired.count or (addresses and not enabled)
        else:
            assert addresses == sorted(d.address for d in esx.candidates() if selection.desired.selector.matches(d))
    for left, right in combinations(selections, 2):
        if isinstance(left.desired.count, int) or isinstance(right.desired.count, int):
            assert not set(left.devices) & set(right.devices)


@search()
@given(situations(), st.randoms(use_true_random=False))
def test_order_of_devices_does_not_matter(situation: Any, shuffle: Any) -> None:
    esx, desired_devices, enabled, avoid = situation
    turned = replace(esx, devices=tuple(shuffle.sample(esx.devices, len(esx.devices))))
    assert select_all(turned, desired_devices, enabled=enabled, avoid=avoid) == select_all(
        esx, desired_devices, enabled=enabled, avoid=avoid
    )


def _can_all_be_granted(devices: list[HostDevice], desired_devices: tuple[DesiredDevice, ...]) -> bool:
    """By trying everything."""
    if not desired_devices:
        return True
    first, rest = desired_devices[0], desired_devices[1:]
    fitting = [d for d in devices if first.selector.matches(d) and (d.capable or (d.enabled and d.active))]
    return any(
        _can_all_be_granted([d for d in devices if d not in took], rest)
        for took in combinations(fitting, int(first.count or 1))
    )


@search(1.5)
@given(situations())
def test_everything_is_granted_whenever_it_can_be(situation: Any) -> None:
    esx, desired_devices, _unused, avoid = situation
    counted = tuple(desired for desired in desired_devices if isinstance(desired.count, int))
    granted = all(selection.blocker is None for selection in select_all(esx, counted, avoid=avoid))
    assert granted == _can_all_be_granted(list(esx.candidates()), counted)
