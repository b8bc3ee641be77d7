# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Being called at a chosen write of a client: the places at which a test kills it, or holds it up.

A client that dies may do so at three points of every call with an effect: the request arrived and did nothing yet
(``before``: it is going to, unless the callback raises), the effect is there and the client does not know (``after``), the
client has its answer (``answered``: by the time it is dead it may have sent something more).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .journal import READS

MOMENTS = ("before", "after", "answered")


@dataclass(frozen=True, kw_only=True)
class Write:
    """One call with an effect, as a callback gets it; ``number`` counts from 1 since the stop was set."""

    number: int
    when: str
    method: str
    moid: str
    name: str


@dataclass(kw_only=True, eq=False)
class Stop:
    """Calls ``call`` at the n-th write (``write``; None: at every one). Removed after it was hit, unless for every one."""

    write: int | None
    when: str
    method: str | None
    call: Callable[[Write], None]
    seen: int = 0
    hit: Write | None = None

    def __post_init__(self) -> None:
        if self.when not in MOMENTS:
            raise ValueError(f"when is one of {', '.join(MOMENTS)}, not {self.when!r}")
        if self.write is not None and self.write < 1:
            raise ValueError(f"write counts from 1, not {self.write}")


class Stops:
    """The stops that are set. Called by the transports without the simulator's lock: others go on meanwhile."""

    def __init__(self) -> None:
        self._set: list[Stop] = []
        self._guard = threading.Lock()

    def add(
        self, write: int | None, call: Callable[[Write], None], when: str = "after", method: str | None = None
    ) -> Stop:
        """Set one. ``method``: count the calls of this WSDL method only. Raises ValueError."""
        stop = Stop(write=write, when=when, method=method, call=call)
        with self._guard:
            self._set.append(stop)
        return stop

    def remove(self, stop: Stop) -> None:
        """Take one away; nothing happens when it is gone already."""
        with self._guard:
            self._set = [item for item in self._set if item is not stop]

    def passing(self, when: str, method: str, moid: str, name: str) -> None:
        """A call is at this moment. What a callback raises goes to the client's end of the connection."""
        if not self._set or method in READS:
            return
        due: list[tuple[Stop, Write]] = []
        with self._guard:
            for stop in list(self._set):
                if stop.when != when or stop.method not in (None, method):
                    continue
                stop.seen += 1
                if stop.write not in (None, stop.seen):
                    continue
                stop.hit = Write(number=stop.seen, when=when, method=method, moid=moid, name=name)
                due.append((stop, stop.hit))
                if stop.write is not None:
                    self._set.remove(stop)
        for stop, write in due:
            stop.call(write)


@dataclass(eq=False)
class Hold:
    """A stop that holds the call up until the test releases it, for tests that are not in the simulator's process."""

    number: int
    seconds: float
    stop: Stop = field(init=False)
    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def __call__(self, write: Write) -> None:
        self.reached.set()
        self.released.wait(self.seconds)

    def show(self) -> dict[str, Any]:
        """Plain data for the control page."""
        hit = self.stop.hit
        shown = {"id": self.number, "write": self.stop.write, "when": self.stop.when, "method": self.stop.method}
        return {**shown, "seen": self.stop.seen, "hit": dict(hit.__dict__) if hit else None}


class Holds:
    """Holds by number. A hold lets go by itself after ``seconds`` of real time, so that a forgotten one blocks nobody."""

    def __init__(self, stops: Stops) -> None:
        self._stops = stops
        self._holds: dict[int, Hold] = {}
        self._count = 0

    def add(self, write: int, when: str = "after", method: str | None = None, seconds: float = 60.0) -> dict[str, Any]:
        """Hold up the n-th write from now on."""
        self._count += 1
        hold = Hold(self._count, float(seconds))
        hold.stop = self._stops.add(int(write), hold, when, method)
        self._holds[hold.number] = hold
        return hold.show()

    def show(self) -> list[dict[str, Any]]:
        """Every hold that was not let go."""
        return [hold.show() for hold in self._holds.values()]

    def wait(self, number: int, seconds: float) -> dict[str, Any]:
        """Wait, without the simulator's lock, until a hold is reached; its state either way. Raises KeyError."""
        hold = self._holds[number]
        hold.reached.wait(seconds)
        return hold.show()

    def clear(self) -> None:
        """Let every call go and forget the holds."""
        for hold in self._holds.values():
            self._stops.remove(hold.stop)
            hold.released.set()
        self._holds.clear()
