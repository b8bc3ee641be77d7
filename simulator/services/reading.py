# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Property paths: are they valid for a type and API version, and what is there for this caller?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyVmomi import VmomiSupport as vs
from pyVmomi import vim, vmodl

from ..api import data
from ..api.data import memo
from ..api.takes import MARK
from ..api.wire import Stored, is_known
from ..core.accounts import ANONYMOUS
from ..core.base import Endpoint

if TYPE_CHECKING:
    from ..core.base import ManagedObject
    from ..core.call import Call


_NUMBER = re.compile(r"-?[0-9]+")


@dataclass(frozen=True)
class Path:
    """A property path that is valid for a managed object type: its parts, its declared type, who may read it.

    ``privilege`` is empty where the API names none.
    """

    text: str
    name: str
    parts: tuple[tuple[str, str | None], ...]
    type: type[Any]
    privilege: str


def invalid_property(path: str, text: str | None = None) -> Any:
    """The fault for a path that is not there."""
    return vmodl.query.InvalidProperty(name=path, msg=text)


def unmodelled(obj: ManagedObject, path: str) -> str:
    """What a fault says about a property that the API has and the simulator has not."""
    return f"{MARK}{obj.vim_type._wsdlName}.{path} is not modelled"


@memo
def _children() -> dict[str, list[str]]:
    """vmodl data type name -> names of the types that extend it directly (pyVmomi loads types lazily)."""
    found: dict[str, list[str]] = {}
    for name, definition in vs._dataDefMap.items():
        if definition[2]:
            found.setdefault(definition[2], []).append(name)
    return found


@memo
def _subclass_field(cls: type[Any], name: str, version: str) -> Any:
    """A field declared only by some subtype of a data type (``info.vmfs`` of a datastore's abstract ``info``)."""
    for child in _children().get(vs.GetVmodlName(cls), []):
        definition = vs._dataDefMap[child]
        if any(prop[0] == name and is_known(version, prop[2]) for prop in definition[4] or []):
            return vs.GetVmodlType(child)._GetPropertyInfo(name)
        found = _subclass_field(vs.GetVmodlType(child), name, version)
        if found is not None:
            return found
    return None


def _is_key_of(item: type[Any], key: str) -> bool:
    """Whether a key has the type that distinguishes the elements of an array: a bare number, or a text in quotes.

    Source: vSphere Web Services programming guide, property paths to elements of arrays. Arrays of references have their ids for keys.
    """
    quoted = len(key) > 1 and key[0] == key[-1] == '"'
    if issubclass(item, data.Ref):
        return quoted
    declared = data.fields(item).get("key") if issubclass(item, data.DataObject) else None
    if declared is None:
        return False
    return bool(_NUMBER.fullmatch(key)) if issubclass(declared.type, int) else quoted


@memo
def parse(vim_type: type[Any], text: str, version: str) -> Path | None:
    """A path checked against a managed object type; None when it is not valid for that API version."""
    try:
        parts = data.split(text)
    except ValueError:
        return None
    current: type[Any] = vim_type
    privilege = ""
    for index, (name, key) in enumerate(parts):
        if not issubclass(current, vim_type if index == 0 else data.DataObject):
            if current is object:
                break
            return None
        try:
            info = current._GetPropertyInfo(name)
        except AttributeError:
            info = _subclass_field(current, name, version) if index else None
        if info is None or not is_known(version, info.version):
            return None
        if index == 0:
            privilege = info.privId or ""
        current = info.type
        if key is not None:
            if not issubclass(current, list):
                return None
            current = current.Item  # type: ignore[attr-defined]
            if not _is_key_of(current, key):
                return None
    return Path(text, parts[0][0], tuple(parts), current, privilege)


@memo
def top_level(vim_type: type[Any], version: str) -> tuple[str, ...]:
    """The property names of a managed object type in an API version."""
    return tuple(info.name for info in vim_type._GetPropertyList() if is_known(version, info.version))


def is_gap(obj: ManagedObject, path: Path) -> bool:
    """Whether a path that has no value leads into what is not modelled of a property that is."""
    fields = obj.gaps.get(path.name)
    if fields is None or len(path.parts) < 2 or path.parts[1][0] not in fields:
        return False
    holder = obj.get(path.name)
    return holder is not None and getattr(holder, path.parts[1][0], None) is None


class PropertyReader:
    """Reads for a caller; the one place where permissions, missing properties and personal values meet."""

    def __init__(self, sim: Endpoint) -> None:
        self.sim = sim

    def path(self, obj: ManagedObject, text: str, version: str) -> Path:
        """The parsed path. Raises InvalidProperty, also when the property exists in the API but is not modelled."""
        path = parse(obj.vim_type, text, version)
        if path is None:
            raise invalid_property(text)
        if not obj.has(path.name):
            raise invalid_property(text, unmodelled(obj, text))
        return path

    def read(self, call: Call, obj: ManagedObject, path: Path) -> tuple[Stored | None, Any]:
        """(value or None when unset, fault or None)."""
        return next(self.read_all(call, obj, (path,)))

    def read_all(self, call: Call, obj: ManagedObject, paths: Iterable[Path]) -> Iterator[tuple[Stored | None, Any]]:
        """The same for several properties of an object: each privilege is looked up once."""
        usual = "System.Read" if obj.entity() is not None else "System.View"
        allowed = {ANONYMOUS: True}
        for path in paths:
            privilege = path.privilege or usual
            if privilege not in allowed:
                allowed[privilege] = call.allows(privilege, obj)
                if not allowed[privilege] and call.session is None:
                    raise vim.fault.NotAuthenticated(object=obj.ref, privilegeId=privilege)
            if allowed[privilege]:
                yield self._value(call, obj, path)
            else:
                yield None, self._denied(privilege, obj)

    def _value(self, call: Call, obj: ManagedObject, path: Path) -> tuple[Stored | None, Any]:
        if not obj.has(path.name):
            return None, self._refusal(call, obj, path.name)
        fault = obj.missing(path.text)
        if fault is not None:
            return None, fault
        if path.name in obj.personal:
            value = obj.personal_value(call, path.name)
            for name, _unused in path.parts[1:]:
                value = getattr(value, name, None) if value is not None else None
            return (None if value is None else Stored(_Uncached(obj), path.text, value, path.type)), None
        value = obj.walk(path.text, path.parts)
        if value is None:
            return None, self._refusal(call, obj, path.text) if is_gap(obj, path) else None
        return Stored(obj, path.text, value, path.type), None

    def _refusal(self, call: Call, obj: ManagedObject, path: str) -> Any:
        text = unmodelled(obj, path)
        call.refused.append(text)
        return vmodl.fault.NotSupported(msg=text)

    def _denied(self, privilege: str, obj: ManagedObject) -> Any:
        entity = obj.entity() or self.sim.root
        return vim.fault.NoPermission(object=entity.ref if entity is not None else None, privilegeId=privilege)

    def fetch(self, call: Call, obj: ManagedObject, text: str) -> Any:
        """One property, as a managed object attribute asks for it. A missing one raises its fault."""
        stored, fault = self.read(call, obj, self.path(obj, text, call.version))
        if fault is not None:
            raise fault
        return stored.value if stored is not None else None


class _Uncached:
    """An empty fragment cache for a value that must not be kept."""

    def __init__(self, obj: ManagedObject) -> None:
        self.fragments: dict[tuple[str, str], str] = {}
