# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the timeline shows of one cluster: a row of bars for each host and VM, and the same as a table. PRIVATE to the collection.

A row record and its segments come from the module's result: ``name``, ``group``, and ``segments`` with ``phase``, ``start``, ``end``
(seconds since the epoch), ``open``, ``reason`` and ``reasons``. Everything here returns plain values for ``templates/gantt.html.j2``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...module_utils._domain.rolling.state.phases import RESTING
from ...module_utils._domain.rolling.state.timeline import clock
from ...module_utils._domain.text import duration
from ..html import Tone
from .assets import PHASES, VM_PHASES, PhaseStyle, bar_view
from .axis import Axis, TimeZone

Record = Mapping[str, Any]
View = dict[str, Any]
"""Plain values for the template."""

IDLE = RESTING
"""Phases without an action."""

TROUBLE = ("failed", "blocked")
"""Phases that need attention."""

TONES: Mapping[str, Tone] = {
    "done": "ok",
    "returned": "ok",
    "failed": "bad",
    "blocked": "warn",
    "waiting": "mute",
    "idle": "mute",
}

_NO_SEGMENT: Record = {"phase": "idle", "start": 0.0, "end": 0.0}
_STEPS = {
    "Drain": ("draining",),
    "Maintenance": ("maintenance",),
    "Reboot": ("rebooting", "booting"),
    "Verify": ("verifying",),
    "Release": ("leaving", "restoring"),
    "Gate": ("checking",),
}

TABLE_HEAD = ("Host", "State", "Started", "Ended", *_STEPS, "In progress", "VMs stopped", "Reason")


@dataclass(frozen=True, kw_only=True, slots=True)
class ClusterRows:
    """The rows of a cluster: its hosts, and the VMs by the name of their host."""

    name: str
    hosts: tuple[Record, ...]
    vms: Mapping[str, tuple[Record, ...]]
    domain: str
    """The end that the names of all hosts have in common. It is left out of the short name."""


def cluster_view(cluster: ClusterRows, axis: Axis, zone: TimeZone, *, is_open: bool) -> View:
    """A cluster: collapsed to its load over time, or expanded to its rows. A cluster that needs attention is always expanded."""
    phases = [_last(row)["phase"] for row in cluster.hosts]
    rows = []
    for row in cluster.hosts:
        host = str(row.get("name") or "")
        rows.append(_row(row, "host", host, axis, zone) | {"short_name": host.removesuffix(cluster.domain) or host})
        rows += [_row(vm, "vm", host, axis, zone) for vm in cluster.vms.get(host, ())]
    return {
        "name": cluster.name,
        "is_open": is_open or any(phase in TROUBLE for phase in phases),
        "numbers": [(f"{number} {state}", TONES.get(state, "info")) for state, number in _numbers(phases)],
        "load": _load(cluster, axis),
        "rows": rows,
        "table": [_table_row(row, cluster, zone) for row in cluster.hosts],
    }


def _numbers(phases: Sequence[str]) -> list[tuple[str, int]]:
    states = [phase if phase in IDLE else "in progress" for phase in phases]
    order = ("failed", "blocked", "in progress", "waiting", "returned", "done", "idle")
    return [(state, states.count(state)) for state in order if state in states]


def _last(row: Record) -> Record:
    return (row.get("segments") or (_NO_SEGMENT,))[-1]  # type: ignore[no-any-return]


def _row(row: Record, type_: str, host: str, axis: Axis, zone: TimeZone) -> View:
    """A row with its bars. ``host``: the name of the host, also for a VM."""
    name, last, is_host = str(row.get("name") or ""), _last(row), type_ == "host"
    styles, height = (PHASES, 20) if is_host else (VM_PHASES, 14)
    segments = _with_gaps(row) if is_host else row.get("segments") or ()
    return {
        "type": type_,
        "name": name,
        "short_name": name,
        "host": host,
        "height": height,
        "is_trouble": last["phase"] in TROUBLE,
        "bars": [_bar(s, styles[s["phase"]], axis, zone, height) for s in segments if s["phase"] in styles],
        "description": _description(name, row, zone),
        "reason": _reason(last, zone),
        **(_host_end(row, last) if is_host else _vm_end(row, last)),
    }


def _host_end(row: Record, last: Record) -> View:
    spent = _seconds_in_progress(row)
    state = "no pending reboot" if last["phase"] == "idle" else last["phase"]
    return {"state": state, "tone": TONES.get(last["phase"], "info"), "took": clock(spent) if spent else ""}


def _vm_end(row: Record, last: Record) -> View:
    state = last["phase"] if last.get("open") else "down"
    return {"state": "", "tone": "", "took": f"{state} {clock(_seconds_down(row))}"}


def _with_gaps(row: Record) -> Iterator[Record]:
    """The segments of a row, and ``unseen`` for the times between them, in which no run was active: one was interrupted and resumed."""
    end = None
    for segment in row.get("segments") or ():
        if end is not None and segment["start"] > end:
            yield {"phase": "unseen", "start": end, "end": segment["start"]}
        yield segment
        end = segment["end"]


