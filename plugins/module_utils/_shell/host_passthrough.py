# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module host_passthrough, from its parameters to its result. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from .._domain.concurrency import Pace, parse_pace
from .._domain.host.passthrough import DesiredPassthrough, passthrough_writes, plan_passthrough
from .._domain.host.pending_reboot import pending_devices
from .._domain.host.targets import Target
from .._domain.names import Directory, Named, resolve_each
from .._domain.observed.hosts import DeviceUser, Host
from .._domain.planning.plan import Plan, TargetPlan
from .._domain.planning.predicted import Predicted, predict_hosts
from .._domain.planning.unknown_names import Unknown, warn_of_unknown
from .._domain.text import counted
from .._domain.writing.recheck import refuse_other_devices
from .._vsphere.read.hosts import read_names
from .._vsphere.session.connect import Session
from .._vsphere.write.passthrough import apply_passthrough, settle_passthrough
from .engine.gate import Gate
from .engine.observe import ObservedHosts, deepen_hosts, follow_hosts, observe_chosen_hosts, observe_hosts
from .engine.output import device_results, target_result
from .engine.result import Outcome, is_unreached
from .engine.scope import AfterWrites, BeforeWrite, Details, FirstLook, Scope
from .engine.targets import parse_targets
from .engine.vms import unknown_vms, vms_of


@dataclass(frozen=True, kw_only=True)
class PassthroughRequest:
    """The parameters of host_passthrough."""

    targets: tuple[Target, ...]
    state: Literal["enabled", "disabled"]
    apply: Literal["auto", "now", "reboot"]
    on_missing: Literal["fail", "skip"]
    allow_protected: tuple[str, ...]
    ignore_unreadable_vms: frozenset[str]
    unknown_names: Unknown
    settle_timeout: int
    assume_detached: frozenset[str]
    pace: Pace

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> PassthroughRequest:
        """Read the parameters. Raises InputError."""
        return cls(
            targets=parse_targets(params),
            state=params["state"],
            apply=params["apply"],
            on_missing=params["on_missing"],
            allow_protected=tuple(params["allow_protected"]),
            ignore_unreadable_vms=frozenset(params["ignore_unreadable_vms"]),
            unknown_names=params["unknown_names"],
            settle_timeout=params["settle_timeout"],
            assume_detached=frozenset(params["assume_detached"]),
            pace=parse_pace(params["max_concurrent"], params["max_failures"]),
        )


def observe(session: Session, request: PassthroughRequest, scope: Scope[ObservedHosts]) -> ObservedHosts:
    """Read the hosts. VMs that use devices are read only for ``state: disabled``: a device in use must not be disabled. What a host depends
    on (boot disk, datastores, management uplinks) is read only of hosts with changes.

    Raises InputError for a name that no host, or more than one, has.
    """
    users = request.state == "disabled"
    match scope:
        case FirstLook(check_mode=check_mode, predicted=predicted):
            observed = _read(session, request)
            observed = replace(observed, hosts=predicted.of_hosts(observed.hosts)) if predicted else observed
            return _expect(session, observed, request) if check_mode else observed
        case Details(seen=seen, plan=plan):
            return deepen_hosts(session, seen, plan)
        case BeforeWrite(seen=seen, moid=moid):
            return follow_hosts(session, seen, {moid}, users=users)
        case AfterWrites(seen=seen, written=written, moids=moids):
            writes = {target.moid: passthrough_writes(target.effective) for target in written.targets}
            settle_passthrough(session, seen.hosts, writes, timeout=request.settle_timeout)
            return follow_hosts(session, seen, moids, users=users)


def _read(session: Session, request: PassthroughRequest) -> ObservedHosts:
    if request.state == "enabled":
        return observe_hosts(session, request.targets, allow_protected=request.allow_protected)
    inventory = read_names(session)
    names = request.ignore_unreadable_vms
    ignored = vms_of(inventory, names, "ignore_unreadable_vms")
    found = observe_chosen_hosts(
        session, request.targets, inventory, users=True, allow_protected=request.allow_protected
    )
    unknown = unknown_vms(inventory, names, "ignore_unreadable_vms", found.hosts)
    return replace(found, ignored_vms=ignored, unknown_names=(*found.unknown_names, *unknown))


