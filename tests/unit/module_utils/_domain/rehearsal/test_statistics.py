# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Median and worst of several runs, and what differs between two."""

from __future__ import annotations

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rehearsal.statistics import (
    Spread,
    comparable,
    compare_runs,
    spread_of_duration,
    spread_of_times_off,
)
from tests.unit.module_utils._domain.rehearsal.runs import off, run

SPREADS = {
    (): (0.0, 0.0, 0.0),
    (5.0,): (5.0, 5.0, 5.0),
    (9.0, 1.0): (1.0, 5.0, 9.0),
    (3.0, 9.0, 1.0): (1.0, 3.0, 9.0),
    (4.0, 2.0, 8.0, 6.0): (2.0, 5.0, 8.0),
}


@pytest.mark.parametrize("values", SPREADS)
def test_spread(values: tuple[float, ...]) -> None:
    found = Spread.of(values)
    assert (found.best, found.median, found.worst) == SPREADS[values]
    assert found.runs == len(values)


def test_a_vm_that_was_not_off_in_a_run_counts_as_0() -> None:
    runs = [run(times=(off("a", 0, 60),)), run(times=(off("a", 0, 120), off("b", 0, 30))), run()]
    found = spread_of_times_off(runs)
    assert found["a"] == Spread(best=0.0, median=60.0, worst=120.0, runs=3)
    assert found["b"] == Spread(best=0.0, median=0.0, worst=30.0, runs=3)


def test_only_runs_that_did_as_much_count() -> None:
    whole, short = run(1000), run(100, hosts={"esx-1": "failed"}, status=2)
    broken = run(10, problem="the twin ended")
    assert comparable([whole, short, broken], run()) == (whole,)
    assert spread_of_duration([whole, short, broken], run()).worst == 1000.0
    assert spread_of_duration([short], run()).worst == 100.0


BASE = run(1800, times=(off("train-01", 60, 360),))
COMPARISONS = {
    "equal": (BASE, ("Nothing else differs from the undisturbed run",)),
    "a little later": (
        run(1810, times=(off("train-01", 60, 365),)),
        ("Nothing else differs from the undisturbed run",),
    ),
    "later": (run(3600, times=(off("train-01", 60, 360),)), ("It takes 30 min longer",)),
    "earlier": (run(900, times=(off("train-01", 60, 360),)), ("It takes 15 min less",)),
    "a host fails": (
        run(1800, hosts={"esx-1": "failed"}, status=2, times=(off("train-01", 60, None),)),
        ("The playbook fails", "Not done: esx-1 (failed)", "Still off at the end: train-01"),
    ),
    "off longer": (run(1800, times=(off("train-01", 60, 960),)), ("Off longer: train-01 (10 min)",)),
    "another VM is off": (
        run(1800, times=(off("train-01", 60, 360), off("db", 60, 120))),
        ("Off longer: db (60 s)",),
    ),
    "not off": (run(1800), ("Not off: train-01",)),
    "no result": (run(0, problem="the twin ended"), ("No result: the twin ended",)),
}


@pytest.mark.parametrize("case", COMPARISONS)
def test_what_differs(case: str) -> None:
    other, sentences = COMPARISONS[case]
    assert compare_runs("x", other, BASE).sentences == sentences
