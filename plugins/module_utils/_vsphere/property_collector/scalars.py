# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Elements without children, converted to text, numbers and times like pyVmomi does. PRIVATE to the collection."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from ..sdk import OPTIONAL, Deserialize, Enum, Iso8601

Convert = Callable[[Element], Any]

NAMESPACE = "urn:vim25"


def local(name: str) -> str:
    """The local part of a name: ``id`` of ``{urn:vim25}id``, ``int`` of ``xsd:int``."""
    return name.rpartition("}")[2].rpartition(":")[2]


def default(info: Any) -> Any:
    """The value that pyVmomi has for a field that was not sent. None also means an empty list here."""
    kind = info.type
    if issubclass(kind, list) or info.flags & OPTIONAL or issubclass(kind, Enum):
        return None
    if kind is bool:
        return False
    if issubclass(kind, str):
        return ""
    return 0 if issubclass(kind, int | float) else None


def leaf(kind: Any) -> Convert:
    """The function that converts an element of a simple type. It raises ValueError for an invalid text."""
    if kind is bool:
        return _bool
    if issubclass(kind, int):
        return lambda element: int(element.text or "")
    if issubclass(kind, float):
        return lambda element: float(element.text or "")
    if issubclass(kind, datetime):
        return _datetime
    if issubclass(kind, bytes):
        return lambda element: kind(base64.b64decode(element.text or ""))
    if issubclass(kind, Enum):
        return partial(_enum, kind)
    if issubclass(kind, str):
        return lambda element: element.text or ""
    return partial(_rare, kind)


_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def _bool(element: Element) -> bool:
    found = _BOOLEANS.get((element.text or "").lower())
    if found is None:
        raise ValueError(f"not a boolean: {element.text!r}")
    return found


def _datetime(element: Element) -> Any:
    moment = Iso8601.ParseISO8601(element.text or "")
    if not moment:
        raise ValueError(f"not a date: {element.text!r}")
    return moment


def _enum(kind: Any, element: Element) -> Any:
    text = element.text or ""
    known = getattr(kind, text, None)
    return known if isinstance(known, kind) else kind(text)


def _rare(kind: Any, element: Element) -> Any:
    """Convert names of types and methods with pyVmomi itself, because they are rare."""
    return Deserialize(f'<value xmlns="{NAMESPACE}">{escape(element.text or "")}</value>', kind)


XSD: dict[str, Any] = {
    "string": str,
    "anyURI": str,
    "boolean": bool,
    "byte": int,
    "short": int,
    "int": int,
    "long": int,
    "integer": int,
    "unsignedByte": int,
    "unsignedShort": int,
    "unsignedInt": int,
    "unsignedLong": int,
    "float": float,
    "double": float,
    "decimal": float,
    "base64Binary": bytes,
    "dateTime": datetime,
}
