# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A maximum matching of two lists. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

L = TypeVar("L")
R = TypeVar("R")


def pair_up(lefts: Sequence[L], rights: Sequence[R], edges: Mapping[int, Sequence[int]]) -> dict[int, int]:
    """A maximum matching: as many pairs (index of left → index of right) along ``edges`` as possible, earlier ones first.

    The result is deterministic. Augmenting paths have a cubic worst case, but the inputs are small (devices of one VM or one host).
    """
    owner: dict[int, int] = {}

    def place(left: int, tried: set[int]) -> bool:
        for right in edges.get(left, ()):
            if right not in tried:
                tried.add(right)
                if right not in owner or place(owner[right], tried):
                    owner[right] = left
                    return True
        return False

    for left in range(len(lefts)):
        place(left, set())
    return {left: right for right, left in sorted(owner.items())}
