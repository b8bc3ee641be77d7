# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module drift_info, from its parameters to its result, in a bounded number of calls. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

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
from .._domain.drift.report import Report, report, sentence
from .._domain.errors import InputError
from .._domain.graphics.desired import DesiredGraphics, DesiredHostGraphics, combine
from .._domain.host.desired import function_entries, passthrough_entries
from .._domain.host.overrides import unknown_overrides
from .._domain.host.passthrough import DesiredPassthrough
from .._domain.host.selector import DesiredDevice
from .._domain.host.targets import Inventory, Target
from .._domain.host_entries.device_modes import with_modes
from .._domain.host_entries.kinds import parse_host_entries
from .._domain.names import Reference, resolve_each
from .._domain.observed.hosts import Host
from .._domain.observed.vms import Vm, VmName
from .._domain.planning.unknown_names import Unknown, sentences
from .._domain.rolling.advice import describe_work
from .._domain.sriov.desired import DesiredSriov
from .._domain.vm.devices.plan import DesiredVm, ObservedVms, needs_groups, needs_offers, needs_placement
from .._vsphere.attributes.leftovers import decode_traces
from .._vsphere.details.networks import read_networks
from .._vsphere.details.offers import read_groups, read_offers
from .._vsphere.details.placements import with_placements
from .._vsphere.details.plan_details import read_details
from .._vsphere.read.fabric import read_fabric
from .._vsphere.read.fleet import read_fleet
from .._vsphere.read.graphics import read_graphics_users
from .._vsphere.read.hosts import read_names
from .._vsphere.read.root_access import can_read_root
from .._vsphere.read.vms import read_holders
from .._vsphere.rolling.seen import status_of_traces
from .._vsphere.session.connect import Session
from .engine.graphics_targets import parse_graphics_list
from .engine.targets import parse_targets
from .engine.vms import neighbours, place_vms, unknown_vms, vms_of
from .requested_vms import RequestedVm, parse_requested_vms
from .rolling.run_owner import is_gone
from .settled import settled_lines, settled_stats

_UNKNOWN_NAMES = ("unknown_host", "unknown_cluster", "unknown_vm")
"""Error codes of a name that nothing in the inventory has."""


@dataclass(frozen=True, kw_only=True)
class DriftRequest:
    """The parameters of drift_info."""

    targets: tuple[Target, ...]
    vms: tuple[RequestedVm, ...]
    only_on_hosts: frozenset[str]
    ignored_vms: frozenset[str]
    ignored_on_hosts: frozenset[str]
    unknown_names: Unknown
    device_limit: int | None
    on_missing: Literal["fail", "skip"]
    allow_protected: tuple[str, ...]
    whole_fleet: bool
    rules: tuple[Rule, ...]
    graphics_targets: tuple[Target, ...]
    graphics: tuple[DesiredGraphics, ...]
    max_host_queries: int
    journal_dir: str
    commands: Commands
    publish_as: str | None

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> DriftRequest:
        """Read the parameters. Raises InputError."""
        if params["max_host_queries"] < 0:
            raise InputError(
                message=f"max_host_queries is {params['max_host_queries']}",
                code="bad_amount",
                parameter="max_host_queries",
                cure="Give a number from 0, which asks none",
            )
        graphics_targets, graphics = parse_graphics_list(params["graphics"] or ())
        return cls(
            graphics_targets=graphics_targets,
            graphics=graphics,
            targets=parse_targets(params, devices_required=False, parse=parse_host_entries)
            if params["targets"]
            else (),
            vms=parse_requested_vms({**params, "devices": None, "sriov_networks": None}) if params["vms"] else (),
            only_on_hosts=frozenset(params["only_on_hosts"]),
            ignored_vms=frozenset(params["ignore_unreadable_vms"]),
            ignored_on_hosts=frozenset(params["host_ignore_unreadable_vms"]),
            unknown_names=params["unknown_names"],
            device_limit=params["host_device_limit"],
            on_missing=params["on_missing"],
            allow_protected=tuple(params["allow_protected"]),
            whole_fleet=params["scope"] == "fleet",
            rules=parse_rules(params["ignore"]),
            max_host_queries=params["max_host_queries"],
            journal_dir=params["journal_dir"],
            publish_as=params["publish_as"],
            commands=Commands(
                vcenter=params["hostname"] or "", port=params["port"], arguments=params["command_arguments"]
            ),
        )


@dataclass(frozen=True, kw_only=True)
class DriftObservation:
    """What was read, and the plans that were made from it."""

    observed: ObservedEndpoint
    plans: Plans


@dataclass(frozen=True, kw_only=True)
class _ResolvedIntent:
    """The intent with ids of this inventory in place of names: host id → devices, VM id → entry."""

    hosts: Mapping[str, tuple[DesiredDevice, ...]]
    vms: Mapping[str, RequestedVm]
    not_found: tuple[NotFound, ...]
    graphics: Mapping[str, DesiredGraphics]


