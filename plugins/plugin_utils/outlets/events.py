# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What outlets get: single events, and the present state of a run. PRIVATE to the collection.

All times are those of this machine, in seconds since the epoch: Prometheus and the receivers of events compare them with their own clocks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

FORMAT = 1
"""Of the JSON of an event."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """``number``: counts the events of a run for one receiver, which notices gaps and repetitions. ``more``: what belongs to the kind."""

    kind: str
    at: float
    run: str
    vcenter: str
    number: int
    more: Mapping[str, Any] = field(default_factory=dict)

    def body(self) -> bytes:
        """As JSON."""
        moment = datetime.fromtimestamp(self.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        head = {
            "format": FORMAT,
            "event": self.kind,
            "at": moment,
            "run": self.run,
            "number": self.number,
            "vcenter": self.vcenter,
        }
        return json.dumps({**head, **self.more}, default=str).encode()

    def title(self) -> str:
        """One line for people."""
        more = self.more
        where = f"{self.vcenter}: " if self.vcenter else ""
        match self.kind:
            case "host_phase" | "host_failed":
                return f"{where}{more.get('host')} {more.get('before')} → {more.get('after')}"
            case "vm_stopping" | "vm_off" | "vm_on":
                words = {"vm_stopping": "is shutting down", "vm_off": "is off", "vm_on": "is on again"}
                return f"{where}{more.get('vm')} {words[self.kind]} for the reboot of {more.get('host')}"
            case "run_ended":
                return f"{where}rolling reboot {more.get('state')}"
            case "drift":
                return f"{where}{more.get('summary')}"
            case _:
                return f"{where}{self.kind.replace('_', ' ')}"

    def text(self) -> str:
        """The rest for people; may be empty."""
        parts = [str(self.more[name]) for name in ("reason", "summary", "msg") if self.more.get(name)]
        parts += [f"{name}: {value}" for name, value in (self.more.get("counts") or {}).items() if value]
        return "\n".join(parts)


@dataclass(frozen=True, kw_only=True, slots=True)
class VmOffSince:
    """A VM that is off because of the run. ``since``: when the run shut it down."""

    name: str
    host: str
    since: float


@dataclass(frozen=True, kw_only=True, slots=True)
class RunState:
    """The present state of a run. ``ended``: None while it is in progress. ``phases``: (cluster, host) → phase. ``succeeded``: when a run
    last ended without a failure."""

    vcenter: str
    state: str = "working"
    started: float
    heartbeat: float
    ended: float | None = None
    succeeded: float | None = None
    phases: Mapping[tuple[str, str], str] = field(default_factory=dict)
    vms_off: tuple[VmOffSince, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class DriftState:
    """A drift report of one vCenter. ``kinds``: kind → number of differences."""

    vcenter: str
    status: str
    at: float
    kinds: Mapping[str, int] = field(default_factory=dict)
