# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a roll as a page: hosts × phases over time, the VMs that were down under their host. PRIVATE to the collection.

Works from a file, without a network, printed, without a script, and read aloud: what the picture shows is in tables, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...module_utils._domain.rolling.scheduling.notices import on_clock
from ...module_utils._domain.text import duration
from ..html import Html, Tone, badge, data, details, element, facts, joined, page
from ..rolling.merge_slices import span
from .assets import SCRIPT, STYLE, legend, patterns
from .axis import Piece, axis
from .rows import RESTING, TONES, TROUBLE, Group, Zone, axis_row, drawn

__all__ = ["Zone", "gantt_page"]

Record = Mapping[str, Any]

MOST_OPEN = 40
"""Hosts up to which all clusters are shown unfolded; above it only those that need a person."""


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
        element("div", axis_row(along, zone), class_="top"),
        *(drawn(group, along, zone, is_open=unfolded) for group in groups),
        data("axis", [{**_piece(piece), "offset": zone.offset(piece.start)} for piece in along.pieces]),
        *_notes(result, zone),
    ]
    lead = _lead(result, timeline, zone, subject) if segments else "Nothing has happened."
    return page(title=title, lead=lead, body=joined(*parts), style=STYLE, script=SCRIPT)


def _piece(piece: Piece) -> dict[str, float]:
    return {name: getattr(piece, name) for name in ("start", "end", "left", "right")}


def _groups(timeline: Record) -> list[Group]:
    """Clusters by name, hosts by name, VMs in the order in which they were stopped."""
    clusters: dict[str, list[Record]] = {}
    for row in timeline.get("hosts") or ():
        clusters.setdefault(str(row.get("group") or ""), []).append(row)
    vms: dict[str, list[Record]] = {}
    for row in timeline.get("vms") or ():
        vms.setdefault(str(row.get("group") or ""), []).append(row)
    domain = _domain([str(row.get("name")) for row in timeline.get("hosts") or ()])
    return [
        Group(
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
        name = host.get("name")
        told = [
            element("strong", host.get("name")),
            f" ({host.get('cluster')}) ",
            badge(host["phase"], TONES[host["phase"]]),
        ]
        blockers = [blocker for blocker in host.get("blockers") or () if isinstance(blocker, Mapping)]
        for blocker in blockers:
            told += [
                f" {str(blocker.get('message', '')).removeprefix(f'{name} ')}.",
                f" {blocker['cure']}." if blocker.get("cure") else "",
            ]
        told += [] if blockers else [f" {str(host.get('reason') or '').removeprefix(f'{name} ')}"]
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


def _notes(result: Record, zone: Zone) -> Iterator[Html]:
    now = result.get("server_time")
    at = float(now) if isinstance(now, int | float) else 0.0
    notes = [element("li", on_clock(str(note), zone.info, at)) for note in result.get("notes") or ()]
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
