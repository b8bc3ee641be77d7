# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of ESXi hosts and their PCI devices. PRIVATE to the collection.

Plain values, read in bulk by ``_vsphere`` and decided on by ``plan_*``. None means "not said by the server", not "no"; what a guard
needs and may not have been read is a ``Listing`` or a ``Fact`` (``facts``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..facts import NOTHING, Fact, Listing
from ..pci import BRIDGE_CLASS

DeviceState = Literal["unavailable", "off", "pending_enable", "active", "pending_disable", "stale"]
DeviceMode = Literal["off", "passthrough", "sriov", "vgpu", "directpath", "unknown"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sriov:
    """Virtual functions of a device: asked for (``enabled``, ``requested``) and in force (``active``, ``current``)."""

    capable: bool = False
    enabled: bool = False
    active: bool = False
    requested: int = 0
    current: int = 0
    maximum: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class HostDevice:
    """One PCI function of one host.

    ``capable``, ``enabled``, ``active`` are the host's own words: can be passed through, is configured so, is in force.
    """

    address: str
    vendor_id: str
    device_id: str
    subvendor_id: str = "0000"
    subdevice_id: str = "0000"
    class_id: str = "0000"
    vendor_name: str = ""
    name: str = ""
    slot: str | None = None
    parent_bridge: str | None = None
    numa_node: int | None = None
    capable: bool = False
    enabled: bool = False
    active: bool = False
    reported: bool = True
    """False when the host lists the hardware but says nothing of passthrough for it."""
    dependent_device: str | None = None
    label: str | None = None
    mode: DeviceMode = "off"
    sriov: Sriov | None = None

    @property
    def ids(self) -> str:
        """``10de:20f1``."""
        return f"{self.vendor_id}:{self.device_id}"

    @property
    def identity(self) -> tuple[str, ...]:
        """What makes it this kind of hardware at this place; a renumbered bus changes it."""
        return (self.address, self.vendor_id, self.device_id, self.subvendor_id, self.subdevice_id, self.class_id)

    @property
    def kind(self) -> tuple[str, str]:
        """The model of card, without its place."""
        return (self.vendor_id, self.device_id)

    @property
    def is_bridge(self) -> bool:
        return self.class_id.startswith(BRIDGE_CLASS)

    @property
    def is_pending(self) -> bool:
        """Configured and in force differ: a reboot (or a rebind still under way) is owed."""
        return self.reported and self.enabled != self.active

    @property
    def requires_reboot(self) -> bool:
        """Pending, and a reboot settles it: a stale setting, which the host no longer offers, no reboot puts in force."""
        return self.is_pending and (not self.enabled or self.capable)

    @property
    def state(self) -> DeviceState:
        """One word for the three flags."""
        if self.enabled and self.active:
            return "active"
        if self.enabled:
            return "pending_enable" if self.capable else "stale"
        if self.active:
            return "pending_disable"
        return "off" if self.capable else "unavailable"

    def describe(self) -> str:
        """``0000:3b:00.0 10de:20f1 NVIDIA A100-PCIE-40GB`` for messages."""
        return " ".join(part for part in (self.address, self.ids, self.name) if part)


@dataclass(frozen=True, kw_only=True, slots=True)
class HostCapabilities:
    """``host.capability``: None means the release does not know the word, which is to be read as "not supported"."""

    rebind_without_reboot: bool | None = None
    hardware_labels: bool | None = None
    assignable_hardware: bool | None = None
    reboot: bool = True
    maintenance_mode: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class PhysicalNic:
    """A pnic: ``device`` is vmnicN, ``address`` its PCI function, ``mac`` in lower case; ``link`` is False where it is down."""

    device: str
    address: str
    link: bool = True
    mac: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Switch:
    """A virtual switch of any kind with its uplinks (vmnic names) and what its vmkernel adapters serve.

    ``services`` holds nicType words (management, vmotion, vsan, vSphereProvisioning, ...) plus ``storage`` for iSCSI bound
    adapters.
    """

    name: str
    kind: Literal["standard", "distributed", "opaque"] = "standard"
    uplinks: tuple[str, ...] = ()
    services: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class StorageAdapter:
    """A host bus adapter, with the disks (canonical names) reached through it.

    ``remote``: it leads to disks over a network (Fibre Channel, iSCSI, NVMe over fabrics), so none is inside the host.
    """

    device: str
    address: str
    driver: str = ""
    disks: tuple[str, ...] = ()
    remote: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Disk:
    """A local or remote disk: ``uses`` are sentences such as "holds datastore fast01", "holds the ESXi boot bank"."""

    name: str
    local: bool | None = None
    partitioned: bool | None = None
    uses: tuple[str, ...] = ()
    is_boot: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class SharedGpu:
    """A GPU in shared (vGPU) use, with the names of the VMs on it."""

    address: str
    vms: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class HostFabric:
    """What the host itself lives on: read only for hosts where something is to change, as it is large.

    ``boot_disk_known`` is True when a disk of the list was identified as the boot disk; ``boots_from_usb`` is None when that is not
    known. ``hidden_disks``: disks in use that no adapter of the host leads to, such as an extent of a volume that is no disk of
    the list.
    """

    nics: Listing[PhysicalNic] = NOTHING
    switches: Listing[Switch] = NOTHING
    adapters: Listing[StorageAdapter] = NOTHING
    disks: Listing[Disk] = NOTHING
    hidden_disks: tuple[str, ...] = ()
    boot_disk_known: bool = False
    boots_from_usb: bool | None = None
    vsan_esa: Fact[bool] = False
    graphics: Listing[SharedGpu] = NOTHING


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceUser:
    """A VM that holds, or is configured with, a device of a host."""

    vm: str
    moid: str
    powered_on: bool
    fixed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class UnreadVm:
    """A VM of a host of which it is not known which devices it holds; ``why`` is a clause."""

    vm: str
    moid: str
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Host:
    """One ESXi host. ``cluster`` is None for a host of its own; ``boot_time`` is seconds since the epoch.

    ``name`` and ``cluster`` are what results call them: the name, or its inventory path where several of the endpoint have that name.
    """

    moid: str
    name: str
    path: str = ""
    """``DC/host/cluster/esx-01.lab``; empty where the place was not read."""
    cluster: str | None = None
    datacenter: str | None = None
    compute_moid: str = ""
    assignable_moid: str | None = None
    passthrough_moid: str | None = None
    """The manager object that says which device is lent to which VM now; None before 7.0."""
    drs_moves_vms: bool | None = None
    """True when its cluster's DRS is fully automated; None when that was not read."""
    version: str = ""
    connection_state: str = "connected"
    power_state: str = "poweredOn"
    in_maintenance_mode: bool = False
    boot_time: float | None = None
    reboot_required_hint: bool = False
    """``summary.rebootRequired``: owed for some reason, not certainly for passthrough. A hint, never the test."""
    capabilities: HostCapabilities = HostCapabilities()
    devices: tuple[HostDevice, ...] = ()
    passthrough_supported: bool = True
    """False when the host has no passthrough system at all."""
    users: Mapping[str, tuple[DeviceUser, ...]] = field(default_factory=dict)
    """address → VMs that refer to it; filled when VMs were read."""
    residents: frozenset[str] = frozenset()
    """Ids of the VMs that the host itself lists; filled when VMs are read."""
    unread_vms: tuple[UnreadVm, ...] = ()
    """VMs that may hold any of its devices; filled when VMs were read."""
    fabric: HostFabric | None = None
    """None when not read."""
    unreadable: tuple[str, ...] = ()
    """Property paths the server would not give; what depends on them is unknown, not false."""

    def record(self) -> dict[str, Any]:
        """What every result and report says of a host."""
        return {
            "name": self.name,
            "moid": self.moid,
            "cluster": self.cluster,
            "version": self.version,
            "connection_state": self.connection_state,
            "in_maintenance_mode": self.in_maintenance_mode,
        }

    @property
    def is_reachable(self) -> bool:
        """Properties of a host that is not connected are cached old values and mean nothing."""
        return self.connection_state == "connected" and not self.unreadable

    def device(self, address: str) -> HostDevice | None:
        """The device at an address, or None."""
        return next((device for device in self.devices if device.address == address), None)

    @property
    def pending(self) -> tuple[HostDevice, ...]:
        """Devices for which a reboot is owed."""
        return tuple(device for device in self.devices if device.requires_reboot)

    def candidates(self) -> tuple[HostDevice, ...]:
        """Devices somebody could want to pass through: neither bridges nor virtual functions, which network adapters use."""
        virtual = virtual_functions(self.devices)
        return tuple(device for device in self.devices if not device.is_bridge and device.address not in virtual)


_FUNCTIONS_OF_A_BUS = 224
"""Virtual functions for which there is room on the bus of their card."""


def virtual_functions(devices: Iterable[HostDevice]) -> frozenset[str]:
    """Addresses of what look like virtual functions of the cards among ``devices``. They come and go with a count on the card.

    No property of a host says so. They have addresses behind a card whose SR-IOV is in effect, on its bus or the next one if there are
    many, its vendor and class, another device id and no SR-IOV of their own; they never wait for a reboot.
    """
    known = tuple(devices)
    cards = [card for card in known if card.sriov is not None and card.sriov.active and card.sriov.current > 0]
    if not cards:
        return frozenset()
    return frozenset(
        device.address
        for device in known
        if device.sriov is None
        and not device.is_pending
        and any(_looks_like_one_of(device, card, cards) for card in cards)
    )


def _looks_like_one_of(device: HostDevice, card: HostDevice, cards: Iterable[HostDevice]) -> bool:
    if (card.vendor_id, card.class_id) != (device.vendor_id, device.class_id) or card.device_id == device.device_id:
        return False
    segment, bus, rest = card.address.split(":")
    own_segment, own_bus, own_rest = device.address.split(":")
    count = sum(other.sriov.current for other in cards if other.sriov and other.address.startswith(f"{segment}:{bus}:"))
    ahead = int(own_bus, 16) - int(bus, 16)
    within = (ahead == 0 and rest < own_rest) or (ahead == 1 and count > _FUNCTIONS_OF_A_BUS)
    return segment == own_segment and within


def dependency_group(devices: Iterable[HostDevice], address: str) -> tuple[HostDevice, ...]:
    """All functions that must be passed through together with the one at ``address`` (itself included), sorted.

    Functions that can only be reset together name the same ``dependentDevice`` (a bridge or one of themselves) and must
    go to the same VM (KB 312208). A function with a reset of its own names itself. Chains are followed, so that every
    member of a group gives the same group.
    """
    functions = {device.address: device for device in devices if not device.is_bridge or device.address == address}
    return _connected(functions, _links(functions.values()), address) if address in functions else ()


def dependency_groups(devices: Iterable[HostDevice]) -> Mapping[str, tuple[HostDevice, ...]]:
    """``dependency_group`` of every device that is not a bridge, by address."""
    functions = {device.address: device for device in devices if not device.is_bridge}
    links = _links(functions.values())
    groups: dict[str, tuple[HostDevice, ...]] = {}
    for address in functions:
        if address not in groups:
            members = _connected(functions, links, address)
            groups.update((member.address, members) for member in members)
    return groups


def _links(functions: Iterable[HostDevice]) -> Mapping[str, set[str]]:
    """Which addresses name, or are named by, which as the device they depend on."""
    links: dict[str, set[str]] = {}
    for device in functions:
        root = device.dependent_device or device.address
        links.setdefault(device.address, set()).add(root)
        links.setdefault(root, set()).add(device.address)
    return links


def _connected(
    functions: Mapping[str, HostDevice], links: Mapping[str, set[str]], address: str
) -> tuple[HostDevice, ...]:
    found, front = {address}, [address]
    while front:
        fresh = links[front.pop()] - found
        found |= fresh
        front.extend(fresh)
    return tuple(functions[member] for member in sorted(found) if member in functions)
