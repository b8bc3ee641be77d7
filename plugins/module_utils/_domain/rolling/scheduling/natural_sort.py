# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sorting words of the inventory as a person expects: 2 before 10, rack-2 before rack-10. PRIVATE to the collection."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeAlias

_DIGITS = re.compile("([0-9]+)")
_BELOW_ZERO = re.compile("-[0-9]+")
_INVERTED = str.maketrans("0123456789", "9876543210")

Number: TypeAlias = tuple[int, str]
"""The number of digits, and the digits. Compares like the number, however long it is (``int`` rejects long ones)."""
Key: TypeAlias = tuple[tuple[str | Number, ...], ...]


def natural_key(words: Sequence[str]) -> Key:
    """A sort key: word by word, numbers inside a word as numbers. Leading zeros are ignored: rack 7 equals rack 07.

    A minus sign counts only if the word is a number; in ``rack-2`` it is a hyphen.
    """
    return tuple(_word(word) for word in words)


def _word(word: str) -> tuple[str | Number, ...]:
    """Text and numbers in turn, beginning and ending with text, so that text is only compared with text."""
    if _BELOW_ZERO.fullmatch(word):
        digits = word[1:].lstrip("0")
        return "", (-len(digits), digits.translate(_INVERTED)), ""
    parts = _DIGITS.split(word)
    return tuple(_number(part) if index % 2 else part for index, part in enumerate(parts))


def _number(digits: str) -> Number:
    digits = digits.lstrip("0")
    return len(digits), digits
