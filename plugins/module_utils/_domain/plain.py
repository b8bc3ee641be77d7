# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text that others wrote (names, reasons), made fit to be shown. PRIVATE to the collection."""

from __future__ import annotations

import re
import unicodedata

_UNFIT = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
"""Steers terminals, turns the text after it around, is no HTML, or cannot be written to a file."""


def fit(value: object) -> str:
    """The text with each such character replaced by U+FFFD. Line ends and tabs stay."""
    return _UNFIT.sub("\ufffd", str(value))


def one_line(value: object) -> str:
    """The text on one line, without blanks around it."""
    return " ".join(fit(value).split())


def width(text: str) -> int:
    """Columns of a terminal, as far as Unicode tells: wide characters take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text
    )


def padded(text: str, columns: int) -> str:
    """The text and blanks up to so many columns; longer text stays as it is."""
    return text + " " * max(0, columns - width(text))


def shortened(text: str, columns: int) -> str:
    """At most so many columns; what does not fit ends in ``…``."""
    if width(text) <= columns:
        return text
    kept = ""
    for sign in text:
        if width(kept + sign) > columns - 1:
            break
        kept += sign
    return kept + "…"


def several(names: list[str], most: int) -> str:
    """``a, b, c and 12 more``."""
    rest = len(names) - most
    return ", ".join(names) if rest <= 0 else f"{', '.join(names[:most])} and {rest} more"


def duration(seconds: float) -> str:
    """Roughly, for reading: ``40 s``, ``23 min``, ``1 h 45 min``, ``2 d 3 h``."""
    seconds = max(0, round(seconds))
    if seconds < 90:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"
    hours = round(minutes / 60)
    return f"{hours // 24} d {hours % 24} h" if hours % 24 else f"{hours // 24} d"
