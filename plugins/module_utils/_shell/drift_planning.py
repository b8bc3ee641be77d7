# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What drift_info concludes from what was read: plans, the details that they need, and the report. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from .._domain.drift.compare import (
    ObservedEndpoint,
    Plans,
    disks_to_read,
    find_drift,
    hosts_to_read_with_fabric,
    make_plans,
    vms_to_read_in_detail,
    with_users,
)
from .._domain.drift.ignore_rules import apply_rules
from .._domain.drift.kinds import is_settled
from .._domain.drift.report import Report, report, sentence
from .._domain.graphics.desired import DesiredHostGraphics
from .._domain.host.desired import function_entries, passthrough_entries
from .._domain.host.overrides import unknown_overrides
from .._domain.host.passthrough import DesiredPassthrough
from .._domain.host.targets import Inventory
from .._domain.host_entries.device_modes import with_modes
from .._domain.names import resolve_each
from .._domain.observed.hosts import Host
from .._domain.observed.vms import Vm
from .._domain.planning.unknown_names import sentences
from .._domain.rolling.advice import describe_work
from .._domain.sriov.desired import DesiredSriov
from .._domain.vm.devices.plan import DesiredVm, ObservedVms, needs_groups, needs_offers, needs_placement
from .._vsphere.attributes.leftovers import decode_traces
from .._vsphere.details.networks import read_networks
from .._vsphere.details.offers import read_groups, read_offers
from .._vsphere.details.placements import with_placements
from .._vsphere.details.plan_details import read_details
from .._vsphere.read.fabric import read_fabric
from .._vsphere.read.graphics import read_graphics_users
from .._vsphere.read.root_access import can_read_root
from .._vsphere.rolling.seen import status_of_traces
from .._vsphere.session.connect import Session
from .drift_reading import ChosenFleet, DriftRequest, ResolvedIntent, read_chosen
from .engine.vms import place_vms, unknown_vms, vms_of
from .rolling.run_owner import is_gone
from .settled import settled_lines, settled_stats


@dataclass(frozen=True, kw_only=True)
class DriftObservation:
    """What was read, and the plans that were made from it."""

    observed: ObservedEndpoint
    plans: Plans


def deepen(session: Session, observed: ObservedEndpoint, request: DriftRequest) -> DriftObservation:
    """The plans for the desired state, with the details that the differences depend on: at most the allowed number of calls."""
    plans = make_plans(observed)
    deeper = _read_limits(session, _read_fabrics(session, observed, plans, request), plans, request)
    deeper = _read_offers(session, deeper, plans, request)
    deeper = _read_placements(session, deeper, plans)
    deeper = _read_graphics_users(session, deeper, plans)
    return DriftObservation(observed=deeper, plans=plans if deeper is observed else make_plans(deeper))


def read_endpoint(session: Session, inventory: Inventory, request: DriftRequest) -> ObservedEndpoint:
    """Read the hosts and VMs of the desired state, and those that their plans depend on, in one bulk read. Raises InputError."""
    return endpoint_of(session, inventory, read_chosen(session, inventory, request), request)


