# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values as clients see them: as XML, or as copies for clients in process. Both drop what the client's API is too old for.

The writer gives the same XML as pyVmomi's SoapSerializer (a test compares them) at several times the speed, keeps
serialised property values until they change, and names references ``ManagedObjectReference`` as vCenter does.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from pyVmomi import Iso8601, vmodl
from pyVmomi import VmomiSupport as vs

from ..core.base import ManagedObject
from . import data
from .data import DataObject, Ref, memo

MethodFault = vmodl.MethodFault
DynamicProperty = vmodl.DynamicProperty
ObjectContent = vmodl.query.PropertyCollector.ObjectContent
MissingProperty = vmodl.query.PropertyCollector.MissingProperty
_SCALARS: dict[type[Any], str] = {
    str: "xsd:string",
    bool: "xsd:boolean",
    int: "xsd:int",
    float: "xsd:float",
    datetime: "xsd:dateTime",
    vs.byte: "xsd:byte",
    vs.short: "xsd:short",
    vs.long: "xsd:long",
    vs.double: "xsd:double",
    vs.binary: "xsd:base64Binary",
    vs.URI: "xsd:anyURI",
    vs.PropertyPath: "xsd:string",
    type: "xsd:string",
    vs.ManagedMethod: "xsd:string",
}


NONE_TYPE = type(None)
"""What pyVmomi declares as the result of a method that returns nothing."""


class HasFragments(Protocol):
    """Whatever keeps serialised values: (path, API version) -> XML."""

    fragments: dict[tuple[str, str], str]


@dataclass(slots=True)
class Stored:
    """A property value still inside its object: serialised at most once per API version until it changes."""

    obj: HasFragments
    path: str
    value: Any
    type: Any


class Field(NamedTuple):
    """One field of a data type, as far as the wire is concerned."""

    name: str
    type: Any
    optional: bool
    item: Any


@memo
def is_known(version: str, since: str) -> bool:
    """Whether something introduced in API version ``since`` exists in ``version``."""
    return bool(vs.IsChildVersion(version, since))


@memo
def compatible(cls: type[Any], version: str) -> type[Any]:
    """The type itself, or its nearest ancestor that ``version`` knows."""
    return vs.GetCompatibleType(cls, version)  # type: ignore[no-any-return]


@memo
def plan(cls: type[Any], version: str) -> tuple[Field, ...]:
    """The fields of a data type that exist in an API version, in wire order."""
    return tuple(
        Field(info.name, info.type, bool(info.flags & vs.F_OPTIONAL), getattr(info.type, "Item", None))
        for info in cls._GetPropertyList()
        if is_known(version, info.version)
    )


@memo
def dropped(cls: type[Any], version: str) -> tuple[tuple[str, bool], ...]:
    """(field, is a list) of the fields an API version does not know."""
    return tuple(
        (info.name, issubclass(info.type, list))
        for info in cls._GetPropertyList()
        if not is_known(version, info.version)
    )


def newer_part(value: Any, version: str) -> str:
    """The name of the first type or field inside a value that an API version does not know; empty when it knows all.

    The schema of a version has no such element, so a server refuses the request as it does any unknown one (InvalidRequest).
    """
    if isinstance(value, list):
        return next((name for item in value if (name := newer_part(item, version))), "")
    if not isinstance(value, DataObject):
        return ""
    cls = value.__class__
    if compatible(cls, version) is not cls:
        return _name(cls)
    for name, is_list in dropped(cls, version):
        item = value.__dict__.get(name)
        if item is not None and not (is_list and not item):
            return f"{_name(cls)}.{name}"
    return next((name for item in value.__dict__.values() if (name := newer_part(item, version))), "")


