# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Login, logout, idle expiry, limits and clone tickets."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pyVmomi import vim, vmodl

from ..api.takes import takes
from ..core.accounts import Peer, Session, User
from ..core.base import Caller, Endpoint, ManagedObject
from ..core.faults import HttpStatus

if TYPE_CHECKING:
    from ..core.call import Call


def shown_name(login: str) -> str:
    """administrator@vsphere.local as VSPHERE.LOCAL\\administrator, which is what a vCenter puts into its events."""
    name, at, domain = login.partition("@")
    return f"{domain.upper()}\\{name}" if at else login


class Sessions:
    """All sessions by key. Keys come from a counter and the salt of the endpoint, so runs repeat unless the salt is random."""

    def __init__(self, sim: Endpoint) -> None:
        self.sim = sim
        self.by_key: dict[str, Session] = {}
        self.tickets: dict[str, tuple[str, datetime]] = {}
        self._count = 0
        self.also_closed: list[Callable[[], None]] = []
        """Called by ``close_all``: ends the sessions of other services."""

    def of(self, key: str) -> Session | None:
        """The live session of a key."""
        return self.by_key.get(key)

    def _mint(self, salt: str) -> str:
        self._count += 1
        digest = hashlib.sha256(f"{self.sim.salt}/{salt}/{self._count}".encode()).hexdigest()
        return f"52{digest[:6]}-{digest[6:10]}-{digest[10:14]}-{digest[14:18]}-{digest[18:30]}"

    def open(self, user: User, peer: Peer, locale: str | None = None) -> Session:
        """A new session for a peer, or HTTP 503 / a fault when there are too many."""
        if len(self.by_key) >= int(self.sim.knobs.max_session_count):
            if self.sim.knobs.session_limit_answer == "503":
                raise HttpStatus(503)
            raise vmodl.RuntimeFault(msg="The maximum number of sessions has been exceeded.")
        now = self.sim.clock.now()
        session = Session(
            key=self._mint("session"),
            user=user,
            address=peer.address,
            user_agent=peer.user_agent,
            login_time=now,
            last_active=now,
            locale=locale or "en",
            shown=shown_name(user.name) if self.sim.knobs.user_names == "domain" else "",
        )
        self.by_key[session.key] = session
        peer.session_key = session.key
        self.sim.journal.counters.logins += 1
        return session

    def close(self, session: Session) -> None:
        """End a session and destroy its views, filters and collectors."""
        self.by_key.pop(session.key, None)
        for moid in sorted(session.objects):
            obj = self.sim.registry.find(moid)
            if obj is not None:
                self.sim.registry.remove(obj)
        self.sim.clock.changed.notify_all()

    def expire(self) -> None:
        """End the sessions that were idle for too long."""
        limit = timedelta(seconds=float(self.sim.knobs.session_idle_seconds))
        now = self.sim.clock.now()
        for session in [item for item in self.by_key.values() if not item.waiting and now - item.last_active > limit]:
            self.close(session)

    def close_all(self) -> None:
        """End every session (the endpoint restarts), also those of the Automation API."""
        for session in list(self.by_key.values()):
            self.close(session)
        for close in self.also_closed:
            close()

    def ticket(self, session: Session) -> str:
        """A clone ticket, single use."""
        ticket = f"cst-VCT-{self._mint('ticket')}"
        life = timedelta(seconds=float(self.sim.knobs.clone_ticket_seconds))
        self.tickets[ticket] = (session.user.name, self.sim.clock.now() + life)
        return ticket

    def redeem(self, ticket: str) -> User | None:
        """The user of a ticket still good, which is used up."""
        name, until = self.tickets.pop(ticket, ("", self.sim.clock.now()))
        return self.sim.authz.user(name) if name and self.sim.clock.now() <= until else None


class SessionManager(ManagedObject):
    """Login and logout."""

    vim_type = vim.SessionManager
    personal = frozenset({"currentSession", "sessionList"})

    def __init__(self, sim: Endpoint, moid: str, sessions: Sessions) -> None:
        super().__init__(sim, moid)
        self.sessions = sessions
        self.props.update(message="", messageLocaleList=["en"], supportedLocaleList=["en"], defaultLocale="en")

    def personal_value(self, call: Caller, name: str) -> Any:
        if name == "currentSession":
            return call.session.describe() if call.session is not None else None
        return [session.describe() for session in self.sessions.by_key.values()]

    @takes("userName", "password", "locale")
    def Login(self, call: Call, user_name: str, password: str | None, locale: str | None) -> Any:
        """InvalidLogin for a wrong name or password, and for a peer that is logged in already."""
        user = self.sim.authz.user(user_name or "")
        if call.session is not None or user is None or user.password != (password or ""):
            self.sim.journal.counters.failed_logins += 1
            raise vim.fault.InvalidLogin()
        session = self.sessions.open(user, call.peer, locale)
        call.session = session
        return session.describe()

    def Logout(self, call: Call) -> None:
        """End the own session."""
        assert call.session is not None
        self.sessions.close(call.session)
        call.peer.session_key = ""

    @takes("sessionID", "userName")
    def SessionIsActive(self, call: Call, session_id: str, user_name: str) -> bool:
        """Whether the session exists and is this user's."""
        session = self.sessions.of(session_id)
        return session is not None and session.user.name == user_name

    @takes("sessionId")
    def TerminateSession(self, call: Call, keys: list[str]) -> None:
        """End other sessions; not the own one."""
        for key in keys:
            session = self.sessions.of(key)
            if session is None:
                raise vim.fault.NotFound()
            if session is call.session:
                raise vmodl.fault.InvalidArgument(invalidProperty="sessionId")
            self.sessions.close(session)

    def AcquireCloneTicket(self, call: Call) -> str:
        """A ticket with which another connection gets a session of the same user."""
        assert call.session is not None
        return self.sessions.ticket(call.session)

    @takes("cloneTicket")
    def CloneSession(self, call: Call, ticket: str) -> Any:
        """Log in with a clone ticket."""
        user = self.sessions.redeem(ticket)
        if user is None:
            raise vim.fault.InvalidLogin()
        return self.sessions.open(user, call.peer).describe()
