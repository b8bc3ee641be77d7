# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A roll in lines, as it goes: a line a change and a bar, for a terminal and for a log. PRIVATE to the collection.

Input are the records of the progress file (see ``read``). ``12:04:31 gpu-a esx-07 rebooting → booting 02:10``: the time says how long
the host was in the phase it left. What was shown already is not shown again when the next slice of a run begins.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from typing import Any, Literal

from ...module_utils._domain.rolling.scheduling.notices import HELD, gist_of, on_clock, topic_of
from ...module_utils._domain.rolling.state.phases import RESTING
from ...module_utils._domain.rolling.state.timeline import clock
from ...module_utils._domain.text import duration, one_line, padded, shortened, width

Record = Mapping[str, Any]
Tone = Literal["", "ok", "info", "warn", "bad"]

MARKS = (("done", "#"), ("in_flight", ">"), ("waiting", "."), ("blocked", "!"), ("failed", "x"))
"""What each host is in the bar, from left to right."""

CELLS = 24
"""Of the bar."""

BETWEEN_BARS, AT_REST = 60.0, 300.0
"""Seconds between two bars in a log at least; and a sign of life where nothing changes."""

_QUIET = ("idle", "waiting", "done")
"""Phases a host may be found in without a line: the bar counts them."""

_TELLING = ("blocked", "failed")
"""Phases whose reason is always told."""

