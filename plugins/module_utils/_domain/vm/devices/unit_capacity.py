# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check that one host can run a VM with all its vGPUs and DVX devices. PRIVATE to the collection.

A GPU provides vGPUs of one profile at a time, unless it is in mixed-size mode; their frame buffers share the one of the GPU (NVIDIA
vGPU user guide). The API reports neither free frame buffer nor the GPU of each vGPU, so this is the most that can be free: a VM that it
refuses certainly fails to power on (InsufficientGraphicsResourcesFault), while one that it accepts may still fail.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from ...observed.hosts import Host
from ...observed.vms import Vm
from ...planning.plan import Blocker
from ..kinds.kind_plan import KindPlan
from ..kinds.vgpu import offers_all, profiles_of
from ..observed_vms import ObservedVms
from ..offers import HostOffer, VgpuProfile
from .availability import no_spare, restart_unknown
from .capacity import CapacityCheck

Placed: TypeAlias = dict[str, Counter[str]]
"""Host id → profiles of the VMs that this run powers on there."""

_Room: TypeAlias = Literal["yes", "no", "unknown"]


def check_unit_capacity(
    observed: ObservedVms,
    vm: Vm,
    profiles: tuple[str, ...],
    classes: tuple[str, ...],
    groups: tuple[str, ...],
    placed: Placed,
    *,
    tied_to: str | None,
    must_run: bool,
    only: frozenset[str] = frozenset(),
) -> CapacityCheck:
    """Check one VM. ``tied_to``: id of the only host where it can run. ``must_run``: this run powers it on, and it is added to ``placed``.
    ``only``: ids of the hosts that have all its other devices free, if any.

    Nothing is checked before the offers of its hosts are read.
    """
    hosts = [host for host in observed.candidates(vm) if tied_to in (None, host.moid)]
    read = [(host, observed.offers.hosts[host.moid]) for host in hosts if host.moid in observed.offers.hosts]
    usable = [(host, offer) for host, offer in read if offer is not None and host.is_reachable]
    if not read or not (profiles or classes):
        return CapacityCheck()
    known = _known(observed, vm)
    without = [host for host in hosts if not _has_groups(observed, host, groups)]
    if without and len(without) == len(hosts):
        return CapacityCheck(blockers=(_no_group(observed, vm, groups, hosts),))
    able = [
        host
        for host, offer in usable
        if host not in without
        and offers_all(offer, profiles, classes)
        and _room(host, offer, Counter(profiles), known) != "no"
    ]
    unread = [host.name for host in hosts if host.moid not in {host.moid for host, _offer in usable}]
    if not able:
        return (
            CapacityCheck(blockers=(_no_host(vm, profiles, classes, usable, unread),))
            if not unread
            else _unsure(vm, unread)
        )
    free = {
        host.moid: _room(
            host, offer, Counter(profiles) + _running(observed, host, vm) + placed.get(host.moid, Counter()), known
        )
        for host, offer in usable
        if host in able
        and not host.in_maintenance_mode
        and not host.kept_free_by_ha
        and (not only or host.moid in only)
    }
    best = min(
        (host for host in able if free.get(host.moid, "no") != "no"),
        key=lambda host: (free[host.moid] != "yes", host.moid != vm.host_moid, host.name),
        default=None,
    )
    if best is None:
        return _nothing_free(vm, profiles, classes, able, unread, must_run=must_run)
    if must_run:
        placed.setdefault(best.moid, Counter()).update(profiles)
    warnings = (_may_fail(vm),) if must_run and free[best.moid] == "unknown" else ()
    return CapacityCheck(host_moid=best.moid, warnings=warnings)


def spare_units(
    observed: ObservedVms,
    vm: Vm,
    kinds: KindPlan,
    placed: Mapping[str, Counter[str]],
    cluster: str,
    runs_on: str | None,
) -> list[str]:
    """A sentence when no other host can provide the vGPUs and DVX devices of a VM for a restart, or when it is unknown because a host could
    not be read. Nothing where the API does not say how much of the GPUs is free."""
    profiles, classes = kinds.profiles, kinds.classes
    known = _known(observed, vm)
    rooms: dict[str, _Room] = {}
    unread = []
    for host in observed.candidates(vm):
        if host.moid == runs_on or host.in_maintenance_mode:
            continue
        offer = observed.offers.hosts.get(host.moid)
        if offer is None or not host.is_reachable:
            unread.append(host.name)
        elif offers_all(offer, profiles, classes) and _has_groups(observed, host, kinds.groups):
            there = Counter(profiles) + _running(observed, host, vm) + placed.get(host.moid, Counter())
            rooms[host.name] = _room(host, offer, there, known)
    if set(rooms.values()) - {"no"}:
        return []
    wanted = _counted(profiles, classes)
    if unread:
        return [restart_unknown(cluster, vm, wanted, ", ".join(unread))]
    listed = ", ".join(sorted(rooms))
    return [
        no_spare(cluster, vm, wanted, f"running VMs use those of {listed}" if listed else "no other host offers them")
    ]


