# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an event source remembers from one connection to the next, and what it reads of locks. PRIVATE to the collection."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..._domain.changes.observed import WatchedHost
from ..._domain.observed.vms import Vm
from ..._domain.plain import Record
from ..._domain.rolling.lost_locks import LockKey, WatchedLock
from ..._domain.rolling.state.codec import decode_host, decode_lock, decode_maintenance, decode_vm
from ..._domain.rolling.state.journal import Entry, Lock, Purpose, VmEntry, is_active
from ..attributes.values import Texts, decode_values, journal_fields
from ..property_collector.retrieve import Row
from ..sdk import vim
from ..session.answer_checks import reader

CUSTOM = "customValue"
DEVICES = "config.pciPassthruInfo"
_STATES = ("passthruCapable", "passthruEnabled", "passthruActive", "hardwareLabel", "dependentDevice")
_SRIOV = ("sriovCapable", "sriovEnabled", "sriovActive", "numVirtualFunctionRequested", "numVirtualFunction")


class CustomText(NamedTuple):
    """The value of a custom attribute."""

    key: int
    value: str


@dataclass(kw_only=True)
class ChangeMemory:
    """``rows``: what the filter last showed. ``hosts``, ``vms`` (only those with devices): as they were last read. ``reported``: see
    ``lost_locks``. ``unsure``: ids of hosts of which it is not known yet whether they were rebooted. ``hosts_due``, ``vms_due``, ``gone``:
    ids of objects that changed or left and were not compared yet. ``events``: found and not returned yet. So an error on the way loses
    nothing."""

    rows: dict[str, Row] = field(default_factory=dict)
    hosts: dict[str, WatchedHost] = field(default_factory=dict)
    vms: dict[str, Vm] = field(default_factory=dict)
    reported: dict[LockKey, float] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)
    hosts_due: set[str] = field(default_factory=set)
    vms_due: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    events: list[Record] = field(default_factory=list)
    started: bool = False

    @property
    def is_behind(self) -> bool:
        """An error left something to do that does not wait for the next change."""
        return bool(self.hosts_due or self.vms_due or self.gone or self.events)


def kept(path: str, value: Any) -> Any:
    """What is kept of a watched value: of the PCI functions of a host, which are 20 KB, a digest."""
    if path == DEVICES:
        states = sorted(
            (info.id.lower(), *(getattr(info, name, None) for name in (*_STATES, *_SRIOV))) for info in value or ()
        )
        return hashlib.sha256(repr(states).encode()).digest()
    if path == CUSTOM:
        return sorted(CustomText(item.key, item.value) for item in value or ())
    return value


class LockTexts:
    """The custom attributes of journals. A definition that is made later, by the first rolling reboot, is read then."""

    def __init__(self, read: Callable[[], Collection[Any]]) -> None:
        self._read = read
        self._known: set[int] = set()
        self._fields: Mapping[int, str] = {}

    def of(self, row: Row) -> Texts:
        """Attribute → text of an object."""
        values = row.values.get(CUSTOM) or ()
        if any(item.key not in self._known for item in values):
            definitions = self._read()
            self._fields = journal_fields(definitions)
            self._known = {item.key for item in definitions} | {item.key for item in values}
        return decode_values(values, self._fields)


@reader
def watched_locks(rows: Mapping[str, Row], texts: Mapping[str, Texts]) -> tuple[WatchedLock, ...]:
    """All locks: on clusters, on standalone hosts, and those of host_maintenance on hosts. ``texts``: of the objects that have any."""
    found = []
    for moid, held in texts.items():
        row = rows[moid]
        for purpose in _purposes(row, rows):
            lock = decode_lock(held, purpose)
            if isinstance(lock, Lock):
                found.append(_watched(row, lock, rows, texts))
    return tuple(found)


def _purposes(row: Row, rows: Mapping[str, Row]) -> tuple[Purpose, ...]:
    if row.kind is not vim.HostSystem:
        return ("reboot",) if issubclass(row.kind, vim.ComputeResource) else ()
    parent = row.values.get("parent")
    return ("maintenance",) if parent is not None and parent._moId in rows else ("maintenance", "reboot")


def _watched(row: Row, lock: Lock, rows: Mapping[str, Row], texts: Mapping[str, Texts]) -> WatchedLock:
    hosts, off = [], []
    for moid, held in texts.items():
        other = rows[moid]
        name = str(other.values.get("name", moid))
        if any(entry.run_id == lock.run_id and is_active(entry) for entry in _entries(other, held)):
            hosts.append(name)
        if other.kind is vim.VirtualMachine and str(other.values.get("runtime.powerState")) != "poweredOn":
            mark = decode_vm(held, lock.purpose)
            off += [name] if isinstance(mark, VmEntry) and mark.run_id == lock.run_id else []
    place = str(row.values.get("name", row.moid))
    return WatchedLock(moid=row.moid, place=place, lock=lock, hosts=tuple(sorted(hosts)), vms_off=tuple(sorted(off)))


def _entries(row: Row, held: Texts) -> Iterator[Entry]:
    if row.kind is vim.HostSystem:
        for entry in (decode_host(held)[0], decode_maintenance(held)):
            if isinstance(entry, Entry):
                yield entry
