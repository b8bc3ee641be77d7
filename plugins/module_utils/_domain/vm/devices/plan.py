# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning the passthrough devices of VMs. PRIVATE to the collection.

The changes of a VM are in the order in which they are made: shutdown; then detach, attach, memory, extra_config, hot_add and
latency, which are ONE
reconfiguration; then power_on. There are two passes: when ``needs_details`` returns VMs, the caller reads their device maximum, system id
and offered devices, and makes the plan again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...observed.hosts import HostDevice
from ...observed.vms import FixedBacking, Vm
from ...planning.plan import Blocker, Change, Plan, TargetPlan, VmFacts
from ..desired.vm import DesiredVm
from ..hardware_version import HardwarePlan, after_upgrades, plan_hardware
from ..kinds.kind_plan import KindPlan
from ..kinds.plan_kinds import plan_kinds
from ..latency import plan_latency, wants_high
from ..memory import (
    describe_device,
    lock_blockers,
    lock_changes,
    merge_writes,
    outdated_lock_blockers,
    state_blockers,
    unlock_blockers,
    unlock_changes,
)
from ..mmio import MmioDevice, MmioPlan, plan_mmio, unknown_size_blocker, will_not_start, window_problem
from ..numa import numa_blockers
from ..observed_vms import ObservedVms, check_all_desired
from ..pinning import plan_pin
from ..pools import share_pools
from ..preconditions import (
    PowerSteps,
    attach_blockers,
    group_blockers,
    hot_add_changes,
    hot_add_warning,
    nested_blockers,
    power_steps,
    start_blockers,
    used_after,
)
from .availability import availability_warnings, is_unmanaged
from .capacity import CapacityCheck, check_capacity, check_start, commitment_warnings, items_after, without_drs
from .contention import waits_for_others
from .draft import Draft, draft_devices
from .facts import attach_changes, detach_changes, leaving, moving_changes
from .holders import DeviceHolder, DeviceHolders, DynamicItem, read_holders
from .host_limit import device_limit, devices_in_use, limit_blocker
from .shared_cards import cards_by_place, fixed_addresses, shared_cards

__all__ = [
    "DesiredVm",
    "ObservedVms",
    "needs_details",
    "needs_offers",
    "needs_placement",
    "plan_vm_devices",
    "reserved_cards",
    "starts_elsewhere",
]


