# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How people write words and numbers, and what they probably meant. PRIVATE to the collection."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

_DIGITS = re.compile(r"\s*[0-9]{1,9}\s*")


def matches(pattern: str, text: str) -> bool:
    """Whether a name is the one that was written, in any case. ``*`` stands for any characters and ``?`` for one; no other sign stands
    for anything but itself: brackets are a part of many names. Blanks around either do not count."""
    return _compiled(pattern.strip().casefold()).fullmatch(text.strip().casefold()) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    wild = {"*": ".*", "?": "."}
    return re.compile("".join(wild.get(sign) or re.escape(sign) for sign in pattern), re.DOTALL)


def meant(word: str, allowed: Iterable[str]) -> str:
    """`` (power is meant?)`` for a word that is nearly an allowed one, else nothing."""
    close = difflib.get_close_matches(word.casefold(), list(allowed), n=1)
    return f" ({close[0]} is meant?)" if close else ""


def as_whole(value: Any) -> int | None:
    """The whole number somebody wrote: ``2``, ``"2"`` (templates produce text), ``2.0`` (JSON has one kind of number).

    None for everything else, truth values included.
    """
    if isinstance(value, str):
        return int(value) if _DIGITS.fullmatch(value) else None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None
