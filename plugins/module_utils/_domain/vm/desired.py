# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wished of VMs, the world the wishes are judged in, and what the writers get. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ..errors import InputError
from ..host.selector import DesiredDevice
from ..observed.hosts import Host, HostDevice, UnreadVm
from ..observed.uncertain_holders import unread_vms
from ..observed.vms import AllowedDevice, Vm
from .mmio import DesiredMmio

DesiredState: TypeAlias = Literal["present", "absent", "exactly"]
BackingChoice: TypeAlias = Literal["auto", "dynamic", "fixed"]
BackingKind: TypeAlias = Literal["dynamic", "fixed"]
PowerChoice: TypeAlias = Literal["keep", "off", "cycle", "on"]


@dataclass(frozen=True, kw_only=True, slots=True)
class DesiredVm:
    """The passthrough devices one VM is to have.

    ``present``: at least these. ``absent``: none that match, whatever
    the count: the list that attached them can be used as it is. ``exactly``: these and no others. ``power``: what may be
    done to a VM that must be off for a change; see ``preconditions.power_steps``. ``unlock_memory`` counts when the
    last device goes.
    """

    target: str
    moid: str
    devices: tuple[DesiredDevice, ...] = ()
    state: DesiredState = "present"
    backing: BackingChoice = "auto"
    power: PowerChoice = "keep"
    shutdown_timeout: int = 300
    allow_power_off: bool = False
    mmio: DesiredMmio | None = None
    unlock_memory: bool = False
    disable_hot_add: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ObservedVms:
    """Everything a plan for VMs is made from.

    ``vms`` holds at least the wished ones; ``others`` further VMs whose devices count as taken. A moid missing from
    ``limits`` (VM → most devices), ``system_ids`` or ``offered`` (host → what it offers for passthrough) was not
    read; None: not said. ``assumed`` (host → addresses) are devices that a check run takes for active although they are
    not yet: the server does not offer them, but will. ``ignored_vms`` (ids) are said to hold no device, although
    that cannot be read. ``device_limit``: most passthrough devices of running VMs on any host; None: as its release has it.
    ``given`` (host → address → VM): what the plan that is being carried out gave to its VMs. It is kept for them.
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

    _vms: Mapping[str, Vm] = field(init=False, repr=False, compare=False, default_factory=dict)
    _hosts: Mapping[str, Host] = field(init=False, repr=False, compare=False, default_factory=dict)
    _models: Mapping[str, HostDevice] = field(init=False, repr=False, compare=False, default_factory=dict)
    _places: Mapping[tuple[str | None, ...], tuple[Host, ...]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        """Index once: a fleet has thousands of VMs, each looked up several times."""
        places: dict[tuple[str | None, ...], list[Host]] = {}
        models: dict[str, HostDevice] = {}
        for host in sorted(self.hosts, key=lambda host: (host.name, host.moid)):
            for key in _places_of(host):
                places.setdefault(key, []).append(host)
            for device in sorted(host.devices, key=lambda device: device.address):
                models.setdefault(device.ids, device)
        object.__setattr__(self, "_vms", {vm.moid: vm for vm in self.vms})
        object.__setattr__(self, "_hosts", {host.moid: host for host in self.hosts})
        object.__setattr__(self, "_models", models)
        object.__setattr__(self, "_places", {key: tuple(hosts) for key, hosts in places.items()})

    def vm(self, moid: str) -> Vm:
        """Raises ValueError when the VM was not read (programming error)."""
        if moid not in self._vms:
            raise ValueError(f"no state was read for VM {moid}")
        return self._vms[moid]

    def everyone(self) -> Iterator[Vm]:
        """All known VMs once, sorted by name, then moid."""
        table = {vm.moid: vm for vm in (*self.others, *self.vms)}
        yield from sorted(table.values(), key=lambda vm: (vm.name, vm.moid))

    def host_of(self, vm: Vm) -> Host | None:
        return self._hosts.get(vm.host_moid or "")

    def candidates(self, vm: Vm) -> tuple[Host, ...]:
        """Hosts the VM may run on: those of its cluster, or its own host; sorted by name."""
        own = self.host_of(vm)
        if own is not None:
            return (own,) if own.cluster is None else self._places[_places_of(own)[0]]
        return () if vm.cluster is None else self._places.get(("named", vm.cluster), ())

    def unread_on(self, host: Host) -> tuple[UnreadVm, ...]:
        """VMs of the host that may hold any of its devices, but for those that are ignored; sorted by name."""
        return tuple(vm for vm in unread_vms(host, self.everyone()) if vm.moid not in self.ignored_vms)

    def models(self) -> Mapping[str, HostDevice]:
        """One device of every model known on the hosts, by ``vendor:device``: gives names to models a VM refers to."""
        return self._models


def _places_of(host: Host) -> tuple[tuple[str | None, ...], ...]:
    """What a host's cluster goes by: its own key (names repeat between datacenters) and, for VMs without a host, its
    name."""
    own = ("id", host.compute_moid) if host.compute_moid else ("path", host.datacenter, host.cluster)
    return own, ("named", host.cluster)


@dataclass(frozen=True, kw_only=True, slots=True)
class PowerOff:
    """Shut the guest down; after ``timeout_seconds`` power it off if allowed, else fail."""

    timeout_seconds: int
    allow_power_off: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Detach:
    key: int


@dataclass(frozen=True, kw_only=True, slots=True)
class FixedSpec:
    """``system_id`` is None only in a provisional plan."""

    address: str
    vendor_id: str
    device_id: str
    system_id: str | None
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DynamicSpec:
    allowed: tuple[AllowedDevice, ...]
    custom_label: str | None
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class HotAdd:
    """Whether memory and CPUs may be added to the running VM; None leaves it as it is."""

    memory: bool | None = None
    cpu: bool | None = None


def check_all_desired(observed: ObservedVms, desired_vms: Sequence[DesiredVm]) -> None:
    """Raise InputError for wishes that are wrong whatever the state of the VMs (but for where they stand)."""
    seen: set[str] = set()
    for desired in desired_vms:
        if desired.moid in seen:
            raise InputError(
                message=f"{desired.target} is named twice",
                code="vm_twice",
                parameter="vms",
                cure="Put all devices of one VM into one entry",
            )
        seen.add(desired.moid)
        check_desired(desired)
    _check_addresses(observed, desired_vms)


def check_desired(desired: DesiredVm) -> None:
    """Raise InputError for one wish that is wrong whatever the state of its VM."""
    if desired.state == "absent" and not desired.devices:
        raise InputError(
            message=f"state absent for {desired.target} names no device",
            code="nothing_named",
            parameter="devices",
            cure="Name the devices to detach, or use state exactly with an empty list to detach all",
        )
    for entry in desired.devices:
        if desired.state != "absent" and desired.backing == "dynamic" and needs_fixed(entry):
            raise InputError(
                message=f"{entry.text} for {desired.target} names devices of one host, which backing dynamic cannot ask for",
                code="dynamic_by_place",
                parameter="backing",
                cure="Name the devices by vendor:device with a number, or use backing fixed",
            )


def needs_fixed(entry: DesiredDevice) -> bool:
    """True for wishes that mean certain devices of one host, whatever the model."""
    return entry.selector.address is not None or entry.selector.slot is not None or entry.count == "all"


def _check_addresses(observed: ObservedVms, desired_vms: Sequence[DesiredVm]) -> None:
    """An address alone names other hardware on another host."""
    places: dict[str, set[str | None]] = {}
    for desired in desired_vms:
        for entry in desired.devices:
            if entry.selector.address is not None and not entry.selector.names_kind:
                places.setdefault(entry.selector.address, set()).add(observed.vm(desired.moid).host_moid)
    for address in sorted(places):
        if len(places[address]) > 1:
            raise InputError(
                message=f"{address} is asked for on VMs of {len(places[address])} hosts, and may be another card on each",
                code="address_needs_identity",
                parameter="devices",
                cure="Add vendor_id and device_id to the address, or name the devices by vendor:device and a count",
            )
