# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The latency sensitivity of a VM (``latency_sensitivity``). PRIVATE to the collection.

With the level ``high``, vSphere requires that all memory and all CPUs of the VM are reserved. The memory lock is planned with the memory.
The CPU reservation is at least the number of virtual CPUs times the speed of a core of the VM's host. ``normal`` resets only the level:
reservations are never lowered.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..facts import Unknown
from ..observed.hosts import Host
from ..observed.vms import Vm
from ..planning.details import Latency
from ..planning.plan import Blocker, Change
from .desired.vm import DesiredVm
from .observed_vms import ObservedVms

LEVEL = "latency sensitivity"
RESERVATION = "CPU reservation"


@dataclass(frozen=True, kw_only=True, slots=True)
class LatencyPlan:
    """The level and the CPU reservation of one VM."""

    changes: tuple[Change, ...] = ()
    blockers: tuple[Blocker, ...] = ()


def wants_high(desired: DesiredVm) -> bool:
    """Whether the VM is to have the level ``high``, which needs all memory and all CPUs. ``absent`` changes no level."""
    return desired.latency_sensitivity == "high" and desired.state != "absent"


def plan_latency(observed: ObservedVms, desired: DesiredVm) -> LatencyPlan:
    """The level that is desired and the CPU reservation that it needs. Nothing without a desired level, and for ``absent``."""
    level, vm = desired.latency_sensitivity, observed.vm(desired.moid)
    if level is None or desired.state == "absent":
        return LatencyPlan()
    if isinstance(vm.latency_sensitivity, Unknown):
        return LatencyPlan(blockers=(_unknown(vm, f"its latency sensitivity ({vm.latency_sensitivity.gap})"),))
    changes = []
    if vm.latency_sensitivity != level:
        changes.append(Change(subject=LEVEL, before=vm.latency_sensitivity, after=level, detail=Latency(level=level)))
    if level != "high":
        return LatencyPlan(changes=tuple(changes))
    host = observed.host_of(vm)
    needed = _needed_mhz(vm, host)
    reserved = vm.cpu.reservation_mhz
    if needed is None or reserved is None:
        what = "the speed of the cores of its host" if vm.cpu.count and reserved is not None else "its CPUs"
        return LatencyPlan(changes=tuple(changes), blockers=(_unknown(vm, what),))
    if reserved < needed:
        detail = Latency(cpu_reservation_mhz=needed)
        changes.append(Change(subject=RESERVATION, before=reserved, after=needed, detail=detail))
    return LatencyPlan(changes=tuple(changes), blockers=_limit_blockers(vm, needed))


def _needed_mhz(vm: Vm, host: Host | None) -> int | None:
    if vm.cpu.count is None or host is None or host.cpu_mhz is None:
        return None
    return vm.cpu.count * host.cpu_mhz


def _unknown(vm: Vm, what: str) -> Blocker:
    return Blocker(
        code="latency_unknown",
        message=f"vCenter does not return {what}, so the latency sensitivity of {vm.name} cannot be set",
        cure="Check that the account has System.Read on the VM and on its host, or leave latency_sensitivity out",
    )


def _limit_blockers(vm: Vm, needed: int) -> tuple[Blocker, ...]:
    limit = vm.cpu.limit_mhz
    if limit is None or limit >= needed:
        return ()
    return (
        Blocker(
            code="cpu_limit",
            message=f"{vm.name} has a CPU limit of {limit} MHz, but high latency sensitivity needs {needed} MHz reserved",
            cure="Remove the CPU limit of the VM, or leave latency_sensitivity out",
        ),
    )
