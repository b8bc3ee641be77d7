# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows a rolling reboot while its module is running: follows the progress file, prints lines, draws a bar. PRIVATE to the collection.

The module runs in another process, so this runs on a thread of the process that waits for it. An error here has no effect on the rolling
reboot.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from ...module_utils._domain.rolling.state.timeline import clock
from .progress import Line, Record, Shown, Tone, View, meter, read, seconds_of, show

LOOKS = 0.25
"""Seconds between two reads of the progress file."""

REDRAW = 1.0
"""Seconds between two redraws of the bar."""

MOST_BYTES = 1 << 20
"""Maximum number of bytes to read at once."""


class Say(Protocol):
    """Prints text for the user: as a line, or (``raw``) unchanged and on the screen only."""

    def __call__(self, text: str, tone: Tone = "", *, raw: bool = False) -> None: ...


class Screen:
    """The output for the user. ``columns``: width of the terminal on which a bar may be redrawn; 0 if there is none."""

    def __init__(self, say: Say, view: View, columns: int = 0, now: Callable[[], float] = time.monotonic) -> None:
        self._say, self._view, self._columns, self._now = say, view, columns, now
        self._shown = Shown()
        self._began = now()
        self._drawn = ""
        self._lock = threading.Lock()

    def feed(self, records: Sequence[Record]) -> None:
        """Print the lines for new records of the progress file."""
        with self._lock:
            self._shown, lines = show(self._shown, records, self._view, self._now())
            self._print(lines)

    def tell(self, lines: Iterable[Line]) -> None:
        """Print lines."""
        with self._lock:
            self._print(lines)

    def draw(self) -> None:
        """Draw the bar, if there is a terminal."""
        with self._lock:
            if not self._columns:
                return
            spent = clock(self._now() - self._began)
            words = "reading the hosts"
            if self._shown.counts:
                room = self._columns - len(spent) - 2
                words = meter(self._shown.counts, self._shown.ends_at, self._shown.at, self._view, columns=room)
            if (text := f"{spent} {words}") != self._drawn:
                self._say(f"\r\x1b[K{text}\r", raw=True)
                self._drawn = text

    def clear(self) -> None:
        """Remove the bar."""
        with self._lock:
            self._clear()

    def _print(self, lines: Iterable[Line]) -> None:
        for line in lines:
            self._clear()
            self._say(line.text, line.tone)

    def _clear(self) -> None:
        if self._drawn:
            self._say("\r\x1b[K\r", raw=True)
            self._drawn = ""


class Tail:
    """Reads the complete lines that were added to a file since the last call (first: since this object was created).

    ``learn`` is called with the server time of new records, before they are returned: a record is new when it is read.
    """

    def __init__(self, path: str, learn: Callable[[float], None] = lambda server: None) -> None:
        self._path, self._learn = path, learn
        try:
            self._begin = self._offset = os.stat(path).st_size
        except OSError:
            self._begin = self._offset = 0

    def records(self) -> list[Record]:
        """The new records."""
        whole = self._lines(self._offset)
        self._offset += len(whole)
        found = read(whole.decode("utf-8", errors="replace"))
        times = [at for record in found if (at := seconds_of(record.get("at")))]
        if times:
            self._learn(times[-1])
        return found

    def last_records(self) -> list[Record]:
        """The last records that were written since this object was created, whether they were returned or not. Changes nothing, so a
        signal handler may call it."""
        try:
            size = os.stat(self._path).st_size
        except OSError:
            return []
        # The first line may be a part of one: then it cannot be read, and is left out.
        return read(self._lines(max(self._begin, size - MOST_BYTES)).decode("utf-8", errors="replace"))

    def _lines(self, offset: int) -> bytes:
        try:
            with open(self._path, "rb") as file:
                file.seek(offset)
                taken = file.read(MOST_BYTES)
        except OSError:
            return b""
        whole, mark, _half = taken.rpartition(b"\n")
        return whole + mark


@contextmanager
def watching(
    screen: Screen, tail: Tail | None, tick: Callable[[], None] | None, orphaned: Callable[[], None]
) -> Iterator[None]:
    """Show the progress file while the block runs, and the rest of it afterwards.

    ``tick`` is called at every look. ``orphaned`` is called once, when the process that waits for the result has ended. It returns if the
    block goes on without it.
    """
    over = threading.Event()
    parent = os.getppid()  # not in the thread: if that begins late, the process may have ended already
    arguments = (screen, tail, over, tick, orphaned, parent)
    thread = threading.Thread(target=_watch, args=arguments, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(timeout=10)
        with suppress(Exception):
            if tail is not None and not thread.is_alive():
                _drain(screen, tail)
            screen.clear()


def _watch(
    screen: Screen,
    tail: Tail | None,
    over: threading.Event,
    tick: Callable[[], None] | None,
    orphaned: Callable[[], None],
    parent: int,
) -> None:
    # The kernel may deliver a signal to any thread, but its handler runs in the main thread, which may wait for the module for minutes.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    drawn = 0.0
    while not over.wait(LOOKS):
        if os.getppid() != parent:
            parent = os.getppid()
            orphaned()
        with suppress(Exception):  # an error in the display must not end the rolling reboot
            if tick is not None:  # before the lines: it learns what the clock of the server shows
                tick()
            if tail is not None:
                _drain(screen, tail)
            if time.monotonic() - drawn >= REDRAW:
                screen.draw()
                drawn = time.monotonic()


def _drain(screen: Screen, tail: Tail) -> None:
    while records := tail.records():
        screen.feed(records)


def records_of(result: dict[str, Any]) -> list[Record]:
    """The records of a slice, taken from its result, if its progress file could not be followed."""
    transitions: list[Record] = [record for record in result.get("transitions") or () if isinstance(record, dict)]
    at = result.get("server_time")
    notes: list[Record] = [{"at": at, "kind": "note", "text": text} for text in result.get("notes") or ()]
    counts = result.get("counts")
    last: list[Record] = [{"at": at, "kind": "progress", "counts": counts, "ends_at": None}] if counts else []
    return [*transitions, *notes, *last]
