# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a roll as a page: hosts × phases over time, the VMs that were down under their host. PRIVATE to the collection.

Works from a file, without a network, printed, without a script, and read aloud: what the picture shows is in tables, too.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from ..page import Html, Tone, badge, data, details, element, facts, joined, page, table
from ..plain import duration
from .axis import Axis, axis, ticks
from .gantt_look import PHASES, SCRIPT, STYLE, VM_PHASES, Look, bar, legend, patterns
from .joining import span
from .report import clock

Record = Mapping[str, Any]

RESTING = ("idle", "waiting", "blocked", "done", "failed")
TROUBLE = ("failed", "blocked")

MOST_OPEN = 40
"""Hosts up to which all clusters are shown unfolded; above it only those that need a person."""

_TONES: Mapping[str, Tone] = {"done": "ok", "failed": "bad", "blocked": "warn", "waiting": "mute", "idle": "mute"}
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
class _Group:
    """A cluster: its hosts, and the VMs of each."""

    name: str
    hosts: tuple[Record, ...]
    vms: Mapping[str, tuple[Record, ...]]
    domain: str
    """What the names of all hosts end in: left out where room is short."""


def gantt_page(result: Record, *, zone: Zone, title: str = "Rolling reboot", subject: str = "") -> str:
    """The page for a result of the module (joined over its slices). ``subject``: the vCenter, or whatever tells this roll from others."""
    timeline = result.get("timeline") or {}
    groups = _groups(timeline)
    rows = [*(timeline.get("hosts") or ()), *(timeline.get("vms") or ())]
    segments = [segment for row in rows for segment in row.get("segments") or ()]
    busy = [(segment["start"], segment["end"]) for segment in segments if segment["phase"] not in RESTING]
    start, end = min((s["start"] for s in segments), default=0.0), max((s["end"] for s in segments), default=0.0)
    along = axis(start, end, busy)
    unfolded = sum(len(group.hosts) for group in groups) <= MOST_OPEN
    parts = [
        patterns(),
        facts(_facts(result, timeline)),
        *_troubles(result),
        element("h2", "Timeline"),
        legend(),
        _tools(),
        element("div", _axis_row(along, zone), class_="top"),
        *(_group(group, along, zone, is_open=unfolded) for group in groups),
        data("axis", [{**_piece(piece), "offset": zone.offset(piece.start)} for piece in along.pieces]),
        *_notes(result),
    ]
    lead = _lead(result, timeline, zone, subject) if segments else "Nothing has happened."
    return page(title=title, lead=lead, body=joined(*parts), style=STYLE, script=SCRIPT)


def _piece(piece: Any) -> dict[str, float]:
    return {name: getattr(piece, name) for name in ("start", "end", "left", "right")}


def _groups(timeline: Record) -> list[_Group]:
    """Clusters by name, hosts by name, VMs in the order in which they were stopped."""
    clusters: dict[str, list[Record]] = {}
    for row in timeline.get("hosts") or ():
        clusters.setdefault(str(row.get("group") or ""), []).append(row)
    vms: dict[str, list[Record]] = {}
    for row in timeline.get("vms") or ():
        vms.setdefault(str(row.get("group") or ""), []).append(row)
    domain = _domain([str(row.get("name")) for row in timeline.get("hosts") or ()])
    return [
        _Group(
            name=name,
            domain=domain,
            hosts=tuple(sorted(hosts, key=lambda row: str(row.get("name")))),
            vms={str(row.get("name")): tuple(vms.get(str(row.get("name")), ())) for row in hosts},
        )
        for name, hosts in sorted(clusters.items())
    ]


def _domain(names: Sequence[str]) -> str:
    """``.lab.example`` where all end in it and are still told apart without it."""
    ends = {"." + name.partition(".")[2] for name in names}
    (end, *others) = ends or {"."}
    return "" if others or end == "." or all(part.isdigit() for part in end[1:].split(".")) else end


