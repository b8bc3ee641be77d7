# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Combines the state on the server, the journal and what this process knows, for the scheduler. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

from ..._domain.gate_record import GateVms
from ..._domain.memo import Memo
from ..._domain.rolling.state.actions import refusal_key
from ..._domain.rolling.state.codec import decode_gate, decode_host, decode_lock, decode_maintenance, decode_vm
from ..._domain.rolling.state.journal import (
    EARLIER_MARK,
    GATE,
    HOST_ATTRIBUTES,
    LOCKS,
    MAINTENANCE,
    PAUSE,
    Before,
    Entry,
    Garbage,
    Lock,
    Purpose,
    VmEntry,
)
from ..._domain.rolling.state.observed import ClusterView, HostView, ObservedFleet, Precheck, Refusal, VmView
from ..attributes.journal import Subject
from ..attributes.values import Texts
from .pending_actions import PendingActions
from .probes import Probes

EMPTY: Texts = {}
_NO_JOURNAL: tuple[Entry | None, Before | None, tuple[Garbage, ...]] = (None, None, ())
"""The entry, the state before the reboot and the unreadable values on a host."""


@lru_cache(maxsize=8192)
def _of_host(*texts: str) -> tuple[Entry | None, Before | None, tuple[Garbage, ...]]:
    """Cached, because the same texts are decoded again in every round."""
    return decode_host(dict(zip(HOST_ATTRIBUTES, texts, strict=True)))


@lru_cache(maxsize=8192)
def _maintenance_of_host(text: str, mark: str) -> Entry | Garbage | None:
    return decode_maintenance({MAINTENANCE: text, EARLIER_MARK: mark})


@lru_cache(maxsize=8192)
def _gate_of_host(text: str) -> GateVms | Garbage | None:
    return decode_gate({GATE: text})


@dataclass(frozen=True, kw_only=True)
class ShownFleet:
    """What the server shows at one moment. ``values``: the journal, by object id. ``purpose``: of the entries of this run."""

    hosts: tuple[HostView, ...]
    vms: tuple[VmView, ...]
    clusters: tuple[ClusterView, ...]
    values: Mapping[str, Texts]
    now: float
    purpose: Purpose = "reboot"

    def texts(self, moid: str) -> Texts:
        """The journal texts on one object."""
        return self.values.get(moid, EMPTY)

    def journal_of(self, host: str) -> tuple[Entry | None, Before | None, tuple[Garbage, ...]]:
        """What is stored on a host."""
        texts = self.values.get(host)
        return _NO_JOURNAL if texts is None else _of_host(*[texts.get(name, "") for name in HOST_ATTRIBUTES])

    def maintenance_of(self, host: str) -> Entry | Garbage | None:
        """The entry of host_maintenance on a host."""
        texts = self.texts(host)
        return _maintenance_of_host(texts.get(MAINTENANCE, ""), texts.get(EARLIER_MARK, "")) if texts else None

    def entry_of(self, host: str) -> Entry | None:
        """The entry on a host, with the purpose of this run."""
        found = self.journal_of(host)[0] if self.purpose == "reboot" else self.maintenance_of(host)
        return found if isinstance(found, Entry) else None

    def entries(self) -> Mapping[str, tuple[HostView, Entry]]:
        """Host id → host and its entry, for hosts that have an entry."""
        found = ((view, self.entry_of(view.moid)) for view in self.hosts if view.moid in self.values)
        return {view.moid: (view, entry) for view, entry in found if entry is not None}

    def latest(self) -> float:
        """The latest time in the entries of hosts and VMs; 0 without entries."""
        moments = [max(entry.at, entry.called) for _unused, entry in self.entries().values()]
        for texts in self.values.values():
            entry = decode_vm(texts, self.purpose)
            if isinstance(entry, VmEntry):
                moments.append(max(entry.at, entry.called))
        return max(moments, default=0.0)

    def lock_of(self, moid: str) -> Lock | Garbage | None:
        """The lock of a cluster, or with the purpose ``maintenance`` that of a host."""
        return _decode_lock(self.texts(self.lock_subject(moid).moid).get(LOCKS[self.purpose], ""), self.purpose)

    def lock_subject(self, cluster: str) -> Subject:
        """The object that stores the lock; with the purpose ``maintenance`` the host itself. Not every release allows custom values on
        a compute resource that is no cluster: there its only host stores the lock."""
        host = cluster if self.purpose == "maintenance" else self._lock_hosts.get(cluster)
        return Subject(kind="cluster", moid=cluster) if host is None else Subject(kind="host", moid=host)

    @cached_property
    def _lock_hosts(self) -> Mapping[str, str]:
        """Compute resource → its host, for those that are no cluster."""
        alone = {view.moid: view.moid for view in self.clusters if not view.is_cluster}
        first = {view.host.compute_moid: view.moid for view in reversed(self.hosts)} if alone else {}
        return {moid: first.get(moid, moid) for moid in alone}


