# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the call until the host is proven to have started anew. PRIVATE to the collection."""

from __future__ import annotations

from dataclasses import replace

from .actions import Kind
from .journal import Entry
from .moves import act, call, due, fail, is_theirs, record, refused, spent, wait, withdraw
from .proof import not_back
from .scene import Scene
from .states import Move
from .world import HostView


def rebooting(scene: Scene, view: HostView, entry: Entry) -> Move:
    now = scene.now
    asked = entry.at if entry.asked is None else entry.asked
    end = scene.end_of(view, asked, scene.policy.deadlines.reboot)
    why = not_back(view, entry, scene.policy, now)
    if not why:
        return record(scene, view, entry, "verifying", "its boot time is new and it answers", rebooted=now - asked)
    if now >= end:
        text = f"{view.name} is not back {now - asked:.0f} seconds after it was told to reboot: {why}{refused(view, *_DOWN)}"
        return fail(scene, view, entry, "not_back", text)
    if not view.connected:
        return _power_on(scene, view, entry, end) if entry.cycle else wait(view, why, end)
    if not _runs_since(view, entry, scene.policy.boot_margin):
        return wait(view, why, end)
    return _not_gone(scene, view, entry, why, end)


_DOWN = ("reboot_host", "shut_down_host", "power_on_host")


def _runs_since(view: HostView, entry: Entry, margin: float) -> bool:
    """It shows the very boot it was to leave behind: it has not gone down yet. (A boot time that cannot be compared: perhaps.)"""
    now = view.host.boot_time
    return now is None or entry.boot is None or now <= entry.boot + margin


def _not_gone(scene: Scene, view: HostView, entry: Entry, why: str, end: float) -> Move:
    """Told to go down and still up: it takes its time, or the call never reached it."""
    if view.rebooting or entry.step == "powering" or entry.boot is None:
        return wait(view, why, end)
    kind: Kind = "shut_down_host" if entry.cycle else "reboot_host"
    if not view.in_maintenance:
        moment = due(scene, view, kind, entry)
        if moment is None or scene.now < moment:
            return wait(view, f"{why}, and somebody ended its maintenance mode", moment, end)
        return withdraw(scene, view, entry, f"somebody ended the maintenance mode of {view.name} before it went down")
    no = view.refusal is not None and view.refusal.kind in _DOWN and view.refusal.permanent
    if no or spent(scene, view, kind, entry):
        text = f"{view.name} was told to reboot and does not: {why}{refused(view, *_DOWN)}"
        return fail(scene, view, entry, "reboot_refused", text)
    if is_theirs(view) and not entry.theirs:
        return wait(view, f"{why}, and its maintenance mode is somebody else's now", end)
    return call(
        scene,
        view,
        kind,
        entry,
        why + refused(view, *_DOWN),
        boot_time=view.host.boot_time,
        timeout=scene.policy.deadlines.reboot,
    )


def _power_on(scene: Scene, view: HostView, entry: Entry, end: float) -> Move:
    """Shut down for a power cycle: only a controller that says "off" is told to power on."""
    if view.bmc_power != "off":
        return wait(
            view,
            "its management controller does not say yet that it is off" if entry.step == "rebooting" else "it starts",
            end,
        )
    reason = "it is off" + refused(view, "power_on_host")
    if entry.step == "rebooting":
        told = replace(entry, step="powering", at=scene.now, calls=1, called=scene.now)
        return act(scene, view, "power_on_host", told, reason)
    return call(scene, view, "power_on_host", entry, reason)
