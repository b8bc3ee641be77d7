# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning the vGPUs, vendor device groups and DVX devices of a VM. PRIVATE to the collection.

One rule for the three kinds: an entry asks for a number of units, which are matched by kind and value. The files ``vgpu``, ``groups`` and
``dvx`` say what is special about each kind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ...observed.vms import VgpuBacking
from ...pci import NO_NUMA_NODE
from ...planning.details import Detach, DetachGroup, DvxSpec, VgpuSpec
from ...planning.plan import Blocker, Change, Leaving
from ..desired.units import DesiredDvx, DesiredGroup, DesiredUnit, DesiredVgpu
from ..desired.vm import DesiredVm
from ..numa import is_on_node, moving_change, new_node_words, node_words
from ..observed_vms import ObservedVms
from ..offers import Offer
from . import dvx, groups, vgpu
from .held_units import (
    HeldUnit,
    group_words,
    held_units,
    is_meant,
    meets,
    node_of,
    subject,
    subjects,
    unit_words,
)
from .kind_plan import KindPlan
from .limits import limit_blockers

_NOT_WANTED = Leaving(why="unwanted", reason="not wanted")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Matching:
    """``kept``: units with the entry that they meet, after an edit if it is in ``edited`` too. ``missing``: an entry for each new unit."""

    kept: tuple[tuple[DesiredUnit, HeldUnit], ...] = ()
    edited: tuple[tuple[DesiredDvx, HeldUnit], ...] = ()
    missing: tuple[DesiredUnit, ...] = ()
    surplus: tuple[HeldUnit, ...] = ()


def plan_units(observed: ObservedVms, desired: DesiredVm) -> KindPlan:
    """The changes of one VM for these kinds; none when its entry names none of them."""
    vm = observed.vm(desired.moid)
    held = held_units(vm)
    kinds = {entry.kind for entry in desired.units} | (
        {"vgpu", "group", "dvx"} if desired.all_kinds and desired.state == "exactly" else set()
    )
    named = frozenset(key for unit in held if unit.kind in kinds for key in unit.keys)
    unread = [unit for unit in held if unit.kind == "group" and not unit.value]
    if unread and "group" in kinds:
        return KindPlan(blockers=(groups.unread_name(vm, unread),), named=named)
    if desired.state == "absent":
        leaving = tuple(unit for unit in held if any(meets(entry, unit) for entry in desired.units))
        return _plan(observed, desired, held, _Matching(), leaving, named)
    matching = _match(desired.units, [unit for unit in held if unit.kind in kinds])
    leaving = matching.surplus if desired.state == "exactly" else ()
    return _plan(observed, desired, held, matching, leaving, named)


def _match(entries: Sequence[DesiredUnit], held: Sequence[HeldUnit]) -> _Matching:
    """Match units to entries. Entries with more parameters come first, so that the order of the list does not matter, and units on the
    desired NUMA node before others, which are edited in place."""
    free = list(held)
    kept: list[tuple[DesiredUnit, HeldUnit]] = []
    open_entries = [entry for entry in sorted(entries, key=_strictness) for _unused in range(entry.count)]
    for fits in (_meets_on_node, meets):
        left: list[DesiredUnit] = []
        for entry in open_entries:
            unit = next((unit for unit in free if fits(entry, unit)), None)
            if unit is None:
                left.append(entry)
            else:
                free.remove(unit)
                kept.append((entry, unit))
        open_entries = left
    edited, missing = [], []
    for entry in open_entries:
        other = next((unit for unit in free if is_meant(entry, unit)), None)
        if isinstance(entry, DesiredDvx) and other is not None:
            free.remove(other)
            edited.append((entry, other))
        else:
            missing.append(entry)
    return _Matching(kept=tuple(kept), edited=tuple(edited), missing=tuple(missing), surplus=tuple(free))


def _meets_on_node(entry: DesiredUnit, unit: HeldUnit) -> bool:
    return meets(entry, unit) and is_on_node(node_of(entry), unit.devices[0])


def _strictness(entry: DesiredUnit) -> tuple[object, ...]:
    parameters = entry.parameters if isinstance(entry, DesiredDvx) else ()
    node = node_of(entry)
    kind = ("vgpu", "group", "dvx").index(entry.kind)
    return (kind, entry.value, -len(parameters), repr(parameters), node is None, node or 0)


