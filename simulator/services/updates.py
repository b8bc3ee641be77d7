# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters and versions: what changed since a client last looked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyVmomi import vim, vmodl

from ..api import data
from ..core.base import Endpoint, ManagedObject
from . import selection
from .reading import Path, PropertyReader

if TYPE_CHECKING:
    from ..core.call import Call

PC = vmodl.query.PropertyCollector


GONE = "\x00gone"
"""The pseudo path noted when an object leaves the registry."""


@dataclass
class Pending:
    """One object's update not delivered yet; values are read when it goes out."""

    kind: str
    obj: ManagedObject
    paths: dict[str, Path | None] = field(default_factory=dict)


class Filter(ManagedObject):
    """A property filter: what it selects now, and the updates that its client has not received."""

    vim_type = PC.Filter
    id_prefix = "filter"

    def __init__(self, sim: Endpoint, reader: PropertyReader, spec: Any, partial: bool, call: Call) -> None:
        super().__init__(sim)
        self.reader = reader
        self.props.update(spec=spec, partialUpdates=partial)
        self.spec = spec
        self.partial = partial
        self.destroyed = False
        self.watched: dict[str, tuple[ManagedObject, list[Path]]] = {}
        self.choice: selection.LiveSelection | None = None
        self.looked_at: dict[str, set[str]] = {}
        self.position = sim.changes.position
        self.pending: dict[str, Pending] = {}
        self.lost: list[Any] = []
        self._reselect(call, tolerant=False)

    def reset(self, call: Call) -> None:
        """Start over: every selected object is new again."""
        self.pending.clear()
        self.watched.clear()
        self.position = self.sim.changes.position
        self._reselect(call)

    def _reselect(self, call: Call, tolerant: bool = True) -> None:
        """Select from nothing and compare with what the client knows."""
        reader = self.reader
        if selection.LiveSelection.serves(self.spec):
            self.choice = selection.LiveSelection(reader, self.spec)
            self.choice.begin(call, tolerant=tolerant)
            self.lost = self.choice.missing
            self._compare(call, self.choice.objects, [*self.watched, *self.choice.objects])
            self.choice.touched.clear()
            return
        found = selection.select(reader, call, self.spec, tolerant=tolerant)
        self.looked_at = found.looked_at
        self.lost = found.missing
        self._compare(call, found.objects, [*self.watched, *found.objects])

    def _compare(self, call: Call, objects: dict[str, ManagedObject], moids: Iterable[str]) -> None:
        """Enter and leave for those of ``moids`` that are in the selection and not known, or the other way round."""
        reader = self.reader
        for moid in moids:
            known, obj = self.watched.get(moid), objects.get(moid)
            if known is not None and known[0] is not obj:
                del self.watched[moid]
                unknown = moid in self.pending and self.pending[moid].kind == "enter"
                self.pending.pop(moid, None)
                if not unknown:
                    self.pending[moid] = Pending("leave", known[0])
            elif known is None and obj is not None:
                paths = selection.paths_for(reader, obj, self.spec, call.version)
                self.watched[moid] = (obj, paths)
                untold = self.pending.get(moid)  # it left and is back before the client heard of it: then it never left
                kind = "modify" if untold is not None and untold.kind == "leave" else "enter"
                self.pending[moid] = Pending(kind, obj, {path.text: path for path in paths})

    def _follow(self, call: Call, entries: list[tuple[str, str]]) -> None:
        """Let the selection follow the changes."""
        if self.choice is None:
            if any(self._moves_selection(moid, path) for moid, path in entries):
                self._reselect(call)
            return
        for moid, path in dict.fromkeys(entries):
            steps = self.choice.stale_by_loss(moid) if path == GONE else self.choice.stale(moid, path)
            if steps is None:
                self._reselect(call)
                return
            self.choice.again(call, steps)
        if self.choice.touched:
            moids = list(self.choice.touched)
            self.choice.touched.clear()
            self._compare(call, self.choice.objects, moids)

    def collect(self, call: Call) -> bool:
        """Take in what changed since the last look; True when there is something to deliver."""
        entries = self.sim.changes.since(self.position)
        self.position = self.sim.changes.position
        if entries is None:
            self._reselect(call)
            entries = [(moid, path.text) for moid, (_unused, paths) in self.watched.items() for path in paths]
        elif entries:
            self._follow(call, entries)
        for moid, changed in entries:
            if moid in self.watched:
                self._note(moid, changed)
        return bool(self.pending)

    def _moves_selection(self, moid: str, path: str) -> bool:
        if path == GONE:
            return moid in self.watched or moid in self.looked_at
        return any(data.overlap(text, path) for text in self.looked_at.get(moid, ()))

    def _note(self, moid: str, changed: str) -> None:
        obj, paths = self.watched[moid]
        for path in paths:
            if data.overlap(path.text, changed):
                pending = self.pending.setdefault(moid, Pending("modify", obj))
                if pending.kind == "modify":
                    narrow = self.partial and len(changed) > len(path.text)
                    pending.paths[changed if narrow else path.text] = None if narrow else path

    def deliver(self, call: Call, most: int) -> tuple[list[Any], int]:
        """Up to ``most`` object updates, and how many that were."""
        out = []
        for moid in list(self.pending)[:most]:
            out.append(self._render(call, self.pending.pop(moid)))
        return out, len(out)

    def _render(self, call: Call, pending: Pending) -> Any:
        if pending.kind == "leave":
            return data.new(PC.ObjectUpdate, kind="leave", obj=pending.obj.ref)
        reader = self.reader
        changes, missing = [], []
        for text, known in pending.paths.items():
            path = known or reader.path(pending.obj, text, call.version)
            stored, fault = reader.read(call, pending.obj, path)
            if fault is not None:
                missing.append(selection.missing_property(text, fault))
            elif stored is not None or pending.kind == "modify":
                changes.append(data.new(PC.Change, name=text, op="assign", val=stored))
        return data.new(PC.ObjectUpdate, kind=pending.kind, obj=pending.obj.ref, changeSet=changes, missingSet=missing)

    def DestroyPropertyFilter(self, call: Call) -> None:
        """Remove the filter from its collector."""
        self.sim.remove(self)

    def removed(self) -> None:
        self.destroyed = True


