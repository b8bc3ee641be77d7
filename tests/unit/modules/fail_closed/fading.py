# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Properties taken away from what a server answers, one at a time, in each way a server has of not giving them.

Which properties there are is not written down anywhere: whatever a module reads in a run, in bulk, through a filter or to get from
one object to others, is taken away in the next ones, so a new property is covered without anybody thinking of it. Only the answers
lack it: the simulated hosts and VMs stay as they are, so what a write does to them can be looked at.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from unittest import mock
from zlib import crc32

from pyVmomi import vmodl

from simulator.api import data
from simulator.api.wire import Stored
from simulator.core.base import ManagedObject
from simulator.services.reading import Path, PropertyReader
from tests.unit.modules.fail_closed.contradictions import CONTRADICTIONS
from tests.unit.modules.fail_closed.left_out import LEFT_OUT, Frugal

Way = Literal["missing", "unset", "empty", "contradicting"]
THOROUGH = "DIRECTPATH_SEARCH" in os.environ
"""Whether this is `make long`."""
WAYS: tuple[Way, ...] = ("missing", "unset", "empty", "contradicting")
"""In ``missingSet`` with the reason; in neither set; there, and an empty list, text or object; against another property."""


@dataclass(frozen=True, kw_only=True)
class Fade:
    """One property of one type, and how it is not given: of all objects of the type, or of those with these names."""

    kind: str
    path: str
    way: Way
    of: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind}.{self.path} {self.way}" + (f" of {', '.join(self.of)}" if self.of else "")

    def means(self, obj: ManagedObject, path: str, kind: str) -> bool:
        return (self.kind, self.path) == (kind, path) and (not self.of or getattr(obj, "name", "") in self.of)

    def applied(self, obj: ManagedObject, stored: Stored | None, fault: Any) -> tuple[Stored | None, Any]:
        if self.way == "missing":
            return None, vmodl.fault.SystemError(reason="not given", msg="not given")
        if self.way == "unset" or stored is None:
            return None, None
        if self.way == "empty":
            return _other(stored, emptied(stored.value)), None
        contradiction = CONTRADICTIONS[self.kind, self.path]
        assert not isinstance(contradiction, str)
        return _other(stored, contradiction(obj, data.clone(stored.value))), None


def _other(stored: Stored, value: Any) -> Stored | None:
    return None if value is None else replace(stored, value=value)


def kind_of(obj: ManagedObject) -> str:
    return str(obj.vim_type.__name__).rpartition(".")[2]


def emptied(value: Any) -> Any:
    """The empty value of the same type; None where the type has none."""
    if isinstance(value, list):
        return type(value)()
    if isinstance(value, str):
        return "" if value.__class__ is str else None  # an enumeration has no empty value
    return data.new(type(value)) if isinstance(value, data.DataObject) else None


@dataclass
class Seen:
    """The properties that were read in a run: (type, path) → whether any of the values can be empty."""

    paths: dict[tuple[str, str], bool] = field(default_factory=dict)

    def fades(self, kind: str, ways: tuple[Way, ...] = WAYS, turn: int | None = None) -> tuple[Fade, ...]:
        """Each property of the type in each way it can be not given. Those with a reason for having no contradiction have none.

        ``turn``: in one of each two ways that are much the same, this time (see ``ways_of_the_day``).
        """
        found = []
        for (its_kind, path), can_be_empty in sorted(self.paths.items()):
            if its_kind == kind:
                can = {"missing": True, "unset": True, "empty": can_be_empty, "contradicting": contradicted(kind, path)}
                possible = tuple(way for way in WAYS if can[way])
                today = possible if turn is None or THOROUGH else ways_of_the_day(possible, path, turn)
                found += [Fade(kind=kind, path=path, way=way) for way in ways if way in today]
        return tuple(found)


def ways_of_the_day(possible: tuple[Way, ...], path: str, turn: int) -> tuple[Way, ...]:
    """One of the two ways of not saying something, and one of the two of saying it wrong.

    Always the same for the same ``turn`` (a number for the task or the lab), and the other one for the next: each property that two
    tasks read is taken away in each way every day, though not from each task. `make long` takes all ways.
    """
    pairs = [[way for way in pair if way in possible] for pair in (WAYS[:2], WAYS[2:])]
    return tuple(pair[(crc32(path.encode()) + turn) % len(pair)] for pair in pairs if pair)


def contradicted(kind: str, path: str) -> bool:
    return not isinstance(CONTRADICTIONS.get((kind, path), ""), str)


Reads = Callable[[PropertyReader, Any, ManagedObject, Iterable[Path]], Iterator[tuple[Stored | None, Any]]]


@contextmanager
def watched(fade: Fade | Frugal | None = None) -> Iterator[Seen]:
    """Notes which properties are read, and takes one away."""
    seen = Seen()
    original: Reads = PropertyReader.read_all  # every read ends there

    def read_all(
        reader: PropertyReader, call: Any, obj: ManagedObject, paths: Iterable[Path]
    ) -> Iterator[tuple[Stored | None, Any]]:
        kind = kind_of(obj)
        read = list(paths)
        for path, (stored, fault) in zip(read, original(reader, call, obj, read), strict=True):
            key = (kind, path.text)
            value = stored.value if stored is not None else None
            seen.paths[key] = seen.paths.get(key, False) or emptied(value) is not None
            if fade is not None and fade.means(obj, path.text, kind):
                yield fade.applied(obj, stored, fault)
            else:
                yield stored, fault

    with mock.patch.object(PropertyReader, "read_all", read_all):
        yield seen


def unexplained(kind: str, seen: Seen) -> list[str]:
    """Paths that were read and have no contradiction and no reason why there is none, or of which it is not said how they are left out."""
    paths = {key for key in seen.paths if key[0] == kind}
    return sorted(path for _kind, path in paths - (CONTRADICTIONS.keys() & LEFT_OUT.keys()))
