# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rehearsal found, as data and as lines for a terminal. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..plain import Record
from ..text import counted, duration, several
from .outcome import ENDINGS, Refused, RunOutcome, TimeOff, VcenterOutcome
from .statistics import Comparison, Spread, comparable, spread_of_duration, spread_of_times_off

SCHEMA, VERSION = "directpath.vsphere.rehearsal", 1
MOST_LINES = 20
CONSENT = "Give consent to the reboots: -e rolling_reboot_consent=true. The rehearsal assumed it"


@dataclass(frozen=True, kw_only=True, slots=True)
class CapturedServer:
    """``name``: ``name:port``. ``time``: of the capture, seconds since the epoch. ``with_history``: hosts with past reboots."""

    name: str
    time: float
    hosts: int
    vms: int
    with_history: int


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftOut:
    """What was not rehearsed. ``count``: how often in a run; 0 if that is not known."""

    kind: str
    about: str
    count: int

    def text(self) -> str:
        """For people."""
        return f"{self.kind}: {self.about}" + (f" ({self.count} times)" if self.count > 1 else "")


@dataclass(frozen=True, kw_only=True, slots=True)
class RehearsalSubject:
    """All that reports need. ``draws``: runs with drawn durations; ``without_target``: what-ifs that found nothing to choose, in short.
    ``consent``: what the user decided about reboots; None if nothing."""

    playbook: str
    seed: int
    consent: bool | None
    servers: tuple[CapturedServer, ...]
    undisturbed: RunOutcome
    draws: tuple[RunOutcome, ...] = ()
    what_ifs: tuple[Comparison, ...] = ()
    without_target: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    @property
    def counted_runs(self) -> tuple[RunOutcome, ...]:
        """The runs whose figures are shown."""
        return self.draws or (self.undisturbed,)

    @property
    def to_do(self) -> tuple[str, ...]:
        """What a person must do before the real run, each once."""
        needs_consent = self.consent is None and bool(self.undisturbed.rebooted or self.undisturbed.unfinished)
        found = [CONSENT] if needs_consent else []
        found += [
            f"{one.subject}: {one.cure}" if one.subject else one.cure for one in self.undisturbed.refused if one.cure
        ]
        if not any(one.cure for one in self.undisturbed.refused):
            for one in self.undisturbed.vcenters:
                found += one.hints
        return tuple(dict.fromkeys(found))

    @property
    def spread(self) -> Spread:
        """How long the runs take."""
        return spread_of_duration(self.counted_runs, self.undisturbed)

    @property
    def incomparable(self) -> int:
        """How many draws did not do as much as the undisturbed run."""
        return len(self.draws) - len(comparable(self.draws, self.undisturbed))


def rehearsal_record(subject: RehearsalSubject) -> Record:
    """The rehearsal as data (``rehearsal.json``)."""
    run = subject.undisturbed
    times = spread_of_times_off(subject.counted_runs)
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "playbook": subject.playbook,
        "seed": subject.seed,
        "status": run.verdict,
        "vcenters": [
            {
                "vcenter": one.name,
                "captured": one.time,
                "hosts": one.hosts,
                "vms": one.vms,
                "hosts_with_history": one.with_history,
            }
            for one in subject.servers
        ],
        "undisturbed": _run(run),
        "duration": subject.spread.record(),
        "vms_off": {name: spread.record() for name, spread in times.items()},
        "draws": [
            {"name": draw.name, "seconds": round(draw.seconds), "verdict": draw.verdict} for draw in subject.draws
        ],
        "what_if": [
            {
                "text": one.text,
                "longer": round(one.longer),
                "differences": list(one.sentences),
                **_run(one.run),
            }
            for one in subject.what_ifs
        ],
        "without_target": list(subject.without_target),
        "to_do": list(subject.to_do),
        "not_rehearsed": [one.text() for one in subject.left_out],
    }


def _run(run: RunOutcome) -> Record:
    return {
        "verdict": run.verdict,
        "problem": run.problem,
        "seconds": round(run.seconds),
        "rebooted": list(run.rebooted),
        "unfinished": dict(run.unfinished),
        "still_off": list(run.still_off),
        "refused": [_refusal(one) for one in run.refused],
        "vcenters": [_vcenter(one) for one in run.vcenters],
    }


def _refusal(one: Refused) -> Record:
    return {"vcenter": one.vcenter, "subject": one.subject, "text": one.text, "cure": one.cure}


def _vcenter(one: VcenterOutcome) -> Record:
    return {
        "vcenter": one.vcenter,
        "began": one.began,
        "ended": one.ended,
        "seconds": round(one.seconds),
        "planned_seconds": round(one.planned_seconds),
        "reboot_seconds": round(one.reboot_seconds),
        "planned": [plan.record() for plan in one.plans],
        "reboots_began": one.reboots_began,
        "hosts": [host.record() for host in one.hosts],
        "notes": list(one.notes),
        "vms_off": [_off(off) for off in one.off],
    }


def _off(off: TimeOff) -> Record:
    return {"vm": off.vm, "host": off.host, "from": off.start, "to": off.end, "seconds": round(off.seconds)}


def summary_lines(subject: RehearsalSubject) -> list[str]:
    """For a terminal."""
    return [*_summary(subject), *_compared(subject), *_listed("To do before the real run", subject.to_do),
            *_listed("Not rehearsed", [one.text() for one in subject.left_out])]  # fmt: skip


def _summary(subject: RehearsalSubject) -> Iterator[str]:
    run = subject.undisturbed
    if run.problem:
        yield f"The rehearsal has no result: {run.problem}"
        return
    planned = max((one.planned_seconds for one in run.vcenters), default=0.0)
    reboots = max((one.reboot_seconds for one in run.vcenters), default=0.0)
    plan = f"; reboots: planned {duration(planned)}, rehearsed {duration(reboots)}" if planned or reboots else ""
    yield f"The playbook {subject.playbook} {ENDINGS[run.verdict]}, and takes {duration(run.seconds)}{plan}"
    names = list(run.rebooted)
    yield f"{counted(len(names), 'host')} rebooted{f': {several(names, 6)}' if names else ''}"
    off = run.seconds_off
    longest = sorted(off.items(), key=lambda pair: -pair[1])
    yield f"{counted(len(off), 'VM')} off for some time" + (
        f": {several([f'{vm} ({duration(seconds)})' for vm, seconds in longest], 6)}" if longest else ""
    )
    if run.still_off:
        yield f"Still off at the end: {several(list(run.still_off), 6)}"
    for refusal in run.refused[:MOST_LINES]:
        yield f"Refused: {refusal.sentence()}"


def _compared(subject: RehearsalSubject) -> Iterator[str]:
    if subject.draws:
        yield f"{counted(len(subject.draws), 'run')} with drawn durations: {subject.spread.text()}"
        if subject.incomparable:
            yield f"{subject.incomparable} of them left other hosts undone, and do not count"
    for one in subject.what_ifs:
        yield f"What if {one.text}: {'. '.join(one.sentences)}"
    for kind in subject.without_target:
        yield f"What if {kind}: left out, because the undisturbed run has no such host, VM or time"


def _listed(title: str, texts: Sequence[str]) -> Iterator[str]:
    for text in texts[:MOST_LINES]:
        yield f"{title}: {text}"
    if len(texts) > MOST_LINES:
        yield f"{title}: {len(texts) - MOST_LINES} more, in the report"