_DETACHED_BY_ALL = ("fixed", "dynamic", "vgpu", "dvx", "sriov")
"""Kinds of backings that ``kinds: all`` detaches."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _PartialPlan:
    """The plan of one VM before the capacity check of its dynamic devices."""

    draft: Draft
    changes: tuple[Change, ...]
    blockers: tuple[Blocker, ...]
    warnings: tuple[str, ...]
    facts: VmFacts
    must_run: bool
    items: tuple[DynamicItem, ...]
    kinds: KindPlan = field(default_factory=KindPlan)


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
    capacity_checks = _check_capacities(observed, partial_plans, holders)
    host_limits = _check_host_limits(observed, partial_plans)
    notes = _notes(observed, partial_plans, capacity_checks, holders)
    supply = _check_supply(observed, partial_plans)
    contended = waits_for_others([partial.draft for partial in partial_plans])
    targets = [
        _target(
            partial,
            capacity_checks.get(partial.draft.vm.moid, CapacityCheck()),
            contended.get(partial.draft.vm.moid),
            host_limits.get(partial.draft.vm.moid) or supply.get(partial.draft.vm.moid),
            notes.get(partial.draft.vm.moid, ()),
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
) -> _PartialPlan:
    vm = observed.vm(desired.moid)
    unknown = state_blockers(vm, changing=False)
    if unknown:
        return _PartialPlan(
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
    memory = _memory(draft, kinds)
    mmio = _mmio(draft, kinds)
    pin = plan_pin(observed, desired, tied=draft.is_tied)
    latency = plan_latency(observed, desired)
    hot_add = hot_add_changes(vm) if desired.disable_hot_add and _has_devices_after(draft, kinds) else ()
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
        needs_placement=pin.needs_placement or _wants_placement(observed, draft),
        needs_details=hardware.needs_details
        or kinds.needs_details
        or _wants_details(observed, draft, kinds, must_run=power.must_run),
    )
    return _PartialPlan(
        draft=draft,
        kinds=kinds,
        changes=changes,
        blockers=(
            *hardware.blockers,
            *pin.blockers,
            *latency.blockers,
            *numa_blockers(vm, changes),
            *_blockers(observed, draft, kinds, memory, mmio, power, holders, bool(changes)),
        ),
        warnings=(*hardware.warnings, *pin.warnings, *_warnings(draft, kinds, power)),
        facts=facts,
        must_run=power.must_run,
        items=items_after(vm, frozenset(draft.detached), [planned.item for planned in draft.dynamic]),
    )


def _has_devices_after(draft: Draft, kinds: KindPlan) -> bool:
    leaving = {*draft.detached, *kinds.detached}
    staying = (device for device in draft.vm.needs_full_reservation if device.key not in leaving)
    return draft.attaching or bool(kinds.attaching) or any(staying)


def _memory(draft: Draft, kinds: KindPlan) -> tuple[Change, ...]:
    """The memory changes: the lock is set with devices. It stays when the last device is detached, unless ``unlock_memory``."""
    detached = draft.detached or kinds.detached
    if _has_devices_after(draft, kinds):
        if draft.desired.state == "absent" and not detached:
            return ()
        return lock_changes(draft.vm)
    if wants_high(draft.desired):
        return lock_changes(draft.vm)
    return unlock_changes(draft.vm) if detached and draft.desired.unlock_memory else ()


def _outdated_lock(draft: Draft, kinds: KindPlan) -> tuple[Blocker, ...]:
    needed = wants_high(draft.desired) or _has_devices_after(draft, kinds)
    return outdated_lock_blockers(draft.vm) if needed else ()


def _lacks_offers(observed: ObservedVms, vm: Vm, kinds: KindPlan, *, must_run: bool) -> bool:
    """True when a VM with vGPUs or DVX devices will be powered on, and what is free on its hosts was not read."""
    unread = any(host.moid not in observed.offers.hosts for host in observed.candidates(vm))
    return must_run and bool(kinds.profiles or kinds.classes) and unread


def _mmio(draft: Draft, kinds: KindPlan) -> MmioPlan:
    if draft.desired.mmio is None or draft.desired.state == "absent":
        return MmioPlan()
    return plan_mmio(draft.vm, draft.desired.mmio, [*_mapped(draft), *kinds.mapped])


def _find_window_problem(draft: Draft) -> str:
    """Why the VM is expected to fail to power on with its devices after the plan; empty when the desired state has ``mmio``."""
    if draft.desired.mmio is not None and draft.desired.state != "absent":
        return ""
    return window_problem(draft.vm, _staying(draft), _added(draft))


def _window_blockers(draft: Draft, power: PowerSteps) -> list[Blocker]:
    """Blockers for changes after which the VM is expected to fail to power on, when the desired state has no ``mmio``."""
    if draft.attaching and draft.desired.mmio is None:
        unknown = unknown_size_blocker(draft.vm, _added(draft), {device.ids for device in _staying(draft)})
        if unknown is not None:
            return [unknown]
    problem = _find_window_problem(draft) if power.must_run else ""
    return [will_not_start(draft.vm, problem)] if problem else []


def _mapped(draft: Draft) -> list[MmioDevice]:
    """The devices that the VM will have, for the calculation of the MMIO window."""
    return [*_staying(draft), *_added(draft)]


def _mmio_device(device: HostDevice) -> MmioDevice:
    return MmioDevice(ids=device.ids, class_id=device.class_id.replace("0000", ""), name=device.name)


def _staying(draft: Draft) -> list[MmioDevice]:
    kept = (min(held.stands_for, key=lambda d: (d.ids, d.name)) for held in draft.staying if held.stands_for)
    return [_mmio_device(device) for device in kept]


def _added(draft: Draft) -> list[MmioDevice]:
    devices = [_mmio_device(allocated.device) for allocated in draft.fixed]
    for planned in draft.dynamic:
        model = planned.item.allowed[0]
        class_id = planned.class_id
        devices.append(MmioDevice(ids=f"{model.vendor_id}:{model.device_id}", class_id=class_id, name=planned.name))
    return devices


def _blockers(
    observed: ObservedVms,
    draft: Draft,
    kinds: KindPlan,
    memory: Sequence[Change],
    mmio: MmioPlan,
    power: PowerSteps,
    holders: DeviceHolders,
    changing: bool,
) -> tuple[Blocker, ...]:
    vm = draft.vm
    blockers = [*state_blockers(vm, changing), *power.blockers, *draft.blockers, *kinds.blockers]
    if draft.attaching or kinds.attaching:
        maximum = observed.limits.get(vm.moid)
        vgpus_only = kinds.only_vgpus and not draft.attaching
        blockers += attach_blockers(
            vm, draft.desired, draft.kinds, _count_after(draft, kinds), maximum, vgpus_only=vgpus_only
        )
    if merge_writes(memory).locked:
        blockers += lock_blockers(vm)
    if merge_writes(memory).locked is False:
        after = replace(vm, latency_sensitivity="normal") if draft.desired.latency_sensitivity == "normal" else vm
        gone = {*draft.detached, *kinds.detached}
        blockers += unlock_blockers(after, [device for device in vm.devices if device.key not in gone])
    blockers += [*mmio.blockers, *_window_blockers(draft, power)]
    blockers += group_blockers(vm, {*draft.detached, *kinds.detached})
    host_moid = vm.host_moid or ""
    if draft.fixed and observed.system_ids.get(host_moid, "not read") is None and not observed.assumed.get(host_moid):
        blockers.append(
            Blocker(
                code="no_system_id",
                message=f"vCenter returns no system id for {draft.host.name if draft.host else vm.host_name}. Without it, {vm.name} "
                "fails to power on with a fixed device",
                cure="Check that the devices are active for passthrough on this host, and refresh its hardware list in the vSphere Client",
            )
        )
    if power.must_run:
        running_holders = [
            f"{address} is {holder.sentence()}"
            for address in draft.fixed_after
            for holder in holders.others(vm.host_moid or "", address, vm)
            if holder.powered_on
        ]
        blockers += start_blockers(vm, draft.host, draft.fixed_after, running_holders)
        blockers += [_stale_blocker(vm, sentence) for sentence in _stale(draft)]
        blockers += _outdated_lock(draft, kinds)
        if draft.staying and not (draft.attaching or kinds.attaching):
            blockers += nested_blockers(vm)
    return tuple(blockers)


def _stale(draft: Draft) -> tuple[str, ...]:
    """A sentence for each fixed device that stays although it cannot work on the VM's host."""
    return tuple(
        f"{describe_device(held.device)} of {draft.vm.name} does not work: {held.problem}"
        for held in draft.staying
        if held.problem
    )


