# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making text from outside (names, reasons) safe to show, and formatting text. PRIVATE to the collection."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

_UNFIT = re.compile(
    "\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069"
    "\ud800-\udfff\ufffe\uffff]"
)
"""Characters that control a terminal, change the writing direction, are not valid in HTML, or cannot be written to a file."""


def visible(value: object) -> str:
    """The text with each unsafe character replaced by its number, such as ``\\x1b`` or ``\\u202e``. Line ends and tabs stay.

    All output of the collection goes through this function: results, messages, progress, pages, inventory names.
    """
    return _UNFIT.sub(lambda found: _number(found[0]), str(value))


def visible_name(value: object) -> str:
    """The same for a name. Line ends and tabs are replaced too: a line end in a name would look like a new line of the output."""
    return re.sub("[\t\r\n]", lambda found: _number(found[0]), visible(value))


_BRACES = str.maketrans("{}", "()")
_TEMPLATE_HEADER = "#jinja2:"
"""At the beginning of a text, it can give a template other signs than braces."""


def is_template(text: str) -> bool:
    """Whether Ansible may evaluate the text as a template."""
    return text.startswith(_TEMPLATE_HEADER) or any(sign in text for sign in ("{{", "{%", "{#"))


def inert(text: str) -> str:
    """A name or a line that Ansible does not evaluate as a template, wherever a user puts it. Braces that could begin a template become
    parentheses. A ``#`` at the beginning, which could change the template syntax, becomes an underscore."""
    name = visible_name(text)
    if is_template(name):
        name = name.translate(_BRACES)
    return f"_{name[1:]}" if name.startswith("#") else name


def _number(sign: str) -> str:
    return f"\\x{ord(sign):02x}" if ord(sign) < 0x100 else f"\\u{ord(sign):04x}"


def all_visible(value: Any) -> Any:
    """``visible`` for every text and key in a result."""
    if isinstance(value, str):
        return value if value.isascii() and value.isprintable() else visible(value)
    if isinstance(value, Mapping):
        return {all_visible(key): all_visible(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [all_visible(entry) for entry in value]
    return value


def one_line(value: object) -> str:
    """The text on one line, without blanks at both ends."""
    return " ".join(visible(value).split())


def width(text: str) -> int:
    """Width in columns of a terminal, by Unicode: wide characters take two columns, combining characters none."""
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text
    )


def padded(text: str, columns: int) -> str:
    """The text, filled with blanks up to ``columns``. Longer text is returned unchanged."""
    return text + " " * max(0, columns - width(text))


def shortened(text: str, columns: int) -> str:
    """The text, cut to at most ``columns``. Text that was cut ends in ``…``."""
    if width(text) <= columns:
        return text
    kept = ""
    for sign in text:
        if width(kept + sign) > columns - 1:
            break
        kept += sign
    return kept + "…"


def without_name(text: str, name: str) -> str:
    """A sentence without the name at its beginning, for a line that has named it: ``was returned to service``."""
    return text.removeprefix(f"{name} ")


def several(names: list[str], most: int) -> str:
    """The first ``most`` names and the number of the others: ``a, b, c and 12 more``."""
    rest = len(names) - most
    return ", ".join(names) if rest <= 0 else f"{', '.join(names[:most])} and {rest} more"


_COMMAND_AT_END = re.compile(r": ansible(?:-playbook)? (?:(?!\. ).)+\Z")


def full_stop(text: str) -> str:
    """The sentence with a dot at its end; without one after a command, where the dot would be copied with it."""
    if _COMMAND_AT_END.search(text):
        return text.removesuffix(".")
    return text if text.endswith((".", "?", "!")) else f"{text}."


def counted(number: int, noun: str) -> str:
    """``1 host``, ``3 hosts``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """A rounded duration: ``40 s``, ``23 min``, ``1 h 45 min``, ``2 d 3 h``."""
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


def name_ranges(names: Iterable[str]) -> list[str]:
    """The names in order, with ``gpu-001.lab to gpu-250.lab`` for three or more that differ only in consecutive numbers."""
    rows: list[tuple[str, int, str, str]] = []
    for name in dict.fromkeys(names):
        label, dot, rest = name.partition(".")
        found = re.fullmatch(r"(.*?)([0-9]+)([^0-9]*)", label)
        # The first part of an address is no label of a host name.
        if found is None or label.isdecimal():
            rows.append((name, -1, "", name))
        else:
            rows.append((found[1], int(found[2]), f"{len(found[2])} {found[3]}{dot}{rest}", name))
    runs: list[list[tuple[str, int, str, str]]] = []
    for row in sorted(rows, key=lambda row: (row[0], row[2], row[1])):
        last = runs[-1][-1] if runs else None
        if last is not None and row[1] > 0 and (row[0], row[1] - 1, row[2]) == last[:3]:
            runs[-1].append(row)
        else:
            runs.append([row])
    shown: list[str] = []
    for run in runs:
        texts = [row[3] for row in run]
        shown += [f"{texts[0]} to {texts[-1]}"] if len(texts) > 2 else texts
    return shown


def literal(name: str) -> str:
    """The name of an object for the options in a command of Ansible, which would render a name such as ``{{ lookup(...) }}``."""
    if not is_template(name):
        return name
    text = name.replace("{", "{{ '{' }}")
    return f"{{{{ '#' }}}}{text[1:]}" if text.startswith("#") else text
