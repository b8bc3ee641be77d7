# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a host needs a reboot, what stands in its way, and what is to be done. PRIVATE to the collection.

What proves that it happened and worked is in ``reboot_proof``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from .host_blockers import unreachable
from .hosts import Host, HostDevice
from .overrides import parse_overrides
from .plan import Blocker, Change, Plan, TargetPlan
from .protection import protections
from .reboot_proof import is_back, verify_after
from .selectors import DeviceWish
from .timeouts import check_timeout
from .vms import FixedBacking, Vm

__all__ = [
    "EnterMaintenance",
    "ExitMaintenance",
    "Reboot",
    "RebootWish",
    "is_back",
    "needs_reboot",
    "plan_reboot",
    "reboot_blockers",
    "taken_devices",
    "verify_after",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class RebootWish:
    """How hosts are to be rebooted. Timeouts are seconds and always finite.

    ``devices`` (by host moid) are those that must be in force afterwards. ``expect_pending`` names hosts that a change not
    yet made will leave pending, for a forecast. ``maintenance``: ``require`` that the host is in maintenance mode already, and
    leave it there, or ``manage`` it: enter, and exit once the host is proven. ``allow_protected`` names protected devices
    that may be taken from the host by the reboot.
    """

    reboot_if: Literal["pending", "always"] = "pending"
    devices: Mapping[str, tuple[DeviceWish, ...]] = field(default_factory=dict)
    expect_pending: frozenset[str] = frozenset()
    maintenance: Literal["require", "manage"] = "require"
    evacuate_powered_off: bool = False
    vsan_mode: str | None = None
    allow_protected: tuple[str, ...] = ()
    drain_timeout: int = 1800
    reboot_timeout: int = 2700
    verify_timeout: int = 300

    def __post_init__(self) -> None:
        """To the server a time-out of 0 or less for maintenance mode means to wait for ever, which nobody gets here by accident."""
        for name in ("drain_timeout", "reboot_timeout", "verify_timeout"):
            check_timeout(name, getattr(self, name))


@dataclass(frozen=True, kw_only=True, slots=True)
class EnterMaintenance:
    timeout_seconds: int
    evacuate_powered_off: bool
    vsan_mode: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reboot:
    """``timeout_seconds`` until the host is back, ``verify_seconds`` more until its devices are in force."""

    timeout_seconds: int
    verify_seconds: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ExitMaintenance:
    timeout_seconds: int


def needs_reboot(host: Host, wish: RebootWish) -> str | None:
    """Why the host is to be rebooted, as a clause; None when it is not.

    Only devices decide: the host's own "reboot required" mark may stand for anything, and a stale setting is not settled by
    a reboot.
    """
    if wish.reboot_if == "always":
        return "it was asked for"
    if host.pending:
        return "it settles " + ", ".join(f"{device.address} ({_wait(device)})" for device in _sorted(host.pending))
    if host.name in wish.expect_pending:
        return "the planned changes will leave devices pending"
    return None


def _wait(device: HostDevice) -> str:
    return "enabled, not yet in force" if device.enabled else "disabled, still in force"


def reboot_blockers(
    host: Host, residents: Sequence[Vm], wish: RebootWish, running_tasks: Sequence[str] = ()
) -> tuple[Blocker, ...]:
    """Everything that forbids to reboot the host now. ``residents`` are all VMs registered on it, powered on or not."""
    if not host.is_reachable:
        return (unreachable(host),)
    running = sorted((vm for vm in residents if vm.is_powered_on), key=_by_name)
    rules = (
        _unsupported(host, wish),
        _other_work(host, running_tasks),
        _not_in_maintenance(host, wish),
        _pinned(host, running),
        _nowhere_to_go(host, running, wish),
        _would_lose_device(host, residents, wish),
        *taken_devices(host, wish),
    )
    return tuple(blocker for blocker in rules if blocker is not None)


def _by_name(vm: Vm) -> tuple[str, str]:
    return (vm.name, vm.moid)


def _sorted(devices: Iterable[HostDevice]) -> list[HostDevice]:
    return sorted(devices, key=lambda device: device.address)


def _enters(host: Host, wish: RebootWish) -> bool:
    return wish.maintenance == "manage" and not host.in_maintenance_mode


def _unsupported(host: Host, wish: RebootWish) -> Blocker | None:
    if not host.capabilities.reboot:
        what, cure = "be rebooted through the API", "Reboot it by hand (console or BMC)"
    elif _enters(host, wish) and not host.capabilities.maintenance_mode:
        what, cure = "enter maintenance mode", "Reboot it by hand once its virtual machines are off"
    else:
        return None
    return Blocker(code="reboot_unsupported", message=f"{host.name} says that it cannot {what}", cure=cure)


def _other_work(host: Host, running_tasks: Collection[str]) -> Blocker | None:
    if not running_tasks:
        return None
    return Blocker(
        code="task_running",
        message=f"Other work is under way on {host.name}: {', '.join(sorted(running_tasks))}",
        cure="Wait until it is done, or cancel it, then run this again",
    )


def _not_in_maintenance(host: Host, wish: RebootWish) -> Blocker | None:
    if host.in_maintenance_mode or wish.maintenance == "manage":
        return None
    return Blocker(
        code="not_in_maintenance",
        message=f"{host.name} is not in maintenance mode",
        cure="Put it into maintenance mode first, or set maintenance: manage to have it entered and left for you",
    )


def _pinned(host: Host, running: Iterable[Vm]) -> Blocker | None:
    """VMs that cannot move while they run: maintenance mode would wait for them without end, and without a word."""
    pinned = [
        f"{vm.name} ({', '.join(device.label for device in vm.pins_to_host)})" for vm in running if vm.pins_to_host
    ]
    if not pinned:
        return None
    return Blocker(
        code="pinned_vms",
        message=f"{host.name} runs virtual machines that cannot be moved, because of their devices: {'; '.join(pinned)}",
        cure="Shut them down first; they cannot be migrated while they run",
    )


def _nowhere_to_go(host: Host, running: Sequence[Vm], wish: RebootWish) -> Blocker | None:
    if host.cluster is not None or not running or not _enters(host, wish):
        return None
    return Blocker(
        code="running_vms",
        message=f"{host.name} is in no cluster, so nothing moves its running virtual machines away: "
        f"{', '.join(vm.name for vm in running)}",
        cure="Shut them down first",
    )


def _would_lose_device(host: Host, residents: Iterable[Vm], wish: RebootWish) -> Blocker | None:
    if not wish.evacuate_powered_off or not _enters(host, wish):
        return None
    fixed = [
        vm.name
        for vm in sorted(residents, key=_by_name)
        if not vm.is_powered_on and any(isinstance(device.backing, FixedBacking) for device in vm.devices)
    ]
    if not fixed:
        return None
    return Blocker(
        code="evacuation_loses_devices",
        message=f"evacuate_powered_off would register {', '.join(fixed)} on other hosts, away from their devices on {host.name}",
        cure="Set evacuate_powered_off: false, or give these VMs dynamic devices",
    )


def taken_devices(host: Host, wish: RebootWish) -> tuple[Blocker, ...]:
    """Protected devices that the reboot would take from the host: what a moved card does to a boot disk. None without its fabric."""
    if host.fabric is None:
        return ()
    reasons = protections(host)
    allowed = parse_overrides(wish.allow_protected, (host,))[host.moid]
    return tuple(
        Blocker(
            code="reboot_takes_protected",
            message=f"The reboot would take {device.describe()} from {host.name}, although "
            f"{'; '.join(reason.reason for reason in reasons[device.address])}",
            cure="Disable passthrough of this device first (host_passthrough with state: disabled). If the host can really "
            f'do without it, name it: allow_protected: ["{host.name}/{device.address}"]',
        )
        for device in _sorted(host.pending)
        if device.enabled and device.address in reasons and device.address not in allowed
    )


def plan_reboot(
    hosts: Sequence[Host],
    residents: Mapping[str, Sequence[Vm]],
    wish: RebootWish,
    running_tasks: Mapping[str, Sequence[str]] | None = None,
) -> Plan:
    """One TargetPlan a host; ``residents`` and ``running_tasks`` by host moid. Hosts that need no reboot are left alone.

    Raises InputError when ``allow_protected`` is wrong.
    """
    parse_overrides(wish.allow_protected, hosts)
    tasks = running_tasks or {}
    ordered = sorted(hosts, key=lambda host: (host.name, host.moid))
    return Plan(
        targets=tuple(
            _plan_host(host, residents.get(host.moid, ()), wish, tasks.get(host.moid, ())) for host in ordered
        )
    )


def _plan_host(host: Host, residents: Sequence[Vm], wish: RebootWish, tasks: Sequence[str]) -> TargetPlan:
    if not host.is_reachable:
        return TargetPlan(target=host.name, moid=host.moid, blockers=(unreachable(host),))
    reason = needs_reboot(host, wish)
    stale = [device for device in _sorted(host.devices) if device.state == "stale"]
    warnings = tuple(
        f"{device.describe()} on {host.name} is configured for passthrough, but the host no longer offers it: "
        "no reboot changes that"
        for device in stale
    )
    warnings += _left_in_maintenance(host, wish)
    if reason is None:
        return TargetPlan(target=host.name, moid=host.moid, warnings=warnings, facts={"reason": None})
    return TargetPlan(
        target=host.name,
        moid=host.moid,
        changes=_changes(host, wish),
        blockers=reboot_blockers(host, residents, wish, tasks),
        warnings=(*warnings, *_movers(host, residents, wish)),
        facts={"reason": reason},
    )


def _left_in_maintenance(host: Host, wish: RebootWish) -> tuple[str, ...]:
    """Nobody can tell a host that a run left behind when it was killed from one that a person works on, so it is left and said."""
    if not host.in_maintenance_mode or wish.maintenance == "require":
        return ()
    return (
        f"{host.name} is in maintenance mode already and will be left in it. If nobody works on it, an earlier run that was "
        "interrupted or failed has left it there: take it out of maintenance mode",
    )


def _movers(host: Host, residents: Iterable[Vm], wish: RebootWish) -> tuple[str, ...]:
    """VMs that must be moved away by the cluster before the host is in maintenance mode."""
    moving = [vm.name for vm in sorted(residents, key=_by_name) if vm.is_powered_on and not vm.pins_to_host]
    if not moving or host.cluster is None or host.drs_moves_vms or not _enters(host, wish):
        return ()
    why = "DRS of its cluster does not move them by itself" if host.drs_moves_vms is False else "DRS may not move them"
    return (
        f"{host.name} waits up to {wish.drain_timeout} seconds for these virtual machines to be moved away: "
        f"{', '.join(moving)}. {why}: be ready to move them",
    )


def _changes(host: Host, wish: RebootWish) -> tuple[Change, ...]:
    # What it settles is in the reason: a forecast cannot know it, and is to give the same record as the real run.
    reboot = Change(
        kind="reboot",
        subject="host",
        before="running",
        after="rebooted",
        detail=Reboot(timeout_seconds=wish.reboot_timeout, verify_seconds=wish.verify_timeout),
    )
    if not _enters(host, wish):
        return (reboot,)
    enter = EnterMaintenance(
        timeout_seconds=wish.drain_timeout,
        evacuate_powered_off=wish.evacuate_powered_off,
        vsan_mode=wish.vsan_mode,
    )
    leave = ExitMaintenance(timeout_seconds=wish.drain_timeout)
    return (
        Change(kind="enter_maintenance", subject="maintenance mode", before=False, after=True, detail=enter),
        reboot,
        Change(kind="exit_maintenance", subject="maintenance mode", before=True, after=False, detail=leave),
    )
