# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts are started now. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ...host.blockers import unreachable
from ...plan import Blocker
from ..state.actions import Action
from ..state.budget import cluster_budget, count_down, fleet_budget, takes_place, who_is_down
from ..state.fleet_index import Scene, soonest
from ..state.journal import Entry, Lock
from ..state.observed import HostView
from ..state.pending_reboot import is_part_of
from ..state.phases import Phase, is_active
from ..state.verification import before_reboot
from ..steps.drain import tell_to_reboot
from . import pace
from .blockers import exam_blockers, quick_blockers
from .lock import Hand
from .pace import Progress


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """What becomes of a host that owes a reboot and is not in hand. ``paused``: a person holds it back, and may let go of it."""

    phase: Phase
    reason: str
    actions: tuple[Action, ...] = ()
    blockers: tuple[Blocker, ...] = ()
    wake: float | None = None
    paused: bool = False
    hopeless: bool = False
    """It would fit into no maintenance window: nothing that it waits for would help."""


def is_candidate(scene: Scene, view: HostView) -> bool:
    """It owes a reboot, and none was made for that debt already."""
    debt = scene.debts.get(view.moid)
    if debt is None or is_active(view.entry):
        return False
    entry = view.entry
    if entry is None:
        return True
    if entry.step == "blocked":
        return entry.roll != scene.world.roll or entry.tries < scene.policy.tries
    same = is_part_of(debt.mark, entry.debt) and entry.asked is not None
    if entry.step == "done":
        return entry.roll != scene.world.roll if scene.policy.reason == "firmware" else not same
    if entry.step == "failed":
        return not same and view.serves and not scene.owed.get(view.moid) and _is_older(scene, view, entry)
    return entry.roll != scene.world.roll and not same and view.serves


def _is_older(scene: Scene, view: HostView, entry: Entry) -> bool:
    """The entry is of an earlier run."""
    held = scene.cluster_of(view).lock
    return not isinstance(held, Lock) or entry.at < held.since


def may_verify_again(scene: Scene, view: HostView) -> bool:
    """It failed in an earlier run, stayed in maintenance mode, and this run was told to prove such hosts again."""
    entry = view.entry
    if entry is None or entry.step != "failed" or scene.policy.failed_hosts != "verify":
        return False
    return view.host.is_reachable and view.in_maintenance and not entry.theirs and view.maintenance_ours is not False


def unknown(scene: Scene, view: HostView) -> tuple[Blocker, ...]:
    """A wanted host of which it cannot be said what it owes."""
    return (unreachable(view.host),) if view.wanted and not view.host.is_reachable else ()


def starts(
    scene: Scene, candidates: Sequence[HostView], state: Progress, hands: Mapping[str, Hand]
) -> Mapping[str, Start]:
    """One answer a candidate, by moid. Blocked hosts take no place; each start takes one from those after it."""
    room = _Room(scene)
    hold = pace.roll_hold(scene, state)
    begun: list[HostView] = []
    answers: dict[str, Start] = {}
    for view in pace.in_order(scene, candidates):
        answer = _one(scene, view, state, hands, room, begun, hold)
        if answer.actions or "examine" in view.in_flight:
            room.take(view)
            begun.append(view)
        answers[view.moid] = answer
    return answers


