# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module host_device_mode, from its parameters to its result. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from .._domain.concurrency import Pace, parse_pace
from .._domain.device_modes.plan import (
    DesiredModes,
    maintenance_command,
    mode_writes,
    plan_modes,
    reboot_command,
    unknown_impact,
)
from .._domain.errors import DirectPathError
from .._domain.host.protection import holds_disks
from .._domain.host.targets import Target
from .._domain.host_entries.device_modes import parse_mode_entries
from .._domain.observed.hosts import Host
from .._domain.planning.details import ModeWrite
from .._domain.planning.plan import Plan, TargetPlan
from .._domain.planning.predicted import Predicted, predict_hosts
from .._domain.planning.unknown_names import Unknown, warn_of_unknown
from .._domain.text import counted
from .._domain.writing.api_versions import ApiVersions, no_device_modes
from .._domain.writing.recheck import refuse_other_devices
from .._vsphere.read.fabric import read_fabric
from .._vsphere.read.hosts import read_names
from .._vsphere.rest.device_modes import DeviceModes
from .._vsphere.rest.tags import Automation
from .._vsphere.session.connect import Session
from .._vsphere.write.device_modes import settle_modes
from .engine.gate import Gate
from .engine.observe import ObservedHosts, follow_hosts, observe_chosen_hosts
from .engine.output import device_results, target_result
from .engine.result import Outcome, is_unreached
from .engine.scope import AfterWrites, BeforeWrite, Details, FirstLook, Scope
from .engine.targets import parse_targets
from .engine.vms import unknown_vms, vms_of

Impacts = dict[str, dict[str, tuple[str, ...]]]


@dataclass(frozen=True, kw_only=True)
class DeviceModeRequest:
    """The parameters of host_device_mode."""

    targets: tuple[Target, ...]
    on_missing: Literal["fail", "skip"]
    allow_protected: tuple[str, ...]
    ignore_unreadable_vms: frozenset[str]
    unknown_names: Unknown
    settle_timeout: int
    task_timeout: int
    pace: Pace

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> DeviceModeRequest:
        """Read the parameters. Raises InputError."""
        return cls(
            targets=parse_targets(params, parse=parse_mode_entries),
            on_missing=params["on_missing"],
            allow_protected=tuple(params["allow_protected"]),
            ignore_unreadable_vms=frozenset(params["ignore_unreadable_vms"]),
            unknown_names=params["unknown_names"],
            settle_timeout=params["settle_timeout"],
            task_timeout=params["task_timeout"],
            pace=parse_pace(params["max_concurrent"], params["max_failures"]),
        )


@dataclass(frozen=True, kw_only=True)
class ObservedModes(ObservedHosts):
    """``impacts``: host id → address → what the change needs to take effect. The writers fill it: no read returns it later."""

    api: ApiVersions
    is_vcenter: bool
    is_forecast: bool
    impacts: Impacts = field(default_factory=dict)


def observe(session: Session, request: DeviceModeRequest, scope: Scope[ObservedModes]) -> ObservedModes:
    """Read the hosts, and the VMs that use their devices. What a host depends on is read only of hosts with changes.

    Raises InputError for a name that no host, or more than one, has.
    """
    match scope:
        case FirstLook(check_mode=check_mode, predicted=predicted):
            inventory = read_names(session)
            observed = observe_chosen_hosts(
                session, request.targets, inventory, users=True, allow_protected=request.allow_protected
            )
            names = request.ignore_unreadable_vms
            unknown = unknown_vms(inventory, names, "ignore_unreadable_vms", observed.hosts)
            return ObservedModes(
                hosts=predicted.of_hosts(observed.hosts) if predicted else observed.hosts,
                desired_devices=observed.desired_devices,
                ignored_vms=vms_of(inventory, names, "ignore_unreadable_vms"),
                unknown_names=(*observed.unknown_names, *unknown),
                api=session.api,
                is_vcenter=session.is_vcenter,
                is_forecast=check_mode,
            )
        case Details(seen=seen, plan=plan):
            return _deepen(session, seen, plan)
        case BeforeWrite(seen=seen, moid=moid):
            return _follow(session, seen, {moid})
        case AfterWrites(seen=seen, written=written, moids=moids):
            writes = {target.moid: mode_writes(target.effective) for target in written.targets}
            settle_modes(session, writes, timeout=request.settle_timeout)
            return _follow(session, seen, set(moids))


def _follow(session: Session, seen: ObservedModes, moids: set[str]) -> ObservedModes:
    now = follow_hosts(session, seen, moids, users=True)
    return replace(seen, hosts=now.hosts, desired_devices=now.desired_devices)


