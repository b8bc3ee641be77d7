# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of every simulated managed object, and what objects, rules and services may ask of their simulator."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Protocol

from pyVmomi import VmomiSupport as vs

from ..api import names
from ..api.data import Ref
from ..api.takes import takes
from .accounts import Role, Session, User
from .changes import ChangeLog
from .clock import Clock
from .journal import Journal
from .knobs import Knobs
from .properties import PropertyHolder


class ManagedObject(PropertyHolder):
    """One managed object of a simulator."""

    vim_type: ClassVar[type[Any]]
    id_prefix: ClassVar[str] = ""
    """Object ids are ``<id_prefix>-<n>``; default: the WSDL type name in lower case."""
    gaps: ClassVar[Mapping[str, frozenset[str]]] = {}
    """property -> fields of its value that real ones have and these do not: asked for by path they are not modelled."""
    refuses: ClassVar[bool] = False
    """Whether nothing at all of it is modelled."""

    def __init__(self, sim: Endpoint, moid: str | None = None, **props: Any) -> None:
        super().__init__(props)
        self.sim = sim
        self.moid = moid or sim.registry.mint(self.id_prefix or self.vim_type._wsdlName.lower())
        self.ref: Ref = self.vim_type(self.moid)
        self.knobs: dict[str, Any] = {}
        self.owner: ManagedObject | None = None
        self.session_key: str | None = None
        self.captured_missing: dict[str, str] = {}
        """Path -> the fault that a captured server returned in its place."""

    def __repr__(self) -> str:
        return f"<{self.vim_type.__name__} {self.moid} {self.props.get('name', '')}>"

    def note_change(self, path: str) -> None:
        self.sim.note_change(self, path)

    # -- what others may override -----------------------------------------------------------------------------

    def missing(self, path: str) -> Any:
        """A fault when this property cannot be read now (disconnected host), else None. Shown in missingSet."""
        name = self.captured_missing.get(path)
        return vs.GetWsdlType(vs.XMLNS_VMODL_BASE, name)() if name is not None else None

    def entity(self) -> ManagedObject | None:
        """The inventory object whose permissions govern this one; None: the root folder."""
        return self.owner.entity() if self.owner is not None else None

    def knob(self, name: str) -> Any:
        """A knob for this object: its own value, else its owner's, else the simulator's."""
        self.sim.knobs.check(name)
        holder: ManagedObject | None = self
        while holder is not None:
            if name in holder.knobs:
                return holder.knobs[name]
            holder = holder.owner
        return self.sim.knobs.get(name)

    def personal_value(self, call: Caller, name: str) -> Any:
        """The value of a ``personal`` property for this caller."""
        raise NotImplementedError

    def removed(self) -> None:
        """Called after the object left the registry."""


class Entity(ManagedObject):
    """A ManagedEntity: it has a name, a place in the inventory tree, permissions and custom values.

    ``up`` is the parent in the tree, ``down`` the children in order of arrival; the registry keeps both and the
    ``parent`` property in step. ``permissions`` maps user names to (role name, propagate).
    """

    def __init__(self, sim: Endpoint, moid: str | None = None, **props: Any) -> None:
        if "name" in props:
            props["name"] = names.escaped(props["name"])
        super().__init__(sim, moid, **props)
        self.up: Entity | None = None
        self.down: dict[str, Entity] = {}
        self.permissions: dict[str, tuple[str, bool]] = {}
        self.custom: dict[int, str] = {}
        self.tasks: list[Ref] = []
        for name, default in ENTITY_DEFAULTS.items():
            self.props.setdefault(name, default)

    personal: ClassVar[frozenset[str]] = frozenset({"effectiveRole"})

    def entity(self) -> ManagedObject | None:
        return self

    @property
    def name(self) -> str:
        """Its name in the form the API sends."""
        return str(self.props["name"])

    def is_named(self, name: str) -> bool:
        """Whether this is its name, in the form the API sends or in the one people see."""
        return self.props["name"] == names.escaped(name)

    def set(self, path: str, value: Any) -> None:
        super().set(path, names.escaped(value) if path == "name" else value)

    def view_children(self) -> list[Entity]:
        """What a ContainerView on this object holds one level down (a host also holds its VMs: override)."""
        return list(self.down.values())

    def forget(self, child: Entity) -> None:
        """A child left the registry; a folder also takes it off its list (override)."""

    def personal_value(self, call: Caller, name: str) -> Any:
        return [self.sim.authz.role_on(call.account, self).id] if call.account is not None else None

    @takes("key", "value")
    def setCustomValue(self, call: Caller, key: str, value: str) -> None:
        """Set a custom attribute by its name; InvalidArgument when none of that name applies here."""
        call.require("Global.SetCustomField", self)
        self.sim.set_custom_value(self, key, value)

    def ancestors(self) -> Iterator[Entity]:
        """This object, its parent, and so on up to the root."""
        node: Entity | None = self
        while node is not None:
            yield node
            node = node.up


ENTITY_DEFAULTS: dict[str, Any] = {
    "parent": None,
    "overallStatus": "green",
    "configStatus": "green",
    "configIssue": None,
    "alarmActionsEnabled": True,
    "declaredAlarmState": None,
    "triggeredAlarmState": None,
    "disabledMethod": None,
    "permission": None,
    "tag": None,
    "value": None,
    "customValue": None,
    "availableField": None,
    "recentTask": None,
}


# -- what objects may ask of others -------------------------------------------------------------------------------


