# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules observe: the part of the inventory that a wish is about. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .._domain.hosts import Host
from .._domain.passthrough import PassthroughWish, needs_fabric, plan_passthrough, project
from .._domain.plan import Plan
from .._domain.protection import holds_disks
from .._domain.selectors import DeviceWish
from .._domain.targets import Target, find_vm, resolve_hosts, resolve_targets
from .._domain.vm_devices import VmWorld
from .._domain.vms import Vm
from .._vsphere.read_fabric import read_fabric
from .._vsphere.read_hosts import (
    read_bindings,
    read_host_names,
    read_hosts,
    read_names,
    read_users,
    reread_hosts,
)
from .._vsphere.read_options import read_options
from .._vsphere.read_vms import VmName, read_holders, read_vms
from .._vsphere.session import Session


@dataclass(frozen=True, kw_only=True)
class HostWorld:
    """The hosts a wish is about, and the devices wished of each (by host id)."""

    hosts: tuple[Host, ...]
    wishes: Mapping[str, tuple[DeviceWish, ...]]

    def host(self, moid: str) -> Host:
        return next(host for host in self.hosts if host.moid == moid)


def aliases(session: Session, hosts: Sequence[Host]) -> dict[str, str]:
    """Connected to an ESXi host directly, the name it was reached by means it, whatever it calls itself."""
    if session.is_vcenter or len(hosts) != 1:
        return {}
    return {session.endpoint.hostname.lower(): hosts[0].moid}


def observe_hosts(session: Session, targets: Sequence[Target], *, users: bool = False, numa: bool = False) -> HostWorld:
    """The hosts the targets mean: one bulk read for their names, one for what they hold, one for their VMs when ``users``.

    Where every host is meant, names and contents are one read.
    """
    if all(target.hosts or target.clusters for target in targets):
        everything = read_host_names(session)
        wishes = resolve_targets(everything, targets, aliases(session, everything))
        chosen = reread_hosts(session, [host for host in everything if host.moid in wishes], numa=numa)
    else:
        chosen = read_hosts(session, numa=numa)
        wishes = resolve_targets(chosen, targets, aliases(session, chosen))
    return HostWorld(hosts=read_users(session, chosen) if users else chosen, wishes=wishes)


def deepen_hosts(session: Session, world: HostWorld, plan: Plan) -> HostWorld:
    """Read what the hosts of a provisional plan live on. The same world comes back when no host needs it."""
    wanted = frozenset(needs_fabric(plan))
    if not wanted:
        return world
    storage = {
        target.moid
        for target in plan.targets
        for change in target.changes
        if change.kind == "passthrough" and holds_disks(change.detail.device)
    }
    chosen = [host for host in world.hosts if host.moid in wanted]
    deep = {host.moid: host for host in read_fabric(session, chosen, disks_of=storage & wanted)}
    return replace(world, hosts=tuple(deep.get(host.moid, host) for host in world.hosts))


def read_protection(session: Session, hosts: Sequence[Host], *, partitions: bool) -> tuple[Host, ...]:
    """The hosts with their fabric: one bulk read, and one call a host for the partition tables when they are asked for."""
    return read_fabric(session, hosts, disks_of=[host.moid for host in hosts] if partitions else ())


def assume_enabled(
    session: Session, hosts: Sequence[Host], targets: Sequence[Target], allow_protected: tuple[str, ...] = ()
) -> tuple[Host, ...]:
    """The hosts as they will be once host_passthrough did its work for these targets and the owed reboots are over."""
    everything = read_host_names(session)
    meant = resolve_targets(everything, targets, aliases(session, everything))
    wishes = {host.moid: meant[host.moid] for host in hosts if host.moid in meant}
    world = HostWorld(hosts=tuple(host for host in hosts if host.moid in wishes), wishes=wishes)
    wish = PassthroughWish(devices=wishes, on_missing="skip", allow_protected=allow_protected)
    plan = plan_passthrough(world.hosts, wish)
    deeper = deepen_hosts(session, world, plan)
    if deeper is not world:
        plan = plan_passthrough(deeper.hosts, wish)
    settled = {host.moid: host for host in project(deeper.hosts, plan)}
    return tuple(settled.get(host.moid, host) for host in hosts)


def observe_vms(session: Session, wanted: Sequence[str]) -> tuple[Vm, ...]:
    """The named VMs in full."""
    names, hosts = read_names(session)
    chosen = _unique(find_vm(names, name, "vms") for name in wanted)
    return place_vms(read_vms(session, chosen, pools=True), hosts)


def observe_vm_world(session: Session, wanted: Sequence[str]) -> VmWorld:
    """The named VMs, every host one of them could run on, and every other VM that could hold a device there."""
    names, everything = read_names(session)
    chosen = _unique(find_vm(names, name, "vms") for name in wanted)
    homes = {host.compute_moid for host in everything if host.moid in {vm.host_moid for vm in chosen}}
    near = [host for host in everything if host.compute_moid in homes]
    places, taken = {host.moid for host in near}, {vm.moid for vm in chosen}
    neighbours = [vm for vm in names if vm.host_moid in places and vm.moid not in taken]
    return VmWorld(
        vms=place_vms(read_vms(session, chosen, pools=True), near),
        others=place_vms(read_holders(session, neighbours), near),
        hosts=read_bindings(session, reread_hosts(session, near, numa=True)),
    )


def deepen_vm_world(session: Session, world: VmWorld, moids: Iterable[str]) -> VmWorld:
    """Limits and ids for the VMs that a plan wants to change. The same world comes back when there is none."""
    wanted = frozenset(moids)
    if not wanted:
        return world
    options = read_options(session, [vm for vm in world.vms if vm.moid in wanted], world.hosts)
    return replace(world, limits=options.limits, system_ids=options.system_ids, offered=options.offered)


def place_vms(vms: Iterable[Vm], hosts: Iterable[Host]) -> tuple[Vm, ...]:
    """The VMs with the names of their hosts and clusters."""
    table = {host.moid: host for host in hosts}
    placed = []
    for vm in vms:
        host = table.get(vm.host_moid or "")
        placed.append(replace(vm, host_name=host.name, cluster=host.cluster) if host is not None else vm)
    return tuple(placed)


def vms_on(session: Session, names: Sequence[str], clusters: Sequence[str]) -> tuple[Vm, ...]:
    """All VMs on hosts (by name and cluster; none named: everywhere), in full."""
    machines, everything = read_names(session)
    chosen = {host.moid for host in resolve_hosts(everything, names, clusters, aliases(session, everything))}
    found = [vm for vm in machines if vm.host_moid in chosen]
    return place_vms(read_vms(session, found), everything)


def _unique(names: Iterable[Any]) -> list[VmName]:
    return list({name.moid: name for name in names}.values())
