# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which objects a filter spec selects, and which of their properties it wants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyVmomi import vmodl

from ..api import data
from ..api.data import Ref
from ..core.faults import with_text
from .reading import Path, PropertyReader, invalid_property, parse, top_level, unmodelled

if TYPE_CHECKING:
    from ..core.base import ManagedObject
    from ..core.call import Call

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
        start = reader.sim.registry.behind(object_spec.obj)
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


@dataclass(eq=False)
class _Step:
    """One traversal from one object: where it led. ``refs``: in how many ways the object was reached."""

    obj: ManagedObject
    spec: Any
    refs: int = 0
    children: dict[str, ManagedObject] = field(default_factory=dict)


class LiveSelection:
    """A selection that follows changes: only steps whose property changed are taken again, so a change costs what it moves.

    For specs without named traversals: those may lead in circles, and circles cannot be counted down.
    """

    def __init__(self, reader: PropertyReader, spec: Any) -> None:
        self.reader = reader
        self.spec = spec
        self.objects: dict[str, ManagedObject] = {}
        self.missing: list[Ref] = []
        self.touched: dict[str, None] = {}
        """Ids that came or went since this was emptied last."""
        self._wanted = tuple(item.type for item in spec.propSet)
        self._picked: dict[str, int] = {}
        self._steps: dict[tuple[str, int], _Step] = {}
        self._from: dict[str, dict[tuple[str, int], _Step]] = {}
        self._to: dict[str, dict[tuple[str, int], _Step]] = {}
        self._starts: set[str] = set()

    @staticmethod
    def serves(spec: Any) -> bool:
        """Whether every traversal of a filter spec is spelt out."""
        items = [item for start in spec.objectSet for item in _all_specs(start.selectSet)]
        return all(_is_traversal(item) for item in items)

    def begin(self, call: Call, *, tolerant: bool = False) -> None:
        """Select from nothing. Raises as ``select`` does."""
        for start in self.spec.objectSet:
            obj = self.reader.sim.registry.behind(start.obj)
            if obj is None or not _owned_by(call, obj):
                if self.spec.reportMissingObjectsInResults:
                    self.missing.append(start.obj)
                if tolerant or self.spec.reportMissingObjectsInResults:
                    continue
                raise vmodl.fault.ManagedObjectNotFound(obj=start.obj)
            self._starts.add(obj.moid)
            if not start.skip:
                self._pick(obj)
            for item in start.selectSet or []:
                self._enter(call, obj, item)

    def stale(self, moid: str, path: str) -> list[_Step]:
        """The steps to take again because this property changed."""
        found = self._from.get(moid)
        return [step for step in found.values() if data.overlap(str(step.spec.path), path)] if found else []

    def stale_by_loss(self, moid: str) -> list[_Step] | None:
        """The steps to take again because this object is gone; None when it was a start: then begin again."""
        return None if moid in self._starts else list(self._to.get(moid, {}).values())

    def again(self, call: Call, steps: list[_Step]) -> None:
        """Take steps again; what they led to comes or goes."""
        for step in steps:
            if self._steps.get((step.obj.moid, id(step.spec))) is step:
                self._look(call, step)

    def _enter(self, call: Call, obj: ManagedObject, spec: Any) -> None:
        key = (obj.moid, id(spec))
        step = self._steps.get(key)
        if step is None:
            if not issubclass(obj.vim_type, spec.type):
                return
            step = self._steps[key] = self._from.setdefault(obj.moid, {})[key] = _Step(obj, spec)
            self._look(call, step)
        step.refs += 1

    def _leave(self, moid: str, spec: Any) -> None:
        key = (moid, id(spec))
        step = self._steps.get(key)
        if step is None:
            return
        step.refs -= 1
        if step.refs:
            return
        del self._steps[key], self._from[moid][key]
        if not self._from[moid]:
            del self._from[moid]
        for child in list(step.children):
            self._lose(key, step, child)

    def _look(self, call: Call, step: _Step) -> None:
        key = (step.obj.moid, id(step.spec))
        now = {child.moid: child for child in follow(self.reader, call, step.obj, str(step.spec.path))}
        for moid in [item for item in step.children if now.get(item) is not step.children[item]]:
            self._lose(key, step, moid)
        for moid, child in now.items():
            if moid not in step.children:
                step.children[moid] = child
                self._to.setdefault(moid, {})[key] = step
                if not step.spec.skip:
                    self._pick(child)
                for deeper in step.spec.selectSet or []:
                    self._enter(call, child, deeper)

    def _lose(self, key: tuple[str, int], step: _Step, moid: str) -> None:
        child = step.children.pop(moid)
        self._to[moid].pop(key)
        if not self._to[moid]:
            del self._to[moid]
        if not step.spec.skip and _is_wanted(child, self._wanted):
            self._picked[moid] -= 1
            if not self._picked[moid]:
                del self._picked[moid], self.objects[moid]
                self.touched[moid] = None
        for deeper in step.spec.selectSet or []:
            self._leave(moid, deeper)

    def _pick(self, obj: ManagedObject) -> None:
        if _is_wanted(obj, self._wanted):
            self._picked[obj.moid] = self._picked.get(obj.moid, 0) + 1
            self.objects[obj.moid] = obj
            self.touched[obj.moid] = None


