# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What depends on the plans of all VMs: free devices, limits of hosts, spares for HA. PRIVATE to the collection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial as partial_function

from ...observed.hosts import Host
from ...planning.plan import Blocker, Change, VmFacts
from ..kinds.kind_plan import KindPlan, Supply
from ..observed_vms import ObservedVms
from .availability import availability_warnings, is_unmanaged, spare_cards
from .capacity import CapacityCheck, check_capacity, check_start, without_drs
from .draft import Draft
from .holders import DeviceHolders, DynamicItem
from .host_limit import device_limit, devices_in_use, limit_blocker
from .shared_cards import cards_by_place, fixed_addresses, shared_cards
from .single_vm import count_after


@dataclass(frozen=True, kw_only=True, slots=True)
class PartialPlan:
    """The plan of one VM before the capacity check of its dynamic devices."""

    draft: Draft
    changes: tuple[Change, ...]
    blockers: tuple[Blocker, ...]
    warnings: tuple[str, ...]
    facts: VmFacts
    must_run: bool
    items: tuple[DynamicItem, ...]
    kinds: KindPlan = field(default_factory=KindPlan)


def check_capacities(
    observed: ObservedVms,
    partial_plans: Sequence[PartialPlan],
    holders: DeviceHolders,
    placed: dict[str, Counter[str]],
) -> Mapping[str, CapacityCheck]:
    """VM id → capacity check; VMs with most dynamic devices come first. A VM that will run holds devices of its best host, and its
    vGPUs are added to ``placed`` (host id → profiles)."""
    capacity_checks: dict[str, CapacityCheck] = {}
    asking = [partial for partial in partial_plans if _asks_for_a_host(partial)]
    for partial in sorted(asking, key=lambda p: (-len(p.items), p.draft.vm.name, p.draft.vm.moid)):
        vm = partial.draft.vm
        stays_on = _stays_on(observed, partial)
        tied_to = vm.host_moid if partial.draft.is_tied or stays_on else None
        if partial.items:
            capacity_check = check_capacity(
                observed, vm, partial.items, holders, tied_to=tied_to, must_run=partial.must_run
            )
        else:
            capacity_check = check_start(observed, vm, tied_to=tied_to)
        if stays_on is not None:
            capacity_check = without_drs(capacity_check, stays_on, unmanaged=is_unmanaged(observed, vm))
        capacity_checks[vm.moid] = capacity_check
        if partial.must_run and capacity_check.host_moid is not None and not partial.blockers:
            holders.place(capacity_check.host_moid, vm, partial.items)
    _check_units(observed, partial_plans, placed, capacity_checks)
    return capacity_checks


def _check_units(
    observed: ObservedVms,
    partial_plans: Sequence[PartialPlan],
    placed: dict[str, Counter[str]],
    capacity_checks: dict[str, CapacityCheck],
) -> None:
    """Add the checks of vGPUs and DVX devices to those of dynamic devices."""
    with_units = [partial for partial in partial_plans if partial.kinds.profiles or partial.kinds.classes]
    if not with_units:
        return
    # Imported only for VMs that have such devices.
    from .unit_capacity import check_unit_capacity

    for partial in sorted(with_units, key=lambda p: (-len(p.kinds.profiles), p.draft.vm.name, p.draft.vm.moid)):
        if partial.kinds.blockers or not (partial.kinds.added or partial.must_run):
            continue
        vm, stays_on = partial.draft.vm, _stays_on(observed, partial)
        check = check_unit_capacity(
            observed,
            vm,
            partial.kinds.profiles,
            partial.kinds.classes,
            partial.kinds.groups,
            placed,
            tied_to=vm.host_moid if partial.draft.is_tied or stays_on else None,
            must_run=partial.must_run and not partial.blockers,
        )
        if stays_on is not None:
            check = without_drs(check, stays_on, unmanaged=is_unmanaged(observed, vm))
        capacity_checks[vm.moid] = capacity_checks.get(vm.moid, CapacityCheck()).also(check)


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


def fleet_notes(
    observed: ObservedVms,
    partial_plans: Sequence[PartialPlan],
    capacity_checks: Mapping[str, CapacityCheck],
    holders: DeviceHolders,
    placed: Mapping[str, Counter[str]],
) -> Mapping[str, tuple[str, ...]]:
    """VM id → warnings that depend on the plans of all VMs."""
    shared = _shared_cards(observed, partial_plans)
    macs = _same_macs(partial_plans)
    found = {}
    for partial in partial_plans:
        vm = partial.draft.vm
        texts = (*shared.get(vm.moid, ()), *macs.get(vm.moid, ()))
        if (partial.draft.dynamic or partial.kinds.adds_units) and not partial.blockers:
            runs_on = vm.host_moid if vm.is_powered_on else capacity_checks.get(vm.moid, CapacityCheck()).host_moid
            restart = partial_function(_spares, observed, partial, holders, placed)
            texts += availability_warnings(observed, vm, restart, runs_on)
        found[vm.moid] = texts
    return found


