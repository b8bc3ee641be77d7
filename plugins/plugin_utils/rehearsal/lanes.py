# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The planned and the rehearsed time of each host on one axis, with the VMs that are off. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...module_utils._domain.rehearsal.outcome import TimeOff, VcenterOutcome
from ...module_utils._domain.rolling.state.phases import RESTING
from ...module_utils._domain.text import duration
from ..gantt.assets import PHASES, bar_view
from ..gantt.axis import Axis, TimeZone, build_axis, find_ticks
from ..gantt.rows import TROUBLE

Record = Mapping[str, Any]
View = dict[str, Any]

MOST_ROWS = 200
"""Hosts on the page. The JSON has all."""
SHOWN = PHASES.keys() - {"waiting", "done", "returned"}
HEIGHT = 20
VM_HEIGHT = 14


def lanes_view(one: VcenterOutcome, zone: TimeZone) -> View:
    """The rows of one vCenter: its waves, and for each host the plan over what was rehearsed."""
    timeline = one.rolling.get("timeline") or {}
    planned = {str(host["name"]): host for host in (one.planned.get("schedule") or {}).get("hosts") or ()}
    rows_of_hosts = timeline.get("hosts") or ()
    rehearsed = {str(row["name"]): row for row in rows_of_hosts if _actions(row) or _is_stuck(row) or row["name"] in planned}
    base = float(timeline.get("began") or one.began)
    names = sorted(planned.keys() | rehearsed.keys(), key=lambda name: _order(name, planned, rehearsed))
    axis = _axis(one, base, planned.values(), rehearsed.values())
    off: dict[str, list[TimeOff]] = {}
    for each in one.off:
        off.setdefault(each.host, []).append(each)
    rows = []
    for name in names[:MOST_ROWS]:
        rows.append(_host(name, planned.get(name), rehearsed.get(name), base, axis, zone))
        rows += [_vm(each, axis, zone) for each in off.get(name, ())]
    rest = [each for host, found in off.items() if host not in names for each in found]
    return {
        "name": one.vcenter.removesuffix(":443"),
        "rows": rows + [_vm(each, axis, zone) for each in rest],
        "more": max(0, len(names) - MOST_ROWS),
        "ticks": [
            {"x": f"{t.x:.2f}%", "label": t.label, "date": t.date, "anchor": "start" if t.x < 3 else "middle"}
            for t in find_ticks(axis, zone.info)
        ],
        "folds": [{"x": f"{p.left:.2f}%", "width": f"{p.right - p.left:.2f}%"} for p in axis.pieces if p.folded],
        "waves": [_wave(number, hosts, rehearsed, base, zone) for number, hosts in _waves(planned.values())],
        "notes": [str(note) for note in one.rolling.get("notes") or ()],
    }


def _actions(row: Record | None) -> list[Record]:
    return [segment for segment in (row or {}).get("segments") or () if segment["phase"] not in RESTING]


def _is_stuck(row: Record) -> bool:
    return bool(row.get("segments")) and row["segments"][-1]["phase"] in TROUBLE


def _order(name: str, planned: Mapping[str, Record], rehearsed: Mapping[str, Record]) -> tuple[float, float, str]:
    plan, actions = planned.get(name), _actions(rehearsed.get(name))
    wave = float(plan["wave"]) if plan else float("inf")
    return wave, actions[0]["start"] if actions else float("inf"), name


def _axis(one: VcenterOutcome, base: float, planned: Any, rehearsed: Any) -> Axis:
    plans = [(base + host["starts_after_seconds"], base + host["ends_after_seconds"]) for host in planned]
    done = [(s["start"], s["end"]) for row in rehearsed for s in _actions(row)]
    off = [(each.start, each.until if each.end is None else each.end) for each in one.off]
    spans = [*plans, *done, *off]
    start = min((begin for begin, _end in spans), default=one.began)
    return build_axis(min(start, base), max((end for _begin, end in spans), default=one.ended), spans)


