# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts and VMs a wish means. PRIVATE to the collection."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from .errors import InputError
from .hosts import Host
from .selectors import DeviceWish, parse_device_wishes

MOST_CANDIDATES = 8
"""A message lists at most so many names."""


_CURE = "Correct the name, or check that the account may see it"


class Named(Protocol):
    """A VM as far as finding it goes."""

    @property
    def moid(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def path(self) -> str: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """Hosts by name and by cluster, and the devices meant on them. Neither names nor clusters: every host."""

    hosts: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    devices: tuple[DeviceWish, ...] = ()


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
                devices=parse_device_wishes(devices or (), f"{prefix}devices"),
            )
        )
    return tuple(parsed)


def resolve_targets(
    hosts: Sequence[Host], targets: Sequence[Target], aliases: Mapping[str, str] | None = None
) -> dict[str, tuple[DeviceWish, ...]]:
    """Host id → what is wished of it, in the order of the hosts. Several targets may mean the same host; their wishes add up.

    ``aliases`` maps further names to host ids. Raises InputError (unknown_host, unknown_cluster, ambiguous_host) with near names.
    """
    wishes: dict[str, list[DeviceWish]] = {}
    for target in targets:
        for host in resolve_hosts(hosts, target.hosts, target.clusters, aliases):
            known = wishes.setdefault(host.moid, [])
            known.extend(wish for wish in target.devices if wish not in known)
    return {host.moid: tuple(wishes[host.moid]) for host in hosts if host.moid in wishes}


def resolve_hosts(
    hosts: Sequence[Host], names: Sequence[str], clusters: Sequence[str], aliases: Mapping[str, str] | None = None
) -> tuple[Host, ...]:
    """The hosts meant, each once, in the order given. No name and no cluster: all of them."""
    if not names and not clusters:
        return tuple(hosts)
    found = {}
    for name in names:
        host = _find_host(hosts, name, aliases or {})
        found[host.moid] = host
    for cluster in clusters:
        members = [host for host in hosts if host.cluster == cluster]
        if not members:
            known = sorted({host.cluster for host in hosts if host.cluster})
            raise InputError(
                message=f"There is no cluster {cluster!r} with hosts in it",
                code="unknown_cluster",
                parameter="cluster",
                candidates=_near(cluster, known),
                cure=_CURE,
            )
        found.update({host.moid: host for host in members})
    return tuple(host for host in hosts if host.moid in found)


def _find_host(hosts: Sequence[Host], name: str, aliases: Mapping[str, str]) -> Host:
    wanted = name.lower()
    ways = (
        [host for host in hosts if host.name.lower() == wanted or host.moid == name],
        [host for host in hosts if aliases.get(wanted) == host.moid],
        # esx-01 for esx-01.example.net, where only one host has that first label
        [host for host in hosts if "." not in wanted and host.name.lower().split(".")[0] == wanted],
    )
    for found in ways:
        if len(found) == 1:
            return found[0]
        if found:
            raise InputError(
                message=f"Host {name!r} names {len(found)} hosts",
                code="ambiguous_host",
                parameter="hosts",
                candidates=[f"{host.name} ({host.moid})" for host in found],
                cure="Name it in full, or by its managed object id",
            )
    raise InputError(
        message=f"There is no ESXi host {name!r} here",
        code="unknown_host",
        parameter="hosts",
        candidates=_near(name, [host.name for host in hosts]),
        cure=_CURE,
    )


def find_vm(vms: Sequence[Named], wanted: str, parameter: str = "vm") -> Named:
    """A VM by managed object id, inventory path (``dc/vm/folder/name``, any tail of it) or name.

    Raises InputError (unknown_vm, ambiguous_vm).
    """
    by_id = [vm for vm in vms if vm.moid == wanted]
    tail = wanted.strip("/")
    found = by_id or [vm for vm in vms if vm.name == wanted or vm.path == tail or vm.path.endswith("/" + tail)]
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(
            message=f"VM {wanted!r} names {len(found)} VMs",
            code="ambiguous_vm",
            parameter=parameter,
            candidates=[f"{vm.path} ({vm.moid})" for vm in found[:MOST_CANDIDATES]],
            cure="Name it by its path or its managed object id",
        )
    raise InputError(
        message=f"There is no VM {wanted!r} here",
        code="unknown_vm",
        parameter=parameter,
        candidates=_near(wanted, sorted({vm.name for vm in vms})),
        cure=_CURE,
    )


def _near(name: str, known: Collection[str]) -> list[str]:
    """Names like it; where none is, the first few there are."""
    close = difflib.get_close_matches(name, list(known), n=MOST_CANDIDATES, cutoff=0.5)
    return close or list(known)[:MOST_CANDIDATES]
