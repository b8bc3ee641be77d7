# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the journal keeps of a health gate. PRIVATE to the collection.

Apart from the rules of the gate, so that who only reads the journal does not pack them.
"""

from __future__ import annotations

from dataclasses import dataclass

GATE_FAILED = "gate_failed"
"""The code of a host whose gate did not pass in time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GateVms:
    """Ids of the VMs of a host that its health gate is about: those that the run stops, and those that ``ran`` on it before (None: not
    recorded)."""

    stopped: tuple[str, ...] = ()
    ran: tuple[str, ...] | None = None