@dataclass(kw_only=True)
class FleetObserver:
    """Adds to the shown state what only this process knows. ``began``: host id → whether its maintenance mode was entered by this account
    when the process started, by the event log."""

    me: str
    scope: str
    pending_actions: PendingActions
    probes: Probes
    refusals: Mapping[str, Refusal]
    is_gone: Callable[[str], bool]
    run_id: str = ""
    begun: float = 0.0
    """When this process began to work, in a run without locks."""
    prechecks: dict[str, Precheck] = field(default_factory=dict)
    began: dict[str, bool | None] = field(default_factory=dict)
    detached: frozenset[str] = frozenset()
    """Ids of VMs that count as detached from their devices: only for forecasts."""
    ahead: float = 0.0
    """How much the clock of the server is ahead of that of the run."""
    _first: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Owner of a lock → (its heartbeat, when this process first saw that one)."""

    memo: Memo = field(default_factory=Memo)
    """A view is built again only if the server, the journal or this process has something new about its object."""

    def observe(self, seen: ShownFleet, pause: str) -> ObservedFleet:
        """The input of a decision. ``pause``: why no host is to be started now."""
        memo, calls, refusals = self.memo, self.pending_actions.all_under_way(), dict(self.refusals)
        shown = memo.once(_hosts_by_id, seen.hosts)
        facts = {
            moid: self._facts_of_host(shown[moid], seen, calls) for moid in self._known(seen, calls) & shown.keys()
        }
        hosts = memo.each(_with_facts, (), shown, facts)
        vms = memo.each(
            _observed_vm, (self.detached, seen.purpose), memo.once(_vms_by_id, seen.vms), seen.values, calls, refusals
        )
        clusters = memo.each(
            _with_facts_of_cluster,
            (),
            memo.once(_clusters_by_id, seen.clusters),
            {cluster.moid: self._facts_of_cluster(cluster, seen) for cluster in seen.clusters},
        )
        return ObservedFleet(
            me=self.me,
            run_id=self.run_id,
            scope=self.scope,
            begun=self.begun,
            hosts=memo.once(_all_hosts, hosts),
            vms=memo.once(_all_vms, vms),
            clusters=memo.once(_all_clusters, clusters),
            ahead=self.ahead,
            pause=pause,
        )

    def _known(self, seen: ShownFleet, calls: Mapping[str, frozenset[str]]) -> set[str]:
        """The hosts (ids) of which more is known than the server shows: few in a large fleet. These are all sources of
        ``_facts_of_host``."""
        if seen.purpose == "maintenance":
            return {view.moid for view in seen.hosts}
        sources = (seen.values, calls, self.prechecks, self.refusals, self.pending_actions.own, self.began)
        return self.probes.hosts.union(*sources)

    def _facts_of_host(self, view: HostView, seen: ShownFleet, calls: Mapping[str, frozenset[str]]) -> dict[str, Any]:
        """The fields of ``HostView`` that the server does not show."""
        moid = view.moid
        reboot, before, garbage = seen.journal_of(moid)
        kept = seen.maintenance_of(moid)
        maintenance = None
        if isinstance(kept, Garbage):
            garbage = (*garbage, kept)
        else:
            maintenance = kept
        entry, other = (reboot, maintenance) if seen.purpose == "reboot" else (maintenance, reboot)
        proof = self.probes.proof(view)
        gate = _gate_of_host(seen.texts(moid).get(GATE, ""))
        if isinstance(gate, Garbage):
            garbage, gate = (*garbage, gate), None
        return {
            "precheck": self.prechecks.get(moid),
            "entry": entry,
            "other_entry": other,
            "before": before,
            "lock": None if seen.purpose == "reboot" else self.judged(seen.lock_of(moid), seen.now),
            "gate_vms": gate,
            "garbage": garbage,
            "under_way": calls.get(moid, frozenset()),
            "refusal": self.refusals.get(moid),
            "lock_refusal": self.refusals.get(refusal_key("take_lock", moid)),
            "uptime": proof.uptime_at(seen.now) if proof is not None else None,
            "services_answer": proof.services if proof is not None else None,
            "maintenance_is_own": None if entry is None else self.pending_actions.own.get(moid, self.began.get(moid)),
            "bmc_power": self.probes.power(moid),
            "bmc_problem": self.probes.bmc_problem(moid),
        }

    def _facts_of_cluster(self, cluster: ClusterView, seen: ShownFleet) -> dict[str, Any]:
        return {
            "lock": self.judged(seen.lock_of(cluster.moid), seen.now),
            "pause": seen.texts(cluster.moid).get(PAUSE, cluster.pause),
            "refusal": self.refusals.get(refusal_key("take_lock", cluster.moid)),
        }

    def judged(self, lock: Lock | Garbage | None, now: float) -> Lock | Garbage | None:
        """With the last heartbeat by the clock of this run. If the lock owner was a process of this machine that has ended, its lock is
        stale at once."""
        if not isinstance(lock, Lock):
            return lock
        if lock.owner == self.me:
            return replace(lock, beat=lock.beat - lock.ahead)
        beat = lock.beat - self.ahead
        if beat > now + lock.ttl:
            # The clock that wrote it was set back since. It counts from when it was first seen here.
            known, since = self._first.get(lock.owner, (lock.beat, now))
            self._first[lock.owner] = (lock.beat, since if known == lock.beat else now)
            beat = self._first[lock.owner][1]
        return replace(lock, beat=beat, since=min(lock.since, beat), ended=self.is_gone(lock.owner))


def _with_facts(view: HostView, facts: Mapping[str, Any] | None) -> HostView:
    return view if facts is None else replace(view, **facts)


def _observed_vm(
    detached: frozenset[str],
    purpose: Purpose,
    vm: VmView,
    texts: Texts | None,
    under_way: frozenset[str] | None,
    refusal: Refusal | None,
) -> VmView:
    found = decode_vm(texts or EMPTY, purpose)
    bare = replace(vm, devices=(), fixed=False, vgpu=False) if vm.moid in detached else vm
    if found is None and not under_way and refusal is None:
        return bare  # as nearly all are, of thousands
    return replace(
        bare,
        entry=None if isinstance(found, Garbage) else found,
        garbage=(found,) if isinstance(found, Garbage) else (),
        under_way=under_way or frozenset(),
        refusal=refusal,
    )


@lru_cache(maxsize=1024)
def _decode_lock(text: str, purpose: Purpose) -> Lock | Garbage | None:
    return decode_lock({LOCKS[purpose]: text}, purpose)


def _hosts_by_id(views: tuple[HostView, ...]) -> Mapping[str, HostView]:
    return {view.moid: view for view in views}


def _with_facts_of_cluster(view: ClusterView, facts: Mapping[str, Any]) -> ClusterView:
    return replace(view, **facts)


def _clusters_by_id(views: tuple[ClusterView, ...]) -> Mapping[str, ClusterView]:
    return {view.moid: view for view in views}


def _all_clusters(views: Mapping[str, ClusterView]) -> tuple[ClusterView, ...]:
    return tuple(views.values())


def _vms_by_id(views: tuple[VmView, ...]) -> Mapping[str, VmView]:
    return {view.moid: view for view in views}


def _all_hosts(views: Mapping[str, HostView]) -> tuple[HostView, ...]:
    return tuple(views.values())


def _all_vms(views: Mapping[str, VmView]) -> tuple[VmView, ...]:
    return tuple(views.values())
