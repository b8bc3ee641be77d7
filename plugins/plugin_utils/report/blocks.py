# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of many hosts or VMs in few lines. PRIVATE to the collection.

A fleet of equal hosts has equal changes. They are written once, with the names of the hosts, so that a host that differs is seen.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ...module_utils._domain.text import name_ranges

MOST_SEPARATE = 12
"""Maximum number of hosts or VMs that have a block each, also if they are equal."""
MOST_LINES = 50
"""Maximum number of lines. What does not fit is written without details. A plan has three such lists, and about 200 lines at most."""
FIRST_WORD = ("refused", "failed", "not reached, because the run stopped before it", "not reachable")
"""What a person has to look at. Its details come first if there is not enough room."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A host or VM: its status, and lines with details."""

    name: str
    status: str
    lines: tuple[str, ...] = ()

    def about_it(self) -> tuple[str, tuple[str, ...]]:
        """The text without the name, equal for hosts that differ only in their name."""
        own = re.compile(rf"(?<![\w.-]){re.escape(self.name)}(?![\w-]|\.\w)")
        return self.status, tuple(own.sub("it", line) for line in self.lines)


def in_blocks(blocks: Sequence[Block], *, whole: bool = False) -> list[str]:
    """The lines of all blocks, in their order. Many blocks are grouped, unless ``whole``: what a person has to look at comes first, and all
    names are kept."""
    if whole or len(blocks) <= MOST_SEPARATE:
        return [line for block in blocks for line in (f"{block.name}: {block.status}", *_indented(block.lines))]
    groups: dict[tuple[str, tuple[str, ...]], list[Block]] = {}
    for block in blocks:
        groups.setdefault(block.about_it(), []).append(block)
    room = MOST_LINES
    written: list[str] = []
    brief: dict[str, list[str]] = {}
    for key in sorted(groups, key=lambda key: key[0] not in FIRST_WORD):
        status, members = key[0], groups[key]
        details = members[0].lines if len(members) == 1 else key[1]
        room -= 1 + len(details)
        if room >= 0:
            written += [_title(status, [member.name for member in members]), *_indented(details)]
        else:
            brief.setdefault(status, []).extend(member.name for member in members)
    return [*written, *(_title(f"{status}, details are in the result", names) for status, names in brief.items())]


def _title(status: str, names: Sequence[str]) -> str:
    """``gpu-01: refused``; of many: ``changed (998): gpu-01 to gpu-998``, because a list of names may be long."""
    listed = ", ".join(name_ranges(names))
    return f"{status} ({len(names)}): {listed}" if len(names) > 2 else f"{listed}: {status}"


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"  {line}" for line in lines]