def _facts(result: Record, timeline: Record) -> Iterator[tuple[object, object, Tone]]:
    counts = result.get("counts") or {}
    begun, ended = span(timeline)
    yield "hosts", counts.get("total", len(timeline.get("hosts") or ())), ""
    for name, tone in (
        ("done", "ok"),
        ("in_flight", "info"),
        ("waiting", "mute"),
        ("blocked", "warn"),
        ("failed", "bad"),
    ):
        if counts.get(name) or name == "done":
            yield name.replace("_", " "), counts.get(name, 0), tone  # type: ignore[misc]
    yield "VMs stopped", len(timeline.get("vms") or ()), ""
    yield "took" if result.get("ended", True) else "so far", duration(ended - begun), ""


def _lead(result: Record, timeline: Record, zone: Zone, subject: str) -> Html:
    begun, ended = span(timeline)
    first, last = zone.day_and_time(begun), zone.day_and_time(ended)
    last = last if first[:10] != last[:10] else last[11:]
    state = str(result.get("state") or "")
    why = "; ".join(str(reason) for reason in result.get("reasons") or ())
    tone: Tone = {"finished": "ok", "halted": "bad", "stalled": "warn"}.get(state, "info")  # type: ignore[assignment]
    words = [
        f"{subject} · " if subject else "",
        f"{first} to {last} ({zone.name}) · ",
        badge(state, tone) if state else "",
    ]
    return joined(*words, f" {why}" if why else "")


def _troubles(result: Record) -> Iterator[Html]:
    hosts = [host for phase in TROUBLE for host in result.get("hosts") or () if host.get("phase") == phase]
    hints = list(result.get("resume") or ())
    if not hosts and not hints:
        return
    yield element("h2", "Needs a person")
    entries = []
    for host in hosts:
        told = [
            element("strong", host.get("name")),
            f" ({host.get('cluster')}) ",
            badge(host["phase"], _TONES[host["phase"]]),
        ]
        blockers = [blocker for blocker in host.get("blockers") or () if isinstance(blocker, Mapping)]
        for blocker in blockers:
            told += [f" {blocker.get('message', '')}.", f" {blocker['cure']}." if blocker.get("cure") else ""]
        told += [] if blockers else [f" {host.get('reason') or ''}"]
        entries.append(element("li", *told))
    most = 12
    yield element("ul", *entries[:most], class_="trouble")
    if entries[most:]:
        yield details(f"{len(entries) - most} more", element("ul", *entries[most:], class_="trouble"))
    if hints:
        yield element("p", element("strong", "To go on"))
        yield element("ul", *(element("li", hint) for hint in hints), class_="trouble")


def _tools() -> Html:
    """Shown by the script, which makes them work."""
    return element(
        "div",
        element(
            "input",
            type="search",
            id="find",
            placeholder="Find a host, VM or cluster",
            aria_label="Find a host, VM or cluster",
        ),
        element("label", element("input", type="checkbox", id="only-trouble"), " only what needs a person"),
        element("label", element("input", type="checkbox", id="show-vms", checked=True), " VMs"),
        element("button", "Unfold all", type="button", id="open-all"),
        element("button", "Fold all", type="button", id="close-all"),
        class_="tools",
        hidden=True,
    )


# ---------------------------------------------------------------------------------------------------------- a cluster


