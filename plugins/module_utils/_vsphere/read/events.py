# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event log of the server: what happened since a moment, and which of it this account did. PRIVATE to the collection.

Source: vSphere API reference, EventManager.QueryEvents, Event.userName.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from ..sdk import vim, vmodl
from ..session.connect import Session
from ..session.faults import SESSION_LOST

SLACK = 2.0
"""Seconds of tolerance before the requested time: the clocks of the event log and of the server agree to about a second."""
Account: TypeAlias = tuple[str, str]
"""User and domain, in lower case."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EventLog:
    """``events``: the oldest first. ``mine``: this account, as the log and the login name it."""

    events: tuple[Any, ...]
    mine: frozenset[Account]


def read_events(session: Session, begin: float, types: Iterable[str]) -> EventLog | None:
    """Events of these types since ``begin`` (seconds since the epoch), in one query. None if the server has no event log, or the account
    may not read it."""
    manager = session.content.eventManager
    if manager is None:
        return None
    spec = vim.event.EventFilterSpec(
        time=vim.event.EventFilterSpec.ByTime(beginTime=datetime.fromtimestamp(begin - SLACK, UTC)),
        eventTypeId=[f"vim.event.{name}" for name in types],
    )
    try:
        events = manager.QueryEvents(spec) or ()
        me = session.content.sessionManager.currentSession
    except SESSION_LOST:
        raise
    except vmodl.MethodFault:
        return None
    names = (session.endpoint.username, me.userName if me is not None else "")
    return EventLog(
        events=tuple(sorted(events, key=lambda event: (event.createdTime, event.key))),
        mine=frozenset(account_of(name) for name in names if name),
    )


def account_of(name: str) -> Account:
    """(user, domain) of ``user@domain`` and of ``DOMAIN\\user``, in lower case."""
    text = name.strip().casefold()
    if "\\" in text:
        domain, _unused, user = text.partition("\\")
        return user, domain
    user, _unused, domain = text.partition("@")
    return user, domain
