# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Points in time a caller may name. PRIVATE to the collection."""

from __future__ import annotations

from datetime import UTC, datetime

from .errors import InputError


def parse_moment(text: str, parameter: str) -> float:
    """Seconds since the epoch of an ISO 8601 date and time with its zone. Raises InputError (bad_moment).

    The form without ``T`` is what YAML makes of a time that is not quoted.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        problem = "is no date and time of ISO 8601"
    else:
        if moment.tzinfo is not None:
            return moment.timestamp()
        problem = "does not say in which time zone"
    raise InputError(
        message=f"{parameter}: {text!r} {problem}",
        code="bad_moment",
        parameter=parameter,
        cure="Give it with its zone, such as '2026-01-05T18:30:00Z' or '2026-01-05T19:30:00+01:00'",
    )


def refuse_future(moment: float, now: float, parameter: str) -> None:
    """Raises InputError for a moment that is yet to come, by a clock that shows ``now``."""
    if moment > now:
        told, clock = (datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for seconds in (moment, now))
        raise InputError(
            message=f"{parameter}: {told} is yet to come, it is {clock} by the clock of the server",
            code="bad_moment",
            parameter=parameter,
            cure="Give the moment after which a host has to have booted: usually when the firmware was written",
        )
