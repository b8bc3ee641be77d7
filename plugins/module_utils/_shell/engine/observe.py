# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The observed state for the modules: the part of the inventory that the parameters name. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ..._domain.errors import InputError
from ..._domain.host.overrides import unknown_overrides
from ..._domain.host.passthrough import DesiredPassthrough, needs_fabric, passthrough_writes, plan_passthrough, project
from ..._domain.host.protection import holds_disks
from ..._domain.host.selector import DesiredDevice
from ..._domain.host.targets import Inventory, Target, resolve_hosts, resolve_targets
from ..._domain.names import Reference
from ..._domain.observed.hosts import Host
from ..._domain.observed.vms import REMOVED, Vm, VmName
from ..._domain.planning.plan import Plan
from ..._domain.planning.unknown_names import UnknownName
from ..._domain.vm.devices.plan import (
    ObservedVms,
    needs_details,
    needs_groups,
    needs_networks,
    needs_offers,
    needs_placement,
    starts_elsewhere,
)
from ..._domain.vm.offers import Offers
from ..._vsphere.details.networks import read_networks
from ..._vsphere.details.offers import read_groups, read_offers
from ..._vsphere.details.placements import with_placements
from ..._vsphere.details.plan_details import read_details
from ..._vsphere.read.fabric import read_fabric
from ..._vsphere.read.hosts import (
    read_around,
    read_bindings,
    read_host_names,
    read_hosts,
    read_names,
    read_users,
    reread_hosts,
)
from ..._vsphere.read.vms import read_holders, read_vms
from ..._vsphere.session.connect import Session
from .vms import neighbours, place_vms


@dataclass(frozen=True, kw_only=True)
class ObservedHosts:
    """The hosts that the parameters name. ``desired_devices``: host id → devices that the parameters select."""

    hosts: tuple[Host, ...]
    desired_devices: Mapping[str, tuple[DesiredDevice, ...]]
    ignored_vms: frozenset[str] = frozenset()
    """Ids of VMs whose devices are not readable, and that the user declared to hold none."""
    unknown_names: tuple[UnknownName, ...] = ()
    """Entries of options that name nothing."""

    def host(self, moid: str) -> Host:
        """The host with this id. Raises StopIteration when it is not among them."""
        return next(host for host in self.hosts if host.moid == moid)

    def only(self, moids: Collection[str]) -> ObservedHosts:
        """A copy with these hosts only (ids)."""
        hosts = tuple(host for host in self.hosts if host.moid in moids)
        return replace(
            self,
            hosts=hosts,
            desired_devices={moid: self.desired_devices[moid] for moid in self.desired_devices if moid in moids},
        )


def observe_hosts(
    session: Session,
    targets: Sequence[Target],
    *,
    allow_protected: Sequence[str] = (),
    users: bool = False,
    numa: bool = False,
    residents: bool = False,
    graphics: bool = False,
) -> ObservedHosts:
    """Read the hosts of the targets: one bulk read for names, one for the hosts, and one for the VMs that use their devices if ``users``.

    Targets without names mean every host; then one read gives names and hosts. ``residents``: read the ids of the VMs on each host, too.
    The users are complete enough to show them, not to disable a device: use ``observe_chosen_hosts`` for that.
    Raises InputError for an unknown name.
    """
    if all(target.hosts or target.clusters for target in targets):
        names = read_host_names(session)
        return observe_chosen_hosts(
            session,
            targets,
            names,
            allow_protected=allow_protected,
            users=users,
            numa=numa,
            residents=residents,
            graphics=graphics,
        )
    inventory = read_hosts(session, numa=numa, vms=residents, graphics=graphics)
    desired_devices = resolve_targets(inventory, targets)
    return ObservedHosts(
        hosts=read_users(session, inventory.hosts) if users else inventory.hosts,
        desired_devices=desired_devices,
        unknown_names=unknown_overrides(allow_protected, inventory.hosts),
    )


