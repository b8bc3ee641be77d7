# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users, roles and what they may do where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .accounts import ANONYMOUS, BASE, Role, User, default_roles
from .base import Endpoint, Entity, ManagedObject


class Authorization:
    """The nearest permission up the tree decides; a user's own role holds at the root, propagating.

    An object between two permissions takes the nearer one (vSphere Security guide, "Hierarchical Inheritance").
    """

    def __init__(self, sim: Endpoint) -> None:
        self.sim = sim
        self.users: dict[str, User] = {}
        self.roles = default_roles()
        self._explicit: set[str] = set()

    def add_role(self, name: str, privileges: Iterable[str]) -> Role:
        """A custom role; like vCenter it always holds the three System privileges."""
        ids = [role.id for role in self.roles.values() if role.id > 0]
        role = Role(id=max(ids, default=500) + 1, name=name, privileges=frozenset([*BASE, *privileges]))
        self.roles[name] = role
        return role

    def add_user(self, name: str, password: str, role: str = "Admin") -> User:
        """An account. Raises ValueError on an unknown role."""
        self.role(role)
        user = User(name=name, password=password, role=role)
        self.users[name.lower()] = user
        return user

    def role(self, name: str) -> Role:
        """A role by name. Raises ValueError."""
        if name not in self.roles:
            raise ValueError(f"no role named {name!r}; known: {', '.join(sorted(self.roles))}")
        return self.roles[name]

    def permit(self, user: str, entity: Entity, role: str, propagate: bool = True) -> None:
        """Give a user a role on one entity and, with ``propagate``, below it."""
        self.role(role)
        entity.permissions[user.lower()] = (role, propagate)
        self._explicit.add(user.lower())

    def user(self, name: str) -> User | None:
        """An account, by name without regard to case."""
        return self.users.get(name.lower())

    def role_on(self, user: User, obj: ManagedObject | None) -> Role:
        """The role that applies to a user on an object (its entity)."""
        entity = obj.entity() if obj is not None else None
        key = user.name.lower()
        if key in self._explicit and isinstance(entity, Entity):
            for node in entity.ancestors():
                role_name, propagate = node.permissions.get(key, ("", False))
                if role_name and (propagate or node is entity):
                    return self.roles[role_name]
        return self.roles[user.role]

    def allows(self, user: User, privilege: str | None, obj: ManagedObject | None) -> bool:
        """Whether a user holds a privilege on an object."""
        return privilege in (None, ANONYMOUS) or self.role_on(user, obj).grants(str(privilege))

    def load(self, lab: Mapping[str, Any]) -> None:
        """Roles and users of a lab; permissions come after the inventory (``load_permissions``)."""
        for name, privileges in (lab.get("roles") or {}).items():
            self.add_role(str(name), [str(item) for item in privileges])
        users = lab.get("users") or [default_user(self.sim.kind)]
        for item in users:
            self.add_user(str(item["name"]), str(item.get("password", "VMware1!")), str(item.get("role", "Admin")))

    def load_permissions(self, lab: Mapping[str, Any]) -> None:
        """``permissions: [{user, role, on: name or inventory path, propagate}]``. Raises ValueError."""
        for item in lab.get("permissions") or []:
            if self.user(str(item["user"])) is None:
                raise ValueError(f"permissions: no user named {item['user']!r}")
            entity = self.sim.find_entity(str(item["on"]))
            self.permit(str(item["user"]), entity, str(item["role"]), bool(item.get("propagate", True)))


def default_user(kind: str) -> dict[str, str]:
    """The account of a lab that names none."""
    name = "root" if kind == "esxi" else "administrator@vsphere.local"
    return {"name": name, "password": "VMware1!", "role": "Admin"}
