# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A memo gives what the functions would give, and calls them for new inputs only."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.memo import Memo

KEYS = st.sampled_from("abcd")
TABLES = st.dictionaries(KEYS, st.integers(0, 2))


def joined(common: int, first: int, other: int | None) -> tuple[int, ...]:
    """Different inputs may have equal results."""
    if first == 2 and other == 2:
        raise ValueError("cannot be read")
    return (common, first) if other is None else (common, first + other)


def total(table: dict[str, int], plus: int) -> list[tuple[str, int]]:
    return [(key, value + plus) for key, value in table.items()]


@given(rounds=st.lists(st.tuples(st.integers(0, 1), TABLES, TABLES), min_size=1, max_size=12))
def test_results_are_those_of_the_functions_whatever_came_before(rounds: list[tuple[int, Any, Any]]) -> None:
    memo = Memo()
    for common, first, further in rounds:
        try:
            expected = [(key, joined(common, value, further.get(key))) for key, value in first.items()]
        except ValueError:
            with pytest.raises(ValueError, match="cannot be read"):
                memo.each(joined, (common,), first, further)
        else:
            assert [*memo.each(joined, (common,), first, further).items()] == expected
        assert memo.once(total, first, common) == total(first, common)


@given(before=TABLES, after=TABLES, further=TABLES)
def test_only_what_changed_is_computed(before: dict[str, int], after: dict[str, int], further: dict[str, int]) -> None:
    def added(one: int, other: int | None) -> int:
        return one + (other or 0)

    memo = Memo()
    memo.each(added, (), before, further)
    assert memo.calls["added"] == len(before)
    memo.each(added, (), dict(before), dict(further))
    assert memo.calls["added"] == len(before)
    memo.each(added, (), after, further)
    assert memo.calls["added"] == len(before) + sum(before.get(key) != value for key, value in after.items())


def test_an_equal_result_is_the_last_object_so_that_nothing_after_it_is_computed() -> None:
    memo = Memo()

    def parity(number: int) -> tuple[str, int]:
        return ("even", 0) if number % 2 == 0 else ("odd", 1)

    first = memo.each(parity, (), {"a": 2, "b": 3})
    assert memo.each(parity, (), {"a": 4, "b": 5}) is first
    assert memo.calls["parity"] == 4


def test_the_order_of_a_mapping_counts_where_a_result_depends_on_it() -> None:
    memo = Memo()
    one, other = {"a": 1, "b": 2}, {"b": 2, "a": 1}
    assert memo.once(total, one, 0) == [("a", 1), ("b", 2)]
    assert memo.once(total, other, 0) == [("b", 2), ("a", 1)]
    assert [*memo.each(joined, (0,), one, {})] == ["a", "b"]
    assert [*memo.each(joined, (0,), other, {})] == ["b", "a"]


def test_named_inputs_are_inputs() -> None:
    memo = Memo()
    assert memo.once(total, {"a": 1}, plus=1) == [("a", 2)]
    assert memo.once(total, {"a": 1}, plus=2) == [("a", 3)]
