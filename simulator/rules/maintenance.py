# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who leaves a host that enters maintenance mode, who keeps it waiting, and what is allowed meanwhile.

Sources: API reference (EnterMaintenanceMode_Task, EnteringMaintenanceModeEvent, DrsBehavior), vSphere networking
guide (no vMotion with DirectPath I/O), resource management guide (DRS and HA admission control), KB 434779 (reserved
memory can stop an evacuation), KB 88271 and KB 313479 (DRS does not move vGPU machines by itself unless the cluster's
option VgpuMMAutomationTimeoutSecs is -1), vCenter Server and host management guide (a local disk or a connected device of
the host stops a migration).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pyVmomi import vim

from . import faults
from .knobs import Knobs
from .pci import vgpu

AGENT_MANAGER = "com.vmware.vim.eam"
"""The ESX Agent Manager. It owns the VMs of vSphere Cluster Services, and powers off those of a host that enters maintenance mode where
DRS does not move them, and on again when it is back (vSphere resource management guide, vSphere Cluster Services)."""
AGENT_SECONDS = 10.0
"""How long it takes to do so, from then on."""

EVACUATIONS = ("", "power_off", "restart")
POWER_OFF_KEY = "maintenance.vm.evacuation.poweroff"
RESTART_AGAIN = 180.0
"""Seconds until a VM that found no host is tried again (vSphere 8.0, compute policies: every three minutes)."""