class Updates:
    """One session's view of one collector: its filters, the version it is at, the answer it got last."""

    def __init__(self, sim: Endpoint) -> None:
        self.sim = sim
        self.filters: dict[str, Filter] = {}
        self.version = 0
        self._previous: tuple[str, Any] | None = None
        self._cancels = 0

    def add(self, item: Filter) -> None:
        """A new filter: its objects are due with the next answer."""
        self.filters[item.moid] = item
        self.sim.clock.changed.notify_all()

    def cancel(self) -> None:
        """End a pending wait."""
        self._cancels += 1
        self.sim.clock.changed.notify_all()

    def wait(self, call: Call, collector: ManagedObject, version: str, seconds: int | None, most: int | None) -> Any:
        """The next update set, or None when time runs out. Raises InvalidCollectorVersion and RequestCanceled."""
        if self._previous is not None and version == self._previous[0] and version != "":
            return self._previous[1]
        if version == "":
            for item in self._alive():
                if self.version:
                    item.reset(call)
            self._previous = None
        elif version != str(self.version):
            raise vmodl.query.InvalidCollectorVersion()
        cancels, session = self._cancels, call.session
        assert session is not None

        def ready() -> bool:
            lost = self._cancels != cancels or self.sim.registry.find(collector.moid) is not collector
            return lost or self.sim.sessions.of(session.key) is not session or self._collect(call)

        session.waiting += 1
        try:
            woken = ready() or (seconds != 0 and self.sim.clock.wait(ready, seconds, patient=call.peer.remote))
        finally:
            session.waiting -= 1
            session.last_active = self.sim.clock.now()
        if self.sim.sessions.of(session.key) is not session:
            raise vim.fault.NotAuthenticated(object=collector.ref, privilegeId="System.View")
        if self._cancels != cancels:
            raise vmodl.fault.RequestCanceled()
        return self._answer(call, version, most) if woken else None

    def _alive(self) -> list[Filter]:
        self.filters = {moid: item for moid, item in self.filters.items() if not item.destroyed}
        return list(self.filters.values())

    def _collect(self, call: Call) -> bool:
        found = [item.collect(call) for item in self._alive()]  # every filter must look, not only the first with news
        return any(found)

    def _answer(self, call: Call, asked: str, most: int | None) -> Any:
        cap = int(self.sim.knobs.max_update_objects)
        room = min(item for item in (most, cap or None, 1 << 30) if item)
        sets = []
        for item in self._alive():
            if room <= 0 or not item.pending:
                continue
            objects, used = item.deliver(call, room)
            room -= used
            lost = [data.new(PC.MissingObject, obj=ref, fault=_gone(ref)) for ref in item.lost]
            sets.append(data.new(PC.FilterUpdate, filter=item.ref, objectSet=objects, missingSet=lost))
        self.version += 1
        more = any(item.pending for item in self._alive())
        answer = data.new(PC.UpdateSet, version=str(self.version), filterSet=sets, truncated=True if more else None)
        self._previous = (asked, answer)
        return answer


def _gone(ref: Any) -> Any:
    return vmodl.fault.ManagedObjectNotFound(obj=ref)
