# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A matching that begins with pairs is as large as one that does not, and keeps the lefts of these pairs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.vm.pairing import pair_up

SIZE = 5
EDGES = st.lists(st.sets(st.integers(0, SIZE - 1)), min_size=SIZE, max_size=SIZE)


@given(EDGES, EDGES)
def test_pairs_to_begin_with(narrow: list[set[int]], more: list[set[int]]) -> None:
    lefts, rights = range(SIZE), range(SIZE)
    first = {left: sorted(narrow[left]) for left in lefts}
    wide = {
        left: sorted(narrow[left] | more[left], key=lambda right, left=left: right not in narrow[left])
        for left in lefts
    }
    start = pair_up(lefts, rights, first)
    found = pair_up(lefts, rights, wide, start)
    assert len(found) == len(pair_up(lefts, rights, wide))
    assert start.keys() <= found.keys()
    assert all(right in wide[left] for left, right in found.items())
    assert len(set(found.values())) == len(found)


@given(EDGES)
def test_nothing_moves_when_the_pairs_to_begin_with_are_enough(edges: list[set[int]]) -> None:
    """So a VM whose devices are all in sync is left alone."""
    wide = {left: list(range(SIZE)) for left in range(SIZE)}
    start = pair_up(range(SIZE), range(SIZE), {left: sorted(rights) for left, rights in enumerate(edges)})
    if len(start) == SIZE:
        assert pair_up(range(SIZE), range(SIZE), wide, start) == start
