# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time that moves only while clients wait."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.core import waiting_clock
from simulator.core.process import Process
from simulator.core.waiting_clock import Client, WaitingClock

FAST = 20.0
"""Real seconds in which a test that does not hang is over on any machine."""
LIMIT = 1.0
"""Real seconds for which a client without a request holds the time: so long that a busy machine does not look like one."""
HELD, FREE = 0.9 * LIMIT, 0.7 * LIMIT
"""A sleep takes longer in real time if a client holds the time, and less if none does."""


@pytest.fixture
def clock() -> Iterator[WaitingClock]:
    made = WaitingClock(limit=LIMIT)
    yield made
    made.close()


class Sleeper:
    """A client that sleeps; its own time goes by in ``pauses``, in turn, real seconds before each sleep."""

    def __init__(self, clock: WaitingClock, sleeps: list[float], pauses: list[float]) -> None:
        self.clock, self.sleeps, self.pauses = clock, sleeps, pauses
        self.client = clock.join()
        self.seen: list[float] = []
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self) -> None:
        for seconds, pause in zip(self.sleeps, itertools.cycle(self.pauses), strict=False):
            time.sleep(pause)
            over = threading.Event()
            self.clock.begin_sleep(self.client, seconds, over.set)
            assert over.wait(FAST)
            self.seen.append(self.clock.seconds())
        self.clock.leave(self.client)


PAUSES = st.lists(st.sampled_from([0.0, 0.0, 0.005, 0.03]), min_size=1, max_size=4)
SLEEPS = st.lists(st.integers(1, 1000).map(float), min_size=1, max_size=5)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(SLEEPS, PAUSES), min_size=1, max_size=3))
def test_how_slow_clients_are_does_not_change_what_they_measure(clients: list[tuple[list[float], list[float]]]) -> None:
    """Whatever they wait for meanwhile, each ends its sleeps when they end, and never later because another one was slow."""
    clock = WaitingClock(limit=10.0)
    sleepers = [Sleeper(clock, sleeps, pauses) for sleeps, pauses in clients]
    for sleeper in sleepers:
        sleeper.thread.start()
    for sleeper in sleepers:
        sleeper.thread.join(FAST)
    clock.close()
    assert [sleeper.seen for sleeper in sleepers] == [list(itertools.accumulate(sleeps)) for sleeps, _pauses in clients]


def test_time_stands_still_without_a_wait(clock: WaitingClock) -> None:
    ran: list[float] = []
    clock.call_later(0.01, lambda: ran.append(clock.seconds()))
    time.sleep(0.1)
    assert (clock.seconds(), ran) == (0.0, [])


def test_a_wait_goes_straight_to_what_is_due_and_on_to_its_end(clock: WaitingClock) -> None:
    seen: list[float] = []
    clock.call_later(100, lambda: seen.append(clock.seconds()))
    clock.call_later(50, lambda: clock.call_later(10, lambda: seen.append(clock.seconds())))
    began = time.monotonic()
    clock.sleep(86400.0)
    assert (seen, clock.seconds()) == ([60.0, 100.0], 86400.0)
    assert time.monotonic() - began < FAST


def test_a_wait_ends_when_its_state_is_reached(clock: WaitingClock) -> None:
    state = {"done": False}
    clock.call_later(100, lambda: state.update(done=True))
    with clock.lock:
        assert clock.wait(lambda: state["done"], 300)
        assert clock.seconds() == 100
        assert not clock.wait(lambda: False, 30)
        assert clock.seconds() == 130
        assert clock.wait(lambda: True, 30)
        assert not clock.wait(lambda: False, 0)
        assert clock.seconds() == 130


def test_a_change_by_another_client_ends_a_wait_at_once(clock: WaitingClock) -> None:
    """The time stands still for the other one, which is at work."""
    state = {"done": False}
    other = clock.join()

    def change() -> None:
        time.sleep(0.05)
        clock.asked(other.number)
        with clock.lock:
            state["done"] = True
            clock.changed.notify_all()
        clock.answered()

    thread = threading.Thread(target=change)
    thread.start()
    waiter = clock.join()
    clock.asked(waiter.number)
    with clock.lock:
        assert clock.wait(lambda: state["done"], 1000)
        assert clock.seconds() == 0.0
    clock.answered()
    thread.join(FAST)


