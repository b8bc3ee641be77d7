# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notices: what a person is told of the whole roll, once each. PRIVATE to the collection.

A notice is a sentence that begins with what it is about (``topic_of``). Every process and every slice of a run tells it anew, as none
remembers what others told; who shows it passes over what was shown already. Times in it are UTC and rounded up to minutes;
``on_clock`` puts them on the clock of the reader.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, tzinfo

HELD = "held back: "
NEVER = "no maintenance window is long enough for "
JOURNAL = "the journal is kept in "
TOPICS = (HELD, NEVER, JOURNAL)

_MOMENT = re.compile(r"\b(\d{4}-\d\d-\d\d \d\d:\d\d) UTC\b")


def until(reason: str, wake: float | None) -> str:
    """The reason with the time until when, where that is known."""
    if wake is None:
        return reason
    moment = datetime.fromtimestamp(math.ceil(wake / 60) * 60, tz=UTC)
    return f"{reason}, until {moment:%Y-%m-%d %H:%M} UTC"


def journal_notice(place: str, why: str) -> str:
    """For a vCenter whose journal is in a file although nobody asked for that."""
    return (
        f"{JOURNAL}{place}, because {why}: an interrupted run can be gone on with from this machine only, and other controllers "
        "do not see it"
    )


def topic_of(text: str) -> str:
    """Empty for a note that is no notice."""
    return next((topic for topic in TOPICS if text.startswith(topic)), "")


def gist_of(text: str) -> str:
    """What is the same as long as the notice says the same, also where only the time is another one (a call is tried every minute).

    Where the journal is does not change in a run; a later slice may know less about why.
    """
    topic = topic_of(text)
    return topic if topic == JOURNAL else _MOMENT.sub("", text)


def on_clock(text: str, zone: tzinfo, now: float) -> str:
    """The notice with its times on the reader's clock: ``03:00`` today, ``Sat 22:00`` within a week, else with the date."""

    def told(found: re.Match[str]) -> str:
        try:
            moment = datetime.strptime(found[1], "%Y-%m-%d %H:%M").replace(tzinfo=UTC).astimezone(zone)
            today = datetime.fromtimestamp(now, tz=zone).date()
        except (ValueError, OverflowError, OSError):
            return found[0]
        if moment.date() == today:
            return f"{moment:%H:%M}"
        return f"{moment:%a %H:%M}" if 0 < (moment.date() - today).days < 7 else f"{moment:%Y-%m-%d %H:%M}"

    return _MOMENT.sub(told, text) if topic_of(text) else text
