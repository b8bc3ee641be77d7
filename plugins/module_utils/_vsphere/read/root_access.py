# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the account can see the whole inventory. PRIVATE to the collection."""

from __future__ import annotations

from ..property_collector.retrieve import collect_objects
from ..sdk import vim
from ..session.answer_checks import reader
from ..session.connect import Session

_NAMES_AT_MOST = frozenset({-5, -4, -3})
"""Ids of the roles NoAccess, Anonymous and View. With them, an account sees at most that an object exists."""


@reader
def can_read_root(session: Session) -> bool:
    """Whether the account may read the root folder. If not, it has access to parts of the inventory only, and objects that it does not find
    may still exist. (A role at the root usually applies to all objects below; the API does not guarantee it.)"""
    root = session.content.rootFolder
    rows = collect_objects(session, vim.Folder, [root._moId], ("effectiveRole",))
    return any(role not in _NAMES_AT_MOST for row in rows for role in row.get("effectiveRole", ()))
