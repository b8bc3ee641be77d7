# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Devices and memory of VMs, between parameters and results. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .._domain.concurrency import Pace, parse_pace
from .._domain.errors import InputError
from .._domain.host.selector import DesiredDevice, parse_desired_devices
from .._domain.host.targets import Target, parse_targets
from .._domain.names import Reference, resolve_each
from .._domain.observed.hosts import Host
from .._domain.observed.vms import DynamicBacking, Vm
from .._domain.plan import Change, Plan, TargetPlan
from .._domain.vm.devices.plan import DesiredVm, DynamicSpec, FixedSpec, needs_details, plan_vm_devices, reserved_cards
from .._domain.vm.memory import DesiredMemory, plan_memory
from .._domain.vm.mmio import parse_mmio
from .._vsphere.session.connect import Session
from .._vsphere.write.vms import Stopped, apply_vm
from .engine.gate import Gate
from .engine.observe import (
    NamedVms,
    ObservedNamedVms,
    assume_enabled,
    deepen_vms,
    follow_vms,
    follow_vms_and_hosts,
    observe_vms,
    observe_vms_and_hosts,
    vms_of,
    vms_on,
)
from .engine.output import target_result, vm_result
from .engine.run import Outcome

_DEFAULTED = (
    "state",
    "backing",
    "power",
    "shutdown_timeout",
    "allow_power_off",
    "mmio",
    "unlock_memory",
    "disable_hot_add",
)


@dataclass(frozen=True, kw_only=True)
class RequestedVm:
    """One VM as the parameters name it."""

    reference: Reference
    options: Mapping[str, Any]


def entries(params: Mapping[str, Any], inherited: Sequence[str]) -> tuple[RequestedVm, ...]:
    """``vms`` entries, or ``vm`` names with the module's own options; what an entry leaves out it takes from those."""
    common = {name: params[name] for name in inherited}
    if params.get("vm") is not None:
        found = tuple(RequestedVm(reference=Reference(name), options=common) for name in params["vm"])
    else:
        found = tuple(_entry(number, raw, common) for number, raw in enumerate(params["vms"] or ()))
    if not found:
        raise InputError(message="No VM is named", code="no_vms", parameter="vms", cure="Name at least one VM")
    return found


def _entry(number: int, raw: Mapping[str, Any], common: Mapping[str, Any]) -> RequestedVm:
    name, moid = raw.get("name"), raw.get("moid")
    if bool(name) == bool(moid):
        raise InputError(
            message=f"vms[{number}] {'has both name and moid' if name else 'names no VM'}",
            code="no_vms",
            parameter=f"vms[{number}].name",
            cure="Give name or moid",
        )
    reference = Reference(str(moid), "moid") if moid else Reference(str(name), "name")
    own = {name: raw[name] for name in common if raw.get(name) is not None}
    return RequestedVm(reference=reference, options={**common, **own})


# --- vm_pci_device ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class DeviceRequest:
    """The parameters of vm_pci_device."""

    entries: tuple[tuple[RequestedVm, tuple[DesiredDevice, ...]], ...]
    assume_enabled: tuple[Target, ...]
    allow_protected: tuple[str, ...]
    only_on_hosts: frozenset[str]
    ignored_vms: frozenset[str] = frozenset()
    device_limit: int | None = None
    pace: Pace = field(default_factory=Pace)
    to_start: Stopped = field(default_factory=dict)
    """VMs that this run shuts down and is to start again: a second look, after an answer was lost, finds them off."""

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> DeviceRequest:
        found = entries(params, ("devices", *_DEFAULTED))
        for entry in found:
            parse_mmio(entry.options["mmio"], f"mmio of {entry.reference.text}")
        assumed = params.get("assume_enabled") or []
        return cls(
            entries=tuple(
                (entry, parse_desired_devices(entry.options["devices"] or (), f"devices of {entry.reference.text}"))
                for entry in found
            ),
            assume_enabled=parse_targets({"targets": assumed}) if assumed else (),
            allow_protected=tuple(params.get("allow_protected") or ()),
            only_on_hosts=frozenset(params.get("only_on_hosts") or ()),
            ignored_vms=frozenset(params["ignore_unreadable_vms"]),
            device_limit=params["host_device_limit"],
            pace=parse_pace(params),
        )


def pace(request: DeviceRequest | MemoryRequest) -> Pace:
    return request.pace


def observe_devices(session: Session, request: DeviceRequest) -> ObservedNamedVms:
    seen = observe_vms_and_hosts(session, [entry.reference for entry, _unused in request.entries])
    ignored = vms_of(seen.inventory, request.ignored_vms, "ignore_unreadable_vms")
    observed = replace(seen.observed, ignored_vms=ignored, device_limit=request.device_limit)
    return replace(seen, observed=observed)


