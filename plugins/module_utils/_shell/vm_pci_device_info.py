# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module vm_pci_device_info, from its parameters to its result. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._domain.names import Reference, near
from .._domain.observed.networks import unnamed_port_groups, with_network_names
from .._domain.observed.vms import Vm
from .._domain.timestamps import on_day
from .._domain.vm.devices.shared_cards import cards_by_place, fixed_addresses, shared_cards
from .._vsphere.details.networks import read_port_group_names
from .._vsphere.session.connect import Session
from .engine.observe import observe_vms, vms_on
from .engine.output import vm_result
from .engine.targets import SELECTORS, refuse_empty


@dataclass(frozen=True, kw_only=True)
class VmQuery:
    """The parameters of vm_pci_device_info."""

    vms: tuple[str, ...]
    hosts: tuple[str, ...]
    clusters: tuple[str, ...]
    include: str
    skip_unknown: bool

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> VmQuery:
        """Read the parameters. Raises InputError."""
        refuse_empty(params, ("vms", *SELECTORS), may_lack=True)
        return cls(
            vms=tuple(params["vms"] or ()),
            hosts=tuple(params["hosts"] or ()),
            clusters=tuple(params["cluster"] or ()),
            include=params["include"],
            skip_unknown=params["on_missing"] == "skip",
        )


@dataclass(frozen=True, kw_only=True)
class FoundVms:
    """The VMs; ``found``: name in the query → VM id; ``missing``: name that matches none → similar names."""

    vms: tuple[Vm, ...]
    found: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, list[str]] = field(default_factory=dict)


def observe(session: Session, query: VmQuery) -> FoundVms:
    """Read the named VMs, or all VMs on the named hosts and clusters. Raises InputError for an unknown name."""
    if not query.vms:
        return FoundVms(vms=_with_names(session, vms_on(session, query.hosts, query.clusters)))
    references = {name: Reference(name) for name in query.vms}
    seen = observe_vms(session, list(references.values()), skip_unknown=query.skip_unknown)
    names = {vm.name for vm in seen.inventory.vms}
    found = {name: seen.meant[reference] for name, reference in references.items() if reference in seen.meant}
    missing = {name: near(name, names) for name in references if name not in found}
    return FoundVms(vms=_with_names(session, seen.vms), found=found, missing=missing)


def _with_names(session: Session, vms: Sequence[Vm]) -> tuple[Vm, ...]:
    """The VMs with the names of the port groups of their SR-IOV network adapters: one call if there are any."""
    return with_network_names(vms, read_port_group_names(session, unnamed_port_groups(vms)))


def render(observed: FoundVms, query: VmQuery) -> dict[str, Any]:
    """The result. A VM without passthrough devices is in it only if it was named, or with ``include: all``."""
    shows_all = bool(query.vms) or query.include == "all"
    places = cards_by_place(observed.vms)
    return {
        "vms": [
            {
                **vm_result(vm),
                "uuid": vm.uuid,
                "created": None if vm.created is None else on_day(vm.created),
                "shared_devices": [card.record() for card in shared_cards(vm, fixed_addresses(vm.devices), places)],
                "extra_config": dict(sorted(vm.extra_config.items())),
            }
            for vm in observed.vms
            if shows_all or vm.devices
        ],
        "found": dict(observed.found),
        "missing": {name: list(similar) for name, similar in observed.missing.items()},
    }
