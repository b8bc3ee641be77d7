# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module host_sriov, from its parameters to its result. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from .._domain.concurrency import Pace, parse_pace
from .._domain.host.pending_reboot import waiting_devices
from .._domain.host.targets import Target
from .._domain.host_entries.virtual_functions import parse_function_entries
from .._domain.planning.plan import Plan, TargetPlan
from .._domain.planning.predicted import Predicted, predict_hosts
from .._domain.planning.unknown_names import Unknown, warn_of_unknown
from .._domain.sriov.desired import DesiredSriov
from .._domain.sriov.notes import with_notes
from .._domain.sriov.plan import changing_modules, plan_sriov, sriov_writes
from .._domain.text import counted
from .._domain.writing.recheck import refuse_other_devices
from .._vsphere.read.fabric import read_fabric
from .._vsphere.read.hosts import read_names
from .._vsphere.read.module_options import read_module_options
from .._vsphere.session.connect import Session
from .._vsphere.write.sriov import apply_sriov, settle_sriov
from .engine.gate import Gate
from .engine.observe import ObservedHosts, follow_hosts, observe_chosen_hosts
from .engine.output import device_results, target_result
from .engine.result import Outcome, is_unreached
from .engine.scope import AfterWrites, BeforeWrite, Details, FirstLook, Scope
from .engine.targets import parse_targets
from .engine.vms import unknown_vms, vms_of


@dataclass(frozen=True, kw_only=True)
class SriovRequest:
    """The parameters of host_sriov."""

    targets: tuple[Target, ...]
    apply: Literal["auto", "now", "reboot"]
    on_missing: Literal["fail", "skip"]
    ignore_unreadable_vms: frozenset[str]
    unknown_names: Unknown
    settle_timeout: int
    pace: Pace

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> SriovRequest:
        """Read the parameters. Raises InputError."""
        return cls(
            targets=parse_targets(params, parse=parse_function_entries),
            apply=params["apply"],
            on_missing=params["on_missing"],
            ignore_unreadable_vms=frozenset(params["ignore_unreadable_vms"]),
            unknown_names=params["unknown_names"],
            settle_timeout=params["settle_timeout"],
            pace=parse_pace(params["max_concurrent"], params["max_failures"]),
        )


def observe(session: Session, request: SriovRequest, scope: Scope[ObservedHosts]) -> ObservedHosts:
    """Read the hosts and the VMs on them: a number must not be lowered below the functions in use. Uplinks and parameters of drivers are
    read only of hosts with changes.

    Raises InputError for a name that no host, or more than one, has.
    """
    match scope:
        case FirstLook(predicted=predicted):
            observed = _read(session, request)
            return replace(observed, hosts=predicted.of_hosts(observed.hosts)) if predicted else observed
        case Details(seen=seen, plan=plan):
            return _deepen(session, seen, plan)
        case BeforeWrite(seen=seen, moid=moid):
            return follow_hosts(session, seen, {moid}, users=True)
        case AfterWrites(seen=seen, written=written, moids=moids):
            writes = {target.moid: sriov_writes(target.effective) for target in written.targets}
            settle_sriov(session, seen.hosts, writes, timeout=request.settle_timeout)
            return follow_hosts(session, seen, moids, users=True)


def _read(session: Session, request: SriovRequest) -> ObservedHosts:
    inventory = read_names(session)
    names = request.ignore_unreadable_vms
    ignored = vms_of(inventory, names, "ignore_unreadable_vms")
    found = observe_chosen_hosts(session, request.targets, inventory, users=True)
    unknown = unknown_vms(inventory, names, "ignore_unreadable_vms", found.hosts)
    return replace(found, ignored_vms=ignored, unknown_names=unknown)


def _deepen(session: Session, observed: ObservedHosts, plan: Plan) -> ObservedHosts:
    """Returns the same object when no host needs it."""
    changing = {target.moid: target for target in plan.targets if target.host_facts.provisional}
    if not changing:
        return observed
    hosts = read_fabric(session, [host for host in observed.hosts if host.moid in changing])
    modules = {host.moid: found for host in hosts if (found := changing_modules(host, changing[host.moid]))}
    if modules:
        hosts = read_module_options(session, hosts, modules)
    deep = {host.moid: host for host in hosts}
    return replace(observed, hosts=tuple(deep.get(host.moid, host) for host in observed.hosts))


def plan(observed: ObservedHosts, request: SriovRequest) -> Plan:
    """Plan the numbers of virtual functions of all hosts."""
    desired = DesiredSriov(
        devices=observed.desired_devices,
        apply=request.apply,
        on_missing=request.on_missing,
        ignore_unreadable_vms=observed.ignored_vms,
    )
    found = with_notes(observed.hosts, plan_sriov(observed.hosts, desired))
    return warn_of_unknown(found, observed.unknown_names, request.unknown_names)


def predict(observed: ObservedHosts, plan: Plan) -> Predicted:
    """The devices after the plan is applied, before any reboot."""
    return predict_hosts(observed.hosts, plan)


def apply(
    session: Session,
    observed: ObservedHosts,
    request: SriovRequest,
    target: TargetPlan,
    gate: Gate[ObservedHosts],
) -> Outcome:
    """Write the numbers of one host. Raises DirectPathError (identity_changed) when an address now has another device."""
    now, planned = gate.reread()
    host = now.host(target.moid)
    refuse_other_devices(observed.host(target.moid), host, sriov_writes(target.effective))
    left = gate.check(target.effective, planned, doing=f"change SR-IOV on {host.name}")
    if not left:
        return Outcome()
    apply_sriov(session, host, sriov_writes(left))
    return Outcome(done=(f"{counted(len(left), 'device')} {'was' if len(left) == 1 else 'were'} written",))


def render(
    observed: ObservedHosts, request: SriovRequest, plan: Plan, outcomes: Mapping[str, Outcome]
) -> dict[str, Any]:
    """The result for all hosts of the plan."""
    hosts = [_host(observed, target, outcomes) for target in plan.targets]
    return {
        "hosts": hosts,
        "reboot_required": [host["name"] for host in hosts if host["reboot_required"]],
        "refused": [host["name"] for host in hosts if host["status"] == "refused"],
        "passed_over": [host["name"] for host in hosts if host["status"] == "skipped"],
    }


def _host(observed: ObservedHosts, target: TargetPlan, outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    host = observed.host(target.moid)
    selected = set(target.host_facts.selected)
    devices = [device for device in host.devices if device.address in selected]
    # Before the write the plan predicts what will be pending; after it the host reports it.
    is_forecast = bool(target.effective) and target.moid not in outcomes and not is_unreached(target, outcomes)
    pending = [device.address for device in devices if device.requires_reboot]
    return {
        **target_result(target, outcomes),
        "path": host.path,
        "cluster": host.cluster,
        "in_maintenance_mode": host.in_maintenance_mode,
        "reboot_required": bool(
            target.host_facts.reboot_expected if is_forecast else waiting_devices(host.devices, selected)
        ),
        "pending": list(target.host_facts.pending_after) if is_forecast else pending,
        "devices": device_results(host, devices),
    }
