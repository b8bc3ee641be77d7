# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a playbook against twins: once undisturbed, several times with other boot durations, and once for each what-if.

PRIVATE to the collection.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...module_utils._domain.errors import DirectPathError
from ...module_utils._domain.rehearsal.outcome import ENDINGS, RunOutcome
from ...module_utils._domain.rehearsal.what_if import KILLED, WhatIf, chosen, refuse_unknown_targets
from ...module_utils._domain.text import counted, duration
from ...module_utils._vsphere.http.twins import TwinClock
from ...module_utils._vsphere.rehearsal.watch import TwinWatch
from ..kept_results import left_out
from .captures import CapturedFleet, read_fleet, restore_names
from .child import Invocation, command, environment, forced_variables, vault_pipes
from .options import RehearsalRequest, not_captured, plan_of
from .outcomes import Span, end_of, read_events, refused_in, vcenter_outcome
from .processes import ProcessEnd, run_logged
from .twin import ROOT, TwinPlan, TwinProcess, write_gate

TELL_EVERY = 30.0
"""Seconds between two lines about a run."""
LOOK_AT_TIME = 0.05
"""Seconds between two looks at the clock of a twin."""

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """One run. ``what_if``: what goes wrong; ``spread_seed``: of the boot durations, None for those of the capture."""

    name: str
    what_if: WhatIf | None = None
    spread_seed: int | None = None


@dataclass(kw_only=True, slots=True)
class Rehearsed:
    """All runs. ``what_ifs``: each with its run, None if it found nothing to choose. ``left_out``: what was not rehearsed."""

    fleets: Mapping[str, CapturedFleet]
    undisturbed: RunOutcome
    spread: list[RunOutcome] = field(default_factory=list)
    what_ifs: list[tuple[WhatIf, RunOutcome | None]] = field(default_factory=list)
    left_out: dict[tuple[str, str], int] = field(default_factory=dict)


