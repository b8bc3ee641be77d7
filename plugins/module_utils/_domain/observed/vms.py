# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of virtual machines and the passthrough devices in them. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ..facts import Fact, Unknown


@dataclass(frozen=True, kw_only=True, slots=True)
class FixedBacking:
    """One function of one host. The VM can run on that host only.

    ``text`` is the id as it stands in the backing. ``readings``: the addresses that it can mean; ``address`` is None unless there
    is exactly one.
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
        """Every address that it may mean."""
        return self.readings or ((self.address,) if self.address else ())


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class AllowedDevice:
    """A model a dynamic backing accepts; None in the last two means any."""

    vendor_id: str
    device_id: str
    subvendor_id: str | None = None
    subdevice_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DynamicBacking:
    """Any free device of the allowed models (and label) on whichever host the VM starts. ``assigned_address`` only while powered on."""

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
    device_class: str
    kind: str = "dvx"


@dataclass(frozen=True, kw_only=True, slots=True)
class SriovBacking:
    """An SR-IOV network adapter; ``physical_function`` is None when chosen automatically."""

    physical_function: str | None
    virtual_function: str | None = None
    kind: str = "sriov"


@dataclass(frozen=True, kw_only=True, slots=True)
class UnknownBacking:
    """A backing of a later release. Shown and left alone."""

    type_name: str
    kind: str = "unknown"


Backing: TypeAlias = FixedBacking | DynamicBacking | VgpuBacking | DvxBacking | SriovBacking | UnknownBacking


def held_addresses(backing: Backing) -> tuple[str, ...]:
    """The addresses on its host that a backing stands for, or may stand for."""
    match backing:
        case FixedBacking():
            return backing.possible
        case DynamicBacking(assigned_address=str() as address) | SriovBacking(virtual_function=str() as address):
            return (address,)
    return ()


@dataclass(frozen=True, kw_only=True, slots=True)
class VmDevice:
    """One passthrough device of a VM. ``key`` is its identity only until it is removed: a later device may get the same key."""

    key: int
    label: str
    backing: Backing
    group_instance: int | None = None
    """Set when it belongs to a vendor device group, which can only be removed as a whole."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MemoryState:
    """Memory of a VM in MB. ``limit_mb`` is None when unlimited."""

    size_mb: int
    reservation_mb: int = 0
    limit_mb: int | None = None
    locked_to_max: bool = False
    lock_supported: bool | None = None
    hot_add: bool = False

    @property
    def is_fully_reserved(self) -> bool:
        """What power-on with a passthrough device demands."""
        return self.locked_to_max or self.reservation_mb >= self.size_mb


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolState:
    """The resource pool a VM draws on, in MB. None: not read or unlimited."""

    name: str = ""
    unreserved_for_vm_mb: int | None = None
    expandable: bool | None = None
    reservation_mb: int | None = None


REMOVED = "removed"
"""Connection state of a VM that was there when it was read first and is not any more. The API has no such word."""
DEVICES = "config.hardware.device"
"""The property that lists the devices of a VM."""
_WITHOUT_CONFIGURATION = frozenset({"orphaned", "inaccessible", "invalid"})
"""Connection states in which vCenter has no configuration of a VM, or an old one. A disconnected VM keeps the one it had."""


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
    """``unknown`` where it was not read."""
    connection_state: str = "connected"
    is_template: bool = False
    change_version: str = ""
    hardware_version: int = 0
    """19 for vmx-19."""
    firmware: str = "bios"
    memory: MemoryState
    cpu_hot_add: bool = False
    nested_virtualisation: bool = False
    virtual_iommu: bool = False
    has_snapshots: bool = False
    fault_tolerance: bool = False
    fault_tolerance_known: bool = True
    latency_sensitivity: Fact[str] = "normal"
    """``high`` demands that all memory is reserved."""
    tools_running: bool = False
    fixed_hot_plug: bool = False
    devices: tuple[VmDevice, ...] = ()
    extra_config: Mapping[str, str] = field(default_factory=dict)
    """Only the keys under pciPassthru that concern 64-bit MMIO."""
    pool: PoolState | None = None
    pci_controller_key: int = 100
    unreadable: tuple[str, ...] = ()

    @property
    def is_powered_on(self) -> bool:
        return self.power_state == "poweredOn"

    @property
    def may_run(self) -> bool:
        """Whether it runs, or may: its power state is not known."""
        return self.power_state in ("poweredOn", "unknown")

    @property
    def unread_devices(self) -> str:
        """Why it is not known which devices the VM holds, as a clause; empty when it is known."""
        if self.connection_state in _WITHOUT_CONFIGURATION:
            return f"is {self.connection_state}, so its configuration cannot be read"
        if DEVICES in self.unreadable:
            return "does not show its devices"
        for device in self.devices:
            match device.backing:
                case FixedBacking(text=text, address=None, readings=()) if text:
                    return f"holds a PCI device whose address {text!r} cannot be read"
                case UnknownBacking(type_name=name):
                    return f"holds a PCI device with a backing that is not known ({name})"
        return ""

    @property
    def lock_reasons(self) -> tuple[str, ...]:
        """What beside devices demands that all memory of the VM is reserved, as clauses."""
        reasons = []
        if self.fault_tolerance:
            reasons.append("it is protected by Fault Tolerance")
        elif not self.fault_tolerance_known:
            reasons.append("it is not known whether Fault Tolerance protects it (runtime.faultToleranceState)")
        if isinstance(self.latency_sensitivity, Unknown):
            reasons.append(f"its latency sensitivity is not known ({self.latency_sensitivity.gap}), and may be high")
        elif self.latency_sensitivity == "high":
            reasons.append("its latency sensitivity is high")
        return tuple(reasons)

    @property
    def pins_to_host(self) -> tuple[VmDevice, ...]:
        """Devices that keep the VM from being moved while it runs (a vGPU alone does not)."""
        return tuple(d for d in self.devices if not isinstance(d.backing, VgpuBacking | DvxBacking))

    @property
    def needs_full_reservation(self) -> tuple[VmDevice, ...]:
        """Devices whose presence demands that all memory is reserved."""
        return tuple(d for d in self.devices if not isinstance(d.backing, UnknownBacking))


@dataclass(frozen=True, kw_only=True, slots=True)
class VmName:
    """Enough of a VM to read it: ``name`` is what results call it, ``path`` its inventory path without the root folder."""

    moid: str
    name: str
    path: str
    host_moid: str | None
    datacenter_moid: str | None
