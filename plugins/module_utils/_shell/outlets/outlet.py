# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An outlet: a thread that passes on what is published, from a bounded queue. PRIVATE to the collection.

Whoever publishes never waits for it. What does not fit into the queue, what is not accepted, and what is left when the time to end is over
is counted.
"""

from __future__ import annotations

import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

MOST_WAITING = 1000
"""Items in the queue of an outlet."""

TO_END = 5.0
"""Seconds that all outlets together may take at the end."""

RETRIES = (1.0, 4.0)
"""Seconds before each further attempt for an item. An outlet that is down gets one attempt for each item until one succeeds."""

Item = TypeVar("Item")


class NotDelivered(Exception):
    """An item was not accepted. The text is a clause without secrets. ``may_pass``: another attempt may succeed."""

    def __init__(self, why: str, *, may_pass: bool = True) -> None:
        super().__init__(why)
        self.may_pass = may_pass


@dataclass(frozen=True, kw_only=True, slots=True)
class OutletReport:
    """``why``: a clause, of the last item that was lost; empty if none was."""

    name: str
    sent: int
    lost: int
    why: str = ""

    def warning(self, what: str = "events") -> str:
        """A sentence, if something was lost; empty otherwise."""
        if not self.lost:
            return ""
        why = f" ({self.why})" if self.why else ""
        return f"{self.name}: {self.lost} of {self.sent + self.lost} {what} were not delivered{why}"

    def record(self) -> dict[str, Any]:
        return {"name": self.name, "sent": self.sent, "lost": self.lost, "why": self.why}


class Outlet(Generic[Item]):
    """``deliver`` is called on a thread of its own. It raises NotDelivered; the text of any other error is never shown, as it may contain a
    secret. ``newest_only``: an item replaces the one that waits, and nothing is lost by that."""

    def __init__(
        self,
        name: str,
        deliver: Callable[[Item], None],
        *,
        most: int = MOST_WAITING,
        newest_only: bool = False,
        retries: Iterable[float] = RETRIES,
    ) -> None:
        self.name = name
        self._deliver, self._retries = deliver, tuple(retries)
        self._most, self._newest_only = most, newest_only
        self._waiting: deque[Item] = deque()
        self._news = threading.Condition()
        self._ending = threading.Event()
        self._sent = self._lost = self._working = 0
        self._why = ""
        self._is_down = False
        self._thread: threading.Thread | None = None

    def put(self, item: Item) -> None:
        """Publish. Returns at once."""
        with self._news:
            if self._newest_only:
                self._waiting.clear()
            if len(self._waiting) >= self._most:
                self._lost += 1
                self._why = self._why or "it is too slow"
                return
            self._waiting.append(item)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"outlet {self.name}", daemon=True)
                self._thread.start()
            self._news.notify()

    def end(self) -> None:
        """No more is published: the thread ends after what waits. Returns at once."""
        self._ending.set()
        with self._news:
            self._news.notify()

    def wait(self, until: float) -> OutletReport:
        """Wait until the thread has ended, or until a time of the monotonic clock. What is not delivered by then is lost."""
        thread = self._thread
        if thread is not None:
            thread.join(max(0.0, until - time.monotonic()))
        with self._news:
            left = len(self._waiting) + self._working
            self._waiting.clear()
            why = self._why or ("no answer before the end of the run" if left else "")
            return OutletReport(name=self.name, sent=self._sent, lost=self._lost + left, why=why)

    # ------------------------------------------------------------------------------------------------------------ thread

    def _run(self) -> None:
        # A signal is for the main thread, whose handlers would otherwise wait until it has something to do.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
        while True:
            with self._news:
                while not self._waiting:
                    if self._ending.is_set():
                        return
                    self._news.wait()
                item = self._waiting.popleft()
                self._working = 1
            why = self._try(item)
            with self._news:
                self._working = 0
                self._is_down = bool(why)
                if why:
                    self._lost, self._why = self._lost + 1, why
                else:
                    self._sent += 1

    def _try(self, item: Item) -> str:
        """Deliver one item. Returns a clause why it is lost, or an empty text."""
        for pause in (*(() if self._is_down else self._retries), None):
            try:
                self._deliver(item)
                return ""
            except NotDelivered as error:
                why, may_pass = str(error), error.may_pass
            except Exception as error:  # an outlet must not end the run
                why, may_pass = type(error).__name__, False
            if pause is None or not may_pass or self._ending.wait(pause):
                return why
        return why


def end_all(outlets: Iterable[Outlet[Any]], seconds: float = TO_END) -> list[OutletReport]:
    """End all outlets, within a time that they share."""
    found, until = list(outlets), time.monotonic() + seconds
    for outlet in found:
        outlet.end()
    return [outlet.wait(until) for outlet in found]
