# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The preconditions for a change of a VM's passthrough devices, and the power changes around it. PRIVATE to the collection.

All violations are collected, so that one run reports all of them. Sources: vSphere's list of features that are not available with
DirectPath I/O (networking guide), KB 437651 (nested virtualization), and the conditions of fixed passthrough hot-plug (8.0U1).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ..observed.hosts import Host
from ..observed.vms import Vm
from ..planning.details import HotAdd, PowerOff, PowerOn
from ..planning.plan import Blocker, Change
from .desired.vm import BackingKind, DesiredVm
from .limits import check_hardware, check_limit, counts_towards_limit
from .memory import describe_device


@dataclass(frozen=True, kw_only=True, slots=True)
class PowerSteps:
    """Power changes around a reconfiguration. ``must_run``: this run powers on the VM."""

    shutdown: Change | None = None
    power_on: Change | None = None
    blockers: tuple[Blocker, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def must_run(self) -> bool:
        return self.power_on is not None


def power_steps(vm: Vm, desired: DesiredVm, needs_off: bool) -> PowerSteps:
    """The power changes of a VM.

    ``power`` is the state after the run: ``keep`` as before, ``on``, ``off``, or ``cycle`` (as ``keep``, and the guest may be shut down).
    A running guest is shut down only for a change that needs it, and only if ``allow_shutdown``, ``cycle`` or ``off`` allows it. A VM
    without a change is never touched, except that ``on`` powers on a VM that is off. Detaching (state absent) never powers on a VM that
    was off: the entry that attached the devices is used for it, too.
    """
    running = vm.power_state != "poweredOff"
    start = _power_on(vm, desired, needs_off and running)
    if not needs_off or not running:
        is_desired = desired.start_again or (desired.power == "on" and desired.state != "absent")
        starts = is_desired and not vm.is_powered_on
        return PowerSteps(power_on=start if starts else None)
    if not vm.is_powered_on:
        return PowerSteps(
            blockers=(
                Blocker(
                    code="suspended",
                    message=f"{vm.name} is {vm.power_state} and cannot be reconfigured",
                    cure="Resume it and run this again, or power it off, which loses the suspended state",
                ),
            )
        )
    if not (desired.allow_shutdown or desired.power in ("cycle", "off")):
        return PowerSteps(
            blockers=(
                Blocker(
                    code="powered_on",
                    message=f"{vm.name} is running, but this change needs it powered off",
                    cure="Shut it down first, or set allow_shutdown: true, which shuts down the guest, makes the change and "
                    "powers it on again",
                ),
            )
        )
    shutdown = Change(
        subject="power",
        before=vm.power_state,
        after="poweredOff",
        detail=PowerOff(timeout_seconds=desired.shutdown_timeout, allow_power_off=desired.allow_power_off),
    )
    blockers, warnings = _guest_shutdown(vm, desired)
    return PowerSteps(
        shutdown=shutdown, power_on=None if desired.power == "off" else start, blockers=blockers, warnings=warnings
    )


def _power_on(vm: Vm, desired: DesiredVm, was_shut_down: bool) -> Change:
    before = "poweredOff" if was_shut_down else vm.power_state
    return Change(subject="power", before=before, after="poweredOn", detail=PowerOn())


def _guest_shutdown(vm: Vm, desired: DesiredVm) -> tuple[tuple[Blocker, ...], tuple[str, ...]]:
    if vm.tools_running:
        return (), ()
    if desired.allow_power_off:
        return (), (f"VMware Tools is not running in {vm.name}: it gets a hard power-off without a guest shutdown",)
    return (
        Blocker(
            code="tools_not_running",
            message=f"VMware Tools is not running in {vm.name}, so its guest cannot be shut down",
            cure="Shut down from inside the guest, start VMware Tools, or allow a hard power-off with allow_power_off: true",
        ),
    ), ()


def attach_blockers(
    vm: Vm,
    desired: DesiredVm,
    kinds: Collection[BackingKind],
    count_after: int,
    maximum: int | None,
    *,
    vgpus_only: bool = False,
) -> tuple[Blocker, ...]:
    """Why no device with one of these kinds of backing can be attached to a VM. ``count_after`` and ``maximum``: numbers of devices.

    ``vgpus_only``: only vGPUs are attached, which exclude neither snapshots nor nested virtualization by themselves.
    """
    blockers = [
        *_feature_blockers(vm, vgpus_only=vgpus_only),
        *_hot_plug_blockers(vm, desired, kinds),
        *(blocker for kind in sorted(kinds) if (blocker := check_hardware(vm, kind)) is not None),
    ]
    limit = check_limit(vm, count_after, maximum)
    if limit is not None:
        blockers.append(limit)
    return tuple(blockers)


def _feature_blockers(vm: Vm, *, vgpus_only: bool) -> list[Blocker]:
    blockers = []
    if vm.has_snapshots and not vgpus_only:
        blockers.append(
            Blocker(
                code="snapshots",
                message=f"{vm.name} has snapshots, which a VM with passthrough devices cannot have",
                cure="Delete (consolidate) its snapshots first",
            )
        )
    if vm.fault_tolerance:
        blockers.append(
            Blocker(
                code="fault_tolerance",
                message=f"{vm.name} is protected by Fault Tolerance, which excludes passthrough devices",
                cure="Turn Fault Tolerance off for it first",
            )
        )
    return [*blockers, *(() if vgpus_only else nested_blockers(vm))]


def nested_blockers(vm: Vm) -> tuple[Blocker, ...]:
    """Nested virtualization, with which a VM that has passthrough devices does not power on either (KB 437651)."""
    if not vm.nested_virtualisation:
        return ()
    return (
        Blocker(
            code="nested_virtualisation",
            message=f"{vm.name} exposes hardware-assisted virtualization to its guest, which excludes passthrough devices",
            cure="Turn off nested virtualization (nestedHVEnabled) for it first",
        ),
    )


def _hot_plug_blockers(vm: Vm, desired: DesiredVm, kinds: Collection[BackingKind]) -> list[Blocker]:
    """Hot-plug of fixed devices cannot be combined with a virtual IOMMU, CPU or memory hot-add, or dynamic devices."""
    if not vm.fixed_hot_plug:
        return []
    clashes = []
    if vm.virtual_iommu:
        clashes.append("a virtual IOMMU")
    if (vm.memory.hot_add or vm.cpu_hot_add) and not desired.disable_hot_add:
        clashes.append("CPU or memory hot-add")
    if "dynamic" in kinds:
        clashes.append("dynamic passthrough devices")
    if not clashes:
        return []
    return [
        Blocker(
            code="hot_plug_conflict",
            message=f"{vm.name} has hot-plug of fixed passthrough devices enabled, which excludes "
            + " and ".join(clashes),
            cure="Turn off fixedPassthruHotPlugEnabled for it, or turn off these features",
        )
    ]


def group_blockers(vm: Vm, detached: Collection[int]) -> tuple[Blocker, ...]:
    """Devices of a vendor device group can only be detached together."""
    blockers = []
    for group in sorted({d.group_instance for d in vm.devices if d.key in detached and d.group_instance is not None}):
        rest = [d for d in vm.devices if d.group_instance == group and d.key not in detached]
        if rest:
            blockers.append(
                Blocker(
                    code="device_group",
                    message=f"{vm.name} has a vendor device group, of which only a part would be detached. It would keep "
                    + ", ".join(describe_device(device) for device in sorted(rest, key=lambda device: device.key)),
                    cure="List all devices of the group, or none",
                )
            )
    return tuple(blockers)


def hot_add_changes(vm: Vm) -> tuple[Change, ...]:
    """The changes that turn off memory and CPU hot-add."""
    changes = []
    if vm.memory.hot_add:
        changes.append(_hot_add("memory hot-add", HotAdd(memory=False)))
    if vm.cpu_hot_add:
        changes.append(_hot_add("CPU hot-add", HotAdd(cpu=False)))
    return tuple(changes)


def _hot_add(subject: str, detail: HotAdd) -> Change:
    return Change(subject=subject, before=True, after=False, detail=detail)


def hot_add_warning(vm: Vm) -> tuple[str, ...]:
    kinds = [name for name, on in (("memory", vm.memory.hot_add), ("CPU", vm.cpu_hot_add)) if on]
    if not kinds:
        return ()
    return (
        f"{vm.name} has {' and '.join(kinds)} hot-add enabled, so it may fail to power on with a passthrough device; "
        "disable_hot_add: true turns it off",
    )


def start_blockers(
    vm: Vm, host: Host | None, fixed_after: Sequence[str], holders: Sequence[str]
) -> tuple[Blocker, ...]:
    """Why a VM cannot be powered on on its host now. Without fixed devices, another host of the cluster may run it."""
    if host is None or not (fixed_after or host.cluster is None):
        return ()
    blockers = []
    if host.in_maintenance_mode:
        why = (
            f"its fixed devices are on {host.name}, which is"
            if fixed_after
            else f"{host.name} is in no cluster, and it is"
        )
        blockers.append(
            Blocker(
                code="host_in_maintenance",
                message=f"{vm.name} cannot be powered on: {why} in maintenance mode",
                cure="End maintenance mode of the host, or use power: off to leave the VM off",
            )
        )
    waiting = [address for address in fixed_after if (d := host.device(address)) is not None and not d.active]
    if waiting:
        blockers.append(
            Blocker(
                code="not_active",
                message=f"{vm.name} cannot be powered on: {', '.join(waiting)} on {host.name} "
                f"{'is' if len(waiting) == 1 else 'are'} not active for passthrough",
                cure=f"If they are enabled there, reboot {host.name}; else enable them with host_passthrough",
            )
        )
    if holders:
        blockers.append(
            Blocker(
                code="device_in_use",
                message=f"{vm.name} cannot be powered on: {'; '.join(holders)}",
                cure="Power off the other VM, or detach the device from it",
            )
        )
    return tuple(blockers)


def used_after(vm: Vm, detached: Collection[int], added: int) -> int:
    """The number of devices that count toward the maximum after the plan is applied."""
    return counts_towards_limit(device for device in vm.devices if device.key not in detached) + added