def _spares(
    observed: ObservedVms,
    partial: PartialPlan,
    holders: DeviceHolders,
    placed: Mapping[str, Counter[str]],
    cluster: str,
    runs_on: str | None,
) -> Iterator[str]:
    """Sentences about a restart of a VM on another host. A VM with fixed devices has a warning of its own."""
    vm, kinds = partial.draft.vm, partial.kinds
    if partial.draft.dynamic:
        yield from spare_cards(observed, vm, partial.items, holders, cluster, runs_on)
    if kinds.adds_units and not partial.draft.is_tied:
        from .unit_capacity import spare_units

        yield from spare_units(observed, vm, kinds, placed, cluster, runs_on)


def _same_macs(partial_plans: Sequence[PartialPlan]) -> Mapping[str, tuple[str, ...]]:
    """VM id → a sentence for each MAC address that the entry of another VM gives to an adapter, too."""
    owners: dict[str, list[PartialPlan]] = {}
    for partial in partial_plans:
        if partial.draft.desired.state != "absent":
            for network in partial.draft.desired.sriov_networks or ():
                if network.mac is not None:
                    owners.setdefault(network.mac, []).append(partial)
    found: dict[str, tuple[str, ...]] = {}
    for mac, sharing in owners.items():
        for one in sharing if len(sharing) > 1 else ():
            others = " and ".join(other.draft.vm.name for other in sharing if other is not one)
            sentence = f"The entries of {one.draft.vm.name} and {others} have the same MAC address {mac}: only one of these VMs may run"
            found[one.draft.vm.moid] = (*found.get(one.draft.vm.moid, ()), sentence)
    return found


def _shared_cards(observed: ObservedVms, partial_plans: Sequence[PartialPlan]) -> Mapping[str, tuple[str, ...]]:
    """VM id → a sentence for each fixed device that it keeps and that another VM keeps, too."""
    places = cards_by_place(observed.everyone())
    if not places:
        return {}
    drafts = [partial.draft for partial in partial_plans]
    leaving = {
        (draft.vm.moid, address)
        for draft in drafts
        for address in fixed_addresses(held.device for held in draft.held if held.key in draft.detached)
    }
    return {
        draft.vm.moid: tuple(
            card.sentence()
            for card in shared_cards(
                draft.vm,
                fixed_addresses(held.device for held in draft.staying if not held.problem),
                places,
                leaving,
            )
        )
        for draft in drafts
    }


def check_host_limits(observed: ObservedVms, partial_plans: Sequence[PartialPlan]) -> Mapping[str, Blocker]:
    """VM id → blocker when the host would have more devices in use at the same time than it allows.

    A VM counts on its current host, even when DRS may place it on another: only releases without dynamic devices have such a limit.
    """
    host_limits: dict[str, Blocker] = {}
    names = {vm.moid: vm.name for vm in observed.everyone()}
    for host in observed.hosts:
        limit = device_limit(host, observed.device_limit)
        here = [
            partial for partial in partial_plans if partial.draft.vm.host_moid == host.moid and not partial.blockers
        ]
        if limit is None or not here:
            continue
        after = devices_in_use(host, observed.everyone())
        runs = [
            partial
            for partial in here
            if partial.must_run or (partial.draft.vm.is_powered_on and (partial.draft.attaching or partial.kinds.added))
        ]
        after |= {partial.draft.vm.moid: count_after(partial.draft, partial.kinds) for partial in runs}
        for partial in runs:
            blocker = limit_blocker(host, limit, after, names, partial.draft.vm)
            if blocker is not None:
                host_limits[partial.draft.vm.moid] = blocker
    return host_limits


def check_supply_of_functions(observed: ObservedVms, partial_plans: Sequence[PartialPlan]) -> Supply:
    """Whether the hosts have enough virtual functions for the SR-IOV network adapters of the VMs."""
    if not observed.networks:
        return Supply()
    # Imported only where networks were read, because an entry has such adapters.
    from ..kinds.function_supply import Asking, check_supply

    return check_supply(
        observed,
        [
            Asking(vm=partial.draft.vm, changes=partial.changes, runs=partial.must_run)
            for partial in partial_plans
            if not partial.blockers
            and (partial.must_run or (partial.draft.desired.sriov_networks and partial.kinds.attaching))
        ],
    )


def may_start_elsewhere(partial: PartialPlan, check: CapacityCheck) -> bool:
    host = partial.draft.host
    unread = host is not None and host.cluster is not None and host.drs_places_vms is None
    elsewhere = check.host_moid not in (None, partial.draft.vm.host_moid)
    # Before the offers are read, the best host for vGPUs is unknown.
    return unread and partial.must_run and (elsewhere or partial.facts.needs_offers)