def _plan(
    observed: ObservedVms,
    desired: DesiredVm,
    held: Sequence[HeldUnit],
    matching: _Matching,
    leaving: Sequence[HeldUnit],
    named: frozenset[int],
) -> KindPlan:
    vm = observed.vm(desired.moid)
    names = subjects(held, leaving)
    writes = bool(matching.missing or matching.edited)
    place = observed.host_of(vm)
    compute = place.compute_moid if place is not None else ""
    offer = observed.offers.clusters.get(compute)
    unread = writes and (compute not in observed.offers.clusters or vm.moid not in observed.offers.limits)
    additions, blockers, warnings = _additions(observed, desired, held, leaving, matching, offer, names)
    if writes and not unread and offer is None:
        blockers = (*blockers, _offer_unknown(observed, desired))
    settings = [
        change
        for entry, unit in matching.kept
        if isinstance(entry, DesiredVgpu)
        for change in vgpu.settings_changes(vm, entry, unit)
    ]
    settings += (
        moving_change(names[unit], unit.devices[0], node, unit.words())
        for entry, unit in matching.kept
        if (node := node_of(entry)) is not None and not is_on_node(node, unit.devices[0])
    )
    detached = frozenset(key for unit in leaving for key in unit.keys)
    added = sum(_size(entry, offer) for entry in matching.missing)
    profiles = _profiles_after(held, leaving, matching.missing, offer)
    plan = KindPlan(
        detaching=tuple(change for unit in leaving for change in _detach(observed, desired, unit, names[unit])),
        attaching=(*additions, *settings),
        detached=detached,
        added=added,
        blockers=blockers,
        warnings=warnings,
        leaving={names[unit]: _NOT_WANTED for unit in leaving},
        named=named,
        needs_details=unread,
        needs_offers=unread,
        only_vgpus=all(isinstance(entry, DesiredVgpu) for entry in matching.missing) and not matching.edited,
        profiles=profiles,
        mapped=tuple(vgpu.mapped_devices(profiles)) if desired.mmio is not None else (),
        classes=tuple(sorted(unit.value for unit in held if unit.kind == "dvx" and unit not in leaving))
        + tuple(entry.value for entry in matching.missing if isinstance(entry, DesiredDvx)),
        groups=tuple(sorted(unit.value for unit in held if unit.kind == "group" and unit.value and unit not in leaving))
        + tuple(entry.value for entry in matching.missing if isinstance(entry, DesiredGroup)),
    )
    if not writes or unread:
        return plan
    more = limit_blockers(vm, observed.offers.limits.get(vm.moid), plan, matching.missing, held, leaving)
    return plan.with_blockers(more)


def _additions(
    observed: ObservedVms,
    desired: DesiredVm,
    held: Sequence[HeldUnit],
    leaving: Sequence[HeldUnit],
    matching: _Matching,
    offer: Offer | None,
    names: Mapping[HeldUnit, str],
) -> tuple[tuple[Change, ...], tuple[Blocker, ...], tuple[str, ...]]:
    """The changes that add and edit units. Without an offer (not read yet) they are provisional."""
    vm = observed.vm(desired.moid)
    numbers = Counter((unit.kind, unit.value) for unit in held if unit not in leaving)
    changes: list[Change] = []
    blockers: list[Blocker] = []
    warnings: list[str] = []
    for entry in matching.missing:
        numbers[entry.kind, entry.value] += 1
        name = subject(entry.kind, entry.value, numbers[entry.kind, entry.value])
        changes.append(_addition(entry, name, offer))
    for dvx_entry, unit in matching.edited:
        changes.append(_edit(dvx_entry, unit, names[unit], offer))
    if offer is None:
        return tuple(changes), (), ()
    for asked in dict.fromkeys([*matching.missing, *(entry for entry, _unit in matching.edited)]):
        if isinstance(asked, DesiredVgpu):
            blockers += vgpu.profile_blockers(vm, asked, offer)
            found = vgpu.ability_problems(observed, vm, asked)
            blockers += found.blockers
            warnings += found.warnings
        elif isinstance(asked, DesiredGroup):
            blockers += groups.group_blockers(vm, asked, offer)
        else:
            blockers += dvx.class_blockers(vm, asked, offer)
    return tuple(changes), tuple(blockers), tuple(warnings)


