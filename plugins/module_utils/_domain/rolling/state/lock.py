# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock of a cluster, and which interrupted run is resumed. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ...planning.plan import Blocker
from ...text import duration
from .actions import Action, Kind
from .codec import digest
from .fleet_index import next_call_at
from .journal import Entry, Garbage, Lock, is_active
from .observed import ClusterView, ObservedFleet
from .policy import Policy

HOSTS_TO_REBOOT = "its hosts are to be rebooted"
"""The ordinary reason to take a lock."""
LOCKED, _IS_LOCKED = "locked", " is locked by "
"""Code and words of the blocker of a cluster that another run has locked."""
RESTORES = (
    "This run brings back what an earlier run left off or out of service. It starts no host, and requests no reboot."
)
"""The first line of a restore."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LockState:
    """Whether this run has the lock of a cluster. ``held``: actions are allowed there now."""

    held: bool = False
    actions: tuple[Action, ...] = ()
    blocker: Blocker | None = None
    wake: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Adoption:
    """The id of the rolling reboot, and the reason as a sentence for the log; ``resumed``: an earlier run began it."""

    run_id: str
    resumed: bool
    note: str = ""


def scope_digest(moids: Iterable[str], policy: Policy) -> str:
    """The same digest for the same request, whichever user or run makes it."""
    return digest(policy.reason, policy.method, *sorted(moids))


def is_stale(lock: Lock, now: float) -> bool:
    """The process of the owner is known to have ended, or the last heartbeat is older than the time to live of the lock."""
    return lock.is_stale(now)


def may_take(lock: Lock, policy: Policy, now: float) -> bool:
    """Whether the policy allows to take this lock from another run."""
    if lock.owner == policy.lock.owner:
        return True
    return policy.lock.take == "force" or (policy.lock.take == "stale" and is_stale(lock, now))


def may_work_under(lock: Lock | Garbage | None, *, me: str, policy: Policy, now: float) -> bool:
    """Whether this run may continue what was begun under this lock: no other active run works there."""
    if isinstance(lock, Garbage):
        return policy.lock.take == "force"
    return lock is None or lock.owner == me or may_take(lock, policy, now)


def adopt(
    locks: Iterable[Lock | Garbage | None],
    entries: Iterable[tuple[Lock | Garbage | None, Entry]],
    *,
    me: str,
    scope: str,
    policy: Policy,
    now: float,
    fresh_id: str,
) -> Adoption:
    """The rolling reboot that this run belongs to: what was begun is finished first, by any run. Each of ``entries`` comes with the lock
    of its cluster: hosts on which another active run works belong to that run.

    A run that has locks stays with its rolling reboot. Otherwise hosts in progress decide, then locks of the same request that may be
    taken, then recent entries of a rolling reboot that ended incomplete.
    """
    known = sorted((lock for lock in locks if isinstance(lock, Lock)), key=lambda lock: (-lock.beat, lock.run_id))
    own = [entry for held, entry in entries if may_work_under(held, me=me, policy=policy, now=now)]
    own.sort(key=lambda entry: (-entry.at, entry.run_id))
    for lock in known:
        if lock.owner == me:
            return Adoption(run_id=lock.run_id, resumed=True)
    for entry in own:
        if is_active(entry):
            note = RESTORES if policy.only_restore else "Hosts of an earlier run are in progress: this run resumes it."
            return Adoption(run_id=entry.run_id, resumed=True, note=note)
    for lock in known:
        if lock.scope == scope and may_take(lock, policy, now):
            note = RESTORES if policy.only_restore else f"This run resumes the run of {lock.owner}."
            return Adoption(run_id=lock.run_id, resumed=True, note=note)
    for entry in own:
        if entry.step != "failed" and now - entry.at <= policy.resume_within:
            note = "An earlier run ended before all hosts were done: this run resumes it, and does not repeat what is done."
            return Adoption(run_id=entry.run_id, resumed=True, note=RESTORES if policy.only_restore else note)
    return Adoption(run_id=fresh_id, resumed=False)


def plan_lock(cluster: ClusterView, observed: ObservedFleet, policy: Policy, now: float) -> LockState:
    """What to do about the lock of a cluster in which there is work."""
    lock, rule = cluster.lock, policy.lock
    if isinstance(lock, Garbage):
        if rule.take != "force":
            return LockState(blocker=_unreadable(cluster, lock))
        return _take(cluster, observed, policy, now, None, "its lock cannot be read, and take_lock is force")
    if lock is None:
        return _take(cluster, observed, policy, now, None, HOSTS_TO_REBOOT)
    if lock.owner != observed.me:
        if not may_take(lock, policy, now):
            return LockState(blocker=_locked(cluster, lock, policy, now), wake=lock.beat + lock.ttl + 1)
        why = f"the lock of {lock.owner} {'is stale' if is_stale(lock, now) else 'is taken, as requested by take_lock'}"
        ended = "its process has ended, and " if lock.ended else ""
        return _take(
            cluster, observed, policy, now, lock, f"{why}: {ended}its last heartbeat is {duration(now - lock.beat)} old"
        )
    if is_stale(lock, now):
        renewed = replace(lock, since=now, beat=now, ttl=rule.ttl)
        return LockState(
            actions=_write(cluster, "renew_lock", renewed, "the lock of this run has expired"), wake=now + rule.settle
        )
    settled = lock.since + rule.settle
    if now < settled:
        return LockState(wake=settled)
    beat = lock.beat + rule.heartbeat
    if now >= beat:
        renewed = replace(lock, beat=now, ttl=rule.ttl)
        return LockState(
            held=True, actions=_write(cluster, "renew_lock", renewed, "heartbeat"), wake=now + rule.heartbeat
        )
    return LockState(held=True, wake=beat)


def _take(
    cluster: ClusterView, observed: ObservedFleet, policy: Policy, now: float, old: Lock | None, reason: str
) -> LockState:
    refusal = cluster.refusal
    if refusal is not None and refusal.kind == "take_lock":
        due = next_call_at("take_lock", 0.0, policy.deadlines.retry, cluster.under_way, refusal)
        if refusal.permanent or due is None or now < due:
            return LockState(blocker=_refused(cluster, refusal.text), wake=None if refusal.permanent else due)
    lock = Lock(
        owner=observed.me,
        run_id=observed.run_id,
        scope=observed.scope,
        since=now,
        beat=now,
        ttl=policy.lock.ttl,
        purpose=policy.purpose,
        finishing=old is not None and old.finishing and old.run_id == observed.run_id,
    )
    return LockState(actions=_write(cluster, "take_lock", lock, reason), wake=now + policy.lock.settle)


def _write(cluster: ClusterView, kind: Kind, lock: Lock | None, reason: str) -> tuple[Action, ...]:
    return (Action(kind=kind, target=cluster.moid, name=cluster.name, reason=reason, entry=lock),)


def finish(cluster: ClusterView, reason: str) -> tuple[Action, ...]:
    """Mark the lock: a run that comes after an interruption only clears the journal."""
    lock = cluster.lock
    if not isinstance(lock, Lock):
        return ()
    return _write(cluster, "finish_lock", replace(lock, finishing=True), reason)


def release(clusters: Sequence[ClusterView], me: str) -> tuple[Action, ...]:
    """Remove the locks of this run."""
    return tuple(
        action
        for cluster in clusters
        if isinstance(cluster.lock, Lock) and cluster.lock.owner == me
        for action in _write(cluster, "release_lock", None, "nothing is left to do in this cluster")
    )


def _locked(cluster: ClusterView, lock: Lock, policy: Policy, now: float) -> Blocker:
    silent = now - lock.beat
    if is_stale(lock, now):
        state = f"sent its last heartbeat {duration(silent)} ago and has {'' if lock.ended else 'probably '}ended"
        cure = "Check that it has ended, then run again with take_lock: stale to take the lock"
    else:
        state = f"has been working for {duration(now - lock.since)}, last heartbeat {duration(silent)} ago"
        waits = ", or set blocked_timeout to the seconds that this run waits for it" if policy.goal == "reboot" else ""
        free = duration(lock.beat + lock.ttl - now)
        cure = f"Wait until it has finished{waits}. Without another heartbeat its lock may be taken in {free}"
    return Blocker(code=LOCKED, message=f"{cluster.name}{_IS_LOCKED}{lock.owner}, which {state}", cure=cure)


def holder_of(code: str, message: str) -> str:
    """The owner of the lock that a blocker names; empty for another blocker."""
    return message.partition(_IS_LOCKED)[2].partition(", which ")[0] if code == LOCKED else ""


def _unreadable(cluster: ClusterView, lock: Garbage) -> Blocker:
    return Blocker(
        code="lock_unreadable",
        message=f"The lock on {cluster.name} cannot be read: {lock.text[:60]!r}",
        cure="Make sure that no other run reboots hosts of this cluster, then run again with take_lock: force",
    )


def _refused(cluster: ClusterView, text: str) -> Blocker:
    return Blocker(
        code="lock_refused",
        message=f"The lock on {cluster.name} could not be written: {text}",
        cure="Grant the account the privilege to set custom attributes, or store the journal in a file (journal: file)",
    )
