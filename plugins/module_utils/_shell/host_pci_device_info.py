# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module host_pci_device_info, from its parameters to its result. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from .._domain.host.blockers import iommu_off, looks_iommu_off
from .._domain.host.targets import Target
from .._domain.observed.hosts import Host, HostDevice
from .._domain.vm.devices.host_limit import device_limit, occupied
from .._vsphere.read.graphics import name_graphics_users
from .._vsphere.session.connect import Session
from .engine.observe import ObservedHosts, observe_hosts, read_protection
from .engine.output import device_results
from .engine.targets import parse_targets


@dataclass(frozen=True, kw_only=True)
class HostQuery:
    """The parameters of host_pci_device_info."""

    targets: tuple[Target, ...]
    include: str
    gather_vms: bool
    gather_protection: bool
    gather_partitions: bool

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> HostQuery:
        """Read the parameters. Raises InputError."""
        return cls(
            targets=parse_targets(params, devices_required=False),
            include=params["include"],
            gather_vms=params["gather_vms"],
            gather_protection=params["gather_protection"],
            gather_partitions=params["gather_partitions"],
        )


def observe(session: Session, query: HostQuery) -> ObservedHosts:
    """Read the hosts; VMs, protection and partition tables only where the parameters ask for them. Raises InputError."""
    observed = observe_hosts(session, query.targets, users=query.gather_vms, numa=True, graphics=True)
    if query.gather_vms:
        observed = replace(observed, hosts=name_graphics_users(session, observed.hosts))
    if not query.gather_protection:
        return observed
    return replace(observed, hosts=read_protection(session, observed.hosts, partitions=query.gather_partitions))


def render(observed: ObservedHosts, query: HostQuery) -> dict[str, Any]:
    """The result: one entry for each host."""
    return {"hosts": [_host(host, observed, query) for host in observed.hosts]}


def _host(host: Host, observed: ObservedHosts, query: HostQuery) -> dict[str, Any]:
    iommu, hints = _iommu(host)
    return {
        **host.record(),
        "path": host.path,
        "reboot_required": bool(host.pending),
        "rebind_without_reboot": host.capabilities.rebind_without_reboot,
        "iommu": iommu,
        "hints": hints,
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
