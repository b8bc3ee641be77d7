# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change writes: one frozen class for each write, and their closed union. PRIVATE to the collection.

A writer handles the union with one ``match`` that ends in ``assert_never``, so mypy names each writer that a new class is missing in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from ..observed.graphics import GpuEntry
from ..observed.hosts import HostDevice
from ..observed.networks import Network
from ..observed.vms import AllowedDevice, Backing

ChangeKind: TypeAlias = Literal[
    "passthrough",
    "sriov",
    "device_mode",
    "graphics",
    "restart_xorg",
    "shutdown",
    "hardware_version",
    "pin_to_host",
    "detach",
    "attach",
    "edit",
    "memory",
    "extra_config",
    "hot_add",
    "latency",
    "power_on",
    "enter_maintenance",
    "exit_maintenance",
    "forget",
]
"""The kind of a change, as results show it."""


# -- hosts ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class PassthroughWrite:
    """The write for one device. ``apply_now`` None: the host decides. ``label`` None: the label does not change.

    ``override``: the identity in the override of a protection. The write is valid only while it matches (``check_override``).
    """

    kind: ClassVar[ChangeKind] = "passthrough"
    device: HostDevice
    enabled: bool
    apply_now: bool | None = None
    label: str | None = None
    override: str = ""

    @property
    def label_after(self) -> str | None:
        """The label of the device after the write; None when it has none."""
        return self.device.label if self.label is None else self.label or None


@dataclass(frozen=True, kw_only=True, slots=True)
class SriovWrite:
    """The number of virtual functions of one physical function; 0 turns SR-IOV off. ``apply_now``: as in ``PassthroughWrite``."""

    kind: ClassVar[ChangeKind] = "sriov"
    device: HostDevice
    virtual_functions: int
    apply_now: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ModeWrite:
    """The device mode of one device. ``override``: as in ``PassthroughWrite``."""

    kind: ClassVar[ChangeKind] = "device_mode"
    device: HostDevice
    mode: str
    override: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class GraphicsWrite:
    """One graphics setting of a host; None: it does not change. All settings of a host are one write.

    ``with_modes``: the host has vGPU modes, so that an API version without them would lose them.
    """

    kind: ClassVar[ChangeKind] = "graphics"
    default_type: str | None = None
    assignment_policy: str | None = None
    entry: GpuEntry | None = None
    with_modes: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class XorgRestart:
    """Restart Xorg on the host, after all other writes."""

    kind: ClassVar[ChangeKind] = "restart_xorg"


@dataclass(frozen=True, kw_only=True, slots=True)
class MaintenanceStep:
    """A step of the maintenance of a host, to show it. The engine of the rolling reboot decides and makes each step."""

    kind: ChangeKind


# -- power of VMs ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class PowerOff:
    """Shut down the guest. After ``timeout_seconds``: a hard power-off if ``allow_power_off``, else an error."""

    kind: ClassVar[ChangeKind] = "shutdown"
    timeout_seconds: int
    allow_power_off: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class PowerOn:
    kind: ClassVar[ChangeKind] = "power_on"


