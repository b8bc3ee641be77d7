# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run stages (see tools/stages.py), two at a time, and end with a table of what passed and how long it took.

``python -m tools.ci`` runs everything, ``python -m tools.ci lint unit`` those groups or stages and what they need,
``--list`` names them. Standard library only. Every stage's full output is kept in .cache/log/<stage>.log.
"""

from __future__ import annotations

import argparse
import fcntl
import re
import subprocess
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from tools.envs import CACHE, HOME, ROOT, NoInterpreter, clean_environ, ensure
from tools.stages import STAGES, Stage

LOGS = CACHE / "log"
PASSED, FAILED, SKIPPED = "passed", "FAILED", "skipped"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How one stage ended. The counts are those of its tests, or one for a stage that counts none."""

    stage: str
    result: str
    seconds: float
    passed: int = 0
    failed: int = 0
    note: str = ""


def selected(names: list[str]) -> list[Stage]:
    """The named stages or groups (all when none is named) and everything they need, in the order of STAGES."""
    known = {stage.name for stage in STAGES} | {stage.group for stage in STAGES}
    unknown = sorted(set(names) - known)
    if unknown:
        raise SystemExit(f"no such stage: {', '.join(unknown)}. There are: {', '.join(sorted(known))}")
    wanted = {stage.name for stage in STAGES if not names or stage.name in names or stage.group in names}
    for stage in reversed(STAGES):  # a stage stands after what it needs
        if stage.name in wanted:
            wanted.update(stage.needs)
    return [stage for stage in STAGES if stage.name in wanted]


def run_stages(stages: list[Stage], slots: int) -> list[Outcome]:
    """Run each stage once all it needs have ended; one whose need failed or was skipped is not started."""
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
    """Make the stage's environment, run its command with no stdin, and read the counts from its output.

    Two runs of one stage in the same checkout would share a log and a tree, so the second waits.
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
        return Outcome(stage=stage.name, result=SKIPPED, seconds=0.0, note=str(reason))
    except subprocess.CalledProcessError as problem:
        log.write_text(f"the environment {stage.env} could not be made: {problem}\n", encoding="utf-8")
        return Outcome(stage=stage.name, result=FAILED, seconds=time.monotonic() - started, failed=1)
    python = venv / "bin" / "python" if venv else sys.executable
    command = [str(python), "-m", *stage.module] if stage.module else [str(word) for word in stage.command]
    environ = clean_environ(venv) | dict(stage.environ)
    with log.open("w", encoding="utf-8") as output:
        try:
            code = subprocess.run(
                command,
                cwd=ROOT / stage.folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=stage.timeout,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            output.write(f"\nstopped after {stage.timeout} seconds\n")
            code = 124
        except OSError as problem:
            output.write(f"\n{problem}\n")
            code = 127
    text = log.read_text(encoding="utf-8", errors="replace")
    seconds = time.monotonic() - started
    if code == 0 and (why := why_skipped(text)):
        return Outcome(stage=stage.name, result=SKIPPED, seconds=seconds, note=why)
    passed, failed = counts(text, code)
    return Outcome(stage=stage.name, result=FAILED if code else PASSED, seconds=seconds, passed=passed, failed=failed)


def counts(text: str, code: int) -> tuple[int, int]:
    """Tests passed and failed, from the last summary line ('3 passed, 1 failed'); one a stage where there is none.

    A stage that ends with an error counts at least one failure, whatever its summary says.
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
    """The reason pytest gives where it skipped every test there was, such as a tool that could not be had; else empty."""
    summary = re.search(r"^(?:=+ )?(\d+) skipped in ", text, flags=re.MULTILINE)
    reason = re.search(r"^SKIPPED \[\d+\] \S+: (.+)$", text, flags=re.MULTILINE)
    return reason[1] if summary and reason else ""


def _report(outcome: Outcome) -> None:
    print(f"  {outcome.result:8}{outcome.stage:22}{outcome.seconds:7.1f} s  {outcome.note}", flush=True)
    if outcome.result == FAILED and not outcome.note:
        log = LOGS / f"{outcome.stage}.log"
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        shown = lines[-120:]
        print(f"---- {outcome.stage}: last {len(shown)} of {len(lines)} lines of {log.relative_to(ROOT)}")
        print("\n".join(shown))
        print("----", flush=True)


def table(outcomes: list[Outcome], seconds: float) -> str:
    """The closing table; its last line is the sum over all stages."""
    lines = [f"\n{'stage':24}{'result':10}{'passed':>8}{'failed':>8}{'seconds':>10}"]
    for outcome in outcomes:
        row = f"{outcome.stage:24}{outcome.result:10}{outcome.passed:8}{outcome.failed:8}{outcome.seconds:10.1f}"
        lines.append(f"{row}  {outcome.note}".rstrip())
    lines.append(f"\nwall time {seconds:.0f} s")
    passed, failed = sum(o.passed for o in outcomes), sum(o.failed for o in outcomes)
    lines.append(f"{passed} passed, {failed} failed")
    return "\n".join(lines)


def main() -> int:
    """Exit status 0 when every stage that could run passed."""
    parser = argparse.ArgumentParser(prog="python -m tools.ci", description=__doc__)
    parser.add_argument("names", nargs="*", help="stages or groups; all when none is named")
    parser.add_argument("--list", action="store_true", help="name the stages and stop")
    parser.add_argument("-j", "--jobs", type=int, default=2, help="stages at a time (default 2)")
    options = parser.parse_args()
    stages = selected(options.names)
    if options.list:
        for stage in stages:
            print(f"{stage.group:12}{stage.name:22}{stage.about}")
        return 0
    started = time.monotonic()
    LOGS.mkdir(parents=True, exist_ok=True)
    HOME.mkdir(parents=True, exist_ok=True)
    outcomes = run_stages(stages, max(1, options.jobs))
    text = table(outcomes, time.monotonic() - started)
    (LOGS / "summary").write_text(text + "\n", encoding="utf-8")
    print(text, flush=True)
    return 1 if any(outcome.result == FAILED for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
