# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run stages (see tools/stages.py), four at a time on two processors, and end with a table of what passed and what it cost.

``python -m tools.ci`` runs everything, ``python -m tools.ci lint unit`` only these groups or stages and the stages they
need, ``--shard 1/4`` the first of four parts of about equal cost. ``--list`` lists the stages. Uses the standard library
only. The full output of each stage is in .cache/log/<stage>.log.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import re
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tools.envs import CACHE, HOME, ROOT, NoInterpreter, clean_environ, ensure
from tools.stages import STAGES, Stage

LOGS = CACHE / "log"
NEEDED = "main"
"""The environment without which nothing is tested: a machine without an interpreter for it fails. Others are skipped, with the reason."""
PASSED, FAILED, SKIPPED = "passed", "FAILED", "skipped"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result of one stage. The counts are those of its tests, or one for a stage without tests.

    ``seconds``: wall time. ``cpu``: CPU seconds of its command and of all child processes that were waited for. A process
    that was killed together with its parent is not included.
    """

    stage: str
    result: str
    seconds: float
    cpu: float = 0.0
    passed: int = 0
    failed: int = 0
    note: str = ""


def selected(names: list[str]) -> list[Stage]:
    """The named stages and groups with the stages they need, in the order of STAGES; without names, those of `make test`."""
    known = {stage.name for stage in STAGES} | {stage.group for stage in STAGES}
    unknown = sorted(set(names) - known)
    if unknown:
        raise SystemExit(f"no such stage: {', '.join(unknown)}. There are: {', '.join(sorted(known))}")
    wanted = {
        stage.name for stage in STAGES if stage.name in names or stage.group in names or (not names and stage.daily)
    }
    return _with_needs(wanted)


def _with_needs(wanted: set[str]) -> list[Stage]:
    for stage in reversed(STAGES):  # a stage comes after the stages it needs
        if stage.name in wanted:
            wanted = wanted | set(stage.needs)
    return [stage for stage in STAGES if stage.name in wanted]


def shard(stages: Sequence[Stage], text: str) -> list[Stage]:
    """One part of the stages, with the stages they need: "2/4" is the second of four parts of about equal cost.

    Each stage is in exactly one part, except those that others need. Raises SystemExit for invalid text.
    """
    match = re.fullmatch(r"([1-9]\d*)/([1-9]\d*)", text)
    if not match or int(match[1]) > int(match[2]):
        raise SystemExit(f"SHARD is {text!r}, but must be of the form 1/4: part 1 of 4")
    parts: list[list[Stage]] = [[] for _part in range(int(match[2]))]
    needed = {need for stage in stages for need in stage.needs}
    for stage in sorted((stage for stage in stages if stage.name not in needed), key=lambda stage: -stage.cost):
        min(parts, key=lambda part: sum(member.cost for member in part)).append(stage)
    return _with_needs({stage.name for stage in parts[int(match[1]) - 1]})


def run_stages(stages: list[Stage], slots: int) -> list[Outcome]:
    """Run each stage after the stages it needs. If one of these failed or was skipped, the stage is not started."""
    outcomes: dict[str, Outcome] = {}
    waiting = list(stages)
    running: dict[Future[Outcome], Stage] = {}
    with ThreadPoolExecutor(max_workers=slots) as pool:
        while waiting or running:
            for stage in [stage for stage in waiting if all(need in outcomes for need in stage.needs)]:
                lost = [need for need in stage.needs if outcomes[need].result != PASSED]
                if lost:
                    waiting.remove(stage)
                    outcomes[stage.name] = _not_started(stage, outcomes[lost[0]])
                    _report(outcomes[stage.name])
                elif len(running) < slots:
                    waiting.remove(stage)
                    running[pool.submit(run_stage, stage)] = stage
            if running:
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    stage = running.pop(future)
                    outcomes[stage.name] = future.result()
                    _report(outcomes[stage.name])
    return [outcomes[stage.name] for stage in stages]


def _not_started(stage: Stage, cause: Outcome) -> Outcome:
    if cause.result == SKIPPED:
        return Outcome(stage=stage.name, result=SKIPPED, seconds=0.0, note=cause.note)
    return Outcome(stage=stage.name, result=FAILED, seconds=0.0, failed=1, note=f"not started: {cause.stage} failed")


def run_stage(stage: Stage) -> Outcome:
    """Create the environment of a stage, run its command without stdin, and read the counts from its output.

    Two runs of one stage in the same checkout would use the same log and tree, so the second one waits.
    """
    with (LOGS / f".{stage.name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        return _run_stage_alone(stage)


def _run_stage_alone(stage: Stage) -> Outcome:
    started = time.monotonic()
    log = LOGS / f"{stage.name}.log"
    try:
        venv = ensure(stage.env) if stage.env else None
    except NoInterpreter as reason:
        if stage.env == NEEDED:
            return Outcome(stage=stage.name, result=FAILED, seconds=0.0, failed=1, note=str(reason))
        return Outcome(stage=stage.name, result=SKIPPED, seconds=0.0, note=str(reason))
    except subprocess.CalledProcessError as problem:
        log.write_text(f"the environment {stage.env} could not be made: {problem}\n", encoding="utf-8")
        return Outcome(stage=stage.name, result=FAILED, seconds=time.monotonic() - started, failed=1)
    python = venv / "bin" / "python" if venv else sys.executable
    command = [str(python), "-m", *stage.module] if stage.module else [str(word) for word in stage.command]
    environ = clean_environ(venv) | dict(stage.environ)
    with log.open("w", encoding="utf-8") as output:
        code, cpu = _run_command(command, ROOT / stage.folder, environ, output, stage.timeout)
    text = log.read_text(encoding="utf-8", errors="replace")
    seconds = time.monotonic() - started
    if code == 0 and (why := why_skipped(text)):
        return Outcome(stage=stage.name, result=SKIPPED, seconds=seconds, cpu=cpu, note=why)
    passed, failed = counts(text, code)
    result = FAILED if code else PASSED
    return Outcome(stage=stage.name, result=result, seconds=seconds, cpu=cpu, passed=passed, failed=failed)


def _run_command(
    command: list[str], folder: Path, environ: Mapping[str, str], output: IO[str], timeout: int
) -> tuple[int, float]:
    """The exit status and the CPU seconds of a command. It is stopped after ``timeout`` seconds (status 124)."""
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    except OSError as problem:
        output.write(f"\n{problem}\n")
        return 127, 0.0
    late = threading.Event()

    def stop() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(timeout, stop)
    timer.start()
    try:
        _pid, status, usage = os.wait4(process.pid, 0)  # subprocess does not return the usage
    finally:
        timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    if late.is_set():
        output.write(f"\nstopped after {timeout} seconds\n")
        return 124, usage.ru_utime + usage.ru_stime
    return process.returncode, usage.ru_utime + usage.ru_stime


def counts(text: str, code: int) -> tuple[int, int]:
    """Numbers of passed and failed tests, from the last summary line ('3 passed, 1 failed'); without one, the stage counts one.

    A stage that ends with an error has at least one failure.
    """
    passed = failed = 0
    for line in reversed(text.splitlines()):
        if re.match(r"(=+ )?\d+ (passed|failed|error|skipped)", line):
            passed = sum(int(number) for number in re.findall(r"(\d+) passed", line))
            failed = sum(int(number) for number in re.findall(r"(\d+) (?:failed|error)", line))
            break
    if code == 0:
        return (passed or 1, failed)
    return (passed, failed or 1)


def why_skipped(text: str) -> str:
    """The reason of pytest if it skipped all tests, for example a missing tool; else empty."""
    summary = re.search(r"^(?:=+ )?(\d+) skipped in ", text, flags=re.MULTILINE)
    reason = re.search(r"^SKIPPED \[\d+\] \S+: (.+)$", text, flags=re.MULTILINE)
    return reason[1] if summary and reason else ""


def _report(outcome: Outcome) -> None:
    cost = f"{outcome.seconds:7.1f} s{outcome.cpu:8.1f} CPU s"
    print(f"  {outcome.result:8}{outcome.stage:22}{cost}  {outcome.note}", flush=True)
    if outcome.result == FAILED and not outcome.note:
        log = LOGS / f"{outcome.stage}.log"
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        shown = lines[-120:]
        print(f"---- {outcome.stage}: last {len(shown)} of {len(lines)} lines of {log.relative_to(ROOT)}")
        print("\n".join(shown))
        print("----", flush=True)


def table(outcomes: list[Outcome], seconds: float, cpu: float) -> str:
    """The table at the end. Its last line is the sum of all stages. ``cpu`` includes the creation of environments."""
    lines = [f"\n{'stage':24}{'result':10}{'passed':>8}{'failed':>8}{'wall s':>10}{'CPU s':>10}"]
    for outcome in outcomes:
        row = f"{outcome.stage:24}{outcome.result:10}{outcome.passed:8}{outcome.failed:8}"
        lines.append(f"{row}{outcome.seconds:10.1f}{outcome.cpu:10.1f}  {outcome.note}".rstrip())
    skipped = sum(outcome.result == SKIPPED for outcome in outcomes)
    lines.append(f"\nwall time {seconds:.0f} s, CPU time {cpu:.0f} s, skipped stages: {skipped} of {len(outcomes)}")
    passed, failed = sum(o.passed for o in outcomes), sum(o.failed for o in outcomes)
    lines.append(f"{passed} passed, {failed} failed")
    return "\n".join(lines)


def cpu_seconds() -> float:
    """CPU seconds of all child processes that were waited for, with their own children."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> int:
    """Exit status 0 when all stages that could run passed."""
    parser = argparse.ArgumentParser(prog="python -m tools.ci", description=__doc__)
    parser.add_argument("names", nargs="*", help="stages or groups; those of `make test` when none is named")
    parser.add_argument("--list", action="store_true", help="name the stages and stop")
    parser.add_argument("--shard", metavar="K/N", help="only part K of N, for N machines that share the work")
    # Every stage waits now and then, for a guest, or for a host that comes back. With one more than processors, a fifth of the
    # time of two processors was idle.
    usual = min(os.cpu_count() or 1, 3) + 2
    parser.add_argument("-j", "--jobs", type=int, default=usual, help=f"stages at a time (default here {usual})")
    options = parser.parse_args()
    stages = selected(options.names)
    if options.shard:
        stages = shard(stages, options.shard)
    if options.list:
        for stage in stages:
            print(f"{stage.group:12}{stage.name:22}{stage.about}")
        return 0
    started = time.monotonic()
    LOGS.mkdir(parents=True, exist_ok=True)
    HOME.mkdir(parents=True, exist_ok=True)
    outcomes = run_stages(stages, max(1, options.jobs))
    text = table(outcomes, time.monotonic() - started, cpu_seconds())
    (LOGS / "summary").write_text(text + "\n", encoding="utf-8")
    print(text, flush=True)
    return 1 if any(outcome.result == FAILED for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
