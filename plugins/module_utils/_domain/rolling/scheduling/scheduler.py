# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scheduler: from what is seen to what is done next. PRIVATE to the collection.

A pure function of the world, the policy and the time, without memory: every answer is the answer of a process that has just started.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ...plan import Blocker
from ..state.actions import Action
from ..state.fleet_index import Scene, scene_of, soonest
from ..state.journal import Entry, Lock
from ..state.observed import ClusterView, HostView, World
from ..state.phases import ANOTHER_RUN, Decision, HostStatus, Move, Outlook, Phase, is_active, phase_of
from ..state.policy import Policy
from ..steps import guests
from ..steps.next_step import next_move
from . import finish, lock, next_hosts, pace
from .hold_notices import notices
from .next_hosts import Start
from .pace import Progress


@dataclass(frozen=True, kw_only=True, slots=True)
class _InHand:
    """Moves of all hosts that are, or were, in hand; ``actions`` and ``wake`` of all of it."""

    moves: Mapping[str, Move]
    hands: Mapping[str, lock.Hand]
    """cluster moid → its lock; clusters in which nothing is to be done are left out."""
    actions: tuple[Action, ...]
    wake: float | None

    def holds(self, view: HostView) -> bool:
        hand = self.hands.get(view.host.compute_moid)
        return hand is not None and hand.held


def next_actions(world: World, policy: Policy, now: float) -> tuple[Action, ...]:
    """What is to be done now; independent of each other, at most one thing a target."""
    return decide(world, policy, now).actions


def decide(world: World, policy: Policy, now: float) -> Decision:
    """What is to be done now, where every host stands and why, and how the whole of it will go on.

    When ``outlook.ended``, the actions are the last ones: they are to be carried out, and nothing is to be asked again. Otherwise the
    world is to be looked at again when it changes, or at ``outlook.wake_at``.
    """
    scene = scene_of(world, policy, now)
    finishing = any(
        isinstance(cluster.lock, Lock)
        and cluster.lock.finishing
        and cluster.lock.roll == world.roll
        and lock.open_to_us(cluster.lock, me=world.me, policy=policy, now=now)
        for cluster in world.clusters
    )
    candidates = [] if finishing else [view for view in scene.hosts.values() if next_hosts.is_candidate(scene, view)]
    in_hand = _in_hand(scene, candidates)
    state = pace.progress(scene, len(candidates))
    starts = _without_hope(scene, state, next_hosts.starts(scene, candidates, state, in_hand.hands))
    hosts = tuple(_status(scene, view, in_hand, starts) for view in scene.hosts.values())
    outlook = _outlook(scene, state, in_hand, starts, finishing=finishing)
    actions = (*in_hand.actions, *(action for begun in starts.values() for action in begun.actions))
    if outlook.ended:
        last = finish.closing(scene, hosts, state, outlook, finishing=finishing)
        return Decision(actions=last.actions, hosts=hosts, outlook=last.outlook, closing=finishing)
    outlook = replace(outlook, notices=notices(scene, state, starts, outlook))
    return Decision(actions=actions, hosts=hosts, outlook=outlook, closing=finishing)


def _without_hope(scene: Scene, state: Progress, starts: Mapping[str, Start]) -> Mapping[str, Start]:
    """Hosts that wait for whatever it may be, and would then fit into no maintenance window, wait for nothing."""
    waiting = [scene.hosts[moid] for moid, begun in starts.items() if begun.phase == "waiting" and not begun.actions]
    never = pace.never_fits(scene, state, waiting)
    return {
        moid: Start(phase="waiting", reason=never[moid].reason, hopeless=True) if moid in never else begun
        for moid, begun in starts.items()
    }


def _in_hand(scene: Scene, candidates: list[HostView]) -> _InHand:
    """Locks first; then the hosts of clusters that are in our hand."""
    busy = {view.host.compute_moid for view in candidates}
    busy |= {view.host.compute_moid for view in scene.hosts.values() if _has_work(scene, view)}
    hands = {
        cluster.moid: lock.hand_of(cluster, scene.world, scene.policy, scene.now)
        for cluster in sorted(scene.clusters.values(), key=lambda cluster: (cluster.name, cluster.moid))
        if cluster.moid in busy or _is_ours(cluster, scene.world)
    }
    moves: dict[str, Move] = {}
    for view in scene.hosts.values():
        hand = hands.get(view.host.compute_moid)
        if hand is not None and hand.held:
            move = _move(scene, view)
            if move is not None:
                moves[view.moid] = move
    actions = [action for hand in hands.values() for action in hand.actions]
    actions += [action for move in moves.values() for action in move.actions]
    wake = soonest(*(hand.wake for hand in hands.values()), *(move.wake for move in moves.values()))
    return _InHand(moves=moves, hands=hands, actions=tuple(actions), wake=wake)


def _is_ours(cluster: ClusterView, world: World) -> bool:
    return isinstance(cluster.lock, Lock) and (cluster.lock.owner == world.me or cluster.lock.roll == world.roll)


