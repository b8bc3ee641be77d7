# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Elements of an answer as values that mean what pyVmomi's mean, at a fraction of the cost. PRIVATE to the collection.

A data object becomes a ``Value``: read-only, the same attributes, ``isinstance`` of the same pyVmomi class. Attributes that were not sent
are None, or [] where pyVmomi gives []. References and faults are pyVmomi's own objects, as they are handed back or raised.
"""

from __future__ import annotations

from functools import partial
from operator import attrgetter, itemgetter, methodcaller
from typing import Any
from xml.etree.ElementTree import Element

from ..http.connections import BrokenAnswer
from ..sdk import OPTIONAL, DataObject, IsChildVersion, ManagedObject, SoapDeserializer, vmodl
from ..session.answer_checks import refuse_unfit
from .page_scalars import NAMESPACE, XSD, Convert, default, leaf, local

XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
MOST_KNOWN = 20_000
"""Different objects of one type that are remembered during a read."""
MOST_UNFIT = 200
"""Objects of one type that do not fit, after which another way to know them is taken."""
TRIAL = 1000
"""Every so many new objects of one type it is asked whether remembering them pays."""

_OBJECT, _PROPERTY, _MISSING = (f"{{{NAMESPACE}}}{name}" for name in ("obj", "propSet", "missingSet"))
_TAG_AND_TEXT = attrgetter("tag", "text")
_XSI_TYPE_OF = methodcaller("get", XSI_TYPE)


class Value(tuple[Any, ...]):
    """A data object as it was sent. Like pyVmomi's it is equal to itself only, and true even without a single attribute."""

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
    """A class of values with these (name, is a list) as attributes; ``isinstance`` takes it for ``kind``."""
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
    """Wire tag → (index, convert, is a list); None for a field of a later release. Any namespace will do."""

    def __missing__(self, tag: str) -> Any:
        known: Any = self.get(f"{{{NAMESPACE}}}{local(tag)}")
        if known is not None:
            self[tag] = known
        return known


class ValueReader:
    """Converts the elements of one bulk read. Holds what it learnt about types, and values that came before.

    Thousands of hosts have the same cards: an object that was seen with the same texts is given again instead of being made again.
    ``stub`` is what references are bound to.
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
        """The value of an element that says its type itself (``val`` of a property)."""
        name = element.get(XSI_TYPE)
        if name is None:
            return _unknown(element)
        convert = self._by_xsi.get(name)
        if convert is None:
            convert = self._by_xsi[name] = self._of_xsi(local(name))
        return convert(element)

    def reference(self, element: Element) -> Any:
        """A managed object reference. Raises KeyError for a type the SDK does not know."""
        key = (element.attrib["type"], element.text or "")
        found = self._references.get(key)
        if found is None:
            kind = self.managed_kind(local(key[0]))
            found = self._references[key] = kind(key[1], self._stub, element.get("serverGuid"))
        return found

    def managed_kind(self, name: str) -> Any:
        """The class of a type's wire name. Raises KeyError."""
        kind = self._kinds.get(name)
        if kind is None:
            kind = self._kinds[name] = self._types.LookupWsdlType(NAMESPACE, name)
        return kind

    def fault(self, element: Element) -> Any:
        """A LocalizedMethodFault as the fault itself, with its message."""
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
            convert = self._by_kind[kind] = self._made(kind)
        return convert

    def _made(self, kind: Any) -> Convert:
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
        return lambda element: [convert(child) for child in element]

    def _declared(self, kind: Any) -> Convert:
        """How to read an element declared to be of a type. A data object may say that it is of a narrower one."""
        if not issubclass(kind, DataObject) or issubclass(kind, Exception):
            return self._of_kind(kind)
        read = self._by_declared.get(kind)
        if read is None:
            read = self._by_declared[kind] = self._polymorphic(kind)
        return read

    def _polymorphic(self, declared: Any) -> Convert:
        # Types refer to each other in circles, so each is looked into only when the first of it comes.
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
            # Of a later release: what the declared type has is read, and the name is kept for whoever wants to show it.
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
        version = getattr(self._stub, "version", None)  # values that came from nowhere have none
        required = [
            info.name
            for info in infos
            if version
            and not info.flags & OPTIONAL
            and not issubclass(info.type, list)
            and IsChildVersion(version, info.version)
        ]
        whole = _Whole(kind._wsdlName, [info.name for info in infos], required)
        defaults = [None if info.name in required else default(info) for info in infos]
        return _Remembering(partial(_build, cls, fields, defaults, whole)).read

    def _exception(self, element: Element) -> Any:
        """A fault, as pyVmomi's own exception. One of a later release comes out as a plain MethodFault."""
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
    """Reads the ``objects`` elements of an answer: one object with its properties each."""

    def row(self, element: Element) -> dict[str, Any]:
        """The fields of a ``collect.Row``. Raises ValueError and the like for what is none."""
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
        for asked, found in values.items():
            refuse_unfit(kind, moid, asked, found)
        return {"kind": kind, "moid": moid, "values": values, "missing": missing}


