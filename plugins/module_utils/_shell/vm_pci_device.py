# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module vm_pci_device, from its parameters to its result. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .._domain.concurrency import Pace, parse_pace
from .._domain.host.targets import Target
from .._domain.names import resolve_each
from .._domain.observed.hosts import Host
from .._domain.observed.networks import with_network_names
from .._domain.observed.vms import DvxBacking, DynamicBacking, VgpuBacking, Vm
from .._domain.planning.details import (
    DvxSpec,
    DynamicSpec,
    FixedSpec,
    GroupSpec,
    PinToHost,
    SriovEdit,
    SriovSpec,
    VgpuSpec,
)
from .._domain.planning.plan import Change, Plan, TargetPlan
from .._domain.planning.predicted import Predicted, predict_vms
from .._domain.planning.unknown_names import Unknown, warn_of_unknown
from .._domain.vm.devices.plan import DesiredVm, plan_vm_devices, reserved_cards
from .._vsphere.details.networks import read_networks
from .._vsphere.session.connect import Session
from .._vsphere.write.vms import apply_vm
from .engine.gate import Gate
from .engine.observe import (
    ObservedNamedVms,
    assume_enabled,
    deepen_vms,
    follow_vms_and_hosts,
    observe_vms_and_hosts,
    without_old_details,
)
from .engine.output import render_vms
from .engine.result import Outcome
from .engine.scope import AfterWrites, BeforeWrite, Details, FirstLook, Scope
from .engine.targets import parse_targets
from .engine.vms import unknown_vms, vms_of
from .requested_vms import RequestedVm, parse_requested_vms


@dataclass(frozen=True, kw_only=True)
class DeviceRequest:
    """The parameters of vm_pci_device."""

    entries: tuple[RequestedVm, ...]
    assume_enabled: tuple[Target, ...]
    allow_protected: tuple[str, ...]
    only_on_hosts: frozenset[str]
    ignored_vms: frozenset[str]
    unknown_names: Unknown
    device_limit: int | None
    pace: Pace

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> DeviceRequest:
        """Read the parameters. Raises InputError."""
        assumed = params["assume_enabled"]
        return cls(
            entries=parse_requested_vms(params),
            assume_enabled=parse_targets({"targets": assumed}) if assumed else (),
            allow_protected=tuple(params["allow_protected"]),
            only_on_hosts=frozenset(params["only_on_hosts"]),
            ignored_vms=frozenset(params["ignore_unreadable_vms"]),
            unknown_names=params["unknown_names"],
            device_limit=params["host_device_limit"],
            pace=parse_pace(params["max_concurrent"], params["max_failures"]),
        )


def observe(session: Session, request: DeviceRequest, scope: Scope[ObservedNamedVms]) -> ObservedNamedVms:
    """Read the named VMs, the hosts that they could run on, and the other VMs that could hold devices there. Limits are
    read only of VMs that change.

    Raises InputError for a name that no VM or more than one VM has.
    """
    match scope:
        case FirstLook(check_mode=check_mode, predicted=predicted):
            seen = _read(session, request)
            return _expect(session, seen, request, predicted) if check_mode else seen
        case Details(seen=seen, plan=plan):
            deeper = deepen_vms(session, seen.observed, plan)
            return seen if deeper is seen.observed else replace(seen, observed=deeper)
        case BeforeWrite(seen=seen, plan=plan, moid=moid):
            now = _with_networks(session, _read_again(session, seen, request, plan, {moid}), request)
            return _without_old_rules(replace(now, observed=without_old_details(seen.observed, now.observed)), plan)
        case AfterWrites(seen=seen, plan=plan, moids=moids):
            now = _with_networks(session, _read_again(session, seen, request, plan, moids), request, again=False)
            return _without_old_rules(now, plan)


def _without_old_rules(now: ObservedNamedVms, plan: Plan) -> ObservedNamedVms:
    """Rules of clusters are read again when the plan changes one. Else they only give warnings, which need no second read."""
    if not any(isinstance(change.detail, PinToHost) for target in plan.targets for change in target.effective):
        return now
    return replace(now, observed=replace(now.observed, placements={}))


def _read(session: Session, request: DeviceRequest) -> ObservedNamedVms:
    seen = observe_vms_and_hosts(session, [entry.reference for entry in request.entries])
    ignored = vms_of(seen.inventory, request.ignored_vms, "ignore_unreadable_vms")
    unknown = unknown_vms(seen.inventory, request.ignored_vms, "ignore_unreadable_vms", seen.observed.hosts)
    observed = replace(seen.observed, ignored_vms=ignored, device_limit=request.device_limit)
    return _with_networks(session, replace(seen, observed=observed, unknown_names=unknown), request)


def _with_networks(
    session: Session, seen: ObservedNamedVms, request: DeviceRequest, *, again: bool = True
) -> ObservedNamedVms:
    """With the networks of the hosts of the VMs for which SR-IOV network adapters are desired. No call without such a VM.

    ``again``: also of hosts whose networks were read before."""
    asking = {seen.meant.get(entry.reference) for entry in request.entries if entry.desired.sriov_networks}
    hosts = {vm.host_moid for vm in seen.vms if vm.moid in asking and vm.host_moid is not None}
    hosts -= set() if again else seen.observed.networks.keys()
    if not hosts:
        return seen
    networks = {**seen.observed.networks, **read_networks(session, hosts)}
    return replace(seen, observed=replace(seen.observed, networks=networks))


