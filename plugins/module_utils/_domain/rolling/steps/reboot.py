# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the call until the host is proven to have started anew. PRIVATE to the collection."""

from __future__ import annotations

from dataclasses import replace

from ...text import duration
from ..state.actions import Kind
from ..state.fleet_index import FleetIndex
from ..state.journal import Entry
from ..state.observed import HostView
from ..state.phases import Move
from ..state.verification import has_moved, not_back, started_anew
from .transitions import act, call, due, fail, is_entered_by_operator, record, refused, spent, wait, withdraw


def rebooting(fleet: FleetIndex, view: HostView, entry: Entry) -> Move:
    now = fleet.now
    asked = entry.at if entry.asked is None else entry.asked
    end = fleet.end_of(view, asked, fleet.policy.deadlines.reboot)
    why = not_back(view, entry, fleet.policy, now)
    moved = has_moved(view, entry, fleet.policy.boot_margin)
    if not why:
        shown = (
            "its boot time is new"
            if moved
            else "it is up for less long than since it was told, whatever boot time it shows,"
        )
        return record(fleet, view, entry, "verifying", f"{shown} and it answers", rebooted=now - asked)
    anew = moved or started_anew(entry, view.uptime, now)
    if now >= end:
        said = _SILENT if view.connected and not anew and view.uptime is None else why
        text = f"{view.name} is not back {duration(now - asked)} after it was told to reboot: {said}{refused(view, *_DOWN)}"
        return fail(fleet, view, entry, "not_back", text)
    if not view.connected:
        return _power_on(fleet, view, entry, end) if entry.cycle else wait(view, why, end)
    return wait(view, why, end) if anew else _not_gone(fleet, view, entry, why, end)


_DOWN = ("reboot_host", "shut_down_host", "power_on_host")
_SILENT = "it shows its old boot time, and does not say for how long it is up"


def _not_gone(fleet: FleetIndex, view: HostView, entry: Entry, why: str, end: float) -> Move:
    """Told to go down and still up: it takes its time, or the call never reached it.

    Or it has been down, and its clock was reset at the boot, or vCenter keeps the boot time of before. Then its uptime tells, and it
    is not told again before it has said that it was up all the time (``not_back`` has seen to one that was not).
    """
    if view.rebooting or entry.step == "powering":
        return wait(view, why, end)
    kind: Kind = "shut_down_host" if entry.cycle else "reboot_host"
    if not view.in_maintenance:
        moment = due(fleet, view, kind, entry)
        if moment is None or fleet.now < moment:
            return wait(view, f"{why}, and somebody ended its maintenance mode", moment, end)
        return withdraw(fleet, view, entry, f"somebody ended the maintenance mode of {view.name} before it went down")
    no = view.refusal is not None and view.refusal.kind in _DOWN and view.refusal.permanent
    if not no and view.uptime is None and _is_due(fleet, view, kind, entry):
        return wait(view, _SILENT, end)
    if no or spent(fleet, view, kind, entry):
        text = f"{view.name} was told to reboot and does not: {why}{refused(view, *_DOWN)}"
        return fail(fleet, view, entry, "reboot_refused", text)
    if is_entered_by_operator(view) and not entry.by_operator:
        return wait(view, f"{why}, and its maintenance mode is somebody else's now", end)
    return call(
        fleet,
        view,
        kind,
        entry,
        why + refused(view, *_DOWN),
        boot_time=view.host.boot_time,
        timeout=fleet.policy.deadlines.reboot,
    )


def _is_due(fleet: FleetIndex, view: HostView, kind: Kind, entry: Entry) -> bool:
    moment = due(fleet, view, kind, entry)
    return moment is not None and fleet.now >= moment


def _power_on(fleet: FleetIndex, view: HostView, entry: Entry, end: float) -> Move:
    """Shut down for a power cycle: only a controller that says "off" is told to power on."""
    if view.bmc_power != "off":
        return wait(
            view,
            "its management controller does not say yet that it is off" if entry.step == "rebooting" else "it starts",
            end,
        )
    reason = "it is off" + refused(view, "power_on_host")
    if entry.step == "rebooting":
        told = replace(entry, step="powering", at=fleet.now, calls=1, called=fleet.now)
        return act(fleet, view, "power_on_host", told, reason)
    return call(fleet, view, "power_on_host", entry, reason)
