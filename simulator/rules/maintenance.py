# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who leaves a host that enters maintenance mode, who keeps it waiting, and what is allowed meanwhile.

Sources: API reference (EnterMaintenanceMode_Task, EnteringMaintenanceModeEvent, DrsBehavior), vSphere networking
guide (no vMotion with DirectPath I/O), resource management guide (DRS and HA admission control), KB 434779 (reserved
memory can stop an evacuation), KB 88271 (DRS does not move vGPU machines by itself).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pyVmomi import vim

from . import faults
from .knobs import Knobs

ALLOWED_WHILE_ENTERING = frozenset(
    {"MigrateVM_Task", "RelocateVM_Task", "PowerOffVM_Task", "SuspendVM_Task", "ShutdownGuest", "StandbyGuest"}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Resident:
    """A virtual machine of the host. `devices` are the kinds of its passthrough devices; memory in bytes."""

    moid: str
    name: str
    powered_on: bool
    devices: tuple[str, ...] = ()
    automation: str = "fullyAutomated"
    memory: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """Another host of the cluster; `usable`: connected, powered on and not in maintenance mode."""

    moid: str
    usable: bool
    free_memory: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Cluster:
    """What of a cluster decides an evacuation. `failover_hosts` is 0 without HA admission control."""

    drs: bool
    failover_hosts: int
    targets: Sequence[Target]


def check_enter(in_maintenance: bool) -> None:
    """Raise InvalidState when the host is in maintenance mode already (API reference)."""
    if in_maintenance:
        raise faults.invalid_state("The operation is not allowed in the current state of the host.")


def check_exit(in_maintenance: bool) -> None:
    """Raise InvalidState when the host is not in maintenance mode (API reference)."""
    if not in_maintenance:
        raise faults.invalid_state("The operation is not allowed in the current state of the host.")


def is_pinned(resident: Resident) -> bool:
    """A running VM with a whole device or a virtual function can be moved by nobody (networking guide)."""
    return resident.powered_on and any(kind in ("fixed", "dynamic", "sriov") for kind in resident.devices)


def drs_moves(resident: Resident) -> bool:
    """Whether DRS moves this running VM by itself: fully automated, no passthrough device of any kind."""
    return resident.powered_on and not resident.devices and resident.automation == "fullyAutomated"


def may_evacuate(cluster: Cluster) -> bool:
    """DRS evacuates a host only while enough others stay for the failover level (resource management guide)."""
    if not cluster.drs:
        return False
    return sum(target.usable for target in cluster.targets) > cluster.failover_hosts


def moves(residents: Iterable[Resident], cluster: Cluster, *, powered_off: bool, knobs: Knobs) -> dict[str, str]:
    """Return VM -> destination for everything DRS takes away now; what is not in it stays.

    `powered_off` is evacuatePoweredOffVms: those VMs are re-registered elsewhere, the ones with a fixed backing too.
    """
    if not may_evacuate(cluster):
        return {}
    free = {target.moid: target.free_memory for target in cluster.targets if target.usable}
    plan: dict[str, str] = {}
    for resident in sorted(residents, key=lambda item: item.name):
        if not _leaves(resident, powered_off=powered_off, knobs=knobs):
            continue
        needed = resident.memory if resident.powered_on else 0
        fitting = [moid for moid in free if free[moid] >= needed]
        if fitting:
            chosen = max(fitting, key=lambda moid: (free[moid], moid))
            free[chosen] -= needed
            plan[resident.moid] = chosen
    return plan


def _leaves(resident: Resident, *, powered_off: bool, knobs: Knobs) -> bool:
    if resident.powered_on:
        return drs_moves(resident)
    return powered_off and ("fixed" not in resident.devices or knobs.evacuate_moves_fixed)


def is_done(residents: Iterable[Resident]) -> bool:
    """The task completes when no VM is powered on (API reference)."""
    return not any(resident.powered_on for resident in residents)


def deadline(started: float, timeout: int) -> float | None:
    """When the task gives up; a timeout of 0 or less waits for ever (API reference)."""
    return started + timeout if timeout > 0 else None


def pinned_fault(resident: Resident, knobs: Knobs) -> Exception:
    """Why DRS leaves a VM where it is, for `DrsFaults`; the type for passthrough devices is not published."""
    if not resident.devices:
        return vim.fault.DrsDisabledOnVm(msg=f"DRS is disabled on the virtual machine {resident.name}.")
    return device_fault(knobs.drs_passthrough_fault)


def device_fault(kind: str, device: str = "PCI device 0") -> Exception:
    """The migration fault a knob names for a passthrough device."""
    text = f"Virtual device '{device}' is not supported for migration."
    unsupported = vim.fault.DeviceNotSupported(device=device, reason="PCI passthrough", msg=text)
    if kind == "device_not_supported":
        return unsupported
    if kind == "device_backing":
        return vim.fault.DeviceBackingNotSupported(
            device=device, backing="VirtualPCIPassthroughDeviceBackingInfo", msg=f"Device '{device}' has no backing."
        )
    if kind == "cannot_access_device":
        return vim.fault.CannotAccessVmDevice(
            device=device, backing="", connected=True, msg=f"The device '{device}' is not accessible on the host."
        )
    return vim.fault.DisallowedMigrationDeviceAttached(fault=unsupported, msg=text)


def check_operation(entering: bool, in_maintenance: bool, operation: str) -> None:
    """Raise InvalidState for what a host refuses while it enters or is in maintenance mode (event documentation)."""
    if (entering or in_maintenance) and operation not in ALLOWED_WHILE_ENTERING:
        raise faults.invalid_state("The operation is not allowed in the current state of the host.")
