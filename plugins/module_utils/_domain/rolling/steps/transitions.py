# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the steps of a host write, call, wait and give up. PRIVATE to the collection."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..state.actions import Action, Kind
from ..state.fleet_index import FleetIndex, due_again, soonest
from ..state.journal import Entry, Step
from ..state.observed import HostView
from ..state.phases import Move, phase_of

CALLS = 4
"""So often a call without effect is made before the host is given up."""


def act(fleet: FleetIndex, view: HostView, kind: Kind, entry: Entry, reason: str, **more: Any) -> Move:
    action = Action(kind=kind, target=view.moid, name=view.name, reason=reason, entry=entry, **more)
    return Move(phase=phase_of(replace(view, entry=entry)), reason=reason, actions=(action,))


def record(fleet: FleetIndex, view: HostView, entry: Entry, step: Step, reason: str, **more: Any) -> Move:
    return act(fleet, view, "record", replace(entry, step=step, at=fleet.now, calls=0, called=0.0, **more), reason)


def fail(fleet: FleetIndex, view: HostView, entry: Entry, code: str, text: str) -> Move:
    return record(fleet, view, entry, "failed", text, code=code, text=text)


def back_out(fleet: FleetIndex, view: HostView, entry: Entry, code: str, text: str) -> Move:
    return record(fleet, view, entry, "backing_out", text, code=code, text=text)


def withdraw(fleet: FleetIndex, view: HostView, entry: Entry, text: str) -> Move:
    return record(fleet, view, entry, "withdrawn", text, code="maintenance_by_other", text=text)


def due(fleet: FleetIndex, view: HostView, kind: Kind, entry: Entry) -> float | None:
    """When the call of the step, which shows no effect, is to be made again; None while it is under way."""
    limits = fleet.policy.deadlines
    pause = limits.reboot_retry if kind in ("reboot_host", "shut_down_host") else limits.retry
    return due_again(kind, entry.called, pause, view.under_way, view.refusal)


def spent(fleet: FleetIndex, view: HostView, kind: Kind, entry: Entry) -> bool:
    """The last of the calls there may be shows no effect either."""
    moment = due(fleet, view, kind, entry)
    return entry.calls >= CALLS and moment is not None and fleet.now >= moment


def call(fleet: FleetIndex, view: HostView, kind: Kind, entry: Entry, reason: str, **more: Any) -> Move:
    """The call of a step that is written already, when it is due again."""
    moment = due(fleet, view, kind, entry)
    if moment is None or fleet.now < moment:
        return Move(phase=phase_of(view), reason=reason, wake=moment)
    return act(fleet, view, kind, replace(entry, calls=entry.calls + 1, called=fleet.now), reason, **more)


def wait(view: HostView, reason: str, *wake: float | None) -> Move:
    return Move(phase=phase_of(view), reason=reason, wake=soonest(*wake))


def is_entered_by_operator(view: HostView) -> bool:
    return view.maintenance_is_own is False and (view.in_maintenance or view.entering)


def refused(view: HostView, *kinds: str) -> str:
    """What was answered to the last call of these kinds, as an addition to a reason."""
    return f" ({view.refusal.text})" if view.refusal is not None and view.refusal.kind in kinds else ""
