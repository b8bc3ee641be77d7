# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what clusters decide about where VMs run: DRS, HA, overrides, groups, and VM-host rules. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from ..._domain.observed.hosts import Host
from ..._domain.vm.observed_vms import ObservedVms
from ..._domain.vm.placement import ClusterPlacement, VmHostRule
from ..property_collector.retrieve import collect_objects
from ..sdk import vim
from ..session.answer_checks import reader
from ..session.connect import Session

_PATH = "configurationEx"
_DEDICATED = vim.cluster.FailoverHostAdmissionControlPolicy


def with_placements(session: Session, observed: ObservedVms, vms: Iterable[str]) -> ObservedVms:
    """The state with the settings of the clusters of these VMs (ids), and whether DRS of these clusters places VMs. One call for all."""
    chosen = frozenset(vms)
    hosts = [host for vm in observed.vms if vm.moid in chosen and (host := observed.host_of(vm)) is not None]
    computes = {host.compute_moid for host in hosts if host.cluster is not None and host.compute_moid}
    unread = computes - set(observed.placements)
    if not unread:
        return observed
    found = read_placements(session, unread)
    return replace(
        observed,
        hosts=tuple(_with_drs(host, found) if host.compute_moid in found else host for host in observed.hosts),
        placements={**observed.placements, **found},
    )


def _with_drs(host: Host, found: dict[str, ClusterPlacement | None]) -> Host:
    """DRS that is on places VMs at every automation level: where it only recommends hosts, the best recommendation is applied
    (``power_on.start_vm``)."""
    placement = found[host.compute_moid]
    if placement is None:
        return host
    kept = host.moid in placement.failover_hosts
    return replace(host, drs_places_vms=placement.drs_enabled, kept_free_by_ha=kept)


@reader
def read_placements(session: Session, computes: Iterable[str]) -> dict[str, ClusterPlacement | None]:
    """Cluster id → its settings; None when they could not be read. One bulk read."""
    moids = sorted(computes)
    rows = collect_objects(session, vim.ClusterComputeResource, moids, (_PATH,))
    found: dict[str, ClusterPlacement | None] = dict.fromkeys(moids)
    found.update({row.moid: placement_of(row.get(_PATH)) for row in rows})
    return found


def placement_of(config: Any) -> ClusterPlacement | None:
    """Convert ``configurationEx`` of a cluster. A group or rule that the API leaves out is none: unset lists are empty."""
    drs, das = getattr(config, "drsConfig", None), getattr(config, "dasConfig", None)
    if drs is None or das is None:
        return None
    groups = config.group or ()
    members = {group.name: _members(group) for group in groups}
    overrides = () if drs.enableVmBehaviorOverrides is False else config.drsVmConfig or ()
    return ClusterPlacement(
        drs_enabled=bool(drs.enabled),
        ha_enabled=bool(das.enabled),
        unmanaged=frozenset(item.key._moId for item in overrides if item.enabled is False),
        failover_hosts=_failover_hosts(das),
        rules=tuple(_rule(rule, members) for rule in config.rule or () if _is_vm_host(rule)),
        groups=frozenset(members),
    )


def _failover_hosts(das: Any) -> frozenset[str]:
    policy = das.admissionControlPolicy
    if not das.enabled or not das.admissionControlEnabled or not isinstance(policy, _DEDICATED):
        return frozenset()
    return frozenset(host._moId for host in policy.failoverHosts or ())


def _is_vm_host(rule: Any) -> bool:
    return isinstance(rule, vim.cluster.VmHostRuleInfo)


def _members(group: Any) -> frozenset[str]:
    found: Sequence[Any] = getattr(group, "vm", None) or getattr(group, "host", None) or ()
    return frozenset(item._moId for item in found)


def _rule(rule: Any, members: dict[str, frozenset[str]]) -> VmHostRule:
    affine = bool(rule.affineHostGroupName)
    hosts = rule.affineHostGroupName if affine else rule.antiAffineHostGroupName
    return VmHostRule(
        name=rule.name or "",
        vms=members.get(rule.vmGroupName or "", frozenset()),
        hosts=members.get(hosts or "", frozenset()),
        affine=affine,
        mandatory=bool(rule.mandatory),
        enabled=rule.enabled is not False,
    )
