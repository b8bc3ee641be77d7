# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files with the timeline of a run: written from its first step on, so that an earlier run's page never looks like its own. PRIVATE to
the collection."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from typing import Any

from ...module_utils._domain.text import all_visible
from ..gantt.axis import TimeZone
from ..gantt.page import render_gantt
from ..report.files import write_whole

REPORTS = ("timeline_html", "timeline_json")
"""The options that name the files."""

KEPT = (
    "state reasons ended hosts counts rebooted timeline transitions notes resume measured journal calls logins server_time in_progress"
).split()
"""Keys of the result that timeline_json contains."""

AT_LEAST_EVERY = 60.0
"""Seconds between two updates of a run in progress, even if nothing changes: the age of the last one shows that the run is alive."""

AT_MOST_EVERY = 2.0
"""Seconds between two updates, even if something changes."""

SHARE = 0.03
"""Maximum share of the time that rendering may take."""

TO_WRITE = 2.0
"""Seconds to wait until another thread has written its state."""

NOTHING_YET: Mapping[str, Any] = {"state": "working", "ended": False}
"""The result of a run that has not read its hosts yet."""


class Timelines:
    """``paths``: option → path; empty if no file is wanted. ``problems``: option → why its file could not be written last."""

    def __init__(self, paths: Mapping[str, str], zone: TimeZone, subject: str) -> None:
        self.paths = dict(paths)
        self.problems: dict[str, str] = {}
        self._zone, self._subject = zone, subject
        self._due = self._last = 0.0
        self._lock = threading.Lock()
        self._newest = 0
        """The number of the newest state that is to be written."""

    def is_due(self, *, changed: bool) -> bool:
        """Whether it is time to write them again."""
        now = time.monotonic()
        return bool(self.paths) and now >= (self._due if changed else self._last + AT_LEAST_EVERY)

    def write(self, result: Mapping[str, Any], *, ended_by: str = "") -> None:
        """Replace the files. ``ended_by``: why the run ended without a result, empty otherwise."""
        # A signal handler may interrupt the thread that holds the lock. What it writes is the last state: nothing may replace it when the
        # thread goes on, nor when a thread was so slow that it was not waited for.
        self._newest = number = self._newest + 1
        is_held = self._lock.acquire(timeout=TO_WRITE)
        try:
            self._write(result, ended_by, number)
        finally:
            if is_held:
                self._lock.release()

    def _write(self, result: Mapping[str, Any], ended_by: str, number: int) -> None:
        began = time.monotonic()
        updated = None if result.get("ended", True) and not ended_by else time.time()
        for option, path in self.paths.items():
            if option == "timeline_html":
                text = render_gantt(result, zone=self._zone, subject=self._subject, updated=updated, ended_by=ended_by)
            else:
                text = _as_json(result, self._zone.name, updated)
            if number != self._newest:
                return
            try:
                write_whole(path, text, mode=0o600)
                self.problems.pop(option, None)
            except OSError as error:
                self.problems[option] = f"{option}: {path} could not be written: {error.strerror or error}"
        self._last = time.monotonic()
        self._due = self._last + max(AT_MOST_EVERY, (self._last - began) / SHARE)


def _as_json(result: Mapping[str, Any], zone: str, updated: float | None) -> str:
    kept = {name: result[name] for name in KEPT if name in result}
    data = all_visible({"format": 1, "zone": zone, **({} if updated is None else {"updated": updated}), **kept})
    return json.dumps(data, indent=1, sort_keys=True, default=str) + "\n"
