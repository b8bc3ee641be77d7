# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long hosts were away at their past reboots, from the event log. PRIVATE to the collection.

Sources: vSphere API reference, EventManager.CreateCollectorForEvents, EventHistoryCollector (ReadNextEvents returns at most 1,000 events),
HostShutdownEvent, HostConnectionLostEvent, HostConnectedEvent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..sdk import vim, vmodl
from ..session.connect import Session
from ..session.faults import SESSION_LOST, words
from .event_pages import PAGE, event_pages

MOST_PAGES = 100
_LEFT = ("HostShutdownEvent", "HostConnectionLostEvent")
_BACK = ("HostConnectedEvent",)
LONGEST = 6 * 3600.0
"""Seconds. A host that was away for longer was repaired, not rebooted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class History:
    """``seconds``: host id → its past reboots, the oldest first. ``pages``: how many pages of events were read. ``problem``: a sentence,
    when there is no history, or not all of it."""

    seconds: Mapping[str, tuple[int, ...]]
    pages: int = 0
    problem: str = ""


def read_reboots(session: Session) -> History:
    """Read the events in which hosts went away and returned, page by page."""
    manager = session.content.eventManager
    if manager is None:
        return History(seconds={}, problem="The server has no event log, so past reboots are unknown")
    pages: list[list[Any]] = []
    try:
        for page in event_pages(manager, (*_LEFT, *_BACK), MOST_PAGES):
            pages.append(page)  # also those before a fault
    except SESSION_LOST:
        raise
    except vmodl.MethodFault as fault:
        return History(
            seconds={},
            pages=len(pages),
            problem=f"The event log cannot be read, so past reboots are unknown: {words(fault)}",
        )
    found = reboots(event for page in pages for event in page)
    problem = f"Only the oldest {PAGE * MOST_PAGES:,} events were read, so later reboots are unknown"
    return History(seconds=found, pages=len(pages), problem=problem if len(pages[-1]) == PAGE else "")


def reboots(events: Iterable[Any]) -> dict[str, tuple[int, ...]]:
    """From the loss of contact after a reboot was requested until the host is connected again."""
    requested: set[str] = set()
    gone: dict[str, float] = {}
    found: dict[str, list[int]] = {}
    for event in sorted(events, key=lambda each: (each.createdTime, each.key)):
        host = getattr(event, "host", None)
        if host is None:
            continue
        moid, at = host.host._moId, event.createdTime.timestamp()
        if isinstance(event, vim.event.HostShutdownEvent):
            requested.add(moid)
        elif isinstance(event, vim.event.HostConnectionLostEvent):
            if moid in requested:
                gone[moid] = at
        else:
            requested.discard(moid)  # also where the contact was not lost: a later loss is no part of this reboot
            away = at - gone.pop(moid, at)
            if 0 < away <= LONGEST:
                found.setdefault(moid, []).append(round(away))
    return {moid: tuple(seconds) for moid, seconds in found.items()}
