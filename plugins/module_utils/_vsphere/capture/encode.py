# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of the API as plain data (``_domain/capture/document.py``). PRIVATE to the collection."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ..._domain.capture.document import LONG, REFERENCE, TYPE, Tree, Word
from ..sdk import DataObject, Enum, ManagedObject, as_long

_XSD = {str: "xsd:string", int: "xsd:int", bool: "xsd:boolean"}


class Encoder:
    """Equal objects of a bulk read are the same object, so each is converted once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, Tree]] = {}

    def tree(self, value: Any) -> Tree:
        """The value of a property."""
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, list):
            return [self.tree(item) for item in value]
        if isinstance(value, ManagedObject):
            return {REFERENCE: f"{type(value)._wsdlName}:{value._moId}"}
        if isinstance(value, DataObject) and not isinstance(value, Exception):
            known = self._known.get(id(value))
            if known is None:
                known = self._known[id(value)] = value, self._object(value)
            return known[1]
        if isinstance(value, Enum):
            text = str(value)
            return Word(text) if text in type(value).values else text
        if isinstance(value, datetime):
            return Word(moment(value))
        if isinstance(value, type):
            return Word(_XSD.get(value) or getattr(value, "_wsdlName", value.__name__))
        if isinstance(value, int | float):
            return value
        return str(value) if isinstance(value, str) else None

    def _object(self, value: Any) -> Tree:
        found: dict[str, Tree] = {TYPE: Word(value.__class__._wsdlName)}
        for info in value.__class__._GetPropertyList():
            part = getattr(value, info.name, None)
            if part is None or (isinstance(part, list) and not part):
                continue
            tree = self.tree(part)
            if info.type is object and isinstance(part, as_long):
                tree = {TYPE: Word(LONG), "value": int(part)}  # nothing else says that it is no xsd:int
            if tree is not None and tree != []:
                found[info.name] = tree
        return found


def moment(value: datetime) -> str:
    """A time in UTC, to the microsecond."""
    aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat().replace("+00:00", "Z")
