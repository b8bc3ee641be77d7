# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show a roll while the module that does it is running: follow its progress file, say lines, draw a bar. PRIVATE to the collection.

The module runs in another process and is waited for; so this works on a thread of the waiting one. It may fail without harm: what is
shown is a courtesy, and the roll goes on without it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from ...module_utils._domain.rolling.state.timeline import clock
from .progress import Line, Record, Shown, Tone, View, meter, read, show

LOOKS = 0.25
"""Seconds between two looks into the progress file."""

REDRAW = 1.0
"""Seconds between two bars on a terminal."""

MOST_BYTES = 1 << 20
"""Taken from the file at one look."""


class Say(Protocol):
    """Puts text in front of the user: as a line, or (``raw``) as it is, on the screen only."""

    def __call__(self, text: str, tone: Tone = "", *, raw: bool = False) -> None: ...


class Screen:
    """What the user sees. ``columns``: of the terminal on which a bar may be redrawn; 0 where there is none."""

    def __init__(self, say: Say, view: View, columns: int = 0, now: Callable[[], float] = time.monotonic) -> None:
        self._say, self._view, self._columns, self._now = say, view, columns, now
        self._shown = Shown()
        self._began = now()
        self._drawn = ""
        self._lock = threading.Lock()

    def feed(self, records: Sequence[Record]) -> None:
        with self._lock:
            self._shown, lines = show(self._shown, records, self._view, self._now())
            self._tell(lines)

    def tell(self, lines: Sequence[Line]) -> None:
        with self._lock:
            self._tell(lines)

    def draw(self) -> None:
        """The bar, where there is a terminal to draw it on."""
        with self._lock:
            if not self._columns:
                return
            spent = clock(self._now() - self._began)
            words = "looking at the hosts"
            if self._shown.counts:
                room = self._columns - len(spent) - 2
                words = meter(self._shown.counts, self._shown.ends_at, self._shown.at, self._view, columns=room)
            if (text := f"{spent} {words}") != self._drawn:
                self._say(f"\r\x1b[K{text}\r", raw=True)
                self._drawn = text

    def clear(self) -> None:
        with self._lock:
            self._clear()

    def _tell(self, lines: Sequence[Line]) -> None:
        if lines:
            self._clear()
        for line in lines:
            self._say(line.text, line.tone)

    def _clear(self) -> None:
        if self._drawn:
            self._say("\r\x1b[K\r", raw=True)
            self._drawn = ""


class Tail:
    """The complete lines a file has got since it was asked last, or this was made."""

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            self._offset = os.stat(path).st_size
        except OSError:
            self._offset = 0

    def records(self) -> list[Record]:
        try:
            with open(self._path, "rb") as file:
                file.seek(self._offset)
                taken = file.read(MOST_BYTES)
        except OSError:
            return []
        whole, mark, _half = taken.rpartition(b"\n")
        self._offset += len(whole) + len(mark)
        return read((whole + mark).decode("utf-8", errors="replace"))


@contextmanager
def watching(screen: Screen, tail: Tail | None, orphaned: Callable[[], None]) -> Iterator[None]:
    """Show what the file gets while the block runs, and the rest of it afterwards.

    ``orphaned`` is called when the process that waits for the result is gone; it is not meant to come back.
    """
    over = threading.Event()
    thread = threading.Thread(target=_watch, args=(screen, tail, over, orphaned), name="progress", daemon=True)
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


def _watch(screen: Screen, tail: Tail | None, over: threading.Event, orphaned: Callable[[], None]) -> None:
    parent, drawn = os.getppid(), 0.0
    while not over.wait(LOOKS):
        if os.getppid() != parent:
            orphaned()
            return
        with suppress(Exception):  # nothing that goes wrong with showing may end the roll
            if tail is not None:
                _drain(screen, tail)
            if time.monotonic() - drawn >= REDRAW:
                screen.draw()
                drawn = time.monotonic()


def _drain(screen: Screen, tail: Tail) -> None:
    while records := tail.records():
        screen.feed(records)


def records_of(result: dict[str, Any]) -> list[Record]:
    """The records of a slice whose progress file could not be followed, from its result."""
    told: list[Record] = [record for record in result.get("transitions") or () if isinstance(record, dict)]
    at = result.get("server_time")
    notes: list[Record] = [{"at": at, "kind": "note", "text": text} for text in result.get("notes") or ()]
    counts = result.get("counts")
    last: list[Record] = [{"at": at, "kind": "progress", "counts": counts, "ends_at": None}] if counts else []
    return [*told, *notes, *last]