def _edit(entry: DesiredDvx, unit: HeldUnit, name: str, offer: Offer | None) -> Change:
    """The edit of a DVX device whose parameters differ, with its NUMA node if this differs too."""
    parameters = dvx.complete(entry, unit.parameters, offer)
    before, after = unit.words(), unit_words("dvx", unit.value, parameters)
    node = None if is_on_node(entry.numa_node, unit.devices[0]) else entry.numa_node
    if node is not None:
        before |= node_words(unit.devices[0].numa_node)
        after |= node_words(node)
    detail = DvxSpec(device_class=unit.value, parameters=parameters, key=unit.keys[0], numa_node=node)
    return Change(subject=name, before=before, after=after, detail=detail)


def _addition(entry: DesiredUnit, name: str, offer: Offer | None) -> Change:
    if isinstance(entry, DesiredGroup):
        spec = groups.group_spec(entry, offer)
        return Change(subject=name, before=None, after=group_words(entry.name, len(spec.parts)), detail=spec)
    node = None if entry.numa_node == NO_NUMA_NODE else entry.numa_node
    if isinstance(entry, DesiredVgpu):
        settings = ", ".join(f"{key}={value}" for key, value in entry.advanced)
        after = {**unit_words("vgpu", entry.profile), **({"advanced": settings} if settings else {})}
        detail: VgpuSpec | DvxSpec = VgpuSpec(profile=entry.profile, advanced=entry.advanced, numa_node=node)
    else:
        parameters = dvx.complete(entry, (), offer)
        after = unit_words("dvx", entry.device_class, parameters)
        detail = DvxSpec(device_class=entry.device_class, parameters=parameters, numa_node=node)
    return Change(subject=name, before=None, after={**after, **new_node_words(node)}, detail=detail)


def _detach(observed: ObservedVms, desired: DesiredVm, unit: HeldUnit, name: str) -> Iterable[Change]:
    """The change that detaches a unit, and those that remove the settings of its devices: the next device with its index would get them."""
    vm = observed.vm(desired.moid)
    if unit.instance is not None:
        detail: Detach | DetachGroup = DetachGroup(instance=unit.instance, keys=unit.keys)
    else:
        detail = Detach(key=unit.keys[0], of_kind=unit.kind)
    yield Change(subject=name, before=unit.words(), after=None, detail=detail)
    for device in unit.devices:
        yield from vgpu.without_settings(vm, device)


def _size(entry: DesiredUnit, offer: Offer | None) -> int:
    """The number of devices of a new unit. A group that is not offered is refused anyway."""
    if not isinstance(entry, DesiredGroup):
        return 1
    return len(groups.group_spec(entry, offer).parts) or 1


def _profiles_after(
    held: Sequence[HeldUnit], leaving: Sequence[HeldUnit], missing: Sequence[DesiredUnit], offer: Offer | None
) -> tuple[str, ...]:
    """The profiles of all vGPUs that the VM will have, those in groups included, sorted."""
    profiles = [
        device.backing.profile
        for unit in held
        if unit not in leaving
        for device in unit.devices
        if isinstance(device.backing, VgpuBacking)
    ]
    for entry in missing:
        if isinstance(entry, DesiredVgpu):
            profiles.append(entry.profile)
        elif isinstance(entry, DesiredGroup):
            parts = groups.group_spec(entry, offer).parts
            profiles += [backing.profile for backing, _sequence in parts if isinstance(backing, VgpuBacking)]
    return tuple(sorted(profiles))


def _offer_unknown(observed: ObservedVms, desired: DesiredVm) -> Blocker:
    vm = observed.vm(desired.moid)
    return Blocker(
        code="offer_unknown",
        message=f"What the hosts of {vm.cluster or vm.host_name or vm.name} offer to VMs could not be read, so {vm.name} gets no vGPU, "
        "group or DVX device",
        cure="Check that a host of it is connected, and that the account has System.View and System.Read there, then run this again",
    )
