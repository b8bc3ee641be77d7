# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clock of a rolling reboot: it begins with the server's and continues with one that does not step. PRIVATE to the collection.

The clock of the server may be set at any time. Each reading of it is compared with the clock of the run: a difference is kept beside it
(``ahead``) and never changes it, so durations and deadlines stay right. See docs/decisions/0025.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

STEP = 5.0
"""A difference in seconds that is more than slow answers and drifting clocks. A smaller one is not reported."""
FAST = 1.5
"""Only clocks of simulators run faster than this. Smaller differences come from the response times."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Anchor:
    """The clock at one moment, for a later process of the same run on the same machine. ``local``: its monotonic clock."""

    run: float
    local: float
    ahead: float
    machine: str

    @classmethod
    def of(cls, record: Mapping[str, Any], machine: str) -> Anchor | None:
        """From the data of an earlier slice; None if it comes from another machine, or from before its last boot."""
        try:
            numbers = {name: float(record[name]) for name in ("run", "local", "ahead")}
        except (KeyError, TypeError, ValueError):
            return None
        return cls(**numbers, machine=machine) if record.get("machine") == machine else None

    def record(self) -> dict[str, Any]:
        """As data for the result."""
        return {"run": self.run, "local": self.local, "ahead": self.ahead, "machine": self.machine}


class RunClock:
    """``read``: reads the clock of the server; ``local``: a monotonic clock (both in seconds)."""

    def __init__(self, read: Callable[[], float], local: Callable[[], float], anchor: Anchor | None = None) -> None:
        self._read = read
        self._local = local
        self._base: tuple[float, float, float] | None = None
        """(time of the run, local time, seconds of the run for each local second). One value, because several threads read it."""
        self._last: tuple[float, float] = (0.0, 0.0)
        """(server, local) of the last reading."""
        self._doubt: tuple[float, float] | None = None
        """A reading that is far ahead: the clock was set, or the server is a simulator whose time runs faster. The next one decides."""
        self.ahead = 0.0
        """How much the server is ahead of the run."""
        self._steps: list[float] = []
        if anchor is not None and local() >= anchor.local:
            self._base = (anchor.run, anchor.local, 1.0)
            self.ahead = anchor.ahead

    @property
    def rate(self) -> float:
        """Seconds of the run for each local second. More than 1 only for simulators whose time runs faster."""
        return 1.0 if self._base is None else self._base[2]

    @property
    def is_in_doubt(self) -> bool:
        """The clock of the server should be read again soon."""
        return self._doubt is not None or self.rate != 1.0

    def now(self) -> float:
        """The time of the run (seconds since the epoch). Only the first time needs a call."""
        if self._base is None:
            self.sync()
        return self._at(self._local())

    def _at(self, local: float) -> float:
        if self._base is None:
            return 0.0
        run, begun, rate = self._base
        return run + (local - begun) * rate

    def sync(self) -> None:
        """Read the clock of the server: one call."""
        began = self._local()
        server = self._read()
        ended = self._local()
        earlier, self._last = self._last, (server, ended)
        if self._base is None:
            self._base = (server, ended, 1.0)
            return
        # The server read its clock at some moment of the call.
        low, high = self._at(began) + self.ahead, self._at(ended) + self.ahead
        off = min(server - low, 0.0) + max(server - high, 0.0)
        if self.rate != 1.0:
            self._follow(server, ended, off, earlier)
        elif self._doubt is not None:
            self._decide(server, ended, off)
        elif off > STEP:
            self._doubt = (server, ended)
        else:
            self._set_ahead(off)

    def _decide(self, server: float, local: float, off: float) -> None:
        before, then = self._doubt or (server, local)
        if local - then < 0.5:
            return
        self._doubt = None
        rate = (server - before) / (local - then)
        if rate > FAST:
            self._base = (server - self.ahead, local, rate)
        else:
            self._set_ahead(off)

    def _follow(self, server: float, local: float, off: float, earlier: tuple[float, float]) -> None:
        """The time of a simulator runs faster: its clock is followed, as no other one shows how its time passes."""
        apart = local - earlier[1]
        if abs(off) > max(STEP, 0.5 * self.rate * apart):
            self._set_ahead(off)
            return
        rate = (server - earlier[0]) / apart if apart >= 0.5 else self.rate
        self._base = (max(self._at(local), server - self.ahead), local, rate if rate > FAST else 1.0)

    def _set_ahead(self, off: float) -> None:
        self.ahead += off
        if abs(off) > STEP:
            self._steps.append(off)

    def not_before(self, moment: float) -> None:
        """The journal has this time, so it has passed. If the server shows an earlier one, its clock was set back."""
        behind = moment - self.now()
        if behind > 0 and self._base is not None:
            run, local, rate = self._base
            self._base = (run + behind, local, rate)
            self._set_ahead(-behind)

    def take_steps(self) -> list[float]:
        """By how many seconds the clock of the server was set since the last call (below 0: back)."""
        steps, self._steps = self._steps, []
        return steps

    def anchor(self, machine: str) -> Anchor | None:
        """For the next slice; None where the time of a simulator is followed."""
        if self._base is None or self.rate != 1.0:
            return None
        local = self._local()
        return Anchor(run=self._at(local), local=local, ahead=self.ahead, machine=machine)
