# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time is an object. Tests own it and never sleep; the server lets it run, scaled."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

SHORTEST_WAIT = 0.05
"""Real seconds a waiting client is kept at least, however fast time runs: nobody should be made to ask in a circle."""
START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


@dataclass(order=True)
class Timer:
    """A scheduled call. ``cancel()`` is safe at any time, also after it ran."""

    at: float
    order: int
    call: Callable[[], None] = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        self.cancelled = True


class Clock:
    """Seconds since the simulation began, and a queue of calls due later.

    ``lock`` guards the queue and every simulator object; the simulator uses this same lock.
    """

    def __init__(self, start: datetime = START) -> None:
        self.start = start
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.stepped = timedelta()
        """By how much the clock of the endpoint was set since the start; ``seconds`` does not know of it."""
        self.errors: list[Exception] = []
        """What scheduled calls raised where nobody could catch it."""
        self._queue: list[Timer] = []
        self._order = itertools.count()

    def seconds(self) -> float:
        """Simulated seconds since the start."""
        raise NotImplementedError

    def now(self) -> datetime:
        """UTC date and time as the clock of the endpoint (vCenter, or the ESXi host itself) shows it."""
        return self.true_now() + self.stepped

    def true_now(self) -> datetime:
        """UTC date and time by a clock that nobody set: what the clocks of the hosts of a vCenter are ahead of or behind."""
        return self.start + timedelta(seconds=self.seconds())

    def step(self, seconds: float) -> None:
        """Set the clock of the endpoint forward, or back (below 0). What is due later is due after as many seconds as before."""
        with self.lock:
            self.stepped += timedelta(seconds=seconds)
            self.changed.notify_all()

    def call_later(self, delay: float, call: Callable[[], None]) -> Timer:
        """Run ``call`` under the simulator lock ``delay`` simulated seconds from now."""
        with self.lock:
            timer = Timer(self.seconds() + max(0.0, delay), next(self._order), call)
            heapq.heappush(self._queue, timer)
            self.changed.notify_all()
            return timer

    def next_due(self) -> float | None:
        """Simulated second of the next scheduled call."""
        with self.lock:
            while self._queue and self._queue[0].cancelled:
                heapq.heappop(self._queue)
            return self._queue[0].at if self._queue else None

    def _pop_due(self, until: float) -> Timer | None:
        due = self.next_due()
        return heapq.heappop(self._queue) if due is not None and due <= until else None

    def wait(self, ready: Callable[[], bool], timeout: float | None, *, patient: bool = False) -> bool:
        """Wait, lock held, until ``ready()``; False when ``timeout`` simulated seconds went by.

        ``patient``: another client may change something meanwhile, so waiting without a limit is valid.
        """
        raise NotImplementedError

    def sleep(self, seconds: float) -> None:
        """What a client that shares this clock calls instead of ``time.sleep``."""
        raise NotImplementedError

    def delay(self, seconds: float) -> None:
        """Hold up a call, lock held, for ``seconds`` of the client's time; others go on meanwhile."""
        raise NotImplementedError

    def asked(self, client: int | None = None, is_gone: Callable[[], bool] | None = None) -> None:
        """This thread begins to answer a call, of a client that may have named itself; ``is_gone``: whether nothing waits for the answer
        any more. Matters to clocks that wait for their clients."""

    def answered(self) -> None:
        """This thread has sent its answer. Calls that ``asked`` never heard of do not matter."""

    def close(self) -> None:
        """Stop any background work."""


class ManualClock(Clock):
    """Moves only by ``advance``, or by a client that waits in process (``auto_advance``)."""

    def __init__(self, start: datetime = START, auto_advance: bool = True) -> None:
        super().__init__(start)
        self.auto_advance = auto_advance
        self._seconds = 0.0

    def seconds(self) -> float:
        return self._seconds

    def advance(self, seconds: float) -> None:
        """Let simulated time pass, running what falls due, in order, each at its own instant."""
        with self.lock:
            self._run_until(self._seconds + seconds)

    def _run_until(self, target: float) -> None:
        while (timer := self._pop_due(target)) is not None:
            self._seconds = max(self._seconds, timer.at)
            timer.call()
            self.changed.notify_all()
        self._seconds = max(self._seconds, target)

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def delay(self, seconds: float) -> None:
        self.advance(seconds)

    def wait(self, ready: Callable[[], bool], timeout: float | None, *, patient: bool = False) -> bool:
        if not self.auto_advance:
            return self.changed.wait_for(ready, timeout)
        deadline = None if timeout is None else self._seconds + timeout
        while not ready():
            due = self.next_due()
            if due is None and deadline is None and patient:
                self.changed.wait()
                continue
            if due is None and deadline is None:
                raise RuntimeError("waiting for ever: nothing is scheduled on the manual clock")
            if due is None or (deadline is not None and due > deadline):
                assert deadline is not None
                self._run_until(deadline)
                return ready()
            self._run_until(max(due, self._seconds))
        return True


class ScaledClock(Clock):
    """Wall time multiplied by ``speed``; one daemon thread runs what falls due."""

    def __init__(self, speed: float = 1.0, start: datetime | None = None) -> None:
        super().__init__(start or datetime.now(UTC))
        if speed <= 0:
            raise ValueError("speed must be above 0")
        self.speed = speed
        self._origin = time.monotonic()
        self._skipped = 0.0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="simulator-clock", daemon=True)
        self._thread.start()

    def seconds(self) -> float:
        return (time.monotonic() - self._origin) * self.speed + self._skipped

    def advance(self, seconds: float) -> None:
        """Jump ahead; what falls due in between runs at once, in order."""
        with self.lock:
            self._skipped += seconds
            self.changed.notify_all()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / self.speed)

    def delay(self, seconds: float) -> None:
        self.changed.wait_for(lambda: self._closed, seconds)

    def wait(self, ready: Callable[[], bool], timeout: float | None, *, patient: bool = False) -> bool:
        return self.changed.wait_for(ready, None if timeout is None else max(SHORTEST_WAIT, timeout / self.speed))

    def close(self) -> None:
        with self.lock:
            self._closed = True
            self.changed.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join(5)

    def _run(self) -> None:
        with self.lock:
            while not self._closed:
                timer = self._pop_due(self.seconds())
                if timer is not None:
                    try:
                        timer.call()
                    except Exception as error:  # time goes on; the control page shows it
                        self.errors.append(error)
                    self.changed.notify_all()
                    continue
                due = self.next_due()
                self.changed.wait(None if due is None else max(0.001, (due - self.seconds()) / self.speed))
