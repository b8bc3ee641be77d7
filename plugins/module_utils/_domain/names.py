# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a name stands for: the one resolver for hosts, clusters and VMs. PRIVATE to the collection.

A name is compared in the form in which the vSphere Client shows it. An inventory path is written with slashes, as ``/DC/vm/folder/web``.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from .errors import InputError
from .text import visible_name

MOST_CANDIDATES = 8
"""A message lists at most so many names."""

Kind = Literal["host", "cluster", "vm"]
KINDS: tuple[Kind, ...] = ("host", "cluster", "vm")
Meaning = TypeVar("Meaning")

_NOUNS: Mapping[Kind, str] = {"host": "ESXi host", "cluster": "cluster", "vm": "VM"}
_ESCAPED = re.compile("%(2f|5c|25)", re.IGNORECASE)


def decoded(wire: str) -> str:
    """A name as the server sends it, with ``%2f``, ``%5c`` and ``%25`` (either case) read as ``/``, ``\\`` and ``%``, in one pass.

    vSphere API reference, ManagedEntity.name: slash, backslash and percent sign are escaped in names of inventory objects. No other
    sequence is, so none is decoded.
    """
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), wire)


def shown_name(wire: str) -> str:
    """A name as the vSphere Client shows it, with control characters made visible."""
    return visible_name(decoded(wire))


def visible_names(names: Iterable[str]) -> frozenset[str]:
    """Both forms that each may be meant in: as shown, and as sent."""
    return frozenset(form for name in names for form in (visible_name(name), shown_name(name)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """An object of the inventory, as far as finding it goes. ``name`` is the shown one.

    ``paths``: its inventory paths from below the root folder, in parts. The first is the one that is printed.
    """

    moid: str
    name: str
    paths: tuple[tuple[str, ...], ...] = ()

    @property
    def path(self) -> str:
        """``DC/vm/folder/web``."""
        return "/".join(self.paths[0]) if self.paths else self.name


@dataclass(frozen=True, slots=True)
class Reference:
    """How a parameter names an object: by name or path, by managed object id, or by a string of a plain list, which may be either."""

    text: str
    by: Literal["name", "moid", "any"] = "any"


class Directory:
    """All objects of one kind, by what they may be called.

    ``aliases``: further names → ids, for objects that nothing else means. Hosts are found in any case, and by the first label of their
    name where that is one host's.
    """

    def __init__(self, kind: Kind, objects: Iterable[Named], aliases: Mapping[str, str] | None = None) -> None:
        self.kind = kind
        self._aliases = aliases or {}
        self._remembered: Mapping[str, str] = {}
        self.found: dict[str, str] = {}
        """Names that were looked up so far → ids."""
        self._by_id = {one.moid: one for one in objects}
        self._by_end: dict[str, list[Named]] = {}
        self._by_label: dict[str, list[Named]] = {}
        for one in self._by_id.values():
            name = self._fold(one.name)
            for end in dict.fromkeys((_end(name), _end(self._fold(one.path)))):
                self._by_end.setdefault(end, []).append(one)
            if kind == "host":
                self._by_label.setdefault(name.split(".")[0], []).append(one)
        self._labels = self._make_labels()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Directory):
            return NotImplemented
        return (self.kind, self._by_id, self._aliases) == (other.kind, other._by_id, other._aliases)

    __hash__ = None  # type: ignore[assignment]  # a value with mappings in it

    def find(self, reference: Reference | str, parameter: str) -> Named:
        """Raises InputError: ``unknown_<kind>`` with near names, ``ambiguous_<kind>`` with the paths of all that are called so."""
        found = self.lookup(reference, parameter)
        if found is None:
            text, noun = _text(reference), _NOUNS[self.kind]
            by_id = isinstance(reference, Reference) and reference.by == "moid"
            raise InputError(
                message=f"There is no {noun} {f'with the managed object id {text!r}' if by_id else repr(text)} here",
                code="unknown_vm"
                if self.kind == "vm"
                else "unknown_host"
                if self.kind == "host"
                else "unknown_cluster",
                parameter=parameter,
                candidates=near(text, self._by_id if by_id else {one.name for one in self._by_id.values()}),
                cure="Correct the name, or check that the account may see it",
            )
        return found

    def lookup(self, reference: Reference | str, parameter: str) -> Named | None:
        """The same, with None for what nothing is called here."""
        wanted = reference if isinstance(reference, Reference) else Reference(reference)
        known = self._by_id.get(self._remembered.get(wanted.text, "")) if wanted.by != "moid" else None
        one = known or self._looked_up(wanted, parameter)
        if one is not None:
            self.found[wanted.text] = one.moid
        return one

    def remember(self, found: Mapping[str, str]) -> None:
        """Names → ids, as an earlier part of the same run found them: they mean the same objects, whatever those are called by now."""
        self._remembered = dict(found)

    def _looked_up(self, wanted: Reference, parameter: str) -> Named | None:
        named = self._named(wanted.text) if wanted.by != "moid" else {}
        by_id = self._by_id.get(wanted.text) if wanted.by != "name" else None
        found = {**named, **({by_id.moid: by_id} if by_id is not None else {})}
        if not found and wanted.by != "moid":
            found = {one.moid: one for one in self._otherwise(wanted.text)}
        if len(found) > 1:
            is_id = by_id is not None and by_id.moid not in named
            raise self._ambiguous(wanted.text, list(found.values()), parameter, is_id=is_id)
        return next(iter(found.values()), None)

    def label(self, moid: str) -> str:
        """What an object is called in results: its name, or where several have it, its path with a slash before it."""
        return self._labels.get(moid, moid)

    def path(self, moid: str) -> str:
        """``DC/vm/folder/web``; empty for an object that is not here."""
        return self._by_id[moid].path if moid in self._by_id else ""

    def __contains__(self, moid: object) -> bool:
        return moid in self._by_id

    def _named(self, text: str) -> dict[str, Named]:
        """Those that are shown so, and those whose name is sent so."""
        return {
            one.moid: one
            for form in {self._fold(form) for form in visible_names([text])}
            for one in self._by_end.get(_end(form), ())
            if self._is_called(one, form)
        }

    def _is_called(self, one: Named, form: str) -> bool:
        if self._fold(one.name) == form:
            return True
        is_whole, path = form.startswith("/"), form.removeprefix("/").rstrip("/")
        return any(
            self._fold("/".join(parts[begin:])).rstrip("/") == path
            for parts in one.paths
            for begin in (range(1) if is_whole else range(len(parts)))
        )

    def _otherwise(self, text: str) -> list[Named]:
        wanted = self._fold(text)
        if wanted in self._aliases:
            return [self._by_id[self._aliases[wanted]]]
        # esx-01 for esx-01.example.net. The first number of an address is no label.
        return [] if "." in wanted or wanted.isdecimal() else self._by_label.get(wanted, [])

    def _fold(self, text: str) -> str:
        return text.casefold() if self.kind == "host" else text

    def _make_labels(self) -> dict[str, str]:
        names = Counter(self._fold(one.name) for one in self._by_id.values())
        paths = Counter(self._fold(one.path) for one in self._by_id.values())

        def label(one: Named) -> str:
            if names[self._fold(one.name)] == 1:
                return one.name
            return f"/{one.path}" if paths[self._fold(one.path)] == 1 else one.moid

        return {one.moid: label(one) for one in self._by_id.values()}

    def _ambiguous(self, text: str, found: list[Named], parameter: str, *, is_id: bool) -> InputError:
        shown = sorted(found, key=lambda one: (one.path, one.moid))[:MOST_CANDIDATES]
        one_is_id = ": it is a name, and the managed object id of another one" if is_id else ""
        return InputError(
            message=f"{text!r} stands for {len(found)} {_NOUNS[self.kind]}s{one_is_id}",
            code="ambiguous_vm"
            if self.kind == "vm"
            else "ambiguous_host"
            if self.kind == "host"
            else "ambiguous_cluster",
            parameter=parameter,
            candidates=[f"/{one.path} ({one.moid})" for one in shown],
            cure="Write the inventory path of the one that is meant, as it is listed here before the id",
        )


def _end(text: str) -> str:
    """What follows the last slash: the same for a name and for every path that leads to it, but for a name of nothing but slashes."""
    return text.rstrip("/").rpartition("/")[2]


def _text(reference: Reference | str) -> str:
    return reference.text if isinstance(reference, Reference) else reference


def near(name: str, known: Collection[str]) -> list[str]:
    """Names like it; where none is, the first few there are."""
    ordered = sorted(known)
    close = difflib.get_close_matches(name, ordered, n=MOST_CANDIDATES, cutoff=0.5)
    return close or ordered[:MOST_CANDIDATES]


@dataclass(frozen=True, kw_only=True, slots=True)
class Meant(Generic[Meaning]):
    """What a parameter says of objects it names: ``by_id`` of those that are there.

    ``by_name`` is what names say, so that an object that appears or is renamed while a run lasts is known, too. ``ids``: the strings that
    mean something now.
    """

    by_id: Mapping[str, Meaning] = field(default_factory=dict)
    by_name: Mapping[str, Meaning] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)

    def of(self, moid: str, name: str) -> Meaning | None:
        return self.by_id.get(moid, self.by_name.get(name))


