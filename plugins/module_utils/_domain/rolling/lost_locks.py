# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Locks whose run was killed or cannot reach vCenter: an event source reports them. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from ..changes.events import bounded, moment
from ..plain import Record
from ..text import inert
from .state.journal import Lock, Purpose

LockKey: TypeAlias = tuple[str, Purpose]


@dataclass(frozen=True, kw_only=True, slots=True)
class WatchedLock:
    """A lock in vCenter. ``place``: name of the cluster or the host that has it. ``hosts``: names of the hosts that its run has in
    progress. ``vms_off``: names of the VMs that its run shut down and has not started again."""

    moid: str
    place: str
    lock: Lock
    hosts: tuple[str, ...] = ()
    vms_off: tuple[str, ...] = ()

    @property
    def key(self) -> LockKey:
        """Identifies the lock: a standalone host may have one of a rolling reboot and one of host_maintenance."""
        return self.moid, self.lock.purpose


def lost_locks(
    locks: Iterable[WatchedLock], reported: Mapping[LockKey, float], now: float
) -> tuple[tuple[WatchedLock, ...], float | None]:
    """The locks that have become stale, and the time at which the next one would. ``reported``: key of a lock → its heartbeat when it
    was reported as lost. ``now``: by the clock of vCenter."""
    lost, due = [], None
    for found in locks:
        if reported.get(found.key) == found.lock.beat:
            continue
        if found.lock.is_stale(now):
            lost.append(found)
        else:
            until = found.lock.beat + found.lock.ttl
            due = until if due is None else min(due, until)
    return tuple(lost), due


def lock_event(found: WatchedLock, now: float) -> Record:
    """The event of a lost lock."""
    lock = found.lock
    return {
        "type": "lock_lost",
        "purpose": lock.purpose,
        "place": inert(found.place),
        "moid": inert(found.moid),
        "run_id": inert(lock.run_id),
        "owner": inert(lock.owner),
        "since": moment(lock.since),
        "last_heartbeat": moment(lock.beat),
        "silent_seconds": round(now - lock.beat),
        "ttl": round(lock.ttl),
        **bounded("hosts_in_progress", [inert(name) for name in found.hosts]),
        **bounded("vms_off", [inert(name) for name in found.vms_off]),
    }