def _seconds_in_progress(row: Record) -> float:
    """Seconds of actions on the host. A time in which no run was active counts when an action was in progress before it."""
    seconds, busy = 0.0, False
    for segment in _with_gaps(row):
        busy = busy if segment["phase"] == "unseen" else segment["phase"] not in IDLE
        seconds += segment["end"] - segment["start"] if busy else 0.0
    return seconds


def _seconds_down(vm: Record) -> float:
    """Seconds in which the VM did not run. Between its segments it ran."""
    return float(sum(segment["end"] - segment["start"] for segment in vm.get("segments") or ()))


def _bar(segment: Record, style: PhaseStyle, axis: Axis, zone: TimeZone, height: int) -> View:
    """The bar of a segment, with its letter if there is room for one."""
    left, right = axis.x(segment["start"]), axis.x(segment["end"])
    width = max(right - left, 0.15)
    shape = bar_view(segment["phase"], style, left, width, row_height=height, title=_title(segment, zone))
    if not style.letter or height <= 16:
        return shape
    if style.thin:
        at, css, anchor = min(left + 0.2, 98.4), f"mark {segment['phase']}", "start"
    elif width > 1.4:
        at, css, anchor = left + width / 2, "tight" if width < 4 else "", "middle"
    else:
        return shape
    return shape | {"letter": style.letter, "letter_x": f"{at:.2f}%", "letter_class": css, "anchor": anchor}


def _title(segment: Record, zone: TimeZone) -> str:
    took = clock(max(0.0, segment["end"] - segment["start"]))
    start = zone.time_of_day(segment["start"])
    end = "until now" if segment.get("open") else f"to {zone.time_of_day(segment['end'])}"
    reason = _reason(segment, zone)
    return f"{segment['phase']} {start} {end} ({took}){f': {reason}' if reason else ''}"


def _reason(segment: Record, zone: TimeZone) -> str:
    """The reason for a phase. When several reasons followed each other, each has its start time."""
    reasons = [f"{zone.time_of_day(entry['at'])} {entry['reason']}" for entry in segment.get("reasons") or ()]
    return "; ".join(reasons) or str(segment.get("reason") or "")


def _description(name: str, row: Record, zone: TimeZone) -> str:
    """The row as a sentence, for a screen reader."""
    parts = [
        f"{s['phase']} from {zone.time_of_day(s['start'])} for {duration(s['end'] - s['start'])}"
        for s in row.get("segments") or ()
        if s["phase"] not in ("waiting", "idle", "done")
    ]
    last = _last(row)
    if last["phase"] in ("waiting", "idle", "done"):
        parts.append(f"{last['phase']} since {zone.time_of_day(last['start'])}")
    return f"{name}: {', '.join(parts)}"


def _load(cluster: ClusterRows, axis: Axis) -> View:
    """How many hosts of the cluster were in progress at each moment, as steps."""
    changes: list[tuple[float, int]] = []
    for row in cluster.hosts:
        for segment in row.get("segments") or ():
            if segment["phase"] not in IDLE:
                changes += [(segment["start"], 1), (segment["end"], -1)]
    steps: list[tuple[float, float, int]] = []
    level = highest = 0
    for at, following in itertools.pairwise(sorted({at for at, _change in changes})):
        level += sum(change for when, change in changes if when == at)
        highest = max(highest, level)
        if steps and steps[-1][2] == level:
            steps[-1] = (steps[-1][0], axis.x(following), level)
        else:
            steps.append((axis.x(at), axis.x(following), level))
    unit = 20 / max(1, highest)
    return {
        "description": f"hosts in progress over time, at most {highest}",
        "steps": [
            {"x": f"{a:.2f}%", "width": f"{b - a:.2f}%", "y": f"{23 - n * unit:.1f}", "height": f"{n * unit:.1f}"}
            for a, b, n in steps
            if n
        ],
    }


def _table_row(row: Record, cluster: ClusterRows, zone: TimeZone) -> View:
    """The host as a row of ``TABLE_HEAD``: name, phase with its color, and the other cells."""
    actions = [segment for segment in row.get("segments") or () if segment["phase"] not in IDLE]
    last = _last(row)
    took = [sum(s["end"] - s["start"] for s in actions if s["phase"] in phases) for phases in _STEPS.values()]
    vms = [f"{vm.get('name')} {clock(_seconds_down(vm))}" for vm in cluster.vms.get(str(row.get("name") or ""), ())]
    return {
        "name": str(row.get("name") or ""),
        "phase": last["phase"],
        "tone": TONES.get(last["phase"], "info"),
        "cells": [
            zone.time_of_day(actions[0]["start"]) if actions else "-",
            zone.time_of_day(actions[-1]["end"]) if actions and last["phase"] in IDLE else "-",
            *(clock(seconds) if seconds else "-" for seconds in took),
            clock(_seconds_in_progress(row)) if actions else "-",
            ", ".join(vms) or "-",
            _reason(last, zone),
        ],
    }
