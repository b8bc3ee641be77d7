# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The writes of a session in a form that says nothing about the site, for a run file. PRIVATE to the collection.

It fails closed. Of an argument, a run file gets whether it is given and its type. It gets the value of a boolean, of an enumeration of the
API, and of a number that an anonymized capture may have, too. No text and no time is kept. The objects that are written to, and those that
arguments refer to, are kept by their ids, which an anonymized capture has, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..._domain.capture.allowed import MOID, NUMBERS
from ..sdk import DataObject, Enum, ManagedObject

Write = tuple[str, tuple[tuple[str, int], ...]]
"""Method and parts of its arguments, each with how often it is there: lists have equal parts."""
WrittenObject = tuple[str, str]
"""Method and object: its id, or the place of an argument with the id that it refers to (``host=host-12``)."""
MOST_FORMS = 200
"""From more different calls of one method, only their number is kept."""
_NUMBERS = NUMBERS - {"key", "groupInstanceKey"}
"""Without those that the server assigns, because a twin assigns others."""
_NOTES = frozenset({"SetField", "LogUserEvent"})
"""How a run notes its state at the server. How often and what depends on the time that it takes."""
_WORDS: Mapping[str, frozenset[str]] = {
    "objectAction": frozenset({"ensureObjectAccessibility", "evacuateAllData", "noAction"}),
    "graphicsType": frozenset({"shared", "sharedDirect"}),
    "hostDefaultGraphicsType": frozenset({"shared", "sharedDirect"}),
    "sharedPassthruAssignmentPolicy": frozenset({"performance", "consolidation"}),
}
"""Values of enumerations whose field is a text in the API."""


class SentWrites:
    """What was written so far. Not for several threads at once."""

    def __init__(self) -> None:
        self._forms: Counter[Write] = Counter()
        self._objects: Counter[WrittenObject] = Counter()

    def note(self, target: Any, info: Any, arguments: Sequence[Any]) -> None:
        """A call of pyVmomi. ``target``: the object that has the method."""
        self._forms[form_of(info, arguments)] += 1
        name = str(info.wsdlName)
        for each in objects_of(target, info, arguments):
            self._objects[name, each] = 1 if name in _NOTES else self._objects[name, each] + 1

    def note_name(self, name: str) -> None:
        """A request that is not of the SOAP API."""
        self._forms[name, ()] += 1

    def forms(self) -> list[dict[str, Any]]:
        """Method, arguments and times, sorted: threads make calls in any order."""
        return rows_of(self._forms)

    def objects(self) -> list[dict[str, Any]]:
        """Method, object and times, sorted."""
        return [
            {"method": method, "object": each, "times": times}
            for (method, each), times in sorted(self._objects.items())
        ]


def form_of(info: Any, arguments: Sequence[Any]) -> Write:
    """A call of pyVmomi. ``arguments``: in the order of the parameters of the method."""
    name = str(info.wsdlName)
    if name in _NOTES:
        return name, ()
    parts: Counter[str] = Counter()
    for parameter, value in zip(info.params, arguments, strict=False):
        parts.update(_parts(parameter.name, parameter, value))
    return name, tuple(sorted(parts.items()))


def _parts(place: str, info: Any, value: Any) -> Iterator[str]:
    """``info``: the name and the type that the SDK declares."""
    if value is None:
        return
    if isinstance(value, list):
        for item in value:
            yield from _parts(f"{place}[]", info, item)
    elif isinstance(value, DataObject):
        kind: Any = type(value)
        yield f"{place}:{kind._wsdlName}"
        for field in kind._GetPropertyList():
            yield from _parts(f"{place}.{field.name}", field, getattr(value, field.name, None))
    else:
        shown = _shown(info, value)
        yield f"{place}={shown}" if shown else place


def objects_of(target: Any, info: Any, arguments: Sequence[Any]) -> Iterator[str]:
    """The objects of a call that a capture has, too: not tasks, which a server makes for each call."""
    yield from _references("", target)
    for parameter, value in zip(info.params, arguments, strict=False):
        yield from _references(f"{parameter.name}=", value)


def _references(place: str, value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _references(place, item)
    elif isinstance(value, ManagedObject):
        moid = str(value._moId)  # type: ignore[attr-defined]
        if MOID.fullmatch(moid) and not moid.startswith("task"):
            yield f"{place}{moid}"


def _shown(info: Any, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(int(value)) if info.name in _NUMBERS else ""
    kind: Any = getattr(info.type, "Item", info.type)
    is_enum = isinstance(kind, type) and issubclass(kind, Enum)
    words = getattr(kind, "values", ()) if is_enum else _WORDS.get(info.name, ())
    return str(value) if isinstance(value, str) and str(value) in words else ""


def rows_of(writes: Mapping[Write, int]) -> list[dict[str, Any]]:
    """Method, arguments and times, sorted: threads make calls in any order."""
    forms = Counter(name for name, _parts in writes)
    kept: Counter[Write] = Counter()
    for (name, parts), times in writes.items():
        kept[name, parts if forms[name] <= MOST_FORMS else ()] += times
    return [{"method": name, "arguments": dict(parts), "times": times} for (name, parts), times in sorted(kept.items())]
