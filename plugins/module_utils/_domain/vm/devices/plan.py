# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning the passthrough devices of VMs. PRIVATE to the collection.

The changes of a VM are in the order in which they are made: shutdown; then detach, attach, memory, extra_config, hot_add and
latency, which are ONE
reconfiguration; then power_on. There are two passes: when ``needs_details`` returns VMs, the caller reads their device maximum, system id
and offered devices, and makes the plan again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ...observed.hosts import HostDevice
from ...observed.vms import FixedBacking, Vm
from ...planning.plan import Blocker, Change, Plan, TargetPlan, VmFacts
from ..desired.vm import DesiredVm
from ..hardware_version import HardwarePlan, after_upgrades, plan_hardware
from ..kinds.kind_plan import KindPlan
from ..kinds.plan_kinds import plan_kinds
from ..latency import plan_latency
from ..memory import state_blockers
from ..numa import numa_blockers
from ..observed_vms import ObservedVms, check_all_desired
from ..pinning import plan_pin
from ..pools import share_pools
from ..preconditions import hot_add_changes, power_steps
from .capacity import CapacityCheck, commitment_warnings, items_after
from .capacity_checks import check_capacities
from .draft import Draft, draft_devices
from .facts import attach_changes, detach_changes, leaving, moving_changes
from .fleet_checks import (
    PartialPlan,
    check_host_limits,
    check_supply_of_functions,
    fleet_notes,
    may_start_elsewhere,
    waits_for_others,
)
from .holders import DeviceHolder, DeviceHolders, read_holders
from .one_host import Room, has_adapters
from .single_vm import has_devices_after, memory_changes, mmio_of, vm_blockers, vm_warnings

__all__ = [
    "DesiredVm",
    "ObservedVms",
    "needs_details",
    "needs_groups",
    "needs_networks",
    "needs_offers",
    "needs_placement",
    "plan_vm_devices",
    "reserved_cards",
    "starts_elsewhere",
]


def plan_vm_devices(observed: ObservedVms, desired_vms: Sequence[DesiredVm]) -> Plan:
    """One target for each VM in ``desired_vms``. Raises InputError when the desired state itself is wrong, ValueError (programming error)
    for a VM that was not read."""
    check_all_desired(observed, desired_vms)
    holders, models, reserved = read_holders(observed), observed.models(), reserved_cards(observed, desired_vms)
    upgrades = {desired.moid: plan_hardware(observed, desired) for desired in desired_vms}
    observed = after_upgrades(observed, desired_vms)
    partial_plans = []
    for desired in sorted(desired_vms, key=lambda desired: (observed.vm(desired.moid).name, desired.moid)):
        partial = _plan_without_capacity(observed, desired, upgrades[desired.moid], holders, reserved, models)
        partial_plans.append(partial)
        _record_holders(holders, partial.draft, granted=not partial.blockers)
    room = Room(observed=observed, holders=holders)
    found = check_capacities(observed, partial_plans, room)
    capacity_checks = found.checks
    host_limits = check_host_limits(observed, partial_plans)
    notes = fleet_notes(observed, partial_plans, capacity_checks, holders, room.profiles)
    supply = check_supply_of_functions(observed, partial_plans, found.hosts)
    contended = waits_for_others([partial.draft for partial in partial_plans])
    targets = [
        _target(
            partial,
            capacity_checks.get(partial.draft.vm.moid, CapacityCheck()),
            contended.get(partial.draft.vm.moid),
            host_limits.get(partial.draft.vm.moid) or supply.blockers.get(partial.draft.vm.moid),
            (*notes.get(partial.draft.vm.moid, ()), *supply.warnings.get(partial.draft.vm.moid, ())),
            found.waits.get(partial.draft.vm.moid, frozenset()),
        )
        for partial in partial_plans
    ]
    plan = share_pools([partial.draft.vm for partial in partial_plans], Plan(targets=tuple(targets)))
    blocked = {target.moid for target in plan.targets if target.blockers}
    promised = {
        partial.draft.vm.moid: partial.items
        for partial in partial_plans
        if partial.draft.dynamic and partial.draft.vm.moid not in blocked
    }
    return replace(plan, warnings=commitment_warnings(observed, promised, holders))


def needs_details(plan: Plan) -> frozenset[str]:
    """Ids of the VMs for which limits, system ids and offered devices must be read before the plan is final."""
    return frozenset(target.moid for target in plan.targets if target.vm_facts.needs_details)


