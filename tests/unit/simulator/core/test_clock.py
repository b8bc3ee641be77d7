# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import threading
import time

import pytest

from simulator.core.clock import START, ManualClock, ScaledClock
from tests.unit.patience import PATIENCE


def test_manual_time_moves_only_when_told_and_runs_what_is_due_in_order() -> None:
    clock = ManualClock()
    seen: list[tuple[str, float]] = []
    clock.call_later(20, lambda: seen.append(("b", clock.seconds())))
    clock.call_later(10, lambda: seen.append(("a", clock.seconds())))
    assert clock.now() == START
    clock.advance(15)
    assert seen == [("a", 10)]
    clock.advance(5)
    assert seen == [("a", 10), ("b", 20)]
    assert clock.seconds() == 20


def test_a_call_may_schedule_another_in_the_same_stretch() -> None:
    clock = ManualClock()
    seen: list[float] = []
    clock.call_later(1, lambda: clock.call_later(1, lambda: seen.append(clock.seconds())))
    clock.advance(10)
    assert seen == [2]


def test_a_cancelled_timer_never_runs() -> None:
    clock = ManualClock()
    seen: list[int] = []
    clock.call_later(1, lambda: seen.append(1)).cancel()
    clock.advance(5)
    assert seen == []
    assert clock.next_due() is None


def test_waiting_on_the_manual_clock_jumps_to_the_next_event() -> None:
    clock = ManualClock()
    state = {"done": False}
    clock.call_later(100, lambda: state.update(done=True))
    with clock.lock:
        assert clock.wait(lambda: state["done"], 300)
    assert clock.seconds() == 100


def test_waiting_on_the_manual_clock_gives_up_at_the_deadline() -> None:
    clock = ManualClock()
    clock.call_later(100, lambda: None)
    with clock.lock:
        assert not clock.wait(lambda: False, 30)
    assert clock.seconds() == 30


def test_waiting_for_ever_with_nothing_scheduled_is_an_error() -> None:
    clock = ManualClock()
    with clock.lock, pytest.raises(RuntimeError, match="nothing is scheduled"):
        clock.wait(lambda: False, None)


def test_scaled_time_runs_by_itself_and_faster() -> None:
    clock = ScaledClock(speed=1000)
    ran = threading.Event()
    clock.call_later(20, ran.set)
    assert ran.wait(PATIENCE)
    assert clock.seconds() >= 20
    clock.close()
    assert not any(thread.name == "simulator-clock" and thread is clock._thread for thread in threading.enumerate())


def test_scaled_time_can_be_moved_ahead() -> None:
    clock = ScaledClock(speed=1)
    ran = threading.Event()
    clock.call_later(3600, ran.set)
    clock.advance(3600)
    assert ran.wait(PATIENCE)
    clock.close()


def test_a_scaled_wait_ends_when_the_state_changes() -> None:
    clock = ScaledClock(speed=100)
    state = {"done": False}
    clock.call_later(5, lambda: state.update(done=True))
    begin = time.monotonic()
    with clock.lock:
        assert clock.wait(lambda: state["done"], 100 * PATIENCE)
    assert time.monotonic() - begin < PATIENCE
    clock.close()


@pytest.mark.parametrize(("speed", "seconds", "least"), [(100, 30, 0.3), (100_000, 30, 0.05)])
def test_a_scaled_wait_lasts_its_simulated_time_but_is_never_a_busy_loop(
    speed: float, seconds: float, least: float
) -> None:
    clock = ScaledClock(speed=speed)
    begin = time.monotonic()
    with clock.lock:
        assert not clock.wait(lambda: False, seconds)
    assert least * 0.9 <= time.monotonic() - begin < PATIENCE
    clock.close()


def test_a_scheduled_call_that_fails_does_not_stop_the_time() -> None:
    clock = ScaledClock(speed=1000)
    ran = threading.Event()

    def fail() -> None:
        raise RuntimeError("no")

    clock.call_later(1, fail)
    clock.call_later(2, ran.set)
    assert ran.wait(PATIENCE)
    assert [str(error) for error in clock.errors] == ["no"]
    clock.close()


def test_speed_must_be_positive() -> None:
    with pytest.raises(ValueError, match="speed"):
        ScaledClock(speed=0)
