# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage runner: what it runs, what it counts, and that nothing that fails can look like success."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from tools import ci
from tools.ci import FAILED, PASSED, SKIPPED, Outcome, counts, run_stages, selected, shard, table
from tools.envs import ENVIRONMENTS, ROOT, NoInterpreter
from tools.stages import PURE, STAGES, Stage


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
    reason = "SKIPPED [3] tests/browser/conftest.py:20: no Chromium is available: there is no npm"
    (outcome,) = run_stages([shell("browser", f"echo '{reason}'; echo '3 skipped in 0.50s'")], 1)
    assert (outcome.result, outcome.note) == (SKIPPED, "no Chromium is available: there is no npm")
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
    meet = "touch {0}; for i in $(seq 600); do test -e {1} && exit 0; sleep 0.1; done; exit 1"
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
    (outcome,) = run_stages([replace(stage, env="main")], 2)
    assert (outcome.result, outcome.note, outcome.failed) == (FAILED, "needs Python 4.0", 1)


def test_an_environment_that_cannot_be_made_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_name: str) -> Path:
        raise subprocess.CalledProcessError(1, "pip")

    monkeypatch.setattr(ci, "ensure", broken)
    assert results(Stage(name="x", group="g", about="", env="main", command=("true",))) == {"x": FAILED}


def test_the_last_line_sums_everything() -> None:
    outcomes = [
        Outcome(stage="a", result=PASSED, seconds=1.0, cpu=3.5, passed=40),
        Outcome(stage="b", result=FAILED, seconds=1.0, passed=1, failed=2),
        Outcome(stage="c", result=SKIPPED, seconds=0.0, note="needs Python 4.0"),
    ]
    lines = table(outcomes, 2.0, 5.4).splitlines()
    assert lines[-1] == "41 passed, 2 failed"
    assert lines[-2] == "wall time 2 s, CPU time 5 s, skipped stages: 1 of 3"
    assert lines[2].split() == ["a", "passed", "40", "0", "1.0", "3.5"]


def test_cpu_time_of_a_stage_is_its_own_with_what_it_started() -> None:
    busy = f"{sys.executable} -c 'import time\nwhile time.process_time() < 0.4: pass'"
    stages = [shell("busy", f'sh -c "{busy}"'), shell("idle", "sleep 0.5")]
    cpu = {outcome.stage: outcome.cpu for outcome in run_stages(stages, 2)}
    assert cpu["busy"] >= 0.4
    assert cpu["idle"] < 0.2


class TestShards:
    @pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
    def test_every_stage_is_in_exactly_one_part_but_those_that_others_need(self, count: int) -> None:
        every = selected([])
        needed = {need for stage in every for need in stage.needs}
        parts = [shard(every, f"{number}/{count}") for number in range(1, count + 1)]
        names = sorted(stage.name for part in parts for stage in part if stage.name not in needed)
        assert names == sorted(stage.name for stage in every if stage.name not in needed)
        for part in parts:
            present = {stage.name for stage in part}
            assert all(need in present for stage in part for need in stage.needs)

    def test_parts_cost_about_the_same(self) -> None:
        costs = [sum(stage.cost for stage in shard(selected([]), f"{number}/4")) for number in range(1, 5)]
        assert max(costs) - min(costs) <= max(stage.cost for stage in STAGES)

    @pytest.mark.parametrize("text", ["0/4", "5/4", "1", "4", "a/b", "1/0", "1/4/2", ""])
    def test_another_form_is_refused(self, text: str) -> None:
        with pytest.raises(SystemExit, match="must be of the form 1/4"):
            shard(selected([]), text)


def test_make_test_runs_the_daily_stages_and_the_others_by_name() -> None:
    daily = {stage.name for stage in selected([])}
    assert daily == {stage.name for stage in STAGES if stage.daily}
    seldom = {stage.name for stage in STAGES} - daily
    assert seldom == {stage.name for stage in selected(["long", "next"])}


def test_selecting_a_group_takes_its_needs_along() -> None:
    names = [stage.name for stage in selected(["lint"])]
    assert names[0] == "tree"
    assert {"mypy", "ruff-check", "ansible-lint"} <= set(names)
    assert "unit-others" not in names


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


@pytest.mark.parametrize("group", ["unit", "slow"])
def test_each_test_is_in_one_part(group: str) -> None:
    """A folder that is an argument is not ignored, whatever else is said: then its tests would run twice."""
    parts = [Folders([word for word in stage.module if "tests/" in word]) for stage in STAGES if stage.group == group]
    assert len(parts) > 1
    root = Path(__file__).resolve().parents[2]
    quick = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]
    files = [path.relative_to(root) for folder in quick["testpaths"] for path in (root / folder).rglob("test_*.py")]
    assert [file.as_posix() for file in files if sum(file in part for part in parts) != 1] == []
    marks = {stage.module[stage.module.index("-m") + 1] for stage in STAGES if stage.group == group}
    assert len(marks) == 1


def test_pure_code_runs_with_the_lowest_and_the_newest_python() -> None:
    """Not with the oldest ansible-core, which it cannot depend on: that has the Python of `unit-others`."""
    others, newest, oldest = (
        {stage.name: stage for stage in STAGES}[f"unit-{name}"] for name in ("others", "newest", "oldest")
    )
    pythons = ENVIRONMENTS["oldest"].pythons
    assert ENVIRONMENTS[others.env or ""].pythons[: len(pythons)] == pythons
    files = [path.relative_to(ROOT) for folder in PURE for path in (ROOT / folder).rglob("test_*.py")]
    assert files
    for file in files:
        has = [
            file in Folders([word for word in stage.module if "tests/" in word]) for stage in (others, newest, oldest)
        ]
        assert has == [True, True, False], file


class Folders:
    """The files that pytest collects for its arguments."""

    def __init__(self, arguments: list[str]) -> None:
        self.named = [Path(word) for word in arguments if not word.startswith("--")]
        self.ignored = {Path(word.removeprefix("--ignore=")) for word in arguments if word.startswith("--ignore=")}

    def __contains__(self, file: Path) -> bool:
        return any(
            file.is_relative_to(folder)
            and not any(folder in ignored.parents and file.is_relative_to(ignored) for ignored in self.ignored)
            for folder in self.named
        )


def test_exit_status_of_the_program() -> None:
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "tools.ci", "nonsense"], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0


def test_sanity_has_nothing_to_ignore() -> None:
    root = Path(__file__).resolve().parents[2]
    assert list((root / "tests" / "sanity").glob("ignore*")) == []
