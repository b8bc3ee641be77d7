# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Combines the state on the server, the journal and what this process knows, for the scheduler. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from ..._domain.rolling.state.codec import decode_host, decode_lock, decode_maintenance, decode_vm
from ..._domain.rolling.state.journal import (
    EARLIER_MARK,
    HOST_ATTRIBUTES,
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
from ..attributes.journal import Subject, Texts
from .pending_actions import PendingActions
from .probes import Probes

EMPTY: Texts = {}


@lru_cache(maxsize=8192)
def _of_host(*texts: str) -> tuple[Entry | None, Before | None, tuple[Garbage, ...]]:
    """Cached, because the same texts are decoded again in every round."""
    return decode_host(dict(zip(HOST_ATTRIBUTES, texts, strict=True)))


@lru_cache(maxsize=8192)
def _maintenance_of_host(text: str, mark: str) -> Entry | Garbage | None:
    return decode_maintenance({MAINTENANCE: text, EARLIER_MARK: mark})


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
        """Entry, state before the reboot and unreadable values on a host."""
        return _of_host(*(self.texts(host).get(name, "") for name in HOST_ATTRIBUTES))

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

    def lock_subject(self, cluster: str) -> Subject:
        """The object that stores the lock. Not every release allows custom values on a compute resource that is no cluster: there its only
        host stores the lock."""
        view = next((view for view in self.clusters if view.moid == cluster), None)
        if view is None or view.is_cluster:
            return Subject(kind="cluster", moid=cluster)
        host = next((host.moid for host in self.hosts if host.host.compute_moid == cluster), cluster)
        return Subject(kind="host", moid=host)


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

    def observe(self, seen: ShownFleet, pause: str) -> ObservedFleet:
        """The input of a decision. ``pause``: why no host is to be started now."""
        return ObservedFleet(
            me=self.me,
            run_id=self.run_id,
            scope=self.scope,
            begun=self.begun,
            hosts=tuple(self._host(view, seen) for view in seen.hosts),
            vms=tuple(self._vm(vm, seen) for vm in seen.vms),
            clusters=tuple(self._cluster(cluster, seen) for cluster in seen.clusters),
            ahead=self.ahead,
            pause=pause,
        )

    def _host(self, view: HostView, seen: ShownFleet) -> HostView:
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
        return replace(
            view,
            precheck=self.prechecks.get(moid),
            entry=entry,
            other_entry=other,
            before=before,
            garbage=garbage,
            under_way=self.pending_actions.under_way(moid),
            refusal=self.refusals.get(moid),
            uptime=proof.uptime_at(seen.now) if proof is not None else None,
            services_answer=proof.services if proof is not None else None,
            maintenance_is_own=None if entry is None else self.pending_actions.own.get(moid, self.began.get(moid)),
            bmc_power=self.probes.power(moid),
            bmc_problem=self.probes.bmc_problem(moid),
        )

    def _vm(self, vm: VmView, seen: ShownFleet) -> VmView:
        found = decode_vm(seen.texts(vm.moid), seen.purpose)
        bare = replace(vm, devices=(), fixed=False, vgpu=False) if vm.moid in self.detached else vm
        under_way, refusal = self.pending_actions.under_way(vm.moid), self.refusals.get(vm.moid)
        if found is None and not under_way and refusal is None:
            return bare  # as nearly all are, of thousands, at each look
        return replace(
            bare,
            entry=None if isinstance(found, Garbage) else found,
            garbage=(found,) if isinstance(found, Garbage) else (),
            under_way=under_way,
            refusal=refusal,
        )

    def _cluster(self, cluster: ClusterView, seen: ShownFleet) -> ClusterView:
        lock = decode_lock(seen.texts(seen.lock_subject(cluster.moid).moid))
        return replace(
            cluster,
            lock=self.judged(lock, seen.now),
            pause=seen.texts(cluster.moid).get(PAUSE, cluster.pause),
            refusal=self.refusals.get(cluster.moid),
        )

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
