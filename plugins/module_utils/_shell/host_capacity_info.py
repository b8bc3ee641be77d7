# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module host_capacity_info, from its parameters to its result. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .._domain.capacity.fit import Fit, find_fits, parse_fit
from .._domain.capacity.restart import ClusterFailures, cluster_failures
from .._domain.capacity.stock import Function, count_functions, stock_rows
from .._domain.drift.compare import with_users
from .._domain.host.selector import DesiredDevice
from .._domain.host.targets import Target, no_hosts_seen, resolve_targets
from .._domain.observed.hosts import Host
from .._domain.planning.unknown_names import Unknown, UnknownName, sentences
from .._domain.text import several
from .._domain.vm.observed_vms import ObservedVms
from .._vsphere.details.placements import read_placements
from .._vsphere.read.fleet import read_fleet
from .._vsphere.read.hosts import read_names
from .._vsphere.read.vms import read_holders
from .._vsphere.session.connect import Session
from .engine.targets import parse_targets
from .engine.vms import neighbours, place_vms, unknown_vms, vms_of

_MOST_ADDRESSES = 5


@dataclass(frozen=True, kw_only=True)
class CapacityRequest:
    """The parameters of host_capacity_info. ``fit``: the devices of one VM; empty when the question is not asked."""

    targets: tuple[Target, ...]
    include: Literal["configured", "capable"]
    fit: tuple[DesiredDevice, ...]
    ignored_vms: frozenset[str]
    unknown_names: Unknown

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> CapacityRequest:
        """Read the parameters. Raises InputError."""
        return cls(
            targets=parse_targets(params, devices_required=False, everywhere=True),
            include=params["include"],
            fit=parse_fit(params["fit"]),
            ignored_vms=frozenset(params["ignore_unreadable_vms"]),
            unknown_names=params["unknown_names"],
        )

    @property
    def whole_clusters(self) -> bool:
        """False when single hosts are named: then the other hosts of their clusters are not read."""
        return not any(target.hosts for target in self.targets)


@dataclass(frozen=True, kw_only=True)
class ObservedCapacity:
    """The hosts and VMs, and each function with its state."""

    observed: ObservedVms
    functions: tuple[Function, ...]
    unknown_names: tuple[UnknownName, ...] = ()


def observe(session: Session, request: CapacityRequest) -> ObservedCapacity:
    """Read the hosts, and the devices of the VMs on them, in one bulk read after the one of the names; then the settings of the clusters,
    in one call. Raises InputError."""
    inventory = read_names(session, managers=True)
    chosen = resolve_targets(inventory, request.targets)
    if not chosen:
        raise no_hosts_seen(session.endpoint.hostname)
    near = tuple(host for host in inventory.hosts if host.moid in chosen)
    beside = neighbours(inventory, near, ())
    found = read_fleet(session, near, (), beside, graphics=True)
    # VMs that a host lists, but that named another host when the names were read.
    late = read_holders(session, neighbours(inventory, found.hosts, beside))
    vms = place_vms((*found.others, *late), near)
    computes = {host.compute_moid for host in near if host.cluster is not None} if request.whole_clusters else set()
    observed = ObservedVms(
        others=vms,
        hosts=with_users(found.hosts, vms),
        ignored_vms=vms_of(inventory, request.ignored_vms, "ignore_unreadable_vms"),
        placements=read_placements(session, computes) if computes else {},
    )
    unknown = unknown_vms(inventory, request.ignored_vms, "ignore_unreadable_vms", observed.hosts)
    return ObservedCapacity(observed=observed, functions=count_functions(observed), unknown_names=unknown)


def render(seen: ObservedCapacity, request: CapacityRequest) -> dict[str, Any]:
    """The result: counts by host, model and NUMA node; what the failure of a host means; and where the devices of ``fit`` fit."""
    observed = seen.observed
    failures: tuple[ClusterFailures, ...] = ()
    if request.whole_clusters:
        failures = cluster_failures(observed, seen.functions)
    fits: tuple[Fit, ...] = ()
    if request.fit:
        fits = find_fits(observed.hosts, seen.functions, request.fit)
    unclear: dict[str, list[str]] = {}
    for one in seen.functions:
        if one.state == "unknown":
            unclear.setdefault(one.host.moid, []).append(one.device.address)
    unread = ["holders_unknown"] if any(observed.unread_on(host) for host in observed.hosts) else []
    return {
        "warnings": list(sentences(seen.unknown_names, request.unknown_names, unread)),
        "stock": [row.record() for row in stock_rows(seen.functions, everything=request.include == "capable")],
        "unknown": [
            {"host": host.name, "moid": host.moid, "why": why}
            for host in observed.hosts
            if (why := _why(observed, host, unclear.get(host.moid, [])))
        ],
        "failures": [found.record() for found in failures] if request.whole_clusters else None,
        "fit": [fit.record() for fit in fits] if request.fit else None,
    }


def _why(observed: ObservedVms, host: Host, unclear: list[str]) -> str:
    """Why some functions of a host are unknown, as a clause; empty when they are known. ``unclear``: the addresses of these functions."""
    if host.connection_state != "connected":
        return f"is {host.connection_state}"
    if host.unreadable:
        return f"does not return {', '.join(host.unreadable)}"
    unread = observed.unread_on(host)
    if unread:
        return f"may have its devices in use by {', '.join(f'{vm.vm}, which {vm.why}' for vm in unread)}"
    return f"does not show what uses {several(unclear, _MOST_ADDRESSES)}" if unclear else ""