def _stale_blocker(vm: Vm, sentence: str) -> Blocker:
    return Blocker(
        code="stale_device",
        message=f"{vm.name} cannot be powered on: {sentence}",
        cure="Add the device to the desired devices to attach it again, or detach it (state: absent or state: exactly)",
    )


def _warnings(draft: Draft, kinds: KindPlan, power: PowerSteps) -> tuple[str, ...]:
    vm = draft.vm
    warnings = [*draft.warnings, *kinds.warnings, *power.warnings]
    if not power.must_run:
        warnings += [*_stale(draft), *(blocker.message for blocker in _outdated_lock(draft, kinds))]
    if (draft.attaching or kinds.attaching) and not draft.desired.disable_hot_add:
        warnings += hot_add_warning(vm)
    problem = _find_window_problem(draft) if draft.attaching else ""
    if problem:
        warnings.append(f"{problem}; set mmio: {{}} to set a window that is large enough")
    if draft.fixed and draft.host is not None:
        warnings.append(
            f"{vm.name} is tied to {draft.host.name} by fixed devices: no vMotion, no HA restart on another host, no snapshots"
        )
    if draft.desired.state == "exactly":
        warnings += _left_alone(draft, kinds)
    return tuple(warnings)


def _left_alone(draft: Draft, kinds: KindPlan) -> list[str]:
    """A warning for devices of kinds that the entry does not name, which ``exactly`` keeps."""
    vm, desired = draft.vm, draft.desired
    others = [device for device in draft.left_alone if device.key not in kinds.named]
    if not desired.names_passthrough:
        others = sorted([*others, *(held.device for held in draft.held)], key=lambda device: device.key)
    can_go = [device for device in others if device.backing.kind in _DETACHED_BY_ALL and not desired.all_kinds]
    warnings = []
    if can_go:
        names = ", ".join(map(describe_device, can_go))
        warnings.append(
            f"{vm.name} also has {names}, of kinds that devices does not name. kinds: all detaches them too"
        )
    rest = [device for device in others if device not in can_go]
    if rest:
        names = ", ".join(map(describe_device, rest))
        warnings.append(f"{vm.name} also has {names}, which this module does not change")
    return warnings


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


