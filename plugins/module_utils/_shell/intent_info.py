# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module intent_info, from its parameters to its result, in a bounded number of calls. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from .._domain.adoption.entries import AdoptedIntent
from .._domain.adoption.intent import describe, left_over, propose, with_adoption, with_hosts_of_vms, without_troubled
from .._domain.drift.compare import ObservedEndpoint, find_drift
from .._domain.errors import InputError
from .._domain.host.targets import Inventory, no_hosts_seen
from .._domain.names import Directory, Reference
from .._domain.observed.hosts import Host
from .._domain.observed.networks import unnamed_port_groups, with_network_names
from .._domain.observed.vms import FixedBacking, SriovBacking, Vm
from .._domain.plain import Record
from .._vsphere.details.networks import read_networks, read_port_group_names
from .._vsphere.details.placements import with_placements
from .._vsphere.read.hosts import read_names
from .._vsphere.read.vms import read_vms
from .._vsphere.session.connect import Session
from .drift_planning import deepen, read_endpoint
from .drift_reading import DriftRequest
from .engine.vms import place_vms

_ROUNDS = 10
"""The largest number of comparisons. Each takes at least one object out of the intent; two are usual: one that finds what is unhealthy."""


@dataclass(frozen=True, kw_only=True)
class IntentQuery:
    """The parameters of intent_info, as a comparison of the whole vCenter with nothing desired."""

    comparison: DriftRequest

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> IntentQuery:
        """Read the parameters. Raises InputError."""
        nothing: dict[str, Any] = {
            "targets": None,
            "graphics": None,
            "unknown_names": "warn",
            "vms": None,
            "only_on_hosts": (),
            "ignore_unreadable_vms": (),
            "host_ignore_unreadable_vms": (),
            "host_device_limit": None,
            "on_missing": "fail",
            "allow_protected": (),
            "scope": "fleet",
            "ignore": (),
            "command_arguments": "",
            "publish_as": None,
        }
        return cls(comparison=DriftRequest.of({**params, **nothing}))


@dataclass(frozen=True, kw_only=True)
class AdoptedFleet:
    """What is adopted, and the hosts and VMs that were read."""

    adoption: AdoptedIntent
    observed: ObservedEndpoint


def observe(session: Session, query: IntentQuery) -> AdoptedFleet:
    """Read all hosts, and all VMs with devices, and decide what the intent for them is. Raises InputError."""
    inventory = read_names(session, managers=True)
    request = query.comparison
    if not inventory.hosts:
        raise no_hosts_seen(request.commands.place)
    observed = _with_whole_vms(session, inventory, read_endpoint(session, inventory, request))

    def host_name(host: Host) -> str:
        return _reference(inventory.host_names, host.moid, host.name)

    adoption = propose(observed, host_name, lambda vm: _vm_names(inventory.vm_names, vm))
    for _round in range(_ROUNDS):
        found = deepen(session, with_adoption(observed, adoption), request)
        differences = find_drift(found.observed, found.plans, request.commands)
        smaller = without_troubled(adoption, differences)
        if (smaller.hosts, smaller.vms) == (adoption.hosts, adoption.vms):
            break
        observed, adoption = replace(observed, vms=found.observed.vms), smaller
    else:
        raise InputError(
            message=f"The state of {request.commands.place} changes while it is read: {len(differences)} differences remain",
            code="not_settled",
            cure="Wait until no other run and no user changes devices there, then run it again",
        )
    adoption = replace(adoption, left=left_over(adoption, differences, request.commands))
    return AdoptedFleet(adoption=with_hosts_of_vms(adoption, observed.vms.hosts, host_name), observed=found.observed)


def _with_whole_vms(session: Session, inventory: Inventory, observed: ObservedEndpoint) -> ObservedEndpoint:
    """With the VMs that have devices read in full, in one bulk read; the networks of their adapters, and the rules of their clusters."""
    chosen = {vm.moid for vm in observed.vms.others if vm.devices or vm.unread_devices}
    vms = read_vms(session, [vm for vm in inventory.vms if vm.moid in chosen], pools=True) if chosen else ()
    vms = with_network_names(vms, read_port_group_names(session, unnamed_port_groups(vms)))
    vms = place_vms(vms, observed.vms.hosts)
    read = {vm.moid for vm in vms}
    with_adapters = {vm.host_moid for vm in vms if any(isinstance(one.backing, SriovBacking) for one in vm.devices)}
    found = replace(
        observed.vms,
        vms=vms,
        others=tuple(vm for vm in observed.vms.others if vm.moid not in read),
        networks=read_networks(session, [moid for moid in with_adapters if moid is not None]),
    )
    fixed = [vm.moid for vm in vms if any(isinstance(one.backing, FixedBacking) for one in vm.devices)]
    return replace(observed, vms=with_placements(session, found, fixed))


def _reference(names: Directory, moid: str, label: str) -> str:
    """The shortest text that an option for hosts understands as this object: its name, its path, or its id."""
    for text in (label, f"/{names.path(moid)}"):
        if _means(names, Reference(text), moid):
            return text
    return moid


def _vm_names(names: Directory, vm: Vm) -> Record:
    for text in (vm.name, f"/{names.path(vm.moid)}"):
        if _means(names, Reference(text, "name"), vm.moid):
            return {"name": text}
    return {"moid": vm.moid}


def _means(names: Directory, reference: Reference, moid: str) -> bool:
    try:
        found = names.lookup(reference, "name")
    except InputError:
        return False
    return found is not None and found.moid == moid


def render(found: AdoptedFleet, query: IntentQuery) -> dict[str, Any]:
    """The result: the intent host by host and VM by VM, and what is not adopted."""
    adoption, observed = found.adoption, found.observed
    members: dict[str, list[Host]] = {}
    for host in observed.vms.hosts:
        if host.cluster is not None:
            members.setdefault(host.cluster, []).append(host)
    return {
        "vcenter": query.comparison.commands.vcenter,
        "port": query.comparison.commands.port,
        "hosts": [host.record() for host in adoption.hosts],
        "vms": [vm.record() for vm in adoption.vms],
        "not_adopted": [one.record() for one in adoption.left],
        "clusters": {cluster: len(hosts) for cluster, hosts in sorted(members.items())},
        "summary": describe(adoption, observed.vms.hosts, tuple(observed.vms.everyone())),
    }
