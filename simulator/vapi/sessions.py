# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logins to the Automation API. They are none of the SDK's sessions: each side has its own."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.cookies import CookieError, SimpleCookie
from typing import Any

from ..core.accounts import User
from ..core.base import Endpoint

HEADER = "vmware-api-session-id"
"""Name of the header that carries a session, and of the cookie that may do so for the older dialect."""


@dataclass(kw_only=True)
class Session:
    """One login."""

    id: str
    user: User
    created: datetime
    last: datetime

    def describe(self) -> dict[str, Any]:
        """As the API shows it (Session.Info)."""
        return {
            "user": self.user.name,
            "created_time": _written(self.created),
            "last_accessed_time": _written(self.last),
        }


class Sessions:
    """All of them by id. Ids come from a counter and the salt of the endpoint, so that runs repeat unless the salt is random."""

    def __init__(self, sim: Endpoint) -> None:
        self.sim = sim
        self.by_id: dict[str, Session] = {}
        self._count = 0

    def open(self, user: User) -> Session:
        """A new session."""
        self._count += 1
        key = hashlib.sha256(f"{self.sim.salt}/vapi/{self._count}".encode()).hexdigest()[:32]
        now = self.sim.clock.now()
        self.by_id[key] = Session(id=key, user=user, created=now, last=now)
        return self.by_id[key]

    def of(self, key: str, idle: float) -> Session | None:
        """The live session of an id, which counts as used now; those that were idle for longer than ``idle`` seconds end."""
        now = self.sim.clock.now()
        for old in [item.id for item in self.by_id.values() if now - item.last > timedelta(seconds=idle)]:
            del self.by_id[old]
        found = self.by_id.get(key)
        if found is not None:
            found.last = now
        return found

    def close(self, session: Session) -> None:
        """End one."""
        self.by_id.pop(session.id, None)

    def close_all(self) -> None:
        """End every session (the endpoint restarts)."""
        self.by_id.clear()


def key_of(headers: Mapping[str, str], *, cookies: bool) -> str:
    """The session id a request carries; empty when it has none."""
    if key := headers.get(HEADER, ""):
        return key
    try:
        jar = SimpleCookie(headers.get("cookie", "") if cookies else "")
    except CookieError:
        return ""
    return jar[HEADER].value if HEADER in jar else ""


def account_of(sim: Endpoint, headers: Mapping[str, str]) -> User | None:
    """The account whose name and password a request carries as HTTP Basic; None when they are wrong or missing."""
    kind, _unused, value = headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        name, _unused, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    user = sim.authz.user(name)
    return user if user is not None and user.password == password else None


def _written(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z"