def observe_chosen_hosts(
    session: Session,
    targets: Sequence[Target],
    inventory: Inventory,
    *,
    allow_protected: Sequence[str] = (),
    users: bool = False,
    numa: bool = False,
    residents: bool = False,
    graphics: bool = False,
) -> ObservedHosts:
    """Read the hosts of the targets, with an inventory that was already read. Its VM names find users that a host does not list.
    ``allow_protected``: overrides, whose hosts are looked up in the inventory.

    Raises InputError for an unknown name.
    """
    desired_devices = resolve_targets(inventory, targets)
    meant = [host for host in inventory.hosts if host.moid in desired_devices]
    chosen = reread_hosts(session, meant, numa=numa, vms=users or residents, graphics=graphics)
    return ObservedHosts(
        hosts=read_users(session, chosen, inventory.vms) if users else chosen,
        desired_devices=desired_devices,
        unknown_names=unknown_overrides(allow_protected, inventory.hosts),
    )


def follow_hosts(
    session: Session, observed: ObservedHosts, moids: Collection[str], *, users: bool = False
) -> ObservedHosts:
    """Read the hosts with these ids again. They are found by id, because they may have been renamed or moved."""
    known = observed.only(moids)
    hosts = reread_hosts(session, [replace(host, fabric=None, users={}) for host in known.hosts], vms=True)
    return replace(known, hosts=read_users(session, hosts) if users else hosts)


def deepen_hosts(session: Session, observed: ObservedHosts, plan: Plan) -> ObservedHosts:
    """Read what the hosts of a provisional plan depend on. Returns the same object when no host needs it."""
    needed = frozenset(needs_fabric(plan))
    if not needed:
        return observed
    with_disks = {
        target.moid
        for target in plan.targets
        for write in passthrough_writes(target.changes)
        if holds_disks(write.device)
    }
    chosen = [host for host in observed.hosts if host.moid in needed]
    deep = {host.moid: host for host in read_fabric(session, chosen, disks_of=with_disks & needed)}
    return replace(observed, hosts=tuple(deep.get(host.moid, host) for host in observed.hosts))


def read_protection(session: Session, hosts: Sequence[Host], *, partitions: bool) -> tuple[Host, ...]:
    """The hosts with their fabric: one bulk read, and one call per host for the partition tables if ``partitions``."""
    return read_fabric(session, hosts, disks_of=[host.moid for host in hosts] if partitions else ())


def assume_enabled(
    session: Session, hosts: Sequence[Host], targets: Sequence[Target], allow_protected: tuple[str, ...] = ()
) -> tuple[Host, ...]:
    """The hosts as they will be after host_passthrough enabled the devices of these targets and the hosts rebooted."""
    meant = resolve_targets(read_host_names(session), targets)
    desired_devices = {host.moid: meant[host.moid] for host in hosts if host.moid in meant}
    observed = ObservedHosts(
        hosts=tuple(host for host in hosts if host.moid in desired_devices), desired_devices=desired_devices
    )
    desired = DesiredPassthrough(devices=desired_devices, on_missing="skip", allow_protected=allow_protected)
    plan = plan_passthrough(observed.hosts, desired)
    deeper = deepen_hosts(session, observed, plan)
    if deeper is not observed:
        plan = plan_passthrough(deeper.hosts, desired)
    settled = {host.moid: host for host in project(deeper.hosts, plan)}
    return tuple(settled.get(host.moid, host) for host in hosts)


@dataclass(frozen=True, kw_only=True)
class NamedVms:
    """The VMs that the parameters name. ``meant``: reference → VM id. ``inventory``: all names."""

    vms: tuple[Vm, ...]
    meant: Mapping[Reference, str]
    inventory: Inventory

    @cached_property
    def _by_id(self) -> Mapping[str, Vm]:
        return {vm.moid: vm for vm in self.vms}

    def vm(self, reference: Reference) -> Vm:
        """The VM that a reference means. Raises InputError when it was removed after its name was read."""
        found = self._by_id.get(self.meant[reference])
        if found is None:
            raise InputError(
                message=f"VM {reference.text!r} was removed while it was read",
                code="unknown_vm",
                parameter="vms",
                cure="Correct the name, or leave it out",
            )
        return found


