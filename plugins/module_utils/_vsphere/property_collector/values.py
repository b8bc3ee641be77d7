# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Elements of an answer, converted to values like those of pyVmomi, in a fraction of the time. PRIVATE to the collection.

A data object becomes a ``Value``: read-only, with the same attributes, and ``isinstance`` of the same class of pyVmomi. Attributes that
were not sent are None, or [] where pyVmomi has []. References and faults are objects of pyVmomi, because they are sent back or raised.
"""

from __future__ import annotations

from functools import partial
from operator import itemgetter
from typing import Any
from xml.etree.ElementTree import Element

from ..http.connections import BrokenAnswer
from ..sdk import OPTIONAL, DataObject, IsChildVersion, ManagedObject, SoapDeserializer, vmodl
from ..session.answer_checks import refuse_unfit
from .kept_values import XSI_TYPE, ValueCache, array_cache
from .scalars import NAMESPACE, XSD, Convert, default, leaf, local

_OBJECT, _PROPERTY, _MISSING = (f"{{{NAMESPACE}}}{name}" for name in ("obj", "propSet", "missingSet"))


class Value(tuple[Any, ...]):
    """A data object as it was sent. Like one of pyVmomi, it is equal to itself only, and true even without attributes."""

    __slots__ = ()
    __eq__ = object.__eq__
    __ne__ = object.__ne__
    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        set_ones = {name: getattr(self, name) for name in self._names() if getattr(self, name) not in (None, [])}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in set_ones.items())})"

    @classmethod
    def _names(cls) -> list[str]:
        return [name for name, item in vars(cls).items() if isinstance(item, property)]


def value_class(name: str, kind: type | None, fields: list[tuple[str, bool]]) -> type[Value]:
    """Create a class of values. ``fields``: (name, is a list) of each attribute. For ``isinstance`` its instances are of ``kind``."""
    names: dict[str, Any] = {"__slots__": (), "__module__": __name__}
    for index, (field, is_list) in enumerate(fields):
        names[field] = property(partial(_listed, index) if is_list else itemgetter(index))
    if kind is not None:
        names["__class__"] = kind
    return type(name, (Value,), names)


def _listed(index: int, value: Value) -> list[Any]:
    found = value[index]
    return [] if found is None else found


class _Fields(dict[str, Any]):
    """XML tag → (index, convert, is a list); None for a field of a later release. The namespace does not matter."""

    def __missing__(self, tag: str) -> Any:
        known: Any = self.get(f"{{{NAMESPACE}}}{local(tag)}")
        if known is not None:
            self[tag] = known
        return known


class ValueReader:
    """Converts the elements of one bulk read. Caches converters of types, and values.

    Thousands of hosts have equal devices: for an object with the same texts as an earlier one, the earlier value is used again.
    ``stub``: the stub for references.
    """

    def __init__(self, stub: Any) -> None:
        self._stub = stub
        self._types = SoapDeserializer()
        self._by_kind: dict[type, Convert] = {}
        self._by_declared: dict[type, Convert] = {}
        self._by_xsi: dict[str, Convert] = {}
        self._references: dict[tuple[str, str], Any] = {}
        self._kinds: dict[str, type] = {}

    def any(self, element: Element) -> Any:
        """Convert an element that names its own type (``val`` of a property)."""
        name = element.get(XSI_TYPE)
        if name is None:
            return _unknown(element)
        convert = self._by_xsi.get(name)
        if convert is None:
            convert = self._by_xsi[name] = self._of_xsi(local(name))
        return convert(element)

    def reference(self, element: Element) -> Any:
        """Convert a managed object reference. Raises KeyError for a type that the SDK does not know."""
        key = (element.attrib["type"], element.text or "")
        found = self._references.get(key)
        if found is None:
            kind = self.managed_kind(local(key[0]))
            found = self._references[key] = kind(key[1], self._stub, element.get("serverGuid"))
        return found

    def managed_kind(self, name: str) -> Any:
        """The class of a type, by its name in XML. Raises KeyError for a type that the SDK does not know."""
        kind = self._kinds.get(name)
        if kind is None:
            kind = self._kinds[name] = self._types.LookupWsdlType(NAMESPACE, name)
        return kind

    def fault(self, element: Element) -> Any:
        """Convert a LocalizedMethodFault to the fault inside it, with the message."""
        inner, message = None, None
        for child in element:
            name = local(child.tag)
            if name == "fault":
                inner = self._exception(child)
            elif name == "localizedMessage":
                message = child.text or ""
        if inner is None:
            inner = vmodl.MethodFault()
        inner.msg = message
        return inner

    # -- by type ----------------------------------------------------------------------------------------------

    def _of_xsi(self, name: str) -> Convert:
        if name in XSD:
            return leaf(XSD[name])
        try:
            kind = self._types.LookupWsdlType(NAMESPACE, name, True)
        except (KeyError, AttributeError):
            return partial(_unknown, name=name)
        return self._of_kind(kind)

    def _of_kind(self, kind: Any) -> Convert:
        convert = self._by_kind.get(kind)
        if convert is None:
            convert = self._by_kind[kind] = self._new_converter(kind)
        return convert

    def _new_converter(self, kind: Any) -> Convert:
        if issubclass(kind, list):
            return self._array(kind.Item)
        if issubclass(kind, Exception):
            return self.fault
        if issubclass(kind, ManagedObject):
            return self.reference
        if issubclass(kind, DataObject):
            return self._object_reader(kind, kind.__name__)
        if kind is object:
            return self.any
        return leaf(kind)

    def _array(self, item: Any) -> Convert:
        convert = self._declared(item)

        def build(element: Element) -> list[Any]:
            return [convert(child) for child in element]

        if not issubclass(item, DataObject):
            return build
        cached = array_cache(build).read
        return lambda element: cached(element).copy()

    def _declared(self, kind: Any) -> Convert:
        """The converter for elements of a declared type. A data object may be of a subtype, which it names."""
        if not issubclass(kind, DataObject) or issubclass(kind, Exception):
            return self._of_kind(kind)
        read = self._by_declared.get(kind)
        if read is None:
            read = self._by_declared[kind] = self._polymorphic(kind)
        return read

    def _polymorphic(self, declared: Any) -> Convert:
        # Types refer to each other in cycles, so a converter is made only when the first object of its type arrives.
        own: list[Convert] = []
        narrower: dict[str, Convert] = {}

        def read(element: Element) -> Any:
            name = element.get(XSI_TYPE)
            if name is None:
                if not own:
                    own.append(self._of_kind(declared))
                return own[0](element)
            convert = narrower.get(name)
            if convert is None:
                convert = narrower[name] = self._narrower(declared, local(name))
            return convert(element)

        return read

    def _narrower(self, declared: Any, name: str) -> Convert:
        try:
            kind = self._types.LookupWsdlType(NAMESPACE, name, True)
        except (KeyError, AttributeError):
            # A type of a later release: read the fields of the declared type, and keep the name to show it.
            return self._object_reader(declared, name)
        return self._of_kind(kind)

    def _object_reader(self, kind: Any, name: str) -> Convert:
        infos = kind._GetPropertyList()
        cls = value_class(name, kind, [(info.name, issubclass(info.type, list)) for info in infos])
        fields = _Fields()
        for index, info in enumerate(infos):
            is_list = issubclass(info.type, list)
            convert = self._declared(info.type.Item if is_list else info.type)
            fields[f"{{{NAMESPACE}}}{info.name}"] = (index, convert, is_list)
        version = getattr(self._stub, "version", None)  # values in tests have no stub
        required = [
            info.name
            for info in infos
            if version
            and not info.flags & OPTIONAL
            and not issubclass(info.type, list)
            and IsChildVersion(version, info.version)
        ]
        check = _Required(kind._wsdlName, [info.name for info in infos], required)
        defaults = [None if info.name in required else default(info) for info in infos]
        return ValueCache(partial(_build, cls, fields, defaults, check)).read

    def _exception(self, element: Element) -> Any:
        """Convert a fault to the exception of pyVmomi. A fault of a later release becomes a MethodFault."""
        try:
            kind = self._types.LookupWsdlType(NAMESPACE, local(element.get(XSI_TYPE) or "MethodFault"))
        except (KeyError, AttributeError):
            kind = vmodl.MethodFault
        fault = kind()
        known = {info.name: info for info in kind._GetPropertyList()}
        for child in element:
            info = known.get(local(child.tag))
            if info is None:
                continue
            if issubclass(info.type, list):
                getattr(fault, info.name).append(self._declared(info.type.Item)(child))
            else:
                object.__setattr__(fault, info.name, self._declared(info.type)(child))
        return fault


class RowReader(ValueReader):
    """Converts the ``objects`` elements of an answer. Each has one object with its properties."""

    def row(self, element: Element) -> dict[str, Any]:
        """The fields of a ``retrieve.Row``. Raises ValueError, TypeError and similar for an invalid element."""
        kind: Any = None
        moid = ""
        values: dict[str, Any] = {}
        missing: dict[str, Any] = {}
        for child in element:
            tag = child.tag
            if tag == _PROPERTY:
                name, value = child
                values[name.text or ""] = self.any(value)
            elif tag == _OBJECT:
                kind, moid = self.managed_kind(child.attrib["type"]), child.text or ""
            elif tag == _MISSING:
                path, fault = child
                missing[path.text or ""] = self.fault(fault)
        if kind is None or not moid:
            raise ValueError("an object without a name")
        for property_path, found in values.items():
            refuse_unfit(kind, moid, property_path, found)
        return {"kind": kind, "moid": moid, "values": values, "missing": missing}


class _Required:
    """The required properties of a type. An object without one of them is invalid."""

    def __init__(self, kind: str, names: list[str], required: list[str]) -> None:
        self._kind, self._required = kind, required
        # An itemgetter with one index does not return a tuple, so the first index is there twice.
        indexes = [names.index(name) for name in required]
        self._pick = itemgetter(*indexes, *indexes[:1]) if indexes else None

    def check(self, values: list[Any]) -> None:
        """Raises BrokenAnswer when a required property is missing."""
        if self._pick is not None and None in self._pick(values):
            name = next(name for name, value in zip(self._required, self._pick(values), strict=False) if value is None)
            raise BrokenAnswer(f"{name} is missing, but it is required in {self._kind}")


def _build(cls: type[Value], fields: _Fields, defaults: list[Any], required: _Required, element: Element) -> Value:
    values = defaults.copy()
    for child in element:
        field = fields[child.tag]
        if field is None:
            continue
        index, convert, is_list = field
        if not is_list:
            values[index] = convert(child)
        elif values[index] is None:
            values[index] = [convert(child)]
        else:
            values[index].append(convert(child))
    required.check(values)
    return tuple.__new__(cls, values)


def _unknown(element: Element, name: str = "Unknown") -> Any:
    """Convert a value of an unknown type (of a later release): a text, or an object with the attributes that were sent."""
    if not len(element):
        return element.text or ""
    if name.startswith("ArrayOf"):
        return [_unknown(child, name.removeprefix("ArrayOf")) for child in element]
    found: dict[str, Any] = {}
    for child in element:
        field, value = local(child.tag), _unknown(child, local(child.get(XSI_TYPE) or "Unknown"))
        found[field] = (
            [*found[field], value]
            if isinstance(found.get(field), list)
            else value
            if field not in found
            else [found[field], value]
        )
    return tuple.__new__(value_class(name, None, [(field, False) for field in found]), found.values())
