# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What DRS and HA can do for a VM with dynamic devices, vGPUs or DVX devices: warnings of its plan. PRIVATE to the collection.

HA restarts such a VM only on a host with free devices. Its admission control counts CPU and memory, not devices (vSphere availability
guide), so nothing in vCenter says that a spare card is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ...observed.vms import Vm
from ..observed_vms import ObservedVms
from ..placement import ClusterPlacement
from .capacity import fits_now, free_listing, sum_of_items
from .holders import DeviceHolders, DynamicItem


def placement_for(observed: ObservedVms, vm: Vm) -> ClusterPlacement | None:
    """The settings of the VM's cluster; None when they were not read or are unknown."""
    host = observed.host_of(vm)
    return observed.placements.get(host.compute_moid) if host is not None else None


def is_unmanaged(observed: ObservedVms, vm: Vm) -> bool:
    """True when an override excludes the VM from DRS: it is powered on where it is registered."""
    placement = placement_for(observed, vm)
    return placement is not None and vm.moid in placement.unmanaged


def availability_warnings(
    observed: ObservedVms, vm: Vm, restart: Callable[[str, str | None], Iterable[str]], runs_on: str | None
) -> tuple[str, ...]:
    """What DRS and HA cannot do. ``restart``: cluster, id of the host → sentences about a restart elsewhere. ``runs_on``: id of the host
    where the VM runs, or is expected to run."""
    host = observed.host_of(vm)
    if host is None or host.cluster is None or host.compute_moid not in observed.placements:
        return ()
    placement = observed.placements[host.compute_moid]
    if placement is None:
        return (
            f"The settings of DRS and HA of {host.cluster} cannot be read, so what they do with {vm.name} is unknown",
        )
    found = []
    if placement.drs_enabled and vm.moid in placement.unmanaged:
        found.append(
            f"DRS is disabled for {vm.name} by an override, so it is powered on where it is registered, even when another host has the "
            "free devices. Remove the override, or set it to partially automated"
        )
    if placement.ha_enabled:
        found += restart(host.cluster, runs_on or vm.host_moid)
    return tuple(found)


def spare_cards(
    observed: ObservedVms,
    vm: Vm,
    items: Sequence[DynamicItem],
    holders: DeviceHolders,
    cluster: str,
    runs_on: str | None,
) -> list[str]:
    """A sentence when no other host has the dynamic devices free for a restart, or when that is unknown. ``items``: all that the VM has
    after the plan."""
    others = [host for host in observed.candidates(vm) if host.moid != runs_on]
    known = [host for host in others if host.is_reachable and not host.in_maintenance_mode]
    if any(fits_now(host, items, holders, vm) for host in known):
        return []
    wanted = sum_of_items(items)
    unread = ", ".join(host.name for host in others if not host.is_reachable)
    if unread:
        return [restart_unknown(cluster, vm, wanted, unread)]
    listed = "; ".join(free_listing(others, items, holders, vm)) or "no other host has such a device"
    return [no_spare(cluster, vm, wanted, listed)]


def restart_unknown(cluster: str, vm: Vm, wanted: str, unread: str) -> str:
    return (
        f"Whether HA of {cluster} can restart {vm.name} is unknown: it needs {wanted}, and {unread} could not be read"
    )


def no_spare(cluster: str, vm: Vm, wanted: str, listed: str) -> str:
    return (
        f"HA of {cluster} cannot restart {vm.name} if its host fails: no other host has {wanted} free now ({listed}). "
        "Keep a spare: admission control does not count devices"
    )
