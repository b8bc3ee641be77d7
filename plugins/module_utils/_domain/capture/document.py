# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A capture of a fleet: what the server answered, as plain data, and the file that holds it. docs/capture.schema.json is its format.

Values are what JSON has. An object of the API has its type as ``_t``, a reference is ``{"_r": "HostSystem:host-12"}``. In the file, an
object that occurs more than once is in ``shared``, and ``{"$": 3}`` stands for the fourth of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ..rolling.scheduling.natural_sort import Key, natural_key

FORMAT = "directpath.vsphere.capture"
VERSION = 1
TYPE, REFERENCE, SHARED = "_t", "_r", "$"
LONG = "xsd:long"
"""The type of a number in a field that takes any type. Without it, a number there is an xsd:int."""
LEAST = 40
"""Characters from which an object that occurs again is stored once. Shorter ones are no longer than the number that stands for them."""

Tree: TypeAlias = "bool | int | float | str | list[Tree] | dict[str, Tree] | None"


class Word(str):
    """A text that is a name of the API itself, such as a value of an enumeration. It says nothing about a site."""

    __slots__ = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class CapturedObject:
    """``values``: property path → value; a path that was read and is not in it is unset. ``missing``: path → name of the fault that the
    server returned in its place."""

    kind: str
    moid: str
    values: Mapping[str, Tree]
    missing: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Capture:
    """All of a server.

    - ``about``: AboutInfo of the server.
    - ``paths``: type → the property paths that were read.
    - ``partitions``: host id → partition tables of its disks; None if the host refused them.
    - ``targets``: compute resource id → vendor device groups and DVX classes that it offers.
    - ``reboots``: host id → seconds of past reboots, the oldest first.
    - ``tags``: tags and compute policies; None where they were not read.
    - ``settings``: advanced settings of the vCenter.
    - ``computed``: methods that are not recorded, because the twin computes their answers.
    """

    kind: str
    time: str
    api: str
    about: Tree
    root: str
    paths: Mapping[str, tuple[str, ...]]
    objects: tuple[CapturedObject, ...]
    partitions: Mapping[str, Tree] = field(default_factory=dict)
    targets: Mapping[str, Tree] = field(default_factory=dict)
    reboots: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    tags: Tree = None
    settings: Mapping[str, str] = field(default_factory=dict)
    computed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    anonymized: bool = False


def in_order(objects: Iterable[CapturedObject]) -> tuple[CapturedObject, ...]:
    """Sorted by type and id, as in the file."""
    return tuple(sorted(objects, key=lambda item: (item.kind, natural(item.moid))))


def natural(moid: str) -> tuple[Key, str]:
    """A key that sorts host-2 before host-10. Leading zeros decide only between equal numbers."""
    return natural_key([moid]), moid


# -- the file -------------------------------------------------------------------------------------------------------


def to_text(capture: Capture) -> str:
    """The file: one object of the API on a line. The same capture always gives the same text."""
    pack = _Pack()
    objects: list[Tree] = [
        {
            "type": item.kind,
            "id": item.moid,
            "values": {path: pack.add(item.values[path]) for path in sorted(item.values)},
            **({"missing": dict(sorted(item.missing.items()))} if item.missing else {}),
        }
        for item in capture.objects
    ]
    partitions = {moid: pack.add(capture.partitions[moid]) for moid in sorted(capture.partitions, key=natural)}
    targets = {moid: pack.add(capture.targets[moid]) for moid in sorted(capture.targets, key=natural)}
    head = {
        "format": FORMAT,
        "version": VERSION,
        "anonymized": capture.anonymized,
        "server": {
            "kind": capture.kind,
            "api": capture.api,
            "time": capture.time,
            "root": capture.root,
            "about": capture.about,
            "settings": dict(sorted(capture.settings.items())),
        },
        "computed": list(capture.computed),
        "notes": list(capture.notes),
        "paths": {kind: list(capture.paths[kind]) for kind in sorted(capture.paths)},
        "reboots": {moid: list(capture.reboots[moid]) for moid in sorted(capture.reboots, key=natural)},
        "tags": capture.tags,
    }
    lines = [f"{_dumped(name)}: {_dumped(value)}" for name, value in head.items()]
    lines.append('"shared": ' + _rows(pack.texts()))
    lines.append('"targets": ' + _dumped(pack.finished(targets)))
    lines.append('"partitions": ' + _dumped(pack.finished(partitions)))
    lines.append('"objects": ' + _rows(_dumped(pack.finished(item)) for item in objects))
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _rows(texts: Iterable[str]) -> str:
    return "[\n" + ",\n".join(texts) + "\n]"


def _dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class _Pack:
    """Stores an object that occurs again once. What it contains comes before it, so that a reader needs one pass."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._trees: list[dict[str, Tree]] = []
        self._lengths: list[int] = []
        self._uses: list[int] = []
        self._known: dict[int, tuple[Tree, int]] = {}
        self._places: dict[int, int] = {}

    def add(self, tree: Tree) -> Tree:
        """The tree with numbers in place of its objects."""
        if isinstance(tree, list):
            return [self.add(item) for item in tree]
        if not isinstance(tree, dict) or REFERENCE in tree:
            return tree
        if TYPE not in tree:
            return {name: self.add(value) for name, value in tree.items()}
        known = self._known.get(id(tree))  # the tree is kept as well, so that its identity stays its own
        if known is None:
            known = self._known[id(tree)] = tree, self._number({name: self.add(value) for name, value in tree.items()})
        self._uses[known[1]] += 1
        return {SHARED: known[1]}

    def _number(self, tree: dict[str, Tree]) -> int:
        text = _dumped(tree)
        number = self._numbers.setdefault(text, len(self._trees))
        if number == len(self._trees):
            self._trees.append(tree)
            self._lengths.append(len(text))
            self._uses.append(0)
        return number

    def texts(self) -> list[str]:
        """The table. Called when everything is added."""
        chosen = [n for n, uses in enumerate(self._uses) if uses > 1 and self._lengths[n] >= LEAST]
        self._places = {number: place for place, number in enumerate(chosen)}
        return [_dumped(self._inside(number)) for number in chosen]

    def _inside(self, number: int) -> dict[str, Tree]:
        return {name: self.finished(value) for name, value in self._trees[number].items()}

    def finished(self, tree: Tree) -> Tree:
        """A tree that ``add`` returned, as it is in the file."""
        if isinstance(tree, list):
            return [self.finished(item) for item in tree]
        if not isinstance(tree, dict):
            return tree
        number = tree.get(SHARED)
        if not isinstance(number, int):
            return {name: self.finished(value) for name, value in tree.items()}
        return {SHARED: self._places[number]} if number in self._places else self._inside(number)


_TIME = re.compile(r'("time":)"[^"]*"')


def without_time(text: str) -> str:
    """The text of a file without the moment at which it was captured."""
    return _TIME.sub(r'\1""', text, count=1)
