# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What depends on the plans of all VMs: free devices, limits of hosts, spares for HA. PRIVATE to the collection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial as partial_function

from ...observed.vms import DynamicBacking, FixedBacking
from ...planning.plan import Blocker, Change, VmFacts
from ..kinds.kind_plan import KindPlan, Supply
from ..observed_vms import ObservedVms
from .availability import availability_warnings, spare_cards
from .capacity import CapacityCheck
from .draft import Draft
from .holders import DeviceHolders, DynamicItem
from .host_limit import device_limit, devices_in_use, limit_blocker
from .matching import is_meant
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


def check_supply_of_functions(
    observed: ObservedVms, partial_plans: Sequence[PartialPlan], starts: Mapping[str, str]
) -> Supply:
    """Whether the hosts have enough virtual functions for the SR-IOV network adapters of the VMs. ``starts``: VM id → id of the host where
    a VM with such adapters, and with devices that its own host does not have free, is expected to run."""
    if not observed.networks:
        return Supply()
    # Imported only where networks were read, because an entry has such adapters.
    from ..kinds.function_supply import Asking, check_supply

    return check_supply(
        observed,
        [
            Asking(
                vm=partial.draft.vm,
                changes=partial.changes,
                runs=partial.must_run,
                host_moid=starts.get(partial.draft.vm.moid),
            )
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


def waits_for_others(drafts: Sequence[Draft]) -> Mapping[str, Blocker]:
    """VM id → blocker for ``count: all`` when another VM gives up such a device in the same run.

    The device is free only after the other VM was reconfigured, so "all" would mean fewer devices now than in the next run.
    """
    found = {}
    for draft in drafts:
        if draft.desired.state == "absent" or draft.host is None:
            continue
        for entry in draft.desired.devices:
            if entry.count != "all":
                continue
            releases = [
                f"{other.vm.name} gives up {address}"
                for other in drafts
                if other is not draft and other.vm.host_moid == draft.vm.host_moid
                for address in _given_up(other)
                if (device := draft.host.device(address)) is not None and is_meant(entry, device)
            ]
            if releases:
                found[draft.vm.moid] = Blocker(
                    code="devices_changing_hands",
                    message=f"{draft.vm.name} needs {entry.text}, but {', '.join(releases)} in the same run",
                    cure="Run this again after this run, or give a number as the count",
                )
    return found


def _given_up(draft: Draft) -> Iterator[str]:
    for device in draft.vm.devices:
        if device.key not in draft.detached:
            continue
        if isinstance(device.backing, FixedBacking) and device.backing.address:
            yield device.backing.address
        if isinstance(device.backing, DynamicBacking) and device.backing.assigned_address:
            yield device.backing.assigned_address
