# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moments of a server by the clock of the control node: its time zone, and its time if the clocks differ. PRIVATE to the collection."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from ...module_utils._domain.text import duration, one_line

CLOCKS_APART = 60
"""Seconds. A smaller difference between two clocks is not worth a line."""
MOST_APART = 12 * 3600
"""Seconds. Moments of a clock that differs by more are shown as they are: an offset from UTC must be less than a day."""


class OwnClock(tzinfo):
    """The time zone ``zone``, moved by the difference between the clocks of the server and of this machine, once that is known."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self.ahead = timedelta(0)
        """How much the clock of the server is ahead."""

    def learn(self, server: float, here: float) -> float:
        """Learn from the time on both clocks at the same moment (seconds since the epoch). Returns by how many seconds the server is
        ahead; 0 if it is not worth a line, or more than half a day, or was learned before."""
        apart = round(server - here)
        if not CLOCKS_APART < abs(apart) <= MOST_APART or self.ahead:
            return 0.0
        self.ahead = timedelta(seconds=apart)
        return float(apart)

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        if dt is None:
            return None
        offset = self._zone.utcoffset((dt + self.ahead).replace(tzinfo=self._zone))
        return None if offset is None else offset - self.ahead

    def dst(self, dt: datetime | None) -> timedelta | None:
        return None if dt is None else self._zone.dst(dt.replace(tzinfo=self._zone))

    def tzname(self, dt: datetime | None) -> str | None:
        return None if dt is None else self._zone.tzname(dt.replace(tzinfo=self._zone))

    def fromutc(self, dt: datetime) -> datetime:
        return self._zone.fromutc((dt - self.ahead).replace(tzinfo=self._zone)).replace(tzinfo=self)


def describe_difference(server: str, apart: float) -> str:
    """``apart``: by how many seconds the clock of the server is ahead."""
    direction = "ahead of" if apart > 0 else "behind"
    return f"the clock of {one_line(server)} is {duration(abs(apart))} {direction} this machine. Times are those of this machine"
