# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module host_pci_device_info, from its parameters to its result. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from .._domain.errors import DirectPathError, InputError
from .._domain.host.blockers import iommu_off, looks_iommu_off
from .._domain.host.capacity import Capacity, CapacityPlace, DirectPathProfile, capacities
from .._domain.host.targets import Target
from .._domain.observed.hosts import Host, HostDevice
from .._domain.vm.devices.host_limit import device_limit, occupied
from .._domain.vm.offers import Offer
from .._vsphere.details.offers import read_host_offers
from .._vsphere.read.directpath_profiles import query_capacity, read_profiles, why_no_profiles
from .._vsphere.read.graphics import name_graphics_users
from .._vsphere.session.connect import Session
from .engine.observe import ObservedHosts, observe_hosts, read_protection
from .engine.output import device_results, offer_result
from .engine.targets import parse_targets


@dataclass(frozen=True, kw_only=True)
class HostQuery:
    """The parameters of host_pci_device_info."""

    targets: tuple[Target, ...]
    include: str
    gather_vms: bool
    gather_protection: bool
    gather_partitions: bool
    gather_offers: bool
    capacity: Literal["none", "cluster", "host"]

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> HostQuery:
        """Read the parameters. Raises InputError."""
        if params["capacity"] == "cluster" and params["hosts"]:
            raise InputError(
                message="capacity: cluster is about whole clusters, but hosts selects single hosts",
                code="capacity_of_part",
                parameter="capacity",
                cure="Select clusters with cluster, or use capacity: host",
            )
        return cls(
            targets=parse_targets(params, devices_required=False, everywhere=True),
            include=params["include"],
            gather_vms=params["gather_vms"],
            gather_protection=params["gather_protection"],
            gather_partitions=params["gather_partitions"],
            gather_offers=params["gather_offers"],
            capacity=params["capacity"],
        )


@dataclass(frozen=True, kw_only=True)
class ShownHosts(ObservedHosts):
    """The hosts, and what they offer to VMs.

    ``offers``: by host id. ``profiles``: None when they were not read, or cannot be. ``capacities``: None when they were not asked for.
    """

    offers: Mapping[str, Offer | None] = field(default_factory=dict)
    profiles: tuple[DirectPathProfile, ...] | None = None
    profiles_note: str = ""
    capacities: tuple[Capacity, ...] | None = None


def observe(session: Session, query: HostQuery) -> ShownHosts:
    """Read the hosts; VMs, protection, partition tables, offers and capacity only where the parameters ask for them. Raises InputError."""
    needs_vms = query.gather_vms or query.capacity != "none"
    found = observe_hosts(
        session, query.targets, users=needs_vms, numa=True, residents=query.capacity != "none", graphics=True
    )
    offers = read_host_offers(session, found.hosts) if query.gather_offers else {}
    hosts = name_graphics_users(session, found.hosts) if query.gather_vms else found.hosts
    observed = ShownHosts(hosts=hosts, desired_devices=found.desired_devices, offers=offers)
    if query.capacity != "none":
        observed = _with_capacity(session, observed, query.capacity)
    if not query.gather_protection:
        return observed
    return replace(observed, hosts=read_protection(session, observed.hosts, partitions=query.gather_partitions))


def _with_capacity(session: Session, observed: ShownHosts, by: Literal["none", "cluster", "host"]) -> ShownHosts:
    """One call for the profiles, and one for each place: a cluster or a host."""
    note = why_no_profiles(session)
    profiles: tuple[DirectPathProfile, ...] | None = None
    if not note:
        try:
            profiles = read_profiles(session)
        except DirectPathError as error:
            note = error.message
    found: list[Capacity] = []
    for place in _places(observed.hosts, by):
        answers = query_capacity(session, profiles, place) if profiles else {}
        found += capacities(place, profiles or (), answers, note or "vCenter has no DirectPath profile")
    return replace(observed, profiles=profiles, profiles_note=note, capacities=tuple(found))


def _places(hosts: tuple[Host, ...], by: Literal["none", "cluster", "host"]) -> list[CapacityPlace]:
    """The clusters with their hosts in this run, and the hosts that are in no cluster; or all hosts."""
    if by == "host":
        return [CapacityPlace(type="host", name=host.name, moid=host.moid, hosts=(host,)) for host in hosts]
    members: dict[str, list[Host]] = {}
    for host in hosts:
        members.setdefault(host.compute_moid if host.cluster is not None else host.moid, []).append(host)
    return [
        CapacityPlace(type="host", name=found[0].name, moid=moid, hosts=tuple(found))
        if found[0].cluster is None
        else CapacityPlace(type="cluster", name=found[0].cluster, moid=moid, hosts=tuple(found))
        for moid, found in members.items()
    ]


def render(observed: ShownHosts, query: HostQuery) -> dict[str, Any]:
    """The result: one entry for each host; with ``capacity`` also the profiles and one entry for each kind of device at each place."""
    result: dict[str, Any] = {
        "hosts": [
            {**_host(host, observed, query), **offer_result(observed.offers.get(host.moid))} for host in observed.hosts
        ]
    }
    if observed.capacities is not None:
        result["directpath_profiles"] = (
            None if observed.profiles is None else [profile.record() for profile in observed.profiles]
        )
        result["directpath_profiles_note"] = observed.profiles_note or None
        result["capacity"] = [found.record() for found in observed.capacities]
    return result


def _host(host: Host, observed: ObservedHosts, query: HostQuery) -> dict[str, Any]:
    iommu, hints = _iommu(host)
    return {
        **host.record(),
        "path": host.path,
        "reboot_required": bool(host.pending),
        "rebind_without_reboot": host.capabilities.rebind_without_reboot,
        "iommu": iommu,
        "hints": hints,
        "maintenance_mode_required": host.maintenance_mode_required,
        "devices_in_use": occupied(host) if query.gather_vms and host.is_reachable else None,
        "device_limit": device_limit(host),
        "graphics": None if host.graphics is None or host.graphics.config is None else host.graphics.record(),
        "devices": device_results(
            host, [device for device in host.devices if _is_shown(device, host, observed, query)]
        ),
    }


def _is_shown(device: HostDevice, host: Host, observed: ObservedHosts, query: HostQuery) -> bool:
    included = {
        "all": True,
        "candidates": not device.is_bridge,
        "capable": device.capable,
        "enabled": device.enabled or device.active,
    }
    desired_devices = observed.desired_devices.get(host.moid, ())
    return included[query.include] and (
        not desired_devices or any(desired.selector.matches(device) for desired in desired_devices)
    )


def _iommu(host: Host) -> tuple[str, list[str]]:
    """Whether the IOMMU (VT-d, AMD-Vi) is on, and hints. No property says it, so this is an inference from the devices of the host."""
    if not host.is_reachable:
        return "unknown", [f"{host.name} is {host.connection_state}: its data is out of date"]
    if not host.candidates():
        return "unknown", []
    if looks_iommu_off(host):
        return "probably_off", [iommu_off(host, ()).sentence()]
    return "on", []
