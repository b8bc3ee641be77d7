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


def as_whole(value: object) -> int | None:
    """The whole number in an option value: ``2``, ``"2"`` (templates return text) or ``2.0`` (JSON has one number type).

    None for everything else, including booleans.
    """
    if isinstance(value, str):
        return int(value) if _DIGITS.fullmatch(value) else None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None
