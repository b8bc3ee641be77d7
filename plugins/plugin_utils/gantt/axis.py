# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The time axis of the timeline: the position of a moment, and the ticks with a label. PRIVATE to the collection.

A rolling reboot with a time window takes several nights. The hours between them, without an action, are folded to a narrow strip.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

STEPS = (
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    10800,
    21600,
    43200,
    86400,
    172800,
    259200,
    432000,
    604800,
)
"""Seconds between two ticks: round times of a clock."""

FOLDED = 2.0
"""Percent of the width for a stretch without an action."""

_LEAST_FOLD = 1800.0
"""Seconds. A shorter stretch without an action is not folded."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeZone:
    """The time zone of all times on the page. ``name`` is shown with them. Moments are seconds since the epoch. ``info`` shows moments of
    the server, ``here`` those of this machine; None: the same."""

    info: tzinfo
    name: str
    here: tzinfo | None = None

    def time_of_day(self, moment: float) -> str:
        return self._local(moment).strftime("%H:%M:%S")

    def minute_here(self, moment: float) -> str:
        """``03:12``: a moment of this machine."""
        return datetime.fromtimestamp(moment, tz=self.here or self.info).strftime("%H:%M")

    def date_and_time(self, moment: float) -> str:
        return self._local(moment).strftime("%Y-%m-%d %H:%M")

    def utc_offset(self, moment: float) -> float:
        """Seconds to add to UTC."""
        offset = self._local(moment).utcoffset()
        return offset.total_seconds() if offset is not None else 0.0

    def _local(self, moment: float) -> datetime:
        return datetime.fromtimestamp(moment, tz=self.info)


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """A stretch of time and where it is drawn, in percent of the width."""

    start: float
    end: float
    left: float
    right: float
    folded: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Tick:
    """A labeled moment: seconds since the epoch, and its position in percent of the width."""

    at: float
    x: float
    label: str
    date: str = ""
    """Set at the first tick, and at the first one of each new day."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Axis:
    """Pieces without a gap, from 0 to 100 percent of the width."""

    pieces: tuple[Piece, ...]

    def x(self, at: float) -> float:
        """Percent of the width. A moment outside is at the nearer end."""
        for piece in self.pieces:
            if at <= piece.end:
                share = (max(at, piece.start) - piece.start) / (piece.end - piece.start)
                return piece.left + share * (piece.right - piece.left)
        return 100.0


def build_axis(start: float, end: float, busy: Iterable[tuple[float, float]]) -> Axis:
    """The axis from ``start`` to ``end``. ``busy``: (start, end) of each action. Long stretches without an action are folded."""
    end = max(end, start + 1)
    edges = _edges(start, end, busy)
    spans = [(a, b, n % 2 == 1) for n, (a, b) in enumerate(itertools.pairwise(edges)) if b > a]
    folds = sum(folded for _a, _b, folded in spans)
    room = 100.0 - FOLDED * folds
    shown = sum(b - a for a, b, folded in spans if not folded)
    pieces, left = [], 0.0
    for a, b, folded in spans:
        right = left + (FOLDED if folded else (b - a) / shown * room)
        pieces.append(Piece(start=a, end=b, left=left, right=right, folded=folded))
        left = right
    return Axis(pieces=tuple(pieces))


def _edges(start: float, end: float, busy: Iterable[tuple[float, float]]) -> list[float]:
    """Edges of stretches that are, in turn, shown and folded."""
    merged: list[list[float]] = []
    for a, b in sorted((max(start, a), min(end, b)) for a, b in busy if b > start and a < end):
        if merged and a <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], b)
        else:
            merged.append([a, b])
    least = max(_LEAST_FOLD, 0.5 * sum(b - a for a, b in merged))
    edges = [start]
    margin = least / 20
    for before, after in itertools.pairwise(merged):
        if after[0] - before[1] > least:
            edges += [before[1] + margin, after[0] - margin]
    if merged and end - merged[-1][1] > least:
        end = merged[-1][1] + margin
    if merged and merged[0][0] - start > least:
        edges = [start, start, merged[0][0] - margin, *edges[1:]]
    return [*edges, end]


def find_ticks(axis: Axis, zone: tzinfo, most: int = 9) -> tuple[Tick, ...]:
    """Ticks at round times of the zone, about ``most`` of them, and never so close that their labels touch."""
    shown = sum(piece.end - piece.start for piece in axis.pieces if not piece.folded)
    step = next((step for step in STEPS if shown / step <= most), STEPS[-1])
    found: list[Tick] = []
    day = ""
    for piece in axis.pieces:
        for at in () if piece.folded else _round_times(piece.start, piece.end, step, zone):
            x = axis.x(at)
            if (found and x - found[-1].x < 70 / most) or x > 98:
                continue
            local = datetime.fromtimestamp(at, tz=zone)
            date = local.strftime("%Y-%m-%d")
            label = local.strftime("%H:%M:%S" if step < 60 else "%H:%M")
            found.append(Tick(at=at, x=x, label=label, date=date if date != day else ""))
            day = date
    return tuple(found)


def _round_times(start: float, end: float, step: int, zone: tzinfo) -> Iterable[float]:
    """Every ``step`` seconds from local midnight, so that they stay round when daylight saving time begins or ends."""
    midnight = datetime.fromtimestamp(start, tz=zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    for number in itertools.count():
        at = (midnight + timedelta(seconds=number * step)).replace(tzinfo=zone).timestamp()
        if at > end:
            return
        if at >= start:
            yield at
