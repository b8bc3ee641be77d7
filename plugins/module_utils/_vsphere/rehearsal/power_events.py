# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which VMs of a twin were powered off and on, from its event log. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..._domain.names import decoded
from ..._domain.rehearsal.outcome import PowerEvent
from ..capture.event_pages import event_pages
from ..session.connect import Session

OFF = ("VmPoweredOffEvent", "VmSuspendedEvent")
ON = ("VmPoweredOnEvent", "DrsVmPoweredOnEvent")
MOST_PAGES = 1000


def read_power_events(session: Session) -> tuple[PowerEvent, ...]:
    """All of them since the twin started, the oldest first. Raises faults of the server."""
    pages = event_pages(session.content.eventManager, (*OFF, *ON), MOST_PAGES)
    return tuple(power_events(event for page in pages for event in page))


def power_events(events: Iterable[Any]) -> list[PowerEvent]:
    """``events``: of the API, in any order."""
    ordered = sorted(events, key=lambda event: (event.createdTime, event.key))
    return [
        PowerEvent(
            at=event.createdTime.timestamp(),
            vm=decoded(str(event.vm.name)) if event.vm else "",
            host=decoded(str(event.host.name)) if event.host else "",
            power="off" if type(event).__name__.rpartition(".")[2] in OFF else "on",
        )
        for event in ordered
        if event.vm
    ]
