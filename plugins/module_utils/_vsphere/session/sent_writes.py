# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The writes of a session in a form that says nothing about the site, for a run file. PRIVATE to the collection.

It fails closed. Of an argument, a run file gets whether it is given and its type. It gets the value of a boolean, of an enumeration of the
API, and of a number that an anonymized capture may have, too. No text, no id and no time is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..._domain.capture.allowed import NUMBERS
from ..sdk import DataObject, Enum

Write = tuple[str, tuple[tuple[str, int], ...]]
"""Method and parts of its arguments, each with how often it is there: lists have equal parts."""
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
