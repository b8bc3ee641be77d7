# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module vm_pci_device_info, from its parameters to its result. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._domain.names import Reference
from .._domain.observed.vms import Vm
from .._vsphere.session.connect import Session
from .engine.observe import observe_vms, vms_on
from .engine.output import vm_result


@dataclass(frozen=True, kw_only=True)
class VmQuery:
    """The parameters of vm_pci_device_info."""

    vms: tuple[str, ...]
    hosts: tuple[str, ...]
    clusters: tuple[str, ...]
    include: str

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> VmQuery:
        """Read the parameters."""
        return cls(
            vms=tuple(params["vms"] or ()),
            hosts=tuple(params["hosts"] or ()),
            clusters=tuple(params["cluster"] or ()),
            include=params["include"],
        )


def observe(session: Session, query: VmQuery) -> tuple[Vm, ...]:
    """Read the named VMs, or all VMs on the named hosts and clusters. Raises InputError for an unknown name."""
    if query.vms:
        return observe_vms(session, [Reference(name) for name in query.vms]).vms
    return vms_on(session, query.hosts, query.clusters)


def render(observed: tuple[Vm, ...], query: VmQuery) -> dict[str, Any]:
    """The result. A VM without passthrough devices is in it only if it was named, or with ``include: all``."""
    shows_all = bool(query.vms) or query.include == "all"
    return {
        "vms": [
            {**vm_result(vm), "extra_config": dict(sorted(vm.extra_config.items()))}
            for vm in observed
            if shows_all or vm.devices
        ]
    }
