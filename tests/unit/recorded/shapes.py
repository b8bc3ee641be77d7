# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an answer looks like whatever it says: by property path the types, the encodings, what is unset and what is empty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from pyVmomi import SoapAdapter
from pyVmomi import VmomiSupport as vs

from simulator.api import wire

Shape = dict[str, frozenset[str]]
"""Property path without indexes -> every form in which its values come."""
ENVELOPE = (
    '<value xmlns="urn:vim25" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:xsd="http://www.w3.org/2001/XMLSchema"{rest}'
)
UNSET = "unset"


def sent(value: Any, version: str) -> Any:
    """A value of the simulator after its way over the wire to a client that speaks ``version``."""
    out: list[str] = []
    wire.write(out, "value", value, object, version)
    return SoapAdapter.Deserialize(ENVELOPE.format(rest="".join(out).removeprefix("<value")).encode(), object)


def shape(value: Any, root: str = "") -> Shape:
    """The shape of a data object."""
    found: dict[str, set[str]] = {}
    for path, form in _forms(value, root):
        found.setdefault(path, set()).add(form)
    return {path: frozenset(forms) for path, forms in found.items()}


def _forms(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        if not value:
            yield path, UNSET  # an empty list has no element, and so has one that is unset
        for item in value:
            yield from _forms(item, path)
    elif isinstance(value, vs.DataObject):
        yield path, vs.GetWsdlName(type(value))
        for info in value._GetPropertyList():
            if info.name not in ("dynamicType", "dynamicProperty"):
                yield from _forms(getattr(value, info.name), f"{path}.{info.name}".removeprefix("."))
    else:
        yield path, _leaf(value)


def _leaf(value: Any) -> str:
    if value is None:
        return UNSET
    if isinstance(value, vs.ManagedObject):
        return f"a reference to a {vs.GetWsdlName(type(value))}"
    if isinstance(value, bool):
        return "yes or no"
    if isinstance(value, int | float):
        return "a negative number" if value < 0 else "a number"
    if isinstance(value, datetime):
        return "a time"
    return "text" if str(value) else "empty text"


def differences(recorded: Shape, simulated: Shape) -> dict[str, str]:
    """Path -> in which forms the record has it and in which the simulator; below something unset nothing is compared."""
    found: dict[str, str] = {}
    for path in sorted(recorded.keys() | simulated.keys(), key=lambda item: item.split(".")):
        if any(path.startswith(f"{other}.") and _one_is_missing(other, recorded, simulated) for other in found):
            continue
        one, other = recorded.get(path, frozenset({UNSET})), simulated.get(path, frozenset({UNSET}))
        if one != other:
            found[path] = f"{_told(one)} | {_told(other)}"
    return found


def _one_is_missing(path: str, *shapes: Mapping[str, frozenset[str]]) -> bool:
    return any(shape.get(path, {UNSET}) == {UNSET} for shape in shapes)


def _told(forms: frozenset[str]) -> str:
    return " or ".join(sorted(forms))
