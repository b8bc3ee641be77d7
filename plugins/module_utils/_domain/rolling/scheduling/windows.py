# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Maintenance windows: when hosts may be started. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ...errors import InputError
from ..state.policy import Window

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_NUMBERS = {name: number for number, name in enumerate(DAYS)}


def parse_window(days: Sequence[str], start: str, end: str, zone: str) -> Window:
    """Raises InputError for an unknown day, time or time zone. No ``days``: every day."""
    unknown = [day for day in days if day.lower()[:3] not in _DAY_NUMBERS]
    if unknown:
        raise InputError(
            message=f"{', '.join(unknown)} is not a day", code="bad_window", parameter="window", candidates=DAYS
        )
    for value in (start, end):
        _clock(value)
    _zone(zone)
    numbers = frozenset(_DAY_NUMBERS[day.lower()[:3]] for day in days) or frozenset(range(7))
    return Window(start=start, end=end, zone=zone, days=numbers)


def _clock(text: str) -> time:
    try:
        return datetime.strptime(text, "%H:%M").time()
    except ValueError:
        cure = "Write it as hours and minutes, such as 22:30"
        raise InputError(
            message=f"{text} is not a time of day", code="bad_window", parameter="window", cure=cure
        ) from None


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        cure = "Use a name such as Europe/Berlin or UTC that the tzdata package of Python contains"
        raise InputError(
            message=f"{name} is not a time zone", code="bad_window", parameter="window", cure=cure
        ) from None


def _openings(window: Window, now: float) -> Iterator[tuple[float, float]]:
    """(opens, closes) from the day before to a week ahead, in order."""
    zone = _zone(window.zone)
    today = datetime.fromtimestamp(now, tz=zone).date()
    start, end = _clock(window.start), _clock(window.end)
    for offset in range(-1, 9):
        day = today + timedelta(days=offset)
        if day.weekday() in window.days:
            last = day if end > start else day + timedelta(days=1)
            yield _moment(day, start, zone), _moment(last, end, zone)


def _moment(day: date, clock: time, zone: tzinfo) -> float:
    return datetime.combine(day, clock, tzinfo=zone).timestamp()


def closes_at(windows: Sequence[Window], now: float) -> float | None:
    """When the present maintenance window closes; None outside of a window. Windows that touch count as one."""
    spans = _spans(windows, now)
    return next((closes for opens, closes in spans if opens <= now < closes), None)


def opens_at(windows: Sequence[Window], now: float, needed: float = 0.0) -> float | None:
    """When the next window opens that lasts at least ``needed`` seconds; None when there is none."""
    return next((opens for opens, closes in _spans(windows, now) if opens > now and closes - opens >= needed), None)


def longest(windows: Sequence[Window], now: float) -> float:
    """The longest time (seconds) from now on in which hosts may be started. Windows repeat every week."""
    return max((closes - max(opens, now) for opens, closes in _spans(windows, now) if closes > now), default=0.0)


def _spans(windows: Sequence[Window], now: float) -> tuple[tuple[float, float], ...]:
    return _spans_at(tuple(windows), now)


@lru_cache(maxsize=4)
def _spans_at(windows: tuple[Window, ...], now: float) -> tuple[tuple[float, float], ...]:
    """Cached, because one decision asks for every host."""
    spans: list[tuple[float, float]] = []
    for opens, closes in sorted(span for window in windows for span in _openings(window, now)):
        if spans and opens <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(closes, spans[-1][1]))
        else:
            spans.append((opens, closes))
    return tuple(spans)