class _Room:
    """Places left, while they are given away."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        members = scene.members
        self._left = {
            moid: cluster_budget(cluster, len(members.get(moid, ())), scene.policy) - count_down(members.get(moid, ()))
            for moid, cluster in scene.clusters.items()
        }
        self._fleet = fleet_budget(len(scene.hosts), scene.policy) - count_down(scene.hosts.values())
        self._full: dict[str, str] = {}

    def take(self, view: HostView) -> None:
        if not takes_place(view):
            self._left[view.host.compute_moid] -= 1
            self._fleet -= 1
            self._full.clear()

    def refusal(self, view: HostView) -> str:
        """Why there is no place for the host, as a clause; empty when there is one."""
        if takes_place(view):
            return ""
        moid = view.host.compute_moid
        if moid not in self._full:
            self._full[moid] = self._why_full(moid)
        return self._full[moid]

    def _why_full(self, moid: str) -> str:
        policy, cluster = self._scene.policy, self._scene.clusters[moid]
        if self._left[moid] < 1:
            members = self._scene.members[moid]
            budget = cluster_budget(cluster, len(members), policy)
            down = who_is_down(members) or "others are being started"
            return f"at most {budget} of {len(members)} hosts of {cluster.name} may be down at once: {down}"
        if self._fleet < 1:
            return f"at most {fleet_budget(len(self._scene.hosts), policy)} hosts of the fleet may be down at once"
        return ""


def _one(
    scene: Scene,
    view: HostView,
    state: Progress,
    hands: Mapping[str, Hand],
    room: _Room,
    begun: Sequence[HostView],
    hold: pace.Hold | None,
) -> Start:
    cluster = scene.cluster_of(view)
    vms, others = scene.residents.get(view.moid, ()), scene.others(view)
    hand = hands[cluster.moid]
    found = quick_blockers(view, vms, cluster, others, scene.policy)
    if hand.blocker is not None:
        return Start(phase="blocked", reason=hand.blocker.message, blockers=(hand.blocker, *found), wake=hand.wake)
    exam = view.exam
    examined = found or exam_blockers(view, vms, cluster, others)
    if examined and (found or exam is None or scene.now < exam.at + scene.policy.revisit):
        wake = exam.at + scene.policy.revisit if exam is not None and not found else None
        return Start(phase="blocked", reason=examined[0].message, blockers=examined, wake=wake)
    waits = hold or _rest(scene, view) or pace.host_hold(scene, state, view, begun)
    if waits is not None:
        return Start(phase="waiting", reason=waits.reason, wake=waits.wake, paused=waits.paused)
    full = room.refusal(view)
    if full:
        return Start(phase="waiting", reason=full)
    if not hand.held:
        return Start(phase="waiting", reason=f"the lock of {cluster.name} comes first", wake=hand.wake)
    if "examine" in view.in_flight:
        return Start(phase="waiting", reason="it is examined")
    if exam is None or scene.now >= exam.at + scene.policy.exam_age or examined:
        action = Action(kind="examine", target=view.moid, name=view.name, reason="it is to be started")
        return Start(phase="waiting", reason="it is examined", actions=(action,))
    return _refused(scene, view) or _begin(scene, view)


def _refused(scene: Scene, view: HostView) -> Start | None:
    """Starting it was refused before anything of it was written: its journal cannot be kept, and without that nothing is done."""
    refusal = view.refusal
    if refusal is None or (view.entry is not None and view.entry.at >= int(refusal.at)):
        return None
    if refusal.permanent:
        blocker = Blocker(
            code="journal_refused",
            message=f"{view.name} is not touched: {refusal.text}",
            cure="Give the account the privilege to set custom attributes on it, or keep the journal in a file (journal: file)",
        )
        return Start(phase="blocked", reason=blocker.message, blockers=(blocker,))
    due = int(refusal.at) + scene.policy.deadlines.retry
    return Start(phase="waiting", reason=refusal.text, wake=due) if scene.now < due else None


def _rest(scene: Scene, view: HostView) -> pace.Hold | None:
    """A host that was given up before is tried again after a while."""
    entry = view.entry
    if entry is None or entry.step != "blocked" or scene.now >= entry.at + scene.policy.revisit:
        return None
    return pace.Hold(reason=f"tried again later: {entry.text}", wake=entry.at + scene.policy.revisit)


def _begin(scene: Scene, view: HostView) -> Start:
    """Take the slot: what the host has now, then the intention, then the call."""
    now, policy, debt = scene.now, scene.policy, scene.debts[view.moid]
    again = view.entry is not None and view.entry.step == "blocked" and view.entry.roll == scene.world.roll
    boot = view.host.boot_time
    entry = Entry(
        roll=scene.world.roll,
        step="draining",
        at=now,
        started=now,
        theirs=view.in_maintenance,
        tries=view.entry.tries + 1 if again and view.entry is not None else 1,
        calls=1,
        called=now,
        debt=debt.mark,
        boot=None if boot is None else float(int(boot)),
    )
    if view.in_maintenance:
        move = tell_to_reboot(scene, view, replace(entry, drained=0.0), debt.reason, before_reboot(view))
        return Start(phase=move.phase, reason=move.reason, actions=move.actions)
    action = Action(
        kind="enter_maintenance",
        target=view.moid,
        name=view.name,
        reason=debt.reason,
        entry=entry,
        before=before_reboot(view),
        timeout=policy.deadlines.drain,
        evacuate_powered_off=policy.evacuate_powered_off,
        vsan_mode=policy.vsan_mode,
    )
    return Start(phase="draining", reason=debt.reason, actions=(action,), wake=soonest(now + policy.deadlines.drain))