def _check_capacities(
    observed: ObservedVms, partial_plans: Sequence[_PartialPlan], holders: DeviceHolders
) -> Mapping[str, CapacityCheck]:
    """VM id → capacity check; VMs with most dynamic devices come first. A VM that will run holds devices of its best host."""
    capacity_checks: dict[str, CapacityCheck] = {}
    asking = [partial for partial in partial_plans if _asks_for_a_host(partial)]
    for partial in sorted(asking, key=lambda p: (-len(p.items), p.draft.vm.name, p.draft.vm.moid)):
        vm = partial.draft.vm
        host = partial.draft.host
        unmanaged = is_unmanaged(observed, vm)
        stays = partial.must_run and host is not None and (host.drs_places_vms is False or unmanaged)
        tied_to = vm.host_moid if partial.draft.is_tied or stays else None
        if partial.items:
            capacity_check = check_capacity(
                observed, vm, partial.items, holders, tied_to=tied_to, must_run=partial.must_run
            )
        else:
            capacity_check = check_start(observed, vm, tied_to=tied_to)
        if stays and host is not None:
            capacity_check = without_drs(capacity_check, host, unmanaged=unmanaged)
        capacity_checks[vm.moid] = capacity_check
        if partial.must_run and capacity_check.host_moid is not None and not partial.blockers:
            holders.place(capacity_check.host_moid, vm, partial.items)
    with_units = [partial for partial in partial_plans if partial.kinds.profiles or partial.kinds.classes]
    if with_units:
        # Imported only for VMs that have such devices.
        from .unit_capacity import check_unit_capacity

        placed: dict[str, Counter[str]] = {}
        for partial in sorted(with_units, key=lambda p: (-len(p.kinds.profiles), p.draft.vm.name, p.draft.vm.moid)):
            if partial.kinds.blockers or not (partial.kinds.added or partial.must_run):
                continue
            vm, host = partial.draft.vm, partial.draft.host
            stays = partial.must_run and host is not None and host.drs_places_vms is False
            check = check_unit_capacity(
                observed,
                vm,
                partial.kinds.profiles,
                partial.kinds.classes,
                placed,
                tied_to=vm.host_moid if partial.draft.is_tied or stays else None,
                must_run=partial.must_run and not partial.blockers,
            )
            capacity_checks[vm.moid] = capacity_checks.get(vm.moid, CapacityCheck()).also(check)
    return capacity_checks


def _asks_for_a_host(partial: _PartialPlan) -> bool:
    """Dynamic devices ask for a host that has them, a power-on for one in service. ``start_blockers`` checks the only possible host."""
    if partial.items:
        return bool(partial.draft.dynamic) or partial.must_run
    host = partial.draft.host
    return partial.must_run and not partial.draft.is_tied and host is not None and host.cluster is not None


