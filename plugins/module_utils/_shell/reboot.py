# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rebooting hosts one after another, between parameters and results. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .._domain.errors import DirectPathError
from .._domain.hosts import Host
from .._domain.plan import Plan, TargetPlan
from .._domain.protection import holds_disks
from .._domain.reboot import RebootWish, plan_reboot, verify_after
from .._domain.targets import Target, parse_targets
from .._domain.vms import Vm
from .._vsphere.apply_reboot import enter_maintenance, exit_maintenance, read_running_tasks, reboot, settle_devices
from .._vsphere.read_fabric import read_fabric
from .._vsphere.read_hosts import read_drs, reread_hosts
from .._vsphere.read_vms import read_residents
from .._vsphere.session import Session
from .output import device_results, target_result
from .run import Outcome
from .worlds import HostWorld, observe_hosts


@dataclass(frozen=True, kw_only=True)
class Request:
    """The parameters of host_reboot."""

    targets: tuple[Target, ...]
    wish: RebootWish
    assume_detached: frozenset[str] = frozenset()

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Request:
        return cls(
            targets=parse_targets(params, devices_required=False),
            wish=RebootWish(
                reboot_if=params["reboot_if"],
                expect_pending=frozenset(params["expect_pending"]),
                maintenance=params["maintenance"],
                evacuate_powered_off=params["evacuate_powered_off"],
                vsan_mode=params["vsan_mode"],
                allow_protected=tuple(params["allow_protected"]),
                drain_timeout=params["drain_timeout"],
                reboot_timeout=params["reboot_timeout"],
                verify_timeout=params["verify_timeout"],
            ),
            assume_detached=frozenset(params["assume_detached"]),
        )


@dataclass(frozen=True, kw_only=True)
class RebootWorld:
    """Hosts with the VMs on them and the tasks that run on them (by host id)."""

    hosts: HostWorld
    residents: Mapping[str, Sequence[Vm]]
    tasks: Mapping[str, Sequence[str]]
    is_forecast: bool = False
    """In check mode what ``expect_pending`` names counts as owed; in a real run the hosts themselves say what they owe."""


def observe(session: Session, request: Request) -> RebootWorld:
    """VMs and tasks are read only for hosts that are to be rebooted."""
    world = observe_hosts(session, request.targets)
    return _surround(session, world, request, is_forecast=False)


def expect(session: Session, world: RebootWorld, request: Request) -> RebootWorld:
    """In check mode, hosts as host_passthrough will leave them, with VMs as vm_pci_device will."""
    if request.wish.expect_pending:
        world = _surround(session, world.hosts, request, is_forecast=True)
    residents = {
        host: [_released(vm) if request.assume_detached & {vm.name, vm.moid} else vm for vm in vms]
        for host, vms in world.residents.items()
    }
    return replace(world, residents=residents)


def _released(vm: Vm) -> Vm:
    return replace(vm, devices=())


def _surround(session: Session, world: HostWorld, request: Request, *, is_forecast: bool) -> RebootWorld:
    bare = RebootWorld(hosts=world, residents={}, tasks={}, is_forecast=is_forecast)
    due = {target.moid for target in plan(bare, request).targets if target.changes}
    hosts = [host for host in world.hosts if host.moid in due]
    if not hosts:
        return bare
    # A disk that is about to be taken from the host must be known to be empty; what was taken already is out of reach.
    taking = {host.moid for host in hosts for device in host.pending if device.enabled and holds_disks(device)}
    deep = {host.moid: host for host in read_drs(session, read_fabric(session, hosts, disks_of=taking))}
    return replace(
        bare,
        hosts=replace(world, hosts=tuple(deep.get(host.moid, host) for host in world.hosts)),
        residents=read_residents(session, due),
        tasks=read_running_tasks(session, hosts),
    )


def plan(world: RebootWorld, request: Request) -> Plan:
    expected = request.wish.expect_pending if world.is_forecast else frozenset()
    wish = replace(request.wish, devices=world.hosts.wishes, expect_pending=expected)
    return plan_reboot(world.hosts.hosts, world.residents, wish, world.tasks)


