# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a call would lose on its way, because the negotiated API version lacks it. PRIVATE to the collection.

pyVmomi leaves out each parameter and property that is newer than the negotiated version, and replaces each newer type by its nearest
known base type. It reports neither. So the transport compares each call with pyVmomi's own version tables, and refuses it whole.
"""

from __future__ import annotations

import functools
import traceback
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ..._domain.errors import DirectPathError
from ..._domain.writing.api_versions import (
    ApiVersions,
    Version,
    parse_version,
    show_version,
    too_old,
    words_of,
)
from ..sdk import DataObject, IsChildVersion, service_versions, version_id


class NotSent(DirectPathError):
    """A call that was not sent, because a part of it would have been lost."""

    def about(self, action: str) -> DirectPathError:
        """The same error for an action that names its object, such as ``reconfigure db-01``."""
        return DirectPathError(message=f"Cannot {action}. {self.message}", code=self.code, cure=self.cure)


class Lost(NamedTuple):
    """A part of a call that the negotiated API version lacks. ``name``: as in the API reference. ``since``: its version in the SDK."""

    name: str
    since: str


class _Property(NamedTuple):
    name: str
    lost: Lost | None


def lost_parts(info: Any, arguments: Sequence[Any], version: str) -> Iterator[Lost]:
    """The parts of a call that pyVmomi would leave out or replace at this API version."""
    if not IsChildVersion(version, info.version):
        yield Lost(info.wsdlName, info.version)
        return
    for parameter, value in zip(info.params, arguments, strict=True):
        if _is_unset(value):
            continue
        if not IsChildVersion(version, parameter.version):
            yield Lost(f"{info.wsdlName}.{parameter.name}", parameter.version)
        else:
            yield from _lost_inside(value, version)


def refuse_lossy(info: Any, moid: str, arguments: Sequence[Any], version: str, api: ApiVersions | None) -> None:
    """Raise NotSent (api_too_old, library_too_old) when a call would not arrive as it was meant. ``api``: None before the login."""
    lost = list(dict.fromkeys(lost_parts(info, arguments, version)))
    if not lost:
        return
    names = " and ".join(dict.fromkeys(words_of(part.name) for part in lost))
    since = max(_number(part.since) for part in lost)
    spoken = _number(version)
    known = api or ApiVersions(spoken=spoken, server=spoken, library=newest_known(), product="the server")
    error = too_old(f"{info.wsdlName} on {moid} was not sent, because {names} would have been lost", since, known)
    raise NotSent(message=error.message, code=error.code, cure=error.cure)


@functools.cache
def newest_known() -> Version:
    """The newest API version that the installed pyVmomi knows."""
    return max(parse_version(number) for _name, number in service_versions())


def unknown_to_library(error: AttributeError) -> NotSent | None:
    """The error for a type, method or property that the installed pyVmomi does not have. None when pyVmomi did not raise ``error``."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames or "/pyVmomi/" not in frames[-1].filename.replace("\\", "/"):
        return None
    return NotSent(
        message=f"Nothing was sent: the installed pyVmomi, which knows the API up to {show_version(newest_known())}, does not know {error}",
        code="library_too_old",
        cure="Install a newer pyvmomi for the Python that runs the module",
    )


def _number(version: str) -> Version:
    """A version of the SDK as numbers. Betas (6.8.x and 6.9.x are betas of 7.0) count as their release."""
    number = parse_version(version_id(version))
    return (7, 0, 0, 0) if (6, 8) <= number[:2] < (7, 0) else number


def _lost_inside(value: Any, version: str) -> Iterator[Lost]:
    if isinstance(value, list):
        for item in value:
            yield from _lost_inside(item, version)
    elif isinstance(value, DataObject):
        kind: Any = type(value)
        if not IsChildVersion(version, kind._version):
            yield Lost(kind._wsdlName, kind._version)
            return
        for name, lost in _properties(kind, version):
            part = getattr(value, name)
            if _is_unset(part):
                continue
            if lost is not None:
                yield lost
            else:
                yield from _lost_inside(part, version)


def _is_unset(value: Any) -> bool:
    """pyVmomi sends no list without entries, and cannot tell it from an unset one."""
    return value is None or (isinstance(value, list) and not value)


@functools.lru_cache(maxsize=2000)
def _properties(kind: Any, version: str) -> tuple[_Property, ...]:
    """The properties of a type; with ``lost`` set, those that the version lacks."""
    return tuple(
        _Property(
            info.name,
            None
            if IsChildVersion(version, info.version)
            else Lost(f"{_declared_in(kind, info.name)._wsdlName}.{info.name}", info.version),
        )
        for info in kind._GetPropertyList()
    )


def _declared_in(kind: Any, name: str) -> Any:
    """The base type that declares a property: the API reference lists it there."""
    return next(base for base in kind.__mro__ if name in base.__dict__.get("_propInfo", ()))
