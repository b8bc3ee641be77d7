# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rolling reboot as lines: one line for each change, and a bar, for a terminal or a log. PRIVATE to the collection.

The input are the records of the progress file (see ``read``). ``12:04:31 gpu-a esx-07 rebooting → booting 02:10``: the last column is the
time that the host was in the phase that it left. The next slice of a run does not repeat lines that were already shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from typing import Any, Literal

from ...module_utils._domain.rolling.scheduling.notices import HELD, gist_of, on_clock, topic_of, zoned
from ...module_utils._domain.rolling.state.lock import LOCKED, holder_of
from ...module_utils._domain.rolling.state.phases import ANOTHER_RUN, RESTING
from ...module_utils._domain.rolling.state.timeline import clock
from ...module_utils._domain.text import duration, one_line, padded, shortened, width, without_name

Record = Mapping[str, Any]
Tone = Literal["", "ok", "info", "warn", "bad"]

MARKS = (
    ("done", "#"),
    ("in_flight", ">"),
    ("waiting", "."),
    ("returned", "<"),
    ("blocked", "!"),
    ("failed", "x"),
)
"""The symbol of each kind of host in the bar, from left to right. The keys are those of ``counts`` in results."""

_COUNT_WORDS = {"in_flight": "in progress", "returned": "returned to service"}

CELLS = 24
"""Width of the bar."""

BETWEEN_BARS, AT_REST = 60.0, 300.0
"""Minimum seconds between two bars in a log: after a change, and without a change."""

_QUIET = ("idle", "waiting", "done", "returned")
"""If a host is in one of these phases at the beginning, it gets no line: the bar counts it."""

_WITH_REASON = ("blocked", "failed")
"""Phases whose reason is always shown."""

