# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The phases of a host, and the result of a decision. PRIVATE to the collection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from ...planning.plan import Blocker
from .actions import Action
from .journal import Entry
from .observed import HostView

Phase = Literal[
    "idle",
    "waiting",
    "blocked",
    "draining",
    "maintenance",
    "rebooting",
    "booting",
    "verifying",
    "leaving",
    "restoring",
    "checking",
    "done",
    "returned",
    "failed",
]
PHASES: tuple[Phase, ...] = get_args(Phase)

ANOTHER_RUN = "left for another run: "
"""The reason of a host that only waits for the next run begins with this."""

RESTING: tuple[Phase, ...] = ("idle", "done", "returned", "failed", "blocked", "waiting")
RESTORED = "restored"
"""Code of the entry of a host that returned to service before its reboot because a person wanted that."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HostStatus:
    """The status of one host for output: ``reason`` is a clause; ``since``: when the phase began, if known."""

    moid: str
    name: str
    cluster: str
    phase: Phase
    reason: str = ""
    since: float | None = None
    blockers: tuple[Blocker, ...] = ()
    vms: tuple[str, ...] = ()
    """Names of VMs that are stopped for it now, or are about to be."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outlook:
    """The state of the whole rolling reboot, see ``scheduler.decide``. ``wake_at``: decide again then, even if nothing changed.

    The scheduler never returns ``interrupted``: a run that a person stopped ends with it, once nothing is in progress.
    """

    state: Literal["working", "waiting", "finished", "halted", "stalled", "interrupted"]
    reasons: tuple[str, ...] = ()
    wake_at: float | None = None
    notices: tuple[str, ...] = ()
    """Notices about the whole rolling reboot, see ``hold_notices.notices``."""

    @property
    def ended(self) -> bool:
        return self.state in ("finished", "halted", "stalled", "interrupted")


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What to do now, and the status of every host."""

    actions: tuple[Action, ...]
    hosts: tuple[HostStatus, ...]
    outlook: Outlook
    closing: bool = False
    """The journal is being cleared. ``hosts`` is then not a new status of hosts whose entry is already removed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NextStep:
    """What to do next for one host in progress: its phase, the actions, and when to decide again if nothing changes."""

    phase: Phase
    reason: str = ""
    actions: tuple[Action, ...] = ()
    wake: float | None = None


def phase_of(view: HostView) -> Phase:
    """The phase of a host with a journal entry. For hosts without one the scheduler decides: waiting, blocked or idle."""
    entry = view.entry
    if entry is None:
        return "waiting"
    match entry.step:
        case "draining":
            return "maintenance" if view.connected and view.in_maintenance else "draining"
        case "rebooting":
            return "rebooting" if view.connected and not _has_left(view, entry) else "booting"
        case "powering":
            return "booting"
        case "backing_out":
            return "leaving" if view.in_maintenance or view.entering else "restoring"
        case "blocked" if entry.code == RESTORED:
            return "returned"
        case "withdrawn":
            return "blocked"
        case step:
            return step


def _has_left(view: HostView, entry: Entry) -> bool:
    now = view.host.boot_time
    return entry.away or (now is not None and entry.boot is not None and now > entry.boot + 1)
