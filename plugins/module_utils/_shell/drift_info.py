# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole intent of one vCenter against what is there, in a bounded number of calls. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .._domain.drift.commands import Commands
from .._domain.drift.compare import (
    NotFound,
    ObservedEndpoint,
    Plans,
    disks_to_read,
    find_drift,
    hosts_to_read_with_fabric,
    make_plans,
    vms_to_read_in_detail,
    with_users,
)
from .._domain.drift.ignore_rules import Rule, apply_rules, parse_rules
from .._domain.drift.kinds import is_settled
from .._domain.drift.report import report, sentence
from .._domain.errors import InputError
from .._domain.host.passthrough import DesiredPassthrough
from .._domain.host.selector import DesiredDevice
from .._domain.host.targets import Inventory, Target, parse_targets
from .._domain.names import resolve_each
from .._domain.observed.hosts import Host
from .._domain.observed.vms import Vm, VmName
from .._domain.plan import Plan
from .._domain.vm.devices.plan import DesiredVm, ObservedVms
from .._vsphere.attributes.leftovers import read_traces
from .._vsphere.read.fabric import read_fabric
from .._vsphere.read.hosts import read_bindings, read_names, reread_hosts
from .._vsphere.read.root_access import has_say_at_root
from .._vsphere.read.vm_limits import read_options
from .._vsphere.read.vms import read_holders, read_vms
from .._vsphere.session.connect import Session
from .drift_names import hosts_of, vm_of
from .engine.observe import neighbours, place_vms, vms_of
from .engine.run import Outcome
from .vm_pci_device import DeviceRequest, RequestedVm, desired_vm


@dataclass(frozen=True, kw_only=True)
class DriftRequest:
    """The parameters of drift_info."""

    targets: tuple[Target, ...]
    vms: tuple[tuple[RequestedVm, tuple[DesiredDevice, ...]], ...]
    only_on_hosts: frozenset[str]
    ignored_vms: frozenset[str]
    device_limit: int | None
    on_missing: Any
    allow_protected: tuple[str, ...]
    whole_fleet: bool
    rules: tuple[Rule, ...]
    max_host_queries: int
    journal_dir: str
    commands: Commands

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> DriftRequest:
        if params["max_host_queries"] < 0:
            raise InputError(
                message=f"max_host_queries is {params['max_host_queries']}",
                code="bad_amount",
                parameter="max_host_queries",
                cure="Give a number from 0, which asks none",
            )
        return cls(
            targets=parse_targets(params, devices_required=False) if params["targets"] else (),
            vms=DeviceRequest.of({**params, "devices": None}).entries if params["vms"] else (),
            only_on_hosts=frozenset(params["only_on_hosts"]),
            ignored_vms=frozenset(params["ignore_unreadable_vms"]),
            device_limit=params["host_device_limit"],
            on_missing=params["on_missing"],
            allow_protected=tuple(params["allow_protected"]),
            whole_fleet=params["scope"] == "fleet",
            rules=parse_rules(params["ignore"]),
            max_host_queries=params["max_host_queries"],
            journal_dir=params["journal_dir"],
            commands=Commands(
                vcenter=params["hostname"] or "", port=params["port"], arguments=params["command_arguments"]
            ),
        )


@dataclass(frozen=True, kw_only=True)
class DriftObservation:
    """What was read, and the plans made for it."""

    observed: ObservedEndpoint
    plans: Plans | None = None


@dataclass(frozen=True, kw_only=True)
class _Meaning:
    """What the names of the intent mean in this inventory."""

    hosts: Mapping[str, tuple[DesiredDevice, ...]]
    vms: Mapping[str, tuple[RequestedVm, tuple[DesiredDevice, ...]]]
    not_found: tuple[NotFound, ...]


def observe(session: Session, request: DriftRequest) -> DriftObservation:
    """Two bulk reads of names and of hosts, one or two of VMs, whatever the size."""
    inventory = read_names(session)
    meaning = _meaning(inventory, request)
    desired_state = [vm for vm in inventory.vms if vm.moid in meaning.vms]
    near = _near(inventory.hosts, meaning, desired_state, whole_fleet=request.whole_fleet)
    hosts = reread_hosts(session, near, numa=True, vms=True)
    vms = place_vms(read_vms(session, desired_state, pools=True), near)
    others = place_vms(read_holders(session, neighbours(inventory, hosts, desired_state)), near)
    hosts = with_users(read_bindings(session, hosts), (*vms, *others))
    desired_vms, passed = _parse_desired(vms, meaning, _only_on(inventory, request))
    observed = ObservedEndpoint(
        vms=ObservedVms(
            vms=vms,
            others=others,
            hosts=hosts,
            ignored_vms=vms_of(inventory, request.ignored_vms, "ignore_unreadable_vms"),
            device_limit=request.device_limit,
        ),
        hosts=DesiredPassthrough(
            devices=meaning.hosts, on_missing=request.on_missing, allow_protected=request.allow_protected
        ),
        desired_vms=desired_vms,
        entries={vm.moid: entry.options["devices"] or () for vm in vms for entry, _unused in (meaning.vms[vm.moid],)},
        not_found=meaning.not_found,
        passed_over=passed,
        whole_fleet=request.whole_fleet,
        sees_all=not meaning.not_found or has_say_at_root(session),
        journals=read_traces(session, [host.moid for host in near], directory=request.journal_dir),
    )
    return DriftObservation(observed=observed)