_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters an XML document must not have, not even escaped (XML 1.0, production 2)."""


def escape(text: str) -> str:
    """Escape character data. What XML forbids becomes U+FFFD: one such character would make the whole answer unreadable."""
    if not text.isprintable():
        text = _FORBIDDEN.sub("\ufffd", text)
    if "&" in text or "<" in text or ">" in text:
        return text.replace("&", "&amp;").replace(">", "&gt;").replace("<", "&lt;")
    return text


@memo
def _name(cls: type[Any]) -> str:
    return str(vs.GetWsdlName(cls))


@memo
def xsi_type(cls: type[Any]) -> str:
    """The xsi:type of a value of a static type."""
    if (scalar := _SCALARS.get(cls)) is not None:
        return scalar
    if issubclass(cls, list):
        item = cls.Item  # type: ignore[attr-defined]
        if issubclass(item, Ref):
            return "ArrayOfManagedObjectReference"
        if item in (type, vs.ManagedMethod, vs.PropertyPath):
            return "ArrayOfString"
        return _name(cls)
    if issubclass(cls, Ref):
        return "ManagedObjectReference"
    if issubclass(cls, vs.Enum) or hasattr(cls, "_wsdlName"):
        return _name(cls)
    for base, scalar in _SCALARS.items():
        if base not in (int, str, float) and issubclass(cls, base):
            return scalar
    return "xsd:int" if issubclass(cls, int) else "xsd:float" if issubclass(cls, float) else "xsd:string"


@memo
def _item_tag(item: type[Any]) -> str:
    if issubclass(item, Ref):
        return "ManagedObjectReference"
    if item in (type, vs.ManagedMethod, vs.PropertyPath):
        return "string"
    if item is object:
        return "anyType"
    return _name(item)


def _dynamic_type(value: Any) -> type[Any]:
    """The type of a value in an untyped place."""
    if isinstance(value, vs.ManagedMethod):
        return vs.ManagedMethod  # type: ignore[no-any-return]
    if isinstance(value, type):
        return type
    if isinstance(value, int) and value.__class__ is int and not -(2**31) <= value < 2**31:
        return vs.long  # type: ignore[no-any-return]
    return value.__class__  # type: ignore[no-any-return]


def scalar_text(value: Any) -> str:
    """A leaf value as character data."""
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, datetime):
        return str(Iso8601.ISO8601Format(value))
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, vs.ManagedMethod):
        return str(getattr(value, "info", value).__dict__.get("wsdlName", ""))
    if isinstance(value, type):
        return _name(value)
    raise TypeError(f"cannot serialise {value!r}")


def write(out: list[str], tag: str, value: Any, static: type[Any], version: str) -> None:
    """Append the element ``tag`` with a value that is not None. ``static`` is the declared type (object: any)."""
    if isinstance(value, str) and static is not object:
        out.append(f"<{tag}>{escape(value)}</{tag}>")
    elif value.__class__ is ObjectContent and static is ObjectContent:
        _write_content(out, tag, value, version)
    elif isinstance(value, DataObject):
        _write_object(out, tag, value, static, version)
    elif isinstance(value, Ref):
        attr = ' xsi:type="ManagedObjectReference"' if static is object else ""
        out.append(f'<{tag}{attr} type="{_name(value.__class__)}">{escape(value._moId)}</{tag}>')
    elif isinstance(value, ManagedObject):
        write(out, tag, value.ref, static, version)
    elif isinstance(value, list):
        _write_list(out, tag, value, static, version)
    elif isinstance(value, Stored):
        out.append(fragment(value, version))
    else:
        attr = f' xsi:type="{xsi_type(_dynamic_type(value))}"' if static is object else ""
        out.append(f"<{tag}{attr}>{scalar_text(value)}</{tag}>")


def _write_content(out: list[str], tag: str, value: Any, version: str) -> None:
    """An object with its properties. Bulk reads consist of thousands of these, most of them with values serialised before."""
    out.append(f"<{tag}>")
    write(out, "obj", value.obj, Ref, version)
    for item in value.propSet:
        if item.val.__class__ is Stored:
            out.append(f"<propSet><name>{escape(item.name)}</name>{fragment(item.val, version)}</propSet>")
        else:
            write_fields(out, "propSet", item, DynamicProperty, version)
    for item in value.missingSet:
        write_fields(out, "missingSet", item, MissingProperty, version)
    out.append(f"</{tag}>")


def _write_object(out: list[str], tag: str, value: Any, static: type[Any], version: str) -> None:
    if isinstance(value, MethodFault):
        attr = ' xsi:type="LocalizedMethodFault"' if static is object else ""
        out.append(f"<{tag}{attr}>")
        write_fields(out, "fault", value, MethodFault, version, skip="msg")
        if value.msg is not None:
            out.append(f"<localizedMessage>{escape(value.msg)}</localizedMessage>")
        out.append(f"</{tag}>")
    else:
        write_fields(out, tag, value, static, version)


def write_fields(
    out: list[str], tag: str, value: Any, static: type[Any] | None, version: str, *, skip: str = "", attr: str = ""
) -> None:
    """Append a data object; ``static`` None leaves out the xsi:type whatever it is."""
    cls = compatible(value.__class__, version)
    if static is not None and cls is not static:
        attr += f' xsi:type="{_name(cls)}"'
    out.append(f"<{tag}{attr}>")
    attributes = value.__dict__
    for field in plan(cls, version):
        item = attributes.get(field.name)
        if item is None or field.name == skip:
            if not field.optional:
                raise TypeError(f"required field {cls.__name__}.{field.name} is unset")
        elif field.item is not None:
            for each in item:
                write(out, field.name, each, field.item, version)
        else:
            write(out, field.name, item, field.type, version)
    out.append(f"</{tag}>")


def _write_list(out: list[str], tag: str, value: list[Any], static: type[Any], version: str) -> None:
    if static is not object:
        item = getattr(static, "Item", static)
        for each in value:
            write(out, tag, each, item, version)
        return
    kind = type(value) if isinstance(value, vs.Array) else _array_of(value)
    _write_array(out, tag, value, kind, version)


def _write_array(out: list[str], tag: str, value: list[Any], kind: type[Any], version: str) -> None:
    item = kind.Item
    child = _item_tag(item)
    out.append(f'<{tag} xsi:type="{xsi_type(kind)}">')
    for each in value:
        write(out, child, each, item, version)
    out.append(f"</{tag}>")


def _array_of(value: list[Any]) -> type[Any]:
    """An array type for a plain list in an untyped place."""
    if not value:
        raise TypeError("an empty untyped list in a place without a declared type")
    first = _dynamic_type(value[0])
    if issubclass(first, Ref):
        return Ref.Array  # type: ignore[no-any-return]
    if first in _SCALARS:
        return vs.GetWsdlType(vs.XMLNS_VMODL_BASE, "ArrayOf" + vs.Capitalize(_name(first)))  # type: ignore[no-any-return]
    return first.Array  # type: ignore[no-any-return]


def fragment(stored: Stored, version: str) -> str:
    """``<val xsi:type=...>...</val>`` of a stored property, from the object's cache when it is still good."""
    key = (stored.path, version)
    text = stored.obj.fragments.get(key)
    if text is None:
        out: list[str] = []
        write_any(out, "val", stored.value, stored.type, version)
        text = stored.obj.fragments[key] = "".join(out)
    return text


