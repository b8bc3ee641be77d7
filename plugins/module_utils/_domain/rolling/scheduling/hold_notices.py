# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notices: what holds back the whole rolling reboot, and which hosts can never be started. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...text import duration, several
from ..state.fleet_index import FleetIndex
from ..state.observed import HostView
from ..state.phases import Outlook
from ..steps.health_gate import describe_gate
from . import pace
from .finish import patient_until
from .next_hosts import Start, unknown
from .notices import GATE, HELD, NEVER, until
from .pace import Progress

MOST_REASONS, MOST_NAMES = 3, 6


def notices(
    fleet: FleetIndex,
    state: Progress,
    starts: Mapping[str, Start],
    outlook: Outlook,
    checked: Iterable[HostView] = (),
) -> tuple[str, ...]:
    """The notices about the whole rolling reboot now. Reasons that the hosts in progress will resolve are not included.

    ``checked``: hosts whose health gate is checked.
    """
    held = held_back(fleet, state, starts, outlook)
    never = sorted(fleet.hosts[moid].name for moid, start in starts.items() if start.hopeless)
    found = [HELD + held] if held else []
    if never:
        longest = duration(pace.longest_window(fleet))
        found.append(
            f"{NEVER}{several(never, MOST_NAMES)}: the longest lasts {longest}, and they are expected to take longer "
            "(expected_minutes: drain, reboot, settle)"
        )
    entries = [(view, view.entry) for view in checked if view.entry is not None and view.entry.step == "checking"]
    gates = [text for view, entry in entries if (text := describe_gate(fleet, view, entry))]
    if gates:
        found.append(GATE + _few(gates))
    return tuple(found)


def held_back(fleet: FleetIndex, state: Progress, starts: Mapping[str, Start], outlook: Outlook) -> str:
    """Why no host is started now, with the time until when if known; empty where hosts are started, or could be."""
    waiting = [start for start in starts.values() if start.phase == "waiting"]
    hold = pace.find_run_hold(fleet, state) if waiting else None
    if hold is not None and (hold.wake is not None or hold.paused or pace.failure_limit(state, fleet.policy)):
        return _until(fleet, hold.reason, hold.wake)
    if outlook.state != "waiting":
        return ""
    timed = [_until(fleet, start.reason, start.wake) for start in waiting if start.wake is not None or start.paused]
    return _few(timed) if timed else _patience(fleet, starts)


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
