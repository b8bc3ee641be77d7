# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The observed state of ESXi hosts and their PCI devices. PRIVATE to the collection.

Plain values: ``_vsphere`` reads them in bulk, the ``plan_*`` functions decide on them. None means that the server did not report the
value; it does not mean "no". A value that a check needs and that may be unreadable is a ``Listing`` or a ``Fact`` (see ``facts``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from ..facts import NOTHING, Fact, Listing
from ..pci import BRIDGE_CLASS, NETWORK_CLASS
from ..plain import Record
from .direct_path import DirectPathState
from .graphics import HostGraphics

DeviceState = Literal["unavailable", "off", "pending_enable", "active", "pending_disable", "stale"]
DeviceMode = Literal["off", "passthrough", "sriov", "vgpu", "directpath", "unknown"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sriov:
    """SR-IOV of a device: configured (``enabled``, ``requested``) and in effect (``active``, ``current``). Numbers count VFs."""

    capable: bool = False
    enabled: bool = False
    active: bool = False
    requested: int = 0
    current: int = 0
    maximum: int = 0

    @property
    def configured(self) -> int:
        """The number of VFs that the next boot creates. A host may keep the number of an SR-IOV setting that is off."""
        return self.requested if self.enabled else 0

    @property
    def in_effect(self) -> int:
        """The number of VFs that exist now."""
        return self.current if self.active else 0

    @property
    def is_pending(self) -> bool:
        return self.configured != self.in_effect

    @property
    def requires_reboot(self) -> bool:
        """True when a reboot puts the number in effect. It does not for a number that the function cannot provide."""
        return self.is_pending and (not self.configured or (self.capable and self.configured <= self.maximum))

    def rebooted(self) -> Sriov:
        """SR-IOV after a reboot that puts the number in effect."""
        return replace(self, active=self.enabled, current=self.configured) if self.requires_reboot else self


@dataclass(frozen=True, kw_only=True, slots=True)
class HostDevice:
    """One PCI function of one host.

    ``capable``, ``enabled``, ``active`` come from HostPciPassthruInfo: passthrough is possible, is configured, is in effect.
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
    """False when the host lists the hardware but has no passthrough information for it."""
    dependent_device: str | None = None
    label: str | None = None
    mode: DeviceMode = "off"
    sriov: Sriov | None = None
    vmnic: str | None = None
    """The name of the physical NIC (vmnic4). None for other devices, and for a NIC that is passed through."""
    driver: str = ""
    """The driver of the physical NIC, which is also the name of its kernel module."""
    direct_path: DirectPathState | None = None
    """The device mode; None before 9.1, and for a device without modes."""

    @property
    def ids(self) -> str:
        """Vendor and device id, such as ``10de:20f1``."""
        return f"{self.vendor_id}:{self.device_id}"

    @property
    def identity(self) -> tuple[str, ...]:
        """Address and ids: they identify this kind of hardware at this place. Renumbering the bus changes them."""
        return (self.address, self.vendor_id, self.device_id, self.subvendor_id, self.subdevice_id, self.class_id)

    @property
    def kind(self) -> tuple[str, str]:
        """The model: vendor id and device id."""
        return (self.vendor_id, self.device_id)

    @property
    def is_bridge(self) -> bool:
        return self.class_id.startswith(BRIDGE_CLASS)

    @property
    def is_pending(self) -> bool:
        """True when configured and in effect differ: a reboot is pending, or a change without a reboot is still in progress."""
        return self.has_pending_passthrough or self.has_pending_functions

    @property
    def has_pending_passthrough(self) -> bool:
        return self.reported and self.enabled != self.active

    @property
    def has_pending_functions(self) -> bool:
        """True when another number of virtual functions is configured than in effect.

        The driver of a GPU creates those of vGPUs by itself, so only network adapters count.
        """
        return self.is_network_adapter and self.sriov is not None and self.sriov.is_pending

    @property
    def is_network_adapter(self) -> bool:
        return self.class_id.startswith(NETWORK_CLASS)

    @property
    def requires_reboot(self) -> bool:
        """True when a reboot puts the configuration in effect. It does not for a stale setting: the host no longer offers the device."""
        if self.passthrough_requires_reboot:
            return True
        return self.has_pending_functions and self.sriov is not None and self.sriov.requires_reboot

    @property
    def passthrough_requires_reboot(self) -> bool:
        """``requires_reboot``, for passthrough only."""
        return self.has_pending_passthrough and (not self.enabled or self.capable)

    @property
    def is_lost_at_reboot(self) -> bool:
        """True when the device is in effect although its host no longer offers it: the host does not take it again."""
        return self.enabled and self.active and not self.capable

    def rebooted(self) -> HostDevice:
        """This device after a reboot, which puts its settings in effect if the host offers the device."""
        sriov = self.sriov.rebooted() if self.has_pending_functions and self.sriov is not None else self.sriov
        return replace(self, active=self.enabled and self.capable, sriov=sriov)

    @property
    def state(self) -> DeviceState:
        """One word for ``capable``, ``enabled`` and ``active``."""
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
    """``host.capability``. None: the release does not know the property, which means "not supported"."""

    rebind_without_reboot: bool | None = None
    hardware_labels: bool | None = None
    assignable_hardware: bool | None = None
    reboot: bool = True
    maintenance_mode: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class PhysicalNic:
    """A physical NIC. ``device``: vmnicN. ``address``: of its PCI function. ``mac``: lower case. ``link``: False when it is down."""

    device: str
    address: str
    link: bool = True
    mac: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Switch:
    """A virtual switch with its uplinks (vmnic names) and the services of its VMkernel adapters.

    ``services``: nicType values (management, vmotion, vsan, vSphereProvisioning, ...), and ``storage`` for adapters bound to iSCSI.
    """

    name: str
    kind: Literal["standard", "distributed", "opaque"] = "standard"
    uplinks: tuple[str, ...] = ()
    services: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class StorageAdapter:
    """A host bus adapter with its disks (canonical names).

    ``remote``: its disks are reached over a network (Fibre Channel, iSCSI, NVMe over fabrics); none is inside the host.
    """

    device: str
    address: str
    driver: str = ""
    disks: tuple[str, ...] = ()
    remote: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Disk:
    """A local or remote disk. ``uses``: clauses for messages, such as "holds datastore fast01" or "holds the ESXi boot bank"."""

    name: str
    local: bool | None = None
    partitioned: bool | None = None
    uses: tuple[str, ...] = ()
    is_boot: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class SharedGpu:
    """A GPU that is configured for sharing (vGPU), with the names of the VMs that use it."""

    address: str
    vms: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class HostFabric:
    """The network, storage and graphics that the host depends on. Read only for hosts that are to be changed, as it is large.

    ``boot_disk_known``: True when one of ``disks`` was identified as the boot disk. ``boots_from_usb``: None when unknown.
    ``hidden_disks``: disks in use that no adapter of the host leads to, such as an extent of a volume that is not in ``disks``.
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
    """A VM that uses a device of a host, or has it in its configuration."""

    vm: str
    moid: str
    powered_on: bool
    fixed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class FunctionUser:
    """A VM with an SR-IOV network adapter. ``physical_function``: None when vSphere chooses it at power-on, or when it is unknown."""

    vm: str
    moid: str
    powered_on: bool
    physical_function: str | None = None
    virtual_function: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class UnreadVm:
    """A VM whose PCI devices are unknown. ``why`` is a clause for a message."""

    vm: str
    moid: str
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Host:
    """One ESXi host. ``cluster`` is None for a standalone host. ``boot_time``: seconds since the epoch.

    ``name`` and ``cluster`` are the names in results: the plain name, or the inventory path when several objects have that name.
    """

    moid: str
    name: str
    path: str = ""
    """Inventory path, such as ``DC/host/cluster/esx-01.lab``; empty when it was not read."""
    cluster: str | None = None
    datacenter: str | None = None
    compute_moid: str = ""
    assignable_moid: str | None = None
    passthrough_moid: str | None = None
    """Id of the HostAssignableHardwareManager, which lists the device that each VM uses now; None before 7.0."""
    drs_places_vms: bool | None = None
    """False when DRS of its cluster is off: a VM is powered on where it is registered. None when that was not read."""
    kept_free_by_ha: bool = False
    """A dedicated failover host of HA: no VM can be powered on there. Read together with ``drs_places_vms``."""
    version: str = ""
    connection_state: str = "connected"
    power_state: str = "poweredOn"
    in_maintenance_mode: bool = False
    boot_time: float | None = None
    reboot_required_hint: bool = False
    """``summary.rebootRequired``: a reboot is pending for some reason, maybe not for passthrough. Only a hint; nothing depends on it."""
    maintenance_mode_required: bool | None = None
    """``summary.maintenanceModeRequired`` (9.1): a change takes effect after maintenance mode. None: the release does not report it."""
    cpu_mhz: int | None = None
    """Speed of one core. None: not read."""
    capabilities: HostCapabilities = HostCapabilities()
    devices: tuple[HostDevice, ...] = ()
    passthrough_supported: bool = True
    """False when the host has no HostPciPassthruSystem."""
    users: Mapping[str, tuple[DeviceUser, ...]] = field(default_factory=dict)
    """Address → VMs that use the device; filled when VMs were read."""
    residents: frozenset[str] = frozenset()
    """Managed object ids of the VMs in the host's own list (``host.vm``); filled when VMs were read."""
    function_users: tuple[FunctionUser, ...] = ()
    """One entry for each SR-IOV network adapter of a VM on this host; filled when VMs were read."""
    unplaced: tuple[tuple[str, tuple[tuple[str, str], ...], str | None], ...] = ()
    """Dynamic devices of running VMs on this host without a known address: VM id, models (vendor and device id), label. Filled when VMs
    were read for results."""
    unread_vms: tuple[UnreadVm, ...] = ()
    """VMs that may use any device of the host, because their devices are unknown; filled when VMs were read."""
    fabric: HostFabric | None = None
    """None when not read."""
    module_options: Mapping[str, Fact[str]] = field(default_factory=dict)
    """Kernel module → its configured options (``max_vfs=8,8``); filled for modules of NICs whose virtual functions change."""
    nics_unread: bool = False
    """True when the server did not return the physical NICs, so that no device has its vmnic and its driver."""
    graphics: HostGraphics | None = None
    """None when not read."""
    unreadable: tuple[str, ...] = ()
    """Property paths that the server did not return. What depends on them is unknown, not false."""

    def record(self) -> Record:
        """The values of a host that every result and report shows."""
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
        """True when the properties are current. vCenter returns old, cached values for a host that is not connected."""
        return self.connection_state == "connected" and not self.unreadable

    def device(self, address: str) -> HostDevice | None:
        """The device at an address, or None."""
        return next((device for device in self.devices if device.address == address), None)

    @property
    def pending(self) -> tuple[HostDevice, ...]:
        """Devices with a pending reboot."""
        return tuple(device for device in self.devices if device.requires_reboot)

    def candidates(self, *, active: bool = False) -> tuple[HostDevice, ...]:
        """Devices that a user can pass through; only those that are enabled and active, with ``active``. Bridges and virtual functions
        (used by SR-IOV network adapters) are left out."""
        found = tuple(device for device in self.devices if not active or (device.enabled and device.active))
        virtual = virtual_functions(self.devices) if found else ()
        return tuple(device for device in found if not device.is_bridge and device.address not in virtual)


_FUNCTIONS_OF_A_BUS = 224
"""The largest number of virtual functions on the bus of their physical function."""


def virtual_functions(devices: Iterable[HostDevice]) -> frozenset[str]:
    """Addresses of the virtual functions (VFs) of the physical functions (PFs) among ``devices``.

    No property of a host marks a VF. What the host reports of its PFs shows which devices are VFs: SR-IOV is in effect there, with this
    number of VFs. They follow the PFs of their card on its bus (and on the next bus when there are many), with the same vendor and class,
    without SR-IOV of their own and without a pending reboot. No more devices than the PFs have VFs are VFs: the last ones, because the
    VFs come after all other functions of a card (PCIe SR-IOV, First VF Offset).
    """
    return frozenset(cards_of_functions(devices))


def cards_of_functions(devices: Iterable[HostDevice]) -> Mapping[str, tuple[str, ...]]:
    """Address of each virtual function → addresses of the physical functions that may provide it, sorted.

    The VFs of the ports of one card are on the same bus, and which of them belong to which port is different for each model.
    """
    known = tuple(devices)
    cards: dict[tuple[str, str, str], list[HostDevice]] = {}
    for card in known:
        if card.sriov is not None and card.sriov.in_effect > 0:
            key = (card.address.rpartition(":")[0], card.vendor_id, card.class_id)
            cards.setdefault(key, []).append(card)
    found: dict[str, set[str]] = {}
    for key, functions in cards.items():
        number = sum(card.sriov.in_effect for card in functions if card.sriov is not None)
        first = min(card.address for card in functions)
        behind = sorted(
            device.address
            for device in known
            if device.sriov is None
            and not device.is_pending
            and (device.vendor_id, device.class_id) == key[1:]
            and _is_behind(device.address, first, number)
        )
        for address in behind[-number:]:
            found.setdefault(address, set()).update(card.address for card in functions)
    return {address: tuple(sorted(possible)) for address, possible in found.items()}


def _is_behind(address: str, card: str, number: int) -> bool:
    segment, bus, rest = address.split(":")
    card_segment, card_bus, card_rest = card.split(":")
    ahead = int(bus, 16) - int(card_bus, 16)
    is_near = (ahead == 0 and rest > card_rest) or (ahead == 1 and number > _FUNCTIONS_OF_A_BUS)
    return segment == card_segment and is_near


def dependency_group(devices: Iterable[HostDevice], address: str) -> tuple[HostDevice, ...]:
    """The reset group of the function at ``address``: all functions that must be passed through together, itself included, sorted.

    Functions that share a reset have the same ``dependentDevice`` (a bridge or one of the functions) and must be in the same VM
    (KB 312208). A function with its own reset has itself as ``dependentDevice``. Chains are followed, so that every member of a group
    returns the same group.
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
    """Address → addresses connected to it by ``dependentDevice``, in either direction."""
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
