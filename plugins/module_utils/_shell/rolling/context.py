# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The input of the loop, and its state. PRIVATE to the collection."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..._domain.errors import DirectPathError
from ..._domain.memo import Memo
from ..._domain.rolling.in_progress import InProgress
from ..._domain.rolling.scheduling.scheduler import decide
from ..._domain.rolling.state.actions import Action
from ..._domain.rolling.state.fleet_memory import FleetMemory
from ..._domain.rolling.state.journal import Entry
from ..._domain.rolling.state.observed import HostView, ObservedFleet, Precheck
from ..._domain.rolling.state.phases import Decision, Outlook
from ..._domain.rolling.state.policy import Policy
from ..._domain.rolling.state.timeline import Timeline
from ..._vsphere.attributes.journal import Journal
from ..._vsphere.rolling.inventory import FleetInventory
from ..._vsphere.session.connect import Session
from .progress_file import ProgressWriter
from .run_owner import is_local


@dataclass(kw_only=True)
class RollingRun:
    """The state of a run so far. ``done``: host id → kinds of actions of this process on it or its VMs."""

    observed: ObservedFleet | None = None
    outlook: Outlook = field(default_factory=lambda: Outlook(state="working"))
    ended: bool = False
    timeline: Timeline = field(default_factory=Timeline)
    now: float = 0.0
    done: dict[str, set[str]] = field(default_factory=dict)
    actions: list[Action] = field(default_factory=list)
    """The actions of this process, in their order."""
    stopped: list[tuple[str, str]] = field(default_factory=list)
    """(host, VM), by name: VMs that this process stopped."""
    stopped_ids: set[str] = field(default_factory=set)
    """Ids of VMs that were stopped in this run, including earlier slices."""
    entries: dict[str, tuple[HostView, Entry]] = field(default_factory=dict)
    """The last entry that was seen on each host. The journal is cleared at the end."""
    texts: dict[str, str] = field(default_factory=dict)
    """The last complete text of each host. The journal stores only its beginning."""
    memory: FleetMemory = field(default_factory=FleetMemory)
    """What this run saw, including earlier slices."""
    in_progress: InProgress = field(default_factory=InProgress)
    stopped_by: str = ""
    """Why the run starts no further host: the request to stop it. Empty without one."""
    error: DirectPathError | None = None


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """The input of the loop. ``until``: local time at which the slice ends; ``is_orphaned``: no process waits for the result any more;
    ``stopped_before``: ids of VMs that earlier slices stopped."""

    session: Session
    fleet: FleetInventory
    journal: Journal
    policy: Policy
    me: str
    scope: str
    progress_writer: ProgressWriter
    is_gone: Callable[[str], bool]
    is_orphaned: Callable[[], bool] = lambda: False
    stop_reason: Callable[[], str] = lambda: ""
    """Why no further host is to be started, see ``StopRequest``; empty if the run goes on."""
    write_state: Callable[[RollingRun], None] = lambda run: None
    """Stores the present state where the action plugin reads it."""
    bmcs: Mapping[str, Any] = field(default_factory=dict)
    pause_file: str | None = None
    until: float | None = None
    read_only: bool = False
    detached: frozenset[str] = frozenset()
    stopped_before: frozenset[str] = frozenset()
    decide: Callable[[ObservedFleet, Policy, float, Memo], Decision] = decide
    host: str = ""
    """The only host that this run works on, and that has its lock; empty for a rolling reboot."""
    find_run: Callable[[Mapping[str, Entry]], str] | None = None
    """Host id → entry, to the id of the run that is continued, empty for a new one. None = by the locks, as a rolling reboot."""
    before_look: Callable[[], None] = lambda: None
    """Called before each round: what is to be read again with it."""
    prechecks: Mapping[str, Precheck] = field(default_factory=dict)
    """Results that were read before the loop."""
    memory: FleetMemory = field(default_factory=FleetMemory)
    """What earlier slices saw."""


def watch_parent(run_id: str | None, is_gone: Callable[[str], bool]) -> Callable[[], bool]:
    """A function that returns whether the process that waits for this one has ended.

    That is the owner of the run, if it is a process of this machine: the shell in between ends earlier, if a signal reached all of them.
    """
    if run_id is not None and is_local(run_id):
        return lambda: is_gone(run_id)
    parent = os.getppid()
    return lambda: os.getppid() != parent
