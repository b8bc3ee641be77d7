# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of answers before they are used: values have the declared type, and required properties are present. PRIVATE to the collection.

The SDK accepts everything that the server sends. A value of another type, or a missing required property, would cause an error later that
looks like a bug in the collection. vSphere never omits a required property of the negotiated version, except a list without entries.
"""

from __future__ import annotations

import functools
import traceback
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple, ParamSpec, TypeVar

from ..http.connections import BrokenAnswer
from ..http.soap import NONSENSE
from ..sdk import OPTIONAL, DataObject, Enum, IsChildVersion, ManagedObject, vmodl

_Result = TypeVar("_Result")
_Given = ParamSpec("_Given")

_LEAVES: tuple[tuple[type, type | tuple[type, ...]], ...] = (
    (bool, bool),
    (int, int),
    (float, (int, float)),
    (str, str),
    (bytes, bytes),
    (datetime, datetime),
)
"""Declared type → allowed types in Python. The SDK has its own types for numbers of different sizes and for enumerations."""


def refuse_unsound(result: Any, info: Any, version: str) -> Any:
    """Return the result of a method unchanged. Raises BrokenAnswer, which names the invalid property."""
    # The result of reading a single property has no flags.
    optional = getattr(info, "resultFlags", OPTIONAL) & OPTIONAL
    if info.result is not type(None) and (result is not None or not optional):
        if result is None and not issubclass(info.result, list):
            raise BrokenAnswer("it is empty")
        if result is not None:
            _check_type(result, info.result, "it")
    _check(result, version)
    return result


def refuse_unfit(kind: Any, moid: str, path: str, value: Any) -> None:
    """Raise BrokenAnswer when the value of a property does not have the type that the API declares."""
    # A bulk read has a hundred thousand texts and numbers. The text for a message is made only for the others.
    if value is not None and value.__class__ is not (allowed := _allowed_at(kind, path)) and allowed is not None:
        _check_type(value, declared_type(kind, path), f"{path} of {kind._wsdlName} {moid}")


@functools.lru_cache(maxsize=1000)
def declared_type(kind: Any, path: str) -> Any:
    """The type of a property path; None if the SDK does not know it."""
    for name in path.split("."):
        try:
            kind = kind._GetPropertyInfo(name).type
        except (AttributeError, KeyError):
            return None
    return kind


@functools.lru_cache(maxsize=1000)
def _allowed_at(kind: Any, path: str) -> Any:
    """The type, or types, that a value of a property has in Python; None if the SDK does not know the property."""
    declared = declared_type(kind, path)
    return None if declared is None else _allowed(declared)


@functools.lru_cache(maxsize=1000)
def _allowed(declared: Any) -> Any:
    """The type, or types, that a value of a declared type has in Python."""
    return next((held for kind, held in _LEAVES if issubclass(declared, kind)), declared)


def _check_type(value: Any, declared: Any, what: str) -> None:
    if declared in (object, type) or isinstance(value, Exception):
        return
    if issubclass(declared, list):
        if not isinstance(value, list):
            raise _wrong_type(value, declared, what)
        for item in value[:1]:
            _check_type(item, declared.Item, f"an entry of {what}")
        return
    expected = _allowed(declared)
    if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
        raise _wrong_type(value, declared, what)


def _wrong_type(value: Any, declared: Any, what: str) -> BrokenAnswer:
    expected, found = (getattr(kind, "_wsdlName", None) or kind.__name__ for kind in (declared, type(value)))
    return BrokenAnswer(f"{what} is {found} instead of {expected}")


class _Path(NamedTuple):
    """The path of a value in an answer: the property, and the path of its object. It becomes text only for a message."""

    before: _Path | None
    name: str

    def __str__(self) -> str:
        return f"{self.before}.{self.name}" if self.before else self.name


def _check(value: Any, version: str, path: _Path | None = None) -> None:
    """Check all objects inside an answer."""
    kind: Any = type(value)
    sort = _sort(kind)
    if sort is list:
        for item in value:
            _check(item, version, path)
    elif sort is not None:
        if sort is _OBJECT:
            _check_object(value)
        for name, required in _checked_properties(kind, version):
            part = getattr(value, name)
            if part is not None:
                inner: Any = type(part)
                if _sort(inner) is not None and part != []:
                    _check(part, version, _Path(path, name))
            elif required:
                raise BrokenAnswer(f"{_Path(path, name)} is missing, but it is required in {value._wsdlName}")


_OBJECT = "an inventory object"


@functools.lru_cache(maxsize=2000)
def _sort(kind: Any) -> Any:
    """How to check values of a type: as ``list``, ``DataObject`` or ``_OBJECT``; None for types without parts to check."""
    if issubclass(kind, list):
        return list
    if not issubclass(kind, DataObject) or issubclass(kind, Exception):
        return None
    pc = vmodl.query.PropertyCollector  # the SDK looks up this name at each use
    return _OBJECT if issubclass(kind, pc.ObjectContent | pc.ObjectUpdate) else DataObject


def _check_object(value: Any) -> None:
    """Check the properties of an inventory object in an answer of the property collector."""
    if value.obj is None:
        return
    for entry in getattr(value, "propSet", None) or getattr(value, "changeSet", None) or ():
        refuse_unfit(type(value.obj), value.obj._moId, entry.name, entry.val)


@functools.lru_cache(maxsize=2000)
def _checked_properties(kind: Any, version: str) -> tuple[tuple[str, bool], ...]:
    """The properties of a type that may contain objects, and whether each is required.

    Missing texts and numbers cannot be detected here: the SDK replaces them with "" and 0.
    """
    return tuple(
        (info.name, not info.flags & OPTIONAL and not issubclass(info.type, list) and info.type is not object)
        for info in kind._GetPropertyList()
        if (info.type is object or issubclass(info.type, list | DataObject | ManagedObject | Enum))
        and IsChildVersion(version, info.version)
    )


# -- using an answer ------------------------------------------------------------------------------------------------


def reader(function: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
    """A decorator for functions that read and convert an answer: an answer that they cannot convert raises BrokenAnswer."""

    @functools.wraps(function)
    def reading(*arguments: _Given.args, **options: _Given.kwargs) -> _Result:
        try:
            return function(*arguments, **options)
        except NONSENSE as error:
            raise _not_understood(error, function.__name__) from error

    return reading


def _not_understood(error: BaseException, doing: str) -> BrokenAnswer:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
    last = f", after {_last.kind._wsdlName}.{_last.path} was read" if _last.path else ""
    return BrokenAnswer(f"{type(error).__name__}: {error} ({doing}, {where}{last})")


class _Last:
    """The property that was read last, for messages."""

    kind: Any = None
    path = ""


_last = _Last()


def looked_at(kind: Any, path: str) -> None:
    """Remember the property that is read now, for messages."""
    _last.kind, _last.path = kind, path