def expect_devices(session: Session, seen: ObservedNamedVms, request: DeviceRequest) -> ObservedNamedVms:
    """In check mode, hosts as host_passthrough and the reboots after it will have made them."""
    if not request.assume_enabled:
        return seen
    observed = seen.observed
    hosts = assume_enabled(session, observed.hosts, request.assume_enabled, request.allow_protected)
    return replace(seen, observed=replace(observed, hosts=hosts, assumed=_newly_active(observed.hosts, hosts)))


def _newly_active(before: Sequence[Host], after: Sequence[Host]) -> dict[str, frozenset[str]]:
    """Host → addresses that are active in ``after`` only."""
    table = {host.moid: {device.address for device in host.devices if device.active} for host in before}
    active = {host.moid: {device.address for device in host.devices if device.active} for host in after}
    return {moid: frozenset(addresses - table.get(moid, set())) for moid, addresses in active.items()}


def plan_devices(seen: ObservedNamedVms, request: DeviceRequest) -> Plan:
    desired_vms, elsewhere = _parse_desired(seen, request)
    plan = plan_vm_devices(seen.observed, desired_vms)
    passed = tuple(
        TargetPlan(
            target=vm.name,
            moid=vm.moid,
            skipped=True,
            warnings=(f"passed over: it is on {vm.host_name}, which is not part of this run",),
        )
        for vm in elsewhere
    )
    targets = sorted((*plan.targets, *passed), key=lambda target: (target.target, target.moid))
    return replace(plan, targets=tuple(targets))


def _parse_desired(seen: ObservedNamedVms, request: DeviceRequest) -> tuple[list[DesiredVm], list[Vm]]:
    """What is wished of the VMs, and those that are on hosts which are not part of this run."""
    desired_vms, elsewhere = [], []
    only = resolve_each(seen.inventory.host_names, dict.fromkeys(request.only_on_hosts, True), "only_on_hosts")
    for entry, devices in request.entries:
        if entry.reference not in seen.meant:
            continue
        vm = seen.vm(entry.reference)
        if request.only_on_hosts and vm.host_moid not in only.by_id:
            elsewhere.append(vm)
            continue
        desired = desired_vm(vm, entry, devices)
        desired_vms.append(replace(desired, power="on") if vm.moid in request.to_start else desired)
    return desired_vms, elsewhere


def desired_vm(vm: Vm, entry: RequestedVm, devices: tuple[DesiredDevice, ...]) -> DesiredVm:
    options = entry.options
    return DesiredVm(
        target=vm.name,
        moid=vm.moid,
        devices=devices,
        state=options["state"],
        backing=options["backing"],
        power=options["power"],
        shutdown_timeout=options["shutdown_timeout"],
        allow_power_off=options["allow_power_off"],
        mmio=parse_mmio(options["mmio"]),
        unlock_memory=options["unlock_memory"],
        disable_hot_add=options["disable_hot_add"],
    )


def deepen_devices(session: Session, seen: ObservedNamedVms, request: DeviceRequest, plan: Plan) -> ObservedNamedVms:
    deeper = deepen_vms(session, seen.observed, needs_details(plan))
    return seen if deeper is seen.observed else replace(seen, observed=deeper)


def host_of_device_vm(seen: ObservedNamedVms, target: TargetPlan) -> str:
    """The host that bears the work on a VM: its own."""
    return seen.observed.vm(target.moid).host_moid or ""


def follow_devices(
    session: Session, seen: ObservedNamedVms, request: DeviceRequest, plan: Plan, moids: Collection[str]
) -> ObservedNamedVms:
    """The cards that the plan gave to its VMs stay theirs, and those that are asked for by address stay reserved."""
    table = {vm.moid: vm for vm in seen.vms}
    anywhere: set[str] = set()
    given = {
        host: dict(cards) for host, cards in reserved_cards(seen.observed, _parse_desired(seen, request)[0]).items()
    }
    for target in plan.targets:
        vm = table[target.moid]
        if any(isinstance(device.backing, DynamicBacking) for device in vm.devices):
            anywhere.add(vm.moid)
        for change in target.effective:
            if isinstance(change.detail, DynamicSpec):
                anywhere.add(vm.moid)
            elif isinstance(change.detail, FixedSpec):
                given.setdefault(vm.host_moid or "", {})[change.detail.address] = vm.moid
    now = follow_vms_and_hosts(session, seen, moids, anywhere=anywhere)
    return replace(now, observed=replace(now.observed, given=given))


