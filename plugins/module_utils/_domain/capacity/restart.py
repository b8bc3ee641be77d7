# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What HA would find if a host failed: for which of its VMs another host of the cluster has the devices. PRIVATE to the collection.

HA restarts a VM with dynamic devices only on a host with free devices, and its admission control does not count devices (vSphere
availability guide). A fixed device is on one host only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from ..observed.hosts import Host, HostDevice
from ..observed.vms import DvxBacking, DynamicBacking, SriovBacking, VgpuBacking, Vm, VmDevice
from ..plain import Record
from ..vm.devices.holders import DynamicItem, item_of
from ..vm.observed_vms import ObservedVms
from ..vm.pairing import pair_up
from ..vm.placement import ClusterPlacement, forbidding_rules
from .stock import Function


@dataclass(frozen=True, kw_only=True, slots=True)
class HostFailure:
    """What follows if one host fails. Each list has names of running VMs with passthrough devices.

    ``restarts``: another host has the devices free. ``stuck``: no other host has them. ``tied``: a device is on this host only.
    ``unknown``: it cannot be counted, because of a vGPU or DVX device, or because a host of the cluster cannot be read.
    """

    host: Host
    restarts: tuple[str, ...] = ()
    stuck: tuple[str, ...] = ()
    tied: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def number(self) -> int:
        return len(self.restarts) + len(self.stuck) + len(self.tied) + len(self.unknown)

    def record(self) -> Record:
        return {
            "host": self.host.name,
            "moid": self.host.moid,
            "restarts": list(self.restarts),
            "stuck": list(self.stuck),
            "tied": list(self.tied),
            "unknown": list(self.unknown),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class ClusterFailures:
    """One cluster. ``ha_enabled``: None when its settings cannot be read. ``failures``: of hosts with running VMs that have devices."""

    cluster: str
    moid: str
    ha_enabled: bool | None
    failures: tuple[HostFailure, ...]

    def record(self) -> Record:
        return {
            "cluster": self.cluster,
            "moid": self.moid,
            "ha_enabled": self.ha_enabled,
            "hosts": [failure.record() for failure in self.failures],
        }


@dataclass(kw_only=True, slots=True)
class _FreeDevices:
    """Host id → its free devices, and the places in that list that an item accepts: asked again for each host that could fail."""

    devices: dict[str, list[HostDevice]] = field(default_factory=dict)
    accepted: dict[tuple[str, DynamicItem], tuple[int, ...]] = field(default_factory=dict)

    def fitting(self, host: str, item: DynamicItem) -> tuple[int, ...]:
        if (host, item) not in self.accepted:
            found = (place for place, device in enumerate(self.devices.get(host, ())) if item.accepts(device))
            self.accepted[host, item] = tuple(found)
        return self.accepted[host, item]


def cluster_failures(observed: ObservedVms, functions: Iterable[Function]) -> tuple[ClusterFailures, ...]:
    """For each cluster, what the failure of each of its hosts would mean; sorted by name. All hosts of the clusters must have been read."""
    free = _FreeDevices()
    uncertain: set[str] = set()
    for one in functions:
        if one.state == "free":
            free.devices.setdefault(one.host.moid, []).append(one.device)
        elif one.state == "unknown":
            uncertain.add(one.host.moid)
    uncertain |= {host.moid for host in observed.hosts if not host.is_reachable}
    running: dict[str, list[Vm]] = {}
    for vm in observed.everyone():
        if vm.may_run and vm.devices and vm.host_moid is not None:
            running.setdefault(vm.host_moid, []).append(vm)
    clusters: dict[str, list[Host]] = {}
    for host in observed.hosts:
        if host.cluster is not None:
            clusters.setdefault(host.compute_moid, []).append(host)
    found = []
    for moid, hosts in clusters.items():
        placement = observed.placements.get(moid)
        members = sorted(hosts, key=attrgetter("name", "moid"))
        failures = [
            _failure(host, running[host.moid], members, free, uncertain, placement)
            for host in members
            if host.moid in running
        ]
        found.append(
            ClusterFailures(
                cluster=hosts[0].cluster or "",
                moid=moid,
                ha_enabled=None if placement is None else placement.ha_enabled,
                failures=tuple(failures),
            )
        )
    return tuple(sorted(found, key=attrgetter("cluster", "moid")))


def _failure(
    failed: Host,
    vms: Sequence[Vm],
    members: Sequence[Host],
    free: _FreeDevices,
    uncertain: set[str],
    placement: ClusterPlacement | None,
) -> HostFailure:
    """VMs with more devices first: they are the hardest to place. A VM goes where the fewest devices are left over. A host that is in
    maintenance mode or cannot be read has no free device."""
    others = [host for host in members if host.moid != failed.moid]
    taken: dict[str, set[int]] = {host.moid: set() for host in others}
    doubt = placement is None or any(host.moid in uncertain for host in others)
    verdicts: dict[str, list[str]] = {"restarts": [], "stuck": [], "tied": [], "unknown": []}
    for vm in sorted(vms, key=lambda vm: (-len(vm.devices), vm.name, vm.moid)):
        items = _items(vm)
        if any(map(_is_uncounted, vm.devices)) or vm.unread_devices:
            verdict = "unknown"
        elif items is None:
            verdict = "tied"
        elif _restarted(items, [host for host in others if not _is_forbidden(placement, vm, host)], free, taken):
            verdict = "restarts"
        else:
            verdict = "unknown" if doubt else "stuck"
        verdicts[verdict].append(vm.name)
    return HostFailure(host=failed, **{verdict: tuple(sorted(names)) for verdict, names in verdicts.items()})


def _is_uncounted(device: VmDevice) -> bool:
    """Whether the API does not say on which hosts the device fits: a vGPU, or a DVX device, which can be a network adapter."""
    backing = device.backing
    return isinstance(backing, VgpuBacking | DvxBacking) or (
        isinstance(backing, SriovBacking) and bool(backing.dvx_class)
    )


def _items(vm: Vm) -> tuple[DynamicItem, ...] | None:
    """The dynamic devices of a VM; None when it has a device that is on one host only."""
    backings = [device.backing for device in vm.devices]
    dynamic = [item_of(backing) for backing in backings if isinstance(backing, DynamicBacking)]
    return tuple(dynamic) if len(dynamic) == len(backings) else None


def _is_forbidden(placement: ClusterPlacement | None, vm: Vm, host: Host) -> bool:
    return placement is not None and any(True for _rule in forbidding_rules(placement, vm.moid, host.moid))


def _restarted(
    items: Sequence[DynamicItem], hosts: Sequence[Host], free: _FreeDevices, taken: Mapping[str, set[int]]
) -> bool:
    """Take the devices of a VM from the host where the fewest fitting ones are left over. False when no host has them."""
    best: tuple[int, str, str, Iterable[int]] | None = None
    for host in hosts:
        away = taken[host.moid]
        edges = {
            number: [place for place in free.fitting(host.moid, item) if place not in away]
            for number, item in enumerate(items)
        }
        fitting = {place for places in edges.values() for place in places}
        if len(fitting) < len(items) or (best is not None and (len(fitting), host.name) >= best[:2]):
            continue
        pairs = pair_up(items, sorted(fitting), edges)
        if len(pairs) == len(items):
            best = (len(fitting), host.name, host.moid, pairs.values())
    if best is None:
        return False
    taken[best[2]].update(best[3])
    return True
