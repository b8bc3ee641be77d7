# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts the parameters mean. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ..errors import InputError
from ..names import KINDS, Directory, Kind, near
from ..observed.hosts import Host
from ..observed.vms import VmName
from .selector import DesiredDevice, parse_desired_devices


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """Hosts, clusters and VMs of an endpoint, and what each may be called.

    Hosts and VMs carry what results call them: see ``Directory.label``. VMs are there where they were read.
    """

    hosts: tuple[Host, ...]
    host_names: Directory
    cluster_names: Directory
    vms: tuple[VmName, ...] = ()
    vm_names: Directory

    @cached_property
    def members(self) -> Mapping[str, tuple[Host, ...]]:
        """Id of a cluster (or of the compute resource of a host of its own) → its hosts."""
        found: dict[str, tuple[Host, ...]] = {}
        for host in self.hosts:
            found[host.compute_moid] = (*found.get(host.compute_moid, ()), host)
        return found

    def directory(self, kind: Kind) -> Directory:
        return {"host": self.host_names, "cluster": self.cluster_names, "vm": self.vm_names}[kind]

    def members_of(self, cluster: str, parameter: str = "cluster") -> tuple[Host, ...]:
        """The hosts of a cluster by name or path. Raises InputError (unknown_cluster, ambiguous_cluster)."""
        named = self.cluster_names.find(cluster, parameter)
        found = self.members.get(named.moid, ())
        if not found:
            raise InputError(
                message=f"There is no host in the cluster {cluster!r}, as far as this account sees",
                code="unknown_cluster",
                parameter=parameter,
                candidates=near(cluster, {host.cluster for host in self.hosts if host.cluster}),
                cure="Correct the name, or check that the account may see its hosts",
            )
        return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """Hosts by name and by cluster, and the devices meant on them. Neither names nor clusters: every host."""

    hosts: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    devices: tuple[DesiredDevice, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """What the names of a run mean, as its first part found it. ``hosts``: id → numbers of the targets that mean it; ``names``: name → id
    of each kind."""

    hosts: Mapping[str, Sequence[int]] = field(default_factory=dict)
    names: Mapping[Kind, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, record: Mapping[str, Any], targets: int) -> Resolved:
        """Of what ``record`` made. Raises InputError for anything else."""
        try:
            hosts = {
                str(moid): [int(number) for number in numbers] for moid, numbers in record.get("hosts", {}).items()
            }
            names = {kind: {str(n): str(i) for n, i in record.get(kind, {}).items()} for kind in KINDS}
            if any(not 0 <= number < targets for numbers in hosts.values() for number in numbers):
                raise ValueError
        except (TypeError, ValueError, AttributeError):
            raise InputError(
                message="resolved is not what an earlier slice of this run returned",
                code="bad_resolved",
                parameter="resolved",
                cure="Leave it out",
            ) from None
        return cls(hosts=hosts, names=names)

    def record(self) -> dict[str, Any]:
        """Plain data, for the next part of the run."""
        return {"hosts": {moid: list(found) for moid, found in self.hosts.items()}} | {
            kind: dict(names) for kind, names in self.names.items()
        }


def parse_targets(params: Mapping[str, Any], *, devices_required: bool = True) -> tuple[Target, ...]:
    """Targets of a module's parameters: either ``targets`` or ``hosts``/``cluster`` with ``devices``."""
    raw = params.get("targets")
    if raw is None:
        raw = [params]
        names = [""]
    else:
        names = [f"targets[{index}]." for index in range(len(raw))]
    parsed = []
    for prefix, entry in zip(names, raw, strict=True):
        devices = entry.get("devices")
        if not devices and devices_required:
            raise InputError(
                message=f"{prefix}devices is empty: no device is meant",
                code="no_devices",
                parameter=f"{prefix}devices",
                cure='Name at least one device, such as devices: [{match: "10de:20f1"}]',
            )
        if prefix and not entry.get("hosts") and not entry.get("cluster"):
            raise InputError(
                message=f"{prefix.rstrip('.')} names neither hosts nor cluster",
                code="no_hosts",
                parameter=f"{prefix}hosts",
                cure="Give hosts or cluster",
            )
        parsed.append(
            Target(
                hosts=tuple(entry.get("hosts") or ()),
                clusters=tuple(entry.get("cluster") or ()),
                devices=parse_desired_devices(devices or (), f"{prefix}devices"),
            )
        )
    return tuple(parsed)


def resolve_targets(inventory: Inventory, targets: Sequence[Target]) -> dict[str, tuple[DesiredDevice, ...]]:
    """Host id → what is wished of it, in the order of the hosts. Several targets may mean the same host; their wishes add up.

    Raises InputError (unknown_host, unknown_cluster, ambiguous_host, ambiguous_cluster) with near names, or with all that are meant.
    """
    return desired_of(inventory, targets, meant_hosts(inventory, targets))


def meant_hosts(inventory: Inventory, targets: Sequence[Target]) -> dict[str, list[int]]:
    """Host id → the numbers of the targets that mean it. Raises InputError."""
    meant: dict[str, list[int]] = {}
    for number, target in enumerate(targets):
        for host in resolve_hosts(inventory, target.hosts, target.clusters):
            meant.setdefault(host.moid, []).append(number)
    return meant


def desired_of(
    inventory: Inventory, targets: Sequence[Target], meant: Mapping[str, Sequence[int]]
) -> dict[str, tuple[DesiredDevice, ...]]:
    """Host id → what is wished of it, in the order of the hosts, of those in ``meant`` (see ``meant_hosts``) that are there."""
    return {
        host.moid: tuple(dict.fromkeys(desired for number in meant[host.moid] for desired in targets[number].devices))
        for host in inventory.hosts
        if host.moid in meant
    }


def resolve_hosts(inventory: Inventory, names: Sequence[str], clusters: Sequence[str]) -> tuple[Host, ...]:
    """The hosts meant, each once, in their order in the inventory. No name and no cluster: all of them."""
    if not names and not clusters:
        return inventory.hosts
    found = {inventory.host_names.find(name, "hosts").moid for name in names}
    found |= {host.moid for cluster in clusters for host in inventory.members_of(cluster)}
    return tuple(host for host in inventory.hosts if host.moid in found)