# -- settings of VMs: all changes of one VM are ONE reconfiguration -------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Detach:
    """``of_kind``: ``vgpu`` for a vGPU that is not part of a group, as far as this session can see."""

    kind: ClassVar[ChangeKind] = "detach"
    key: int
    of_kind: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class FixedSpec:
    """``system_id`` is None only in a provisional plan."""

    kind: ClassVar[ChangeKind] = "attach"
    address: str
    vendor_id: str
    device_id: str
    system_id: str | None
    name: str
    numa_node: int | None = None
    """Its virtual NUMA node. None: no affinity."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DynamicSpec:
    """``numa_node``: as in ``FixedSpec``."""

    kind: ClassVar[ChangeKind] = "attach"
    allowed: tuple[AllowedDevice, ...]
    custom_label: str | None
    name: str
    numa_node: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class VgpuSpec:
    """``advanced``: settings of the device, which are written by its index after it was added. ``numa_node``: as in ``FixedSpec``."""

    kind: ClassVar[ChangeKind] = "attach"
    profile: str
    advanced: tuple[tuple[str, str], ...] = ()
    numa_node: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DvxSpec:
    """``parameters`` is the whole list. ``key``: the device whose list is replaced; None: a new device.

    ``numa_node`` None: no affinity of a new device; an edited one keeps what it has.
    """

    device_class: str
    parameters: tuple[tuple[str, bool | int | float | str], ...] = ()
    key: int | None = None
    numa_node: int | None = None

    @property
    def kind(self) -> ChangeKind:
        return "attach" if self.key is None else "edit"


@dataclass(frozen=True, kw_only=True, slots=True)
class NumaEdit:
    """The virtual NUMA node of a device that stays, edited in place; -1: no affinity. ``backing``: its own, sent again. ``name``: of
    the host device, for a fixed or dynamic backing."""

    kind: ClassVar[ChangeKind] = "edit"
    key: int
    backing: Backing
    numa_node: int
    name: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupSpec:
    """A vendor device group with all its devices. ``parts``: backing and sequence id of each (None: the template has none)."""

    kind: ClassVar[ChangeKind] = "attach"
    name: str
    parts: tuple[tuple[Backing, int | None], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class DetachGroup:
    """``instance``: the key of the group in the VM. ``keys``: all its devices."""

    kind: ClassVar[ChangeKind] = "detach"
    instance: int
    keys: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class SriovSpec:
    """A new SR-IOV network adapter. ``physical_function`` None: vSphere chooses it. ``mac`` empty: the server generates it.

    ``address_type``: empty for a MAC address that the user gave."""

    kind: ClassVar[ChangeKind] = "attach"
    network: Network
    physical_function: str | None
    mac: str = ""
    address_type: str = ""
    allow_guest_mtu_change: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class SriovEdit:
    """An SR-IOV network adapter after an edit in place. Only ``network`` may be None: it does not change. ``automatic``: whether vSphere
    is to choose the physical function, which ``physical_function`` gives otherwise."""

    kind: ClassVar[ChangeKind] = "edit"
    key: int
    network: Network | None
    physical_function: str | None
    automatic: bool
    mac: str
    address_type: str
    allow_guest_mtu_change: bool
    becomes_automatic: bool = False
    """True when it has a physical function now that a person chose."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MemoryWrite:
    """The memory part of a reconfiguration; None and False: no change."""

    kind: ClassVar[ChangeKind] = "memory"
    locked: bool | None = None
    reservation_mb: int | None = None
    unlimited: bool = False
    limit_mb: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ExtraConfig:
    """One advanced setting (``extraConfig``). An empty value removes the key."""

    kind: ClassVar[ChangeKind] = "extra_config"
    key: str
    value: str


@dataclass(frozen=True, kw_only=True, slots=True)
class HotAdd:
    """Hot-add of memory and CPUs; None: no change."""

    kind: ClassVar[ChangeKind] = "hot_add"
    memory: bool | None = None
    cpu: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Latency:
    """The level of latency sensitivity, and the CPU reservation in MHz that ``high`` needs; None: no change."""

    kind: ClassVar[ChangeKind] = "latency"
    level: str | None = None
    cpu_reservation_mhz: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class UpgradeHardware:
    """The upgrade of the VM's hardware version, with the VM off and before the reconfiguration. It cannot be reverted."""

    kind: ClassVar[ChangeKind] = "hardware_version"
    version: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PinToHost:
    """The VM-host rule of a VM in its cluster. ``host_moid`` None: the rule and its groups are removed."""

    kind: ClassVar[ChangeKind] = "pin_to_host"
    compute_moid: str
    host_moid: str | None


HostDetail: TypeAlias = PassthroughWrite | SriovWrite | ModeWrite | GraphicsWrite | XorgRestart | MaintenanceStep
PowerDetail: TypeAlias = PowerOff | PowerOn
UnitDetail: TypeAlias = VgpuSpec | DvxSpec | GroupSpec | DetachGroup | NumaEdit
AdapterDetail: TypeAlias = SriovSpec | SriovEdit
SettingDetail: TypeAlias = (
    Detach | FixedSpec | DynamicSpec | UnitDetail | AdapterDetail | MemoryWrite | ExtraConfig | HotAdd | Latency
)
Detail: TypeAlias = HostDetail | PowerDetail | UpgradeHardware | PinToHost | SettingDetail
