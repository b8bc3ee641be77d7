# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The next actions for a host in progress, by the step in its journal entry. PRIVATE to the collection.

Each function uses only the state that vCenter shows and the step in the journal. It makes no difference whether this process wrote the
step, or another one that has ended. A step is written before its API call is made. So if a step shows no effect, its call may be
missing, and is made again after a while under the same conditions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..state.fleet_index import FleetIndex
from ..state.journal import Entry, Step
from ..state.observed import HostView
from ..state.phases import NextStep
from . import guests
from .drain import draining
from .health_gate import checking
from .reboot import rebooting
from .return_to_service import backing_out, ended, leaving, restoring, verifying

_STEPS: Mapping[Step, Callable[[FleetIndex, HostView, Entry], NextStep]] = {
    "draining": draining,
    "maintenance": ended,
    "rebooting": rebooting,
    "powering": rebooting,
    "verifying": verifying,
    "leaving": leaving,
    "restoring": restoring,
    "checking": checking,
    "backing_out": backing_out,
    "withdrawn": ended,
    "blocked": ended,
    "done": ended,
    "failed": ended,
}


def plan_next_step(fleet: FleetIndex, view: HostView, entry: Entry) -> NextStep:
    """For any host with an entry: at most one action on the host itself, or actions on its VMs."""
    step = _STEPS[entry.step](fleet, view, entry)
    marked = guests.mark_powered_off(fleet, view)
    # First: a host is not done, and its journal not cleared, before the VM is recorded.
    return NextStep(phase=step.phase, reason=step.reason, actions=marked) if marked else step
