# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which objects a filter spec selects, and which of their properties it wants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyVmomi import vmodl

from .. import data
from ..data import Ref
from ..faults import with_text
from .reading import Path, PropertyReader, invalid_property, top_level

if TYPE_CHECKING:
    from ..base import ManagedObject
    from ..dispatch import Call

PC = vmodl.query.PropertyCollector


@dataclass
class Selected:
    """Objects in the order found, what a traversal looked at, and start objects that do not exist."""

    objects: dict[str, ManagedObject] = field(default_factory=dict)
    looked_at: dict[str, set[str]] = field(default_factory=dict)
    missing: list[Ref] = field(default_factory=list)


def check_spec(spec: Any) -> None:
    """InvalidArgument for selection names that nothing defines."""
    for object_spec in spec.objectSet:
        named = {item.name for item in _all_specs(object_spec.selectSet) if _is_traversal(item) and item.name}
        for item in _all_specs(object_spec.selectSet):
            if not _is_traversal(item) and item.name not in named:
                raise vmodl.fault.InvalidArgument(invalidProperty="specSet.objectSet.selectSet.name")


def _is_traversal(item: Any) -> bool:
    return isinstance(item, PC.TraversalSpec)


def _all_specs(items: Any) -> Iterator[Any]:
    for item in items or []:
        yield item
        if _is_traversal(item):
            yield from _all_specs(item.selectSet)


def select(reader: PropertyReader, call: Call, spec: Any, *, tolerant: bool = False) -> Selected:
    """Walk a filter spec. Raises InvalidProperty for a bad traversal path, ManagedObjectNotFound for a lost start.

    ``tolerant``: a lost start is only noted, as for a filter whose objects went away after it was made.
    """
    found = Selected()
    wanted = tuple(item.type for item in spec.propSet)
    for object_spec in spec.objectSet:
        start = reader.sim.registry.find(object_spec.obj._moId)
        if start is None or not _owned_by(call, start):
            if spec.reportMissingObjectsInResults:
                found.missing.append(object_spec.obj)
            if tolerant or spec.reportMissingObjectsInResults:
                continue
            raise vmodl.fault.ManagedObjectNotFound(obj=object_spec.obj)
        if not object_spec.skip:
            _take(found, start, wanted)
        named = {item.name: item for item in _all_specs(object_spec.selectSet) if _is_traversal(item) and item.name}
        _Walk(reader, call, found, wanted, named).run(start, object_spec.selectSet or [])
    return found


def _owned_by(call: Call, obj: ManagedObject) -> bool:
    return obj.session_key is None or (call.session is not None and obj.session_key == call.session.key)


def _take(found: Selected, obj: ManagedObject, wanted: tuple[type[Any], ...]) -> None:
    if any(issubclass(obj.vim_type, kind) for kind in wanted):
        found.objects[obj.moid] = obj


@dataclass
class _Walk:
    """A traversal without recursion: deep folder trees must not reach Python's limit."""

    reader: PropertyReader
    call: Call
    found: Selected
    wanted: tuple[type[Any], ...]
    named: dict[str, Any]

    def run(self, start: ManagedObject, specs: Any) -> None:
        seen: set[tuple[str, int]] = set()
        todo: list[tuple[ManagedObject, Any]] = [(start, item) for item in reversed(specs)]
        while todo:
            obj, item = todo.pop()
            spec = item if _is_traversal(item) else self.named[item.name]
            if (obj.moid, id(spec)) in seen or not issubclass(obj.vim_type, spec.type):
                continue
            seen.add((obj.moid, id(spec)))
            for child in self._follow(obj, str(spec.path)):
                if not spec.skip:
                    _take(self.found, child, self.wanted)
                todo.extend((child, deeper) for deeper in reversed(spec.selectSet or []))

    def _follow(self, obj: ManagedObject, text: str) -> list[ManagedObject]:
        """The objects that a reference property names, as far as this caller may see them."""
        path = self.reader.path(obj, text, self.call.version)
        self.found.looked_at.setdefault(obj.moid, set()).add(text)
        stored, _unused = self.reader.read(self.call, obj, path)
        if stored is None:
            return []
        refs = stored.value if isinstance(stored.value, list) else [stored.value]
        children = []
        for ref in refs:
            if not isinstance(ref, Ref):
                raise invalid_property(text)
            child = self.reader.sim.registry.find(ref._moId)
            if child is not None and self.call.allows("System.View", child):
                children.append(child)
        return children


def paths_for(reader: PropertyReader, obj: ManagedObject, spec: Any, version: str) -> list[Path]:
    """The properties a filter spec wants of an object: the union over the property specs whose type it is."""
    wanted: dict[str, Path] = {}
    for item in spec.propSet:
        if not issubclass(obj.vim_type, item.type):
            continue
        names = [str(name) for name in item.pathSet or []]
        if item.all:
            names += [name for name in top_level(obj.vim_type, version) if obj.has(name)]
        for name in names:
            if name not in wanted:
                wanted[name] = reader.path(obj, name, version)
    return list(wanted.values())


def content(reader: PropertyReader, call: Call, obj: ManagedObject, paths: list[Path]) -> Any:
    """An ObjectContent: what is set, and in missingSet what could not be read. Unset properties are left out."""
    values, missing = [], []
    for path in paths:
        stored, fault = reader.read(call, obj, path)
        if fault is not None:
            missing.append(missing_property(path.text, fault))
        elif stored is not None:
            values.append(data.new(vmodl.DynamicProperty, name=path.text, val=stored))
    return data.new(PC.ObjectContent, obj=obj.ref, propSet=values, missingSet=missing)


def missing_property(path: str, fault: Any) -> Any:
    """A MissingProperty with the fault's text."""
    return data.new(PC.MissingProperty, path=path, fault=with_text(fault))
