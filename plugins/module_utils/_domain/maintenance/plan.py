# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning maintenance mode for work on the hardware of a host: entering, leaving, and blockers. PRIVATE to the collection.

A mark (a custom attribute) on the host means that the collection put it into maintenance mode. A mark on a VM means that the collection
shut the VM down for it. With the marks, any later run can revert exactly what was done.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ..host.blockers import evacuation_loses_devices, evacuation_may_lose_devices, unreachable
from ..observed.hosts import Host
from ..observed.uncertain_holders import unread_vms
from ..observed.vms import FixedBacking, Vm
from ..plan import Blocker, Change, Plan, TargetPlan
from ..timeouts import check_timeout
from ..vm.desired import PowerOff

PinnedAction = Literal["fail", "shutdown", "shutdown_then_power_off"]


@dataclass(frozen=True, kw_only=True, slots=True)
class DesiredMaintenance:
    """The desired maintenance mode. Time-outs are in seconds. ``never_stop``: managed object ids of VMs."""

    state: Literal["present", "absent"] = "present"
    pinned: PinnedAction = "fail"
    never_stop: frozenset[str] = frozenset()
    evacuate_powered_off: bool = False
    vsan_mode: str | None = None
    operator_maintenance: Literal["keep", "end"] = "keep"
    start_vms: bool = True
    drain_timeout: int = 1800
    stop_timeout: int = 300
    leave_timeout: int = 600

    def __post_init__(self) -> None:
        """Raises InputError (bad_timeout)."""
        for name in ("drain_timeout", "stop_timeout", "leave_timeout"):
            check_timeout(name, getattr(self, name))


@dataclass(frozen=True, kw_only=True, slots=True)
class EnterMaintenance:
    timeout_seconds: int
    evacuate_powered_off: bool
    vsan_mode: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ExitMaintenance:
    timeout_seconds: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoveMark:
    """Remove the mark from the object with this managed object id."""

    moid: str


def host_mark(account: str) -> str:
    """The text of a host's mark. It explains the maintenance mode in the vSphere Client; programs check only that it exists."""
    return f"maintenance mode for work on its hardware, entered by {account}"[:255]


def vm_mark(host: Host) -> str:
    """The text of a VM's mark. ``marked_host`` reads the host id at its end."""
    end = f" [{host.moid}]"
    return f"shut down for work on {host.name}"[: 255 - len(end)] + end


def marked_host(text: str) -> str | None:
    """The id of the host that a VM was shut down for, from the text of its mark; None when there is no id."""
    found = re.search(r"\[([^\[\]\s]+)\]$", text)
    return found.group(1) if found else None


def plan_maintenance(
    hosts: Sequence[Host],
    residents: Mapping[str, Sequence[Vm]],
    desired: DesiredMaintenance,
    *,
    tasks: Mapping[str, Sequence[str]],
    marks: Mapping[str, str],
    stopped: Sequence[Vm],
) -> Plan:
    """One TargetPlan for each host. ``residents``: its VMs, ``tasks``: names of its running tasks, both by host id. ``marks``: text of each
    mark, by managed object id. ``stopped``: VMs with a mark, on any host."""
    ordered = sorted(hosts, key=lambda host: (host.name, host.moid))
    if desired.state == "present":
        targets = [
            _enter(host, residents.get(host.moid, ()), desired, tasks.get(host.moid, ()), marks) for host in ordered
        ]
    else:
        targets = [_release(host, desired, marks, stopped) for host in ordered]
    return Plan(targets=tuple(targets))


# -- entering maintenance mode --------------------------------------------------------------------------------------


def _enter(
    host: Host, residents: Sequence[Vm], desired: DesiredMaintenance, tasks: Sequence[str], marks: Mapping[str, str]
) -> TargetPlan:
    if not host.is_reachable:
        return TargetPlan(target=host.name, moid=host.moid, blockers=(unreachable(host),))
    if host.in_maintenance_mode:
        warning = f"{host.name} was put into maintenance mode by another user, and only that user should end it"
        return TargetPlan(target=host.name, moid=host.moid, warnings=() if host.moid in marks else (warning,))
    pinned = _pinned(host, residents)
    enter = EnterMaintenance(
        timeout_seconds=desired.drain_timeout,
        evacuate_powered_off=desired.evacuate_powered_off,
        vsan_mode=desired.vsan_mode,
    )
    return TargetPlan(
        target=host.name,
        moid=host.moid,
        changes=(
            *(_shutdown(vm, desired) for vm in pinned),
            Change(kind="enter_maintenance", subject="maintenance mode", before=False, after=True, detail=enter),
        ),
        blockers=(
            *_unsupported(host),
            *_other_work(host, tasks),
            *_refused(host, pinned, desired),
            *_evacuation(host, residents, desired),
        ),
        warnings=_migration_warnings(host, residents, desired),
    )


def _unsupported(host: Host) -> Iterator[Blocker]:
    if not host.capabilities.maintenance_mode:
        yield Blocker(
            code="maintenance_unsupported",
            message=f"{host.name} does not support maintenance mode (host.capability.maintenanceModeSupported)",
            cure="Shut down its virtual machines and then the host manually",
        )


def _other_work(host: Host, tasks: Sequence[str]) -> Iterator[Blocker]:
    if tasks:
        yield Blocker(
            code="task_running",
            message=f"Other tasks are running on {host.name}: {', '.join(sorted(tasks))}",
            cure="Wait until they end, or cancel them, and run this again",
        )


