# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lab says about hosts and virtual machines, resolved: plain data from which objects are built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..api import names
from ..rules import limits
from ..rules.vm.guest import GuestSpec
from ..rules.vm.units import DvxClass, Group
from .pci import Layout


@dataclass(frozen=True, kw_only=True, slots=True)
class Nic:
    """A physical NIC as the kernel knows it. `switch` is the switch it is an uplink of, or empty."""

    device: str
    address: str
    driver: str
    mac: str
    speed: int
    switch: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Switch:
    """A virtual switch; `kind` is standard or distributed."""

    name: str
    kind: str = "standard"
    portgroups: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Vmkernel:
    """A VMkernel adapter and what it is used for (management, vmotion, vsan, vSphereProvisioning)."""

    device: str
    portgroup: str
    switch: str
    services: tuple[str, ...]
    ip: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Disk:
    """A disk behind a storage adapter. `use`: free, boot, datastore, vsan-cache, vsan-capacity, tiering."""

    canonical: str
    size_gb: int
    use: str
    ssd: bool = True
    local: bool = True
    model: str = ""
    dump: bool = False
    datastore: str = ""
    volume_uuid: str = ""
    target: int = 0
    lun: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Adapter:
    """A storage adapter: `kind` nvme, ahci, raid, fc, usb, ide or pscsi. Several adapters may have one PCI address."""

    device: str
    address: str
    driver: str
    kind: str
    model: str
    disks: tuple[Disk, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class HostSpec:
    """One host as the lab describes it."""

    name: str
    release: str
    build: str
    api: str
    vendor: str
    model: str
    cpu: str
    memory_gb: int
    packages: int
    cores: int
    numa_nodes: int
    uuid: str
    system_id: str
    layout: Layout
    nics: tuple[Nic, ...]
    switches: tuple[Switch, ...]
    vmkernels: tuple[Vmkernel, ...]
    adapters: tuple[Adapter, ...]
    nfs: tuple[str, ...] = ()
    shared_gpus: Mapping[str, str] = field(default_factory=dict)
    """Address of a GPU with a driver of its vendor -> its graphics type in effect."""
    vgpu_modes: Mapping[str, str] = field(default_factory=dict)
    """Address of a shared GPU -> its vGPU mode in effect, where it is not sameSize."""
    vgpu_abilities: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Address of a shared GPU -> what VMs with its vGPUs can do, as fields of HostSharedGpuCapabilities."""
    groups: tuple[Group, ...] = ()
    """Vendor device groups that it offers."""
    dvx: tuple[DvxClass, ...] = ()
    states: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    rebind: bool = True
    iommu: bool = True
    boot: str = "nvme"
    vsan: str = ""
    vsan_datastore: str = ""
    connection: str = "connected"
    known: bool = True
    maintenance: bool = False
    standby: bool = False
    quarantine: bool = False
    quick_boot: bool = False
    up_days: float = 20.0
    past_boots: tuple[float, ...] = ()
    """How many seconds it was away at its past reboots, if a capture says so."""
    module_options: Mapping[str, str] = field(default_factory=dict)
    """Kernel module -> its configured parameters."""
    knobs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def version_numbers(self) -> tuple[int, ...]:
        """The ESXi release as numbers."""
        return limits.release(self.release)

    @property
    def major(self) -> int:
        """Major number of the ESXi release."""
        return int(self.release.split(".")[0])


@dataclass(frozen=True, kw_only=True, slots=True)
class VmSpec:
    """One virtual machine as the lab describes it. `devices` are passthrough devices in the lab's own form."""

    name: str
    uuid: str
    version: int
    memory_mb: int
    cpus: int
    firmware: str = "efi"
    guest: str = "ubuntu64Guest"
    power: str = "off"
    tools: bool = True
    locked: bool = False
    reservation_mb: int = 0
    limit_mb: int = -1
    extra: Mapping[str, str] = field(default_factory=dict)
    nested: bool = False
    memory_hot_add: bool = False
    cpu_hot_add: bool = False
    snapshot: bool = False
    template: bool = False
    datastore: str = ""
    network: str = "VM Network"
    devices: tuple[Mapping[str, Any], ...] = ()
    media: tuple[Mapping[str, Any], ...] = ()
    captured_media: bool = False
    """Whether a captured VM has drives or ports, which are among its captured devices."""
    annotation: str = ""
    latency: str = "normal"
    """Level of latency sensitivity."""
    created_days: float | None = 30.0
    """Days since it was created. None: before 6.7, which does not keep it."""
    fault_tolerance: str = "notConfigured"
    """State of Fault Tolerance. The secondary VM is not modelled."""
    ip: str = ""
    """The address that VMware Tools report while they run."""
    guest_os: GuestSpec = field(default_factory=GuestSpec)
    """What guest operations find in it. Nobody can log in unless the lab has accounts for it."""
    evacuation: str = ""
    """What compute policies that cannot be read do with it when its host is evacuated: `power_off`, `restart`, or nothing."""
    graphics_3d: str = ""
    """`use3dRenderer` of its video card if it has 3D graphics: automatic, hardware or software."""
    managed_by: str = ""
    """Key of the extension that owns it; that of the ESX Agent Manager makes it an agent of its host or cluster (vCLS)."""
    knobs: Mapping[str, Any] = field(default_factory=dict)

    def file(self, suffix: str) -> str:
        """The datastore path of one of its files."""
        base = names.of_file(self.name)
        return f"[{self.datastore}] {base}/{base}.{suffix}"
