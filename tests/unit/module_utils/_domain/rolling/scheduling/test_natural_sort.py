# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Words of the inventory are sorted as a person would."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.scheduling.natural_sort import (
    natural_key,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.policy import Policy
from tests.unit.module_utils._domain.rolling.builders import ask, deeds, host


@pytest.mark.parametrize(
    "words",
    [
        ["1", "2", "3", "10"],
        ["rack-2", "rack-10", "rack-10a", "rack-10b"],
        ["-10", "-2", "0", "1", "a"],
        ["", "7", "zone"],
        ["a1b2", "a1b10", "a2b1"],
        ["1.2", "1.10", "2"],
        ["9" * 5000, "1" + "0" * 5000],
        ["rack", "rack1", "rack-1", "rack-1a"],
    ],
)
def test_numbers_count_as_numbers_and_come_before_words(words: list[str]) -> None:
    for shuffled in itertools.islice(itertools.permutations(words), 24):
        assert sorted(shuffled, key=lambda word: natural_key((word,))) == words


def test_leading_zeros_say_nothing_so_the_next_word_decides() -> None:
    assert natural_key(("rack-07",)) == natural_key(("rack-7",))
    assert natural_key(("-0",)) == natural_key(("0",))
    assert natural_key(("rack-07", "2")) < natural_key(("rack-7", "10"))


words = st.lists(st.text("0123456789-aZ. ²٣é", max_size=6) | st.text(max_size=4), max_size=3).map(tuple)


@given(words, words, words)
def test_any_words_can_be_compared_and_the_order_is_one(one: tuple[str], two: tuple[str], three: tuple[str]) -> None:
    a, b, c = natural_key(one), natural_key(two), natural_key(three)
    assert (a < b) + (b < a) + (a == b) == 1
    if a <= b <= c:
        assert a <= c


@given(st.integers(-(10**30), 10**30), st.integers(-(10**30), 10**30))
def test_numbers_are_compared_as_what_they_are(one: int, two: int) -> None:
    assert (natural_key((str(one),)) < natural_key((str(two),))) == (one < two)


def test_hosts_are_rebooted_in_that_order() -> None:
    """10 does not come before 2, as it would among texts."""
    hosts = [host(f"esx-{name}") for name in "abcd"]
    order = dict(zip((view.name for view in hosts), [("1",), ("2",), ("10",), ("3",)], strict=True))
    begun = []
    while hosts:
        policy = Policy(canary=False, max_unavailable=1, order=order)
        ((_kind, name),) = deeds(ask(*(replace(view) for view in hosts), policy=policy))
        begun.append(order[name][0])
        hosts = [view for view in hosts if view.name != name]
    assert begun == ["1", "2", "3", "10"]
