# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notices: what holds back the whole rolling reboot, and which hosts can never be started. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from ...text import duration, several, without_name
from ..state.fleet_index import FleetIndex
from ..state.journal import Entry, Step
from ..state.pause import RESUME, decode_pause
from ..state.phases import RESTING, NextStep, Outlook
from ..state.policy import Deadlines
from ..steps import drain
from ..steps.health_gate import describe_gate
from . import pace
from .finish import patient_until, pause_until
from .next_hosts import Start, unknown
from .notices import GATE, HELD, NEVER, WAITING, until
from .pace import Progress

MOST_REASONS, MOST_NAMES = 3, 6


def notices(
    fleet: FleetIndex,
    state: Progress,
    starts: Mapping[str, Start],
    outlook: Outlook,
    next_steps: Mapping[str, NextStep],
) -> tuple[str, ...]:
    """The notices about the whole rolling reboot now. Reasons that the hosts in progress will resolve are not included."""
    held = held_back(fleet, state, starts, outlook)
    never = sorted(fleet.hosts[moid].name for moid, start in starts.items() if start.hopeless)
    found = [HELD + held] if held else []
    if never:
        longest = duration(pace.longest_window(fleet))
        found.append(
            f"{NEVER}{several(never, MOST_NAMES)}: the longest lasts {longest}, and they are expected to take longer "
            "(expected_minutes: drain, reboot, settle)"
        )
    checked = [fleet.hosts[moid] for moid, step in next_steps.items() if step.phase == "checking"]
    entries = [(view, view.entry) for view in checked if view.entry is not None and view.entry.step == "checking"]
    gates = [text for view, entry in entries if (text := describe_gate(fleet, view, entry))]
    if gates:
        found.append(GATE + _few(gates))
    waits = sorted(_long_waits(fleet, next_steps))
    if waits:
        more = len(waits) - MOST_REASONS
        found.append(WAITING + "; ".join(waits[:MOST_REASONS]) + (f"; and {more} more hosts" if more > 0 else ""))
    return tuple(found)


def _long_waits(fleet: FleetIndex, next_steps: Mapping[str, NextStep]) -> Iterator[str]:
    """What hosts in progress wait for and until when at most: if a call was refused and is retried, if nobody
    powers on the host, or if half of the time has passed."""
    for moid, next_step in next_steps.items():
        view = fleet.hosts[moid]
        if (
            next_step.phase in RESTING
            or view.entry is None
            or view.entry.step not in _LIMITS
            or drain.held_by_pause(fleet, view)
        ):
            continue
        begun, seconds = _LIMITS[view.entry.step](view.entry, fleet.policy.deadlines)
        end = fleet.end_of(view, begun, seconds)
        # The reason contains the refusal of a call on the host; of calls on its VMs only this shows it.
        refused = {vm.refusal.text: None for vm in fleet.residents.get(moid, ()) if vm.refusal is not None}
        retried = f" (retried after: {'; '.join(refused)})" if refused else ""
        is_off = view.entry.cycle and not view.connected and bool(view.bmc_problem)
        if retried or is_off or view.refusal is not None or fleet.now >= end - seconds / 2:
            yield f"{_until(fleet, f'{view.name}: {without_name(next_step.reason, view.name)}{retried}', end)} at most"


_LIMITS: Mapping[Step, Callable[[Entry, Deadlines], tuple[float, float]]] = {
    "draining": lambda entry, limits: (entry.at, limits.drain),
    "rebooting": lambda entry, limits: (entry.at if entry.asked is None else entry.asked, limits.reboot),
    "powering": lambda entry, limits: (entry.at if entry.asked is None else entry.asked, limits.reboot),
    "verifying": lambda entry, limits: (entry.at, limits.verify),
    "leaving": lambda entry, limits: (entry.at, limits.leave),
    "restoring": lambda entry, limits: (entry.at, limits.restore),
    "backing_out": lambda entry, limits: (entry.at, limits.leave + limits.restore),
}
"""Step → when its time began, and how long it may take. As in ``steps``."""


def held_back(fleet: FleetIndex, state: Progress, starts: Mapping[str, Start], outlook: Outlook) -> str:
    """Why no host is started now, with the time until when if known; empty where hosts are started, or could be."""
    waiting = [start for start in starts.values() if start.phase == "waiting"]
    paused = _paused(fleet, state, waiting, outlook)
    hold = pace.find_run_hold(fleet, state) if waiting else None
    if hold is not None and not hold.paused and (hold.wake is not None or pace.failure_limit(state, fleet.policy)):
        return _until(fleet, hold.reason, hold.wake)
    if paused or outlook.state != "waiting":
        return paused
    timed = [_until(fleet, start.reason, start.wake) for start in waiting if start.wake is not None]
    return _few(timed) if timed else _patience(fleet, starts)


def _paused(fleet: FleetIndex, state: Progress, waiting: Iterable[Start], outlook: Outlook) -> str:
    """Who paused and why, which hosts in progress wait for it and how long, and how long the run does; empty if nothing is paused."""
    drains = [
        (view, view.entry) for view in state.active if view.entry is not None and drain.held_by_pause(fleet, view)
    ]
    reasons = [start.reason for start in waiting if start.paused]
    reasons += [f"paused: {drain.held_by_pause(fleet, view)}" for view, _unused in drains]
    if not reasons:
        return ""
    parts = [_few(reasons)]
    if drains:
        names = several(sorted(view.name for view, _unused in drains), MOST_NAMES)
        end = min(drain.drain_ends(fleet, view, entry) for view, entry in drains)
        verbs = ("waits", "returns") if len(drains) == 1 else ("wait", "return")
        parts.append(f"{_until(fleet, f'{names} {verbs[0]}', end)} at most, and then {verbs[1]} to service")
    if outlook.state == "waiting":
        parts.append(_until(fleet, "this run waits for the end of the pause", pause_until(fleet)))
    texts = {fleet.observed.pause, *(cluster.pause for cluster in fleet.clusters.values())}
    by_command = any(pause is not None and pause.by for pause in map(decode_pause, texts))
    return "; ".join([*parts, *([f"to end it: {RESUME}"] if by_command else [])])


def _patience(fleet: FleetIndex, starts: Mapping[str, Start]) -> str:
    """Nothing is in progress and no time is known: other users or systems must change something."""
    blocked = sorted(fleet.hosts[moid].name for moid, start in starts.items() if start.phase == "blocked")
    away = sorted(view.name for view in fleet.hosts.values() if unknown(fleet, view) and view.entry is None)
    lists = ((blocked, "blocked"), (away, "unreachable"))
    parts = [f"{several(names, MOST_NAMES)} {how}" for names, how in lists if names]
    parts += [start.reason for start in starts.values() if start.phase == "waiting" and not start.hopeless]
    moment = patient_until(fleet, starts, someone=True)
    return _until(fleet, f"{_few(parts)}; the rolling reboot waits for a change", moment) if parts else ""


def _until(fleet: FleetIndex, reason: str, wake: float | None) -> str:
    """With the time of day by the clock of vCenter."""
    return until(reason, None if wake is None else wake + fleet.observed.ahead)


def _few(reasons: Iterable[str]) -> str:
    """In an order that does not depend on the present state of the hosts."""
    different = sorted(set(reasons))
    more = len(different) - MOST_REASONS
    return "; ".join(different[:MOST_REASONS]) + (f"; and {more} more reasons" if more > 0 else "")