def endpoint_of(session: Session, inventory: Inventory, chosen: ChosenFleet, request: DriftRequest) -> ObservedEndpoint:
    """The observed and the desired state from what was read. Networks of adapters and properties that are missing cost calls. Raises
    InputError."""
    meaning, found = chosen.meaning, chosen.found
    vms, others = place_vms(found.vms, chosen.near), place_vms((*found.others, *chosen.late), chosen.near)
    ignored = vms_of(inventory, request.ignored_vms, "ignore_unreadable_vms")
    ignored_on_hosts = vms_of(inventory, request.ignored_on_hosts, "host_ignore_unreadable_vms")
    hosts = with_users(found.hosts, (*vms, *others))
    if meaning.graphics or request.whole_fleet:
        names = {vm.moid: vm.name for vm in (*vms, *others)}
        hosts = tuple(replace(host, graphics=host.graphics and host.graphics.named(names)) for host in hosts)
    desired_vms, skipped = _parse_desired(vms, meaning, _only_on(inventory, request))
    journals = decode_traces(session, found.definitions, found.attributes, directory=request.journal_dir)
    return ObservedEndpoint(
        vms=ObservedVms(
            vms=vms,
            others=others,
            hosts=hosts,
            ignored_vms=ignored,
            device_limit=request.device_limit,
            networks=read_networks(session, _hosts_with_adapters(vms, desired_vms)),
        ),
        hosts=DesiredPassthrough(
            devices={moid: passthrough_entries(devices) for moid, devices in meaning.hosts.items()},
            on_missing=request.on_missing,
            allow_protected=request.allow_protected,
            ignore_unreadable_vms=ignored_on_hosts,
        ),
        functions=DesiredSriov(
            devices={
                moid: entries for moid, devices in meaning.hosts.items() if (entries := function_entries(devices))
            },
            on_missing=request.on_missing,
            ignore_unreadable_vms=ignored_on_hosts,
        ),
        modes={moid: entries for moid, devices in meaning.hosts.items() if (entries := with_modes(devices))},
        desired_vms=desired_vms,
        not_found=meaning.not_found,
        passed_over=skipped,
        whole_fleet=request.whole_fleet,
        sees_all=not meaning.not_found or can_read_root(session),
        journals=journals,
        rolling=status_of_traces(
            hosts, (*vms, *others), journals, lambda: session.instance.CurrentTime().timestamp(), is_gone
        ),
        api=session.api,
        graphics=DesiredHostGraphics(hosts=meaning.graphics, on_missing=request.on_missing)
        if meaning.graphics
        else None,
        is_vcenter=session.is_vcenter,
        unknown_names=(
            *unknown_overrides(request.allow_protected, inventory.hosts),
            *unknown_vms(inventory, request.ignored_vms, "ignore_unreadable_vms", hosts),
            *unknown_vms(inventory, request.ignored_on_hosts, "host_ignore_unreadable_vms", hosts),
        ),
    )


def _only_on(inventory: Inventory, request: DriftRequest) -> frozenset[str] | None:
    """Ids of the hosts whose VMs are compared; None for all."""
    if not request.only_on_hosts:
        return None
    named = dict.fromkeys(request.only_on_hosts, True)
    return frozenset(resolve_each(inventory.host_names, named, "only_on_hosts").by_id)


def _parse_desired(
    vms: Sequence[Vm], meaning: ResolvedIntent, only_on: frozenset[str] | None
) -> tuple[tuple[DesiredVm, ...], tuple[str, ...]]:
    here = [vm for vm in vms if only_on is None or vm.host_moid in only_on]
    elsewhere = tuple(vm.moid for vm in vms if only_on is not None and vm.host_moid not in only_on)
    return tuple(meaning.vms[vm.moid].desired_of(vm) for vm in here), elsewhere


def _hosts_with_adapters(vms: Sequence[Vm], desired_vms: Sequence[DesiredVm]) -> list[str]:
    """Ids of the hosts of VMs for which SR-IOV network adapters are desired. Their networks cost two calls, for any number of hosts."""
    asking = {desired.moid for desired in desired_vms if desired.sriov_networks}
    return [vm.host_moid for vm in vms if vm.moid in asking and vm.host_moid is not None]


def _read_fabrics(
    session: Session, observed: ObservedEndpoint, plans: Plans, request: DriftRequest
) -> ObservedEndpoint:
    """Read what the hosts depend on, in one bulk read. Partition tables cost one call per host, so only a few are read."""
    undecided = frozenset(hosts_to_read_with_fabric(observed, plans))
    if not undecided:
        return observed
    chosen = [host for host in observed.vms.hosts if host.moid in undecided]
    with_disks = disks_to_read(observed, plans)
    disks_of = with_disks[: request.max_host_queries]
    deep = {host.moid: host for host in read_fabric(session, chosen, disks_of=disks_of)}
    hosts = tuple(deep.get(host.moid, host) for host in observed.vms.hosts)
    return replace(
        observed, vms=replace(observed.vms, hosts=hosts), disks_unread=frozenset(with_disks) - frozenset(disks_of)
    )


