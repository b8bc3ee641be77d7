# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resolving the names of hosts, clusters and VMs to inventory objects. PRIVATE to the collection.

Names are compared in the form that the vSphere Client shows. An inventory path is written with slashes, as ``/DC/vm/folder/web``.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from .errors import InputError
from .text import visible_name

MOST_CANDIDATES = 8
"""The largest number of names in one message."""

Kind = Literal["host", "cluster", "vm"]
KINDS: tuple[Kind, ...] = ("host", "cluster", "vm")
Meaning = TypeVar("Meaning")
Value = TypeVar("Value")

_NOUNS: Mapping[Kind, str] = {"host": "ESXi host", "cluster": "cluster", "vm": "VM"}
_ESCAPED = re.compile("%(2f|5c|25)", re.IGNORECASE)


def decoded(wire: str) -> str:
    """A name from the server with ``%2f``, ``%5c`` and ``%25`` (upper or lower case) decoded to ``/``, ``\\`` and ``%``, in one pass.

    vSphere API reference, ManagedEntity.name: slash, backslash and percent sign are escaped in names of inventory objects. No other
    sequence is escaped, so no other is decoded.
    """
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), wire)


def shown_name(wire: str) -> str:
    """A name as the vSphere Client shows it, with control characters made visible."""
    return visible_name(decoded(wire))