def test_a_delayed_call_takes_time_and_lets_others_go_on(clock: WaitingClock) -> None:
    seen: list[tuple[str, float]] = []

    def call(name: str, seconds: float) -> None:
        clock.asked()
        with clock.lock:
            clock.delay(seconds)
            seen.append((name, clock.seconds()))
        clock.answered()

    clients = [clock.join(), clock.join()]
    threads = [threading.Thread(target=call, args=args) for args in (("slow", 60.0), ("quick", 10.0))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(FAST)
    for client in clients:
        clock.leave(client)
    assert sorted(seen) == [("quick", 10.0), ("slow", 60.0)]


def test_time_stands_still_while_a_call_is_answered(clock: WaitingClock) -> None:
    over = threading.Event()
    clock.asked()
    clock.begin_sleep(clock.join(), 10.0, over.set)
    assert not over.wait(0.1)
    assert clock.seconds() == 0.0
    clock.answered()
    assert over.wait(FAST)
    assert clock.seconds() == 10.0


def asleep(clock: WaitingClock, client: Client | None = None, seconds: float = 10.0) -> Callable[[], float]:
    """Begin a sleep; what is returned waits for its end, and says how many real seconds it took."""
    over, began, sleeper = threading.Event(), time.monotonic(), client or clock.join()
    clock.begin_sleep(sleeper, seconds, over.set)

    def ended() -> float:
        assert over.wait(FAST)
        took = time.monotonic() - began
        clock.leave(sleeper)
        return took

    return ended


def test_a_client_that_dies_while_it_waits_leaves_the_others_alone(clock: WaitingClock) -> None:
    dead, other = clock.join(), clock.join()
    clock.begin_sleep(dead, 5.0, lambda: None)
    clock.leave(dead)
    asleep(clock, other)()
    assert clock.seconds() == 10.0


def test_a_client_that_dies_at_work_holds_nothing(clock: WaitingClock) -> None:
    dead = clock.join()
    ended = asleep(clock)
    clock.leave(dead)
    assert ended() < FREE


def test_a_client_that_forgets_its_connection_holds_the_time_for_a_moment_only(clock: WaitingClock) -> None:
    forgetful = clock.join()
    assert asleep(clock)() > HELD
    assert asleep(clock)() < FREE, "it is forgotten until it makes a request"
    clock.asked(forgetful.number)
    assert clock.seconds() == 20.0
    clock.answered()
    assert asleep(clock)() > HELD


def test_a_client_that_only_reads_the_time_holds_nothing(clock: WaitingClock) -> None:
    clock.join().watches = True
    assert asleep(clock)() < FREE


def test_a_call_that_does_not_name_its_client_stands_for_one_of_them(clock: WaitingClock) -> None:
    """One thread with a connection waits in a call: the time moves. With two of them, one is at work."""
    clock.join()

    def call() -> float:
        began = time.monotonic()
        clock.asked()
        with clock.lock:
            clock.wait(lambda: False, 10)
        clock.answered()
        return time.monotonic() - began

    assert call() < FREE
    clock.join()
    assert call() > HELD


def test_what_fails_in_a_wait_is_raised_by_the_call_that_waits(clock: WaitingClock) -> None:
    def ready() -> bool:
        if clock.seconds():
            raise LookupError("gone")
        return False

    clock.call_later(5, lambda: None)
    with clock.lock, pytest.raises(LookupError, match="gone"):
        clock.wait(ready, 10)


def test_what_is_due_and_fails_does_not_stop_the_time(clock: WaitingClock) -> None:
    clock.call_later(1, lambda: {}["no"])  # type: ignore[misc]
    clock.sleep(2)
    assert (clock.seconds(), [str(error) for error in clock.errors]) == (2.0, ["'no'"])


def test_closing_ends_every_wait() -> None:
    clock = WaitingClock(limit=LIMIT)
    clock.join()
    ended = asleep(clock)
    clock.close()
    assert ended() < FREE
    with clock.lock:
        assert not clock.wait(lambda: False, 10)


@pytest.mark.parametrize("held", [True, False], ids=["a client is at work", "nothing is due"])
def test_a_clock_that_stands_still_costs_nothing(held: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = WaitingClock(limit=10.0)
    rounds = 0
    look = WaitingClock._end_ready

    def counted(self: Any) -> None:
        nonlocal rounds
        rounds += 1
        look(self)

    monkeypatch.setattr(WaitingClock, "_end_ready", counted)
    if held:
        clock.join()
        clock.begin_sleep(clock.join(), 10.0, lambda: None)
    else:
        thread = threading.Thread(
            target=lambda: clock.lock.__enter__() and clock.wait(lambda: False, None), daemon=True
        )
        thread.start()
    time.sleep(0.5)
    assert rounds <= 0.5 / waiting_clock.LOOK + 5
    clock.close()


WORK = "import sys, time; end = time.monotonic() + 1.5\nsys.stdout.write('x'); sys.stdout.flush()\nwhile time.monotonic() < end: pass"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell what a process does")
def test_a_client_whose_process_computes_holds_the_time_for_longer(clock: WaitingClock) -> None:
    work = subprocess.Popen([sys.executable, "-c", f"{WORK}\ninput()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert work.stdout is not None
    work.stdout.read(1)
    clock.join(Process(work.pid))
    took = asleep(clock)()
    work.kill()
    work.communicate()
    assert 1.5 < took < FAST


def test_a_process_that_is_gone_or_unknown_is_not_busy() -> None:
    assert not Process(0).is_busy()
    assert not Process(2**22 - 1).is_busy()
