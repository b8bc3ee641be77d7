# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who else changed a VM or a host while this run worked on it, from the events of vCenter. PRIVATE to the collection.

Only for messages: read when a write failed because the object had changed. Sources: vSphere API reference, EventManager.QueryEvents,
Event.userName, VmReconfiguredEvent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from ..sdk import vim, vmodl
from ..session.answer_checks import reader
from ..session.connect import Session
from ..session.faults import SESSION_LOST

SLACK = 2.0
"""Seconds before the run, for the time between reading and writing of the other user."""
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
    manager = session.content.eventManager
    if manager is None or not moids:
        return {}
    try:
        now = session.instance.CurrentTime().timestamp()
        begin = datetime.fromtimestamp(now - seconds - SLACK, UTC)
        spec = vim.event.EventFilterSpec(
            time=vim.event.EventFilterSpec.ByTime(beginTime=begin),
            eventTypeId=[f"vim.event.{name}" for name in _DID],
        )
        events = manager.QueryEvents(spec) or ()
    except SESSION_LOST:
        raise
    except vmodl.MethodFault:
        return {}
    current = session.content.sessionManager.currentSession
    me = current.userName if current is not None else session.endpoint.username
    found: dict[str, str] = {}
    for event in sorted(events, key=lambda event: (event.createdTime, event.key)):
        moid = _object_of(event)
        is_mine = event.userName.casefold() == me.casefold()
        if moid in moids and event.userName and (not is_mine or moid in untouched):
            who = f"another run with the same account ({event.userName})" if is_mine else event.userName
            did = _DID.get(type(event).__name__.rpartition(".")[2], "changed")
            found[moid] = f"{who} {did} it at {event.createdTime.astimezone(UTC):%H:%M:%S} UTC"
    return found


def _object_of(event: Any) -> str:
    if getattr(event, "vm", None) is not None:
        return str(event.vm.vm._moId)
    return str(event.host.host._moId) if getattr(event, "host", None) is not None else ""