def _wants_placement(observed: ObservedVms, draft: Draft) -> bool:
    """True when a dynamic device is attached and the settings of DRS and HA were not read."""
    host = draft.host
    if not draft.dynamic or host is None or host.cluster is None:
        return False
    return host.compute_moid not in observed.placements


def _notes(
    observed: ObservedVms,
    partial_plans: Sequence[_PartialPlan],
    capacity_checks: Mapping[str, CapacityCheck],
    holders: DeviceHolders,
) -> Mapping[str, tuple[str, ...]]:
    """VM id → warnings that depend on the plans of all VMs."""
    shared = _shared_cards(observed, partial_plans)
    found = {}
    for partial in partial_plans:
        vm = partial.draft.vm
        texts = shared.get(vm.moid, ())
        if partial.draft.dynamic and not partial.blockers:
            runs_on = vm.host_moid if vm.is_powered_on else capacity_checks.get(vm.moid, CapacityCheck()).host_moid
            texts += availability_warnings(observed, vm, partial.items, holders, runs_on)
        found[vm.moid] = texts
    return found


def _shared_cards(observed: ObservedVms, partial_plans: Sequence[_PartialPlan]) -> Mapping[str, tuple[str, ...]]:
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


def _check_host_limits(observed: ObservedVms, partial_plans: Sequence[_PartialPlan]) -> Mapping[str, Blocker]:
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
        after |= {partial.draft.vm.moid: _count_after(partial.draft, partial.kinds) for partial in runs}
        for partial in runs:
            blocker = limit_blocker(host, limit, after, names, partial.draft.vm)
            if blocker is not None:
                host_limits[partial.draft.vm.moid] = blocker
    return host_limits


def _check_supply(observed: ObservedVms, partial_plans: Sequence[_PartialPlan]) -> Mapping[str, Blocker]:
    """VM id → blocker when its host has too few virtual functions for its SR-IOV network adapters."""
    with_adapters = [
        partial for partial in partial_plans if partial.draft.desired.sriov_networks and not partial.blockers
    ]
    if not with_adapters:
        return {}
    from ..kinds.function_supply import Asking, check_supply

    return check_supply(
        observed,
        [
            Asking(
                vm=partial.draft.vm,
                changes=partial.changes,
                runs=partial.must_run or (partial.draft.vm.may_run and not partial.changes),
            )
            for partial in with_adapters
            if partial.must_run or partial.kinds.attaching
        ],
    )


def _count_after(draft: Draft, kinds: KindPlan) -> int:
    added = max(len(draft.needs), len(draft.fixed) + len(draft.dynamic)) + kinds.added
    return used_after(draft.vm, {*draft.detached, *kinds.detached}, added)


def _target(
    partial: _PartialPlan,
    capacity_check: CapacityCheck,
    contended: Blocker | None,
    host_limit: Blocker | None,
    notes: tuple[str, ...],
) -> TargetPlan:
    return TargetPlan(
        target=partial.draft.vm.name,
        moid=partial.draft.vm.moid,
        host_moid=partial.draft.vm.host_moid or "",
        changes=partial.changes,
        blockers=(*partial.blockers, *capacity_check.blockers, *(b for b in (contended, host_limit) if b is not None)),
        warnings=(*partial.warnings, *notes, *capacity_check.warnings),
        vm_facts=replace(partial.facts, starts_elsewhere=_starts_elsewhere(partial, capacity_check)),
    )


def _starts_elsewhere(partial: _PartialPlan, check: CapacityCheck) -> bool:
    host = partial.draft.host
    unread = host is not None and host.cluster is not None and host.drs_places_vms is None
    elsewhere = check.host_moid not in (None, partial.draft.vm.host_moid)
    # Before the offers are read, the best host for vGPUs is unknown.
    return unread and partial.must_run and (elsewhere or partial.facts.needs_offers)
