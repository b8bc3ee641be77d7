# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who else changed a VM or a host while this run worked on it, from the events of vCenter. PRIVATE to the collection.

Only for messages: read when a write failed because the object had changed. Sources: vSphere API reference, EventManager.QueryEvents,
Event.userName, VmReconfiguredEvent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC
from typing import Any

from ..session.answer_checks import reader
from ..session.connect import Session
from .events import account_of, read_events

_DID: Mapping[str, str] = {
    "VmReconfiguredEvent": "reconfigured",
    "VmPoweredOnEvent": "powered on",
    "VmPoweredOffEvent": "powered off",
    "VmGuestShutdownEvent": "shut down",
    "VmSuspendedEvent": "suspended",
    "VmMigratedEvent": "migrated",
    "VmRemovedEvent": "removed",
    "EnteredMaintenanceModeEvent": "put into maintenance mode",
    "ExitMaintenanceModeEvent": "taken out of maintenance mode",
    "HostDisconnectedEvent": "disconnected",
    "HostRemovedEvent": "removed",
}
"""Type of an event → what was done to the object."""


@reader
def read_other_writers(
    session: Session, seconds: float, moids: Collection[str], untouched: Collection[str]
) -> Mapping[str, str]:
    """Object id → a clause: which user did what last. One query for all objects.

    ``seconds``: how far back. ``untouched``: objects that this run has not written to; there, also events of the own account are of
    another run. Empty if the server has no events, or the account may not read them.
    """
    if not moids or session.content.eventManager is None:
        return {}
    log = read_events(session, session.instance.CurrentTime().timestamp() - seconds, _DID)
    if log is None:
        return {}
    found: dict[str, str] = {}
    for event in log.events:
        moid = _object_of(event)
        is_mine = account_of(event.userName or "") in log.mine
        if moid in moids and event.userName and (not is_mine or moid in untouched):
            who = f"another run with the same account ({event.userName})" if is_mine else event.userName
            did = _DID.get(type(event).__name__.rpartition(".")[2], "changed")
            found[moid] = f"{who} {did} it at {event.createdTime.astimezone(UTC):%H:%M:%S} UTC"
    return found


def _object_of(event: Any) -> str:
    if getattr(event, "vm", None) is not None:
        return str(event.vm.vm._moId)
    return str(event.host.host._moId) if getattr(event, "host", None) is not None else ""
