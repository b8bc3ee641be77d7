# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a rolling reboot: report what is left, clear the journal, release the locks. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...text import duration
from ..blockers.rules import TRANSIENT
from ..state import lock
from ..state.actions import Action
from ..state.fleet_index import FleetIndex, earliest
from ..state.journal import Lock, is_active
from ..state.observed import HostView
from ..state.pause import RESUME
from ..state.phases import HostStatus, Outlook
from .next_hosts import Start, unknown
from .pace import Progress, failure_limit, longest_window


@dataclass(frozen=True, kw_only=True, slots=True)
class Closing:
    """The last actions, and the state after them."""

    actions: tuple[Action, ...]
    outlook: Outlook


def left_over(
    fleet: FleetIndex,
    lock_states: Mapping[str, lock.LockState],
    starts: Mapping[str, Start],
    reasons: tuple[str, ...],
    wake: float | None,
) -> Outlook:
    """Nothing is in progress. Wait for blocked hosts as long as the policy allows; then the rolling reboot ends."""
    blocked = [start for start in starts.values() if start.phase == "blocked"]
    spent = [view for view in fleet.hosts.values() if _gave_up(fleet, view) and view.moid not in starts]
    unreachable = [view for view in fleet.hosts.values() if unknown(fleet, view) and view.entry is None]
    failed = [view for view in fleet.hosts.values() if _needs_person(fleet, view)]
    lost = [view for view in fleet.hosts.values() if is_active(view.entry) and _is_locked(lock_states, view)]
    waiting = [start for start in starts.values() if start.phase == "waiting" and not start.hopeless]
    # Hosts that another run has in progress are waited for only if the user said for how long.
    held = lost if fleet.policy.patience is not None else []
    until = patient_until(fleet, starts, someone=bool(blocked or unreachable or waiting or held))
    if until is not None and fleet.now < until:
        waited_for = dict.fromkeys((*(start.reason for start in blocked), *_locked_by(lock_states, held), *reasons))
        return Outlook(state="waiting", reasons=tuple(waited_for), wake_at=earliest(wake, until))
    count = len(blocked) + len(spent) + len(unreachable)
    words = [f"{count} host{'s are' if count > 1 else ' is'} blocked"] if count else []
    needy = len(failed) + len(fleet.observed.gone)
    words += [f"{needy} host{'s need' if needy > 1 else ' needs'} an administrator"] if needy else []
    if lost:
        words.append(f"hosts in progress are locked by another run: {', '.join(view.name for view in lost)}")
    if words or reasons:
        last = (*_longer(fleet, starts), *_still_paused(fleet, starts))
        return Outlook(state="stalled", reasons=(*words, *reasons, *last))
    return Outlook(state="finished")


def _longer(fleet: FleetIndex, starts: Mapping[str, Start]) -> Iterator[str]:
    if any(start.hopeless for start in starts.values()):
        longest = duration(longest_window(fleet))
        yield (
            f"the longest one lasts {longest}: make it longer, or set in expected_minutes or measured how long hosts really take"
        )


def _still_paused(fleet: FleetIndex, starts: Mapping[str, Start]) -> Iterator[str]:
    if fleet.policy.patience is not None and any(start.paused for start in starts.values()):
        yield (
            f"the pause did not end within {duration(fleet.policy.patience)} (blocked_timeout): end it ({RESUME}), then run again"
        )


def patient_until(fleet: FleetIndex, starts: Mapping[str, Start], *, someone: bool) -> float | None:
    """Until when to wait for what is left, counted from the last progress; None: do not wait.

    A host whose precheck is older than the last finished host gets one more precheck: that other host may have been the blocker.
    """
    policy, progress = fleet.policy, _last_progress(fleet)
    if policy.patience is not None:
        return progress + policy.patience if someone else None
    blocked = {moid: start for moid, start in starts.items() if start.phase == "blocked"}
    due: list[float] = _silent_until(fleet) if someone else []
    if any(all(blocker.code in TRANSIENT for blocker in start.blockers) for start in blocked.values()):
        due.append(progress + policy.transient_patience)
    for moid, start in blocked.items():
        precheck = fleet.hosts[moid].precheck
        # A host that is blocked by something else is checked again at another time, or never.
        if precheck is not None and precheck.at < progress and start.wake == precheck.at + policy.revisit:
            due.append(start.wake)
    return max(due, default=None)


def pause_until(fleet: FleetIndex) -> float | None:
    """Until when to wait for the end of a pause when nothing else is left to do; None: without a limit."""
    return None if fleet.policy.patience is None else _last_progress(fleet) + fleet.policy.patience


def _silent_until(fleet: FleetIndex) -> list[float]:
    """Hosts that do not respond count against the budget, or are to be rebooted themselves. Most of them respond again soon."""
    silent = [view for view in fleet.hosts.values() if view.entry is None or view.entry.step != "failed"]
    return [view.silent_since + fleet.policy.contact_patience for view in silent if view.silent_since is not None]


