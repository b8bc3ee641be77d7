# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of the picture of a roll: a cluster with its hosts, their bars, and the same as a table. PRIVATE to the collection."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from ...module_utils._domain.rolling.state.timeline import clock
from ...module_utils._domain.text import duration
from ..html import Html, Tone, badge, details, element, joined, table
from .assets import PHASES, VM_PHASES, Look, stripe
from .axis import Axis, ticks

Record = Mapping[str, Any]

RESTING = ("idle", "waiting", "blocked", "done", "failed")
TROUBLE = ("failed", "blocked")

TONES: Mapping[str, Tone] = {"done": "ok", "failed": "bad", "blocked": "warn", "waiting": "mute", "idle": "mute"}
_STEPS = (
    ("Drain", ("draining",)),
    ("Maintenance", ("maintenance",)),
    ("Reboot", ("rebooting", "booting")),
    ("Verify", ("verifying",)),
    ("Release", ("leaving", "restoring")),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Zone:
    """Times are shown on this clock. ``name`` is said beside them."""

    info: tzinfo
    name: str

    def at(self, moment: float) -> str:
        return datetime.fromtimestamp(moment, tz=self.info).strftime("%H:%M:%S")

    def day_and_time(self, moment: float) -> str:
        return datetime.fromtimestamp(moment, tz=self.info).strftime("%Y-%m-%d %H:%M")

    def offset(self, moment: float) -> float:
        offset = datetime.fromtimestamp(moment, tz=self.info).utcoffset()
        return offset.total_seconds() if offset is not None else 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """A cluster: its hosts, and the VMs of each."""

    name: str
    hosts: tuple[Record, ...]
    vms: Mapping[str, tuple[Record, ...]]
    domain: str
    """What the names of all hosts end in: left out where room is short."""


def drawn(group: Group, along: Axis, zone: Zone, *, is_open: bool) -> Html:
    """A cluster: folded to how busy it was, unfolded to its hosts; unfolded in any case where it needs a person."""
    phases = [_last(row)["phase"] for row in group.hosts]
    rows: list[Html] = [axis_row(along, zone, own=True)]
    for row in group.hosts:
        short = str(row.get("name") or "").removesuffix(group.domain)
        rows.append(_row(row, PHASES, along, zone, tall=20, kind="host", host=str(row.get("name")), short=short))
        for vm in group.vms.get(str(row.get("name")), ()):
            rows.append(_row(vm, VM_PHASES, along, zone, tall=14, kind="vm", host=str(row.get("name")), short=""))
    chart = element("div", _grid(along, zone), *rows, class_="rows")
    summary = joined(
        element("span", group.name or "hosts", class_="name"),
        _strip(group, along),
        element("span", *(badge(f"{number} {phase}", TONES.get(phase, "info")) for phase, number in _numbers(phases))),
    )
    inner = details("The same as a table", _table(group, zone), class_="inner")
    needs = any(phase in TROUBLE for phase in phases)
    return element(
        "details",
        element("summary", summary),
        chart,
        inner,
        class_="group",
        open=is_open or needs,
        data_find=group.name.lower(),
    )


def _numbers(phases: Sequence[str]) -> list[tuple[str, int]]:
    words = ["in flight" if phase not in RESTING else phase for phase in phases]
    order = ("failed", "blocked", "in flight", "waiting", "done", "idle")
    return [(word, words.count(word)) for word in order if word in words]


def _last(row: Record) -> Record:
    segments = row.get("segments") or ()
    return segments[-1] if segments else {"phase": "idle", "start": 0.0, "end": 0.0}


def axis_row(along: Axis, zone: Zone, *, own: bool = False) -> Html:
    """One for the page, which stays in view; each cluster's own one is for print."""
    names = []
    for tick in ticks(along, zone.info):
        edge = "start" if tick.x < 3 else "middle"
        names.append(element("text", tick.label, x=f"{tick.x:.2f}%", y=26, text_anchor=edge))
        if tick.date:
            names.append(element("text", tick.date, x=f"{tick.x:.2f}%", y=12, text_anchor=edge))
    return element(
        "div",
        element("div", zone.name, class_="name", title="the clock that times are shown on"),
        element("svg", *names, class_="axis", height=30, role="img", aria_label=f"Times of day, {zone.name}"),
        element("div", class_="end"),
        class_="row axes own" if own else "row axes",
    )


def _grid(along: Axis, zone: Zone) -> Html:
    folds = [
        element("rect", x=f"{p.left:.2f}%", y=0, width=f"{p.right - p.left:.2f}%", height="100%", class_="fold")
        for p in along.pieces
        if p.folded
    ]
    lines = [
        element("line", x1=f"{tick.x:.2f}%", x2=f"{tick.x:.2f}%", y1=0, y2="100%") for tick in ticks(along, zone.info)
    ]
    return element("svg", *folds, *lines, class_="grid", aria_hidden="true")


def _row(
    row: Record, looks: Mapping[str, Look], along: Axis, zone: Zone, *, tall: int, kind: str, host: str, short: str
) -> Html:
    name, last = str(row.get("name") or ""), _last(row)
    bars: list[Html] = []
    for segment in _with_gaps(row) if kind == "host" else row.get("segments") or ():
        look = looks.get(segment["phase"])
        if look is not None:
            bars += _bars(segment, look, along, zone, tall=tall)
    told = _aloud(name, row, zone)
    return element(
        "div",
        element("div", short or name, class_="name", title=name),
        element("svg", *bars, class_="lane", height=tall, role="img", aria_label=told),
        element("div", *_end(row, kind), class_="end", title=_why(last, zone) or None),
        class_=f"row {kind}",
        data_find=name.lower(),
        data_host=host,
        data_trouble="1" if last["phase"] in TROUBLE else None,
    )


def _with_gaps(row: Record) -> Iterator[Record]:
    """The segments of a row, and between them the times of which nothing is known: a run was cut off and gone on with later."""
    end = None
    for segment in row.get("segments") or ():
        if end is not None and segment["start"] > end:
            yield {"phase": "unseen", "start": end, "end": segment["start"]}
        yield segment
        end = segment["end"]


def _in_progress(row: Record) -> float:
    """Seconds in which something was done with the host, or was under way while nobody looked."""
    found, busy = 0.0, False
    for segment in _with_gaps(row):
        busy = busy if segment["phase"] == "unseen" else segment["phase"] not in RESTING
        found += segment["end"] - segment["start"] if busy else 0.0
    return found


def _down(vm: Record) -> float:
    """Seconds. Between its segments a VM was running."""
    return float(sum(segment["end"] - segment["start"] for segment in vm.get("segments") or ()))


def _bars(segment: Record, look: Look, along: Axis, zone: Zone, *, tall: int) -> Iterator[Html]:
    left, right = along.x(segment["start"]), along.x(segment["end"])
    width = max(right - left, 0.15)
    yield stripe(segment["phase"], look, left, width, tall=tall, title=_tip(segment, zone))
    if look.letter and (look.thin or width > 1.4) and tall > 16:
        x = left + width / 2 if not look.thin else min(left + 0.2, 98.4)
        tight = "tight" if width < 4 else None
        anchor, css = ("middle", tight) if not look.thin else ("start", f"mark {segment['phase']}")
        yield element("text", look.letter, x=f"{x:.2f}%", y=14, text_anchor=anchor, class_=css, pointer_events="none")


def _tip(segment: Record, zone: Zone) -> str:
    took = clock(max(0.0, segment["end"] - segment["start"]))
    until = "until now" if segment.get("open") else f"to {zone.at(segment['end'])}"
    why = _why(segment, zone)
    return f"{segment['phase']} {zone.at(segment['start'])} {until} ({took}){f': {why}' if why else ''}"


def _why(segment: Record, zone: Zone) -> str:
    """The reason; of a time in which there were several one after the other, since when each."""
    several = [f"{zone.at(entry['at'])} {entry['reason']}" for entry in segment.get("reasons") or ()]
    return "; ".join(several) or str(segment.get("reason") or "")


def _aloud(name: str, row: Record, zone: Zone) -> str:
    parts = [
        f"{s['phase']} from {zone.at(s['start'])} for {duration(s['end'] - s['start'])}"
        for s in row.get("segments") or ()
        if s["phase"] not in ("waiting", "idle", "done")
    ]
    last = _last(row)
    end = [f"{last['phase']} since {zone.at(last['start'])}"] if last["phase"] in ("waiting", "idle", "done") else []
    return f"{name}: {', '.join([*parts, *end]) or 'nothing'}"


def _end(row: Record, kind: str) -> Iterator[object]:
    phase = _last(row)["phase"]
    if kind == "vm":
        yield f"{'down' if not _last(row).get('open') else phase} {clock(_down(row))}"
        return
    spent = _in_progress(row)
    tone = TONES.get(phase, "info")
    yield element("b", "owes nothing" if phase == "idle" else phase, class_=tone)
    if spent:
        yield f" {clock(spent)}"


def _strip(group: Group, along: Axis) -> Html:
    """How many hosts of the cluster were in hand at each moment."""
    marks: list[tuple[float, int]] = []
    for row in group.hosts:
        for segment in row.get("segments") or ():
            if segment["phase"] not in RESTING:
                marks += [(segment["start"], 1), (segment["end"], -1)]
    steps: list[tuple[float, float, int]] = []
    level = highest = 0
    for at, following in itertools.pairwise(sorted({at for at, _change in marks})):
        level += sum(change for when, change in marks if when == at)
        highest = max(highest, level)
        if steps and steps[-1][2] == level:
            steps[-1] = (steps[-1][0], along.x(following), level)
        else:
            steps.append((along.x(at), along.x(following), level))
    unit = 20 / max(1, highest)
    bars = [
        element(
            "rect",
            x=f"{a:.2f}%",
            width=f"{b - a:.2f}%",
            y=f"{23 - n * unit:.1f}",
            height=f"{n * unit:.1f}",
            class_="busy",
        )
        for a, b, n in steps
        if n
    ]
    most = f"hosts in hand over time, {highest} at the most"
    base = element("line", x1="0", x2="100%", y1="23.5", y2="23.5", class_="base")
    return element("svg", element("title", most), *bars, base, class_="strip", role="img", aria_label=most)


def _table(group: Group, zone: Zone) -> Html:
    head = ["Host", "State", "Began", "Ended", *(name for name, _phases in _STEPS), "In hand", "VMs stopped", "Reason"]
    return table(
        head, [_cells(row, group, zone) for row in group.hosts], caption=f"{group.name}: times of day {zone.name}"
    )


def _cells(row: Record, group: Group, zone: Zone) -> list[object]:
    deeds = [segment for segment in row.get("segments") or () if segment["phase"] not in RESTING]
    last = _last(row)
    took = {name: sum(s["end"] - s["start"] for s in deeds if s["phase"] in phases) for name, phases in _STEPS}
    vms = [f"{vm.get('name')} {clock(_down(vm))}" for vm in group.vms.get(str(row.get("name")), ())]
    return [
        row.get("name"),
        badge(last["phase"], TONES.get(last["phase"], "info")),
        zone.at(deeds[0]["start"]) if deeds else "-",
        zone.at(deeds[-1]["end"]) if deeds and last["phase"] in RESTING else "-",
        *(clock(seconds) if seconds else "-" for seconds in took.values()),
        clock(_in_progress(row)) if deeds else "-",
        ", ".join(vms) or "-",
        _why(last, zone),
    ]
