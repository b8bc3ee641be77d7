# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the steps of a host write an entry, make a call, wait and give up. PRIVATE to the collection.

Each function returns what is to be done next. ``reason`` and ``text`` are for messages.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..state.actions import Action, Kind
from ..state.fleet_index import FleetIndex, earliest, next_call_at
from ..state.journal import Entry, Step
from ..state.observed import HostView
from ..state.phases import NextStep, phase_of

CALLS = 4
"""The number of calls without effect after which the host is given up."""


def act(fleet: FleetIndex, view: HostView, kind: Kind, entry: Entry, reason: str, **more: Any) -> NextStep:
    """Write ``entry``, then make the API call of ``kind``."""
    action = Action(kind=kind, target=view.moid, name=view.name, reason=reason, entry=entry, **more)
    return NextStep(phase=phase_of(replace(view, entry=entry)), reason=reason, actions=(action,))


def record(fleet: FleetIndex, view: HostView, entry: Entry, step: Step, reason: str, **more: Any) -> NextStep:
    """Write the next step; no API call."""
    return act(fleet, view, "record", replace(entry, step=step, at=fleet.now, calls=0, called=0.0, **more), reason)


def fail(fleet: FleetIndex, view: HostView, entry: Entry, code: str, text: str) -> NextStep:
    """The host failed: it stays as it is."""
    return record(fleet, view, entry, "failed", text, code=code, text=text)


def back_out(fleet: FleetIndex, view: HostView, entry: Entry, code: str, text: str) -> NextStep:
    """Give up before the reboot: the host returns to service."""
    return record(fleet, view, entry, "backing_out", text, code=code, text=text)


def restore(fleet: FleetIndex, view: HostView, entry: Entry) -> NextStep:
    """Give the host back, because a restore was requested."""
    text = f"{view.name} was returned to service before its reboot, as requested"
    return give_back(fleet, view, entry, code="restored", text=text)


def give_back(fleet: FleetIndex, view: HostView, entry: Entry, *, code: str, text: str) -> NextStep:
    """Give up before the reboot, because a person wants the host back. This does not count as a failed attempt."""
    counted = replace(entry, tries=max(0, entry.tries - 1))
    return back_out(fleet, view, counted, code, text)


def withdraw(fleet: FleetIndex, view: HostView, entry: Entry, text: str) -> NextStep:
    """Give up because another user entered or ended the maintenance mode: the host stays as it is."""
    return record(fleet, view, entry, "withdrawn", text, code="maintenance_by_other", text=text)


def due(fleet: FleetIndex, view: HostView, kind: Kind, entry: Entry) -> float | None:
    """When the call of the step, which had no effect, is made again; None while it is in progress."""
    limits = fleet.policy.deadlines
    if kind not in ("reboot_host", "shut_down_host"):
        return next_call_at(kind, entry.called, limits.retry, view.under_way, view.refusal)
    # A host needs time to go down, unless the call was rejected. A process that resumes the run did not see when it was made.
    no = view.refusal is not None and view.refusal.kind == kind and int(view.refusal.at) >= entry.called
    pause = limits.retry if no or entry.text else limits.reboot_retry
    taken = fleet.taken(view)
    called = entry.called if taken is None else max(entry.called, taken)
    return next_call_at(kind, called, pause, view.under_way, view.refusal)


def spent(fleet: FleetIndex, view: HostView, kind: Kind, entry: Entry) -> bool:
    """The maximum number of calls was made, and the last one had no effect either."""
    moment = due(fleet, view, kind, entry)
    return entry.calls >= CALLS and moment is not None and fleet.now >= moment


def call(fleet: FleetIndex, view: HostView, kind: Kind, entry: Entry, reason: str, **more: Any) -> NextStep:
    """Repeat the call of the present step when it is due."""
    moment = due(fleet, view, kind, entry)
    if moment is None or fleet.now < moment:
        return NextStep(phase=phase_of(view), reason=reason, wake=moment)
    return act(fleet, view, kind, replace(entry, calls=entry.calls + 1, called=fleet.now), reason, **more)


def wait(view: HostView, reason: str, *wake: float | None) -> NextStep:
    """Do nothing before the earliest of the times in ``wake``."""
    return NextStep(phase=phase_of(view), reason=reason, wake=earliest(*wake))


def is_entered_by_operator(view: HostView) -> bool:
    """Another user entered the present maintenance mode."""
    return view.maintenance_is_own is False and (view.in_maintenance or view.entering)


def refused(view: HostView, *kinds: str) -> str:
    """The error of the last call of these kinds, in parentheses, to append to a reason; empty if it was not rejected."""
    return f" ({view.refusal.text})" if view.refusal is not None and view.refusal.kind in kinds else ""
