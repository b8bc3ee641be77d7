# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning of host_device_mode. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..observed.hosts import Host
from ..planning.plan import Blocker, Change, Plan, TargetPlan
from .blockers import unreachable


@dataclass(frozen=True, kw_only=True, slots=True)
class DesiredDeviceMode:
    """The desired state of all hosts that the parameters name."""

    state: Literal["present", "absent"] = "present"


def plan_device_mode(hosts: Sequence[Host], desired: DesiredDeviceMode) -> Plan:
    """One TargetPlan for each host, sorted by name."""
    ordered = sorted(hosts, key=lambda host: (host.name, host.moid))
    return Plan(targets=tuple(_plan_host(host, desired) for host in ordered))


def _plan_host(host: Host, desired: DesiredDeviceMode) -> TargetPlan:
    changes = _changes(host, desired)
    return TargetPlan(target=host.name, moid=host.moid, changes=changes, blockers=_blockers(host))


def _changes(host: Host, desired: DesiredDeviceMode) -> tuple[Change, ...]:
    """What differs from the desired state. Each change has a detail of its own class in ``planning/details.py``."""
    return ()


def _blockers(host: Host) -> tuple[Blocker, ...]:
    """Why a host is not changed, all reasons at once."""
    return () if host.is_reachable else (unreachable(host),)
