# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pytest plugin (``-p tests.shaken``) that finds tests whose result depends on how fast the machine is.

Threads begin late, simulators answer late, and Python changes between threads rarely or very often. How long and how often follows from
DIRECTPATH_SEED and the name of the test. No delay is so long that a time limit of a test could notice it, so each failure is a fault of the
test or of what it tests.
"""

from __future__ import annotations

import os
import random
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from simulator.core.stops import Stops

SWITCH_INTERVALS = (1e-6, 1e-4, 0.005, 0.05, 0.3)
"""Seconds after which Python lets another thread run; 0.005 is its own."""
LATE_THREADS = (0.0, 0.3)
LATE_ANSWERS = (0.0, 0.05, 0.5)
"""Which part of the threads and of the calls is late, in a test."""
BEGINS_AFTER = (0.01, 0.05, 0.2, 0.6)
ANSWERS_AFTER = (0.001, 0.01, 0.05)
"""Seconds."""


class Shaker:
    """Delays of one test after another."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._begin, self._pass = threading.Thread.start, Stops.passing
        self.prepare("")

    def prepare(self, test: str) -> None:
        """Draw what is slow in this test."""
        self._rng = random.Random(f"{self._seed}/{test}")
        self._late_threads, self._late_answers = self._rng.choice(LATE_THREADS), self._rng.choice(LATE_ANSWERS)
        sys.setswitchinterval(self._rng.choice(SWITCH_INTERVALS))

    def install(self) -> None:
        """Put the delays into all threads and simulators of this process."""

        def start(thread: threading.Thread) -> None:
            if self._rng.random() < self._late_threads:
                thread.run = self._late(thread.run, self._rng.choice(BEGINS_AFTER))  # type: ignore[method-assign]
            self._begin(thread)

        def passing(stops: Stops, when: str, method: str, moid: str, name: str) -> None:
            self._linger()
            self._pass(stops, when, method, moid, name)
            self._linger()  # of two calls that a test lets go on together, one is late

        threading.Thread.start = start  # type: ignore[method-assign]
        Stops.passing = passing  # type: ignore[method-assign]

    def _linger(self) -> None:
        # A call of the main thread is one in process, and waits for no other.
        if threading.current_thread() is not threading.main_thread() and self._rng.random() < self._late_answers:
            time.sleep(self._rng.choice(ANSWERS_AFTER))

    @staticmethod
    def _late(run: Any, seconds: float) -> Any:
        def begin() -> None:
            time.sleep(seconds)
            run()

        return begin


def pytest_configure(config: pytest.Config) -> None:
    shaker = Shaker(os.environ.get("DIRECTPATH_SEED", "0"))
    shaker.install()
    config.pluginmanager.register(Plugin(shaker), "shaken")


class Plugin:
    """Tells the shaker which test is next."""

    def __init__(self, shaker: Shaker) -> None:
        self._shaker = shaker

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._shaker.prepare(item.nodeid)
        yield
