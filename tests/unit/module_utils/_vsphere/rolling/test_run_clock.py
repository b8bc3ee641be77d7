# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clock of a run goes on as the control node's does, whatever the clock of the server shows."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.rolling.run_clock import (
    STEP,
    Anchor,
    RunClock,
)
from tests.unit.searching import search

BEGIN = 1_770_000_000.0


@dataclass
class World:
    """``local``: the monotonic clock; the server's runs ``rate`` times as fast and was set by ``stepped``."""

    local: float = 500.0
    rate: float = 1.0
    stepped: float = 0.0
    slow: float = 0.0
    """Seconds that a reading takes; the server looks at its clock in the middle."""

    def read(self) -> float:
        self.local += self.slow / 2
        server = BEGIN + (self.local - 500.0) * self.rate + self.stepped
        self.local += self.slow / 2
        return server

    def clock(self, anchor: Anchor | None = None) -> RunClock:
        return RunClock(self.read, lambda: self.local, anchor)


def run_for(world: World, clock: RunClock, seconds: float) -> None:
    """As the loop does: read once a minute, and soon again in doubt."""
    end = world.local + seconds
    while world.local < end:
        world.local = min(end, world.local + (1.0 if clock.is_in_doubt else 60.0))
        clock.sync()


@pytest.mark.parametrize("step", [7200.0, -7200.0, 30.0, -30.0])
def test_a_step_is_reported_and_changes_no_duration(step: float) -> None:
    world = World()
    clock = world.clock()
    assert clock.now() == BEGIN
    run_for(world, clock, 300)
    world.stepped = step
    run_for(world, clock, 300)
    assert clock.now() == pytest.approx(BEGIN + 600)
    assert clock.ahead == pytest.approx(step)
    assert clock.take_steps() == [pytest.approx(step)]
    assert clock.take_steps() == []
    assert clock.rate == 1.0


@pytest.mark.parametrize("step", [7200.0, -7200.0])
@pytest.mark.parametrize("when", [0.3, 1.1])
def test_a_step_right_after_the_begin_is_no_fast_clock(step: float, when: float) -> None:
    world = World()
    clock = world.clock()
    clock.sync()
    world.local += when
    world.stepped = step
    clock.sync()
    run_for(world, clock, 120)
    assert clock.rate == 1.0
    assert clock.now() == pytest.approx(BEGIN + world.local - 500.0)


@pytest.mark.parametrize("rate", [2.0, 60.0, 600.0])
def test_the_time_of_a_simulator_is_followed(rate: float) -> None:
    world = World(rate=rate)
    clock = world.clock()
    clock.sync()
    world.local += 1.2
    clock.sync()
    run_for(world, clock, 130)
    assert clock.rate == pytest.approx(rate)
    assert clock.now() == pytest.approx(BEGIN + (world.local - 500.0) * rate, abs=rate)
    assert clock.take_steps() == []
    assert clock.anchor("here") is None


def test_slow_answers_and_drift_are_no_steps() -> None:
    world = World(slow=40.0, rate=1.0005)
    clock = world.clock()
    clock.sync()
    run_for(world, clock, 40_000)
    assert clock.take_steps() == []
    assert clock.now() == pytest.approx(BEGIN + world.local - 500.0, abs=25)


@given(st.lists(st.tuples(st.floats(0.1, 5000), st.sampled_from([0.0, 0.0, 7200.0, -7200.0, 100.0])), max_size=12))
@search()
def test_it_never_goes_back_and_never_jumps(moves: list[tuple[float, float]]) -> None:
    world = World()
    clock = world.clock()
    clock.sync()
    for seconds, step in moves:
        before, then = clock.now(), world.local
        world.stepped += step
        run_for(world, clock, seconds)
        assert clock.now() - before == pytest.approx(world.local - then, abs=0.01)
        run_for(world, clock, 70)
        assert clock.ahead == pytest.approx(world.stepped, abs=STEP)


def test_the_next_slice_goes_on_with_it() -> None:
    world = World()
    first = world.clock()
    first.sync()
    run_for(world, first, 600)
    anchor = first.anchor("ctl:1")
    assert anchor is not None
    passed = Anchor.of(anchor.record(), "ctl:1")
    assert passed == anchor
    world.local += 3
    world.stepped = 7200
    second = world.clock(passed)
    assert second.now() == pytest.approx(BEGIN + 603)
    run_for(world, second, 120)
    assert second.now() == pytest.approx(BEGIN + 723)
    assert second.take_steps() == [pytest.approx(7200)]


@pytest.mark.parametrize("record", [{}, {"run": 1.0}, {"run": "x", "local": 1, "ahead": 0, "machine": "ctl:1"}])
def test_an_anchor_that_is_none(record: dict[str, object]) -> None:
    assert Anchor.of(record, "ctl:1") is None
    other = {"run": 1.0, "local": 1.0, "ahead": 0.0, "machine": "ctl:2"}
    assert Anchor.of(other, "ctl:1") is None, "another machine, or its last boot: its monotonic clock is another one"


def test_a_time_of_the_journal_has_passed() -> None:
    world = World()
    clock = world.clock()
    clock.not_before(BEGIN - 50)
    assert (clock.now(), clock.take_steps()) == (BEGIN, [])
    clock.not_before(BEGIN + 7200)
    assert clock.now() == BEGIN + 7200
    assert clock.ahead == -7200
    assert clock.take_steps() == [-7200]
    run_for(world, clock, 120)
    assert clock.now() == pytest.approx(BEGIN + 7320)
    assert clock.take_steps() == []
