# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this account may see. PRIVATE to the collection."""

from __future__ import annotations

from ..property_collector.retrieve import collect_objects
from ..sdk import vim
from ..session.answer_checks import reader
from ..session.connect import Session

_NAMES_AT_MOST = frozenset({-5, -4, -3})
"""Ids of the roles NoAccess, Anonymous and View, with which an account sees at most that something is there."""


@reader
def has_say_at_root(session: Session) -> bool:
    """Whether the account may read the root folder. One that may not was given parts of the inventory: what it does not find may be
    there all the same. (That a role at the root reaches everything below is likely, and not said by the API.)"""
    root = session.content.rootFolder
    rows = collect_objects(session, vim.Folder, [root._moId], ("effectiveRole",))
    return any(role not in _NAMES_AT_MOST for row in rows for role in row.get("effectiveRole", ()))
