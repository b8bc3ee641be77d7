# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""AuthorizationManager: roles, and may this session do that there?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pyVmomi import vim, vmodl

from ..api import data
from ..api.data import Ref
from ..api.takes import takes
from ..core.accounts import known_privileges
from ..core.base import ManagedObject

if TYPE_CHECKING:
    from ..core.accounts import User
    from ..core.call import Call

AM = vim.AuthorizationManager


def _role_list(manager: AuthorizationManager) -> list[Any]:
    """Roles; one that holds everything lists what the API's descriptions and the other roles name."""
    roles = manager.sim.authz.roles.values()
    everything = known_privileges().union(*(role.privileges or () for role in roles))
    made = []
    for role in manager.sim.authz.roles.values():
        info = data.new(vim.Description, label=role.name, summary=role.name)
        made.append(
            data.new(
                AM.Role,
                roleId=role.id,
                name=role.name,
                system=role.system,
                info=info,
                privilege=sorted(everything if role.privileges is None else role.privileges),
            )
        )
    return made


class AuthorizationManager(ManagedObject):
    """Questions about privileges; roles and permissions come from the lab and are not edited through the API."""

    vim_type = AM
    live: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"roleList": _role_list}

    def _user(self, call: Call, session_id: str) -> User:
        session = self.sim.sessions.of(session_id)
        if session is None:
            raise vmodl.fault.InvalidArgument(invalidProperty="sessionId")
        return session.user

    @takes("entity", "sessionId", "privId")
    def HasPrivilegeOnEntity(self, call: Call, entity: Ref, session_id: str, privileges: list[str] | None) -> Any:
        """One truth value a privilege, in order."""
        user, obj = self._user(call, session_id), self.sim.obj(entity)
        return [self.sim.authz.allows(user, item, obj) for item in privileges or []]

    @takes("entity", "sessionId", "privId")
    def HasPrivilegeOnEntities(self, call: Call, refs: list[Ref], session_id: str, privileges: list[str] | None) -> Any:
        """The same for several entities."""
        return self._table(self._user(call, session_id), refs, privileges)

    @takes("entities", "userName", "privId")
    def HasUserPrivilegeOnEntities(self, call: Call, refs: list[Ref], name: str, privileges: list[str] | None) -> Any:
        """The same for a user by name."""
        user = self.sim.authz.user(name)
        if user is None:
            raise vim.fault.NotFound()
        return self._table(user, refs, privileges)

    def _table(self, user: User, refs: list[Ref], privileges: list[str] | None) -> list[Any]:
        rows = []
        for ref in refs:
            obj = self.sim.obj(ref)
            cells = [
                data.new(AM.PrivilegeAvailability, privId=item, isGranted=self.sim.authz.allows(user, item, obj))
                for item in privileges or []
            ]
            rows.append(data.new(AM.EntityPrivilege, entity=ref, privAvailability=cells))
        return rows
