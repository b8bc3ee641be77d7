# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""HA admission control: how much a cluster sets aside for failures, how much it has, and what it then refuses.

Sources: API reference (ClusterFailoverLevelAdmissionControlPolicy and -Info, ClusterFailoverResourcesAdmissionControlPolicy
and -Info, ClusterFailoverHostAdmissionControlPolicy, InsufficientFailoverResourcesFault), vSphere Availability guide (slots
are as big as the biggest reservation; percentages compare reservations with the resources of the hosts in use), vSphere
Resource Management guide (DRS does not evacuate a host when the rest would no longer meet the failover level).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """``kind`` is none, level (``level`` hosts may fail), percent (``memory`` % stay free) or hosts (``hosts`` stay empty)."""

    kind: str = "none"
    level: int = 0
    cpu: int = 0
    memory: int = 0
    hosts: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """A usable host: the bytes it has for virtual machines."""

    moid: str
    memory: int


def failover_level(rooms: Sequence[Room], needs: Sequence[int]) -> int:
    """How many of the biggest hosts may fail while the rest has a slot for every running VM. One host must stay."""
    slot = max([*needs, 1])
    slots = sorted(room.memory // slot for room in rooms)
    lost = 0
    while lost + 1 < len(slots) and sum(slots[: len(slots) - lost - 1]) >= len(needs):
        lost += 1
    return lost


def free_percent(rooms: Sequence[Room], needs: Sequence[int]) -> int:
    """The share of memory that no running VM has reserved; 0 when there is no host."""
    total = sum(room.memory for room in rooms)
    return max(0, 100 * (total - sum(needs)) // total) if total else 0


def is_met(policy: Policy, rooms: Sequence[Room], needs: Sequence[int]) -> bool:
    """Whether what is set aside is there, with these hosts in use and these reservations."""
    if policy.kind == "level":
        return failover_level(rooms, needs) >= policy.level
    if policy.kind == "percent":
        return bool(rooms) and free_percent(rooms, needs) >= policy.memory
    if policy.kind == "hosts":
        return policy.hosts <= {room.moid for room in rooms} and len(rooms) > len(policy.hosts)
    return bool(rooms)