def _evacuation(host: Host, residents: Sequence[Vm], desired: DesiredMaintenance) -> Iterator[Blocker]:
    """VMs with fixed devices lose them when they are evacuated. VMs that are shut down first count as powered off."""
    stops = desired.pinned != "fail"
    fixed = [vm.name for vm in residents if (stops or not vm.is_powered_on) and _has_fixed_device(vm)]
    if desired.evacuate_powered_off and fixed:
        yield evacuation_loses_devices(host.name, fixed)
    unread = unread_vms(host, residents) if desired.evacuate_powered_off else ()
    if unread:
        yield evacuation_may_lose_devices(host.name, unread)


def _has_fixed_device(vm: Vm) -> bool:
    return any(isinstance(device.backing, FixedBacking) for device in vm.devices)


def _migration_warnings(host: Host, residents: Sequence[Vm], desired: DesiredMaintenance) -> tuple[str, ...]:
    """A warning when running VMs must be migrated before the host enters maintenance mode and DRS may not do it."""
    to_migrate = sorted(vm.name for vm in residents if vm.is_powered_on and not vm.pins_to_host)
    if not to_migrate or host.cluster is None or host.drs_moves_vms:
        return ()
    why = "is not fully automated and will not" if host.drs_moves_vms is False else "may not"
    return (
        f"{host.name} waits up to {desired.drain_timeout} seconds until these virtual machines are migrated: "
        f"{', '.join(to_migrate)}. DRS of its cluster {why} migrate them: be ready to migrate them manually",
    )


def _pinned(host: Host, residents: Sequence[Vm]) -> list[Vm]:
    """Running VMs that cannot be migrated. On a standalone host no VM can be migrated."""
    running = [vm for vm in residents if vm.is_powered_on]
    found = [vm for vm in running if vm.pins_to_host or host.cluster is None]
    return sorted(found, key=lambda vm: (vm.name, vm.moid))


def _refused(host: Host, pinned: Sequence[Vm], desired: DesiredMaintenance) -> tuple[Blocker, ...]:
    if not pinned:
        return ()
    never = [vm for vm in pinned if vm.moid in desired.never_stop]
    without_tools = [vm for vm in pinned if not vm.tools_running]
    if never:
        blocker = Blocker(
            code="never_stop",
            message=f"{host.name} runs virtual machines that cannot be migrated and must never be shut down (never_stop): {_list(never)}",
            cure="Shut them down manually when it is safe, or leave this host out",
        )
    elif desired.pinned == "fail":
        blocker = Blocker(
            code="pinned_vms",
            message=f"{host.name} runs virtual machines that cannot be migrated: {_list(pinned)}",
            cure="Shut them down first, or set pinned_vms: shutdown to shut them down now; state: absent then powers them on",
        )
    elif desired.pinned == "shutdown" and without_tools:
        blocker = Blocker(
            code="tools_not_running",
            message=f"VMware Tools is not running in {', '.join(vm.name for vm in without_tools)} on {host.name}, so the guest cannot be "
            "shut down",
            cure="Start VMware Tools, shut down from inside the guest, or set pinned_vms: shutdown_then_power_off",
        )
    else:
        return ()
    return (blocker,)


def _list(vms: Sequence[Vm]) -> str:
    held = [(vm.name, ", ".join(device.label for device in vm.pins_to_host)) for vm in vms]
    return "; ".join(f"{name} ({devices or 'its host is in no cluster'})" for name, devices in held)


def _shutdown(vm: Vm, desired: DesiredMaintenance) -> Change:
    how = PowerOff(timeout_seconds=desired.stop_timeout, allow_power_off=desired.pinned == "shutdown_then_power_off")
    return Change(kind="shutdown", subject=vm.name, before="poweredOn", after="poweredOff", detail=(vm, how))


# -- leaving maintenance mode ---------------------------------------------------------------------------------------


def _release(host: Host, desired: DesiredMaintenance, marks: Mapping[str, str], stopped: Sequence[Vm]) -> TargetPlan:
    if not host.is_reachable:
        return TargetPlan(target=host.name, moid=host.moid, blockers=(unreachable(host),))
    own = host.moid in marks
    changes: list[Change] = []
    blockers: tuple[Blocker, ...] = ()
    if host.in_maintenance_mode:
        detail = ExitMaintenance(timeout_seconds=desired.leave_timeout)
        changes.append(
            Change(kind="exit_maintenance", subject="maintenance mode", before=True, after=False, detail=detail)
        )
        if not own and desired.operator_maintenance == "keep":
            blockers = (
                Blocker(
                    code="maintenance_by_other",
                    message=f"{host.name} was put into maintenance mode by another user, so it stays in maintenance mode",
                    cure="Set operator_maintenance: end to end it nevertheless",
                ),
            )
    if own:
        changes.append(_remove_mark(host.moid, "mark of the host"))
    waiting = [vm for vm in stopped if marked_host(marks.get(vm.moid, "")) == host.moid] if desired.start_vms else []
    # VMs with fixed devices start first: a dynamic device takes any free device, also one that is fixed in a VM that is off.
    for vm in sorted(waiting, key=lambda vm: (not _has_fixed_device(vm), vm.name, vm.moid)):
        if not vm.is_powered_on:
            changes.append(Change(kind="power_on", subject=vm.name, before="poweredOff", after="poweredOn", detail=vm))
        changes.append(_remove_mark(vm.moid, f"mark of {vm.name}"))
    return TargetPlan(target=host.name, moid=host.moid, changes=tuple(changes), blockers=blockers)


def _remove_mark(moid: str, subject: str) -> Change:
    return Change(kind="forget", subject=subject, before="marked", after=None, detail=RemoveMark(moid=moid))
