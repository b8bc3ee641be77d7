# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a rehearsal as an HTML page: ``templates/rehearsal.html.j2`` lays out the values of ``rehearsal_view``.

PRIVATE to the collection.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from ...module_utils._domain.rehearsal.outcome import ENDINGS, TimeOff, Verdict
from ...module_utils._domain.rehearsal.report import RehearsalSubject
from ...module_utils._domain.rehearsal.statistics import Comparison, Spread, comparable, spread_of_times_off
from ...module_utils._domain.text import counted, duration
from ..gantt.assets import STYLE, legend_views, pattern_views
from ..gantt.axis import TimeZone
from ..html import Tone, render_page
from .lanes import lanes_view

View = dict[str, Any]

TONES: Mapping[Verdict, Tone] = {"succeeds": "ok", "incomplete": "warn", "fails": "bad", "no_result": "bad"}

OWN_STYLE = """
.plan{fill:none;stroke:var(--soft);stroke-width:1.5;stroke-dasharray:4 2}.offbar{fill:var(--down)}
.wide td:first-child,.wide th,.what td{white-space:nowrap}.what td:last-child{white-space:normal}
.what tbody th{white-space:normal;min-width:11rem}.what td:last-child{min-width:18rem}
.todo li{margin:.3rem 0}.key{display:inline-block;vertical-align:middle}
pre.end{white-space:pre-wrap;overflow-wrap:anywhere;font:.8rem/1.4 var(--mono)}
"""


def render_rehearsal(subject: RehearsalSubject, *, zone: TimeZone, made: datetime) -> str:
    """The page. ``made``: now, in the time zone of this machine."""
    view = rehearsal_view(subject, zone=zone, made=made)
    return render_page("rehearsal.html.j2", view, style=STYLE + OWN_STYLE)


def rehearsal_view(subject: RehearsalSubject, *, zone: TimeZone, made: datetime) -> View:
    """What the page shows."""
    run = subject.undisturbed
    return {
        "title": "Rehearsal",
        "lead": _lead(subject, zone, made),
        "state": ENDINGS[run.verdict],
        "state_tone": TONES[run.verdict],
        "problem": run.problem,
        "facts": list(_facts(subject)),
        "to_do": list(subject.to_do),
        "refused": [(one.vcenter, one.subject, one.text, one.cure) for one in run.refused],
        "zone": zone.name,
        "patterns": pattern_views(),
        "legend": legend_views(),
        "vcenters": [lanes_view(one, zone) for one in run.vcenters],
        "off": _off(subject, zone),
        "draws": len(subject.draws),
        "spread": _spread(subject),
        "what_ifs": [_what_if(one) for one in subject.what_ifs],
        "without_target": list(subject.without_target),
        "left_out": [one.text() for one in subject.left_out],
        "basis": list(_basis(subject, zone)),
    }


def _lead(subject: RehearsalSubject, zone: TimeZone, made: datetime) -> str:
    names = ", ".join(one.name.removesuffix(":443") for one in subject.servers)
    return f"The playbook {subject.playbook} on twins of {names} · {made:%Y-%m-%d %H:%M} ({zone.name})"


def _facts(subject: RehearsalSubject) -> Iterator[tuple[str, object, Tone]]:
    run = subject.undisturbed
    if planned := max((one.planned_seconds for one in run.vcenters), default=0.0):
        yield "reboots planned", duration(planned), ""
    if reboots := max((one.reboot_seconds for one in run.vcenters), default=0.0):
        yield "reboots rehearsed", duration(reboots), "info"
    yield "whole playbook", duration(run.seconds), "info"
    if subject.draws:
        spread = subject.spread
        yield f"median of {len(subject.draws)}", duration(spread.median), "info"
        yield f"worst of {len(subject.draws)}", duration(spread.worst), "warn"
    yield "hosts rebooted", len(run.rebooted), ""
    yield "VMs off for a time", len(run.seconds_off), "warn" if run.seconds_off else "ok"
    if run.still_off:
        yield "VMs off at the end", len(run.still_off), "bad"
    yield "refused", len(run.refused), "warn" if run.refused else "ok"
    if subject.what_ifs:
        yield "what-ifs", len(subject.what_ifs), ""


def _off(subject: RehearsalSubject, zone: TimeZone) -> list[View]:
    """A row for each time in which a VM is off, with its figures over several runs."""
    times = spread_of_times_off(subject.draws) if subject.draws else {}
    none = Spread.of([0.0] * len(subject.draws))
    rows = [_off_row(off, times.get(off.vm, none), zone) for one in subject.undisturbed.vcenters for off in one.off]
    shown = {row["vm"] for row in rows}
    return rows + [_drawn_row(name, spread) for name, spread in times.items() if name not in shown]


def _off_row(off: TimeOff, spread: Spread, zone: TimeZone) -> View:
    return {
        "vm": off.vm,
        "host": off.host,
        "start": zone.time_of_day(off.start),
        "end": "still off" if off.end is None else zone.time_of_day(off.end),
        "is_open": off.end is None,
        "took": duration(off.seconds),
        **_figures(spread),
    }


def _drawn_row(name: str, spread: Spread) -> View:
    """A VM that is off only with other boot durations."""
    return {"vm": name, "host": "", "start": "", "end": "", "is_open": False, "took": "not off", **_figures(spread)}


def _figures(spread: Spread) -> View:
    return {"median": duration(spread.median), "worst": duration(spread.worst)}


def _spread(subject: RehearsalSubject) -> View | None:
    """The durations of all draws, for a strip with a mark for each."""
    if not subject.draws:
        return None
    found, left = subject.spread, subject.incomparable
    values = sorted(run.seconds for run in comparable(subject.draws, subject.undisturbed))
    room = max(1.0, found.worst - found.best)
    return {
        "marks": [f"{4 + 92 * (value - found.best) / room:.2f}%" for value in values],
        "median_x": f"{4 + 92 * (found.median - found.best) / room:.2f}%",
        "best": duration(found.best),
        "median": duration(found.median),
        "worst": duration(found.worst),
        "failed": f"{counted(left, 'run')} left other hosts undone, and {'does' if left == 1 else 'do'} not count"
        if left
        else "",
    }


def _what_if(one: Comparison) -> View:
    return {
        "text": one.text,
        "state": ENDINGS[one.run.verdict],
        "tone": TONES[one.run.verdict],
        "took": duration(one.run.seconds),
        "longer": f"{'+' if one.longer >= 0 else '−'}{duration(abs(one.longer))}",
        "sentences": list(one.sentences),
    }


def _basis(subject: RehearsalSubject, zone: TimeZone) -> Iterator[str]:
    """What the figures depend on."""
    for one in subject.servers:
        yield (
            f"{one.name}: captured {zone.date_and_time(one.time)} with {counted(one.hosts, 'host')} and {counted(one.vms, 'VM')}. "
            f"Past reboots are known of {counted(one.with_history, 'host')}. Others boot as long as hosts of their model, or five minutes"
        )
    yield "Time passes only while the playbook waits for the twin. The speed of this machine does not count"
    yield f"Seed {subject.seed}: the same seed and capture give the same draws and targets"
