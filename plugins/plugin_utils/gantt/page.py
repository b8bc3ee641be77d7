# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a rolling reboot as an HTML page: the phases of each host over time, with its stopped VMs. PRIVATE to the collection.

The page works from a file, without a network, without its script, on paper, and with a screen reader: tables show the same data.
``templates/gantt.html.j2`` lays out the values of ``page_view``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ...module_utils._domain.rolling.scheduling.notices import on_clock
from ...module_utils._domain.text import duration
from ..html import Tone, render_page
from ..rolling.merge_slices import span
from .assets import SCRIPT, STYLE, legend_views, pattern_views
from .axis import Axis, TimeZone, build_axis, find_ticks
from .rows import IDLE, TABLE_HEAD, TONES, TROUBLE, ClusterRows, View, cluster_view

Record = Mapping[str, Any]

MOST_EXPANDED = 40
"""Up to this number of hosts all clusters are expanded. Above it only those that need attention."""

_STATE_TONES: Mapping[str, Tone] = {"finished": "ok", "halted": "bad", "stalled": "warn", "interrupted": "warn"}
_COUNTS: Mapping[str, tuple[str, Tone]] = {
    "done": ("done", "ok"),
    "in_flight": ("in progress", "info"),
    "waiting": ("waiting", "mute"),
    "returned": ("returned to service", "ok"),
    "blocked": ("blocked", "warn"),
    "failed": ("failed", "bad"),
}


def render_gantt(
    result: Record,
    *,
    zone: TimeZone,
    title: str = "Rolling reboot",
    subject: str = "",
    updated: float | None = None,
    ended_by: str = "",
) -> str:
    """The page for a result of the module (merged over its slices). ``subject``: the vCenter, or another name for this run. ``updated``:
    when the state of a run in progress was read here; None for a run that is over. ``ended_by``: a sentence, why it ended early."""
    view = page_view(result, zone=zone, title=title, subject=subject, updated=updated, ended_by=ended_by)
    return render_page("gantt.html.j2", view, style=STYLE, script=SCRIPT)


def page_view(
    result: Record, *, zone: TimeZone, title: str, subject: str, updated: float | None = None, ended_by: str = ""
) -> View:
    """What the page shows of a result."""
    timeline = result.get("timeline") or {}
    rows = [*(timeline.get("hosts") or ()), *(timeline.get("vms") or ())]
    segments = [segment for row in rows for segment in row.get("segments") or ()]
    clusters = _clusters(timeline)
    axis = _axis(segments)
    hosts = result.get("hosts") or ()
    expanded = sum(len(cluster.hosts) for cluster in clusters) <= MOST_EXPANDED
    return {
        "title": title,
        **_lead(
            {**result, "state": "interrupted"} if ended_by else result,
            timeline,
            zone,
            subject,
            has_begun=bool(segments),
        ),
        **_now(result, zone, updated, ended_by),
        "facts": list(_facts(result, timeline)),
        "troubles": [_trouble(host) for phase in TROUBLE for host in hosts if host.get("phase") == phase],
        "hints": list(result.get("resume") or ()),
        "patterns": pattern_views(),
        "legend": legend_views(),
        "zone": zone.name,
        **_axis_view(axis, zone),
        "clusters": [cluster_view(cluster, axis, zone, is_open=expanded) for cluster in clusters],
        "table_head": TABLE_HEAD,
        "notes": list(_notes(result, zone)),
    }


def _now(result: Record, zone: TimeZone, updated: float | None, ended_by: str) -> View:
    """What is off and in progress now. ``now``: None for a run that is over and said so."""
    begun = result.get("in_progress") or {}
    hosts, vms = begun.get("hosts") or (), begun.get("vms_off") or ()
    now: View | None = None
    if updated is not None:
        at = zone.minute_here(updated)
        text = f"interrupted at {at}" if ended_by else f"in progress, last update {at}"
        now = {
            "text": text,
            "tone": "bad" if ended_by else "info",
            "why": ended_by,
            "updated": None if ended_by else updated,
        }
    return {
        "now": now,
        "vms_off": [(vm["name"], vm["host"], zone.time_of_day(vm["since"])[:5], vm["state"]) for vm in vms],
        "begun": [
            (host["name"], host["cluster"], host["phase"], zone.time_of_day(host["since"])[:5]) for host in hosts
        ],
    }


def _axis(segments: Sequence[Record]) -> Axis:
    busy = [(segment["start"], segment["end"]) for segment in segments if segment["phase"] not in IDLE]
    start = min((segment["start"] for segment in segments), default=0.0)
    return build_axis(start, max((segment["end"] for segment in segments), default=0.0), busy)


