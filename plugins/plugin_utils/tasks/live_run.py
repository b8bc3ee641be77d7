# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run while its module works: its present state, its timeline files, and what a signal does to it. PRIVATE to the collection."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ...module_utils._shell.rolling.state_file import STATE_FILE
from ...module_utils._shell.rolling.stop_request import STOP_FILE
from ..outlets.publisher import Publisher
from ..rolling.last_look import LastLook
from ..rolling.live_display import Say
from ..rolling.merge_slices import joined_results
from ..rolling.option_names import renamed_result
from ..rolling.progress import Line, Record, View
from ..rolling.stop_lines import Stop, abort_lines, stop_lines
from .signals import Signals
from .timelines import NOTHING_YET, Timelines

TO_TELL = 2.0
"""Seconds in which outlets may pass on that this process ends at once."""

TO_ABORT = 10.0
"""Seconds in which this process prints its last lines and ends."""


class LiveRun:
    """``folder``: shared with the module, None if it runs on another machine or as another user; ``slice``: its seconds there. ``names``:
    option → its name in messages. ``last_records``: reads the last records of the progress file again, in any thread; None without the
    file. ``clean_up`` is called before the process ends at once."""

    def __init__(
        self,
        *,
        publisher: Publisher,
        folder: str | None,
        slice_seconds: float,
        say: Say,
        view: View,
        names: Mapping[str, str],
        timelines: Timelines,
        learn: Callable[[float], None],
        last_records: Callable[[], Sequence[Record]] | None,
        clean_up: Callable[[], None],
    ) -> None:
        self._publisher = publisher
        self._folder = None if folder is None else Path(folder)
        self._slice, self._say, self._view, self._names = slice_seconds, say, view, names
        self._clean_up, self._learn, self._last_records = clean_up, learn, last_records
        self._before: dict[str, Any] | None = None
        self._latest: dict[str, Any] | None = None
        self._seen: tuple[int, int] | None = None
        self._unwritten = False
        self._is_aborting = threading.Lock()
        self.timelines = timelines
        self.signals = Signals(self._stop, self._abort)

    @property
    def stop_reason(self) -> str:
        """The signal that stops the run; empty if there was none."""
        return self.signals.first.name if self.signals.first is not None else ""

    def result(self) -> Mapping[str, Any]:
        """The merged result so far, with the present state of the slice that is running."""
        before = self._before
        return joined_results(before, self._latest) if self._latest is not None else before or NOTHING_YET

    def begin(self) -> None:
        """Replace the timeline of an earlier run."""
        self.timelines.write(NOTHING_YET)

    def tick(self) -> None:
        """Called several times a second while the module works."""
        self._unwritten = self._read_state() or self._unwritten
        # Without the file nothing new is known before the slice ends: the time of the page must not say otherwise.
        if self._folder is not None and self.timelines.is_due(changed=self._unwritten):
            self._unwritten = False
            self.timelines.write(self.result())

    def end_slice(self, part: Mapping[str, Any], joined: dict[str, Any]) -> tuple[Line, ...]:
        """``joined``: the merged result with this slice. Returns lines if the module ended without saying what is in progress."""
        if "state" in part:
            self._learn_from(part)
            self._before, self._latest = joined, None
            self.timelines.write(joined)
            return ()
        self._read_state()
        why = str(part.get("msg") or "The module ended without a result.")
        self.timelines.write(self.result(), ended_by=why)
        begun = self._last_look()
        return abort_lines(begun, "the module failed", self._view) if begun.hosts or begun.vms else ()

    def _read_state(self) -> bool:
        """Read the state file. True if it is new."""
        if self._folder is None:
            return False
        path = self._folder / STATE_FILE
        try:
            found = path.stat()
            seen = (found.st_mtime_ns, found.st_ino)
            if seen == self._seen:
                return False
            self._latest = renamed_result(json.loads(path.read_text(encoding="utf-8")), self._names)
        except (OSError, ValueError):
            return False
        self._seen = seen
        self._learn_from(self._latest)
        return True

    def _learn_from(self, state: Mapping[str, Any]) -> None:
        """The clock of the server may differ from that of this machine. A state is new when it is read."""
        server = state.get("server_time")
        if isinstance(server, int | float) and server > 0:
            self._learn(float(server))
        with suppress(Exception):  # an error in an outlet must not end the run
            self._publisher.see(state)

    def _last_look(self) -> LastLook:
        """What is in progress, with what the progress file says about the time after the last state."""
        return LastLook.of(self._latest or self._before or {}, self._last_records() if self._last_records else None)

    # ------------------------------------------------------------------------------------------------------------ signals

    def _stop(self, signum: signal.Signals) -> None:
        """Runs in a signal handler, so it takes no lock: the display may hold one."""
        self._read_state()
        delay = self._slice
        if self._folder is not None:
            with suppress(OSError):
                (self._folder / STOP_FILE).write_text(signum.name, encoding="utf-8")
                delay = 0.0
        stop = Stop(
            signal=signum.name,
            pid=None if signum == signal.SIGINT else os.getpid(),
            delay=delay,
            pages=list(self.timelines.paths.values()),
        )
        self._print(stop_lines(self._last_look(), stop, self._view, time.time()))

    def _abort(self) -> None:
        if not self._is_aborting.acquire(blocking=False):
            time.sleep(TO_ABORT)  # another thread is about to end this process
        try:
            self._read_state()
            why = {
                None: "ansible-playbook was killed",
                "SIGINT": "Ctrl-C was pressed again, or ansible-playbook was killed",
            }
            text = why.get(self.stop_reason or None, "a second signal")
            self._print(abort_lines(self._last_look(), text, self._view))
            self.timelines.write(self.result(), ended_by=f"Stopped at once: {text}.")
            self._publisher.abort(text, TO_TELL)
        finally:
            self._clean_up()
            os._exit(1)

    def _print(self, lines: Iterable[Line]) -> None:
        for line in lines:
            self._say(line.text, line.tone)
