# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plugin that makes threads and answers late."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest

from simulator.core.stops import Stops
from tests import shaken

TESTS = [f"test_{number}" for number in range(40)]


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The seconds that were slept; afterwards, nothing is late any more."""
    interval, seconds = sys.getswitchinterval(), list[float]()
    monkeypatch.setattr(threading.Thread, "start", threading.Thread.start)
    monkeypatch.setattr(Stops, "passing", Stops.passing)
    monkeypatch.setattr(shaken.time, "sleep", seconds.append)
    yield seconds
    sys.setswitchinterval(interval)


def late(slept: list[float], seed: str) -> dict[str, list[float]]:
    """What is late in each of the tests: four threads, each with a call."""
    shaker = shaken.Shaker(seed)
    shaker.install()
    stops, found = Stops(), {}
    for test in TESTS:
        shaker.prepare(test)
        slept.clear()
        for _number in range(4):
            thread = threading.Thread(target=stops.passing, args=("before", "ReconfigVM_Task", "vm-1", "train-01"))
            thread.start()
            thread.join()
        found[test] = list(slept)
    return found


def test_threads_and_answers_are_late_in_some_tests_and_in_the_same_way_again(
    slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, passing = threading.Thread.start, Stops.passing
    once = late(slept, "1")
    monkeypatch.setattr(threading.Thread, "start", begin)
    monkeypatch.setattr(Stops, "passing", passing)
    assert late(slept, "1") == once
    seen = {seconds for test in once.values() for seconds in test}
    assert seen & set(shaken.BEGINS_AFTER)
    assert seen & set(shaken.ANSWERS_AFTER)
    assert [] in once.values()


def test_a_seed_of_its_own_gives_delays_of_its_own(slept: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    begin, passing = threading.Thread.start, Stops.passing
    once = late(slept, "1")
    monkeypatch.setattr(threading.Thread, "start", begin)
    monkeypatch.setattr(Stops, "passing", passing)
    assert late(slept, "2") != once


def test_a_call_in_process_is_never_late_and_stops_are_called(slept: list[float]) -> None:
    shaker = shaken.Shaker("1")
    shaker.install()
    stops, reached = Stops(), list[str]()
    stops.add(None, lambda write: reached.append(write.name), when="before")
    for test in TESTS:
        shaker.prepare(test)
        stops.passing("before", "ReconfigVM_Task", "vm-1", test)
    assert (reached, slept) == (TESTS, [])


def test_how_often_python_changes_between_threads_differs_from_test_to_test(slept: list[float]) -> None:
    shaker = shaken.Shaker("1")
    intervals = set()
    for test in TESTS:
        shaker.prepare(test)
        intervals.add(round(sys.getswitchinterval(), 6))
    assert intervals == {round(seconds, 6) for seconds in shaken.SWITCH_INTERVALS}
