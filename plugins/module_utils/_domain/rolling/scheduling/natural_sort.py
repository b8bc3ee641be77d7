# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Words of the inventory in the order a person expects: 2 before 10, rack-2 before rack-10. PRIVATE to the collection."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeAlias

_DIGITS = re.compile("([0-9]+)")
_BELOW_ZERO = re.compile("-[0-9]+")
_INVERTED = str.maketrans("0123456789", "9876543210")

Number: TypeAlias = tuple[int, str]
"""Of how many digits, and which: compares as the number does, however long it is (``int`` refuses long ones)."""
Key: TypeAlias = tuple[tuple[str | Number, ...], ...]


def natural_key(words: Sequence[str]) -> Key:
    """To sort by: word by word, and in a word numbers as numbers. Leading zeros say nothing: rack 7 is rack 07.

    A minus is one only where the word is nothing but a number; in ``rack-2`` it is a hyphen.
    """
    return tuple(_word(word) for word in words)


def _word(word: str) -> tuple[str | Number, ...]:
    """Text and numbers in turn, beginning and ending with text, so that like is compared with like."""
    if _BELOW_ZERO.fullmatch(word):
        digits = word[1:].lstrip("0")
        return "", (-len(digits), digits.translate(_INVERTED)), ""
    parts = _DIGITS.split(word)
    return tuple(_number(part) if index % 2 else part for index, part in enumerate(parts))


def _number(digits: str) -> Number:
    digits = digits.lstrip("0")
    return len(digits), digits
