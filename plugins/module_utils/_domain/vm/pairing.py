# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A maximum matching of two lists. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

L = TypeVar("L")
R = TypeVar("R")


def pair_up(
    lefts: Sequence[L],
    rights: Sequence[R],
    edges: Mapping[int, Sequence[int]],
    start: Mapping[int, int] = MappingProxyType({}),
) -> dict[int, int]:
    """A maximum matching: as many pairs (index of left → index of right) along ``edges`` as possible, earlier ones first.

    ``start``: pairs along ``edges`` to begin with. Each of these lefts stays paired, with another right only where this makes more pairs.
    The result is deterministic. Augmenting paths have a cubic worst case, but the inputs are small (devices of one VM or one host).
    """
    owner: dict[int, int] = {right: left for left, right in start.items()}

    def place(left: int, tried: set[int]) -> bool:
        for right in edges.get(left, ()):
            if right not in tried:
                tried.add(right)
                if right not in owner or place(owner[right], tried):
                    owner[right] = left
                    return True
        return False

    for left in range(len(lefts)):
        if left not in start:
            place(left, set())
    return {left: right for right, left in sorted(owner.items())}
