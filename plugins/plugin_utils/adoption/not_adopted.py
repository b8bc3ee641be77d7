# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page about what was not adopted: why, and what a person can do. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...module_utils._domain.text import full_stop, one_line
from ..drift.markdown import escaped

FILE = "not_adopted.md"
"""Ansible reads no file with this ending as an inventory."""

Record = Mapping[str, Any]


def render_not_adopted(results: Sequence[tuple[str, Record]]) -> dict[str, str]:
    """The page, also if nothing is left. ``results``: vCenter and its result of intent_info."""
    lines = ["# What was not adopted", ""]
    for place, result in results:
        left = result["not_adopted"]
        lines += [f"## {escaped(place)}", "", full_stop(escaped(result["summary"])), ""]
        if left:
            lines += [
                "The inventory has no entry for these. Only they can appear in a plan, and the playbook drift lists them with "
                "`drift_report_scope: fleet`.",
                "",
                *(_item(one) for one in left),
                "",
            ]
    return {FILE: "\n".join(lines).rstrip() + "\n"}


def _item(one: Record) -> str:
    what = " ".join(part for part in (one["subject"], one["device"]) if part)
    head = f"- **{escaped(one['object'])}**" + (f", {escaped(what)}" if what else "")
    text = " ".join(full_stop(escaped(part)) for part in (one["cause"], *one["obstacles"], one["cure"]) if part)
    command = one_line(one["command"]).replace("`", "'")
    return f"{head}: {text}" + (f" Command: `{command}`" if command else "")


def left_lines(results: Sequence[tuple[str, Record]], most: int = 50) -> list[str]:
    """The same for the terminal: a line for each vCenter, then one for each thing that is left, at most ``most``."""
    lines = [f"{place}: {result['summary']}" for place, result in results]
    left = [
        f"{one['object']}{' ' + one['subject'] if one['subject'] else ''}: {full_stop(one['cause'])} {full_stop(one['cure'])}"
        for _place, result in results
        for one in result["not_adopted"]
    ]
    more = len(left) - most
    return [*lines, *left[:most], *([f"And {more} more, in {FILE}"] if more > 0 else [])]