_TONES: Mapping[str, Tone] = {"done": "ok", "failed": "bad", "blocked": "warn"}
_PHASES_WIDTH = len("maintenance → rebooting")
_WIDEST_CLUSTER, _WIDEST_HOST = 24, 40


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """How to show. ``reasons``: the reader wants them (-v). ``redraws``: a bar is drawn elsewhere, so none goes between the lines."""

    zone: tzinfo
    reasons: bool = False
    redraws: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    text: str
    tone: Tone = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """What the reader has seen so far."""

    phases: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(cluster, host) → phase."""
    since: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """The same → server time at which that phase began, where that was seen: a slice knows only of its own time."""
    widths: tuple[int, int] = (0, 0)
    at: float = 0.0
    """Server time of the newest record."""
    counts: Record = field(default_factory=dict)
    ends_at: float | None = None
    said: Mapping[str, str] = field(default_factory=dict)
    """Topic → gist of the notice told last: every slice begins with all of them."""
    told: tuple[float, Record] | None = None
    """When the last bar went between the lines (the reader's clock), and of what."""


def read(text: str) -> list[Record]:
    """The records of complete lines of a progress file. What is none is passed over: showing must not stop a roll."""
    found: list[Record] = []
    for line in text.splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            found.append(value)
    return found


def show(shown: Shown, records: Sequence[Record], view: View, tick: float) -> tuple[Shown, tuple[Line, ...]]:
    """The lines for new records. ``tick`` is the reader's own clock in seconds (simulated servers may have faster ones)."""
    shown = replace(shown, widths=_widths(shown, records))
    before = shown.said
    lines: list[Line] = []
    for record in records:
        shown = _counted(shown, record)
        kind = record.get("kind")
        if kind == "note":
            shown, told = _noted(shown, before, record, view)
            lines += told
        elif kind == "transition":
            key, after = _key(record), one_line(record.get("after", ""))
            known = shown.phases.get(key)
            if after != known:
                if known is not None or after not in _QUIET or record.get("before") or view.reasons:
                    lines.append(_change(record, shown, view))
                if known == "waiting" and after not in RESTING:
                    shown = replace(shown, said={k: v for k, v in shown.said.items() if k != HELD})
                shown = _entered(shown, record, key, after)
    if not view.redraws and shown.counts and _is_due(shown, tick):
        shown = replace(shown, told=(tick, shown.counts))
        lines.append(
            Line(text=f"{_stamp(shown.at, view)} {meter(shown.counts, shown.ends_at, shown.at, view)}", tone="info")
        )
    return shown, tuple(lines)


def _noted(shown: Shown, before: Mapping[str, str], record: Record, view: View) -> tuple[Shown, tuple[Line, ...]]:
    """The line of a note; none for a notice that was told.

    ``before``: what was told before the records that are shown together with it, as notes may come after the host that was started
    since.
    """
    text = one_line(record.get("text", ""))
    topic, gist = topic_of(text), gist_of(text)
    known = bool(topic) and gist in (before.get(topic), shown.said.get(topic))
    shown = replace(shown, said={**shown.said, topic: gist}) if topic else shown
    told = on_clock(text, view.zone, _number(record.get("at")) or shown.at)
    return shown, () if known else (Line(text=f"{_time(record, view)} {told}"),)


def _entered(shown: Shown, record: Record, key: tuple[str, str], after: str) -> Shown:
    since = {name: at for name, at in shown.since.items() if name != key}
    at = _number(record.get("at"))
    seen = record.get("before") or key in shown.phases or after in _QUIET
    if at is not None and seen:
        since[key] = at
    return replace(shown, phases={**shown.phases, key: after}, since=since)


def _counted(shown: Shown, record: Record) -> Shown:
    at, counts = _number(record.get("at")), record.get("counts")
    if at is not None:
        shown = replace(shown, at=at)
    if isinstance(counts, Mapping):
        number = {name: counts[name] for name in ("total", *dict(MARKS)) if isinstance(counts.get(name), int)}
        shown = replace(shown, counts=number, ends_at=_number(record.get("ends_at")))
    return shown


def _number(value: Any) -> float | None:
    """The value where it is a number of seconds there can be."""
    return float(value) if isinstance(value, int | float) and abs(value) < 1e11 else None


def _widths(shown: Shown, records: Iterable[Record]) -> tuple[int, int]:
    """Of the columns: they only ever grow."""
    keys = [_key(record) for record in records if record.get("kind") == "transition"]
    cluster = max([shown.widths[0], *(width(name) for name, _unused in keys)])
    host = max([shown.widths[1], *(width(name) for _unused, name in keys)])
    return min(cluster, _WIDEST_CLUSTER), min(host, _WIDEST_HOST)


def _key(record: Record) -> tuple[str, str]:
    return one_line(record.get("cluster") or ""), one_line(record.get("host") or "")


def _change(record: Record, shown: Shown, view: View) -> Line:
    key = cluster, host = _key(record)
    before, after = one_line(record.get("before") or shown.phases.get(key, "")), one_line(record.get("after", ""))
    at, seconds, reason = (
        _number(record.get("at")),
        _number(record.get("seconds")),
        one_line(record.get("reason") or ""),
    )
    if at is not None and key in shown.since and shown.phases.get(key) == before:
        seconds = max(at - shown.since[key], seconds or 0.0)
    way = f"{before} → {after}" if before else after
    names = [padded(name, columns) for name, columns in zip((cluster, host), shown.widths, strict=True) if columns]
    took = clock(max(0.0, seconds)) if seconds is not None else ""
    told = reason.removeprefix(f"{host} ") if view.reasons or after in _TELLING else ""  # the line names the host
    text = " ".join([_time(record, view), *names, padded(way, _PHASES_WIDTH), f"{took:>7}", *([told] if told else [])])
    return Line(text=text.rstrip(), tone=_TONES.get(after, ""))


def _time(record: Record, view: View) -> str:
    at = _number(record.get("at"))
    return _stamp(at, view) if at is not None else "--:--:--"


def _stamp(at: float, view: View) -> str:
    try:
        return datetime.fromtimestamp(at, tz=view.zone).strftime("%H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return "--:--:--"


def _is_due(shown: Shown, tick: float) -> bool:
    if shown.told is None:
        return True
    when, counts = shown.told
    return tick - when >= (BETWEEN_BARS if counts != shown.counts else AT_REST)


def meter(counts: Record, ends_at: float | None, now: float, view: View, *, columns: int = 0) -> str:
    """``[####>>....!x] 4 of 12 done, 2 in flight, …; about 23 min left (12:28)``; as much of it as fits where ``columns`` is given."""
    cells, words, left = _cells(counts), in_words(counts), ""
    if ends_at is not None and counts.get("in_flight", 0) + counts.get("waiting", 0) > 0 and ends_at > now:
        left = f"; about {duration(ends_at - now)} left"
    until = f" ({_stamp(ends_at, view)[:5]})" if left and ends_at is not None else ""
    forms = (f"[{cells}] {words}{left}{until}", f"[{cells}] {words}{left}", f"{words}{left}", words)
    if not columns:
        return forms[0]
    return next((form for form in forms if width(form) <= columns), shortened(words, columns))


def in_words(counts: Record) -> str:
    """``4 of 12 done, 2 in flight, 1 failed``."""
    rest = [f"{counts[name]} {name.replace('_', ' ')}" for name, _unused in MARKS[1:] if counts.get(name)]
    return ", ".join([f"{counts.get('done', 0)} of {counts.get('total', 0)} done", *rest])


def _cells(counts: Record) -> str:
    """Every kind that is there has a cell at least; the rest is shared out by number."""
    numbers = [(mark, max(0, int(counts.get(name, 0)))) for name, mark in MARKS]
    total = sum(number for _unused, number in numbers)
    if total == 0:
        return "#" * CELLS
    cells = total * (CELLS // total) if total <= CELLS else CELLS
    shares = {mark: max(1, int(number * cells / total)) for mark, number in numbers if number}
    while sum(shares.values()) != cells:
        over = sum(shares.values()) > cells
        wanted = {mark: number * cells / total - shares[mark] for mark, number in numbers if number}
        mark = (
            min((m for m in shares if shares[m] > 1), key=wanted.__getitem__)
            if over
            else max(wanted, key=wanted.__getitem__)
        )
        shares[mark] += -1 if over else 1
    return "".join(mark * shares.get(mark, 0) for mark, _unused in numbers)