def _deepen(session: Session, seen: ObservedModes, plan: Plan) -> ObservedModes:
    """With what the hosts of a provisional plan depend on."""
    needed = {target.moid for target in plan.targets if target.host_facts.provisional}
    if not needed:
        return seen
    disks = {
        target.moid
        for target in plan.targets
        for write in mode_writes(target.changes)
        if target.moid in needed and holds_disks(write.device)
    }
    chosen = [host for host in seen.hosts if host.moid in needed]
    deep = {host.moid: host for host in read_fabric(session, chosen, disks_of=disks)}
    return replace(seen, hosts=tuple(deep.get(host.moid, host) for host in seen.hosts))


def plan(observed: ObservedModes, request: DeviceModeRequest) -> Plan:
    """Plan the modes of all devices that the parameters select."""
    found = plan_modes(
        observed.hosts,
        DesiredModes(
            devices=observed.desired_devices,
            on_missing=request.on_missing,
            allow_protected=request.allow_protected,
            ignore_unreadable_vms=observed.ignored_vms,
            too_old=no_device_modes(observed.api),
            is_vcenter=observed.is_vcenter,
        ),
    )
    found = warn_of_unknown(found, observed.unknown_names, request.unknown_names)
    return unknown_impact(found) if observed.is_forecast else found


def predict(observed: ObservedModes, plan: Plan) -> Predicted:
    """The devices after the plan is applied, as if every mode took effect at once: what a change needs is not known."""
    return predict_hosts(observed.hosts, plan)


def apply(
    session: Session,
    observed: ObservedModes,
    request: DeviceModeRequest,
    target: TargetPlan,
    gate: Gate[ObservedModes],
) -> Outcome:
    """Configure the devices of one host, one after the other: each is a task of its own.

    Raises DirectPathError (identity_changed) when an address now has another device.
    """
    now, planned = gate.reread()
    host = now.host(target.moid)
    refuse_other_devices(observed.host(target.moid), host, mode_writes(target.effective))
    left = mode_writes(gate.check(target.effective, planned, doing=f"change device modes of {host.name}"))
    if not left:
        return Outcome()
    api = Automation(session=session)
    try:
        modes = DeviceModes(session=session, api=api, timeout=request.task_timeout)
        return _configure(modes, host, left, observed.impacts.setdefault(host.moid, {}))
    finally:
        api.close()


def _configure(
    modes: DeviceModes, host: Host, writes: Sequence[ModeWrite], impacts: dict[str, tuple[str, ...]]
) -> Outcome:
    made = 0
    try:
        listed = modes.devices(host)
        for write in writes:
            impacts[write.device.address] = modes.configure(host, write, listed)
            made += 1
    except DirectPathError as error:
        return Outcome(made=made, error=error, done=_done(made))
    return Outcome(done=_done(made))


def _done(made: int) -> tuple[str, ...]:
    return (f"{counted(made, 'device')} {'was' if made == 1 else 'were'} configured",) if made else ()


def render(
    observed: ObservedModes, request: DeviceModeRequest, plan: Plan, outcomes: Mapping[str, Outcome]
) -> dict[str, Any]:
    """The result for all hosts of the plan."""
    hosts = [_host(observed, target, outcomes) for target in plan.targets]
    return {
        "hosts": hosts,
        "reboot_required": [host["name"] for host in hosts if host["reboot_required"]],
        "maintenance_mode_required": [host["name"] for host in hosts if host["maintenance_mode_required"]],
        "refused": [host["name"] for host in hosts if host["status"] == "refused"],
        "overridden": [entry["override"] for host in hosts for entry in host["overridden"]],
        "passed_over": [host["name"] for host in hosts if host["status"] == "skipped"],
    }


def _host(observed: ObservedModes, target: TargetPlan, outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    host = observed.host(target.moid)
    selected = set(target.host_facts.selected)
    devices = [device for device in host.devices if device.address in selected]
    known = observed.impacts.get(target.moid, {})
    needs = {impact for found in known.values() for impact in found}
    is_forecast = bool(target.effective) and target.moid not in outcomes and not is_unreached(target, outcomes)
    reboot = "reboot" in needs or any(device.requires_reboot for device in devices)
    maintenance = "maintenance_mode" in needs and not reboot  # a reboot goes through maintenance mode
    return {
        **target_result(target, outcomes),
        "path": host.path,
        "cluster": host.cluster,
        "in_maintenance_mode": host.in_maintenance_mode,
        # In check mode the impact is unknown, and unknown is not "no".
        "reboot_required": None if is_forecast else reboot,
        "maintenance_mode_required": None if is_forecast else maintenance,
        "pending": [device.address for device in devices if device.requires_reboot],
        "impacts": [
            {
                "address": write.device.address,
                "mode": write.mode,
                "impacts": list(known[write.device.address]) if write.device.address in known else None,
            }
            for write in mode_writes(target.effective)
        ],
        "next": reboot_command(host) if reboot else maintenance_command(host) if maintenance else None,
        "overridden": [used.record() for used in target.host_facts.overridden],
        "devices": device_results(host, devices),
    }
