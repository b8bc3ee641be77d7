# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dates and times in options. PRIVATE to the collection."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from .errors import InputError


def parse_moment(text: str, parameter: str) -> float:
    """Seconds since the epoch of an ISO 8601 date and time with a time zone. Raises InputError (bad_moment).

    A space instead of ``T`` is accepted: YAML rewrites a time without quotes in that form.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        problem = "is not an ISO 8601 date and time"
    else:
        if moment.tzinfo is not None:
            return moment.timestamp()
        problem = "has no time zone"
    raise InputError(
        message=f"{parameter}: {text!r} {problem}",
        code="bad_moment",
        parameter=parameter,
        cure="Give a date and time with a time zone, such as '2026-01-05T18:30:00Z' or '2026-01-05T19:30:00+01:00'",
    )


def refuse_future(moment: float, now: float, parameter: str) -> None:
    """Raises InputError (bad_moment) for a moment in the future. ``now`` is the time on the clock of the server."""
    if moment > now:
        given, clock = (
            datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for seconds in (moment, now)
        )
        raise InputError(
            message=f"{parameter}: {given} is in the future: the clock of the server shows {clock}",
            code="bad_moment",
            parameter=parameter,
            cure="Give the time after which each host must have booted, usually the time when the firmware was written",
        )


def on_day(moment: float) -> str:
    """A time (seconds since the epoch) for messages, in minutes."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M UTC")


def at_minute(moment: float) -> str:
    """``2026-05-20 12:04 UTC``, rounded up to minutes. ``moment``: seconds since the epoch."""
    return f"{datetime.fromtimestamp(math.ceil(moment / 60) * 60, tz=UTC):%Y-%m-%d %H:%M} UTC"
