# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resolving the hosts and clusters in module parameters. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ..errors import InputError
from ..names import KINDS, Directory, Kind, near
from ..observed.hosts import Host
from ..observed.vms import VmName
from ..plain import Record
from .selector import DesiredDevice


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """Hosts, clusters and VMs of an endpoint, with the directories that resolve their names.

    The names of hosts and VMs are those in results: see ``Directory.label``. ``vms`` is empty when VMs were not read.
    """

    hosts: tuple[Host, ...]
    host_names: Directory
    cluster_names: Directory
    vms: tuple[VmName, ...] = ()
    vm_names: Directory

    @cached_property
    def members(self) -> Mapping[str, tuple[Host, ...]]:
        """Id of a cluster (or of the compute resource of a standalone host) → its hosts."""
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
                message=f"The cluster {cluster!r} has no host that this account can see",
                code="unknown_cluster",
                parameter=parameter,
                candidates=near(cluster, {host.cluster for host in self.hosts if host.cluster}),
                cure="Correct the name, or check that the account can see its hosts",
            )
        return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """Hosts by name and by cluster, with their desired devices. Without hosts and clusters: every host."""

    hosts: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    devices: tuple[DesiredDevice, ...] = ()


def _part(record: Mapping[str, object], key: str) -> Mapping[str, object]:
    found = record.get(key, {})
    if not isinstance(found, Mapping):
        raise TypeError
    return {str(name): value for name, value in found.items()}


def _numbers(found: object) -> list[int]:
    if not isinstance(found, list | tuple):
        raise TypeError
    return [int(number) for number in found]


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """The names that the first part of a run resolved. ``hosts``: host id → numbers of its targets. ``names``: kind → name → id."""

    hosts: Mapping[str, Sequence[int]] = field(default_factory=dict)
    names: Mapping[Kind, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, record: Mapping[str, object], targets: int) -> Resolved:
        """From the data that ``record`` returned. Raises InputError (bad_resolved) for other data."""
        try:
            hosts = {moid: _numbers(numbers) for moid, numbers in _part(record, "hosts").items()}
            names = {kind: {name: str(moid) for name, moid in _part(record, kind).items()} for kind in KINDS}
            if any(not 0 <= number < targets for numbers in hosts.values() for number in numbers):
                raise ValueError
        except (TypeError, ValueError, AttributeError):
            raise InputError(
                message="resolved is not a value that an earlier slice of this run returned",
                code="bad_resolved",
                parameter="resolved",
                cure="Do not set the option resolved",
            ) from None
        return cls(hosts=hosts, names=names)

    def record(self) -> Record:
        """Plain data, for the next part of the run."""
        return {"hosts": {moid: list(found) for moid, found in self.hosts.items()}} | {
            kind: dict(names) for kind, names in self.names.items()
        }


def resolve_targets(inventory: Inventory, targets: Sequence[Target]) -> dict[str, tuple[DesiredDevice, ...]]:
    """Host id → desired devices, in the order of the hosts. When several targets name a host, their entries are combined.

    Raises InputError (unknown_host, unknown_cluster, ambiguous_host, ambiguous_cluster) with similar names, or with all matches.
    """
    return desired_of(inventory, targets, meant_hosts(inventory, targets))


def meant_hosts(inventory: Inventory, targets: Sequence[Target]) -> dict[str, list[int]]:
    """Host id → numbers of the targets that include it. Raises InputError, as ``resolve_targets``."""
    meant: dict[str, list[int]] = {}
    for number, target in enumerate(targets):
        for host in resolve_hosts(inventory, target.hosts, target.clusters):
            meant.setdefault(host.moid, []).append(number)
    return meant


def desired_of(
    inventory: Inventory, targets: Sequence[Target], meant: Mapping[str, Sequence[int]]
) -> dict[str, tuple[DesiredDevice, ...]]:
    """Host id → desired devices, in the order of the hosts, for hosts in ``meant`` (see ``meant_hosts``) that still exist."""
    return {
        host.moid: tuple(dict.fromkeys(desired for number in meant[host.moid] for desired in targets[number].devices))
        for host in inventory.hosts
        if host.moid in meant
    }


SEE_HOSTS = "Give it Read-only on the hosts, or name the right vCenter"
"""What to do about an account that sees no host."""


def no_hosts_seen(place: str) -> InputError:
    """The error for a server on which the account sees no host: its devices are unknown, not none."""
    return InputError(
        message=f"This account sees no ESXi host on {place}, so nothing was read", code="no_hosts_seen", cure=SEE_HOSTS
    )


def resolve_hosts(inventory: Inventory, names: Sequence[str], clusters: Sequence[str]) -> tuple[Host, ...]:
    """The hosts of these names and clusters, each once, in the order of the inventory. Without names and clusters: all hosts."""
    if not names and not clusters:
        return inventory.hosts
    found = {inventory.host_names.find(name, "hosts").moid for name in names}
    found |= {host.moid for cluster in clusters for host in inventory.members_of(cluster)}
    return tuple(host for host in inventory.hosts if host.moid in found)
