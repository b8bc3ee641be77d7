# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time that moves only while clients wait."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.core import waiting_clock
from simulator.core.process import Process
from simulator.core.waiting_clock import Client, WaitingClock
from tests.unit.patience import PATIENCE, until

LIMIT = 1.0
"""Seconds for which a client without a request holds the time."""
MARGIN = 0.001


class RealTime:
    """What the clock takes for real time. It stands still until a test moves it: so the outcome does not depend on the machine."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def _frequent_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting_clock, "LOOK", 0.005)
    monkeypatch.setattr(waiting_clock, "STILL", 1e9)  # real time is moved further at once


@pytest.fixture
def real() -> RealTime:
    return RealTime()


@pytest.fixture
def clock(real: RealTime) -> Iterator[WaitingClock]:
    made = WaitingClock(limit=LIMIT, real=real)
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
            assert over.wait(PATIENCE)
            self.seen.append(self.clock.seconds())
        self.clock.leave(self.client)


PAUSES = st.lists(st.sampled_from([0.0, 0.0, 0.005, 0.03]), min_size=1, max_size=4)
SLEEPS = st.lists(st.integers(1, 1000).map(float), min_size=1, max_size=5)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(SLEEPS, PAUSES), min_size=1, max_size=3))
def test_how_slow_clients_are_does_not_change_what_they_measure(clients: list[tuple[list[float], list[float]]]) -> None:
    """Whatever they wait for meanwhile, each ends its sleeps when they end, and never later because another one was slow."""
    clock = WaitingClock(limit=LIMIT, real=RealTime())
    sleepers = [Sleeper(clock, sleeps, pauses) for sleeps, pauses in clients]
    for sleeper in sleepers:
        sleeper.thread.start()
    for sleeper in sleepers:
        sleeper.thread.join(PATIENCE)
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
    assert time.monotonic() - began < PATIENCE


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
    thread.join(PATIENCE)


def test_a_delayed_call_takes_time_and_lets_others_go_on(clock: WaitingClock) -> None:
    seen: list[tuple[str, float]] = []

    def call(name: str, seconds: float) -> None:
        clock.asked()
        with clock.lock:
            clock.delay(seconds)
            seen.append((name, clock.seconds()))
        clock.answered()

    clients = [clock.join(), clock.join()]
    calls = (("slow", 60.0), ("quick", 10.0))
    slow, quick = (threading.Thread(target=call, args=arguments, daemon=True) for arguments in calls)
    for thread in (slow, quick):
        thread.start()
    for thread, client in ((quick, clients[1]), (slow, clients[0])):
        thread.join(PATIENCE)
        clock.leave(client)
    assert sorted(seen) == [("quick", 10.0), ("slow", 60.0)]


def test_time_stands_still_while_a_call_is_answered(clock: WaitingClock) -> None:
    over = threading.Event()
    clock.asked()
    clock.begin_sleep(clock.join(), 10.0, over.set)
    assert not over.wait(0.1)
    assert clock.seconds() == 0.0
    clock.answered()
    assert over.wait(PATIENCE)
    assert clock.seconds() == 10.0


class Asleep:
    """A sleep of a client."""

    def __init__(self, clock: WaitingClock, client: Client | None = None, seconds: float = 10.0) -> None:
        self.clock, self.client, self.over = clock, client or clock.join(), threading.Event()
        clock.begin_sleep(self.client, seconds, self.over.set)

    def ends(self) -> bool:
        """Whether it ends. While real time stands still, it does so only if nothing holds the time."""
        ended = self.over.wait(PATIENCE)
        self.clock.leave(self.client)
        return ended

    def is_held(self, monkeypatch: pytest.MonkeyPatch) -> bool:
        """Whether it goes on, although the clock has looked at all clients several times."""
        return looked(self.clock, monkeypatch) and not self.over.is_set()


def looked(clock: WaitingClock, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Wait until the clock has looked at its clients several times. False: it does not look."""
    looks: list[int] = []
    look = clock._holding
    with monkeypatch.context() as patch:
        patch.setattr(clock, "_holding", lambda: looks.append(1) or look())
        return until(lambda: len(looks) > 3)


def test_a_client_that_dies_while_it_waits_leaves_the_others_alone(clock: WaitingClock) -> None:
    dead, other = clock.join(), clock.join()
    clock.begin_sleep(dead, 5.0, lambda: None)
    clock.leave(dead)
    assert Asleep(clock, other).ends()
    assert clock.seconds() == 10.0


def test_a_client_that_dies_at_work_holds_nothing(clock: WaitingClock, monkeypatch: pytest.MonkeyPatch) -> None:
    dead = clock.join()
    sleep = Asleep(clock)
    assert sleep.is_held(monkeypatch)
    clock.leave(dead)
    assert sleep.ends()


