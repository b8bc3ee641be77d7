# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares values of the two ways of a bulk read: those made by the C parser with pyVmomi's own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pyVmomi.VmomiSupport import DataObject, ManagedObject

from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.property_collector.retrieve import Row


def differences(fast: Any, slow: Any, where: str = "") -> Iterator[str]:
    """Every place where two values do not mean the same."""
    if isinstance(slow, ManagedObject):
        if fast != slow or fast._stub is not slow._stub:
            yield f"{where}: {fast!r} is not {slow!r}"
    elif isinstance(slow, DataObject):
        yield from _object_differences(fast, slow, where)
    elif isinstance(slow, list):
        if not isinstance(fast, list) or len(fast) != len(slow):
            yield f"{where}: {fast!r} is not {slow!r}"
            return
        for index, (mine, reference) in enumerate(zip(fast, slow, strict=True)):
            yield from differences(mine, reference, f"{where}[{index}]")
    elif fast != slow or not isinstance(slow, type(fast)):
        yield f"{where}: {fast!r} ({type(fast).__name__}) is not {slow!r} ({type(slow).__name__})"
    elif isinstance(slow, datetime) and fast.utcoffset() != slow.utcoffset():
        yield f"{where}: {fast!r} is in another zone than {slow!r}"


def _object_differences(fast: Any, slow: Any, where: str) -> Iterator[str]:
    kind = type(slow)
    if not isinstance(fast, kind) or fast.__class__ is not kind or type(fast).__name__ != kind.__name__:
        yield f"{where}: a {type(fast).__name__} is not a {kind.__name__}"
        return
    for info in kind._GetPropertyList():
        yield from differences(getattr(fast, info.name), getattr(slow, info.name), f"{where}.{info.name}")


def row_differences(fast: Row, slow: Row) -> Iterator[str]:
    """The same for whole rows."""
    where = slow.moid
    if (fast.kind, fast.moid) != (slow.kind, slow.moid):
        yield f"{fast.kind} {fast.moid} is not {slow.kind} {where}"
    for name, mine, reference in (("values", fast.values, slow.values), ("missing", fast.missing, slow.missing)):
        if list(mine) != list(reference):
            yield f"{where}: {name} {list(mine)} are not {list(reference)}"
            return
        for path, value in reference.items():
            yield from differences(mine[path], value, f"{where} {path}")