def _expect(session: Session, observed: ObservedHosts, request: PassthroughRequest) -> ObservedHosts:
    """In check mode: the hosts as they are after vm_pci_device detached devices from the VMs in ``assume_detached``."""
    if not request.assume_detached:
        return observed

    detached = _detached(session, observed, request)

    def keep(users: Iterable[DeviceUser]) -> tuple[DeviceUser, ...]:
        return tuple(user for user in users if user.moid not in detached)

    def without(host: Host) -> Host:
        return replace(host, users={address: keep(users) for address, users in host.users.items()})

    return replace(observed, hosts=tuple(without(host) for host in observed.hosts))


def _detached(session: Session, observed: ObservedHosts, request: PassthroughRequest) -> Collection[str]:
    """Ids of the VMs in ``assume_detached``. Names with a path need the inventory, because users of devices have a plain name only."""
    users = {user.moid: user.vm for host in observed.hosts for held in host.users.values() for user in held}
    if any("/" in name for name in (*request.assume_detached, *users.values())):
        names = read_names(session).vm_names
    else:
        names = Directory("vm", [Named(moid=moid, name=name) for moid, name in users.items()])
    return resolve_each(names, dict.fromkeys(sorted(request.assume_detached), True), "assume_detached").by_id


def plan(observed: ObservedHosts, request: PassthroughRequest) -> Plan:
    """Plan the passthrough state of all devices that the parameters select."""
    desired = DesiredPassthrough(
        devices=observed.desired_devices,
        state=request.state,
        apply=request.apply,
        on_missing=request.on_missing,
        allow_protected=request.allow_protected,
        ignore_unreadable_vms=observed.ignored_vms,
    )
    return warn_of_unknown(plan_passthrough(observed.hosts, desired), observed.unknown_names, request.unknown_names)


def predict(observed: ObservedHosts, plan: Plan) -> Predicted:
    """The devices after the plan is applied, before any reboot."""
    return predict_hosts(observed.hosts, plan)


def apply(
    session: Session,
    observed: ObservedHosts,
    request: PassthroughRequest,
    target: TargetPlan,
    gate: Gate[ObservedHosts],
) -> Outcome:
    """Write the passthrough configuration of one host.

    Raises DirectPathError (identity_changed) when an address now has another device.
    """
    now, planned = gate.reread()
    host = now.host(target.moid)
    refuse_other_devices(observed.host(target.moid), host, passthrough_writes(target.effective))
    left = gate.check(target.effective, planned, doing=f"change PCI passthrough on {host.name}")
    if not left:
        return Outcome()
    apply_passthrough(session, host, passthrough_writes(left))
    return Outcome(done=(f"{counted(len(left), 'device')} {'was' if len(left) == 1 else 'were'} written",))


def render(
    observed: ObservedHosts, request: PassthroughRequest, plan: Plan, outcomes: Mapping[str, Outcome]
) -> dict[str, Any]:
    """The result for all hosts of the plan."""
    hosts = [_host(observed, target, outcomes) for target in plan.targets]
    return {
        "hosts": hosts,
        "reboot_required": [host["name"] for host in hosts if host["reboot_required"]],
        "refused": [host["name"] for host in hosts if host["status"] == "refused"],
        "overridden": [entry["override"] for host in hosts for entry in host["overridden"]],
        "passed_over": [host["name"] for host in hosts if host["status"] == "skipped"],
    }


def _host(observed: ObservedHosts, target: TargetPlan, outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    host = observed.host(target.moid)
    selected = set(target.host_facts.selected)
    devices = [device for device in host.devices if device.address in selected]
    # Before the write the plan predicts what will be pending; after it the host reports it.
    is_forecast = bool(target.effective) and target.moid not in outcomes and not is_unreached(target, outcomes)
    pending = [device.address for device in devices if device.requires_reboot]
    if is_forecast:
        pending = list(target.host_facts.pending_after)
    return {
        **target_result(target, outcomes),
        "path": host.path,
        "cluster": host.cluster,
        "in_maintenance_mode": host.in_maintenance_mode,
        "reboot_required": bool(target.host_facts.reboot_expected if is_forecast else pending_devices(host)),
        "pending": pending,
        "groups": [list(group) for group in target.host_facts.groups],
        "overridden": [used.record() for used in target.host_facts.overridden],
        "devices": device_results(host, devices),
    }
