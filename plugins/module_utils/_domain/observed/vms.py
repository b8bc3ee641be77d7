# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The observed state of virtual machines and their passthrough devices. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ..facts import Fact, Unknown


@dataclass(frozen=True, kw_only=True, slots=True)
class FixedBacking:
    """One PCI function of one host. The VM can run only on that host.

    ``text``: the id in the backing. ``readings``: the addresses that this id can mean. ``address``: None unless there is exactly one.
    """

    address: str | None
    vendor_id: str | None
    device_id: str | None
    system_id: str | None
    text: str = ""
    readings: tuple[str, ...] = ()
    kind: str = "fixed"

    @property
    def possible(self) -> tuple[str, ...]:
        """Every address that the backing can mean."""
        return self.readings or ((self.address,) if self.address else ())


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class AllowedDevice:
    """A model that a dynamic backing accepts. ``subvendor_id`` and ``subdevice_id``: None means any."""

    vendor_id: str
    device_id: str
    subvendor_id: str | None = None
    subdevice_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DynamicBacking:
    """Any free device of the allowed models (and label) on the host where the VM starts. ``assigned_address``: only while powered on."""

    allowed: tuple[AllowedDevice, ...]
    custom_label: str | None = None
    assigned_address: str | None = None
    kind: str = "dynamic"


@dataclass(frozen=True, kw_only=True, slots=True)
class VgpuBacking:
    profile: str
    kind: str = "vgpu"


@dataclass(frozen=True, kw_only=True, slots=True)
class DvxBacking:
    """``parameters``: sorted by key."""

    device_class: str
    parameters: tuple[tuple[str, bool | int | float | str], ...] = ()
    kind: str = "dvx"


@dataclass(frozen=True, kw_only=True, slots=True)
class SriovBacking:
    """An SR-IOV network adapter.

    ``physical_function``: its address; while ``automatic``, the one that vSphere chose for the running VM, and None when it shows none.
    ``network``: managed object id of a standard network, or key of a distributed port group; empty when it has another backing.
    ``address_type``: manual, generated or assigned.
    """

    physical_function: str | None
    virtual_function: str | None = None
    automatic: bool = False
    network: str = ""
    network_name: str = ""
    switch: str = ""
    """UUID of the distributed switch; empty for a standard network."""
    mac: str = ""
    address_type: str = ""
    allow_guest_mtu_change: bool = False
    dvx_class: str = ""
    """Set when a DVX class provides its function. The collection shows such an adapter and does not change it."""
    sent_automatic: bool = False
    """True when the server shows ``Automatic-<address>``, and not an adapter without an SR-IOV backing."""
    kind: str = "sriov"

    @property
    def is_automatic(self) -> bool:
        """True when vSphere chooses the physical function at power-on."""
        return self.automatic or self.physical_function is None


@dataclass(frozen=True, kw_only=True, slots=True)
class UnknownBacking:
    """A backing type of a later release. The collection shows it and never changes it."""

    type_name: str
    kind: str = "unknown"


Backing: TypeAlias = FixedBacking | DynamicBacking | VgpuBacking | DvxBacking | SriovBacking | UnknownBacking


def held_addresses(backing: Backing) -> tuple[str, ...]:
    """The addresses of the host devices that a backing uses, or may use."""
    match backing:
        case FixedBacking():
            return backing.possible
        case DynamicBacking(assigned_address=str() as address) | SriovBacking(virtual_function=str() as address):
            return (address,)
    return ()


@dataclass(frozen=True, kw_only=True, slots=True)
class VmDevice:
    """One passthrough device of a VM. ``key`` identifies it only until it is removed: a later device may get the same key."""

    key: int
    label: str
    backing: Backing
    group_instance: int | None = None
    """Set when the device belongs to a vendor device group, which can only be removed as a whole."""
    numa_node: int | None = None
    """Its virtual NUMA node. None: no affinity, or the API is older than vSphere 8.0."""


def pinning(devices: Iterable[VmDevice]) -> tuple[VmDevice, ...]:
    """The devices because of which a running VM cannot be migrated. vGPUs do not prevent it."""
    return tuple(device for device in devices if not isinstance(device.backing, VgpuBacking | DvxBacking))


@dataclass(frozen=True, kw_only=True, slots=True)
class MemoryState:
    """Memory of a VM in MB. ``limit_mb`` is None when unlimited."""

    size_mb: int
    reservation_mb: int = 0
    limit_mb: int | None = None
    locked_to_max: bool = False
    lock_supported: bool | None = None
    hot_add: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class CpuState:
    """Virtual CPUs of a VM and their allocation in MHz. None: not read. ``limit_mhz`` is None when unlimited, too."""

    count: int | None = None
    reservation_mhz: int | None = None
    limit_mhz: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolState:
    """The resource pool of a VM, in MB. None: not read or unlimited."""

    moid: str = ""
    name: str = ""
    unreserved_for_vm_mb: int | None = None
    expandable: bool | None = None
    reservation_mb: int | None = None


