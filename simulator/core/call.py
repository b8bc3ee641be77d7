# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The call that a method of a managed object serves: who made it, and what the caller may do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pyVmomi import vim

from .accounts import ANONYMOUS, Peer, Session, User
from .base import Endpoint, ManagedObject


@dataclass(kw_only=True)
class Call:
    """What a method handler may know about the call that it handles."""

    sim: Endpoint
    peer: Peer
    session: Session | None
    version: str
    method: str
    obj: ManagedObject
    task_fault: Exception | None = None
    """What a fault rule wants the task to end with that this call starts."""
    refused: list[str] = field(default_factory=list)
    """What of the answer is not modelled, for the journal."""

    @property
    def user(self) -> str:
        """The caller's account name; empty before login."""
        return self.session.name if self.session is not None else ""

    @property
    def account(self) -> User | None:
        """The caller's account."""
        return self.session.user if self.session is not None else None

    def allows(self, privilege: str | None, obj: ManagedObject | None) -> bool:
        """Whether the caller holds a privilege on an object (None: the root folder)."""
        if privilege in (None, ANONYMOUS):
            return True
        return self.session is not None and self.sim.authz.allows(self.session.user, privilege, obj)

    def require(self, privilege: str, obj: ManagedObject | None) -> None:
        """Raise NoPermission, naming privilege and object, unless the caller holds it."""
        if not self.allows(privilege, obj):
            raise no_permission(self.sim, privilege, obj)


def no_permission(sim: Endpoint, privilege: str, obj: ManagedObject | None) -> Any:
    """The NoPermission fault for a privilege on an object's entity."""
    entity = obj.entity() if obj is not None else None
    target = entity or sim.root
    return vim.fault.NoPermission(object=target.ref if target is not None else None, privilegeId=privilege)
