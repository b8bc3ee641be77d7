# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage runner: what it runs, what it counts, and that nothing that fails can look like success."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools import ci
from tools.ci import FAILED, PASSED, SKIPPED, Outcome, counts, run_stages, selected, table
from tools.envs import ENVIRONMENTS, NoInterpreter
from tools.stages import STAGES, Stage


@pytest.fixture(autouse=True)
def _own_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "log").mkdir()
    monkeypatch.setattr(ci, "LOGS", tmp_path / "log")
    monkeypatch.setattr(ci, "ROOT", tmp_path)


def shell(name: str, script: str, *needs: str, timeout: int = 60) -> Stage:
    return Stage(name=name, group="g", about="", env=None, command=("sh", "-c", script), needs=needs, timeout=timeout)


def results(*stages: Stage) -> dict[str, str]:
    return {outcome.stage: outcome.result for outcome in run_stages(list(stages), 2)}


@pytest.mark.parametrize(
    ("text", "code", "expected"),
    [
        ("....\n12 passed in 0.50s\n", 0, (12, 0)),
        ("12 passed, 3 skipped in 0.50s\n", 0, (12, 0)),
        ("2 failed, 12 passed, 1 error in 0.50s\n", 1, (12, 3)),
        ("1 error in 0.50s\n", 2, (0, 1)),
        ("3 passed, 0 failed\n", 0, (3, 0)),
        ("3 passed, 0 failed\nsegmentation fault\n", 139, (3, 1)),
        ("Found 61 errors in 22 files\n", 1, (0, 1)),
        ("", 0, (1, 0)),
        ("", 1, (0, 1)),
        ("5 passed in 1s\n2 passed in 1s\n", 0, (2, 0)),
    ],
)
def test_counts(text: str, code: int, expected: tuple[int, int]) -> None:
    assert counts(text, code) == expected


def test_a_stage_of_which_every_test_was_skipped_says_why_and_is_no_success() -> None:
    reason = "SKIPPED [3] tests/browser/conftest.py:20: no Chromium could be had: there is no npm"
    (outcome,) = run_stages([shell("browser", f"echo '{reason}'; echo '3 skipped in 0.50s'")], 1)
    assert (outcome.result, outcome.note) == (SKIPPED, "no Chromium could be had: there is no npm")
    (outcome,) = run_stages([shell("browser", f"echo '{reason}'; echo '1 passed, 3 skipped in 0.50s'")], 1)
    assert (outcome.result, outcome.passed) == (PASSED, 1)
    (outcome,) = run_stages([shell("browser", f"echo '{reason}'; echo '3 skipped in 0.50s'; exit 2")], 1)
    assert outcome.result == FAILED


def test_exit_status_decides() -> None:
    assert results(shell("good", "exit 0"), shell("bad", "exit 3")) == {"good": PASSED, "bad": FAILED}


def test_a_stage_whose_need_failed_is_not_started_and_counts_as_failed(tmp_path: Path) -> None:
    trace = tmp_path / "ran"
    outcomes = run_stages([shell("first", "exit 1"), shell("second", f"touch {trace}", "first")], 2)
    assert [(o.result, o.failed) for o in outcomes] == [(FAILED, 1), (FAILED, 1)]
    assert not trace.exists()


def test_needs_are_waited_for(tmp_path: Path) -> None:
    trace = tmp_path / "ran"
    stages = [shell("first", f"sleep 0.3; touch {trace}"), shell("second", f"test -e {trace}", "first")]
    assert results(*stages) == {"first": PASSED, "second": PASSED}


def test_two_run_at_a_time(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    meet = "touch {0}; for i in 1 2 3 4 5 6 7 8 9; do test -e {1} && exit 0; sleep 0.2; done; exit 1"
    stages = [shell("a", meet.format(here, there)), shell("b", meet.format(there, here))]
    assert results(*stages) == {"a": PASSED, "b": PASSED}


def test_a_stage_that_does_not_end_is_stopped() -> None:
    assert results(shell("slow", "sleep 30", timeout=1)) == {"slow": FAILED}


def test_a_program_that_is_not_there_is_a_failure() -> None:
    missing = Stage(name="x", group="g", about="", env=None, command=("no-such-program-anywhere",))
    assert results(missing) == {"x": FAILED}


def test_stdin_is_closed() -> None:
    assert results(shell("reads", "read line && exit 1 || exit 0")) == {"reads": PASSED}


def test_no_interpreter_is_a_skip_and_its_reason_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_name: str) -> Path:
        raise NoInterpreter("needs Python 4.0")

    monkeypatch.setattr(ci, "ensure", nobody)
    stage = Stage(name="new", group="g", about="", env="newest", command=("true",))
    (outcome,) = run_stages([stage], 2)
    assert (outcome.result, outcome.note, outcome.failed) == (SKIPPED, "needs Python 4.0", 0)


def test_an_environment_that_cannot_be_made_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_name: str) -> Path:
        raise subprocess.CalledProcessError(1, "pip")

    monkeypatch.setattr(ci, "ensure", broken)
    assert results(Stage(name="x", group="g", about="", env="main", command=("true",))) == {"x": FAILED}


def test_the_last_line_sums_everything() -> None:
    outcomes = [
        Outcome(stage="a", result=PASSED, seconds=1.0, passed=40),
        Outcome(stage="b", result=FAILED, seconds=1.0, passed=1, failed=2),
    ]
    assert table(outcomes, 2.0).splitlines()[-1] == "41 passed, 2 failed"


def test_selecting_a_group_takes_its_needs_along() -> None:
    names = [stage.name for stage in selected(["lint"])]
    assert names[0] == "tree"
    assert {"mypy", "ruff-check", "ansible-lint"} <= set(names)
    assert "unit" not in names


def test_an_unknown_stage_is_refused() -> None:
    with pytest.raises(SystemExit, match="no such stage: nonsense"):
        selected(["nonsense"])


def test_stages_are_well_formed() -> None:
    seen: set[str] = set()
    for stage in STAGES:
        assert stage.name not in seen
        assert set(stage.needs) <= seen, f"{stage.name} stands before what it needs"
        assert stage.env is None or stage.env in ENVIRONMENTS
        assert bool(stage.module) != bool(stage.command), stage.name
        assert stage.about
        seen.add(stage.name)


def test_exit_status_of_the_program() -> None:
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "tools.ci", "nonsense"], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0


def test_sanity_has_nothing_to_ignore() -> None:
    root = Path(__file__).resolve().parents[2]
    assert list((root / "tests" / "sanity").glob("ignore*")) == []
