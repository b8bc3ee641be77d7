# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A clock that moves only while its clients wait. What they compute, and how fast this machine is, takes no simulated time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from .clock import START, Clock
from .faults import Dropped
from .process import Process

LOOK = 0.05
"""Real seconds between two looks at a client that holds the time."""
STILL = 0.5
"""More real seconds between two looks at a client mean that the machine stood still. They do not count, as the client could not work."""
LONGEST_WORK = 120.0
"""Real seconds after which a client without a request holds the time no longer, even if its process computes."""


@dataclass(eq=False)
class Client:
    """One thread of a client that shares this time. ``number``: how it names itself in its calls."""

    number: int
    process: Process
    real: Callable[[], float]
    waiting: int = 0
    """How many of its waits are open: a sleep, or a call that the endpoint holds."""
    watches: bool = False
    """It only reads the time, and never holds it."""
    forgotten: bool = False
    asked: float = field(init=False)
    """Real time of its last request."""
    active: float = field(init=False)
    """Real time when it was last seen at work."""
    looked: float = field(init=False)
    """Real time of the last look at it."""

    def __post_init__(self) -> None:
        self.seen()

    @property
    def works(self) -> bool:
        """Whether the time stands still for it."""
        return not (self.waiting or self.watches or self.forgotten)

    def seen(self) -> None:
        """It made a request, or got an answer: it is at work."""
        self.forgotten = False
        self.asked = self.active = self.looked = self.real()


@dataclass(frozen=True, kw_only=True)
class Served:
    """A call that is being answered by a ``thread``. ``client``: None where it does not say which one made it."""

    thread: int
    client: Client | None
    is_gone: Callable[[], bool]


@dataclass(eq=False)
class Wait:
    """A client waits ``until`` a simulated second (None: for ever), or until ``ready``."""

    until: float | None
    ready: Callable[[], bool]
    ended: Callable[[], None]
    client: Client | None = None
    served: Served | None = None
    """The call that waits; None: a sleep, or a program in the same process."""
    result: bool | None = None
    error: Exception | None = None