def _read_graphics_users(session: Session, observed: ObservedEndpoint, plans: Plans) -> ObservedEndpoint:
    """Read the running VMs of the hosts whose Xorg would be restarted, in one bulk read. No call if there are none."""
    needed = {target.moid for target in plans.graphics.targets if target.host_facts.provisional}
    if not needed:
        return observed
    found = read_graphics_users(session, [host for host in observed.vms.hosts if host.moid in needed])
    deep = {host.moid: host for host in found}
    hosts = tuple(deep.get(host.moid, host) for host in observed.vms.hosts)
    return replace(observed, vms=replace(observed.vms, hosts=hosts))


def _read_limits(session: Session, observed: ObservedEndpoint, plans: Plans, request: DriftRequest) -> ObservedEndpoint:
    """Read VM limits and ids, two calls per host, for VMs on as many hosts as is allowed. The report lists the others as not read."""
    chosen: list[Vm] = []
    hosts: set[tuple[str | None, int]] = set()
    for moid in vms_to_read_in_detail(plans):
        vm = observed.vms.vm(moid)
        if len(hosts | {(vm.host_moid, vm.hardware_version)}) <= request.max_host_queries // 2:
            hosts.add((vm.host_moid, vm.hardware_version))
            chosen.append(vm)
    if not chosen:
        return observed
    return replace(observed, vms=read_details(session, observed.vms, chosen, plans.vms))


def _read_placements(session: Session, observed: ObservedEndpoint, plans: Plans) -> ObservedEndpoint:
    """Read the settings of the clusters of VMs with a VM-host rule, in one call for all of them."""
    vms = with_placements(session, observed.vms, needs_placement(plans.vms))
    return observed if vms is observed.vms else replace(observed, vms=vms)


def _read_offers(session: Session, observed: ObservedEndpoint, plans: Plans, request: DriftRequest) -> ObservedEndpoint:
    """Read what hosts offer to the VMs whose plan depends on it: one call for each of as many clusters as is allowed, and one bulk read."""
    hosts: dict[str, Host] = {}
    for moid in sorted(needs_offers(plans.vms)):
        found = observed.vms.candidates(observed.vms.vm(moid))
        computes = {host.compute_moid for host in (*hosts.values(), *found)}
        if len(computes) <= request.max_host_queries:
            hosts |= {host.moid: host for host in found}
    if not hosts:
        return observed
    offers = read_offers(session, list(hosts.values()), observed.vms.offers)
    grouped = {
        host.moid: host for moid in needs_groups(plans.vms) for host in observed.vms.candidates(observed.vms.vm(moid))
    }
    if len(grouped) <= request.max_host_queries:
        offers = read_groups(session, list(grouped.values()), offers)
    return replace(observed, vms=replace(observed.vms, offers=offers))


def rendered(seen: DriftObservation, request: DriftRequest) -> dict[str, Any]:
    """Compare and report. Adds a warning for each rule of ``ignore`` that matches nothing, and for exceptions that name nothing."""
    unknown = sentences(seen.observed.unknown_names, request.unknown_names, seen.plans.refusals())
    everything = find_drift(seen.observed, seen.plans, request.commands)
    differences, idle = apply_rules(everything, request.rules)
    found = report(request.commands.place, seen.observed, seen.plans, differences, idle)
    settled = is_settled(everything)
    return {
        "status": found["status"],
        "settled": settled,
        "summary": sentence(found),
        "report": found,
        **(_settled(found, request) if settled else {}),
        "in_progress": list(describe_work(seen.observed.rolling)),
        "warnings": [
            *(f"Rule {name!r} of ignore covers nothing: remove it or correct it" for name in idle),
            *unknown,
        ],
    }


def _settled(found: Report, request: DriftRequest) -> dict[str, Any]:
    """Here and not in a task of the role: each task takes 0.05 s, and this is the result of most runs of site."""
    stats = {} if request.publish_as is None else {"ansible_stats": settled_stats(request.publish_as)}
    return {"settled_lines": settled_lines(sentence(found), found["hosts"], found["vms"]), **stats}
