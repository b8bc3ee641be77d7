# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parameters of drift_info, and what it reads for them: the hosts and VMs that the intent means, and those that their plans depend on.
PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .._domain.drift.commands import Commands
from .._domain.drift.ignore_rules import Rule, parse_rules
from .._domain.drift.kinds import NotFound
from .._domain.errors import InputError
from .._domain.graphics.desired import DesiredGraphics, combine
from .._domain.host.selector import DesiredDevice
from .._domain.host.targets import Inventory, Target
from .._domain.host_entries.kinds import parse_host_entries
from .._domain.names import Reference
from .._domain.observed.hosts import Host
from .._domain.observed.vms import Vm, VmName
from .._domain.planning.unknown_names import Unknown
from .._vsphere.read.fleet import FleetRead, read_fleet
from .._vsphere.read.vms import read_holders
from .._vsphere.session.connect import Session
from .engine.graphics_targets import parse_graphics_list
from .engine.targets import parse_targets
from .engine.vms import neighbours
from .requested_vms import RequestedVm, parse_requested_vms

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
class ResolvedIntent:
    """The intent with ids of this inventory in place of names: host id → devices, VM id → entry."""

    hosts: Mapping[str, tuple[DesiredDevice, ...]]
    vms: Mapping[str, RequestedVm]
    not_found: tuple[NotFound, ...]
    graphics: Mapping[str, DesiredGraphics]


@dataclass(frozen=True, kw_only=True)
class ChosenFleet:
    """What was read of the hosts and VMs of an intent, and of those that its plans depend on.

    ``near``: the hosts, as their names were read. ``late``: VMs that a host lists, but that named another host when the names were read.
    """

    meaning: ResolvedIntent
    near: tuple[Host, ...]
    found: FleetRead
    late: tuple[Vm, ...]


def read_chosen(session: Session, inventory: Inventory, request: DriftRequest) -> ChosenFleet:
    """Read the hosts and VMs of the desired state, and those that their plans depend on, in one bulk read. Raises InputError."""
    meaning = _resolve(inventory, request)
    chosen_vms = [vm for vm in inventory.vms if vm.moid in meaning.vms]
    near = _near(inventory.hosts, meaning, chosen_vms, whole_fleet=request.whole_fleet)
    beside = neighbours(inventory, near, chosen_vms)
    found = read_fleet(session, near, chosen_vms, beside, graphics=bool(meaning.graphics) or request.whole_fleet)
    late = read_holders(session, neighbours(inventory, found.hosts, (*chosen_vms, *beside)))
    return ChosenFleet(meaning=meaning, near=near, found=found, late=late)


def _resolve(inventory: Inventory, request: DriftRequest) -> ResolvedIntent:
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
    return ResolvedIntent(
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
    everything: Sequence[Host], meaning: ResolvedIntent, chosen_vms: Sequence[VmName], *, whole_fleet: bool
) -> tuple[Host, ...]:
    """The hosts of the intent, and the hosts that a VM of the intent could run on."""
    if whole_fleet:
        return tuple(everything)
    homes = {vm.host_moid for vm in chosen_vms}
    computes = {host.compute_moid for host in everything if host.moid in homes}
    named = {*meaning.hosts, *meaning.graphics}
    return tuple(host for host in everything if host.moid in named or host.compute_moid in computes)