def apply(session: Session, world: RebootWorld, request: Request, target: TargetPlan) -> Outcome:
    """Maintenance mode, reboot, proof, and out again; a host that fails stays where it is safe: in maintenance mode."""
    outcome = Outcome()
    try:
        _roll(session, world, request, target, outcome)
    except DirectPathError as error:
        if outcome.done:
            error.message = f"{error.message.rstrip('.')}. Done before that: {', '.join(outcome.done)}"
        outcome.error = error
    return outcome


def _roll(session: Session, world: RebootWorld, request: Request, target: TargetPlan, outcome: Outcome) -> None:
    host = _fresh(session, world, request, target)
    if host is None:
        outcome.facts["reason"] = "it owes no reboot any more"
        return
    clock = session.clock
    outcome.facts["boot_time_before"] = host.boot_time
    seconds: dict[str, float] = {}
    outcome.facts["seconds"] = seconds
    for number, change in enumerate(target.effective, start=1):
        started, detail = clock(), change.detail
        if change.kind == "enter_maintenance":
            enter_maintenance(
                session,
                host,
                timeout=detail.timeout_seconds,
                evacuate_powered_off=detail.evacuate_powered_off,
                vsan_mode=detail.vsan_mode,
            )
            seconds["drain"] = round(clock() - started, 1)
            outcome.done += (f"{host.name} entered maintenance mode",)
        elif change.kind == "reboot":
            now = reboot(session, host, timeout=detail.timeout_seconds)
            outcome.done += (f"{host.name} was rebooted",)
            outcome.facts["boot_time_after"] = now.boot_time
            seconds["reboot"] = round(clock() - started, 1)
            started = clock()
            _verify(session, host, now, world, detail.verify_seconds)
            seconds["verify"] = round(clock() - started, 1)
        else:
            exit_maintenance(session, host, timeout=detail.timeout_seconds)
            outcome.done += (f"{host.name} left maintenance mode",)
        outcome.made = number


def _fresh(session: Session, world: RebootWorld, request: Request, target: TargetPlan) -> Host | None:
    """The host as it is when its turn comes: the ones before it took their time, and people work meanwhile."""
    hosts = reread_hosts(session, [world.hosts.host(target.moid)])
    now = _surround(session, replace(world.hosts, hosts=hosts), request, is_forecast=False)
    fresh = plan(now, request).targets[0]
    if fresh.blockers:
        first = fresh.blockers[0]
        raise DirectPathError(
            message=" ".join(blocker.message for blocker in fresh.blockers), code=first.code, cure=first.cure
        )
    return now.hosts.host(target.moid) if fresh.effective else None


def _verify(session: Session, before: Host, now: Host, world: RebootWorld, timeout: float) -> None:
    now = settle_devices(session, now, timeout=timeout)
    problems = verify_after(before, now, world.hosts.wishes.get(before.moid, ()))
    if problems:
        raise DirectPathError(
            message=" ".join(problems),
            code="not_verified",
            cure=f"{before.name} was left in maintenance mode",
        )


def render(world: RebootWorld, request: Request, plan: Plan, outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    hosts = [_host(world, target, outcomes) for target in plan.targets]
    started = [number for number, target in enumerate(plan.targets) if target.moid in outcomes]
    for number, (target, host) in enumerate(zip(plan.targets, hosts, strict=True)):
        if outcomes and target.effective and target.moid not in outcomes and number > max(started):
            host["status"] = "not_reached"
    return {
        "hosts": hosts,
        "rebooted": [host["name"] for host in hosts if host["boot_time_after"] is not None],
        "not_reached": [host["name"] for host in hosts if host["status"] == "not_reached"],
    }


def _host(world: RebootWorld, target: TargetPlan, outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    host = world.hosts.host(target.moid)
    outcome = outcomes.get(target.moid, Outcome())
    return {
        **target_result(target, outcomes),
        "cluster": host.cluster,
        "in_maintenance_mode": host.in_maintenance_mode,
        "reason": outcome.facts.get("reason") or target.facts.get("reason"),
        "reboot_required": bool(host.pending),
        "boot_time_before": outcome.facts.get("boot_time_before", host.boot_time),
        "boot_time_after": outcome.facts.get("boot_time_after"),
        "seconds": outcome.facts.get("seconds", {}),
        "done": list(outcome.done),
        "devices": device_results(host, [device for device in host.devices if device.enabled or device.active]),
    }
