# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""On which hosts a VM can be powered on with all its devices. PRIVATE to the collection.

A VM gets all its devices from ONE host: dynamic devices, vGPUs, DVX devices, and virtual functions for its SR-IOV network adapters. That
each kind is free on some host is not enough.

DRS chooses the host of a VM. If a VM for which several hosts are possible is powered on first, it can get the last devices of the only host
for another VM of the plan. Powered on after it, it gets what is left elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...observed.hosts import Host
from ...observed.vms import SriovBacking, Vm
from ...planning.details import SriovSpec
from ...planning.plan import Blocker, Change
from ..kinds.kind_plan import KindPlan
from ..observed_vms import ObservedVms
from .capacity import fits_now, out_of_service, overlap, sum_of_items
from .holders import DeviceHolders, DynamicItem


@dataclass(frozen=True, kw_only=True, slots=True)
class Starting:
    """A VM with all devices that it will have. ``tied_to``: id of the only host where it can run. ``changes``: of its plan."""

    vm: Vm
    items: tuple[DynamicItem, ...]
    kinds: KindPlan
    changes: tuple[Change, ...]
    tied_to: str | None = None

    @property
    def has_units(self) -> bool:
        return bool(self.kinds.profiles or self.kinds.classes)

    @property
    def has_adapters(self) -> bool:
        return has_adapters(self.vm, self.kinds, self.changes)

    @property
    def size(self) -> int:
        return len(self.items) + len(self.kinds.profiles)


def has_adapters(vm: Vm, kinds: KindPlan, changes: Iterable[Change]) -> bool:
    """Whether a VM will have SR-IOV network adapters, each of which needs a virtual function."""
    staying = (device.backing for device in vm.devices if device.key not in kinds.detached)
    return any(isinstance(backing, SriovBacking) and not backing.dvx_class for backing in staying) or any(
        isinstance(change.detail, SriovSpec) for change in changes
    )


@dataclass(kw_only=True, slots=True)
class Room:
    """What hosts have free. ``profiles`` (host id → profiles) and ``granted`` (VM id → VM on its host): of VMs that this run powers on; the
    dynamic devices of these are in ``holders``."""

    observed: ObservedVms
    holders: DeviceHolders
    profiles: dict[str, Counter[str]] = field(default_factory=dict)
    granted: dict[str, Vm] = field(default_factory=dict)

    def hosts(self, one: Starting, beside: Sequence[Starting] = ()) -> frozenset[str]:
        """Ids of the hosts that can power the VM on now, as far as is known; also while all VMs of ``beside`` run there."""
        return frozenset(host.moid for host in self.allowed(one) if not self.lacks(host, one, beside))

    def allowed(self, one: Starting) -> list[Host]:
        """The hosts where the VM may run."""
        return [host for host in self.observed.candidates(one.vm) if one.tied_to in (None, host.moid)]

    def lacks(self, host: Host, one: Starting, beside: Sequence[Starting] = ()) -> str:
        """Why a host certainly cannot power the VM on now, as a clause; empty when it can, or when it is unknown."""
        aside = out_of_service(host)
        if aside:
            return aside
        missing = []
        others = tuple(item for other in beside for item in other.items)
        if one.items and not fits_now(host, one.items, self.holders, one.vm, beside=others):
            missing.append(sum_of_items(one.items))
        if one.has_units:
            from .unit_capacity import lacking_units

            more = Counter(profile for other in beside for profile in other.kinds.profiles)
            placed = self.profiles.get(host.moid, Counter()) + more
            missing += lacking_units(self.observed, host, one.vm, one.kinds, placed)
        networks = self.observed.networks.get(host.moid)
        if one.has_adapters and networks is not None:
            from ..kinds.function_supply import lacks_functions

            if lacks_functions(self.observed, host, one.vm, one.changes, self.granted):
                missing.append("virtual functions for its SR-IOV network adapters")
        return f"does not have free: {', '.join(missing)}" if missing else ""

    def grant(self, host_moid: str, one: Starting) -> None:
        """The VM will run on this host. Its dynamic devices and vGPUs are recorded by the checks of these."""
        if one.has_adapters:
            from ..kinds.function_supply import running_after

            self.granted[one.vm.moid] = replace(running_after(one.vm, one.changes), host_moid=host_moid)

    def no_host(self, one: Starting) -> Blocker:
        """The blocker of a VM for which some hosts have each kind free, and no host has all."""
        counts = Counter([*one.kinds.profiles, *one.kinds.classes])
        wanted = [sum_of_items(one.items)] if one.items else []
        wanted += [f"{counts[name]} x {name}" for name in sorted(counts)]
        wanted += ["virtual functions for its SR-IOV network adapters"] if one.has_adapters else []
        return Blocker(
            code="no_free_device",
            message=f"{one.vm.name} needs {', '.join(wanted)} on one host, but no host where it may run has them all free now",
            cure="Free or enable these devices on one of these hosts, detach from the VM what it does not need, or use power: off to "
            "attach without a power-on",
            candidates=tuple(f"{host.name}: {self.lacks(host, one)}" for host in self.allowed(one)),
        )


def start_order(
    powered_on: Sequence[Starting], possible: Mapping[str, frozenset[str]], room: Room
) -> Mapping[str, frozenset[str]]:
    """VM id → ids of the VMs that come first. ``possible``: VM id → ids of the hosts that can power it on now.

    A VM waits for one that has fewer possible hosts, or needs more devices of the same hosts. VMs that are alike do not wait for each
    other.
    """
    alike: dict[object, list[Starting]] = {}
    for one in powered_on:
        alike.setdefault((possible[one.vm.moid], one.items, one.kinds.profiles), []).append(one)
    waits: dict[str, set[str]] = {}
    for firsts in alike.values():
        rivals = [rival for others in alike.values() if _waits(others[0], firsts[0], possible) for rival in others]
        others = [*firsts[1:], *rivals]
        # Nothing has to wait if a host is left wherever the others start, or if the devices of one host are enough for all.
        spared = len(possible[firsts[0].vm.moid]) > len(others)
        if rivals and not spared and not room.hosts(firsts[0], beside=others):
            for rival in rivals:
                waits.setdefault(rival.vm.moid, set()).update(first.vm.moid for first in firsts)
    return {moid: frozenset(found) for moid, found in waits.items()}


def _waits(one: Starting, first: Starting, possible: Mapping[str, frozenset[str]]) -> bool:
    mine, others = possible[one.vm.moid], possible[first.vm.moid]
    if not others or len(mine) < 2 or not (others < mine or (others == mine and first.size > one.size)):
        return False
    if first.kinds.profiles and one.kinds.profiles:
        return True
    return any(overlap(item, other) for item in one.items for other in first.items)
