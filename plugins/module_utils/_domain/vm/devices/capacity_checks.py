# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check that the VMs of a plan get all their devices, each VM from one host. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...observed.hosts import Host
from ..observed_vms import ObservedVms
from .availability import is_unmanaged
from .capacity import CapacityCheck, check_capacity, check_start, without_drs
from .fleet_checks import PartialPlan
from .one_host import Room, Starting, start_order


@dataclass(frozen=True, kw_only=True, slots=True)
class CapacityChecks:
    """``checks``: VM id → capacity check. ``hosts``: VM id → id of the host where a VM with SR-IOV network adapters will run. ``waits``: VM
    id → ids of the VMs that this run powers on before it."""

    checks: Mapping[str, CapacityCheck] = field(default_factory=dict)
    hosts: Mapping[str, str] = field(default_factory=dict)
    waits: Mapping[str, frozenset[str]] = field(default_factory=dict)


def check_capacities(observed: ObservedVms, partial_plans: Sequence[PartialPlan], room: Room) -> CapacityChecks:
    """Check the VMs of a plan: first those with the smallest choice of hosts, then those with most devices. A VM that will run takes its
    devices of its best host out of ``room``."""
    asking = {
        partial.draft.vm.moid: (partial, _starting(observed, partial))
        for partial in partial_plans
        if _asks_for_a_host(partial) or _asks_for_units(partial)
    }
    possible = {moid: room.hosts(one) for moid, (_partial, one) in asking.items()}
    powered_on = [one for partial, one in asking.values() if partial.must_run and not partial.blockers]
    waits = start_order(powered_on, possible, room)

    def strictness(moid: str) -> tuple[object, ...]:
        one = asking[moid][1]
        return (len(possible[moid]), -len(one.items), -len(one.kinds.profiles), one.vm.name, moid)

    checks = {moid: _check(observed, *asking[moid], room) for moid in sorted(asking, key=strictness)}
    hosts = {moid: vm.host_moid for moid, vm in room.granted.items() if vm.host_moid is not None}
    return CapacityChecks(checks=checks, hosts=hosts, waits=waits)


def _starting(observed: ObservedVms, partial: PartialPlan) -> Starting:
    vm = partial.draft.vm
    return Starting(
        vm=vm,
        items=partial.items,
        kinds=partial.kinds,
        changes=partial.changes,
        tied_to=vm.host_moid if partial.draft.is_tied or _stays_on(observed, partial) else None,
    )


def _check(observed: ObservedVms, partial: PartialPlan, one: Starting, room: Room) -> CapacityCheck:
    powered_on = partial.must_run and not partial.blockers
    several = sum((bool(one.items), one.has_units, one.has_adapters)) > 1
    # With one kind, its own check finds the same hosts.
    possible = room.hosts(one) if powered_on and several else frozenset()
    if one.has_adapters and one.vm.host_moid in possible:
        # The physical function and the network of an adapter are those of its own host.
        possible = frozenset({one.vm.host_moid})
    check = _check_each_kind(observed, partial, one, room, possible)
    if powered_on and several and not possible and not check.blockers and room.allowed(one):
        check = check.also(CapacityCheck(blockers=(room.no_host(one),)))
    stays_on = _stays_on(observed, partial)
    if stays_on is not None:
        check = without_drs(check, stays_on, unmanaged=is_unmanaged(observed, one.vm))
    if powered_on and not check.blockers and check.host_moid is not None:
        room.grant(check.host_moid, one)
    return check


def _check_each_kind(
    observed: ObservedVms, partial: PartialPlan, one: Starting, room: Room, only: frozenset[str]
) -> CapacityCheck:
    vm, check = one.vm, CapacityCheck()
    if partial.items and _asks_for_a_host(partial):
        check = check_capacity(
            observed, vm, one.items, room.holders, tied_to=one.tied_to, must_run=partial.must_run, only=only
        )
    elif _asks_for_a_host(partial):
        check = check_start(observed, vm, tied_to=one.tied_to)
    if partial.must_run and check.host_moid is not None and not partial.blockers:
        room.holders.place(check.host_moid, vm, one.items)
    if not _asks_for_units(partial):
        return check
    # Imported only for VMs that have such devices.
    from .unit_capacity import check_unit_capacity

    placed_on = frozenset({check.host_moid}) if one.items and only and check.host_moid is not None else only
    units = check_unit_capacity(
        observed,
        vm,
        one.kinds.profiles,
        one.kinds.classes,
        one.kinds.groups,
        room.profiles,
        tied_to=one.tied_to,
        must_run=partial.must_run and not partial.blockers,
        only=placed_on,
    )
    both = check.also(units)
    return both if one.items else replace(both, host_moid=units.host_moid or check.host_moid)


def _asks_for_units(partial: PartialPlan) -> bool:
    kinds = partial.kinds
    return bool(kinds.profiles or kinds.classes) and not kinds.blockers and bool(kinds.added or partial.must_run)


def _stays_on(observed: ObservedVms, partial: PartialPlan) -> Host | None:
    """The host on which a VM is powered on because DRS does not choose another one."""
    host = partial.draft.host
    if host is None or not partial.must_run:
        return None
    return host if host.drs_places_vms is False or is_unmanaged(observed, partial.draft.vm) else None


def _asks_for_a_host(partial: PartialPlan) -> bool:
    """Dynamic devices ask for a host that has them, a power-on for one in service. ``start_blockers`` checks the only possible host."""
    if partial.items:
        return bool(partial.draft.dynamic) or partial.must_run
    host = partial.draft.host
    return partial.must_run and not partial.draft.is_tied and host is not None and host.cluster is not None
