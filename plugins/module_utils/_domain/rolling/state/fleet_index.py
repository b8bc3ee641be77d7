# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The observed fleet, indexed for one decision. PRIVATE to the collection."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...health_gate import GateTarget, gate_targets
from ...host.boot_evidence import BootEvidence
from ...memo import Memo
from .budget import cluster_budget, counts_as_down, fleet_budget
from .journal import Entry, Lock
from .observed import ClusterView, HostView, ObservedFleet, Refusal, VmView
from .pending_reboot import PendingReboot, pending_reboot_of
from .policy import Policy
from .verification import boot_evidence


@dataclass(frozen=True, kw_only=True, slots=True)
class FleetIndex:
    """``now``: the clock of the run (``ObservedFleet.ahead``), rounded down to seconds, because the journal stores no fractions."""

    observed: ObservedFleet
    policy: Policy
    now: float
    hosts: Mapping[str, HostView]
    clusters: Mapping[str, ClusterView]
    members: Mapping[str, tuple[HostView, ...]]
    """cluster moid → its hosts, sorted by name."""
    residents: Mapping[str, tuple[VmView, ...]]
    """host moid → VMs that are registered on it."""
    stopped_vms: Mapping[str, tuple[VmView, ...]]
    """host moid → VMs that were stopped for it, wherever they are registered now. If that host no longer exists: their present host."""
    pending_reboots: Mapping[str, PendingReboot]
    memo: Memo = field(compare=False)
    """Calls the rules that depend on a few objects only, such as one host with its VMs."""

    def cluster_of(self, view: HostView) -> ClusterView:
        """The cluster of the host, or its compute resource where it is in no cluster."""
        return self.clusters[view.host.compute_moid]

    def pause_of(self, view: HostView) -> str:
        """The text of the pause that applies to the host; empty if none does. A restore and host_maintenance are not paused: a person
        requests them for certain hosts."""
        if self.policy.goal != "reboot" or self.policy.only_restore:
            return ""
        return self.observed.pause or self.cluster_of(view).pause

    @property
    def wall(self) -> float:
        """The time of day by the clock of vCenter. Only maintenance windows depend on it."""
        return self.now + self.observed.ahead

    def taken(self, view: HostView) -> float | None:
        """When this run took the lock of the cluster of the host, or began to work without locks; None before that."""
        lock = self.cluster_of(view).lock
        if isinstance(lock, Lock) and lock.owner == self.observed.me:
            return lock.since
        return self.observed.begun or None

    def end_of(self, view: HostView, begun: float, seconds: float) -> float:
        """The deadline of a phase that began at ``begun`` and may last ``seconds``. Time in which no run worked on the cluster does not
        count: a run that resumes an interrupted one the next morning has the full time for the phase."""
        taken = self.taken(view)
        return max(begun, begun if taken is None else taken) + seconds

    def evidence(self, view: HostView, entry: Entry, begun: float) -> BootEvidence:
        """What shows whether the host was rebooted since ``begun``."""
        taken = self.taken(view)
        return boot_evidence(
            view, entry, self.policy, self.now, begun=begun, taken=self.now if taken is None else taken
        )

    def gate_targets(self, view: HostView) -> tuple[GateTarget, ...]:
        """What must succeed before the health gate of the host has passed."""
        names = {vm.moid: vm.name for vm in self.observed.vms}
        return gate_targets(self.policy.gate, view.gate_vms, names)

    def has_room(self, view: HostView) -> bool:
        """Whether the budgets allow this host to be down in addition to those that are down now. A host that a user named for maintenance
        needs no room."""
        if self.policy.goal != "reboot":
            return True
        members = self.members[view.host.compute_moid]
        budget = cluster_budget(self.cluster_of(view), len(members), self.policy)
        down = sum(1 for other in members if other.moid != view.moid and counts_as_down(other))
        if down >= budget:
            return False
        fleet = fleet_budget(len(self.hosts), self.policy)
        return sum(1 for other in self.hosts.values() if other.moid != view.moid and counts_as_down(other)) < fleet


def index_fleet(observed: ObservedFleet, policy: Policy, now: float, memo: Memo | None = None) -> FleetIndex:
    """Index the fleet for one decision at ``now``. ``memo``: of the decision before, if there was one."""
    memo = memo or Memo()
    members = memo.once(_members, observed.hosts)
    hosts = memo.once(_hosts_by_id, members)
    residents = memo.once(_residents, observed.vms)
    return FleetIndex(
        observed=observed,
        policy=policy,
        now=float(int(now)),
        hosts=hosts,
        clusters=memo.once(_clusters_by_id, observed.clusters),
        members=members,
        residents=residents,
        stopped_vms=memo.once(_stopped_vms, observed.vms, memo.once(frozenset, hosts)),
        pending_reboots=memo.once(_known, memo.each(_pending_reboot, (policy,), hosts)),
        memo=memo,
    )


def _members(views: tuple[HostView, ...]) -> Mapping[str, tuple[HostView, ...]]:
    members: dict[str, list[HostView]] = defaultdict(list)
    for view in sorted(views, key=lambda view: (view.name, view.moid)):
        members[view.host.compute_moid].append(view)
    return {moid: tuple(views) for moid, views in members.items()}


def _hosts_by_id(members: Mapping[str, tuple[HostView, ...]]) -> Mapping[str, HostView]:
    return {view.moid: view for views in members.values() for view in views}


def _clusters_by_id(clusters: tuple[ClusterView, ...]) -> Mapping[str, ClusterView]:
    return {cluster.moid: cluster for cluster in clusters}


def _residents(vms: tuple[VmView, ...]) -> Mapping[str, tuple[VmView, ...]]:
    found: dict[str, list[VmView]] = defaultdict(list)
    for vm in vms:
        found[vm.host_moid].append(vm)
    return {moid: tuple(vms) for moid, vms in found.items()}


def _stopped_vms(vms: tuple[VmView, ...], hosts: frozenset[str]) -> Mapping[str, tuple[VmView, ...]]:
    found: dict[str, list[VmView]] = defaultdict(list)
    for vm in vms:
        if vm.entry is not None:
            found[vm.entry.host if vm.entry.host in hosts else vm.host_moid].append(vm)
    return {moid: tuple(vms) for moid, vms in found.items()}


def _pending_reboot(policy: Policy, view: HostView) -> PendingReboot | None:
    return pending_reboot_of(view, policy)


def _known(pending_reboots: Mapping[str, PendingReboot | None]) -> Mapping[str, PendingReboot]:
    return {moid: pending for moid, pending in pending_reboots.items() if pending is not None}


def next_call_at(
    kind: str, called: float, wait: float, under_way: frozenset[str], refusal: Refusal | None
) -> float | None:
    """When an API call that had no effect is made again; None while the call is in progress."""
    if kind in under_way:
        return None
    refused = refusal.at if refusal is not None and refusal.kind == kind else called
    return max(called, refused) + wait


def earliest(*moments: float | None) -> float | None:
    """The earliest time; None when there is none."""
    return min((moment for moment in moments if moment is not None), default=None)