class Caller(Protocol):
    """The call that a method serves, as far as every object may look at it; core.call.Call is one."""

    session: Session | None

    @property
    def user(self) -> str:
        """The name of the caller's account; empty before login."""

    @property
    def account(self) -> User | None:
        """The caller's account."""

    def require(self, privilege: str, obj: ManagedObject | None) -> None:
        """Raise NoPermission unless the caller holds a privilege on an object (None: the root folder)."""


class Objects(Protocol):
    """The registry: which objects exist. See core.registry.Registry."""

    def mint(self, prefix: str) -> str:
        """The next free id of a kind."""

    def find(self, moid: str) -> ManagedObject | None:
        """The object of an id, or None."""

    def behind(self, ref: Ref) -> ManagedObject | None:
        """The object of a client's reference; None when no object has this id and type."""

    def owned(self, owner: ManagedObject) -> list[ManagedObject]:
        """The objects below an object that are not in the inventory tree."""

    def all(self, kind: type[Any] | None = None) -> list[Any]:
        """Every object of a pyVmomi type or simulator class, in order of creation."""

    def remove(self, obj: ManagedObject) -> None:
        """Remove an object, all below it and all it owns."""


class Rights(Protocol):
    """Who may do what. See core.authz.Authorization."""

    roles: dict[str, Role]

    def user(self, name: str) -> User | None:
        """An account by name, without regard to case."""

    def role_on(self, user: User, obj: ManagedObject | None) -> Role:
        """The role that applies to an account on an object."""

    def allows(self, user: User, privilege: str | None, obj: ManagedObject | None) -> bool:
        """Whether an account holds a privilege on an object."""


class Logins(Protocol):
    """The sessions. See services.sessions.Sessions."""

    by_key: dict[str, Session]

    def of(self, key: str) -> Session | None:
        """The live session of a key."""


class UnmodelledObjects(Protocol):
    """Objects that exist and refuse everything. See objects.unmodelled.Absent."""

    def add(self, vim_type: type[Any], moid: str, owner: ManagedObject | None = None) -> Ref:
        """The reference of one that exists from now on, as long as its owner does."""

    def browser(self, owner: ManagedObject) -> Ref:
        """The datastore browser of a host, datastore or environment browser."""


class BootTimes(Protocol):
    """How the times of boots differ. See rules.boots.BootSpread."""

    def factor(self, host: str, number: int, past: int) -> float:
        """By how much a boot of a host differs from the usual one, which is known from so many past boots."""


class Endpoint(Protocol):
    """What objects, rules and services may ask of the vCenter or ESXi host they belong to; see endpoint.SimulatedEndpoint.

    They know this Protocol only; labs and servers are above them.
    """

    kind: str
    name: str
    product_version: str
    api_version: str
    build: str
    instance_uuid: str
    salt: str
    boot_spread: BootTimes | None
    clock: Clock
    knobs: Knobs
    changes: ChangeLog
    journal: Journal
    root: Entity | None
    content: dict[str, ManagedObject]

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """Held while state changes."""

    @property
    def registry(self) -> Objects:
        """Which objects exist."""

    @property
    def authz(self) -> Rights:
        """Who may do what."""

    @property
    def sessions(self) -> Logins:
        """Who is logged in."""

    @property
    def absent(self) -> UnmodelledObjects:
        """What exists and is not modelled."""

    def evacuation_policy(self, moid: str) -> str:
        """What compute policies do with a VM whose host is evacuated."""

    def add(self, obj: Any, parent: Entity | None = None, owner: ManagedObject | None = None) -> Any:
        """Register an object and return it."""

    def remove(self, obj: ManagedObject) -> None:
        """Remove an object, all below it and all it owns."""

    def reparent(self, obj: Entity, parent: Entity) -> None:
        """Move an entity in the tree."""

    def obj(self, ref: Ref | str) -> Any:
        """The object of a reference or id. Raises ManagedObjectNotFound."""

    def find_entity(self, where: str) -> Entity:
        """An entity by inventory path or unique name. Raises ValueError."""

    def by_inventory_path(self, path: str) -> Entity | None:
        """The entity at an inventory path, or None."""

    def note_change(self, obj: ManagedObject, path: str) -> None:
        """Record that a property changed, and wake the clients that wait."""

    def next_event_chain(self) -> int:
        """A new event chain id."""

    def start_task(
        self,
        call: Any,
        obj: ManagedObject | None,
        operation: str,
        body: Callable[[Any], Any],
        *,
        duration: float = 0.0,
        on_cancel: Callable[[Any], None] | None = None,
        cancelable: bool | None = None,
    ) -> Any:
        """Start a core.tasks.Task and return it. ``duration``: simulated seconds."""

    def task_ended(self, task: Any) -> None:
        """A task ended."""

    def post_event(
        self,
        cls: type[Any],
        target: Entity,
        *,
        message: str = "",
        call: Caller | None = None,
        user: str = "",
        host: Entity | None = None,
        **fields: Any,
    ) -> Any:
        """Record an event about an entity (and ``host``, when the entity is a VM). ``user``: without a call."""

    def set_custom_value(self, entity: Entity, name: str, value: str) -> None:
        """Set a custom attribute by its name. Raises InvalidArgument, and NotSupported on an ESXi host."""

    def trigger_alarm(self, entity: Entity, name: str, status: str) -> None:
        """Turn an alarm red, yellow or green on an entity; an ESXi host has no alarms."""

    def go_offline(self, answer: str = "drop") -> None:
        """The endpoint stops answering and every session ends."""

    def go_online(self) -> None:
        """The endpoint answers again."""
