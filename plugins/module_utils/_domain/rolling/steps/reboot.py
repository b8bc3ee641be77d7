# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the reboot request until it is verified that the host was rebooted. PRIVATE to the collection."""

from __future__ import annotations

from dataclasses import replace

from ...host.boot_evidence import BootEvidence
from ...text import duration
from ..state.actions import Kind
from ..state.fleet_index import FleetIndex
from ..state.journal import Entry
from ..state.observed import HostView
from ..state.phases import NextStep
from ..state.verification import not_back
from .transitions import act, call, due, fail, is_entered_by_operator, record, refused, restore, spent, wait, withdraw


def rebooting(fleet: FleetIndex, view: HostView, entry: Entry) -> NextStep:
    """``rebooting``, ``powering``: wait until the host is back, and repeat the call if it had no effect."""
    now = fleet.now
    asked = entry.at if entry.asked is None else entry.asked
    end = fleet.end_of(view, asked, fleet.policy.deadlines.reboot)
    evidence = fleet.evidence(view, entry, asked)
    why = not_back(view, evidence)
    if not why:
        shown = (
            "its boot time is new"
            if evidence.boot_differs
            else "its uptime is shorter than the time since the request, whatever boot time it shows,"
        )
        return record(fleet, view, entry, "verifying", f"{shown} and it responds", rebooted=now - asked)
    if now >= end:
        return _too_late(fleet, view, entry, evidence, why)
    if not view.connected:
        gone = replace(entry, away=True)
        if entry.cycle:
            return _power_on(fleet, view, gone, end)
        # Stored, because a later process must know it: a clock that was set looks like a reboot to whoever did not see the host away.
        return wait(view, why, end) if entry.away else replace(act(fleet, view, "record", gone, why), wake=end)
    if evidence.is_rebooted or (evidence.is_rebooted is None and evidence.boot_differs is not False):
        return wait(view, why, end)
    return _not_gone(fleet, view, entry, evidence, why, end)


_DOWN = ("reboot_host", "shut_down_host", "power_on_host")
_SILENT = "it shows its old boot time, and its uptime is not readable"


def _too_late(fleet: FleetIndex, view: HostView, entry: Entry, evidence: BootEvidence, why: str) -> NextStep:
    """The deadline has passed. A host that never went down is not reported as one that does not come back."""
    took = duration(fleet.now - (entry.at if entry.asked is None else entry.asked))
    left = entry.away or not view.connected or evidence.is_rebooted or evidence.boot_differs
    no = _refused_call(view, entry)
    if no and not left:
        text = f"{view.name} was not rebooted: the request was rejected ({no})"
        return fail(fleet, view, entry, "reboot_refused", text)
    if view.connected and evidence.boot_differs is False and view.uptime is None:
        why = _SILENT
    state = f"is not back {took}" if left else f"has not gone down {took}"
    text = f"{view.name} {state} after its reboot was requested: {why}{refused(view, *_DOWN)}"
    if entry.cycle and view.bmc_problem and not view.connected:
        text = f"{text}. {view.bmc_problem.rstrip('.')}"
    return fail(fleet, view, entry, "not_back", text)


def _refused_call(view: HostView, entry: Entry) -> str:
    """The fault with which the server rejected the last call, so that it certainly had no effect; empty if it did not. From the journal
    if another process made the call."""
    no = view.refusal
    if no is not None and no.kind in _DOWN and int(no.at) >= entry.called:
        return no.text
    return entry.text


def _not_gone(
    fleet: FleetIndex, view: HostView, entry: Entry, evidence: BootEvidence, why: str, end: float
) -> NextStep:
    """The reboot was requested, and the host is still up: it needs time, or the call did not arrive, or it was rejected.

    Or the host was down, and its clock was reset at boot, or vCenter still shows the old boot time. Then the uptime decides: the call
    is not made again before the uptime shows that the host was not rebooted (``not_back`` handles one that was). A first call that was
    rejected needs no such evidence.
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
    no = _refused_call(view, entry)
    is_final = view.refusal is not None and view.refusal.kind in _DOWN and view.refusal.permanent
    if no and not entry.text and not is_final:
        return replace(act(fleet, view, "record", replace(entry, text=no), f"{why} ({no})"), wake=end)
    is_certain = evidence.is_rebooted is False or (bool(no) and entry.calls == 1)
    if not is_final and not is_certain and _is_due(fleet, view, kind, entry):
        return wait(view, _SILENT if view.uptime is None else why, end)
    if fleet.policy.only_restore and (is_final or _is_due(fleet, view, kind, entry)):
        return restore(fleet, view, entry)  # a reboot is never requested again here
    if is_final or spent(fleet, view, kind, entry):
        text = f"{view.name} did not go down although its reboot was requested: {why}{f' ({no})' if no else ''}"
        return fail(fleet, view, entry, "reboot_refused", text)
    if is_entered_by_operator(view) and not entry.by_operator:
        return wait(view, f"{why}, and another user has put it into maintenance mode", end)
    return _request_again(fleet, view, kind, entry, why + (f" ({no})" if no else ""))


def _request_again(fleet: FleetIndex, view: HostView, kind: Kind, entry: Entry, reason: str) -> NextStep:
    moment, boot = due(fleet, view, kind, entry), view.host.boot_time
    if moment is None or fleet.now < moment:
        return wait(view, reason, moment)
    # Its clock may have been set since, and its boot time with it. If it was away, that was no reboot.
    known = entry.boot if boot is None else float(int(boot))
    again = replace(entry, text="", boot=known, away=False, calls=entry.calls + 1, called=fleet.now)
    return act(fleet, view, kind, again, reason, boot_time=boot, timeout=fleet.policy.deadlines.reboot)


def _is_due(fleet: FleetIndex, view: HostView, kind: Kind, entry: Entry) -> bool:
    moment = due(fleet, view, kind, entry)
    return moment is not None and fleet.now >= moment


def _power_on(fleet: FleetIndex, view: HostView, entry: Entry, end: float) -> NextStep:
    """Shut down for a power cycle: the host is powered on only when its management controller reports "off"."""
    if view.bmc_power != "off":
        reason = "its management controller does not report yet that it is off"
        reason = view.bmc_problem.rstrip(".") or (reason if entry.step == "rebooting" else "it is starting")
        return wait(view, reason, end)
    reason = "it is off" + refused(view, "power_on_host")
    if entry.step == "rebooting":
        powering = replace(entry, step="powering", at=fleet.now, calls=1, called=fleet.now)
        return act(fleet, view, "power_on_host", powering, reason)
    return call(fleet, view, "power_on_host", entry, reason)
