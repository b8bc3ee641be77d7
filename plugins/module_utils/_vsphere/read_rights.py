# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this account may see. PRIVATE to the collection."""

from __future__ import annotations

from .collect import collect_objects
from .sdk import vim
from .session import Session

_NOTHING = frozenset({-5, -4})
"""Ids of the roles NoAccess and Anonymous."""


def has_say_at_root(session: Session) -> bool:
    """Whether the account holds a role on the root folder. One that does not sees the parts it was given and no others: what it does
    not find may be there all the same."""
    root = session.content.rootFolder
    rows = collect_objects(session, vim.Folder, [root._moId], ("effectiveRole",))
    return any(role not in _NOTHING for row in rows for role in row.get("effectiveRole", ()))
