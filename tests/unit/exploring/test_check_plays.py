# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode of a user's own play: each task predicts its run, although the tasks before it have changed nothing yet."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine import earlier_tasks
from simulator.lab.hardware.cards import LabError
from tests.unit.exploring.random_labs import commit_seed
from tests.unit.exploring.random_plays import Play, Task, play
from tests.unit.modules.harness import Lab

PLAYS, DAILY, BATCH = 200, 100, 20
COMPARED = ("changed", "changes", "reboot_required", "failed")


def run(lab: Lab, task: Task, folder: str, *, check: bool) -> dict[str, Any]:
    options = dict(task.options)
    if task.module == "host_rolling_reboot":
        options["journal_dir"] = folder
    asked = {**lab.credentials(), **options, "_ansible_check_mode": check, "_ansible_diff": True}
    return lab._main(task.module, asked)


def compared(result: dict[str, Any]) -> dict[str, Any]:
    return {name: result.get(name) for name in COMPARED if name in result}


def look_at(found: Play, lab: Lab, folder: str) -> None:
    """Check all tasks, then run them; a task that fails ends the play both times."""
    lab.sim.clock.sleep(60)
    predicted = []
    with mock.patch.object(earlier_tasks, "controller_folder", return_value=Path(folder)):
        for task in found.tasks:
            predicted.append(run(lab, task, folder, check=True))
            if predicted[-1].get("failed"):
                break
    assert lab.writes() == []
    for task, foreseen in zip(found.tasks, predicted, strict=False):
        made = run(lab, task, folder, check=False)
        assert compared(made) == compared(foreseen), f"{task.module}: {made.get('msg')} v {foreseen.get('msg')}"
        if made.get("failed"):
            return
    assert len(predicted) == len(found.tasks)


@pytest.mark.slow
@pytest.mark.parametrize(
    "first",
    [pytest.param(first, marks=() if first < DAILY else pytest.mark.long) for first in range(0, PLAYS, BATCH)],
)
def test_each_task_of_a_check_run_predicts_its_run(first: int) -> None:
    look_at_plays("1", range(first, first + BATCH))


@pytest.mark.long
@pytest.mark.parametrize("first", range(0, 10 * PLAYS, BATCH))
def test_so_do_plays_that_nobody_has_looked_at(first: int) -> None:
    look_at_plays(commit_seed(), range(first, first + BATCH))


def look_at_plays(seed: str, numbers: range) -> None:
    looked_at = 0
    for number in numbers:
        found = play(seed, number)
        try:
            lab = Lab.load(found.example.lab)
        except LabError as error:
            if "cannot be on" not in str(error):
                raise
            continue
        looked_at += 1
        with tempfile.TemporaryDirectory() as folder:
            try:
                look_at(found, lab, folder)
            except Exception as error:
                error.add_note(found.told)
                raise
    assert looked_at > len(numbers) // 2
