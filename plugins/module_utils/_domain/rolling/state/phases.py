# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The phases of a host, and what a decision says of it. PRIVATE to the collection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from ...plan import Blocker
from .actions import Action
from .journal import Entry, Step
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
    "done",
    "failed",
]
PHASES: tuple[Phase, ...] = get_args(Phase)

ENDED: tuple[Step, ...] = ("done", "withdrawn", "blocked", "failed")
"""Steps in which nothing more is done to the host itself."""

ANOTHER_RUN = "left for another run: "
"""What the reason of a host begins with that waits for nothing but the next run."""

RESTING: tuple[Phase, ...] = ("idle", "done", "failed", "blocked", "waiting")


@dataclass(frozen=True, kw_only=True, slots=True)
class HostStatus:
    """One host as a person is told: ``reason`` is a clause, ``since`` when the phase began, where that is known."""

    moid: str
    name: str
    cluster: str
    phase: Phase
    reason: str = ""
    since: float | None = None
    blockers: tuple[Blocker, ...] = ()
    vms: tuple[str, ...] = ()
    """VMs that are stopped for it now, or are about to be."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outlook:
    """Where the whole roll stands, see ``schedule.decide``. ``wake_at``: look again then even if nothing changed."""

    state: Literal["working", "waiting", "finished", "halted", "stalled"]
    reasons: tuple[str, ...] = ()
    wake_at: float | None = None
    notices: tuple[str, ...] = ()
    """What a person is to be told of the whole, see ``holding.notices``."""

    @property
    def ended(self) -> bool:
        return self.state in ("finished", "halted", "stalled")


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    actions: tuple[Action, ...]
    hosts: tuple[HostStatus, ...]
    outlook: Outlook
    closing: bool = False
    """The journal is being cleared: what ``hosts`` says of hosts whose entry is gone is no news any more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """What is next for one host in hand: where it is, what to do, and when to look again without being told."""

    phase: Phase
    reason: str = ""
    actions: tuple[Action, ...] = ()
    wake: float | None = None


def is_active(entry: Entry | None) -> bool:
    """The host is in our hands: it holds a slot, whatever vCenter shows of it."""
    return entry is not None and entry.step not in ENDED


def phase_of(view: HostView) -> Phase:
    """The phase of a host with a journal entry; those without one are waiting, blocked or idle, which the scheduler decides."""
    entry = view.entry
    if entry is None:
        return "waiting"
    match entry.step:
        case "draining":
            return "maintenance" if view.connected and view.in_maintenance else "draining"
        case "rebooting":
            return "rebooting" if view.connected and not _rebooted(view, entry) else "booting"
        case "powering":
            return "booting"
        case "backing_out":
            return "leaving" if view.in_maintenance or view.entering else "restoring"
        case "withdrawn":
            return "blocked"
        case step:
            return step


def _rebooted(view: HostView, entry: Entry) -> bool:
    now = view.host.boot_time
    return now is not None and entry.boot is not None and now > entry.boot + 1