_TONES: Mapping[str, Tone] = {"done": "ok", "failed": "bad", "blocked": "warn"}
_PHASES_WIDTH = len("maintenance → rebooting")
_WIDEST_CLUSTER, _WIDEST_HOST = 24, 40


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """How to show the progress. ``zone`` shows moments of the server (``OwnClock``), ``here`` those of this machine; None: the same.
    ``reasons``: show reasons (-v). ``redraws``: the bar is drawn elsewhere, so none goes between the lines."""

    zone: tzinfo
    here: tzinfo | None = None
    reasons: bool = False
    redraws: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    text: str
    tone: Tone = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """What was already shown."""

    phases: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(cluster, host) → phase."""
    since: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """(cluster, host) → server time at which that phase began, if this was observed: a slice only knows its own time."""
    widths: tuple[int, int] = (0, 0)
    at: float = 0.0
    """Server time of the newest record."""
    counts: Record = field(default_factory=dict)
    ends_at: float | None = None
    notices: Mapping[str, str] = field(default_factory=dict)
    """Topic → gist of the last notice: every slice begins with all notices."""
    holders: frozenset[str] = frozenset()
    """Owners of locks that a line has described: the next ones only name them."""
    last_bar: tuple[float, Record] | None = None
    """When the last bar was printed (local clock), and its counts."""


def read(text: str) -> list[Record]:
    """The records of the complete lines of a progress file. Unreadable lines are skipped: the display must not stop a rolling reboot."""
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
    """The lines for new records. ``tick``: the local clock in seconds (the clock of a simulated server may run faster)."""
    shown = replace(shown, widths=_widths(shown, records))
    before = shown.notices
    lines: list[Line] = []
    for record in records:
        shown = _counted(shown, record)
        kind = record.get("kind")
        if kind == "note":
            shown, noted = _noted(shown, before, record, view)
            lines += noted
        elif kind == "transition":
            key, after = _key(record), one_line(record.get("after", ""))
            known = shown.phases.get(key)
            if after != known:
                # After a request to stop, no blocked host is checked any more: that is no change of the host.
                is_left = (
                    known == "blocked" and after == "waiting" and str(record.get("reason")).startswith(ANOTHER_RUN)
                )
                is_new = known is not None or after not in _QUIET or record.get("before")
                if (is_new and not is_left) or view.reasons:
                    lines.append(_change(record, shown, view))
                if holder := holder_of(LOCKED, str(record.get("reason") or "")):
                    shown = replace(shown, holders=shown.holders | {holder})
                if known == "waiting" and after not in RESTING:
                    shown = replace(shown, notices={k: v for k, v in shown.notices.items() if k != HELD})
                shown = _entered(shown, record, key, after)
    if not view.redraws and shown.counts and _is_due(shown, tick):
        shown = replace(shown, last_bar=(tick, shown.counts))
        lines.append(
            Line(text=f"{_stamp(shown.at, view)} {meter(shown.counts, shown.ends_at, shown.at, view)}", tone="info")
        )
    return shown, tuple(lines)


def _noted(shown: Shown, before: Mapping[str, str], record: Record, view: View) -> tuple[Shown, tuple[Line, ...]]:
    """The line of a note; none for a notice that was already shown.

    ``before``: the notices before this batch of records. A notice of the batch may come after the start of a host that made it obsolete.
    """
    text = one_line(record.get("text", ""))
    topic, gist = topic_of(text), gist_of(text)
    known = bool(topic) and gist in (before.get(topic), shown.notices.get(topic))
    shown = replace(shown, notices={**shown.notices, topic: gist}) if topic else shown
    text = on_clock(text, view.zone, seconds_of(record.get("at")) or shown.at)
    return shown, () if known else (Line(text=f"{_time(record, view)} {text}"),)


def _entered(shown: Shown, record: Record, key: tuple[str, str], after: str) -> Shown:
    since = {name: at for name, at in shown.since.items() if name != key}
    at = seconds_of(record.get("at"))
    seen = record.get("before") or key in shown.phases or after in _QUIET
    if at is not None and seen:
        since[key] = at
    return replace(shown, phases={**shown.phases, key: after}, since=since)


def _counted(shown: Shown, record: Record) -> Shown:
    at, counts = seconds_of(record.get("at")), record.get("counts")
    if at is not None:
        shown = replace(shown, at=at)
    if isinstance(counts, Mapping):
        number = {name: counts[name] for name in ("total", *dict(MARKS)) if isinstance(counts.get(name), int)}
        shown = replace(shown, counts=number, ends_at=seconds_of(record.get("ends_at")))
    return shown


def seconds_of(value: Any) -> float | None:
    """The value, if it is a plausible number of seconds."""
    return float(value) if isinstance(value, int | float) and abs(value) < 1e11 else None


def _widths(shown: Shown, records: Iterable[Record]) -> tuple[int, int]:
    """Widths of the columns. They never shrink."""
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
        seconds_of(record.get("at")),
        seconds_of(record.get("seconds")),
        one_line(record.get("reason") or ""),
    )
    if at is not None and key in shown.since and shown.phases.get(key) == before:
        seconds = max(at - shown.since[key], seconds or 0.0)
    change = f"{before} → {after}" if before else after
    names = [padded(name, columns) for name, columns in zip((cluster, host), shown.widths, strict=True) if columns]
    took = clock(max(0.0, seconds)) if seconds is not None else ""
    holder = holder_of(LOCKED, reason)
    reason = f"held by the run of {holder}" if holder in shown.holders else reason
    why = without_name(reason, host) if view.reasons or after in _WITH_REASON else ""
    why = zoned(why, view.zone, at if at is not None else shown.at)
    text = " ".join([_time(record, view), *names, padded(change, _PHASES_WIDTH), f"{took:>7}", *([why] if why else [])])
    return Line(text=text.rstrip(), tone=_TONES.get(after, ""))


def _time(record: Record, view: View) -> str:
    at = seconds_of(record.get("at"))
    return _stamp(at, view) if at is not None else "--:--:--"


def _stamp(at: float, view: View) -> str:
    try:
        return datetime.fromtimestamp(at, tz=view.zone).strftime("%H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return "--:--:--"


def _day(at: float, now: float, view: View) -> str:
    """``Tue `` for another day of the next week, ``2026-12-24 `` for a later one, empty for today."""
    try:
        moment, today = (datetime.fromtimestamp(when, tz=view.zone) for when in (at, now))
    except (OverflowError, ValueError, OSError):
        return ""
    days = (moment.date() - today.date()).days
    return "" if days == 0 else f"{moment:%a} " if 0 < days < 7 else f"{moment:%Y-%m-%d} "


def _is_due(shown: Shown, tick: float) -> bool:
    if shown.last_bar is None:
        return True
    when, counts = shown.last_bar
    return tick - when >= (BETWEEN_BARS if counts != shown.counts else AT_REST)


def meter(counts: Record, ends_at: float | None, now: float, view: View, *, columns: int = 0) -> str:
    """``[####>>....!x] 4 of 12 done, 2 in progress, …; about 23 min left (12:28)``; shortened to ``columns`` if given."""
    cells, words, left = _cells(counts), in_words(counts), ""
    if ends_at is not None and counts.get("in_flight", 0) + counts.get("waiting", 0) > 0 and ends_at > now:
        left = f"; about {duration(ends_at - now)} left"
    until = f" ({_day(ends_at, now, view)}{_stamp(ends_at, view)[:5]})" if left and ends_at is not None else ""
    forms = (f"[{cells}] {words}{left}{until}", f"[{cells}] {words}{left}", f"{words}{left}", words)
    if not columns:
        return forms[0]
    return next((form for form in forms if width(form) <= columns), shortened(words, columns))


def in_words(counts: Record) -> str:
    """``4 of 12 done, 2 in progress, 1 failed``."""
    rest = [f"{counts[name]} {_COUNT_WORDS.get(name, name)}" for name, _unused in MARKS[1:] if counts.get(name)]
    return ", ".join([f"{counts.get('done', 0)} of {counts.get('total', 0)} done", *rest])


def _cells(counts: Record) -> str:
    """Every kind with at least one host gets a cell; the other cells are divided by number."""
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