def apply_devices(
    session: Session, seen: ObservedNamedVms, request: DeviceRequest, target: TargetPlan, gate: Gate[ObservedNamedVms]
) -> Outcome:
    planned = seen.observed.vm(target.moid)

    def check(changes: Sequence[Change]) -> tuple[Vm, tuple[Change, ...]]:
        now, again = gate.look()
        vm = now.observed.vm(target.moid)
        moved = vm.host_moid != planned.host_moid and any(isinstance(c.detail, FixedSpec) for c in changes)
        also = f"it is on {vm.host_name or 'no host'} and was on {planned.host_name}" if moved else ""
        return vm, gate.judge(changes, again, doing=f"reconfigure {vm.name}", also=also)

    return Outcome(done=apply_vm(session, planned, target.effective, check, request.to_start))


def render_devices(
    seen: ObservedNamedVms, request: DeviceRequest, plan: Plan, outcomes: Mapping[str, Outcome]
) -> dict[str, Any]:
    return _render(seen.observed.vms, plan, outcomes)


def _render(vms: Sequence[Vm], plan: Plan, outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    table = {vm.moid: vm for vm in vms}
    results = [
        {
            **vm_result(table[target.moid]),
            **target_result(target, outcomes),
            "mmio": target.facts.get("mmio"),
            "done": list(outcomes[target.moid].done) if target.moid in outcomes else [],
        }
        for target in plan.targets
    ]
    return {"vms": results, "refused": [vm["name"] for vm in results if vm["status"] == "refused"]}


# --- vm_memory_reservation -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class MemoryRequest:
    """The parameters of vm_memory_reservation."""

    entries: tuple[tuple[Reference, DesiredMemory], ...]
    pace: Pace

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> MemoryRequest:
        found = entries(params, ("state", "reservation_mb"))
        return cls(
            entries=tuple(
                (
                    entry.reference,
                    DesiredMemory(state=entry.options["state"], reservation_mb=entry.options["reservation_mb"]),
                )
                for entry in found
            ),
            pace=parse_pace(params),
        )


def observe_memory(session: Session, request: MemoryRequest) -> NamedVms:
    return observe_vms(session, [reference for reference, _unused in request.entries])


def plan_memories(seen: NamedVms, request: MemoryRequest) -> Plan:
    desired_vms: dict[str, DesiredMemory] = {}
    for reference, desired in request.entries:
        if reference not in seen.meant:
            continue
        vm = seen.vm(reference)
        if desired_vms.setdefault(vm.moid, desired) != desired:
            raise InputError(
                message=f"{vm.name} is named twice with different wishes", code="vm_twice", parameter="vms"
            )
    return plan_memory(seen.vms, desired_vms)


def host_of_memory_vm(seen: NamedVms, target: TargetPlan) -> str:
    return next((vm.host_moid or "" for vm in seen.vms if vm.moid == target.moid), "")


def follow_memory(
    session: Session, seen: NamedVms, request: MemoryRequest, plan: Plan, moids: Collection[str]
) -> NamedVms:
    return follow_vms(session, seen, moids)


def apply_memory(
    session: Session, seen: NamedVms, request: MemoryRequest, target: TargetPlan, gate: Gate[NamedVms]
) -> Outcome:
    def check(changes: Sequence[Change]) -> tuple[Vm, tuple[Change, ...]]:
        now, again = gate.look()
        vm = next(vm for vm in now.vms if vm.moid == target.moid)
        return vm, gate.judge(changes, again, doing=f"reconfigure {vm.name}")

    planned = next(vm for vm in seen.vms if vm.moid == target.moid)
    return Outcome(done=apply_vm(session, planned, target.effective, check))


def render_memory(
    seen: NamedVms, request: MemoryRequest, plan: Plan, outcomes: Mapping[str, Outcome]
) -> dict[str, Any]:
    return _render(seen.vms, plan, outcomes)


# --- vm_pci_device_info ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class VmQuery:
    """The parameters of vm_pci_device_info."""

    vms: tuple[str, ...]
    hosts: tuple[str, ...]
    clusters: tuple[str, ...]
    include: str

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> VmQuery:
        return cls(
            vms=tuple(params["vms"] or ()),
            hosts=tuple(params["hosts"] or ()),
            clusters=tuple(params["cluster"] or ()),
            include=params["include"],
        )


def observe_query(session: Session, query: VmQuery) -> tuple[Vm, ...]:
    if query.vms:
        return observe_vms(session, [Reference(name) for name in query.vms]).vms
    return vms_on(session, query.hosts, query.clusters)


def render_query(
    observed: tuple[Vm, ...], query: VmQuery, plan: Plan, outcomes: Mapping[str, Outcome]
) -> dict[str, Any]:
    named = bool(query.vms) or query.include == "all"
    return {
        "vms": [
            {**vm_result(vm), "extra_config": dict(sorted(vm.extra_config.items()))}
            for vm in observed
            if named or vm.devices
        ]
    }
