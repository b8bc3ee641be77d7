# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What rolling reboots have left where they keep their journals: under way, interrupted, or not tidied up. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from .collect import NAMES_PAGE, collect_objects
from .roll_journal import AttributeJournal, Texts, decode_values
from .roll_journal_file import FileJournal, journal_path
from .sdk import vim
from .session import Session


@dataclass(frozen=True, kw_only=True, slots=True)
class Traces:
    """``texts``: host id → attribute → text. ``any_left``: there is a journal, whatever is in it."""

    texts: Mapping[str, Texts] = field(default_factory=dict)
    any_left: bool = False


def read_traces(session: Session, hosts: Collection[str], *, directory: str) -> Traces:
    """One small read where nobody has defined our attributes, one more of the hosts where somebody has. Raises DirectPathError when a
    file of a journal cannot be read."""
    kept = FileJournal(journal_path(session.endpoint, directory), why="")
    texts: dict[str, dict[str, str]] = {}
    any_left = kept.holds_anything()
    if session.content.customFieldsManager is not None:
        attributes = AttributeJournal(session, why="")
        any_left = any_left or attributes.is_partly_defined
        if attributes.is_partly_defined:
            rows = collect_objects(session, vim.HostSystem, hosts, ("customValue",), page=NAMES_PAGE)
            texts = {row.moid: decode_values(row.get("customValue", ()), attributes.fields) for row in rows}
    return Traces(texts=kept.values(texts), any_left=any_left)
