# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The thread of an outlet: it delays no run, it counts what it loses, and it ends in time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.outlets.outlet import (
    NotDelivered,
    Outlet,
    OutletReport,
    end_all,
)
from tests.unit.patience import PATIENCE, until


def ended(outlet: Outlet[int], seconds: float = PATIENCE) -> OutletReport:
    (report,) = end_all([outlet], seconds)
    return report


def test_everything_is_delivered_in_order() -> None:
    got: list[int] = []
    outlet: Outlet[int] = Outlet("x", got.append)
    for number in range(100):
        outlet.put(number)
    report = ended(outlet)
    assert got == list(range(100))
    assert (report.sent, report.lost, report.why, report.warning()) == (100, 0, "", "")


def test_an_outlet_that_gets_nothing_starts_no_thread() -> None:
    before = threading.active_count()
    assert ended(Outlet("x", lambda item: None)) == OutletReport(name="x", sent=0, lost=0)
    assert threading.active_count() == before


def test_whoever_publishes_does_not_wait_and_what_does_not_fit_is_counted() -> None:
    free = threading.Event()
    outlet: Outlet[int] = Outlet("slow", lambda item: assert_set(free), most=5)
    began = time.monotonic()
    for number in range(1000):
        outlet.put(number)
    assert time.monotonic() - began < PATIENCE / 2
    free.set()
    report = ended(outlet)
    assert report.sent + report.lost == 1000
    assert 5 <= report.sent <= 6
    assert report.why == "it is too slow"


def assert_set(event: threading.Event) -> None:
    assert event.wait(PATIENCE)


def test_an_outlet_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[float] = []
    wait = Outlet.wait
    monkeypatch.setattr(Outlet, "wait", lambda self, until: ends.append(until) or wait(self, until))
    never = threading.Event()
    outlets: list[Outlet[int]] = [Outlet(f"hangs {number}", lambda item: assert_set(never)) for number in range(3)]
    for outlet in outlets:
        outlet.put(1)
        outlet.put(2)
    began = time.monotonic()
    reports = end_all(outlets, 0.3)
    assert time.monotonic() - began < PATIENCE / 2
    assert len(set(ends)) == 1, "all outlets share the time to end"
    never.set()
    for report in reports:
        assert (report.sent, report.lost, report.why) == (0, 2, "no answer before the end of the run")
        assert (
            report.warning() == f"{report.name}: 2 of 2 events were not delivered (no answer before the end of the run)"
        )


def refuses(times: int, calls: list[int], *, may_pass: bool = True) -> Callable[[int], None]:
    def deliver(item: int) -> None:
        calls.append(item)
        if len(calls) <= times:
            raise NotDelivered("it answers 503", may_pass=may_pass)

    return deliver


def test_a_failure_that_may_pass_is_retried() -> None:
    calls: list[int] = []
    outlet: Outlet[int] = Outlet("x", refuses(2, calls), retries=(0.01, 0.01))
    outlet.put(1)
    assert until(lambda: len(calls) == 3)
    assert (ended(outlet).sent, calls) == (1, [1, 1, 1])


def test_another_failure_is_not_retried() -> None:
    calls: list[int] = []
    outlet: Outlet[int] = Outlet("x", refuses(1, calls, may_pass=False), retries=(0.01, 0.01))
    outlet.put(1)
    outlet.put(2)
    report = ended(outlet)
    assert (report.sent, report.lost, report.why, calls) == (1, 1, "it answers 503", [1, 2])


def test_an_outlet_that_is_down_gets_one_attempt_for_each_item_until_it_is_back() -> None:
    calls: list[int] = []
    outlet: Outlet[int] = Outlet("x", refuses(4, calls), retries=(0.01, 0.01))
    for item in (1, 2, 3):
        outlet.put(item)
    assert until(lambda: len(calls) == 5)
    report = ended(outlet)
    assert (report.sent, report.lost, calls) == (1, 2, [1, 1, 1, 2, 3])


def test_no_pause_delays_the_end() -> None:
    calls: list[int] = []
    outlet: Outlet[int] = Outlet("x", refuses(9, calls), retries=(2 * PATIENCE,))
    outlet.put(1)
    outlet.put(2)
    assert until(lambda: calls == [1])
    began = time.monotonic()
    assert ended(outlet).lost == 2
    assert time.monotonic() - began < PATIENCE
    assert calls == [1, 2]


def test_the_text_of_an_unknown_error_is_not_shown() -> None:
    def deliver(item: int) -> None:
        raise ValueError("https://hooks.example.com/T0K3N")

    outlet: Outlet[int] = Outlet("x", deliver)
    outlet.put(1)
    assert ended(outlet).why == "ValueError"


def test_a_state_replaces_the_one_that_waits() -> None:
    free, got = threading.Event(), []

    def deliver(item: int) -> None:
        assert_set(free)
        got.append(item)

    outlet: Outlet[int] = Outlet("x", deliver, newest_only=True)
    outlet.put(0)
    time.sleep(0.05)
    for number in range(1, 50):
        outlet.put(number)
    free.set()
    report = ended(outlet)
    assert got[-1] == 49
    assert len(got) <= 2
    assert report.lost == 0


@pytest.mark.parametrize("lost", [1, 3])
def test_the_warning_counts(lost: int) -> None:
    report = OutletReport(name="notify https://h", sent=5, lost=lost, why="it answers 500")
    assert report.warning() == f"notify https://h: {lost} of {5 + lost} events were not delivered (it answers 500)"
    assert OutletReport(**report.record()) == report
