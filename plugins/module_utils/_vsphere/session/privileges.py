# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Privileges that the account lacks, read before anything is changed. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..sdk import vmodl
from .connect import Session
from .faults import SESSION_LOST


def lacking(session: Session, entities: Sequence[Any], names: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """Managed object id → those of the privileges ``names`` that the account lacks there. Objects where it lacks none are left out.

    One call for all objects. When the server cannot answer, the result is empty: the server refuses the change itself later.
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
            continue  # the session may have been renewed during the call, which used the key of the old session
        except vmodl.MethodFault:
            return ()