def follow(reader: PropertyReader, call: Call, obj: ManagedObject, text: str) -> list[ManagedObject]:
    """The objects that a reference property names, as far as this caller may see them. Raises InvalidProperty."""
    stored, _unused = reader.read(call, obj, reader.path(obj, text, call.version))
    if stored is None:
        return []
    refs = stored.value if isinstance(stored.value, list) else [stored.value]
    children = []
    for ref in refs:
        if not isinstance(ref, Ref):
            raise invalid_property(text)
        child = reader.sim.registry.find(ref._moId)
        if child is not None and call.allows("System.View", child):
            children.append(child)
    return children


def _owned_by(call: Call, obj: ManagedObject) -> bool:
    return obj.session_key is None or (call.session is not None and obj.session_key == call.session.key)


def _is_wanted(obj: ManagedObject, wanted: tuple[type[Any], ...]) -> bool:
    return issubclass(obj.vim_type, wanted)


def _take(found: Selected, obj: ManagedObject, wanted: tuple[type[Any], ...]) -> None:
    if _is_wanted(obj, wanted):
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
        self.found.looked_at.setdefault(obj.moid, set()).add(text)
        return follow(self.reader, self.call, obj, text)


def paths_for(reader: PropertyReader, obj: ManagedObject, spec: Any, version: str) -> list[Path]:
    """The properties a filter spec wants of an object: the union over the property specs whose type it is."""
    wanted: dict[str, Path] = {}
    for item in spec.propSet:
        if not issubclass(obj.vim_type, item.type):
            continue
        for name in [str(name) for name in item.pathSet or []]:
            if name not in wanted:
                wanted[name] = reader.path(obj, name, version)
        if item.all:
            if obj.refuses:
                raise invalid_property("", unmodelled(obj, "*"))
            for name in top_level(obj.vim_type, version):
                path = parse(obj.vim_type, name, version)
                if path is not None:
                    wanted.setdefault(name, path)  # what is not modelled is named in missingSet
    return list(wanted.values())


def content(reader: PropertyReader, call: Call, obj: ManagedObject, paths: list[Path]) -> Any:
    """An ObjectContent: what is set, and in missingSet what could not be read. Unset properties are left out."""
    values, missing = [], []
    for path, (stored, fault) in zip(paths, reader.read_all(call, obj, paths), strict=True):
        if fault is not None:
            missing.append(missing_property(path.text, fault))
        elif stored is not None:
            values.append(data.new(vmodl.DynamicProperty, name=path.text, val=stored))
    return data.new(PC.ObjectContent, obj=obj.ref, propSet=values, missingSet=missing)


def missing_property(path: str, fault: Any) -> Any:
    """A MissingProperty with the fault's text."""
    return data.new(PC.MissingProperty, path=path, fault=with_text(fault))