def observe(session: Session, request: DriftRequest) -> DriftObservation:
    """Read hosts and VMs: one bulk read of names and one of everything else, for any number of them; then the details that
    the differences depend on, with at most the allowed number of calls. Raises InputError."""
    return deepen(session, read_endpoint(session, read_names(session, managers=True), request), request)


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
    meaning = _resolve(inventory, request)
    chosen_vms = [vm for vm in inventory.vms if vm.moid in meaning.vms]
    near = _near(inventory.hosts, meaning, chosen_vms, whole_fleet=request.whole_fleet)
    beside = neighbours(inventory, near, chosen_vms)
    found = read_fleet(session, near, chosen_vms, beside, graphics=bool(meaning.graphics) or request.whole_fleet)
    # VMs that a host lists, but that named another host when the names were read.
    late = read_holders(session, neighbours(inventory, found.hosts, (*chosen_vms, *beside)))
    vms, others = place_vms(found.vms, near), place_vms((*found.others, *late), near)
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


def _resolve(inventory: Inventory, request: DriftRequest) -> _ResolvedIntent:
    hosts: dict[str, list[DesiredDevice]] = {}
    not_found: list[NotFound] = []
    for target in request.targets:
        for moid in _find_hosts(inventory, target, not_found):
            devices = hosts.setdefault(moid, [])
            devices.extend(desired for desired in target.devices if desired not in devices)
    vms: dict[str, RequestedVm] = {}
    for entry in request.vms:
        vm = _find_vm(inventory, entry.reference, not_found)
        if vm is not None and vms.setdefault(vm, entry) != entry:
            raise InputError(
                message=f"{inventory.vm_names.label(vm)} is named twice",
                code="vm_twice",
                parameter="vms",
                cure="Put all devices of one VM into one entry",
            )
    graphics: dict[str, DesiredGraphics] = {}
    for target, settings in zip(request.graphics_targets, request.graphics, strict=True):
        for moid in _find_hosts(inventory, target, not_found):
            known = graphics.get(moid)
            graphics[moid] = settings if known is None else combine(known, settings, inventory.host_names.label(moid))
    return _ResolvedIntent(
        graphics=graphics,
        hosts={moid: tuple(devices) for moid, devices in hosts.items()},
        vms=vms,
        not_found=tuple(dict.fromkeys(not_found)),
    )


def _find_hosts(inventory: Inventory, target: Target, not_found: list[NotFound]) -> list[str]:
    """Ids of the hosts of a target. Hosts and clusters that do not exist are added to ``not_found``: one unknown name must not stop
    the comparison of the others.

    Raises InputError for a name that more than one host or cluster has.
    """
    if not target.hosts and not target.clusters:
        return [host.moid for host in inventory.hosts]
    names, members_of = inventory.host_names, inventory.members_of
    found: dict[str, None] = {}
    for name in target.hosts:
        found.update(_find_or_note(lambda name: [names.find(name, "hosts").moid], "host", name, not_found))
    for cluster in target.clusters:
        found.update(
            _find_or_note(lambda name: [host.moid for host in members_of(name)], "cluster", cluster, not_found)
        )
    return list(found)


def _find_vm(inventory: Inventory, reference: Reference, not_found: list[NotFound]) -> str | None:
    """Id of the VM with this name or id. When there is none: None, and an entry in ``not_found``."""
    found = _find_or_note(
        lambda _name: [inventory.vm_names.find(reference, "vms").moid], "vm", reference.text, not_found
    )
    return next(iter(found), None)


def _find_or_note(
    find: Callable[[str], Iterable[str]], kind: Literal["cluster", "host", "vm"], name: str, not_found: list[NotFound]
) -> dict[str, None]:
    try:
        return dict.fromkeys(find(name))
    except InputError as error:
        if error.code not in _UNKNOWN_NAMES:
            raise
        known = f". There are: {'; '.join(error.candidates)}" if error.candidates else ""
        not_found.append(NotFound(type=kind, name=name, cause=f"{error.message}{known}"))
        return {}


def _near(
    everything: Sequence[Host], meaning: _ResolvedIntent, chosen_vms: Sequence[VmName], *, whole_fleet: bool
) -> tuple[Host, ...]:
    """The hosts of the intent, and the hosts that a VM of the intent could run on."""
    if whole_fleet:
        return tuple(everything)
    homes = {vm.host_moid for vm in chosen_vms}
    computes = {host.compute_moid for host in everything if host.moid in homes}
    named = {*meaning.hosts, *meaning.graphics}
    return tuple(host for host in everything if host.moid in named or host.compute_moid in computes)


def _only_on(inventory: Inventory, request: DriftRequest) -> frozenset[str] | None:
    """Ids of the hosts whose VMs are compared; None for all."""
    if not request.only_on_hosts:
        return None
    named = dict.fromkeys(request.only_on_hosts, True)
    return frozenset(resolve_each(inventory.host_names, named, "only_on_hosts").by_id)


def _parse_desired(
    vms: Sequence[Vm], meaning: _ResolvedIntent, only_on: frozenset[str] | None
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


def render(seen: DriftObservation, request: DriftRequest) -> dict[str, Any]:
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
