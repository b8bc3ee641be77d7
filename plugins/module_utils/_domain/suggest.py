# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading names and numbers as users write them, and suggesting the word that was probably meant. PRIVATE to the collection."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from functools import lru_cache

_DIGITS = re.compile(r"\s*[0-9]{1,9}\s*")


def matches(pattern: str, text: str) -> bool:
    """True when the text matches the pattern. Upper and lower case are equal; blanks at both ends do not count.

    ``*`` matches any characters and ``?`` one character. Brackets have no special meaning: many names contain them.
    """
    return _compiled(pattern.strip().casefold()).fullmatch(text.strip().casefold()) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    wild = {"*": ".*", "?": "."}
    return re.compile("".join(wild.get(sign) or re.escape(sign) for sign in pattern), re.DOTALL)


def suggest_word(word: str, allowed: Iterable[str]) -> str:
    """A suggestion to append to a message, such as `` (power is meant?)``; empty when no allowed word is similar."""
    close = difflib.get_close_matches(word.casefold(), list(allowed), n=1)
    return f" ({close[0]} is meant?)" if close else ""


def edits(one: str, other: str, most: int) -> int:
    """How many letters must be inserted, removed, replaced or swapped with the next one to turn one word into the other.

    ``most + 1`` for any larger number: the search ends there.
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    begin = _equal_letters(one, other)
    one, other = one[begin:], other[begin:]
    end = _equal_letters(one[::-1], other[::-1])
    one, other = one[: len(one) - end], other[: len(other) - end]
    before: list[int] = []
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        earlier, before, row = before, row, [at]
        for to, wanted in enumerate(other, 1):
            number = min(row[-1] + 1, before[to] + 1, before[to - 1] + (letter != wanted))
            if at > 1 and to > 1 and letter == other[to - 2] and one[at - 2] == wanted:
                number = min(number, earlier[to - 2] + 1)
            row.append(number)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)


def _equal_letters(one: str, other: str) -> int:
    """How many letters at the beginning are equal."""
    least = min(len(one), len(other))
    return next((at for at in range(least) if one[at] != other[at]), least)


def as_whole(value: object) -> int | None:
    """The whole number in an option value: ``2``, ``"2"`` (templates return text) or ``2.0`` (JSON has one number type).

    None for everything else, including booleans.
    """
    if isinstance(value, str):
        return int(value) if _DIGITS.fullmatch(value) else None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None
