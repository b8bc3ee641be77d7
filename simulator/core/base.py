# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of every simulated managed object: where properties live and how a change becomes known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from pyVmomi import vmodl

from . import data, names
from .data import Ref
from .takes import takes

if TYPE_CHECKING:
    from .dispatch import Call
    from .simulator import Simulator


class ManagedObject:
    """State of one managed object.

    ``props`` maps top-level property names of ``vim_type`` to pyVmomi values. A name that is absent is not modelled
    and reads as InvalidProperty; None means the property is unset. Write through ``set``, ``update`` or ``edit``:
    they record what changed for waiting clients and drop cached fragments. Values are the object's own: readers get
    copies, so the only ways to change state are those three (and ``touch`` after a change in place).
    """

    vim_type: ClassVar[type[Any]]
    id_prefix: ClassVar[str] = ""
    """Object ids are ``<id_prefix>-<n>``; default: the WSDL type name in lower case."""
    lazy: ClassVar[Mapping[str, Callable[[Any], Any]]] = {}
    """path -> function(self): built at the first read that needs it, then kept. Nested paths may be used."""
    live: ClassVar[Mapping[str, Callable[[Any], Any]]] = {}
    """path -> function(self): computed at every read; call ``touch(path)`` when its inputs change."""
    mirrors: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """path -> other paths that share its value (``runtime`` -> ``summary.runtime``): a change is recorded for both."""
    gaps: ClassVar[Mapping[str, frozenset[str]]] = {}
    """property -> fields of its value that real ones have and these do not: asked for by path they are not modelled."""
    refuses: ClassVar[bool] = False
    """Whether nothing at all of it is modelled."""
    personal: ClassVar[frozenset[str]] = frozenset()
    """Properties whose value depends on who asks; read through ``personal_value``."""

    def __init__(self, sim: Simulator, moid: str | None = None, **props: Any) -> None:
        self.sim = sim
        self.moid = moid or sim.registry.mint(self.id_prefix or self.vim_type._wsdlName.lower())
        self.ref: Ref = self.vim_type(self.moid)
        self.props: dict[str, Any] = dict(props)
        self.knobs: dict[str, Any] = {}
        self.owner: ManagedObject | None = None
        self.session_key: str | None = None
        self._unbuilt: dict[str, Callable[[Any], Any]] = dict(self.lazy)
        self.fragments: dict[tuple[str, str], str] = {}

    def __repr__(self) -> str:
        return f"<{self.vim_type.__name__} {self.moid} {self.props.get('name', '')}>"

    # -- properties -------------------------------------------------------------------------------------------

    def get(self, path: str) -> Any:
        """The stored value at a dotted path (array elements by key: ``config.hardware.device[4000]``); None if unset.

        Raises KeyError when the top-level property is not modelled. Do not change what you get: use ``edit``.
        """
        self._refresh(path)
        return self._stored(path)

    def _stored(self, path: str) -> Any:
        if "." not in path and "[" not in path:
            return self.props[path]
        parts = data.split(path)
        value: Any = None
        for index, (name, key) in enumerate(parts):
            value = self.props[name] if index == 0 else getattr(value, name)
            if key is not None and value is not None:
                value = data.element(value, key)
            if value is None:
                return None
        return value

    def walk(self, path: str, parts: tuple[tuple[str, str | None], ...]) -> Any:
        """Like ``get`` for a path split before; None also where the stored subtype lacks the field."""
        if self._unbuilt or self.live:
            self._refresh(path)
        value: Any = self.props
        for index, (name, key) in enumerate(parts):
            value = value[name] if index == 0 else getattr(value, name, None)
            if key is not None and value is not None:
                value = data.element(value, key)
            if value is None:
                return None
        return value

    def has(self, name: str) -> bool:
        """Whether a top-level property is modelled."""
        return name in self.props or name in self.lazy or name in self.live or name in self.personal

    def set(self, path: str, value: Any) -> None:
        """Store a value at a dotted path and record the narrowest paths that changed. Equal values change nothing."""
        head, _unused, last = path.rpartition(".")
        self._unbuilt = {name: build for name, build in self._unbuilt.items() if not _under(name, path)}
        if not head:
            missing = path not in self.props
            changed = [path] if missing else data.changed_paths(path, self.props[path], value)
            self.props[path] = value
        else:
            holder = self.get(head)
            if holder is None:
                raise ValueError(f"{self!r}: cannot set {path}: {head} is unset")
            before = getattr(holder, last)
            changed = data.changed_paths(path, before, value)
            if isinstance(before, list) and value.__class__ is list:
                value = type(before)(value)
            setattr(holder, last, value)
        for item in changed:
            self._changed(item)

    def update(self, values: Mapping[str, Any]) -> None:
        """Several ``set`` at once."""
        for path, value in values.items():
            self.set(path, value)

    @contextmanager
    def edit(self, path: str) -> Iterator[Any]:
        """Yield a deep copy of the value; on a clean exit store it with ``set`` (so only real differences count)."""
        copied = data.clone(self.get(path))
        yield copied
        self.set(path, copied)

    def touch(self, path: str) -> None:
        """Say that the value at ``path`` changed by other means (in place, or an input of a ``live`` one)."""
        self._changed(path)

    def _changed(self, path: str) -> None:
        self.drop_fragments(path)
        self.sim.note_change(self, path)
        for source, targets in self.mirrors.items():
            if path == source or path.startswith(source + "."):
                for target in targets:
                    mirrored = target + path[len(source) :]
                    self.drop_fragments(mirrored)
                    self.sim.note_change(self, mirrored)

    def drop_fragments(self, path: str) -> None:
        """Forget serialised values that contain, or are contained in, ``path``."""
        stale = [key for key in self.fragments if data.overlap(key[0], path)]
        for key in stale:
            del self.fragments[key]

    def _refresh(self, path: str) -> None:
        """Build what is lazy and recompute what is live, as far as ``path`` needs it."""
        while self._unbuilt:
            wanted = sorted(name for name in self._unbuilt if data.overlap(name, path))
            if not wanted:
                break
            build = self._unbuilt.pop(wanted[0])
            self._place(wanted[0], build(self))
        for name, compute in self.live.items():
            if data.overlap(name, path):
                self._renew(name, compute(self))

    def _renew(self, path: str, value: Any) -> None:
        """Store what a live property came to; nothing is recorded, for the owner says ``touch`` when it matters."""
        head = path.rpartition(".")[0]
        if head and self._stored(head) is None:
            return
        if (head or path in self.props) and data.same(self._stored(path), value):
            return
        self._place(path, value)
        self.drop_fragments(path)

    def _place(self, path: str, value: Any) -> None:
        """Put a value where it belongs; what hangs below something unset is left out."""
        head, _unused, last = path.rpartition(".")
        if not head:
            self.props[path] = value
        elif (holder := self._stored(head)) is not None:
            before = getattr(holder, last)
            setattr(
                holder, last, type(before)(value) if isinstance(before, list) and value.__class__ is list else value
            )

    # -- what others may override -----------------------------------------------------------------------------

    def missing(self, path: str) -> Any:
        """A fault when this property cannot be read now (disconnected host), else None. Shown in missingSet."""
        return None

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

    def personal_value(self, call: Call, name: str) -> Any:
        """The value of a ``personal`` property for this caller."""
        raise NotImplementedError

    def removed(self) -> None:
        """Called after the object left the registry."""


def _under(name: str, path: str) -> bool:
    return name == path or name.startswith(path + ".")


class Entity(ManagedObject):
    """A ManagedEntity: it has a name, a place in the inventory tree, permissions and custom values.

    ``up`` is the parent in the tree, ``down`` the children in order of arrival; the registry keeps both and the
    ``parent`` property in step. ``permissions`` maps user names to (role name, propagate).
    """

    def __init__(self, sim: Simulator, moid: str | None = None, **props: Any) -> None:
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

    def personal_value(self, call: Call, name: str) -> Any:
        return [self.sim.authz.role_on(call.account, self).id] if call.account is not None else None

    @takes("key", "value")
    def setCustomValue(self, call: Call, key: str, value: str) -> None:
        """Set a custom attribute by its name; InvalidArgument when none of that name applies here."""
        call.require("Global.SetCustomField", self)
        fields = self.sim.services.custom_fields
        if fields is None:
            raise vmodl.fault.NotSupported()
        found = [item.key for item in fields.available(self) if item.name == key]
        if not found:
            raise vmodl.fault.InvalidArgument(invalidProperty="key")
        fields.store(self, found[0], value)

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