def visible_names(names: Iterable[str]) -> frozenset[str]:
    """Both possible forms of each name: as the client shows it, and as the server sends it."""
    return frozenset(form for name in names for form in (visible_name(name), shown_name(name)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """An inventory object that can be found by name. ``name`` is the name that the client shows.

    ``paths``: its inventory paths below the root folder, split into parts. The first one is used in output.
    """

    moid: str
    name: str
    paths: tuple[tuple[str, ...], ...] = ()

    @property
    def path(self) -> str:
        """The inventory path, such as ``DC/vm/folder/web``."""
        return "/".join(self.paths[0]) if self.paths else self.name


@dataclass(frozen=True, slots=True)
class Reference:
    """How a parameter names an object: by name or path, by managed object id, or by a string that may be either (``any``)."""

    text: str
    by: Literal["name", "moid", "any"] = "any"


class Directory:
    """All objects of one kind, to be found by name, path or managed object id.

    ``aliases``: more names → ids; they are used when no name or path matches. For hosts, upper and lower case are equal, and the first
    label of the host name is enough when only one host has it.
    """

    def __init__(self, kind: Kind, objects: Iterable[Named], aliases: Mapping[str, str] | None = None) -> None:
        self.kind = kind
        self._aliases = aliases or {}
        self._remembered: Mapping[str, str] = {}
        self.found: dict[str, str] = {}
        """Names that were looked up so far → managed object ids."""
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
        """The object with this name, path or id.

        Raises InputError: ``unknown_<kind>`` with similar names, ``ambiguous_<kind>`` with the paths of all objects of this name.
        """
        found = self.lookup(reference, parameter)
        if found is None:
            text, noun = _text(reference), _NOUNS[self.kind]
            by_id = isinstance(reference, Reference) and reference.by == "moid"
            raise InputError(
                message=f"There is no {noun} {f'with the managed object id {text!r}' if by_id else repr(text)} in this inventory",
                code="unknown_vm"
                if self.kind == "vm"
                else "unknown_host"
                if self.kind == "host"
                else "unknown_cluster",
                parameter=parameter,
                candidates=near(text, self._by_id if by_id else {one.name for one in self._by_id.values()}),
                cure="Correct the name, or check that the account may see the object",
            )
        return found

    def lookup(self, reference: Reference | str, parameter: str) -> Named | None:
        """The same, but None when no object matches. Raises InputError (``ambiguous_<kind>``)."""
        normalized = reference if isinstance(reference, Reference) else Reference(reference)
        known = self._by_id.get(self._remembered.get(normalized.text, "")) if normalized.by != "moid" else None
        one = known or self._find(normalized, parameter)
        if one is not None:
            self.found[normalized.text] = one.moid
        return one

    def remember(self, found: Mapping[str, str]) -> None:
        """Names → ids that an earlier part of the same run found. They mean the same objects, even if these were renamed since."""
        self._remembered = dict(found)

    def _find(self, normalized: Reference, parameter: str) -> Named | None:
        named = self._find_by_name(normalized.text) if normalized.by != "moid" else {}
        by_id = self._by_id.get(normalized.text) if normalized.by != "name" else None
        found = {**named, **({by_id.moid: by_id} if by_id is not None else {})}
        if not found and normalized.by != "moid":
            found = {one.moid: one for one in self._find_by_alias(normalized.text)}
        if len(found) > 1:
            is_id = by_id is not None and by_id.moid not in named
            raise self._ambiguous(normalized.text, list(found.values()), parameter, is_id=is_id)
        return next(iter(found.values()), None)

    def label(self, moid: str) -> str:
        """The name of an object in results: its name, or, when several objects have this name, ``/`` and its inventory path."""
        return self._labels.get(moid, moid)

    def path(self, moid: str) -> str:
        """The inventory path, such as ``DC/vm/folder/web``; empty for an unknown object."""
        return self._by_id[moid].path if moid in self._by_id else ""

    def __contains__(self, moid: object) -> bool:
        return moid in self._by_id

    def _find_by_name(self, text: str) -> dict[str, Named]:
        """Objects with this name or path, as the client shows it or as the server sends it."""
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

    def _find_by_alias(self, text: str) -> list[Named]:
        normalized = self._fold(text)
        if normalized in self._aliases:
            return [self._by_id[self._aliases[normalized]]]
        # esx-01 for esx-01.example.net. The first number of an address is no label.
        return [] if "." in normalized or normalized.isdecimal() else self._by_label.get(normalized, [])

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
        listed = [f"/{one.path}" for one in shown]
        one_is_id = ": it is the name of one and the managed object id of another one" if is_id else ""
        return InputError(
            message=f"{text!r} matches {len(found)} {_NOUNS[self.kind]}s{one_is_id}",
            code="ambiguous_vm"
            if self.kind == "vm"
            else "ambiguous_host"
            if self.kind == "host"
            else "ambiguous_cluster",
            parameter=parameter,
            candidates=[f"{path} ({one.moid})" for path, one in zip(listed, shown, strict=True)],
            cure="Write the managed object id of the one you mean, as listed here in parentheses"
            if f"/{text.strip('/')}" in listed or len({*listed}) < len(listed)
            else "Write the inventory path of the one you mean, as listed here before the id",
        )


def _end(text: str) -> str:
    """The text after the last slash: equal for a name and for every path that ends in it (except a name that is only slashes)."""
    return text.rstrip("/").rpartition("/")[2]


def _text(reference: Reference | str) -> str:
    return reference.text if isinstance(reference, Reference) else reference


def near(name: str, known: Collection[str]) -> list[str]:
    """Similar names; when none is similar, the first few known names."""
    ordered = sorted(known)
    close = difflib.get_close_matches(name, ordered, n=MOST_CANDIDATES, cutoff=0.5)
    return close or ordered[:MOST_CANDIDATES]


@dataclass(frozen=True, kw_only=True, slots=True)
class ResolvedNames(Generic[Meaning]):
    """The values that a parameter gives for named objects. ``by_id``: managed object id → value, for objects that exist.

    ``by_name``: name → value, for objects that appear or are renamed during the run. ``ids``: string in the parameter → id of the object
    that it means now.
    """

    by_id: Mapping[str, Meaning] = field(default_factory=dict)
    by_name: Mapping[str, Meaning] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)

    def of(self, moid: str, name: str) -> Meaning | None:
        return self.by_id.get(moid, self.by_name.get(name))


def resolve_each(directory: Directory, values: Mapping[str, Meaning], parameter: str) -> ResolvedNames[Meaning]:
    """Resolve the names in a parameter (name → value). A name without an object is no error.

    Raises InputError (ambiguous) for a name that matches several objects.
    """
    by_id: dict[str, Meaning] = {}
    by_name: dict[str, Meaning] = {}
    ids: dict[str, str] = {}
    for text, meaning in values.items():
        found = directory.lookup(text, parameter)
        if found is not None:
            by_id[found.moid], ids[text] = meaning, found.moid
        if found is None or found.moid != text:
            by_name.update(dict.fromkeys(visible_names([text]), meaning))
    return ResolvedNames(by_id=by_id, by_name=by_name, ids=ids)


def resolve_all(
    directory: Directory, values: Mapping[str, Meaning], parameter: str, *, may_miss: Collection[str] = ()
) -> ResolvedNames[Meaning]:
    """The same for a list that protects objects. An unknown name is an error, because it would protect nothing.

    ``may_miss``: names whose object may be gone. Raises InputError (unknown, with similar names; ambiguous).
    """
    for text in values:
        try:
            directory.find(text, parameter)
        except InputError as error:
            if error.code.startswith("unknown"):
                if text in may_miss:
                    continue
                may_miss_it = f"If the object may be gone, or is in another vCenter, list it in {parameter}_missing"
                error.cure = f"{may_miss_it}. Else {error.cure[:1].lower()}{error.cure[1:]}"
            raise
    return resolve_each(directory, values, parameter)


def relabel(directory: Directory, values: Mapping[str, Value], parameter: str) -> dict[str, Value]:
    """The mapping with each key replaced by the name that results use for the object. Keys without an object stay unchanged."""
    return {
        directory.label(found.moid) if (found := directory.lookup(text, parameter)) is not None else text: value
        for text, value in values.items()
    }