def _group(group: _Group, along: Axis, zone: Zone, *, is_open: bool) -> Html:
    phases = [_last(row)["phase"] for row in group.hosts]
    rows: list[Html] = [_axis_row(along, zone, own=True)]
    for row in group.hosts:
        short = str(row.get("name") or "").removesuffix(group.domain)
        rows.append(_row(row, PHASES, along, zone, tall=20, kind="host", host=str(row.get("name")), short=short))
        for vm in group.vms.get(str(row.get("name")), ()):
            rows.append(_row(vm, VM_PHASES, along, zone, tall=14, kind="vm", host=str(row.get("name")), short=""))
    chart = element("div", _grid(along, zone), *rows, class_="rows")
    summary = joined(
        element("span", group.name or "hosts", class_="name"),
        _strip(group, along),
        element("span", *(badge(f"{number} {phase}", _TONES.get(phase, "info")) for phase, number in _numbers(phases))),
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


def _axis_row(along: Axis, zone: Zone, *, own: bool = False) -> Html:
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
    for segment in _with_gaps(row):
        look = {**PHASES, **looks}.get(segment["phase"])
        if look is not None:
            bars += _bars(segment, look, along, zone, tall=tall)
    told = _aloud(name, row, zone)
    return element(
        "div",
        element("div", short or name, class_="name", title=name),
        element("svg", *bars, class_="lane", height=tall, role="img", aria_label=told),
        element("div", *_end(row, kind), class_="end", title=str(last.get("reason") or "") or None),
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


def _in_hand(row: Record) -> float:
    """Seconds in which something was done with the host, or was under way while nobody looked."""
    found, busy = 0.0, False
    for segment in _with_gaps(row):
        busy = busy if segment["phase"] == "unseen" else segment["phase"] not in RESTING
        found += segment["end"] - segment["start"] if busy else 0.0
    return found


def _bars(segment: Record, look: Look, along: Axis, zone: Zone, *, tall: int) -> Iterator[Html]:
    left, right = along.x(segment["start"]), along.x(segment["end"])
    width = max(right - left, 0.15)
    yield bar(segment["phase"], look, left, width, tall=tall, title=_tip(segment, zone))
    if look.letter and (look.thin or width > 1.4) and tall > 16:
        x = left + width / 2 if not look.thin else min(left + 0.2, 98.4)
        tight = "tight" if width < 4 else None
        anchor, css = ("middle", tight) if not look.thin else ("start", f"mark {segment['phase']}")
        yield element("text", look.letter, x=f"{x:.2f}%", y=14, text_anchor=anchor, class_=css, pointer_events="none")


def _tip(segment: Record, zone: Zone) -> str:
    took = clock(max(0.0, segment["end"] - segment["start"]))
    until = "until now" if segment.get("open") else f"to {zone.at(segment['end'])}"
    reason = f": {segment['reason']}" if segment.get("reason") else ""
    return f"{segment['phase']} {zone.at(segment['start'])} {until} ({took}){reason}"


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
    spent = _in_hand(row)
    if kind == "vm":
        yield f"{'down' if not _last(row).get('open') else phase} {clock(spent)}"
        return
    tone = _TONES.get(phase, "info")
    yield element("b", "owes nothing" if phase == "idle" else phase, class_=tone)
    if spent:
        yield f" {clock(spent)}"


def _strip(group: _Group, along: Axis) -> Html:
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


def _table(group: _Group, zone: Zone) -> Html:
    head = ["Host", "State", "Began", "Ended", *(name for name, _phases in _STEPS), "In hand", "VMs stopped", "Reason"]
    return table(
        head, [_cells(row, group, zone) for row in group.hosts], caption=f"{group.name}: times of day {zone.name}"
    )


def _cells(row: Record, group: _Group, zone: Zone) -> list[object]:
    deeds = [segment for segment in row.get("segments") or () if segment["phase"] not in RESTING]
    last = _last(row)
    took = {name: sum(s["end"] - s["start"] for s in deeds if s["phase"] in phases) for name, phases in _STEPS}
    vms = [f"{vm.get('name')} {clock(_in_hand(vm))}" for vm in group.vms.get(str(row.get("name")), ())]
    return [
        row.get("name"),
        badge(last["phase"], _TONES.get(last["phase"], "info")),
        zone.at(deeds[0]["start"]) if deeds else "-",
        zone.at(deeds[-1]["end"]) if deeds and last["phase"] in RESTING else "-",
        *(clock(seconds) if seconds else "-" for seconds in took.values()),
        clock(_in_hand(row)) if deeds else "-",
        ", ".join(vms) or "-",
        last.get("reason") or "",
    ]


def _notes(result: Record) -> Iterator[Html]:
    notes = [element("li", note) for note in result.get("notes") or ()]
    journal = result.get("journal") or {}
    if journal.get("kind"):
        why = f" ({journal['why']})" if journal.get("why") else ""
        notes.append(element("li", f"Journal: {journal['kind']}, {journal.get('place', '')}{why}"))
    if result.get("calls"):
        logins = result.get("logins", 1)
        notes.append(
            element("li", f"{result['calls']} calls to the server, {logins} login{'' if logins == 1 else 's'}")
        )
    if notes:
        yield element("h2", "Notes")
        yield element("ul", *notes)
