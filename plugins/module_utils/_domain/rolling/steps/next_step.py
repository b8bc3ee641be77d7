# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is next for a host that is in our hands, step by step. PRIVATE to the collection.

Each function looks at what vCenter shows and at the step in the journal, and at nothing else: whether this process wrote that step, or
another one that died, makes no difference. A step is written before its call is made, so a step whose call shows no effect is one whose
call may be missing: it is made again after a while, under the same conditions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..state.fleet_index import FleetIndex
from ..state.journal import Entry, Step
from ..state.observed import HostView
from ..state.phases import Move
from .drain import draining
from .reboot import rebooting
from .return_to_service import backing_out, ended, leaving, restoring, verifying

_STEPS: Mapping[Step, Callable[[FleetIndex, HostView, Entry], Move]] = {
    "draining": draining,
    "rebooting": rebooting,
    "powering": rebooting,
    "verifying": verifying,
    "leaving": leaving,
    "restoring": restoring,
    "backing_out": backing_out,
    "withdrawn": ended,
    "blocked": ended,
    "done": ended,
    "failed": ended,
}


def next_move(fleet: FleetIndex, view: HostView, entry: Entry) -> Move:
    """For any host with an entry; at most one action on the host itself, or some on its VMs."""
    return _STEPS[entry.step](fleet, view, entry)
