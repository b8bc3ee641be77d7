# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many runs of a rehearsal as figures, and one run against another. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..plain import Record
from ..text import duration, several
from .outcome import ENDINGS, RunOutcome

MOST_NAMES = 6
NOTABLE = 30.0
"""Seconds. A smaller difference between two runs is not reported."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """Figures of a quantity over several runs."""

    best: float
    median: float
    worst: float
    runs: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of one value for each run. The median of an even number of runs is between the two in the middle."""
        ordered, middle = sorted(values) or [0.0], len(values) // 2
        median = ordered[middle] if len(values) % 2 or not values else (ordered[middle - 1] + ordered[middle]) / 2
        return cls(best=ordered[0], median=median, worst=ordered[-1], runs=len(values))

    def record(self) -> Record:
        """As data."""
        return {"best": round(self.best), "median": round(self.median), "worst": round(self.worst), "runs": self.runs}

    def text(self) -> str:
        """For people."""
        return f"median {duration(self.median)}, worst {duration(self.worst)}"


def comparable(runs: Sequence[RunOutcome], undisturbed: RunOutcome) -> tuple[RunOutcome, ...]:
    """The runs that did as much as the undisturbed one. Others may have ended early."""
    done = undisturbed.unfinished.keys()
    return tuple(run for run in runs if not run.problem and run.unfinished.keys() == done)


def spread_of_duration(runs: Sequence[RunOutcome], undisturbed: RunOutcome) -> Spread:
    """How long the runs took that are comparable; if none is, all."""
    return Spread.of([run.seconds for run in comparable(runs, undisturbed) or runs])


def spread_of_times_off(runs: Sequence[RunOutcome]) -> dict[str, Spread]:
    """VM → how long it was off in total. A run in which it was not off counts as 0."""
    names = sorted({vm for run in runs for vm in run.seconds_off})
    return {name: Spread.of([run.seconds_off.get(name, 0.0) for run in runs]) for name in names}


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """One what-if against the undisturbed run. ``longer``: seconds, below 0 if it ended earlier. ``sentences``: what differs."""

    text: str
    run: RunOutcome
    longer: float
    sentences: tuple[str, ...]


def compare_runs(text: str, run: RunOutcome, undisturbed: RunOutcome) -> Comparison:
    """What differs in a run in which something went wrong. ``text``: what went wrong."""
    if run.problem:
        return Comparison(text=text, run=run, longer=0.0, sentences=(f"No result: {run.problem}",))
    longer = run.seconds - undisturbed.seconds
    return Comparison(
        text=text,
        run=run,
        longer=longer,
        sentences=tuple(_differences(run, undisturbed, longer)) or ("Nothing else differs from the undisturbed run",),
    )


def _differences(run: RunOutcome, undisturbed: RunOutcome, longer: float) -> list[str]:
    found = []
    if abs(longer) >= NOTABLE:
        found.append(f"It takes {duration(abs(longer))} {'longer' if longer > 0 else 'less'}")
    if run.verdict != undisturbed.verdict:
        found.append(f"The playbook {ENDINGS[run.verdict]}")
    if left := {name: phase for name, phase in run.unfinished.items() if name not in undisturbed.unfinished}:
        names = [f"{name} ({phase})" for name, phase in sorted(left.items())]
        found.append(f"Not done: {several(names, MOST_NAMES)}")
    if off := [name for name in run.still_off if name not in undisturbed.still_off]:
        found.append(f"Still off at the end: {several(off, MOST_NAMES)}")
    before = undisturbed.seconds_off
    more = {vm: off - before.get(vm, 0.0) for vm, off in run.seconds_off.items() if vm not in run.still_off}
    if late := {vm: by for vm, by in more.items() if by >= NOTABLE}:
        names = [f"{vm} ({duration(by)})" for vm, by in sorted(late.items(), key=lambda pair: -pair[1])]
        found.append(f"Off longer: {several(names, MOST_NAMES)}")
    spared = sorted(vm for vm in before if vm not in run.seconds_off)
    if spared:
        found.append(f"Not off: {several(spared, MOST_NAMES)}")
    return found
