# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read hosts, their VMs and their custom attributes in one call. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._domain.observed.hosts import Host
from ..._domain.observed.vms import Vm, VmName
from ..property_collector.parser import PageStart, ReadPart
from ..property_collector.retrieve import DEVICES_PAGE, collect_parts
from ..sdk import vim
from ..session.answer_checks import reader
from ..session.connect import Session
from .hosts import bound_hosts, hosts_part, read_bindings
from .vms import holder_paths, holders, vms_in_full, vms_part

_VALUES = "customValue"


@dataclass(frozen=True, kw_only=True, slots=True)
class FleetRead:
    """What one read returned. ``hosts``: with the VMs that a device is bound to. ``others``: only devices and power state of these VMs.

    ``definitions``: the custom attributes that are defined in vCenter. ``attributes``: ``customValue`` of hosts, VMs and clusters by id.
    """

    hosts: tuple[Host, ...]
    vms: tuple[Vm, ...]
    others: tuple[Vm, ...]
    definitions: Collection[Any]
    attributes: Mapping[str, Collection[Any]]


@reader
def read_fleet(
    session: Session,
    hosts: Sequence[Host],
    vms: Sequence[VmName],
    others: Sequence[VmName],
    *,
    graphics: bool = False,
) -> FleetRead:
    """Read these hosts, these VMs in full, and the devices of the other VMs, in one bulk read. Removed VMs are left out.

    ``graphics``: read the graphics of the hosts, too.
    ``hosts``: from ``read_names`` with ``managers``. For hosts whose manager is not known from there, bindings cost one more call.
    """
    known = hosts_part(session, hosts, graphics=graphics)
    wanted = vms_part(session, vms, pools=True)
    starts, paths = [*known.starts, *wanted.starts], {**known.paths, **wanted.paths}
    manager = session.content.customFieldsManager
    if manager is not None:
        starts.append(PageStart(kind=vim.CustomFieldsManager, moids=[manager._moId]))
        paths[vim.CustomFieldsManager] = ("field",)
        clusters = sorted({host.compute_moid for host in hosts if host.cluster is not None})
        if clusters:
            starts.append(PageStart(kind=vim.ClusterComputeResource, moids=clusters))
            paths[vim.ClusterComputeResource] = (_VALUES,)
        for kind in (vim.HostSystem, vim.VirtualMachine):
            paths[kind] = (*paths[kind], _VALUES)
    of_holders = holder_paths(session)
    beside = ReadPart(
        starts=[PageStart(kind=vim.VirtualMachine, moids=[vm.moid for vm in others])],
        paths={vim.VirtualMachine: of_holders if manager is None else (*of_holders, _VALUES)},
    )
    found = collect_parts(session, [ReadPart(starts=starts, paths=paths), beside], page=DEVICES_PAGE)
    asked = {host.assignable_moid for host in hosts}
    now = bound_hosts(found, hosts, graphics=graphics)
    bound = {host.moid: host for host in read_bindings(session, [h for h in now if h.assignable_moid not in asked])}
    ids = {vm.moid for vm in others}
    return FleetRead(
        hosts=tuple(bound.get(host.moid, host) for host in now),
        vms=vms_in_full(found, vms),
        others=holders((row for row in found[vim.VirtualMachine] if row.moid in ids), others),
        definitions=[item for row in found.get(vim.CustomFieldsManager, ()) for item in row.get("field", ())],
        attributes={
            row.moid: row.get(_VALUES, ())
            for kind in (vim.HostSystem, vim.VirtualMachine, vim.ClusterComputeResource)
            for row in found.get(kind, ())
        },
    )
