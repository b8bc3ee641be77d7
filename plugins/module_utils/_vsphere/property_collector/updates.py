# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A property filter that is created again after a new login or a restart of the server. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from ..sdk import vmodl
from ..session.connect import Session
from .retrieve import Row, decode_name
from .wait import LONGEST_WAIT

_pc = vmodl.query.PropertyCollector

OBJECTS_A_CALL = 1000
"""Object updates in one answer. The server may return fewer, and then marks the answer as truncated."""
_REMAKES = 3
"""How often one wait creates the filter again because the session ended."""

Paths = Mapping[type, Sequence[str]]
NEW = "\x00new"
"""Stands among the paths of a new object."""


@dataclass(kw_only=True, slots=True)
class Delta:
    """The differences: moid → changed paths (with ``NEW`` for a new object), and the objects that left, with their type."""

    changed: dict[str, set[str]] = field(default_factory=dict)
    left: dict[str, type] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.changed or self.left)


class Watch:
    """The current properties of the objects that a description selects. ``wait`` updates them.

    ``describe`` returns object specs and property paths. It is called each time the filter is created: at the first wait, and after a new
    login. The filter has its own collector, so that other waits of the same session do not get its updates.
    """

    def __init__(
        self,
        session: Session,
        describe: Callable[[], tuple[list[Any], Paths]],
        *,
        keep: Callable[[str, Any], Any] = lambda _path, value: value,
    ) -> None:
        """``keep``: what is kept of a value (path, value), for large values of which only a change matters."""
        self._session = session
        self._describe = describe
        self._keep = keep
        self._collector: Any = None
        self._version = ""
        self._logins = 0
        self._seen: set[str] | None = None
        """Ids of the objects in the first answers of a new filter; None after these are complete."""
        self._delta = Delta()
        self.rows: dict[str, Row] = {}
        """moid → last known row. Kept when the filter is created again, so that only real differences count."""

    def wait(self, seconds: float) -> Delta:
        """The differences since the last wait. Returns at once if there are any, else after at most ``seconds``.

        Raises connection errors, and faults other than those of an ended session. The next wait then creates the filter again, and no
        difference is lost.
        """
        deadline = self._session.clock() + seconds
        remakes = 0
        while True:
            try:
                if self._advance(deadline):
                    delta, self._delta = self._delta, Delta()
                    return delta
            except vmodl.MethodFault as fault:
                ended = self._session.renewed_since(self._logins)
                gone = isinstance(fault, (vmodl.query.InvalidCollectorVersion, vmodl.fault.ManagedObjectNotFound))
                self._collector = None
                remakes += 1
                if remakes > _REMAKES or not (ended or gone):
                    raise
            except Exception:
                self._collector = None
                raise

    def interrupt(self) -> None:
        """End the wait of another thread now, if the server can be reached. It raises a fault there."""
        collector = self._collector
        if collector is not None:
            with suppress(Exception):
                collector.CancelWaitForUpdates()

    def close(self) -> None:
        """Remove the filter from the server, if the server can be reached. The next wait creates it again."""
        if self._collector is not None and self._logins == self._session.logins:
            with suppress(Exception):
                self._collector.DestroyPropertyCollector()
        self._collector = None

    def _advance(self, deadline: float) -> bool:
        """Make one call. Returns whether the wait is over."""
        if self._collector is None or self._logins != self._session.logins:
            self._create()
        left = 0.0 if self._delta or self._seen is not None else max(0.0, deadline - self._session.clock())
        options = _pc.WaitOptions(maxWaitSeconds=min(LONGEST_WAIT, ceil(left)), maxObjectUpdates=OBJECTS_A_CALL)
        update = self._collector.WaitForUpdatesEx(self._version, options)
        if self._session.renewed_since(self._logins):
            return False
        if update is not None:
            self._version = update.version
            self._merge(update)
            if update.truncated:
                return False
        self._forget_unseen()
        return bool(self._delta) or self._session.clock() >= deadline

    def _create(self) -> None:
        self.close()
        logins = self._session.logins
        objects, paths = self._describe()
        properties = [
            _pc.PropertySpec(type=kind, all=False, pathSet=sorted(set(names))) for kind, names in paths.items()
        ]
        spec = _pc.FilterSpec(objectSet=objects, propSet=properties, reportMissingObjectsInResults=True)
        collector = self._session.content.propertyCollector.CreatePropertyCollector()
        # No partial updates, because a partial value would have to be merged.
        collector.CreateFilter(spec, False)
        self._collector, self._version, self._seen, self._logins = collector, "", set(), logins

    def _merge(self, update: Any) -> None:
        for filter_update in update.filterSet or ():
            for change in filter_update.objectSet or ():
                moid = change.obj._moId
                if change.kind == "leave":
                    self._forget(moid)
                    continue
                if self._seen is not None:
                    self._seen.add(moid)
                self._delta.left.pop(moid, None)
                self._merge_object(change)

    def _merge_object(self, change: Any) -> None:
        """Merge one object. If it was known before the filter was created again, only its differences count."""
        moid = change.obj._moId
        old = self.rows.get(moid)
        keep = old is not None and change.kind == "modify"
        values: dict[str, Any] = dict(old.values) if old is not None and keep else {}
        missing: dict[str, Any] = dict(old.missing) if old is not None and keep else {}
        for entry in change.changeSet or ():
            missing.pop(entry.name, None)
            value = entry.val if entry.op == "assign" else None
            values[entry.name] = self._keep(entry.name, decode_name(type(change.obj), entry.name, value))
        for entry in change.missingSet or ():
            values.pop(entry.path, None)
            missing[entry.path] = entry.fault
        row = Row(kind=type(change.obj), moid=moid, values=values, missing=missing)
        self.rows[moid] = row
        paths = {NEW, *values, *missing} if old is None else _differences(old, row)
        if paths:
            self._delta.changed.setdefault(moid, set()).update(paths)

    def _forget(self, moid: str) -> None:
        row = self.rows.pop(moid, None)
        self._delta.changed.pop(moid, None)
        if row is not None:
            self._delta.left[moid] = row.kind

    def _forget_unseen(self) -> None:
        """Forget the objects of the old filter that the new one does not return."""
        if self._seen is not None:
            for moid in self.rows.keys() - self._seen:
                self._forget(moid)
        self._seen = None


def _differences(old: Row, new: Row) -> set[str]:
    paths = set(old.values) | set(new.values) | set(old.missing) | set(new.missing)
    return {
        path
        for path in paths
        if (path in old.missing) != (path in new.missing) or not _same(old.values.get(path), new.values.get(path))
    }


def _same(one: Any, other: Any) -> bool:
    """Deep equality: data objects of the SDK compare by identity only."""
    if one is other:
        return True
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(_same(*pair) for pair in zip(one, other, strict=True))
    if isinstance(one, vmodl.DynamicData) and isinstance(other, vmodl.DynamicData):
        return (
            one.__class__ is other.__class__
            and one.__dict__.keys() == other.__dict__.keys()
            and all(_same(value, other.__dict__[name]) for name, value in one.__dict__.items())
        )
    return bool(one == other)
