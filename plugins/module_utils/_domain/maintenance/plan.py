# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Putting a host into maintenance mode for work on its hardware, and taking it back: what to do, and what forbids it. PRIVATE.

A mark on the host says that its maintenance mode is ours, a mark on a VM that it was stopped for it. They are what makes it possible to
undo exactly what was done, by whoever runs it next.
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
    """What is asked for. Timeouts are seconds and always finite. ``never_stop``: ids of VMs."""

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
        """Raises InputError."""
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
class Forget:
    """Take the mark away from what has this id."""

    moid: str


def host_mark(account: str) -> str:
    """For people who wonder in the client; that there is one is all that counts."""
    return f"maintenance mode for work on its hardware, entered by {account}"[:255]


def vm_mark(host: Host) -> str:
    """The id at the end is read again."""
    end = f" [{host.moid}]"
    return f"shut down for work on {host.name}"[: 255 - len(end)] + end


def marked_host(text: str) -> str | None:
    """The host that a VM was stopped for."""
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
    """One TargetPlan a host. ``residents`` and ``tasks`` by host id, ``marks`` by id; ``stopped``: VMs with a mark, wherever they are."""
    ordered = sorted(hosts, key=lambda host: (host.name, host.moid))
    if desired.state == "present":
        targets = [
            _enter(host, residents.get(host.moid, ()), desired, tasks.get(host.moid, ()), marks) for host in ordered
        ]
    else:
        targets = [_release(host, desired, marks, stopped) for host in ordered]
    return Plan(targets=tuple(targets))


# -- into maintenance mode ------------------------------------------------------------------------------------------


def _enter(
    host: Host, residents: Sequence[Vm], desired: DesiredMaintenance, tasks: Sequence[str], marks: Mapping[str, str]
) -> TargetPlan:
    if not host.is_reachable:
        return TargetPlan(target=host.name, moid=host.moid, blockers=(unreachable(host),))
    if host.in_maintenance_mode:
        warning = f"{host.name} was put into maintenance mode by somebody else, who also has to end it"
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
            *(_stop(vm, desired) for vm in pinned),
            Change(kind="enter_maintenance", subject="maintenance mode", before=False, after=True, detail=enter),
        ),
        blockers=(
            *_unsupported(host),
            *_other_work(host, tasks),
            *_refused(host, pinned, desired),
            *_evacuation(host, residents, desired),
        ),
        warnings=_movers(host, residents, desired),
    )


def _unsupported(host: Host) -> Iterator[Blocker]:
    if not host.capabilities.maintenance_mode:
        yield Blocker(
            code="maintenance_unsupported",
            message=f"{host.name} says that it cannot enter maintenance mode",
            cure="Shut its virtual machines down and then the host by hand",
        )


def _other_work(host: Host, tasks: Sequence[str]) -> Iterator[Blocker]:
    if tasks:
        yield Blocker(
            code="task_running",
            message=f"Other work is under way on {host.name}: {', '.join(sorted(tasks))}",
            cure="Wait until it is done, or cancel it, then run this again",
        )


def _evacuation(host: Host, residents: Sequence[Vm], desired: DesiredMaintenance) -> Iterator[Blocker]:
    """Those that are stopped first are off by then, too."""
    stops = desired.pinned != "fail"
    fixed = [vm.name for vm in residents if (stops or not vm.is_powered_on) and _is_fixed(vm)]
    if desired.evacuate_powered_off and fixed:
        yield evacuation_loses_devices(host.name, fixed)
    unread = unread_vms(host, residents) if desired.evacuate_powered_off else ()
    if unread:
        yield evacuation_may_lose_devices(host.name, unread)


def _is_fixed(vm: Vm) -> bool:
    return any(isinstance(device.backing, FixedBacking) for device in vm.devices)


