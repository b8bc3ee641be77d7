# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The planned and the rehearsed time of each host on one axis, with the VMs that are off. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ...module_utils._domain.rehearsal.outcome import HostPhase, HostPlan, HostRun, TimeOff, VcenterOutcome
from ...module_utils._domain.text import duration
from ..gantt.assets import PHASES, bar_view
from ..gantt.axis import Axis, TimeZone, build_axis, find_ticks
from ..gantt.rows import TROUBLE

View = dict[str, Any]

MOST_ROWS = 200
"""Hosts on the page. The JSON has all."""
SHOWN = PHASES.keys() - {"waiting", "done", "returned"}
HEIGHT = 20
VM_HEIGHT = 14


def lanes_view(one: VcenterOutcome, zone: TimeZone) -> View:
    """The rows of one vCenter: its waves, and for each host the plan over what was rehearsed."""
    plans = {plan.name: plan for plan in one.plans}
    hosts = {host.name: host for host in one.hosts if host.actions or host.phase in TROUBLE or host.name in plans}
    base = one.began if one.reboots_began is None else one.reboots_began
    names = sorted(plans.keys() | hosts.keys(), key=lambda name: _order(name, plans, hosts))
    axis = _axis(one, base, hosts.values())
    off: dict[str, list[TimeOff]] = {}
    for each in one.off:
        off.setdefault(each.host, []).append(each)
    rows = []
    for name in names[:MOST_ROWS]:
        rows.append(_host(name, plans.get(name), hosts.get(name), base, axis, zone))
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
        "waves": [_wave(number, found, hosts, base, zone) for number, found in _waves(one.plans)],
        "notes": list(one.notes),
    }


def _order(name: str, plans: Mapping[str, HostPlan], hosts: Mapping[str, HostRun]) -> tuple[float, float, str]:
    actions = hosts[name].actions if name in hosts else ()
    wave = float(plans[name].wave) if name in plans else float("inf")
    return wave, actions[0].start if actions else float("inf"), name


def _axis(one: VcenterOutcome, base: float, hosts: Iterable[HostRun]) -> Axis:
    spans = [(base + plan.starts, base + plan.ends) for plan in one.plans]
    spans += [(action.start, action.end) for host in hosts for action in host.actions]
    spans += [(each.start, each.until if each.end is None else each.end) for each in one.off]
    start = min((begin for begin, _end in spans), default=one.began)
    return build_axis(min(start, base), max((end for _begin, end in spans), default=one.ended), spans)


def _host(name: str, plan: HostPlan | None, host: HostRun | None, base: float, axis: Axis, zone: TimeZone) -> View:
    actions, phase = (host.actions, host.phase) if host else ((), "idle")
    took = actions[-1].end - actions[0].start if actions else 0.0
    expected = plan.ends - plan.starts if plan else 0.0
    return {
        "type": "host",
        "name": name,
        "height": HEIGHT,
        "plan": _plan(plan, base, axis, zone) if plan else None,
        "bars": [_bar(one, axis, zone) for one in (host.phases if host else ()) if one.phase in SHOWN],
        "description": f"{name}: planned {duration(expected)}, rehearsed {duration(took)}, {phase}",
        "state": phase,
        "tone": {"done": "ok", "failed": "bad", "blocked": "warn"}.get(phase, "mute"),
        "took": f"{duration(took)}, plan {duration(expected)}" if plan else duration(took),
    }


def _plan(plan: HostPlan, base: float, axis: Axis, zone: TimeZone) -> View:
    start, end = base + plan.starts, base + plan.ends
    left, right = axis.x(start), axis.x(end)
    title = f"planned {zone.time_of_day(start)} to {zone.time_of_day(end)}, wave {plan.wave}: {plan.reason}"
    return {"x": f"{left:.2f}%", "width": f"{max(right - left, 0.3):.2f}%", "title": title}


def _bar(one: HostPhase, axis: Axis, zone: TimeZone) -> View:
    style = PHASES[one.phase]
    left, right = axis.x(one.start), axis.x(one.end)
    title = f"{one.phase} {zone.time_of_day(one.start)} to {zone.time_of_day(one.end)}"
    shape = bar_view(one.phase, style, left, max(right - left, 0.15), row_height=HEIGHT, title=title)
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


def _waves(plans: Iterable[HostPlan]) -> Iterator[tuple[int, list[HostPlan]]]:
    waves: dict[int, list[HostPlan]] = {}
    for plan in plans:
        waves.setdefault(plan.wave, []).append(plan)
    yield from sorted(waves.items())


def _wave(number: int, plans: Sequence[HostPlan], hosts: Mapping[str, HostRun], base: float, zone: TimeZone) -> View:
    """Planned and rehearsed times of a wave, and its VMs that are shut down."""
    actions = [action for plan in plans if plan.name in hosts for action in hosts[plan.name].actions]
    starts, ends = min(plan.starts for plan in plans), max(plan.ends for plan in plans)
    return {
        "number": number,
        "hosts": ", ".join(sorted(plan.name for plan in plans)),
        "planned": _from_to(base + starts, base + ends, zone),
        "rehearsed": _from_to(min(a.start for a in actions), max(a.end for a in actions), zone) if actions else "-",
        "stops": ", ".join(name for plan in plans for name in plan.stops) or "-",
    }


def _from_to(start: float, end: float, zone: TimeZone) -> str:
    return f"{zone.time_of_day(start)} to {zone.time_of_day(end)}"