class Driver:
    """``work``: a folder without access for others. ``collections``: paths of collections. ``say``: prints a line."""

    def __init__(
        self, request: RehearsalRequest, invocation: Invocation, work: Path, collections: Sequence[str], say: Say
    ) -> None:
        self._request, self._invocation, self._work, self._say = request, invocation, work, say
        # The twin and the playbooks must be of the same release: the one that runs now.
        own = [str(ROOT.parents[2])] if ROOT.parents[1].name == "ansible_collections" else []
        self._collections = list(dict.fromkeys([*own, *collections]))
        self._plans: list[TwinPlan] = []
        self._fleets: dict[str, CapturedFleet] = {}
        self._forced = work / "forced.json"
        self._left_out: dict[tuple[str, str], int] = {}
        self._number = 0

    def rehearse(self) -> Rehearsed:
        """Make all runs. Raises DirectPathError if one cannot be made."""
        self._read_captures()
        request = self._request
        hosts = [name for fleet in self._fleets.values() for name in fleet.hosts]
        vms = [name for fleet in self._fleets.values() for name in fleet.vms]
        refuse_unknown_targets(request.what_if, hosts, vms)
        self._forced.write_text(forced_variables(consent=request.consent is None), encoding="utf-8")
        total = 1 + (request.runs if request.runs > 1 else 0) + len(request.what_if)
        found = Rehearsed(
            fleets=self._fleets, left_out=self._left_out, undisturbed=self._run(Scenario(name="undisturbed"), total)
        )
        if found.undisturbed.problem:
            return found  # the others would have none, either
        if request.runs > 1:
            for number in range(1, request.runs + 1):
                scenario = Scenario(name=f"draw {number}", spread_seed=request.seed + number)
                found.spread.append(self._run(scenario, total))
        for number, what_if in enumerate(request.what_if):
            self._run_what_if(what_if, number, found, total)
        return found

    def _run_what_if(self, what_if: WhatIf, number: int, found: Rehearsed, total: int) -> None:
        base = found.undisturbed
        choice = chosen(
            what_if,
            number,
            seed=self._request.seed,
            hosts=base.rebooted,
            vms=tuple(base.seconds_off),
            seconds=base.seconds,
        )
        if choice is None:
            self._number += 1
            self._say(
                f"Run {self._number} of {total} ({what_if.short}): left out, because the undisturbed run has no such host, VM or time"
            )
            found.what_ifs.append((what_if, None))
            return
        found.what_ifs.append((choice, self._run(Scenario(name=choice.text(), what_if=choice), total)))

    def _read_captures(self) -> None:
        """Raises DirectPathError for a capture that cannot be used."""
        for number, entry in enumerate(self._request.vcenters):
            path = Path(str(entry["capture"])).expanduser()
            if not path.exists():
                raise not_captured(entry)
            if entry.get("key"):
                whole = self._work / f"capture-{number}.json"
                restore_names(path, Path(str(entry["key"])), whole)
                path = whole
            fleet = read_fleet(path)
            if fleet.anonymized:
                raise DirectPathError(
                    message=f"The capture {path} has aliases in the place of names, so the inventory does not match it",
                    code="bad_capture",
                    cure="Set rehearse_capture_key to its key, or capture with capture_anonymize: false",
                )
            plan = plan_of(entry, path.absolute(), fleet.kind)
            self._plans.append(plan)
            self._fleets[f"{plan.hostname}:{plan.port}"] = fleet

    # ---------------------------------------------------------------------------------------------------------- one run

    def _run(self, scenario: Scenario, total: int) -> RunOutcome:
        self._number += 1
        label = f"Run {self._number} of {total} ({scenario.name})"
        folder = self._work / f"run-{self._number:02d}"
        scratch = folder / "tmp"
        for each in (folder, scratch):
            each.mkdir(mode=0o700)
        self._say(f"{label}: the playbook {self._request.playbook} starts on {counted(len(self._plans), 'twin')}")
        began = time.monotonic()
        with ExitStack() as stack:
            twins = [
                stack.enter_context(TwinProcess(plan, self._work / f"t{self._number}-{number}", self._lab(scenario)))
                for number, plan in enumerate(self._plans)
            ]
            outcome = self._run_on(twins, scenario, folder, label)
        for key, count in left_out(folder).items():
            self._left_out[key] = max(count, self._left_out.get(key, 0))
        took = f"{duration(outcome.seconds)} in the twin, {duration(time.monotonic() - began)} here"
        self._say(
            f"{label}: the playbook {ENDINGS[outcome.verdict]}; {took}, {counted(len(outcome.rebooted), 'host')} rebooted"
        )
        return outcome

    def _lab(self, scenario: Scenario) -> dict[str, Any]:
        """The keys of the lab file for a scenario."""
        lab: dict[str, Any] = {}
        if scenario.what_if is not None and (record := scenario.what_if.record()):
            lab["what_if"] = [record]
        if scenario.spread_seed is not None:
            share = {} if self._request.spread is None else {"share": self._request.spread}
            lab["boot_spread"] = {"seed": scenario.spread_seed, **share}
        return lab

    def _run_on(self, twins: Sequence[TwinProcess], scenario: Scenario, folder: Path, label: str) -> RunOutcome:
        log, gate = folder / "log.txt", folder / "gate.json"
        write_gate(gate, folder, twins)
        watches = [TwinWatch(twin.clock) for twin in twins]
        starts = [watch.seconds() or 0.0 for watch in watches]
        kill = scenario.what_if if scenario.what_if is not None and scenario.what_if.kind == KILLED else None
        killed_at, pause = (kill.at, kill.seconds) if kill else (None, 0.0)
        ended = self._start(gate, folder, log, _Look(watches[0], starts[0], self._say, label, killed_at))
        if ended.killed and not ended.is_late:
            for twin in twins:
                TwinClock(str(twin.clock)).sleep(pause)
            self._say(f"{label}: killed after {duration(killed_at or 0)}, and started again")
            ended = self._start(gate, folder, log, _Look(watches[0], starts[0], self._say, label, None))
        ends = [watch.seconds() for watch in watches]
        for watch in watches:
            watch.close()
        gate.unlink()
        problem = f"it did not end within {duration(self._request.timeout)}" if ended.is_late else ""
        if any(not twin.is_running for twin in twins):
            problem = "the twin ended during the run"
        vcenters = []
        for plan, twin, start, end in zip(self._plans, twins, starts, ends, strict=True):
            name = f"{plan.hostname}:{plan.port}"
            fleet = self._fleets[name]
            span = Span(began=fleet.time + start, ended=fleet.time + (end or start))
            events = () if problem else read_events(twin)
            vcenters.append(vcenter_outcome(name, folder, hosts=fleet.hosts, events=events, span=span))
        has_failed = ended.status != 0
        refused = refused_in(folder, log, has_failed=has_failed)
        if has_failed and not refused and not problem:
            problem = f"ansible-playbook ended with status {ended.status}: {end_of(log)}"
        return RunOutcome(
            name=scenario.name, status=ended.status, vcenters=tuple(vcenters), refused=refused, problem=problem
        )

    def _start(self, gate: Path, folder: Path, log: Path, look: _Look) -> ProcessEnd:
        environ = environment(os.environ, gate=gate, scratch=folder / "tmp", collections=self._collections)
        with vault_pipes(self._invocation) as (secrets, descriptors):
            return run_logged(
                command(self._request.playbook, self._invocation, self._forced),
                environ={**environ, **secrets},
                descriptors=descriptors,
                log=log,
                timeout=self._request.timeout,
                should_end=look.should_end,
            )


class _Look:
    """Looks at a run: prints a line from time to time, and says when it is to be killed (``at``: seconds after the start)."""

    def __init__(self, watch: TwinWatch, start: float, say: Say, label: str, at: float | None) -> None:
        self._watch, self._start, self._say, self._label, self._at = watch, start, say, label, at
        self._due = self._told = time.monotonic()

    def should_end(self) -> bool:
        now = time.monotonic()
        if now < self._due:
            return False
        self._due = now + LOOK_AT_TIME
        passed = (self._watch.seconds() or self._start) - self._start
        if now - self._told >= TELL_EVERY:
            self._told = now
            self._say(f"{self._label}: {duration(passed)} in the twin so far")
        return self._at is not None and passed >= self._at