def needs_offers(plan: Plan) -> frozenset[str]:
    """Ids of the VMs for which must be read what their hosts offer (vGPU profiles, groups, DVX classes), before the plan is final."""
    return frozenset(target.moid for target in plan.targets if target.vm_facts.needs_offers)


def needs_groups(plan: Plan) -> frozenset[str]:
    """Ids of the VMs for which the vendor device groups of each host where they may run must be read, before the plan is final."""
    return frozenset(target.moid for target in plan.targets if target.vm_facts.needs_groups)


def needs_networks(plan: Plan) -> frozenset[str]:
    """Ids of the VMs for which the networks of each host where they may run must be read, before the plan is final."""
    return frozenset(target.moid for target in plan.targets if target.vm_facts.needs_networks)


def starts_elsewhere(plan: Plan) -> frozenset[str]:
    """Ids of the VMs for which must be read whether DRS chooses their host, before the plan is final."""
    return frozenset(target.moid for target in plan.targets if target.vm_facts.starts_elsewhere)


def needs_placement(plan: Plan) -> frozenset[str]:
    """Ids of the VMs for which the settings of their cluster must be read before the plan is final."""
    return frozenset(target.moid for target in plan.targets if target.vm_facts.needs_placement)


def reserved_cards(observed: ObservedVms, desired_vms: Iterable[DesiredVm]) -> Mapping[str, Mapping[str, str]]:
    """Host id → address → id of the VM with an entry for this address. Entries by model do not take such a device."""
    reserved: dict[str, dict[str, str]] = defaultdict(dict)
    for desired in sorted(desired_vms, key=lambda desired: (observed.vm(desired.moid).name, desired.moid)):
        for entry in desired.devices if desired.state != "absent" else ():
            if entry.selector.address is not None:
                reserved[observed.vm(desired.moid).host_moid or ""].setdefault(entry.selector.address, desired.moid)
    return reserved


def _record_holders(holders: DeviceHolders, draft: Draft, *, granted: bool) -> None:
    """Record the devices that the VM gives up (only the VM itself can use them in this plan) and, when ``granted``, those that it gets."""
    vm, host_moid = draft.vm, draft.vm.host_moid or ""
    for held in draft.held:
        if held.key in draft.detached and isinstance(held.device.backing, FixedBacking):
            holders.release(host_moid, held.device.backing.address or "", vm)
    for allocated in draft.fixed if granted else ():
        holder = DeviceHolder(vm=vm.name, moid=vm.moid, powered_on=vm.is_powered_on, fixed=True, planned=True)
        holders.add(host_moid, allocated.device.address, holder)


def _plan_without_capacity(
    observed: ObservedVms,
    desired: DesiredVm,
    hardware: HardwarePlan,
    holders: DeviceHolders,
    reserved: Mapping[str, Mapping[str, str]],
    models: Mapping[str, HostDevice],
) -> PartialPlan:
    vm = observed.vm(desired.moid)
    unknown = state_blockers(vm, changing=False)
    if unknown:
        return PartialPlan(
            draft=Draft(vm=vm, desired=desired, host=None),
            changes=(),
            blockers=unknown,
            warnings=(),
            facts=VmFacts(),
            must_run=False,
            items=(),
        )
    draft = draft_devices(observed, desired, holders, reserved.get(vm.host_moid or "", {}), models)
    kinds = plan_kinds(observed, desired)
    memory = memory_changes(draft, kinds)
    mmio = mmio_of(draft, kinds)
    pin = plan_pin(observed, desired, tied=draft.is_tied)
    latency = plan_latency(observed, desired)
    hot_add = hot_add_changes(vm) if desired.disable_hot_add and has_devices_after(draft, kinds) else ()
    settings = (*mmio.changes, *hot_add, *latency.changes)
    moving = moving_changes(draft)
    needs_off = bool(draft.detached or draft.attaching or moving or kinds.changes or settings or hardware.changes)
    power = power_steps(vm, desired, needs_off)
    changes = (
        *pin.changes,
        *((power.shutdown,) if power.shutdown else ()),
        *hardware.changes,
        *detach_changes(draft),
        *kinds.detaching,
        *moving,
        *attach_changes(draft, observed.system_ids.get(vm.host_moid or "")),
        *kinds.attaching,
        *memory,
        *settings,
        *((power.power_on,) if power.power_on else ()),
    )
    facts = VmFacts(
        mmio=mmio.facts,
        leaving={**leaving(draft), **kinds.leaving},
        minimum_hardware=hardware.minimum,
        needs_offers=kinds.needs_offers or _lacks_offers(observed, vm, kinds, must_run=power.must_run),
        needs_groups=power.must_run
        and bool(kinds.groups)
        and any(host.moid not in observed.offers.groups for host in observed.candidates(vm)),
        needs_networks=power.must_run and _lacks_networks(observed, draft, kinds, changes),
        needs_placement=pin.needs_placement or _wants_placement(observed, draft, kinds),
        needs_details=hardware.needs_details
        or kinds.needs_details
        or _wants_details(observed, draft, kinds, must_run=power.must_run),
    )
    return PartialPlan(
        draft=draft,
        kinds=kinds,
        changes=changes,
        blockers=(
            *hardware.blockers,
            *pin.blockers,
            *latency.blockers,
            *numa_blockers(vm, changes),
            *vm_blockers(observed, draft, kinds, memory, mmio, power, holders, bool(changes)),
        ),
        warnings=(*hardware.warnings, *pin.warnings, *vm_warnings(draft, kinds, power)),
        facts=facts,
        must_run=power.must_run,
        items=items_after(vm, frozenset(draft.detached), [planned.item for planned in draft.dynamic]),
    )