def _meaning(inventory: Inventory, request: DriftRequest) -> _Meaning:
    hosts: dict[str, list[DesiredDevice]] = {}
    not_found: list[NotFound] = []
    for target in request.targets:
        for moid in hosts_of(inventory, target, not_found):
            known = hosts.setdefault(moid, [])
            known.extend(desired for desired in target.devices if desired not in known)
    vms: dict[str, tuple[RequestedVm, tuple[DesiredDevice, ...]]] = {}
    for entry, devices in request.vms:
        vm = vm_of(inventory, entry.reference, not_found)
        if vm is not None and vms.setdefault(vm, (entry, devices)) != (entry, devices):
            raise InputError(
                message=f"{inventory.vm_names.label(vm)} is named twice",
                code="vm_twice",
                parameter="vms",
                cure="Put all devices of one VM into one entry",
            )
    return _Meaning(
        hosts={moid: tuple(desired_vms) for moid, desired_vms in hosts.items()},
        vms=vms,
        not_found=tuple(dict.fromkeys(not_found)),
    )


def _near(
    everything: Sequence[Host], meaning: _Meaning, desired_state: Sequence[VmName], *, whole_fleet: bool
) -> tuple[Host, ...]:
    """Hosts of the intent, and those that a wished VM could run on."""
    if whole_fleet:
        return tuple(everything)
    homes = {vm.host_moid for vm in desired_state}
    computes = {host.compute_moid for host in everything if host.moid in homes}
    return tuple(host for host in everything if host.moid in meaning.hosts or host.compute_moid in computes)


def _only_on(inventory: Inventory, request: DriftRequest) -> frozenset[str] | None:
    """Ids of the hosts on which VMs are looked at; None for all."""
    if not request.only_on_hosts:
        return None
    named = dict.fromkeys(request.only_on_hosts, True)
    return frozenset(resolve_each(inventory.host_names, named, "only_on_hosts").by_id)


def _parse_desired(
    vms: Sequence[Vm], meaning: _Meaning, only_on: frozenset[str] | None
) -> tuple[tuple[DesiredVm, ...], tuple[str, ...]]:
    here = [vm for vm in vms if only_on is None or vm.host_moid in only_on]
    elsewhere = tuple(vm.moid for vm in vms if only_on is not None and vm.host_moid not in only_on)
    return tuple(desired_vm(vm, *meaning.vms[vm.moid]) for vm in here), elsewhere


def deepen(session: Session, seen: DriftObservation, request: DriftRequest, plan: Plan) -> DriftObservation:
    """Read what the differences hang on, within the calls that are allowed, and plan again where that was anything."""
    observed, plans = seen.observed, make_plans(seen.observed)
    deeper = _ask(session, _look_into(session, observed, plans, request), plans, request)
    return DriftObservation(observed=deeper, plans=plans if deeper is observed else make_plans(deeper))


def _look_into(session: Session, observed: ObservedEndpoint, plans: Plans, request: DriftRequest) -> ObservedEndpoint:
    """What hosts live on: one bulk read. Partition tables are one call a host, so they are read of a few."""
    wanted = frozenset(hosts_to_read_with_fabric(observed, plans))
    if not wanted:
        return observed
    chosen = [host for host in observed.vms.hosts if host.moid in wanted]
    storage = disks_to_read(observed, plans)
    asked = storage[: request.max_host_queries]
    deep = {host.moid: host for host in read_fabric(session, chosen, disks_of=asked)}
    hosts = tuple(deep.get(host.moid, host) for host in observed.vms.hosts)
    return replace(observed, vms=replace(observed.vms, hosts=hosts), disks_unread=frozenset(storage) - frozenset(asked))


def _ask(session: Session, observed: ObservedEndpoint, plans: Plans, request: DriftRequest) -> ObservedEndpoint:
    """Limits and ids, two questions a host: for VMs of as many hosts as are allowed. The rest is reported as not looked at."""
    asked: list[Vm] = []
    hosts: set[tuple[str | None, int]] = set()
    for moid in vms_to_read_in_detail(plans):
        vm = observed.vms.vm(moid)
        if len(hosts | {(vm.host_moid, vm.hardware_version)}) <= request.max_host_queries // 2:
            hosts.add((vm.host_moid, vm.hardware_version))
            asked.append(vm)
    if not asked:
        return observed
    options = read_options(session, asked, observed.vms.hosts)
    return replace(
        observed,
        vms=replace(observed.vms, limits=options.limits, system_ids=options.system_ids, offered=options.offered),
    )


def render(
    seen: DriftObservation, request: DriftRequest, plan: Plan, outcomes: Mapping[str, Outcome]
) -> dict[str, Any]:
    plans = seen.plans or make_plans(seen.observed)
    everything = find_drift(seen.observed, plans, request.commands)
    differences, idle = apply_rules(everything, request.rules)
    found = report(request.commands.place, seen.observed, plans, differences, idle)
    return {
        "status": found["status"],
        "settled": is_settled(everything),
        "summary": sentence(found),
        "report": found,
        "warnings": [f"Rule {name!r} of ignore covers nothing: take it out, or correct it" for name in idle],
    }