def resolve_each(directory: Directory, said: Mapping[str, Meaning], parameter: str) -> Meant[Meaning]:
    """The strings of a plain list, or keys of a mapping, with what is said of each. Names that nothing has are no mistake here.

    Raises InputError (ambiguous) for one that stands for several objects.
    """
    by_id: dict[str, Meaning] = {}
    by_name: dict[str, Meaning] = {}
    ids: dict[str, str] = {}
    for text, meaning in said.items():
        found = directory.lookup(text, parameter)
        if found is not None:
            by_id[found.moid], ids[text] = meaning, found.moid
        if found is None or found.moid != text:
            by_name.update(dict.fromkeys(visible_names([text]), meaning))
    return Meant(by_id=by_id, by_name=by_name, ids=ids)


def resolve_all(directory: Directory, said: Mapping[str, Meaning], parameter: str) -> Meant[Meaning]:
    """The same for a list that protects: a name that nothing has would protect nothing.

    Raises InputError (unknown with near names, ambiguous).
    """
    for text in said:
        try:
            directory.find(text, parameter)
        except InputError as error:
            if error.code.startswith("unknown"):
                error.cure += ". A name that another vCenter has belongs into the variables of that one"
            raise
    return resolve_each(directory, said, parameter)


def relabelled(directory: Directory, said: Mapping[str, Any], parameter: str) -> dict[str, Any]:
    """The same mapping with each key as its object is called in results. Keys that nothing is called stay as they are."""
    return {
        directory.label(found.moid) if (found := directory.lookup(text, parameter)) is not None else text: value
        for text, value in said.items()
    }