def _gave_up(fleet: FleetIndex, view: HostView) -> bool:
    """It was started as often as allowed, and given up each time."""
    entry = view.entry
    return (
        not fleet.policy.only_restore
        and entry is not None
        and entry.step == "blocked"
        and entry.run_id == fleet.observed.run_id
        and view.moid in fleet.pending_reboots
    )


def _needs_person(fleet: FleetIndex, view: HostView) -> bool:
    entry = view.entry
    if entry is None or entry.step not in ("failed", "withdrawn"):
        return False
    return view.wanted or entry.run_id == fleet.observed.run_id


def _is_locked(lock_states: Mapping[str, lock.LockState], view: HostView) -> bool:
    lock_state = lock_states.get(view.host.compute_moid)
    return lock_state is not None and lock_state.blocker is not None


def _locked_by(lock_states: Mapping[str, lock.LockState], views: Sequence[HostView]) -> Iterator[str]:
    """What holds the locks of these hosts, as sentences."""
    for view in views:
        lock_state = lock_states.get(view.host.compute_moid)
        if lock_state is not None and lock_state.blocker is not None:
            yield lock_state.blocker.message


def _last_progress(fleet: FleetIndex) -> float:
    moments = [view.entry.at for view in fleet.hosts.values() if view.entry is not None]
    moments += [cluster.lock.since for cluster in fleet.clusters.values() if isinstance(cluster.lock, Lock)]
    return max(moments, default=float("-inf"))


def closing(
    fleet: FleetIndex,
    hosts: Sequence[HostStatus],
    state: Progress,
    outlook: Outlook,
    *,
    finishing: bool,
    reasons: Mapping[str, str],
) -> Closing:
    """Mark the locks, clear the entries, release the locks. In this order, so that a run that is interrupted in between is resumed.

    An incomplete rolling reboot with ``firmware`` keeps its entries: only they show which hosts were rebooted. ``reasons``: host moid →
    why it is not rebooted, for the state after the journal was cleared.
    """
    own = [c for c in fleet.clusters.values() if isinstance(c.lock, Lock) and c.lock.owner == fleet.observed.me]
    clearing = Outlook(state="working", reasons=("the journal is cleared",))
    # After a restore, the run is resumed later: its entries show which hosts are done.
    kept = fleet.policy.only_restore
    clearable = [view for view in fleet.hosts.values() if not kept and _is_clearable(fleet, view)]
    if clearable and (finishing or _is_complete(fleet, hosts)):
        marks = [
            action
            for c in own
            if isinstance(c.lock, Lock) and not c.lock.finishing
            for action in lock.finish(c, "all hosts are done")
        ]
        if marks:
            return Closing(actions=tuple(marks), outlook=clearing)
        forget = tuple(
            Action(kind="forget_host", target=view.moid, name=view.name, reason="the rolling reboot has ended")
            for view in clearable
        )
        return Closing(actions=forget, outlook=clearing)
    return Closing(
        actions=lock.release(own, fleet.observed.me),
        outlook=_final(fleet, state, reasons) if finishing else outlook,
    )


def _is_complete(fleet: FleetIndex, hosts: Sequence[HostStatus]) -> bool:
    return fleet.policy.reason != "firmware" or all(status.phase in ("done", "idle") for status in hosts)


def _is_clearable(fleet: FleetIndex, view: HostView) -> bool:
    """Its entry is no longer needed: nothing remains to be done for the host or its VMs."""
    entry = view.entry
    held = fleet.cluster_of(view).lock
    if entry is None or not isinstance(held, Lock) or held.owner != fleet.observed.me:
        return False
    return entry.step in ("done", "blocked", "withdrawn") and not fleet.stopped_vms.get(view.moid)


def _final(fleet: FleetIndex, state: Progress, reasons: Mapping[str, str]) -> Outlook:
    """While the journal is cleared, no host is a candidate: what is left is read from the hosts themselves."""
    why = {view.name: view.entry.text if view.entry is not None else "" for view in state.failed}
    left: dict[str, str] = {}
    if fleet.policy.reason != "firmware":
        left = {fleet.hosts[moid].name: reasons.get(moid, "") for moid in fleet.pending_reboots}
        # Whether they require a reboot is unknown.
        left |= {
            view.name: f"it is {view.host.connection_state}" for view in fleet.hosts.values() if unknown(fleet, view)
        }
    left = {name: reason for name, reason in left.items() if name not in why}
    halt = failure_limit(state, fleet.policy)
    if halt is not None and left:
        return Outlook(state="halted", reasons=(halt.reason,))
    why |= left
    if why:
        listed = ", ".join(f"{name} ({why[name].rstrip('.')})" if why[name] else name for name in sorted(why))
        return Outlook(state="stalled", reasons=(f"not done: {listed}",))
    return Outlook(state="finished")
