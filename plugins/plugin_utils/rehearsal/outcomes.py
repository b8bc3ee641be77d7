# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run did, from the files in its folder and the event log of its twins. PRIVATE to the collection."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...module_utils._domain.errors import DirectPathError
from ...module_utils._domain.rehearsal.outcome import (
    HostPhase,
    HostPlan,
    HostRun,
    PowerEvent,
    Refused,
    VcenterOutcome,
    times_off,
)
from ...module_utils._domain.text import one_line, shortened
from ...module_utils._vsphere.http.twins import TwinClock
from ...module_utils._vsphere.rehearsal.power_events import read_power_events
from ...module_utils._vsphere.session.connect import open_session
from ...module_utils._vsphere.session.endpoint import Endpoint
from ...module_utils._vsphere.session.faults import SERVER_ERRORS, explain
from ..kept_results import kept_results
from ..rolling.merge_slices import joined_results
from .twin import TwinProcess

PATIENCE = 24 * 3600.0
"""Seconds of the twin. A vCenter that restarts at the end of the run is waited for."""
MOST_TEXT = 600
ROLES: Mapping[str, str] = {
    "hosts": "Devices of hosts",
    "reboots": "Reboots",
    "vms": "Devices of VMs",
    "verify": "Verification",
}
"""Subject of a role's result → what it is called."""

Record = Mapping[str, Any]

_FATAL = re.compile(r"^(?:fatal|failed): \[(?P<host>[^\]]+)\][^{]*=> (?P<result>\{.*\})$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """From when to when a run took place, by the clock of the twin, in seconds since the epoch."""

    began: float
    ended: float


def read_events(twin: TwinProcess) -> tuple[PowerEvent, ...]:
    """When VMs of the twin were powered off and on. Raises DirectPathError."""
    place = Endpoint(
        hostname="localhost", port=twin.port, username=twin.username, password=twin.password, ca_path=str(twin.ca_file)
    )
    clock = TwinClock(str(twin.clock))
    try:
        with open_session(place, read_only=True, clock=clock.now, sleep=clock.sleep, patience=PATIENCE) as session:
            return read_power_events(session)
    except SERVER_ERRORS as error:
        raise explain(error, doing="read the event log", on="the twin") from error


def vcenter_outcome(
    vcenter: str, folder: Path, *, hosts: Collection[str], events: Sequence[PowerEvent], span: Span
) -> VcenterOutcome:
    """The run on one vCenter (``name:port``), which has these ``hosts``. ``folder``: of the run."""
    planned: Record = {}
    rolling: Record = _interrupted(folder, hosts)
    for record in kept_results(folder, "rolling"):
        if record["vcenter"] != vcenter:
            continue
        if record["planned"]:
            # A run that was started again plans what is left: the first plan is the whole one.
            planned = planned or record["result"].get("schedule") or {}
        elif "state" in record["result"]:
            rolling = joined_results(rolling or None, record["result"])
    timeline = rolling.get("timeline") or {}
    phases = {str(host["name"]): str(host["phase"]) for host in rolling.get("hosts") or ()}
    return VcenterOutcome(
        vcenter=vcenter,
        began=span.began,
        ended=span.ended,
        off=times_off((event for event in events if event.at >= span.began), span.ended),
        plans=tuple(_plan(host) for host in planned.get("hosts") or ()),
        planned_seconds=float(planned.get("seconds") or 0.0),
        reboots_began=timeline.get("began"),
        hosts=tuple(_host(row, phases) for row in timeline.get("hosts") or ()),
        rebooted=tuple(map(str, rolling.get("rebooted") or ())),
        notes=tuple(map(str, rolling.get("notes") or ())),
        hints=tuple(map(str, rolling.get("resume") or ())),
    )


def _plan(host: Record) -> HostPlan:
    return HostPlan(
        name=str(host["name"]),
        wave=int(host["wave"]),
        starts=float(host["starts_after_seconds"]),
        ends=float(host["ends_after_seconds"]),
        reason=str(host["reason"]),
        stops=tuple(str(vm["name"]) for vm in host["stops"]),
    )


def _host(row: Record, phases: Record) -> HostRun:
    segments = row.get("segments") or ()
    return HostRun(
        name=str(row["name"]),
        cluster=str(row.get("group") or ""),
        phase=phases.get(str(row["name"])) or (str(segments[-1]["phase"]) if segments else "idle"),
        phases=tuple(HostPhase(phase=str(s["phase"]), start=float(s["start"]), end=float(s["end"])) for s in segments),
    )


def refusals(vcenter: str, subject: str, result: Record) -> tuple[Refused, ...]:
    """What a role refused, from its result. ``subject``: a key of ``ROLES``."""
    found: list[Refused] = []
    for kind in ("hosts", "vms"):
        for target in _records(result.get(kind)):
            found += [
                Refused(
                    vcenter=vcenter,
                    subject=str(target.get("name") or ""),
                    text=str(blocker.get("message") or ""),
                    cure=str(blocker.get("cure") or ""),
                )
                for blocker in _records(target.get("blockers"))
                if blocker.get("message")
            ]
    if not found and result.get("trouble") and result.get("msg"):
        found.append(Refused(vcenter=vcenter, subject=ROLES.get(subject, subject), text=str(result["msg"])))
    if subject == "verify":
        found += [Refused(vcenter=vcenter, subject="", text=str(text)) for text in result.get("differences") or ()]
    return tuple(dict.fromkeys(found))


def _records(value: object) -> list[Record]:
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list | tuple) else []


def _interrupted(folder: Path, hosts: Collection[str]) -> dict[str, Any]:
    """The last state of a rolling reboot of these hosts that was killed; empty without one. Its folder is not removed then."""
    for path in sorted(folder.rglob("progress-*/state.json")):
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(found, dict) and any(row.get("name") in hosts for row in found.get("hosts") or ()):
            return found
    return {}


def refused_in(folder: Path, log: Path, *, has_failed: bool) -> tuple[Refused, ...]:
    """What the roles refused in a run; where they say nothing, why tasks failed."""
    found: list[Refused] = []
    for record in kept_results(folder, "role"):
        found += refusals(str(record["vcenter"]), str(record["subject"]), record["result"])
    if has_failed and not found:
        found += _failures(log)
    return tuple(dict.fromkeys(found))


def _failures(log: Path) -> list[Refused]:
    """The messages of tasks that failed, as ansible-playbook shows them."""
    found = []
    for match in _FATAL.finditer(log.read_text(encoding="utf-8", errors="replace")):
        try:
            result = json.loads(match["result"])
        except ValueError:
            continue
        text = result.get("msg") or ""
        text = " ".join(map(str, text)) if isinstance(text, list) else str(text)
        found.append(Refused(vcenter=match["host"], subject="", text=shortened(one_line(text), MOST_TEXT)))
    return found


def end_of(log: Path, lines: int = 15) -> str:
    """The last lines of a log."""
    try:
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    except OSError as error:
        raise DirectPathError(message=f"{log} cannot be read: {error}", code="unexpected") from error
