# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The upgrade of a VM's hardware version to a desired minimum. PRIVATE to the collection.

An upgrade is never reverted: vSphere has no way back. So it is made only for a VM whose desired state has ``minimum_hardware``, with all
checks before anything is stopped. The rest of the plan counts with the version after the upgrade. Sources: API reference of UpgradeVM_Task
(NoDiskFound, InvalidState for a host in maintenance mode) and of QueryConfigOptionDescriptor.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from ..observed.hosts import Host
from ..observed.vms import Vm
from ..planning.details import UpgradeHardware
from ..planning.plan import Blocker, Change, Plan
from .desired.vm import DesiredVm
from .observed_vms import ObservedVms

SUBJECT = "hardware version"


@dataclass(frozen=True, kw_only=True, slots=True)
class HardwarePlan:
    """The upgrade of one VM. ``minimum``: set when the versions that its host offers must be read; 0 when not."""

    changes: tuple[Change, ...] = ()
    blockers: tuple[Blocker, ...] = ()
    warnings: tuple[str, ...] = ()
    minimum: int = 0
    needs_details: bool = False


def desired_minimum(vm: Vm, desired: DesiredVm) -> int:
    """The hardware version that the VM must be upgraded to at least; 0 when it needs no upgrade. ``absent`` upgrades nothing."""
    minimum = desired.minimum_hardware
    if minimum is None or desired.state == "absent" or 0 < vm.hardware_version >= minimum:
        return 0
    return minimum


def choose_version(minimum: int, offered: Collection[int] | None) -> int:
    """The lowest offered version that is at least ``minimum``; ``minimum`` itself when there is none, or when it is unknown."""
    return min((version for version in offered or () if version >= minimum), default=minimum)


def upgrades_of(plan: Plan) -> Mapping[str, int]:
    """VM id → the minimum to which it is upgraded, for the VMs of a plan that are."""
    return {
        target.moid: target.vm_facts.minimum_hardware for target in plan.targets if target.vm_facts.minimum_hardware
    }


def after_upgrades(observed: ObservedVms, desired_vms: Iterable[DesiredVm]) -> ObservedVms:
    """The same state, with the hardware versions that the VMs will have: the other planners count with these."""
    upgraded = {}
    for desired in desired_vms:
        vm = observed.vm(desired.moid)
        minimum = desired_minimum(vm, desired)
        if minimum and vm.hardware_version:
            version = choose_version(minimum, observed.hardware_versions.get(vm.host_moid or ""))
            upgraded[vm.moid] = replace(vm, hardware_version=version)
    if not upgraded:
        return observed
    return replace(observed, vms=tuple(upgraded.get(vm.moid, vm) for vm in observed.vms))


def plan_hardware(observed: ObservedVms, desired: DesiredVm) -> HardwarePlan:
    """The upgrade of one VM. ``observed``: before the upgrade."""
    vm = observed.vm(desired.moid)
    minimum = desired_minimum(vm, desired)
    if not minimum:
        return HardwarePlan()
    host = observed.host_of(vm)
    if not vm.hardware_version:
        return HardwarePlan(blockers=(_unread(vm, minimum),))
    read = host is not None and host.moid in observed.hardware_versions
    offered = observed.hardware_versions.get(host.moid) if host is not None else None
    version = choose_version(minimum, offered)
    change = Change(subject=SUBJECT, before=vm.hardware_version, after=version, detail=UpgradeHardware(version=version))
    return HardwarePlan(
        changes=(change,),
        blockers=tuple(_blockers(vm, host, version, offered, read=read)),
        warnings=tuple(_warnings(observed, vm, version)),
        minimum=minimum,
        needs_details=not read and host is not None and host.is_reachable,
    )


def _unread(vm: Vm, minimum: int) -> Blocker:
    return Blocker(
        code="hardware_version_unknown",
        message=f"vCenter does not return the hardware version of {vm.name}, so it cannot be upgraded to {minimum}",
        cure="Check that the account has System.Read on the VM, or leave minimum_hardware_version out",
    )


def _blockers(
    vm: Vm, host: Host | None, version: int, offered: Collection[int] | None, *, read: bool
) -> Iterable[Blocker]:
    upgrade = f"{vm.name} cannot be upgraded from hardware version {vm.hardware_version} to {version}"
    if not vm.has_disk:
        yield Blocker(
            code="no_disk",
            message=f"{upgrade}: it has no virtual disk, which vSphere requires for an upgrade (NoDiskFound)",
            cure="Add a disk to it, or leave minimum_hardware_version out",
        )
    if host is None or not host.is_reachable:
        yield Blocker(
            code="host_unknown" if host is None else "host_unreachable",
            message=f"{upgrade}: its host ({vm.host_name or 'none'}) "
            f"{'was not read' if host is None else f'is {host.connection_state}'}, so the versions that it offers are unknown",
            cure="Check that the account can see the host, and that the host is connected",
        )
        return
    if host.in_maintenance_mode:
        yield Blocker(
            code="host_in_maintenance",
            message=f"{upgrade}: {host.name} is in maintenance mode, in which vSphere refuses an upgrade (InvalidState)",
            cure="End maintenance mode of the host, then run this again",
        )
    if not read:
        return
    if offered is None:
        yield Blocker(
            code="hardware_version_unknown",
            message=f"{upgrade}: which versions {host.name} offers could not be read",
            cure="Run the task again; if the message stays, upgrade the VM in the vSphere Client",
        )
    elif version not in offered:
        yield Blocker(
            code="hardware_version_not_offered",
            message=f"{upgrade}: {host.name}, its host, offers no version from {version} on",
            cure="Lower minimum_hardware_version, or move the VM to a host with a later ESXi release",
            candidates=tuple(str(each) for each in sorted(offered) if each > vm.hardware_version),
        )


def _warnings(observed: ObservedVms, vm: Vm, version: int) -> Iterable[str]:
    yield f"{vm.name} is upgraded from hardware version {vm.hardware_version} to {version}, which cannot be reverted"
    if vm.has_snapshots:
        yield f"{vm.name} has snapshots: a revert to one of them also brings back hardware version {vm.hardware_version}"
    lacking = [
        host.name
        for host in observed.candidates(vm)
        if version not in (observed.hardware_versions.get(host.moid) or (version,))
    ]
    if lacking:
        yield f"{vm.name} cannot run on {', '.join(lacking)} with hardware version {version}: these hosts do not offer it"
