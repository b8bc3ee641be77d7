# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which objects exist: id to object, deterministic ids, the inventory tree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from pyVmomi import vmodl

from ..api.data import Ref
from .base import Entity, ManagedObject

T = TypeVar("T", bound=ManagedObject)
Watcher = Callable[[str, ManagedObject], None]


class Registry:
    """Objects by id. ``watchers`` are called with ("add" | "remove" | "move", object) after each structural change."""

    def __init__(self) -> None:
        self._objects: dict[str, ManagedObject] = {}
        self._classes: dict[type[ManagedObject], dict[str, ManagedObject]] = {}
        self._places: dict[str, int] = {}
        self._added = 0
        self._counters: dict[str, int] = {}
        self._owned: dict[str, dict[str, ManagedObject]] = {}
        self.watchers: list[Watcher] = []
        self.absent: Callable[[str], ManagedObject | None] = lambda moid: None
        """Finds what exists and is not modelled; nothing else sees those objects."""
        self.is_lenient: Callable[[], bool] = lambda: False
        """Whether a reference may name an ancestor of an object's type; asked for only where it does."""

    def mint(self, prefix: str) -> str:
        """The next free id of a kind: ``host-1``, ``host-2``, ... the same in every run of the same lab."""
        while True:
            number = self._counters.get(prefix, 0) + 1
            self._counters[prefix] = number
            moid = f"{prefix}-{number}"
            if moid not in self._objects:
                return moid

    def add(self, obj: T, parent: Entity | None = None, owner: ManagedObject | None = None) -> T:
        """Register an object; ``parent`` places an entity in the tree, ``owner`` attaches a sub-object to its host.

        Raises ValueError when the id is taken.
        """
        if obj.moid in self._objects:
            raise ValueError(f"object id {obj.moid} is taken")
        self._objects[obj.moid] = obj
        self._classes.setdefault(obj.__class__, {})[obj.moid] = obj
        self._added += 1
        self._places[obj.moid] = self._added
        if owner is not None:
            obj.owner = owner
            self._owned.setdefault(owner.moid, {})[obj.moid] = obj
        if parent is not None:
            assert isinstance(obj, Entity)
            obj.up = parent
            parent.down[obj.moid] = obj
            obj.props["parent"] = parent.ref
        self._tell("add", obj)
        return obj

    def remove(self, obj: ManagedObject) -> None:
        """Forget an object and, first, everything below it and everything it owns."""
        if isinstance(obj, Entity):
            for child in list(obj.down.values()):
                self.remove(child)
        for owned in list(self._owned.pop(obj.moid, {}).values()):
            self.remove(owned)
        if obj.owner is not None:
            self._owned.get(obj.owner.moid, {}).pop(obj.moid, None)
        if self._objects.pop(obj.moid, None) is None:
            return
        del self._classes[obj.__class__][obj.moid], self._places[obj.moid]
        if isinstance(obj, Entity) and obj.up is not None:
            obj.up.down.pop(obj.moid, None)
        obj.removed()
        self._tell("remove", obj)

    def reparent(self, obj: Entity, parent: Entity) -> None:
        """Move an entity below another parent."""
        if obj.up is not None:
            obj.up.down.pop(obj.moid, None)
        obj.up = parent
        parent.down[obj.moid] = obj
        obj.set("parent", parent.ref)
        self._tell("move", obj)

    def find(self, moid: str) -> ManagedObject | None:
        """The object, or None."""
        return self._objects.get(moid) or self.absent(moid)

    def obj(self, ref: Ref | str) -> Any:
        """The object behind a reference. Raises ManagedObjectNotFound."""
        found = self.find(ref) if isinstance(ref, str) else self.behind(ref)
        if found is None:
            raise vmodl.fault.ManagedObjectNotFound(obj=ref if isinstance(ref, Ref) else Ref(ref))
        return found

    def behind(self, ref: Ref) -> ManagedObject | None:
        """The object behind a client's reference; None when there is none of that id and type."""
        found = self.find(ref._moId)
        return found if found is not None and self.answers(found, type(ref)) else None

    def answers(self, obj: ManagedObject, kind: type[Any]) -> bool:
        """Whether an object answers to a reference of this type.

        A reference is type and id together (vSphere Web Services programming guide, managed object references), and a
        server finds an object by its own type: a ``ComputeResource`` reference with the id of a cluster finds nothing.
        Whether every release is so strict is not confirmed: knob ``reference_types``.
        """
        if kind is obj.vim_type or kind is Ref:  # a bare ManagedObject: the client named no type
            return True
        return issubclass(obj.vim_type, kind) and self.is_lenient()

    def owned(self, owner: ManagedObject) -> list[ManagedObject]:
        """The sub-objects of an object."""
        return list(self._owned.get(owner.moid, {}).values())

    def all(self, kind: type[Any] | None = None) -> list[Any]:
        """Every object of a pyVmomi type or simulator class, in order of creation."""
        if kind is None:
            return list(self._objects.values())
        own = issubclass(kind, ManagedObject)
        found = [items for cls, items in self._classes.items() if issubclass(cls if own else cls.vim_type, kind)]
        if len(found) == 1:
            return list(found[0].values())
        return sorted((item for items in found for item in items.values()), key=lambda item: self._places[item.moid])

    def __iter__(self) -> Iterator[ManagedObject]:
        return iter(list(self._objects.values()))

    def __len__(self) -> int:
        return len(self._objects)

    def _tell(self, what: str, obj: ManagedObject) -> None:
        for watcher in self.watchers:
            watcher(what, obj)