def write_any(out: list[str], tag: str, value: Any, declared: type[Any], version: str) -> None:
    """Append a value in an untyped element, with the xsi:type that its declared type asks for."""
    if isinstance(value, list):
        kind = declared if issubclass(declared, list) else type(value) if isinstance(value, vs.Array) else None
        _write_array(out, tag, value, kind or _array_of(value), version)
    elif isinstance(value, (DataObject, Ref, ManagedObject)) or declared is object or declared is NONE_TYPE:
        write(out, tag, value, object, version)
    else:
        out.append(f'<{tag} xsi:type="{xsi_type(declared)}">{scalar_text(value)}</{tag}>')


def localise(value: Any, declared: type[Any], version: str, stub: Any) -> Any:
    """A copy for an in-process client: its own objects, references bound to ``stub``, nothing newer than ``version``."""
    sort = _sort(value.__class__)
    if sort is None:
        return value
    if sort is DataObject:
        return _localise_object(value, version, stub)
    if sort is Ref:
        return value.__class__(value._moId, stub)
    if sort is ManagedObject:
        return value.ref.__class__(value.moid, stub)
    if sort is Stored:
        return localise(value.value, value.type, version, stub)
    kind = type(value) if isinstance(value, vs.Array) else declared
    if not issubclass(kind, vs.Array):
        kind = _array_of(value)
    return kind([localise(item, object, version, stub) for item in value])


@memo
def _sort(cls: type[Any]) -> Any:
    """Which of the types that have to be copied a type is; None for what never changes."""
    return next((base for base in (DataObject, Ref, ManagedObject, Stored, list) if issubclass(cls, base)), None)


class _Copying(NamedTuple):
    """How objects of a data type are copied for a client of some API version."""

    type: Any
    holders: tuple[tuple[str, Any], ...]
    """(field, declared type) of the fields that can hold something to copy: most hold a text, a number or nothing."""
    gone: tuple[str, ...]
    """The fields that only the own type has, when the version knows an ancestor of it."""
    dropped: tuple[tuple[str, bool], ...]


@memo
def _copying(cls: type[Any], version: str) -> _Copying:
    known = compatible(cls, version)
    copied = (DataObject, Ref, list)
    return _Copying(
        type=known,
        holders=tuple(
            (name, info.type)
            for name, info in data.fields(known).items()
            if info.type is object or issubclass(info.type, copied)
        ),
        gone=() if known is cls else tuple(set(data.fields(cls)) - set(data.fields(known))),
        dropped=dropped(known, version),
    )


def _localise_object(value: Any, version: str, stub: Any) -> Any:
    known, holders, gone, lost = _copying(value.__class__, version)
    made = known.__new__(known)
    target = made.__dict__
    target.update(value.__dict__)
    for name, declared in holders:
        item = target.get(name)
        if item is None:
            continue
        cls = item.__class__
        sort = _sort(cls)
        if sort is DataObject:
            target[name] = _localise_object(item, version, stub)
        elif sort is not None:
            if not item and cls is declared:
                target[name] = cls()
            else:
                target[name] = localise(item, declared if cls is list else object, version, stub)
    for name in gone:
        target.pop(name, None)
    for name, is_list in lost:
        target[name] = type(target[name])() if is_list else None
    return made
