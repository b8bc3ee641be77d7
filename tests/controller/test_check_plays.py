# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`--check` of a user's own play, started as users start it: the modules find each other through the process of Ansible."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest

from simulator.lab.hardware.cards import LabError
from tests.controller.fleet import Fleet, Programs, fleet
from tests.unit.exploring.random_labs import commit_seed
from tests.unit.exploring.random_plays import Task, play
from tests.unit.exploring.test_check_plays import compared
from tests.unit.modules.harness import LABS, Lab

SEED, PLAYS = commit_seed(), 10
A100 = {"match": "10de:20f1"}
ATTACH = Task(
    module="vm_pci_device",
    options={"vms": [{"name": "train-01", "devices": [{**A100, "count": 2}], "mmio": {}, "power": "on"}]},
)
README = (Task(module="host_passthrough", options={"cluster": ["gpu-a"], "devices": [A100]}), ATTACH)


def results(made: Fleet, tasks: tuple[Task, ...], *more: str, **keywords: Any) -> list[dict[str, Any]]:
    """The result of each task up to the first that fails. Started without the processes that the other tests share."""
    named = [
        {f"directpath.vsphere.{task.module}": task.options, "register": f"result_{number}", **keywords}
        for number, task in enumerate(tasks)
    ]
    file = made.folder / "results.json"
    text = "{{ [" + ", ".join(f"result_{number} | default(none)" for number in range(len(tasks))) + "] | to_json }}"
    kept = {"ansible.builtin.copy": {"content": text, "dest": str(file), "mode": "0600"}, "check_mode": False}
    account = next(iter(made.sims["vc"].authz.users.values()))
    place = made.entry("vc") | {"username": account.name, "password": account.password}
    defaults = {f"directpath.vsphere.{module}": place for module in {task.module for task in tasks}}
    block = {"block": named, "always": [kept]}
    body = [{"hosts": "localhost", "gather_facts": False, "module_defaults": defaults, "tasks": [block]}]
    source = made.source(json.dumps(body), "play.yml")
    home = Path(tempfile.mkdtemp(dir=made.folder))
    plain = Fleet(folder=made.folder, programs=Programs.below(home), sims=made.sims)
    done = plain.run("ansible-playbook", str(source), *more)
    assert file.exists(), done.stdout + done.stderr
    found: list[dict[str, Any]] = [result for result in json.loads(file.read_text(encoding="utf-8")) if result]
    left = sorted((home / "home" / "tmp").rglob("directpath-*"))
    assert left == [], "Ansible removes the file at its end"
    return found


def test_the_example_of_the_readme_predicts_its_run(tmp_path: Path, programs: Programs) -> None:
    with fleet(tmp_path, programs, vc=str(LABS / "demo.yml")) as made:
        foreseen = results(made, README, "--check")
        assert made.sims["vc"].journal.writes() == []
        assert [result["changed"] for result in foreseen] == [True, True]
        assert [compared(result) for result in results(made, README)] == [compared(result) for result in foreseen]


@pytest.mark.long
def test_check_mode_of_single_tasks_in_a_run_knows_nothing_of_earlier_ones(tmp_path: Path, programs: Programs) -> None:
    with fleet(tmp_path, programs, vc=str(LABS / "demo.yml")) as made:
        _enabled, refused = results(made, README, check_mode=True)
        assert refused["failed"]
        assert "assume_enabled" in " ".join(refused["warnings"])


@pytest.mark.long
@pytest.mark.parametrize("number", range(PLAYS), ids=lambda number: f"{SEED}/{number}")
def test_a_random_play(tmp_path: Path, programs: Programs, number: int) -> None:
    found = play(SEED, number)
    try:
        Lab.load(found.example.lab)
    except LabError:
        pytest.skip("a lab that cannot be: a VM that is said to run could not have been started")
    with fleet(tmp_path, programs, vc=found.example.lab) as made:
        foreseen = results(made, found.tasks, "--check")
        made_so = results(made, found.tasks)
        assert [compared(result) for result in made_so] == [compared(result) for result in foreseen], found.told
