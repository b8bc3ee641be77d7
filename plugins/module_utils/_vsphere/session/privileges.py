# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the account may not do, asked before anything is done. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..sdk import vmodl
from .connect import Session
from .faults import SESSION_LOST


def lacking(session: Session, entities: Sequence[Any], names: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """Managed object id → which of the privileges the account lacks there; objects without a lack are left out.

    One question for all. A server that cannot say keeps nobody from anything: what is refused will be seen when it is done.
    """
    rows = _ask(session, entities, names) if entities else ()
    found = {
        row.entity._moId: tuple(cell.privId for cell in row.privAvailability or () if not cell.isGranted)
        for row in rows
    }
    return {moid: missing for moid, missing in found.items() if missing}


def _ask(session: Session, entities: Sequence[Any], names: Sequence[str]) -> Sequence[Any]:
    key = ""
    while True:
        current = session.content.sessionManager.currentSession
        if current is None or current.key == key:
            return ()
        key = current.key
        try:
            return session.content.authorizationManager.HasPrivilegeOnEntities(list(entities), key, list(names)) or ()
        except SESSION_LOST:
            raise
        except vmodl.fault.InvalidArgument:
            continue  # it may have been renewed under the question, which is about a session that is no more
        except vmodl.MethodFault:
            return ()
