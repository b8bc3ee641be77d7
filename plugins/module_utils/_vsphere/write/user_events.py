# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An event with a text of this collection, in the event log of vCenter or ESXi. PRIVATE to the collection.

Source: vSphere API reference, EventManager.LogUserEvent (privilege Global.LogEvent on the object).
"""

from __future__ import annotations

from ..sdk import vim
from ..session.connect import Session

KINDS = {"host": vim.HostSystem, "vm": vim.VirtualMachine}


def log_user_event(session: Session, kind: str, moid: str, text: str) -> None:
    """Add an event to the log of an object. ``kind``: a key of ``KINDS``. Raises faults and connection errors unchanged."""
    session.content.eventManager.LogUserEvent(session.reference(KINDS[kind], moid), text)