ALLOWED_WHILE_ENTERING = frozenset(
    {"MigrateVM_Task", "RelocateVM_Task", "PowerOffVM_Task", "SuspendVM_Task", "ShutdownGuest", "StandbyGuest"}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Resident:
    """A virtual machine of the host. `devices` are the kinds of its passthrough devices; memory in bytes.

    `store` is the datastore it lies on. `media` is a connected device of the host or of a client (a CD, a serial port). `profiles` are
    those of its vGPUs. `evacuation`: vCenter stops it instead of moving it.
    """

    moid: str
    name: str
    powered_on: bool
    devices: tuple[str, ...] = ()
    automation: str = "fullyAutomated"
    memory: int = 0
    store: str = ""
    media: str = ""
    profiles: tuple[str, ...] = ()
    evacuation: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """Another host of the cluster; `usable`: connected, powered on and not in maintenance mode. `stores`: None is all.

    `gpus` is what its shared GPUs can still serve.
    """

    moid: str
    usable: bool
    free_memory: int
    stores: frozenset[str] | None = None
    gpus: vgpu.Gpus = field(default_factory=dict)

    def reaches(self, resident: Resident) -> bool:
        """Whether the machine's datastore is there."""
        return not resident.store or self.stores is None or resident.store in self.stores


@dataclass(frozen=True, kw_only=True, slots=True)
class Cluster:
    """What of a cluster decides an evacuation. `admitted`: what HA sets aside would still be there without this host.

    `vgpu`: DRS may move machines with a vGPU by itself.
    """

    drs: bool
    targets: Sequence[Target]
    admitted: bool = True
    vgpu: bool = False


def evacuation(extra: Mapping[str, str], policy: str, knobs: Knobs) -> str:
    """How vCenter gets a running VM off a host that it evacuates, if it stops it for that; empty: it does not.

    Sources: vm-operator used to set the extraConfig key for VMs with vGPUs or passthrough devices, so that DRS powers them off; compute
    policies of vSphere 8.0 (a lab says what they do with a VM): power-off, or best effort restart: the guest is shut down, then powered
    off, and the VM is started on the best host while the first is in maintenance mode. Whether the key is honored: knob.
    """
    if policy:
        return policy
    value = next((text for key, text in extra.items() if key.lower() == POWER_OFF_KEY), "")
    return "power_off" if value.upper() == "TRUE" and knobs.evacuation_poweroff == "honored" else ""


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


def movable(resident: Resident, cluster: Cluster) -> bool:
    """Whether a running VM can be moved at all: no device of its own, none of the host's connected."""
    bare = not resident.devices or (cluster.vgpu and set(resident.devices) == {"vgpu"})
    return resident.powered_on and bare and not resident.media and not resident.evacuation


def drs_moves(resident: Resident, cluster: Cluster) -> bool:
    """Whether DRS moves this running VM by itself: movable, and fully automated."""
    return movable(resident, cluster) and resident.automation == "fullyAutomated"


def may_evacuate(cluster: Cluster) -> bool:
    """DRS evacuates a host only while enough others stay for what HA sets aside (resource management guide)."""
    return cluster.drs and cluster.admitted and any(target.usable for target in cluster.targets)


def moves(residents: Iterable[Resident], cluster: Cluster, *, powered_off: bool, knobs: Knobs) -> dict[str, str]:
    """Return VM -> destination for everything DRS takes away now; what is not in it stays.

    `powered_off` is evacuatePoweredOffVms: those VMs are re-registered elsewhere, the ones with a fixed backing too.
    """
    if not may_evacuate(cluster) or knobs.drs_evacuation == "refused":
        return {}
    leaving = [item for item in residents if _leaves(item, cluster, powered_off=powered_off, knobs=knobs)]
    return placed(leaving, cluster)


def placed(residents: Iterable[Resident], cluster: Cluster) -> dict[str, str]:
    """VM -> the host with most free memory that sees its datastore and can take its vGPUs, for as many as there is room for."""
    targets = {target.moid: target for target in cluster.targets if target.usable}
    free = {moid: target.free_memory for moid, target in targets.items()}
    gpus = {moid: target.gpus for moid, target in targets.items()}
    plan: dict[str, str] = {}
    for resident in sorted(residents, key=lambda item: item.name):
        needed = resident.memory if resident.powered_on else 0
        profiles = resident.profiles if resident.powered_on else ()
        fitting = [moid for moid in free if free[moid] >= needed and targets[moid].reaches(resident)]
        fitting = [moid for moid in fitting if vgpu.fit(profiles, gpus[moid]) is not None]
        if fitting:
            chosen = max(fitting, key=lambda moid: (free[moid], moid))
            free[chosen] -= needed
            gpus[chosen] = vgpu.after(profiles, gpus[chosen])
            plan[resident.moid] = chosen
    return plan


def _leaves(resident: Resident, cluster: Cluster, *, powered_off: bool, knobs: Knobs) -> bool:
    if resident.powered_on:
        return drs_moves(resident, cluster)
    return powered_off and ("fixed" not in resident.devices or knobs.evacuate_moves_fixed)


def is_done(residents: Iterable[Resident]) -> bool:
    """The task completes when no VM is powered on (API reference)."""
    return not any(resident.powered_on for resident in residents)


def deadline(started: float, timeout: int) -> float | None:
    """When the task gives up; a timeout of 0 or less waits for ever (API reference)."""
    return started + timeout if timeout > 0 else None


def staying_fault(resident: Resident, cluster: Cluster, knobs: Knobs) -> Exception:
    """Why DRS leaves a running VM where it is, for `DrsFaults`; the type for passthrough devices is not published."""
    if resident.devices and not movable(resident, cluster):
        return device_fault(knobs.drs_passthrough_fault)
    if resident.media:
        text = f"The device '{resident.media}' is connected and not accessible on another host."
        return vim.fault.CannotAccessVmDevice(device=resident.media, backing="", connected=True, msg=text)
    if resident.automation == "disabled" or (
        resident.automation != "fullyAutomated" and knobs.dry_run_manual == "fault"
    ):
        return vim.fault.DrsDisabledOnVm(msg=f"DRS is disabled on the virtual machine {resident.name}.")
    if not cluster.admitted:
        return failover_fault()
    usable = [target for target in cluster.targets if target.usable]
    if not any(target.reaches(resident) for target in usable):
        text = f"No other host has access to the disks of the virtual machine {resident.name}."
        return vim.fault.CannotAccessVmDevice(device="Hard disk 1", backing="", connected=False, msg=text)
    room = max((target.free_memory for target in usable), default=0)
    if resident.profiles and room >= resident.memory:
        return vgpu.insufficient()
    return faults.insufficient_memory(room, resident.memory)


def failover_fault() -> Exception:
    """What stands against it when HA would have too little left (API reference)."""
    return vim.fault.InsufficientFailoverResourcesFault(
        msg="Insufficient resources to satisfy configured failover level for vSphere HA."
    )


def recommended(residents: Iterable[Resident], cluster: Cluster, knobs: Knobs) -> dict[str, str]:
    """VM -> destination as the dry run recommends it: including those that DRS would only move on request."""
    if not may_evacuate(cluster):
        return {}
    told = (
        ("fullyAutomated",) if knobs.dry_run_manual == "fault" else ("fullyAutomated", "partiallyAutomated", "manual")
    )
    return placed([item for item in residents if movable(item, cluster) and item.automation in told], cluster)


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