def _axis_view(axis: Axis, zone: TimeZone) -> View:
    """Ticks and folded stretches, and the pieces from which the script computes the time under the pointer."""
    return {
        "ticks": [
            {"x": f"{t.x:.2f}%", "label": t.label, "date": t.date, "anchor": "start" if t.x < 3 else "middle"}
            for t in find_ticks(axis, zone.info)
        ],
        "folds": [
            {"x": f"{piece.left:.2f}%", "width": f"{piece.right - piece.left:.2f}%"}
            for piece in axis.pieces
            if piece.folded
        ],
        "pieces": [
            {
                "start": piece.start,
                "end": piece.end,
                "left": piece.left,
                "right": piece.right,
                "offset": zone.utc_offset(piece.start),
            }
            for piece in axis.pieces
        ],
    }


def _clusters(timeline: Record) -> list[ClusterRows]:
    """Clusters by name, hosts by name, VMs in the order in which they were stopped."""
    hosts = _by_group(timeline.get("hosts") or ())
    vms = _by_group(timeline.get("vms") or ())
    domain = _domain([str(row.get("name") or "") for rows in hosts.values() for row in rows])
    return [
        ClusterRows(
            name=name,
            domain=domain,
            hosts=tuple(sorted(rows, key=lambda row: str(row.get("name") or ""))),
            vms={host: tuple(vms.get(host, ())) for host in (str(row.get("name") or "") for row in rows)},
        )
        for name, rows in sorted(hosts.items())
    ]


def _by_group(rows: Iterable[Record]) -> dict[str, list[Record]]:
    groups: dict[str, list[Record]] = {}
    for row in rows:
        groups.setdefault(str(row.get("group") or ""), []).append(row)
    return groups


def _domain(names: Sequence[str]) -> str:
    """``.lab.example`` when all names end in it and differ without it, else empty."""
    ends = {"." + name.partition(".")[2] for name in names}
    (end, *others) = ends or {"."}
    return "" if others or end == "." or all(part.isdigit() for part in end[1:].split(".")) else end


def _facts(result: Record, timeline: Record) -> Iterator[tuple[str, object, Tone]]:
    counts = result.get("counts") or {}
    started, ended = span(timeline)
    yield "hosts", counts.get("total", len(timeline.get("hosts") or ())), ""
    for name, (label, tone) in _COUNTS.items():
        if counts.get(name) or name == "done":
            yield label, counts.get(name, 0), tone
    yield "VMs stopped", len(timeline.get("vms") or ()), ""
    yield "took" if result.get("ended", True) else "so far", duration(ended - started), ""


def _lead(result: Record, timeline: Record, zone: TimeZone, subject: str, *, has_begun: bool) -> View:
    """One line: the subject, from when to when, the state of the run and why."""
    if not has_begun:
        waiting = "Nothing has happened." if result.get("ended", True) else "The hosts have not been read yet."
        return {"lead": f"{subject} · {waiting}" if subject else waiting, "state": "", "state_tone": "", "reason": ""}
    first, last = map(zone.date_and_time, span(timeline))
    last = last if first[:10] != last[:10] else last[11:]
    state = str(result.get("state") or "")
    return {
        "lead": f"{subject} · {first} to {last} ({zone.name})" if subject else f"{first} to {last} ({zone.name})",
        "state": state,
        "state_tone": _STATE_TONES.get(state, "info"),
        "reason": "; ".join(str(reason) for reason in result.get("reasons") or ()),
    }


def _trouble(host: Record) -> View:
    """A host that needs attention: each blocker and its fix, or else the reason. The name is not repeated in them."""
    name = str(host.get("name") or "")
    texts = []
    for blocker in host.get("blockers") or ():
        if isinstance(blocker, Mapping):
            texts.append(f"{str(blocker.get('message') or '').removeprefix(f'{name} ')}.")
            texts += [f"{blocker['cure']}."] if blocker.get("cure") else []
    return {
        "name": name,
        "cluster": host.get("cluster"),
        "phase": host["phase"],
        "tone": TONES[host["phase"]],
        "text": " ".join(texts) or str(host.get("reason") or "").removeprefix(f"{name} "),
    }


def _notes(result: Record, zone: TimeZone) -> Iterator[str]:
    now = result.get("server_time")
    at = float(now) if isinstance(now, int | float) else 0.0
    for note in result.get("notes") or ():
        yield on_clock(str(note), zone.info, at)
    journal = result.get("journal") or {}
    if journal.get("kind"):
        reason = f" ({journal['why']})" if journal.get("why") else ""
        yield f"Journal: {journal['kind']}, {journal.get('place', '')}{reason}"
    if result.get("calls"):
        logins = result.get("logins", 1)
        yield f"{result['calls']} calls to the server, {logins} login{'' if logins == 1 else 's'}"
