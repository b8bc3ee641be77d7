# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run does, as events in the event log of vCenter. PRIVATE to the collection.

Only changes are logged: a run that has nothing to do writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..._domain.text import one_line, shortened
from ..._vsphere.session.connect import Session
from ..._vsphere.session.faults import SERVER_ERRORS, explain, is_transient
from ..._vsphere.write.user_events import log_user_event
from .outlet import TO_END, NotDelivered, Outlet, OutletReport, end_all

NAME = "vcenter_events"

MOST_TEXT = 500
"""Columns of the text of an event."""

_VM_TEXTS = {
    "stop_vm": "shutting down {vm} for {host}",
    "power_off_vm": "powering off {vm} for {host}",
    "start_vm": "powering on {vm} after the work on {host}",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class LogEntry:
    kind: str
    moid: str
    text: str


class VcenterEvents:
    """Listens to a ``ProgressWriter``. ``phases``: host id → phase, as an earlier slice of the run saw it last."""

    def __init__(self, session: Session, phases: Mapping[str, str]) -> None:
        self.phases = dict(phases)
        self._outlet: Outlet[LogEntry] = Outlet(NAME, partial(_log, session))

    def take(self, record: Mapping[str, Any], moid: str) -> None:
        """A record of the progress, and the object that it is about."""
        text, kind = "", "host"
        if record.get("kind") == "transition":
            # A host that is seen for the first time has not changed.
            before, after = record.get("before") or self.phases.get(moid), str(record["after"])
            self.phases[moid] = after
            text = f"{record['host']} {before} → {after}" if before and before != after else ""
            text += f": {record['reason']}" if text and record.get("reason") else ""
        elif record.get("action") in _VM_TEXTS:
            kind = "vm"
            text = _VM_TEXTS[str(record["action"])].format(vm=record.get("vm"), host=record.get("host"))
        if text and moid:
            text = shortened(one_line(f"directpath.vsphere: {text}"), MOST_TEXT)
            self._outlet.put(LogEntry(kind=kind, moid=moid, text=text))

    def end(self, seconds: float = TO_END) -> list[OutletReport]:
        """Wait until the events are written, for a limited time."""
        return end_all([self._outlet], seconds)


def _log(session: Session, entry: LogEntry) -> None:
    try:
        log_user_event(session, entry.kind, entry.moid, entry.text)
    except SERVER_ERRORS as error:
        why = explain(error, doing="log an event", on=entry.moid)
        raise NotDelivered(why.message, may_pass=is_transient(error)) from None