@dataclass(frozen=True, kw_only=True)
class ObservedNamedVms(NamedVms):
    """Named VMs, with every host that one of them could run on, and every other VM that could hold a device there."""

    observed: ObservedVms
    unknown_names: tuple[UnknownName, ...] = ()
    """Entries of options that name nothing."""
    to_start: frozenset[str] = frozenset()
    """Ids of VMs that this run shut down and must start again."""


def follow_vms(session: Session, seen: NamedVms, moids: Collection[str]) -> NamedVms:
    """Read the VMs with these ids again."""
    vms = _reread(session, seen, moids)
    return NamedVms(vms=place_vms(vms, seen.inventory.hosts), meant=_references_of(seen, vms), inventory=seen.inventory)


def follow_vms_and_hosts(
    session: Session, seen: ObservedNamedVms, moids: Collection[str], *, anywhere: Collection[str]
) -> ObservedNamedVms:
    """Read the VMs with these ids, and the hosts they are on, again. ``anywhere``: ids of VMs that may run on every host of their cluster;
    for these all hosts of the cluster are read.

    The other hosts stay as they were read before, because they give names to device models.
    """
    vms = _reread(session, seen, moids)
    by_id = {host.moid: host for host in (*seen.inventory.hosts, *seen.observed.hosts)}
    own = {vm.host_moid for vm in vms}
    homes = {by_id[vm.host_moid].compute_moid for vm in vms if vm.moid in anywhere and vm.host_moid in by_id}
    near = [host for moid, host in sorted(by_id.items()) if moid in own or host.compute_moid in homes]
    fresh, found = read_around(session, near, seen.inventory.vms)
    known = {host.moid for host in fresh}
    far = tuple(host for host in seen.observed.hosts if host.moid not in known)
    taken = {vm.moid for vm in (*vms, *found)}
    # A VM that its host listed before and does not list now has left the host. A VM that no host listed still counts.
    left = {moid for host in seen.observed.hosts if host.moid in known for moid in host.residents}
    others = [vm for vm in (*seen.observed.vms, *seen.observed.others) if vm.moid not in taken | left]
    chosen = {vm.moid for vm in vms}
    others += [vm for vm in found if vm.moid not in chosen]
    hosts = (*fresh, *far)
    observed = replace(seen.observed, vms=place_vms(vms, hosts), others=place_vms(others, hosts), hosts=hosts)
    return ObservedNamedVms(
        observed=observed,
        vms=observed.vms,
        meant=_references_of(seen, vms),
        inventory=seen.inventory,
        to_start=frozenset(session.to_start),
    )


def _reread(session: Session, seen: NamedVms, moids: Collection[str]) -> tuple[Vm, ...]:
    """A VM that was removed stays in the result, in the state REMOVED."""
    now = {vm.moid: vm for vm in read_vms(session, [vm for vm in seen.inventory.vms if vm.moid in moids], pools=True)}
    known = (vm for vm in seen.vms if vm.moid in moids)
    return tuple(now.get(vm.moid, replace(vm, connection_state=REMOVED)) for vm in known)


def _references_of(seen: NamedVms, vms: Sequence[Vm]) -> Mapping[Reference, str]:
    found = {vm.moid for vm in vms}
    return {reference: moid for reference, moid in seen.meant.items() if moid in found}


def observe_vms(session: Session, references: Sequence[Reference], *, skip_unknown: bool = False) -> NamedVms:
    """Read the named VMs. Raises InputError for an unknown name, unless ``skip_unknown``, and for an ambiguous one."""
    inventory = read_names(session)
    if skip_unknown:
        references = [name for name in references if inventory.vm_names.lookup(name, "vms") is not None]
    meant = find_vms(inventory, references)
    vms = place_vms(read_vms(session, _chosen(inventory, meant), pools=True), inventory.hosts)
    return NamedVms(vms=vms, meant=meant, inventory=inventory)


