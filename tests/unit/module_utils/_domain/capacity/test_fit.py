# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import random
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.capacity.fit import find_fits, parse_fit
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.capacity.stock import count_functions
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.pairing import pair_up
from tests.unit.module_utils._domain.capacity.sites import address, card, dynamic, host, site, vm

A100, T4 = "10de:20f1", "10de:1eb8"


def found(hosts: list[Any], fit: Any, *vms: Any) -> list[tuple[Any, ...]]:
    observed = site(hosts, *vms)
    fits = find_fits(observed.hosts, count_functions(observed), parse_fit(fit))
    return [(fit.host.name, fit.when, fit.sets, fit.numa_nodes) for fit in fits]


@pytest.mark.parametrize(
    ("cards", "expected"),
    [
        ((card(1), card(2)), ("now", 1)),
        ((card(1), card(2), card(3), card(4), card(5)), ("now", 2)),
        ((card(1), card(2, active=False)), ("after_reboot", 0)),
        ((card(1), card(2, enabled=False, active=False)), ("after_enabling", 0)),
        ((card(1), card(2, enabled=False)), ("after_enabling", 0)),
        ((card(1),), ("no", 0)),
        ((card(1), card(2, device_id="1eb8")), ("no", 0)),
    ],
)  # fmt: skip
def test_two_cards(cards: Any, expected: tuple[str, int]) -> None:
    ((_name, when, sets, _nodes),) = found([host(1, *cards)], [{"match": A100, "count": 2}])
    assert (when, sets) == expected


@pytest.mark.parametrize(
    ("cards", "maintenance", "expected"),
    [
        ((card(1), card(2)), True, ("after_maintenance", 0)),
        ((card(1), card(2, active=False)), True, ("after_reboot", 0)),
        # The host no longer offers the card: it does not return when the host leaves maintenance mode.
        ((card(1), card(2, capable=False)), True, ("no", 0)),
        ((card(1), card(2, capable=False)), False, ("no", 0)),
    ],
)
def test_out_of_service(cards: Any, maintenance: bool, expected: tuple[str, int]) -> None:
    hosts = [host(1, *cards, in_maintenance_mode=maintenance)]
    ((_name, when, sets, _nodes),) = found(hosts, [{"match": A100, "count": 2}])
    assert (when, sets) == expected


def test_sets_are_those_of_a_matching() -> None:
    """Against a matching of single functions, for entries that overlap in every way."""
    entries = ["10de", "10de:20f1", "a", "b", "20f1 a"]
    asked: dict[str, dict[str, Any]] = {
        "10de": {"match": {"vendor_id": "10de"}},
        "10de:20f1": {"match": A100},
        "a": {"match": {"vendor_id": "10de"}, "label": "a"},
        "b": {"match": {"vendor_id": "10de"}, "label": "b"},
        "20f1 a": {"match": A100, "label": "a"},
    }
    for number in range(60):
        chance = random.Random(number)
        fit = [
            {**asked[name], "count": chance.choice((1, 1, 2))} for name in chance.sample(entries, chance.randint(1, 4))
        ]
        cards = [
            card(place, device_id=chance.choice(("20f1", "1eb8")), label=chance.choice((None, "a", "b")))
            for place in range(chance.randint(0, 14))
        ]
        desired = parse_fit(fit)
        slots = [one for one in desired for _unused in range(one.count if isinstance(one.count, int) else 1)]
        expected = 0
        while len(slots) * (expected + 1) <= len(cards):
            many = slots * (expected + 1)
            edges = {
                left: [
                    right
                    for right, one in enumerate(cards)
                    if slot.selector.matches(one) and slot.label in (None, one.label)
                ]
                for left, slot in enumerate(many)
            }
            if len(pair_up(many, cards, edges)) < len(many):
                break
            expected += 1
        ((_name, when, sets, _nodes),) = found([host(1, *cards)], fit)
        assert (sets, when) == (expected, "now" if expected else "no"), (number, fit, cards)


def test_used_cards_fit_after_a_power_off() -> None:
    ((_name, when, _sets, _nodes),) = found([host(1, card(1))], [A100], vm(1, 1, dynamic(address(1))))
    assert when == "after_power_off"


def test_unknown_is_not_free() -> None:
    away = host(1, card(1), connection_state="notResponding")
    assert [one[1] for one in found([away], [A100])] == ["unknown"]
    assert [one[1] for one in found([host(1, card(1), residents=frozenset({"vm-7"}))], [A100])] == ["unknown"]


def test_entries_take_different_cards() -> None:
    """The second entry can only have the labeled card, so the first one must take the other."""
    cards = [card(1, label="big"), card(2)]
    assert found([host(1, *cards)], [A100, {"match": A100, "label": "big"}])[0][1] == "now"
    assert found([host(1, cards[0])], [A100, {"match": A100, "label": "big"}])[0][1] == "no"
    assert found([host(1, card(1), card(2, device_id="1eb8"))], [A100, T4])[0][1] == "now"


def test_the_best_host_is_first() -> None:
    """One NUMA node first, then the host where the fewest are left over."""
    wide = host(1, *(card(number, numa_node=0) for number in range(4)))
    tight = host(2, card(1, numa_node=1), card(2, numa_node=1))
    across = host(3, card(1, numa_node=0), card(2, numa_node=1))
    none = host(4)
    assert found([none, across, wide, tight], [{"match": A100, "count": 2}]) == [
        ("esx-02", "now", 1, (1,)),
        ("esx-01", "now", 2, (0,)),
        ("esx-03", "now", 1, ()),
        ("esx-04", "no", 0, ()),
    ]


@pytest.mark.parametrize(
    ("raw", "code"),
    [([], "no_devices"), ([{"match": A100, "count": "all"}], "bad_count"), ([{"match": {}}], "bad_selector"), ("x", "bad_devices")],
)  # fmt: skip
def test_bad_questions(raw: Any, code: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_fit(raw)
    assert refused.value.code == code
