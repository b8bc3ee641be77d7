# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The observed state of VMs that a plan is made from, and checks of the desired state with it. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter

from ..errors import InputError
from ..observed.hosts import Host, HostDevice, UnreadVm
from ..observed.networks import HostNetworks
from ..observed.uncertain_holders import unread_vms
from ..observed.vms import Vm
from .desired.vm import DesiredVm, check_desired
from .offers import Offers
from .placement import Placements


@dataclass(frozen=True, kw_only=True)
class ObservedVms:
    """The observed state that a plan for VMs is made from.

    ``vms``: at least the VMs to plan for. ``others``: more VMs, whose devices count as in use. ``limits`` (VM id → maximum number of
    devices), ``system_ids`` (host id → system id) and ``offered`` (host id → addresses that it offers for passthrough): an id that is
    missing was not read; None means that the server returned no value. ``assumed`` (host id → addresses): devices that check mode treats
    as active, although the server does not offer them yet. ``ignored_vms`` (ids): according to the user they use no device, although
    their devices are unknown. ``device_limit``: maximum number of passthrough devices of running VMs on a host; None: the limit of the
    release. ``given`` (host id → address → VM id): devices that the plan in progress gave to its VMs. They stay reserved for them.
    """

    vms: tuple[Vm, ...] = ()
    others: tuple[Vm, ...] = ()
    hosts: tuple[Host, ...] = ()
    limits: Mapping[str, int | None] = field(default_factory=dict)
    system_ids: Mapping[str, str | None] = field(default_factory=dict)
    offered: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
    assumed: Mapping[str, frozenset[str]] = field(default_factory=dict)
    ignored_vms: frozenset[str] = frozenset()
    device_limit: int | None = None
    given: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    offers: Offers = field(default_factory=Offers)
    """vGPU profiles, vendor device groups and DVX classes of hosts. Read only for VMs whose entries name them."""
    hardware_versions: Mapping[str, frozenset[int] | None] = field(default_factory=dict)
    """Host id → hardware versions to which VMs on it can be upgraded. Missing: not read. None: unknown."""
    placements: Placements = field(default_factory=dict)
    networks: Mapping[str, HostNetworks] = field(default_factory=dict)
    """Host id → its networks. Read only when SR-IOV network adapters are desired."""

    _vms: Mapping[str, Vm] = field(init=False, repr=False, compare=False, default_factory=dict)
    _hosts: Mapping[str, Host] = field(init=False, repr=False, compare=False, default_factory=dict)
    _places: Mapping[tuple[str | None, ...], tuple[Host, ...]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        """Build the indexes once: a fleet has thousands of VMs, and each is looked up several times."""
        places: dict[tuple[str | None, ...], list[Host]] = {}
        for host in sorted(self.hosts, key=_by_name):
            for key in _places_of(host):
                places.setdefault(key, []).append(host)
        object.__setattr__(self, "_vms", {vm.moid: vm for vm in self.vms})
        object.__setattr__(self, "_hosts", {host.moid: host for host in self.hosts})
        object.__setattr__(self, "_places", {key: tuple(hosts) for key, hosts in places.items()})

    def vm(self, moid: str) -> Vm:
        """Raises ValueError when the VM was not read (programming error)."""
        if moid not in self._vms:
            raise ValueError(f"no state was read for VM {moid}")
        return self._vms[moid]

    def everyone(self) -> Iterator[Vm]:
        """All known VMs, each once, sorted by name, then by managed object id."""
        table = {vm.moid: vm for vm in (*self.others, *self.vms)}
        yield from sorted(table.values(), key=lambda vm: (vm.name, vm.moid))

    def host_of(self, vm: Vm) -> Host | None:
        return self._hosts.get(vm.host_moid or "")

    def candidates(self, vm: Vm) -> tuple[Host, ...]:
        """Hosts where the VM may run: the hosts of its cluster, or its standalone host; sorted by name."""
        own = self.host_of(vm)
        if own is not None:
            return (own,) if own.cluster is None else self._places[_places_of(own)[0]]
        return () if vm.cluster is None else self._places.get(("named", vm.cluster), ())

    def unread_on(self, host: Host) -> tuple[UnreadVm, ...]:
        """VMs of the host that may use any of its devices, without ``ignored_vms``; sorted by name."""
        known, wanderers = self._placed
        near = {vm.moid: vm for vm in known.get(host.moid, ())} | {vm.moid: vm for vm in wanderers}
        near |= {moid: self._everyone[moid] for moid in host.residents if moid in self._everyone}
        return tuple(vm for vm in unread_vms(host, near.values()) if vm.moid not in self.ignored_vms)

    @cached_property
    def _everyone(self) -> Mapping[str, Vm]:
        return {vm.moid: vm for vm in self.everyone()}

    @cached_property
    def _placed(self) -> tuple[Mapping[str, Sequence[Vm]], Sequence[Vm]]:
        """The VMs that report each host, and those that report none."""
        known: dict[str, list[Vm]] = {}
        for vm in self._everyone.values():
            known.setdefault(vm.host_moid or "", []).append(vm)
        return known, known.pop("", [])

    def models(self) -> Mapping[str, HostDevice]:
        """``vendor:device`` → one device of this model on the hosts. It gives the name of a model in a VM's backing."""
        return self._models

    @cached_property
    def _models(self) -> Mapping[str, HostDevice]:
        """Made at the first use: most copies of this object only hold one more fact."""
        models: dict[str, HostDevice] = {}
        for host in sorted(self.hosts, key=_by_name):
            for device in sorted(host.devices, key=attrgetter("address")):
                models.setdefault(device.ids, device)
        return models


def _by_name(host: Host) -> tuple[str, str]:
    return (host.name, host.moid)


def _places_of(host: Host) -> tuple[tuple[str | None, ...], ...]:
    """Index keys of a host's cluster: its id (names are not unique across datacenters), and its name for VMs without a host."""
    own = ("id", host.compute_moid) if host.compute_moid else ("path", host.datacenter, host.cluster)
    return own, ("named", host.cluster)


def check_all_desired(observed: ObservedVms, desired_vms: Sequence[DesiredVm]) -> None:
    """Raise InputError for desired state that is wrong in any state of the VMs. Only the hosts of the VMs are used."""
    seen: set[str] = set()
    for desired in desired_vms:
        if desired.moid in seen:
            raise InputError(
                message=f"{desired.target} is listed twice",
                code="vm_twice",
                parameter="vms",
                cure="Put all devices of a VM into one entry",
            )
        seen.add(desired.moid)
        check_desired(desired)
    _check_addresses(observed, desired_vms)


def _check_addresses(observed: ObservedVms, desired_vms: Sequence[DesiredVm]) -> None:
    """Raise InputError for an address without a model on several hosts: it may be a different device on each."""
    places: dict[str, set[str | None]] = {}
    for desired in desired_vms:
        for entry in desired.devices:
            if entry.selector.address is not None and not entry.selector.names_kind:
                places.setdefault(entry.selector.address, set()).add(observed.vm(desired.moid).host_moid)
    for address in sorted(places):
        if len(places[address]) > 1:
            raise InputError(
                message=f"{address} is an entry of VMs on {len(places[address])} hosts, and may be a different device on each host",
                code="address_needs_identity",
                parameter="devices",
                cure="Add vendor_id and device_id to the address, or select the devices by vendor:device and a count",
            )
