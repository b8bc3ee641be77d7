# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may talk to a controller: two accounts, HTTP Basic, and sessions with a limit and an end (DSP0266, 13.3)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..core.accounts import User

Accounts = Mapping[str, tuple[str, str]]
"""Name → password, role; the same on every controller of an endpoint."""
ACCOUNTS: Accounts = {"admin": ("VMware1!", "Administrator"), "viewer": ("VMware1!", "ReadOnly")}
"""Test values, where a lab says nothing else."""

MOST_SESSIONS = 16
IDLE_SECONDS = 1800.0


@dataclass(kw_only=True)
class Session:
    """A login; ``last`` is the simulated second it was used last."""

    id: str
    token: str
    user: str
    last: float


@dataclass
class Sessions:
    """The sessions of one service. Tokens come from a counter and a salt, so that runs repeat unless the salt is random."""

    salt: str
    open: dict[str, Session] = field(default_factory=dict)
    _count: int = 0

    def add(self, user: str, now: float) -> Session | None:
        """A new session; None when there are too many."""
        self.expire(now)
        if len(self.open) >= MOST_SESSIONS:
            return None
        self._count += 1
        token = hashlib.sha256(f"{self.salt}/{self._count}".encode()).hexdigest()[:32]
        self.open[token] = Session(id=str(self._count), token=token, user=user, last=now)
        return self.open[token]

    def expire(self, now: float) -> None:
        """End the sessions that were idle for too long."""
        for token in [key for key, item in self.open.items() if now - item.last > IDLE_SECONDS]:
            del self.open[token]

    def user_of(self, token: str, now: float) -> str | None:
        """Who a token stands for."""
        self.expire(now)
        session = self.open.get(token)
        if session is None:
            return None
        session.last = now
        return session.user

    def close(self, number: str) -> bool:
        """End a session by its id."""
        for token, session in list(self.open.items()):
            if session.id == number:
                del self.open[token]
                return True
        return False


def of_users(users: Iterable[User]) -> Accounts:
    """The accounts of an endpoint on its controllers: Administrator with all privileges, else ReadOnly."""
    return {item.name: (item.password, "Administrator" if item.role == "Admin" else "ReadOnly") for item in users}


def is_right(known: Accounts, user: str, password: str) -> bool:
    """Whether an account has this password."""
    return user in known and known[user][0] == password


def may_reset(known: Accounts, user: str) -> bool:
    """Whether an account may do more than look."""
    return known[user][1] == "Administrator"


def caller(headers: Mapping[str, str], sessions: Sessions, now: float, auth: str, known: Accounts) -> str | None:
    """The account a request comes from, by token or HTTP Basic, as far as the knob bmc_auth lets it."""
    token = headers.get("x-auth-token", "")
    if token and auth != "basic":
        return sessions.user_of(token, now)
    kind, _unused, value = headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic" or auth == "session":
        return None
    try:
        user, _unused, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return user if is_right(known, user, password) else None
