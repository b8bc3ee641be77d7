# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notices: messages about the whole rolling reboot, each shown once. PRIVATE to the collection.

A notice is a sentence that begins with its topic (``topic_of``). Every process and every slice of a run reports it again, because none
knows what the others reported. The display skips what it has already shown. Times in a notice are UTC, rounded up to minutes;
``on_clock`` converts them to the time zone of the reader.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo

from ...text import duration
from ...timestamps import at_minute

HELD = "held back: "
NEVER = "no maintenance window is long enough for "
JOURNAL = "the journal is kept in "
GATE = "health gate: "
FOUND = "found: "
WAITING = "in progress: "
ALL_ON = "all VMs are on; "
TOPICS = (ALL_ON, HELD, NEVER, JOURNAL, GATE, FOUND, WAITING)

_MOMENT = re.compile(r"\b(\d{4}-\d\d-\d\d \d\d:\d\d) UTC\b")


def until(reason: str, wake: float | None) -> str:
    """The reason with the time until when, if known. ``wake``: seconds since the epoch."""
    return reason if wake is None else f"{reason}, until {at_minute(wake)}"


def journal_notice(place: str, why: str) -> str:
    """The notice for a vCenter whose journal is in a file although this was not requested."""
    return (
        f"{JOURNAL}{place}, because {why}: an interrupted run can be resumed from this machine only, and other controllers "
        "do not see it"
    )


def lost_journal_warning(place: str, *, is_vcenter: bool) -> str:
    """The warning about a journal in a file that is removed with the container in which the run works."""
    other = ", or let the journal be in vCenter (journal: vcenter)" if is_vcenter else ""
    return (
        f"The journal is in {place}, inside an execution environment, which is removed when the job ends. If the run is interrupted, no "
        "other job can resume it or power on the VMs that it stopped. Mount a directory that stays into the execution environment, and "
        f"set journal_dir to it{other}"
    )


def clock_notice(seconds: float, where: str) -> str:
    """The note for a step of the clock of the server against the clock of the run."""
    way = "forward" if seconds > 0 else "back"
    return (
        f"the clock of {where} was set {way} by {duration(abs(seconds))}, or the control node was suspended: timeouts are measured "
        "with the clock of the control node, and do not change"
    )


def topic_of(text: str) -> str:
    """The topic of a notice; empty for a note that is no notice."""
    return next((topic for topic in TOPICS if text.startswith(topic)), "")


def gist_of(text: str) -> str:
    """The notice without its times: equal for notices with the same meaning (a call is retried every minute).

    The place of the journal does not change in a run, so only its topic counts; a later slice may know less about the reason.
    """
    topic = topic_of(text)
    return topic if topic == JOURNAL else _MOMENT.sub("", text)


def on_clock(text: str, zone: tzinfo, now: float) -> str:
    """The notice with its times in the time zone of the reader: ``03:00`` today, ``Sat 22:00`` within a week, else with the date."""
    return zoned(text, zone, now) if topic_of(text) else text


def zoned(text: str, zone: tzinfo, now: float | None = None) -> str:
    """Any text with its times in the time zone of the reader, as ``on_clock``; without ``now`` always with date and zone."""

    def convert(found: re.Match[str]) -> str:
        try:
            moment = datetime.strptime(found[1], "%Y-%m-%d %H:%M").replace(tzinfo=UTC).astimezone(zone)
            today = None if now is None else datetime.fromtimestamp(now, tz=zone).date()
        except (ValueError, OverflowError, OSError):
            return found[0]
        if today is None:
            return f"{moment:%Y-%m-%d %H:%M %Z}"
        if moment.date() == today:
            return f"{moment:%H:%M}"
        return f"{moment:%a %H:%M}" if 0 < (moment.date() - today).days < 7 else f"{moment:%Y-%m-%d %H:%M}"

    return _MOMENT.sub(convert, text)