REMOVED = "removed"
"""Connection state of a VM that was removed since it was first read. The API has no such value."""
DEVICES = "config.hardware.device"
"""The property that lists the devices of a VM."""
_WITHOUT_CONFIGURATION = frozenset({"orphaned", "inaccessible", "invalid"})
"""Connection states in which vCenter has no configuration of a VM, or an old one. A disconnected VM keeps its configuration."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Vm:
    """One virtual machine."""

    moid: str
    name: str
    path: str = ""
    host_moid: str | None = None
    host_name: str | None = None
    cluster: str | None = None
    datacenter_moid: str | None = None
    power_state: str = "poweredOff"
    """``unknown`` when it was not read."""
    connection_state: str = "connected"
    is_template: bool = False
    change_version: str = ""
    hardware_version: int = 0
    """19 for vmx-19."""
    uuid: str | None = None
    """The SMBIOS UUID, as the guest sees it (in one of two byte orders). None when it was not read."""
    has_disk: bool = True
    created: float | None = None
    """Seconds since the epoch. None: created before vSphere 6.7, or not read."""
    firmware: str = "bios"
    memory: MemoryState
    cpu_hot_add: bool = False
    cpu: CpuState = CpuState()
    nested_virtualisation: bool = False
    virtual_iommu: bool = False
    has_snapshots: bool = False
    fault_tolerance: bool = False
    fault_tolerance_known: bool = True
    latency_sensitivity: Fact[str] = "normal"
    """``high`` requires that all memory and all CPUs are reserved."""
    tools_running: bool = False
    fixed_hot_plug: bool = False
    devices: tuple[VmDevice, ...] = ()
    extra_config: Mapping[str, str] = field(default_factory=dict)
    """Only the ``pciPassthru`` keys for 64-bit MMIO, and ``pciPassthruN.cfg.*``, the settings of single devices."""
    pool: PoolState | None = None
    device_groups: Mapping[int, str] = field(default_factory=dict)
    """Key of each vendor device group → its name."""
    pci_controller_key: int = 100
    predicted_pin: str | None = None
    """Check mode only: the id of the host to which an earlier task pins the VM; empty: it removes the rule. None: no task changes it."""
    unreadable: tuple[str, ...] = ()

    @property
    def is_powered_on(self) -> bool:
        return self.power_state == "poweredOn"

    @property
    def may_run(self) -> bool:
        """True when the VM runs, or may run because its power state is unknown."""
        return self.power_state in ("poweredOn", "unknown")

    @property
    def unread_devices(self) -> str:
        """Why the devices of the VM are unknown, as a clause; empty when they are known."""
        if self.connection_state in _WITHOUT_CONFIGURATION:
            return f"is {self.connection_state}, so its configuration cannot be read"
        if DEVICES in self.unreadable:
            return "does not report its devices"
        for device in self.devices:
            match device.backing:
                case FixedBacking(text=text, address=None, readings=()) if text:
                    return f"has a PCI device with the address {text!r}, which is not a PCI address"
                case UnknownBacking(type_name=name):
                    return f"has a PCI device with an unknown backing type ({name})"
        return ""

    @property
    def lock_reasons(self) -> tuple[str, ...]:
        """Why all memory of the VM must be reserved, apart from its devices, as clauses."""
        reasons = []
        if self.fault_tolerance:
            reasons.append("it is protected by Fault Tolerance")
        elif not self.fault_tolerance_known:
            reasons.append("it is unknown whether Fault Tolerance protects it (runtime.faultToleranceState)")
        if isinstance(self.latency_sensitivity, Unknown):
            reasons.append(f"its latency sensitivity is unknown and may be high ({self.latency_sensitivity.gap})")
        elif self.latency_sensitivity == "high":
            reasons.append("its latency sensitivity is high")
        return tuple(reasons)

    @property
    def needs_full_reservation(self) -> tuple[VmDevice, ...]:
        """Devices that require that all memory is reserved."""
        return tuple(d for d in self.devices if not isinstance(d.backing, UnknownBacking))


@dataclass(frozen=True, kw_only=True, slots=True)
class VmName:
    """The identity of a VM. ``name``: its name in results. ``path``: its inventory path without the root folder."""

    moid: str
    name: str
    path: str
    host_moid: str | None
    datacenter_moid: str | None
