# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts and roles, their logins, and the connections that these come from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pyVmomi import VmomiSupport as vs
from pyVmomi import vim

from ..api import data
from ..api.data import memo

ANONYMOUS = "System.Anonymous"


@dataclass(frozen=True, kw_only=True)
class User:
    """An account of the lab."""

    name: str
    password: str
    role: str


@dataclass(frozen=True, kw_only=True)
class Role:
    """A named set of privileges; None means all of them."""

    id: int
    name: str
    privileges: frozenset[str] | None
    system: bool = False

    def grants(self, privilege: str) -> bool:
        """Whether the role holds the privilege."""
        return self.privileges is None or privilege in self.privileges


BASE = ("System.Anonymous", "System.View", "System.Read")


def default_roles() -> dict[str, Role]:
    """The system roles of every vCenter, with their ids."""
    roles = [
        Role(id=-1, name="Admin", privileges=None, system=True),
        Role(id=-2, name="ReadOnly", privileges=frozenset(BASE), system=True),
        Role(id=-3, name="View", privileges=frozenset(BASE[:2]), system=True),
        Role(id=-4, name="Anonymous", privileges=frozenset(BASE[:1]), system=True),
        Role(id=-5, name="NoAccess", privileges=frozenset(), system=True),
    ]
    return {role.name: role for role in roles}


@memo
def known_privileges() -> frozenset[str]:
    """Every privilege that the API's own descriptions of properties, methods and parameters name."""
    found: set[Any] = set()
    for definition in vs._managedDefMap.values():
        found |= {prop[4] for prop in definition[4] or ()}
        for method in definition[5] or ():
            found |= {method[5], *(param[4] for param in method[3])}
    named = [name for item in found if isinstance(item, str) for name in item.split()]  # some ask for two at once
    return frozenset(name for name in named if "." in name)


@dataclass(kw_only=True)
class Session:
    """One login. ``waiting`` counts calls that block right now: such a session is not idle."""

    key: str
    user: User
    address: str
    user_agent: str
    login_time: datetime
    last_active: datetime
    locale: str = "en"
    calls: int = 0
    waiting: int = 0
    objects: set[str] = field(default_factory=set)
    shown: str = ""
    """How sessions, tasks and events name the account; empty: by its own name."""

    @property
    def name(self) -> str:
        """The account as the API shows it."""
        return self.shown or self.user.name

    def touch(self, now: datetime) -> None:
        """The session was used."""
        self.last_active = now
        self.calls += 1

    def describe(self) -> Any:
        """As vim.UserSession."""
        return data.new(
            vim.UserSession,
            key=self.key,
            userName=self.name,
            fullName=self.user.name,
            loginTime=self.login_time,
            lastActiveTime=self.last_active,
            locale=self.locale,
            messageLocale=self.locale,
            extensionSession=False,
            ipAddress=self.address,
            userAgent=self.user_agent,
            callCount=self.calls,
        )


@dataclass
class Peer:
    """The client's end: who it is between calls. A transport keeps one per cookie (or per in-process stub)."""

    session_key: str = ""
    address: str = "127.0.0.1"
    user_agent: str = "in process"
    remote: bool = False
    """Whether other threads go on while this client waits."""