def _expect(session: Session, seen: ObservedNamedVms, request: DeviceRequest, predicted: Predicted) -> ObservedNamedVms:
    """In check mode: the hosts and VMs as they are after the earlier tasks, and after host_passthrough and the reboots that follow it."""
    if not (predicted or request.assume_enabled):
        return seen
    observed = seen.observed
    hosts = predicted.of_hosts(observed.hosts)
    if request.assume_enabled:
        hosts = assume_enabled(session, hosts, request.assume_enabled, request.allow_protected)
    vms, others = predicted.of_vms(observed.vms), predicted.of_vms(observed.others)
    freed = predicted.freed((*observed.vms, *observed.others))
    assumed = {
        moid: found | freed.get(moid, frozenset()) for moid, found in _newly_active(observed.hosts, hosts).items()
    }
    return replace(seen, vms=vms, observed=replace(observed, vms=vms, others=others, hosts=hosts, assumed=assumed))


def _newly_active(before: Sequence[Host], after: Sequence[Host]) -> dict[str, frozenset[str]]:
    """Host id → addresses of devices that are active in ``after`` only."""
    active_before = {host.moid: {device.address for device in host.devices if device.active} for host in before}
    active_after = {host.moid: {device.address for device in host.devices if device.active} for host in after}
    return {moid: frozenset(addresses - active_before.get(moid, set())) for moid, addresses in active_after.items()}


def plan(seen: ObservedNamedVms, request: DeviceRequest) -> Plan:
    """Plan the devices of all VMs. A VM on a host that is not in ``only_on_hosts`` is skipped."""
    desired_vms, elsewhere = _parse_desired(seen, request)
    planned = plan_vm_devices(seen.observed, desired_vms)
    skipped = tuple(
        TargetPlan(
            target=vm.name,
            moid=vm.moid,
            skipped=True,
            warnings=(f"skipped: it is on {vm.host_name}, which is not part of this run",),
        )
        for vm in elsewhere
    )
    targets = sorted((*planned.targets, *skipped), key=lambda target: (target.target, target.moid))
    return warn_of_unknown(replace(planned, targets=tuple(targets)), seen.unknown_names, request.unknown_names)


def _parse_desired(seen: ObservedNamedVms, request: DeviceRequest) -> tuple[list[DesiredVm], list[Vm]]:
    """The desired state of the VMs, and the VMs on hosts that are not part of this run."""
    desired_vms, elsewhere = [], []
    only = resolve_each(seen.inventory.host_names, dict.fromkeys(request.only_on_hosts, True), "only_on_hosts")
    for entry in request.entries:
        if entry.reference not in seen.meant:
            continue
        vm = seen.vm(entry.reference)
        if request.only_on_hosts and vm.host_moid not in only.by_id:
            elsewhere.append(vm)
            continue
        desired = entry.desired_of(vm)
        desired_vms.append(replace(desired, start_again=vm.moid in seen.to_start))
    return desired_vms, elsewhere


def _read_again(
    session: Session, seen: ObservedNamedVms, request: DeviceRequest, plan: Plan, moids: Collection[str]
) -> ObservedNamedVms:
    """Read the VMs with these ids, and their hosts, again.

    Devices that the plan assigned stay assigned to the same VMs. Devices that are requested by address stay reserved.
    """
    by_id = {vm.moid: vm for vm in seen.vms}
    anywhere: set[str] = set()
    given = {
        host: dict(cards) for host, cards in reserved_cards(seen.observed, _parse_desired(seen, request)[0]).items()
    }
    for target in plan.targets:
        vm = by_id[target.moid]
        if any(isinstance(device.backing, DynamicBacking | VgpuBacking | DvxBacking) for device in vm.devices):
            anywhere.add(vm.moid)
        for change in target.effective:
            if isinstance(change.detail, DynamicSpec | VgpuSpec | DvxSpec | GroupSpec):
                anywhere.add(vm.moid)
            elif isinstance(change.detail, FixedSpec):
                given.setdefault(vm.host_moid or "", {})[change.detail.address] = vm.moid
    now = follow_vms_and_hosts(session, seen, moids, anywhere=anywhere)
    return replace(now, observed=replace(now.observed, given=given))


def predict(seen: ObservedNamedVms, plan: Plan) -> Predicted:
    """The VMs after the plan is applied."""
    return predict_vms(seen.vms, plan)


def apply(
    session: Session, seen: ObservedNamedVms, request: DeviceRequest, target: TargetPlan, gate: Gate[ObservedNamedVms]
) -> Outcome:
    """Reconfigure one VM, with the shutdown and the start that it needs. Raises DirectPathError."""
    planned = seen.observed.vm(target.moid)

    def check(changes: Sequence[Change]) -> tuple[Vm, tuple[Change, ...]]:
        now, replanned = gate.reread()
        vm = now.observed.vm(target.moid)
        tied = any(isinstance(change.detail, FixedSpec | SriovSpec | SriovEdit) for change in changes)
        moved = vm.host_moid != planned.host_moid and tied
        also = f"it is on {vm.host_name or 'no host'} and was on {planned.host_name}" if moved else ""
        return vm, gate.check(changes, replanned, doing=f"reconfigure {vm.name}", also=also)

    return Outcome(done=apply_vm(session, planned, target.effective, check))


def render(
    seen: ObservedNamedVms, request: DeviceRequest, plan: Plan, outcomes: Mapping[str, Outcome]
) -> dict[str, Any]:
    """The result for all VMs of the plan."""
    names = {network.key: network.name for host in seen.observed.networks.values() for network in host.networks}
    return render_vms(with_network_names(seen.observed.vms, names), plan, outcomes)