def _host(name: str, plan: Record | None, row: Record | None, base: float, axis: Axis, zone: TimeZone) -> View:
    actions = _actions(row)
    last = ((row or {}).get("segments") or [{"phase": "idle"}])[-1]["phase"]
    took = actions[-1]["end"] - actions[0]["start"] if actions else 0.0
    expected = plan["ends_after_seconds"] - plan["starts_after_seconds"] if plan else 0.0
    return {
        "type": "host",
        "name": name,
        "height": HEIGHT,
        "plan": _plan(plan, base, axis, zone) if plan else None,
        "bars": [_bar(s, axis, zone) for s in (row or {}).get("segments") or () if s["phase"] in SHOWN],
        "description": f"{name}: planned {duration(expected)}, rehearsed {duration(took)}, {last}",
        "state": last,
        "tone": {"done": "ok", "failed": "bad", "blocked": "warn"}.get(last, "mute"),
        "took": f"{duration(took)}, plan {duration(expected)}" if plan else duration(took),
    }


def _plan(plan: Record, base: float, axis: Axis, zone: TimeZone) -> View:
    start, end = base + plan["starts_after_seconds"], base + plan["ends_after_seconds"]
    left, right = axis.x(start), axis.x(end)
    title = f"planned {zone.time_of_day(start)} to {zone.time_of_day(end)}, wave {plan['wave']}: {plan['reason']}"
    return {"x": f"{left:.2f}%", "width": f"{max(right - left, 0.3):.2f}%", "title": title}


def _bar(segment: Record, axis: Axis, zone: TimeZone) -> View:
    style = PHASES[segment["phase"]]
    left, right = axis.x(segment["start"]), axis.x(segment["end"])
    title = f"{segment['phase']} {zone.time_of_day(segment['start'])} to {zone.time_of_day(segment['end'])}"
    shape = bar_view(segment["phase"], style, left, max(right - left, 0.15), row_height=HEIGHT, title=title)
    if style.letter and not style.thin and right - left > 1.4:
        return shape | {"letter": style.letter, "letter_x": f"{(left + right) / 2:.2f}%"}
    return shape


def _vm(off: TimeOff, axis: Axis, zone: TimeZone) -> View:
    end = off.until if off.end is None else off.end
    left, right = axis.x(off.start), axis.x(end)
    until = "still off" if off.end is None else zone.time_of_day(end)
    title = f"off from {zone.time_of_day(off.start)} to {until}"
    return {
        "type": "vm",
        "name": off.vm,
        "height": VM_HEIGHT,
        "x": f"{left:.2f}%",
        "width": f"{max(right - left, 0.3):.2f}%",
        "description": f"{off.vm}: {title}",
        "title": title,
        "took": f"off {duration(off.seconds)}" + (", still off" if off.end is None else ""),
    }


def _waves(planned: Any) -> Iterator[tuple[int, list[Record]]]:
    waves: dict[int, list[Record]] = {}
    for host in planned:
        waves.setdefault(int(host["wave"]), []).append(host)
    yield from sorted(waves.items())


def _wave(number: int, hosts: Sequence[Record], rehearsed: Mapping[str, Record], base: float, zone: TimeZone) -> View:
    """Planned and rehearsed times of a wave, and its VMs that are shut down."""
    actions = [action for host in hosts for action in _actions(rehearsed.get(str(host["name"])))]
    starts = min((host["starts_after_seconds"] for host in hosts), default=0)
    ends = max((host["ends_after_seconds"] for host in hosts), default=0)
    done = f"{zone.time_of_day(min(a['start'] for a in actions))} to {zone.time_of_day(max(a['end'] for a in actions))}" if actions else "-"
    return {
        "number": number,
        "hosts": ", ".join(sorted(str(host["name"]) for host in hosts)),
        "planned": f"{zone.time_of_day(base + starts)} to {zone.time_of_day(base + ends)}",
        "rehearsed": done,
        "stops": ", ".join(str(vm["name"]) for host in hosts for vm in host["stops"]) or "-",
    }