def _movers(host: Host, residents: Sequence[Vm], desired: DesiredMaintenance) -> tuple[str, ...]:
    """VMs that must be moved away by the cluster before the host is in maintenance mode."""
    moving = sorted(vm.name for vm in residents if vm.is_powered_on and not vm.pins_to_host)
    if not moving or host.cluster is None or host.drs_moves_vms:
        return ()
    why = "DRS of its cluster does not move them by itself" if host.drs_moves_vms is False else "DRS may not move them"
    return (
        f"{host.name} waits up to {desired.drain_timeout} seconds for these virtual machines to be moved away: "
        f"{', '.join(moving)}. {why}: be ready to move them",
    )


def _pinned(host: Host, residents: Sequence[Vm]) -> list[Vm]:
    """Those that run and cannot leave; on a host without a cluster nothing moves any of them."""
    running = [vm for vm in residents if vm.is_powered_on]
    found = [vm for vm in running if vm.pins_to_host or host.cluster is None]
    return sorted(found, key=lambda vm: (vm.name, vm.moid))


def _refused(host: Host, pinned: Sequence[Vm], desired: DesiredMaintenance) -> tuple[Blocker, ...]:
    if not pinned:
        return ()
    never = [vm for vm in pinned if vm.moid in desired.never_stop]
    deaf = [vm for vm in pinned if not vm.tools_running]
    if never:
        blocker = Blocker(
            code="never_stop",
            message=f"{host.name} runs virtual machines that cannot be moved and must never be stopped: {_list(never)}",
            cure="Move their work elsewhere by hand and shut them down, or leave this host out",
        )
    elif desired.pinned == "fail":
        blocker = Blocker(
            code="pinned_vms",
            message=f"{host.name} runs virtual machines that cannot be moved: {_list(pinned)}",
            cure="Shut them down first, or set pinned_vms: shutdown to have them stopped, and started again with state: absent",
        )
    elif desired.pinned == "shutdown" and deaf:
        blocker = Blocker(
            code="tools_not_running",
            message=f"VMware Tools do not run in {', '.join(vm.name for vm in deaf)} on {host.name}, so the guest cannot be asked "
            "to shut down",
            cure="Start the tools, shut the guest down from inside, or set pinned_vms: shutdown_then_power_off",
        )
    else:
        return ()
    return (blocker,)


def _list(vms: Sequence[Vm]) -> str:
    held = [(vm.name, ", ".join(device.label for device in vm.pins_to_host)) for vm in vms]
    return "; ".join(f"{name} ({devices or 'its host is in no cluster'})" for name, devices in held)


def _stop(vm: Vm, desired: DesiredMaintenance) -> Change:
    how = PowerOff(timeout_seconds=desired.stop_timeout, allow_power_off=desired.pinned == "shutdown_then_power_off")
    return Change(kind="shutdown", subject=vm.name, before="poweredOn", after="poweredOff", detail=(vm, how))


# -- and back -------------------------------------------------------------------------------------------------------


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
                    message=f"{host.name} was put into maintenance mode by somebody else",
                    cure="It is left alone. Set operator_maintenance: end to end it all the same",
                ),
            )
    if own:
        changes.append(_forget(host.moid, "mark of the host"))
    waiting = [vm for vm in stopped if marked_host(marks.get(vm.moid, "")) == host.moid] if desired.start_vms else []
    # A VM with a dynamic device would be given any free card, also one that is fixed in a VM that is off: those start first.
    for vm in sorted(waiting, key=lambda vm: (not _is_fixed(vm), vm.name, vm.moid)):
        if not vm.is_powered_on:
            changes.append(Change(kind="power_on", subject=vm.name, before="poweredOff", after="poweredOn", detail=vm))
        changes.append(_forget(vm.moid, f"mark of {vm.name}"))
    return TargetPlan(target=host.name, moid=host.moid, changes=tuple(changes), blockers=blockers)


def _forget(moid: str, subject: str) -> Change:
    return Change(kind="forget", subject=subject, before="marked", after=None, detail=Forget(moid=moid))