def _lacks_offers(observed: ObservedVms, vm: Vm, kinds: KindPlan, *, must_run: bool) -> bool:
    """True when a VM with vGPUs or DVX devices will be powered on, and what is free on its hosts was not read."""
    unread = any(host.moid not in observed.offers.hosts for host in observed.candidates(vm))
    return must_run and bool(kinds.profiles or kinds.classes) and unread


def _lacks_networks(observed: ObservedVms, draft: Draft, kinds: KindPlan, changes: Sequence[Change]) -> bool:
    """True when a VM has SR-IOV network adapters beside devices for which another host may have to power it on, and the networks of these
    hosts were not read."""
    vm = draft.vm
    dynamic = draft.dynamic or any(held.kind == "dynamic" for held in draft.staying)
    if not (dynamic or kinds.profiles or kinds.classes) or not has_adapters(vm, kinds, changes):
        return False
    return any(host.moid not in observed.networks for host in observed.candidates(vm))


def _wants_details(observed: ObservedVms, draft: Draft, kinds: KindPlan, *, must_run: bool) -> bool:
    """True when unread details could change the plan: the device maximum for an attach, the system id for a fixed device.

    A running VM needs no check of its system id: it could not have powered on with a wrong one.
    """
    vm, host = draft.vm, draft.host
    if (draft.attaching or kinds.attaching) and vm.moid not in observed.limits:
        return True
    if host is None or not host.is_reachable or (draft.desired.state == "absent" and not must_run):
        return False
    has_fixed = draft.fixed or (not vm.is_powered_on and any(held.kind == "fixed" for held in draft.held))
    unread = host.moid not in observed.system_ids or (bool(draft.fixed) and host.moid not in observed.offered)
    return bool(has_fixed) and unread


def _wants_placement(observed: ObservedVms, draft: Draft, kinds: KindPlan) -> bool:
    """True when a device is attached that other hosts may have, too, and the settings of DRS and HA were not read."""
    host = draft.host
    if not (draft.dynamic or kinds.adds_units) or host is None or host.cluster is None:
        return False
    return host.compute_moid not in observed.placements


def _target(
    partial: PartialPlan,
    capacity_check: CapacityCheck,
    contended: Blocker | None,
    host_limit: Blocker | None,
    notes: tuple[str, ...],
    waits_for: frozenset[str],
) -> TargetPlan:
    return TargetPlan(
        target=partial.draft.vm.name,
        moid=partial.draft.vm.moid,
        host_moid=partial.draft.vm.host_moid or "",
        changes=partial.changes,
        blockers=(*partial.blockers, *capacity_check.blockers, *(b for b in (contended, host_limit) if b is not None)),
        warnings=(*partial.warnings, *notes, *capacity_check.warnings),
        waits_for=waits_for,
        vm_facts=replace(partial.facts, starts_elsewhere=may_start_elsewhere(partial, capacity_check)),
    )
