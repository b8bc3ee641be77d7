# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of simulator/labs/README.md, made from the code: `python -m simulator.lab.reference` rewrites them."""

from __future__ import annotations

import inspect
from pathlib import Path

from ..rules import knobs
from .events import Happenings
from .hardware.catalogue import CARDS

README = Path(__file__).parents[1] / "labs" / "README.md"


def cards() -> str:
    """Every card of the catalogue."""
    lines = ["| card | functions | disk, and what it is used for |", "|---|---|---|"]
    for name, card in CARDS.items():
        parts = "; ".join(f"{part.vendor:04x}:{part.device:04x} {part.name}" for part in card.parts[:2])
        extra = " (reset only together)" if card.together else ""
        disk = f"{card.disk_gb} GB, {card.use or 'free'}" if card.disk_gb else ""
        lines.append(f"| `{name}` | {len(card.parts)} x {parts}{extra} | {disk} |")
    return "\n".join(lines)


def knob_table() -> str:
    """Every knob with its default and alternatives."""
    lines = ["| knob | default | alternatives | meaning |", "|---|---|---|---|"]
    for name, item in knobs.FIELDS.items():
        default = "none" if item.default == () else str(item.default).lower()
        others = ", ".join(f"`{choice}`" for choice in item.choices if choice != item.default)
        if isinstance(item.default, bool):
            others = f"`{str(not item.default).lower()}`"
        lines.append(f"| `{name}` | `{default}` | {others} | {item.meaning} |")
    return "\n".join(lines)


def event_table() -> str:
    """Every event with its arguments."""
    lines = ["| event | arguments | what happens |", "|---|---|---|"]
    for name in sorted(item for item in dir(Happenings) if not item.startswith("_")):
        method = getattr(Happenings, name)
        arguments = ", ".join(list(inspect.signature(method).parameters)[1:])
        text = " ".join((inspect.getdoc(method) or "").split())
        lines.append(f"| `{name}` | {arguments} | {text} |")
    return "\n".join(lines)


TABLES = {"cards": cards, "knobs": knob_table, "events": event_table}


def with_tables(text: str) -> str:
    """The text with everything between `<!-- begin X -->` and `<!-- end X -->` written again."""
    for name, build in TABLES.items():
        head, begin, rest = text.partition(f"<!-- begin {name} -->\n")
        _old, end, tail = rest.partition(f"<!-- end {name} -->")
        if not begin or not end:
            raise ValueError(f"{README.name} has no place for the table of {name}")
        text = f"{head}{begin}{build()}\n{end}{tail}"
    return text


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text(encoding="utf-8")), encoding="utf-8")