class _Remembering:
    """Gives the same value for the same texts, as long as that pays.

    The first objects of a type show what kind it is. Flat ones have nothing but children with text, and are known by tags and texts: a
    child with children has no text, so none is mistaken for another. Deep ones are also known by their shape and their types. Those
    with other attributes (references), and types of which most objects are new, are not remembered.
    """

    def __init__(self, build: Convert) -> None:
        self._build = build
        self._keys = [(_flat_key, _is_flat), (_deep_key, _is_deep)]
        self._known: dict[Any, Any] = {}
        self._asked = self._made = self._unfit = 0

    def read(self, element: Element) -> Any:
        if not self._keys:
            return self._build(element)
        self._asked += 1
        key = self._keys[0][0](element)
        value = self._known.get(key)
        return self._learnt(key, element) if value is None else value

    def _learnt(self, key: Any, element: Element) -> Any:
        value = self._build(element)
        self._made += 1
        if not self._keys[0][1](element):
            self._unfit += 1
        elif len(self._known) < MOST_KNOWN:
            self._known[key] = value
        if self._unfit > MOST_UNFIT:
            self._give_up(self._keys[1:])
        elif self._made % TRIAL == 0 and self._made * 2 > self._asked:
            self._give_up([])
        return value

    def _give_up(self, keys: list[Any]) -> None:
        self._keys = keys
        self._known.clear()
        self._asked = self._made = self._unfit = 0


def _flat_key(element: Element) -> Any:
    return tuple(map(_TAG_AND_TEXT, element))


def _is_flat(element: Element) -> bool:
    return all(child.text and not child.text.isspace() and not len(child) and not child.keys() for child in element)


def _deep_key(element: Element) -> Any:
    below = list(element.iter())
    del below[0]
    return tuple(map(_TAG_AND_TEXT, below)), tuple(map(len, below)), tuple(map(_XSI_TYPE_OF, below))


def _is_deep(element: Element) -> bool:
    return all(child.keys() in ([], [XSI_TYPE]) for child in element.iter() if child is not element)


class _Whole:
    """What every object of a type has: a server that leaves it out sent something else."""

    def __init__(self, kind: str, names: list[str], required: list[str]) -> None:
        self._kind, self._required = kind, required
        # An itemgetter of one index gives no tuple.
        indexes = [names.index(name) for name in required]
        self._pick = itemgetter(*indexes, *indexes[:1]) if indexes else None

    def check(self, values: list[Any]) -> None:
        """Raises BrokenAnswer."""
        if self._pick is not None and None in self._pick(values):
            name = next(name for name, value in zip(self._required, self._pick(values), strict=False) if value is None)
            raise BrokenAnswer(f"{name} is missing, which {self._kind} always has")


def _build(cls: type[Value], fields: _Fields, defaults: list[Any], whole: _Whole, element: Element) -> Value:
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
    whole.check(values)
    return tuple.__new__(cls, values)


def _unknown(element: Element, name: str = "Unknown") -> Any:
    """Something of a later release, by what it looks like: a text, or an object with the attributes that were sent."""
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
