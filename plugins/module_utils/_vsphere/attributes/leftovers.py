# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Journal values of rolling reboots on hosts, in progress or interrupted. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ..property_collector.retrieve import NAMES_PAGE, collect_objects
from ..sdk import vim
from ..session.connect import Session
from .file_journal import FileJournal, journal_path
from .journal import AttributeJournal, Texts, decode_values


def read_traces(session: Session, hosts: Collection[str], *, directory: str) -> Mapping[str, Texts]:
    """Host id → attribute → text. One small read if the attributes are not defined, otherwise one more for the hosts.

    Raises DirectPathError when the journal file cannot be read.
    """
    seen: dict[str, Texts] = {}
    if session.content.customFieldsManager is not None:
        attributes = AttributeJournal(session, why="")
        if attributes.is_partly_defined:
            rows = collect_objects(session, vim.HostSystem, hosts, ("customValue",), page=NAMES_PAGE)
            seen = {row.moid: decode_values(row.get("customValue", ()), attributes.fields) for row in rows}
    return FileJournal(journal_path(session.endpoint, directory), why="").values(seen)
