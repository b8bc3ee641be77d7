# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers are looked at before they are believed: of the declared type, and with what the API says is always there.

PRIVATE to the collection. The SDK takes whatever is sent: a value of another type, or an object without a part that every server of this
version sends, would come out somewhere else as an error that looks like ours. vSphere itself never leaves out a required property of the
version that was agreed on, other than a list without entries.
"""

from __future__ import annotations

import functools
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
"""Declared type → what Python may hold for it: the SDK has types of its own for numbers of different sizes, and for enumerations."""


def refuse_unsound(result: Any, info: Any, version: str) -> Any:
    """The result of a method, as it is. Raises BrokenAnswer, which says which property is not what it has to be."""
    # A property that is asked for alone comes without flags.
    optional = getattr(info, "resultFlags", OPTIONAL) & OPTIONAL
    if info.result is not type(None) and (result is not None or not optional):
        if result is None and not issubclass(info.result, list):
            raise BrokenAnswer("it is empty")
        if result is not None:
            _fit(result, info.result, "it")
    _look(result, version)
    return result


def refuse_unfit(kind: Any, moid: str, path: str, value: Any) -> None:
    """Raise BrokenAnswer where the value of an object's property is not of the type that the API says it has."""
    declared = declared_type(kind, path)
    if declared is not None and value is not None:
        _fit(value, declared, f"{path} of {kind._wsdlName} {moid}")


@functools.lru_cache(maxsize=1000)
def declared_type(kind: Any, path: str) -> Any:
    """What type a property path leads to; None where the SDK does not know it."""
    for name in path.split("."):
        try:
            kind = kind._GetPropertyInfo(name).type
        except (AttributeError, KeyError):
            return None
    return kind


def _fit(value: Any, declared: Any, what: str) -> None:
    if declared in (object, type) or isinstance(value, Exception):
        return
    if issubclass(declared, list):
        if not isinstance(value, list):
            raise _other(value, declared, what)
        for item in value[:1]:
            _fit(item, declared.Item, f"an entry of {what}")
        return
    expected: Any = next((held for kind, held in _LEAVES if issubclass(declared, kind)), declared)
    if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
        raise _other(value, declared, what)


def _other(value: Any, declared: Any, what: str) -> BrokenAnswer:
    wanted, found = (getattr(kind, "_wsdlName", None) or kind.__name__ for kind in (declared, type(value)))
    return BrokenAnswer(f"{what} is {found} in place of {wanted}")


class _Way(NamedTuple):
    """How a value was reached: the property, and the way to what has it. Made into text for a message only."""

    before: _Way | None
    name: str

    def __str__(self) -> str:
        return f"{self.before}.{self.name}" if self.before else self.name


def _look(value: Any, version: str, way: _Way | None = None) -> None:
    """Into all that an answer holds."""
    kind: Any = type(value)
    sort = _sort(kind)
    if sort is list:
        for item in value:
            _look(item, version, way)
    elif sort is not None:
        if sort is _OBJECT:
            _look_at_object(value)
        for name, required in _parts(kind, version):
            part = getattr(value, name)
            inner: Any = type(part)
            if part is not None:
                if _sort(inner) is not None:
                    _look(part, version, _Way(way, name))
            elif required:
                raise BrokenAnswer(f"{_Way(way, name)} is missing, which {value._wsdlName} always has")


_OBJECT = "an inventory object"


@functools.lru_cache(maxsize=2000)
def _sort(kind: Any) -> Any:
    """What to do with values of a type: ``list``, ``DataObject``, ``_OBJECT``, or None where there is nothing to look into."""
    if issubclass(kind, list):
        return list
    if not issubclass(kind, DataObject) or issubclass(kind, Exception):
        return None
    pc = vmodl.query.PropertyCollector  # a name that the SDK looks up anew each time
    return _OBJECT if issubclass(kind, pc.ObjectContent | pc.ObjectUpdate) else DataObject


def _look_at_object(value: Any) -> None:
    """Properties of an inventory object, as the property collector gives them."""
    if value.obj is None:
        return
    for entry in getattr(value, "propSet", None) or getattr(value, "changeSet", None) or ():
        refuse_unfit(type(value.obj), value.obj._moId, entry.name, entry.val)


@functools.lru_cache(maxsize=2000)
def _parts(kind: Any, version: str) -> tuple[tuple[str, bool], ...]:
    """Properties of a type that may hold something to look into, and whether one has to be there.

    Texts and numbers that were not sent cannot be told here: the SDK has "" and 0 for them.
    """
    return tuple(
        (info.name, not info.flags & OPTIONAL and not issubclass(info.type, list) and info.type is not object)
        for info in kind._GetPropertyList()
        if (info.type is object or issubclass(info.type, list | DataObject | ManagedObject | Enum))
        and IsChildVersion(version, info.version)
    )


# -- making something of it -------------------------------------------------------------------------------------------


def reader(function: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
    """For functions that ask a server and make something of the answer: what cannot be understood leaves as BrokenAnswer."""

    @functools.wraps(function)
    def reading(*arguments: _Given.args, **options: _Given.kwargs) -> _Result:
        try:
            return function(*arguments, **options)
        except NONSENSE as error:
            raise _not_understood(error, function.__name__) from error

    return reading


@contextmanager
def understood(doing: str) -> Iterator[None]:
    """What the block makes of an answer fails only where the answer makes no sense. Only for code that does nothing else."""
    try:
        yield
    except NONSENSE as error:
        raise _not_understood(error, doing) from error


def _not_understood(error: BaseException, doing: str) -> BrokenAnswer:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
    last = f", after {_last.kind._wsdlName}.{_last.path} was read" if _last.path else ""
    return BrokenAnswer(f"{type(error).__name__}: {error} ({doing}, {where}{last})")


class _Last:
    """The property that was looked at last, for messages."""

    kind: Any = None
    path = ""


_last = _Last()


def looked_at(kind: Any, path: str) -> None:
    """Remember what is being read."""
    _last.kind, _last.path = kind, path