def observe_vms_and_hosts(session: Session, references: Sequence[Reference]) -> ObservedNamedVms:
    """Read the named VMs, every host that one of them could run on, and every other VM that could hold a device there.

    Raises InputError for an unknown name.
    """
    inventory = read_names(session)
    meant = find_vms(inventory, references)
    chosen = _chosen(inventory, meant)
    homes = {host.compute_moid for host in inventory.hosts if host.moid in {vm.host_moid for vm in chosen}}
    near = [host for host in inventory.hosts if host.compute_moid in homes]
    hosts = reread_hosts(session, near, numa=True, vms=True)
    observed = ObservedVms(
        vms=place_vms(read_vms(session, chosen, pools=True), near),
        others=place_vms(read_holders(session, neighbours(inventory, hosts, chosen)), near),
        hosts=read_bindings(session, hosts),
    )
    return ObservedNamedVms(observed=observed, vms=observed.vms, meant=meant, inventory=inventory)


def find_vms(inventory: Inventory, references: Iterable[Reference]) -> dict[Reference, str]:
    """Reference → id of its VM. Raises InputError for an unknown or ambiguous name."""
    return {reference: inventory.vm_names.find(reference, "vms").moid for reference in references}


def _chosen(inventory: Inventory, meant: Mapping[Reference, str]) -> list[VmName]:
    chosen = set(meant.values())
    return [vm for vm in inventory.vms if vm.moid in chosen]


def deepen_vms(session: Session, observed: ObservedVms, plan: Plan) -> ObservedVms:
    """Read what a plan needs: limits and system ids of VMs, the hardware versions and the devices that their hosts offer, and whether DRS
    chooses their host. Returns the same object when it needs nothing."""
    needed, elsewhere = needs_details(plan), starts_elsewhere(plan) | needs_placement(plan)
    offers = needs_offers(plan)
    if offers:
        chosen = [vm for vm in observed.vms if vm.moid in offers]
        near = {host.moid: host for vm in chosen for host in observed.candidates(vm)}
        found = read_offers(session, sorted(near.values(), key=lambda host: host.moid), observed.offers)
        observed = replace(observed, offers=found)
    if elsewhere:
        observed = with_placements(session, observed, elsewhere)
    near = {host.moid: host for moid in needs_groups(plan) for host in _start_hosts(observed, observed.vm(moid))}
    if near:
        found = read_groups(session, sorted(near.values(), key=lambda host: host.moid), observed.offers)
        observed = replace(observed, offers=found)
    far = {host.moid for moid in needs_networks(plan) for host in _start_hosts(observed, observed.vm(moid))}
    far -= observed.networks.keys()
    if far:
        observed = replace(observed, networks={**observed.networks, **read_networks(session, far)})
    if not needed:
        return observed
    return read_details(session, observed, [vm for vm in observed.vms if vm.moid in needed], plan)


def _start_hosts(observed: ObservedVms, vm: Vm) -> tuple[Host, ...]:
    """The hosts where the VM may be powered on: its own, if DRS of the cluster is off."""
    own = observed.host_of(vm)
    return (own,) if own is not None and own.drs_places_vms is False else observed.candidates(vm)


def without_old_details(before: ObservedVms, now: ObservedVms) -> ObservedVms:
    """What was read again of VMs and hosts (``now``), without details that may no longer hold. They are read again when the plan needs
    them.

    System ids and offered devices can change at any time. The device maximum of a VM follows from the release of
    its host and its own hardware version, so it is kept while these are what they were ``before``.
    """
    same = {vm.moid for vm in now.vms if _follows_from(now, vm) == _follows_from(before, before.vm(vm.moid))}
    kept = {moid: limit for moid, limit in now.limits.items() if moid in same}
    kinds = {moid: limit for moid, limit in now.offers.limits.items() if moid in same}
    return replace(now, limits=kept, system_ids={}, offered={}, offers=Offers(limits=kinds))


def _follows_from(observed: ObservedVms, vm: Vm) -> tuple[object, ...]:
    host = observed.host_of(vm)
    return (vm.hardware_version, host and (host.moid, host.version, host.boot_time))


def vms_on(session: Session, names: Sequence[str], clusters: Sequence[str]) -> tuple[Vm, ...]:
    """Read all VMs on the named hosts and clusters; on all hosts if none is named. Raises InputError for an unknown name."""
    inventory = read_names(session)
    chosen = {host.moid for host in resolve_hosts(inventory, names, clusters)}
    found = [vm for vm in inventory.vms if vm.host_moid in chosen]
    return place_vms(read_vms(session, found), inventory.hosts)
