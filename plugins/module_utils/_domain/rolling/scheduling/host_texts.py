# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is reported of a host that was given up, and of one that was removed. PRIVATE to the collection."""

from __future__ import annotations

from ...gate_record import GATE_FAILED
from ...planning.plan import Blocker
from ...timestamps import on_day
from ..state.journal import Entry, is_active
from ..state.observed import GoneHost, HostView
from ..state.phases import HostStatus

_DOING = {
    "draining": "it was being evacuated",
    "rebooting": "its reboot was in progress",
    "powering": "its reboot was in progress",
    "verifying": "it was being verified after its reboot",
    "leaving": "it was leaving maintenance mode after its reboot",
    "restoring": "its virtual machines were being powered on after its reboot",
    "checking": "its health gate was being checked after its reboot",
    "backing_out": "it was being returned to service",
}


def state_now(view: HostView) -> str:
    """A clause: the present state of a host."""
    if not view.connected:
        return f"is {view.host.connection_state}"
    if view.entering:
        return "is entering maintenance mode"
    if view.in_maintenance:
        return "is connected and in maintenance mode"
    if view.standby or view.quarantined:
        return "is in standby" if view.standby else "is in quarantine mode"
    return "is in service"


def ended_text(view: HostView, entry: Entry, *, taken: float | None) -> str:
    """The text of a host that was given up. If an earlier run wrote it: the state now, and the time of what that run saw.

    ``taken``: when this run took the lock of the cluster; None without the lock, then the entry is of an earlier run.
    """
    if not entry.text or entry.step == "done" or is_active(entry) or (taken is not None and entry.at >= taken):
        return entry.text
    return f"{view.name} {state_now(view)} now; at {on_day(entry.at)}: {entry.text}"


def gate_blockers(view: HostView, entry: Entry, text: str) -> tuple[Blocker, ...]:
    """What to do about a health gate that did not pass; empty for any other host. ``text``: why it did not."""
    if entry.step != "failed" or entry.code != GATE_FAILED:
        return ()
    cure = (
        f"Repair what did not answer, then run the same again: it checks the gate of {view.name} again before it starts another host. To "
        "continue without a check, remove it from ready_when"
    )
    return (Blocker(code="gate_failed", message=text, cure=cure),)


def gone_status(host: GoneHost) -> HostStatus:
    """A host that was removed while it was in progress has failed."""
    name = host.view.name
    off = ", ".join(sorted((*host.off, *(f"{vm} (removed, too)" for vm in host.lost))))
    left = f". These virtual machines were shut down for it and are not running: {off}" if off else ""
    powered = ", ".join(sorted((*host.off, *host.lost)))
    cure = f"Add {name} to vCenter again and end its maintenance mode" + (f". Then power on {powered}" if off else "")
    blocker = Blocker(
        code="host_removed",
        message=f"{name} was removed from vCenter while {_DOING.get(host.entry.step, 'it was in progress')}{left}",
        cure=cure,
    )
    return HostStatus(
        moid=host.view.moid,
        name=name,
        cluster=host.cluster,
        phase="failed",
        reason=blocker.message,
        since=host.entry.at,
        blockers=(blocker,),
        vms=tuple(sorted((*host.off, *host.lost))),
    )
