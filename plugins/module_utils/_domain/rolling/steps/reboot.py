# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the reboot request until it is verified that the host was rebooted. PRIVATE to the collection."""

from __future__ import annotations

from dataclasses import replace

from ...text import duration
from ..state.actions import Kind
from ..state.fleet_index import FleetIndex
from ..state.journal import Entry
from ..state.observed import HostView
from ..state.phases import NextStep
from ..state.verification import has_new_boot_time, is_rebooted_by_uptime, not_back
from .transitions import act, call, due, fail, give_back, is_entered_by_operator, record, refused, spent, wait, withdraw


def rebooting(fleet: FleetIndex, view: HostView, entry: Entry) -> NextStep:
    """``rebooting``, ``powering``: wait until the host is back, and repeat the call if it had no effect."""
    now = fleet.now
    asked = entry.at if entry.asked is None else entry.asked
    end = fleet.end_of(view, asked, fleet.policy.deadlines.reboot)
    why = not_back(view, entry, fleet.policy, now)
    moved = has_new_boot_time(view, entry, fleet.policy.boot_margin)
    if not why:
        shown = (
            "its boot time is new"
            if moved
            else "its uptime is shorter than the time since the request, whatever boot time it shows,"
        )
        return record(fleet, view, entry, "verifying", f"{shown} and it responds", rebooted=now - asked)
    rebooted = moved or is_rebooted_by_uptime(entry, view.uptime, now)
    if now >= end:
        shown = _SILENT if view.connected and not rebooted and view.uptime is None else why
        text = f"{view.name} is not back {duration(now - asked)} after its reboot was requested: {shown}{refused(view, *_DOWN)}"
        return fail(fleet, view, entry, "not_back", text)
    if not view.connected:
        return _power_on(fleet, view, entry, end) if entry.cycle else wait(view, why, end)
    return wait(view, why, end) if rebooted else _not_gone(fleet, view, entry, why, end)


_DOWN = ("reboot_host", "shut_down_host", "power_on_host")
_SILENT = "it shows its old boot time, and its uptime is not readable"


def _not_gone(fleet: FleetIndex, view: HostView, entry: Entry, why: str, end: float) -> NextStep:
    """The reboot was requested, and the host is still up: it needs time, or the call did not arrive.

    Or the host was down, and its clock was reset at boot, or vCenter still shows the old boot time. Then the uptime decides: the call
    is not made again before the uptime shows that the host was not rebooted (``not_back`` handles one that was).
    """
    if view.rebooting or entry.step == "powering":
        return wait(view, why, end)
    kind: Kind = "shut_down_host" if entry.cycle else "reboot_host"
    if not view.in_maintenance:
        moment = due(fleet, view, kind, entry)
        if moment is None or fleet.now < moment:
            return wait(view, f"{why}, and another user ended its maintenance mode", moment, end)
        return withdraw(
            fleet, view, entry, f"another user ended the maintenance mode of {view.name} before it went down"
        )
    no = view.refusal is not None and view.refusal.kind in _DOWN and view.refusal.permanent
    if not no and view.uptime is None and _is_due(fleet, view, kind, entry):
        return wait(view, _SILENT, end)
    if fleet.policy.only_restore and (no or _is_due(fleet, view, kind, entry)):
        return give_back(fleet, view, entry)  # a reboot is never requested again here
    if no or spent(fleet, view, kind, entry):
        text = f"{view.name} did not go down although its reboot was requested: {why}{refused(view, *_DOWN)}"
        return fail(fleet, view, entry, "reboot_refused", text)
    if is_entered_by_operator(view) and not entry.by_operator:
        return wait(view, f"{why}, and another user has put it into maintenance mode", end)
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


def _power_on(fleet: FleetIndex, view: HostView, entry: Entry, end: float) -> NextStep:
    """Shut down for a power cycle: the host is powered on only when its management controller reports "off"."""
    if view.bmc_power != "off":
        return wait(
            view,
            "its management controller does not report yet that it is off"
            if entry.step == "rebooting"
            else "it is starting",
            end,
        )
    reason = "it is off" + refused(view, "power_on_host")
    if entry.step == "rebooting":
        powering = replace(entry, step="powering", at=fleet.now, calls=1, called=fleet.now)
        return act(fleet, view, "power_on_host", powering, reason)
    return call(fleet, view, "power_on_host", entry, reason)