class WaitingClock(Clock):
    """Stands still while a call is answered or a client works, and else goes straight to what is due next, or to the end of the earliest
    wait.

    ``limit``: a client that makes no request, and whose process does nothing, holds the time for so many real seconds at most. ``real``:
    where these seconds are read.
    """

    def __init__(self, start: datetime = START, limit: float = 0.2, real: Callable[[], float] = time.monotonic) -> None:
        super().__init__(start)
        self.limit = limit
        self._real = real
        self._seconds = 0.0
        self._clients: dict[int, Client] = {}
        self._numbers = 0
        self._served: dict[int, Served] = {}
        """Thread → the call that it answers."""
        self._waits: list[Wait] = []
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="simulator-clock", daemon=True)
        self._thread.start()

    def seconds(self) -> float:
        return self._seconds

    def close(self) -> None:
        with self.lock:
            self._closed = True
            for wait in list(self._waits):
                self._end(wait, False)
            self.changed.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join(5)

    # -- clients ----------------------------------------------------------------------------------------------

    def join(self, process: Process | None = None) -> Client:
        """A new client. It is at work until it waits."""
        with self.lock:
            self._numbers += 1
            client = self._clients[self._numbers] = Client(self._numbers, process or Process(0), self._real)
            return client

    def leave(self, client: Client) -> None:
        """A client ended, also while it waited."""
        with self.lock:
            self._clients.pop(client.number, None)
            for wait in [wait for wait in self._waits if wait.client is client]:
                self._end(wait, False)
            self.changed.notify_all()

    def asked(self, client: int | None = None, is_gone: Callable[[], bool] | None = None) -> None:
        with self.lock:
            found = self._clients.get(client) if client is not None else None
            if found is not None:
                found.seen()
            thread = threading.get_ident()
            self._served[thread] = Served(thread=thread, client=found, is_gone=is_gone or _is_there)

    def answered(self) -> None:
        with self.lock:
            served = self._served.pop(threading.get_ident(), None)
            if served is not None and served.client is not None:
                served.client.seen()
            self.changed.notify_all()

    # -- waits ------------------------------------------------------------------------------------------------

    def sleep(self, seconds: float) -> None:
        with self.lock:
            self.wait(lambda: False, seconds)

    def delay(self, seconds: float) -> None:
        self.wait(lambda: False, seconds)

    def wait(self, ready: Callable[[], bool], timeout: float | None, *, patient: bool = False) -> bool:
        if ready():
            return True
        if self._closed or (timeout is not None and timeout <= 0):
            return False
        over = threading.Condition(self.lock)
        until = None if timeout is None else self._seconds + timeout
        wait = Wait(until, ready, over.notify)
        wait.served = self._served.pop(threading.get_ident(), None)
        wait.client = wait.served.client if wait.served is not None else None
        self._begin(wait)
        while wait.result is None:
            over.wait()
        if wait.error is not None:
            raise wait.error
        return wait.result

    def begin_sleep(self, client: Client, seconds: float, ended: Callable[[], None]) -> None:
        """A client waits for so many seconds; ``ended`` is then called, lock held, also when the clock is closed."""
        with self.lock:
            self._begin(Wait(self._seconds + max(0.0, seconds), lambda: False, ended, client=client))

    def _begin(self, wait: Wait) -> None:
        if wait.client is not None:
            wait.client.waiting += 1
        self._waits.append(wait)
        self.changed.notify_all()

    def _end(self, wait: Wait, result: bool, error: Exception | None = None) -> None:
        """From now on its client is at work, even before its thread runs again."""
        self._waits.remove(wait)
        wait.result, wait.error = result, error
        if wait.client is not None:
            wait.client.waiting -= 1
            wait.client.seen()
        if wait.served is not None:
            self._served[wait.served.thread] = wait.served
        wait.ended()

    # -- time -------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        with self.lock:
            while not self._closed:
                self._end_ready()
                self._end_gone()
                if self._waits and not self._served:
                    holding = self._holding()
                    if not holding and self._move():
                        continue
                    self.changed.wait(LOOK if holding else None)
                else:
                    self.changed.wait()

    def _end_ready(self) -> None:
        for wait in list(self._waits):
            try:
                if wait.ready():
                    self._end(wait, True)
            except Exception as error:  # its own thread raises it
                self._end(wait, False, error)

    def _end_gone(self) -> None:
        """A client that died in a call waits for nothing."""
        for wait in list(self._waits):
            if wait.served is not None and wait.served.is_gone():
                self._end(wait, False, Dropped())

    def _holding(self) -> list[Client]:
        """The clients for which the time stands still. A call that does not name its client is that of one of them."""
        working = [client for client in self._clients.values() if client.works]
        unnamed = sum(wait.client is None for wait in self._waits)
        if len(working) <= unnamed:
            return []
        for client in working:
            self._look_at(client)
        working = [client for client in working if client.works]
        return working if len(working) > unnamed else []

    def _look_at(self, client: Client) -> None:
        now = self._real()
        if now - client.looked > STILL:
            client.active += now - client.looked
        client.looked = now
        if now - client.asked > LONGEST_WORK:
            client.forgotten = True
        elif client.process.is_busy():
            client.active = now
        elif now - client.active >= self.limit:
            client.forgotten = True

    def _move(self) -> bool:
        """Go to the next instant at which something happens. False: nothing will."""
        due = self.next_due()
        ends = min((wait.until for wait in self._waits if wait.until is not None), default=None)
        if due is None and ends is None:
            return False
        if due is not None and (ends is None or due <= ends):
            self._call(due)
            return True
        assert ends is not None
        self._seconds = max(self._seconds, ends)
        for wait in [wait for wait in self._waits if wait.until is not None and wait.until <= ends]:
            self._end(wait, False)
        return True

    def _call(self, due: float) -> None:
        timer = self._pop_due(due)
        assert timer is not None
        self._seconds = max(self._seconds, timer.at)
        try:
            timer.call()
        except Exception as error:  # time goes on
            self.errors.append(error)


def _is_there() -> bool:
    return False