def lacking_units(observed: ObservedVms, host: Host, vm: Vm, kinds: KindPlan, placed: Counter[str]) -> list[str]:
    """The vGPUs, DVX devices and groups of a VM that a host certainly does not have free, counted; empty also when it is unknown.
    ``placed``: profiles of VMs that this run powers on there."""
    offer = observed.offers.hosts.get(host.moid)
    lacking = [] if _has_groups(observed, host, kinds.groups) else [_counted(kinds.groups, ())]
    if offer is None:
        return lacking
    there = Counter(kinds.profiles) + _running(observed, host, vm) + placed
    if not offers_all(offer, kinds.profiles, kinds.classes) or _room(host, offer, there, _known(observed, vm)) == "no":
        lacking.append(_counted(kinds.profiles, kinds.classes))
    return lacking


def _has_groups(observed: ObservedVms, host: Host, groups: Sequence[str]) -> bool:
    """Whether a host offers all groups. True also where this was not read, or could not be."""
    offered = observed.offers.groups.get(host.moid)
    return offered is None or offered.issuperset(groups)


def _no_group(observed: ObservedVms, vm: Vm, groups: Sequence[str], hosts: Sequence[Host]) -> Blocker:
    """The blocker of a VM that can only be powered on where a group of it is not offered. ``hosts``: where it can run."""
    return Blocker(
        code="unknown_group",
        message=f"{vm.name} cannot be powered on: no host where it may run offers {_counted(groups, ())} "
        f"({', '.join(host.name for host in hosts)})",
        cure="Use a group that such a host offers",
        candidates=tuple(sorted({name for host in hosts for name in observed.offers.groups.get(host.moid) or ()})),
    )


def _known(observed: ObservedVms, vm: Vm) -> Mapping[str, VgpuProfile]:
    host = observed.host_of(vm)
    offer = observed.offers.clusters.get(host.compute_moid) if host is not None else None
    return offer.known if offer is not None else {}


def _running(observed: ObservedVms, host: Host, vm: Vm) -> Counter[str]:
    """The profiles of the other VMs that run on a host."""
    return Counter(
        profile
        for other in observed.everyone()
        if other.host_moid == host.moid and other.is_powered_on and other.moid != vm.moid
        for profile in profiles_of(other)
    )


def _room(host: Host, offer: HostOffer, wanted: Counter[str], known: Mapping[str, VgpuProfile]) -> _Room:
    """Whether the GPUs of a host can provide all these vGPUs at a time."""
    needed: dict[str, list[tuple[int, VgpuProfile]]] = {}
    for profile, count in wanted.items():
        one = known.get(profile)
        if one is None or one.sharing == "mig" or not one.memory_gb or not one.card_gb:
            return "unknown"
        needed.setdefault(one.model, []).append((count, one))
    for model, asked in needed.items():
        gpus = [gpu for gpu in offer.gpus if (found := host.device(gpu.address)) is not None and found.ids == model]
        if any(gpu.mixed for gpu in gpus):
            fits = sum(count * (one.memory_gb or 0) for count, one in asked) <= len(gpus) * (asked[0][1].card_gb or 0)
        else:
            fits = sum(_cards(count, one) for count, one in asked) <= len(gpus)
        if not fits:
            return "no"
    return "yes"


def _cards(count: int, profile: VgpuProfile) -> int:
    """The number of GPUs that provide so many vGPUs of a profile, when nothing else is on them."""
    each = (profile.card_gb or 0) // (profile.memory_gb or 1)
    return -(-count // each) if each else count


def _wanted(vm: Vm, profiles: Sequence[str], classes: Sequence[str]) -> str:
    return f"{vm.name} needs {_counted(profiles, classes)}"


def _counted(profiles: Sequence[str], classes: Sequence[str]) -> str:
    counts = Counter([*profiles, *classes])
    return ", ".join(f"{counts[name]} x {name}" for name in sorted(counts))


def _no_host(
    vm: Vm,
    profiles: tuple[str, ...],
    classes: tuple[str, ...],
    usable: Sequence[tuple[Host, HostOffer]],
    unread: Sequence[str],
) -> Blocker:
    return Blocker(
        code="no_free_device",
        message=f"{_wanted(vm, profiles, classes)} on one host, but no host where it may run can have them all at a time",
        cure="Reduce the count, or migrate the VM to a cluster that has them",
        candidates=tuple(
            f"{host.name}: {len(offer.gpus)} GPUs that provide vGPUs, {', '.join(sorted(offer.profiles | offer.classes)) or 'no offer'}"
            for host, offer in usable
        ),
    )


def _nothing_free(
    vm: Vm,
    profiles: tuple[str, ...],
    classes: tuple[str, ...],
    able: Sequence[Host],
    unread: Sequence[str],
    *,
    must_run: bool,
) -> CapacityCheck:
    message = (
        f"{_wanted(vm, profiles, classes)}, but no host has them free now ({', '.join(host.name for host in able)}): running VMs use them, "
        "or the host is in maintenance mode"
    )
    if unread:
        return _unsure(vm, unread)
    if not must_run:
        return CapacityCheck(warnings=(f"{message}. It cannot be powered on now.",))
    return CapacityCheck(
        blockers=(
            Blocker(
                code="no_free_device",
                message=message,
                cure="Power off VMs that use such vGPUs, or use power: off to attach without a power-on",
            ),
        )
    )


def _unsure(vm: Vm, unread: Sequence[str]) -> CapacityCheck:
    return CapacityCheck(warnings=(f"{_may_fail(vm)} (not read: {', '.join(unread)})",))


def _may_fail(vm: Vm) -> str:
    return (
        f"How much of the GPUs is free for {vm.name} could not be read: if its power-on fails with InsufficientGraphicsResourcesFault, the "
        "change is reverted and the VM gets its old configuration back"
    )