def _has_work(scene: Scene, view: HostView) -> bool:
    """Something of the host is to be done or cleared away, besides starting it."""
    entry = view.entry
    if scene.owed.get(view.moid) and (view.serves or is_active(entry)):
        return True
    if entry is None:
        return False
    return entry.step != "failed" or view.serves or next_hosts.may_verify_again(scene, view)


def _move(scene: Scene, view: HostView) -> Move | None:
    entry = view.entry
    if entry is None:
        if not (scene.owed.get(view.moid) and view.serves):
            return None
        work = guests.restore(scene, view)
        return Move(phase="restoring", reason=work.reason, actions=work.actions, wake=work.wake)
    again = _settled(scene, view, entry)
    return again if again is not None else next_move(scene, view, entry)


def _settled(scene: Scene, view: HostView, entry: Entry) -> Move | None:
    """A host that failed in an earlier run: proven again when that is asked for, or brought back by a person meanwhile."""
    held = scene.cluster_of(view).lock
    if entry.step != "failed" or not isinstance(held, Lock) or entry.at >= held.since:
        return None
    if next_hosts.may_verify_again(scene, view):
        step = "verifying" if entry.asked is not None else "backing_out"
        fresh = replace(entry, roll=scene.world.roll, step=step, at=scene.now, calls=0, called=0.0)  # type: ignore[arg-type]
        return _recorded(view, fresh, "it is proven again, as asked for")
    settled = view.serves and entry.asked is not None and not scene.owed.get(view.moid)
    debt = scene.debts.get(view.moid)
    if settled and (debt is None or scene.policy.reason == "firmware"):
        text = "rebooted, and brought back into service by a person"
        return _recorded(view, replace(entry, roll=scene.world.roll, step="done", at=scene.now, text=text), text)
    return None


def _recorded(view: HostView, entry: Entry, reason: str) -> Move:
    action = Action(kind="record", target=view.moid, name=view.name, reason=reason, entry=entry)
    return Move(phase=phase_of(replace(view, entry=entry)), reason=reason, actions=(action,))


def _status(scene: Scene, view: HostView, in_hand: _InHand, starts: Mapping[str, Start]) -> HostStatus:
    phase, reason, blockers = _standing(scene, view, in_hand, starts.get(view.moid))
    return HostStatus(
        moid=view.moid,
        name=view.name,
        cluster=scene.cluster_of(view).name,
        phase=phase,
        reason=reason,
        since=None if view.entry is None or view.moid in starts else view.entry.at,
        blockers=blockers,
        vms=tuple(vm.name for vm in scene.owed.get(view.moid, ())),
    )


def _standing(
    scene: Scene, view: HostView, in_hand: _InHand, begun: Start | None
) -> tuple[Phase, str, tuple[Blocker, ...]]:
    """Where a host stands, and why."""
    move, entry = in_hand.moves.get(view.moid), view.entry
    if begun is not None:
        return begun.phase, begun.reason, begun.blockers
    if move is not None:
        return move.phase, move.reason or (entry.text if entry is not None else ""), ()
    if entry is not None:
        hand = in_hand.hands.get(view.host.compute_moid)
        locked = hand.blocker if hand is not None else None
        if locked is not None and is_active(entry):
            return phase_of(view), locked.message, (locked,)
        return phase_of(view), entry.text, ()
    blockers = next_hosts.unknown(scene, view)
    if blockers:
        return "blocked", blockers[0].message, blockers
    debt = scene.debts.get(view.moid)
    if debt is not None:
        return "waiting", f"{ANOTHER_RUN}{debt.reason}", ()
    return "idle", "it owes no reboot" if view.wanted else "it is not asked for", ()


def _outlook(
    scene: Scene, state: Progress, in_hand: _InHand, starts: Mapping[str, Start], *, finishing: bool
) -> Outlook:
    """``working`` as long as anything is under way; then what those that are left wait for."""
    wake = soonest(in_hand.wake, *(begun.wake for begun in starts.values()))
    moving = any(
        move.actions or move.wake is not None or is_active(scene.hosts[moid].entry)
        for moid, move in in_hand.moves.items()
    )
    opening = any(hand.blocker is None and not hand.held for hand in in_hand.hands.values())
    acting = any(begun.actions or "examine" in scene.hosts[moid].in_flight for moid, begun in starts.items())
    if moving or opening or acting:
        return Outlook(state="working", wake_at=wake)
    if finishing:
        return Outlook(state="finished")
    held = [begun for begun in starts.values() if begun.phase == "waiting"]
    halt = pace.failure_limit(state, scene.policy)
    if halt is not None and starts:
        return Outlook(state="halted", reasons=(halt.reason,))
    reasons = tuple(dict.fromkeys(begun.reason for begun in held))
    # Nothing is under way, so no other host will make room: only time helps, or whoever paused it.
    if any(begun.wake is not None or begun.paused for begun in held):
        return Outlook(state="waiting", reasons=reasons, wake_at=wake)
    return finish.left_over(scene, in_hand.hands, starts, reasons, wake)