def test_a_client_that_forgets_its_connection_holds_the_time_for_a_moment_only(
    clock: WaitingClock, real: RealTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgetful = clock.join()
    for seconds in (10.0, 30.0):
        sleep = Asleep(clock)
        assert sleep.is_held(monkeypatch)
        real.now += LIMIT - MARGIN
        assert sleep.is_held(monkeypatch)
        real.now += 2 * MARGIN
        assert sleep.ends()
        assert clock.seconds() == seconds
        assert Asleep(clock).ends(), "it is forgotten until it makes a request"
        clock.asked(forgetful.number)
        assert clock.seconds() == seconds + 10.0
        clock.answered()


def test_a_machine_that_stands_still_makes_no_client_idle(
    clock: WaitingClock, real: RealTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting_clock, "STILL", LIMIT / 2)
    clock.join()
    sleep = Asleep(clock)
    assert sleep.is_held(monkeypatch)
    real.now += 50 * LIMIT
    assert sleep.is_held(monkeypatch)
    for _unused in range(2):
        real.now += LIMIT / 2 - MARGIN
        assert sleep.is_held(monkeypatch)
    real.now += 3 * MARGIN
    assert sleep.ends()


def test_a_client_that_only_reads_the_time_holds_nothing(clock: WaitingClock) -> None:
    clock.join().watches = True
    assert Asleep(clock).ends()


def test_a_call_that_does_not_name_its_client_stands_for_one_of_them(
    clock: WaitingClock, real: RealTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One thread with a connection waits in a call: the time moves. With two of them, one is at work."""
    clock.join()

    def call() -> None:
        clock.asked()
        with clock.lock:
            clock.wait(lambda: False, 10)
        clock.answered()

    def calling() -> threading.Thread:
        thread = threading.Thread(target=call, daemon=True)
        thread.start()
        return thread

    calling().join(PATIENCE)
    assert clock.seconds() == 10.0
    clock.join()
    second = calling()
    assert until(lambda: len(clock._waits) == 1)
    assert looked(clock, monkeypatch)
    assert clock.seconds() == 10.0
    real.now += LIMIT + MARGIN
    second.join(PATIENCE)
    assert clock.seconds() == 20.0


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
    clock = WaitingClock(limit=LIMIT, real=RealTime())
    clock.join()
    sleep = Asleep(clock)
    clock.close()
    assert sleep.ends()
    with clock.lock:
        assert not clock.wait(lambda: False, 10)


@pytest.mark.parametrize("held", [True, False], ids=["a client is at work", "nothing is due"])
def test_a_clock_that_stands_still_costs_nothing(held: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting_clock, "LOOK", 0.05)
    clock = WaitingClock(limit=LIMIT, real=RealTime())
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

        def wait() -> None:
            with clock.lock:
                clock.wait(lambda: False, None)

        threading.Thread(target=wait, daemon=True).start()
    began = time.monotonic()
    time.sleep(0.3)
    assert rounds <= (time.monotonic() - began) / waiting_clock.LOOK + 5
    clock.close()


class Worker(Process):
    """A process that computes as long as a test says so."""

    def __init__(self) -> None:
        super().__init__(0)
        self.computes = True

    def is_busy(self) -> bool:
        return self.computes


def test_a_client_whose_process_computes_holds_the_time_for_longer(
    clock: WaitingClock, real: RealTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Worker()
    clock.join(worker)
    sleep = Asleep(clock)
    for _unused in range(3):
        real.now += 2 * LIMIT
        assert sleep.is_held(monkeypatch)
    worker.computes = False
    real.now += LIMIT + MARGIN
    assert sleep.ends()


def test_a_client_that_computes_without_end_holds_the_time_for_two_minutes(
    clock: WaitingClock, real: RealTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.join(Worker())
    sleep = Asleep(clock)
    real.now += waiting_clock.LONGEST_WORK - MARGIN
    assert sleep.is_held(monkeypatch)
    real.now += 2 * MARGIN
    assert sleep.ends()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell what a process does")
def test_a_process_is_busy_while_it_computes_and_not_while_it_waits() -> None:
    work = subprocess.Popen([sys.executable, "-c", "input()\nwhile True: pass"], stdin=subprocess.PIPE)
    process = Process(work.pid)
    quiet: list[bool] = []
    assert until(lambda: quiet.append(process.is_busy()) or quiet[-5:] == [False] * 5), "it waits for its input"
    assert work.stdin is not None
    work.stdin.write(b"\n")
    work.stdin.flush()
    assert until(process.is_busy)
    work.kill()
    work.communicate()


def test_a_process_that_is_gone_or_unknown_is_not_busy() -> None:
    assert not Process(0).is_busy()
    assert not Process(2**22 - 1).is_busy()
