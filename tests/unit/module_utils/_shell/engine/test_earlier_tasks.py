# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file in which the tasks of a check run keep what they would change."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import DirectPathError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.planning.plan import Blocker, Plan, TargetPlan
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.planning.predicted import (
    NOTHING_PREDICTED,
    Predicted,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine import earlier_tasks
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.earlier_tasks import (
    EarlierTasks,
    Process,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.endpoint import Endpoint

HERE = Endpoint(hostname="vc.lab", username="root", password="a")
ONE, TWO = Predicted(rebooted=frozenset({"host-1"})), Predicted(rebooted=frozenset({"host-2"}))
NOT_ACTIVE = Plan(
    targets=(TargetPlan(target="train-01", moid="vm-1", blockers=(Blocker(code="not_active", message="No"),)),)
)


@dataclass(frozen=True)
class Request:
    """What a task asks for."""

    hosts: frozenset[str]
    bmc: str


def task(folder: Path | None, name: str, place: Endpoint = HERE, password: str = "a") -> EarlierTasks:
    return EarlierTasks(folder, place, Request(hosts=frozenset({name, "esx-09"}), bmc=password))


def test_a_task_sees_what_others_added_in_their_order(tmp_path: Path) -> None:
    assert task(tmp_path, "esx-01").read() == NOTHING_PREDICTED
    task(tmp_path, "esx-01").add(ONE)
    task(tmp_path, "esx-02").add(TWO)
    assert task(tmp_path, "esx-03").read() == ONE.then(TWO)
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_task_does_not_see_its_own_question(tmp_path: Path) -> None:
    task(tmp_path, "esx-01").add(ONE)
    assert task(tmp_path, "esx-01", password="b").read() == NOTHING_PREDICTED
    task(tmp_path, "esx-01").add(NOTHING_PREDICTED)
    assert task(tmp_path, "esx-02").read() == NOTHING_PREDICTED


@pytest.mark.parametrize(
    "place",
    [replace(HERE, hostname="vc2.lab"), replace(HERE, username="other"), replace(HERE, port=8443)],
)
def test_another_server_or_account_has_its_own(tmp_path: Path, place: Endpoint) -> None:
    task(tmp_path, "esx-01").add(ONE)
    assert task(tmp_path, "esx-02", place).read() == NOTHING_PREDICTED


def test_no_password_is_written(tmp_path: Path) -> None:
    task(tmp_path, "esx-01", password="hunter2").add(ONE)
    assert all(b"hunter2" not in file.read_bytes() for file in tmp_path.iterdir())


def test_without_a_folder_nothing_is_known_and_a_warning_names_the_way_out() -> None:
    nowhere = task(None, "esx-01")
    nowhere.add(ONE)
    assert task(None, "esx-02").read() == NOTHING_PREDICTED
    assert "assume_enabled" in " ".join(nowhere.why_unknown(NOT_ACTIVE))
    assert nowhere.why_unknown(Plan()) == ()


def test_a_task_of_a_role_that_only_asks_adds_nothing_and_needs_no_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task(tmp_path, "esx-01").add(ONE)
    monkeypatch.setenv(earlier_tasks.ONLY_ASKS, "1")
    task(tmp_path, "esx-02").add(TWO)
    assert task(tmp_path, "esx-03").read() == ONE
    assert task(None, "esx-01").why_unknown(NOT_ACTIVE) == ()


def test_with_a_folder_there_is_no_warning(tmp_path: Path) -> None:
    assert task(tmp_path, "esx-01").why_unknown(NOT_ACTIVE) == ()


@pytest.mark.parametrize("content", ["", "{}", "[[1, {}]]", '[["x", {"format": 2}]]', "[1]"])
def test_a_file_that_is_not_ours_is_an_error_that_says_where(tmp_path: Path, content: str) -> None:
    task(tmp_path, "esx-01").add(ONE)
    (file,) = tmp_path.glob("*.json")
    file.write_text(content, encoding="utf-8")
    with pytest.raises(DirectPathError) as problem:
        task(tmp_path, "esx-02").read()
    assert (problem.value.code, str(tmp_path) in problem.value.message) == ("no_prediction", True)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    task(tmp_path, "esx-01").add(ONE)
    (file,) = tmp_path.glob("*.json")
    file.rename(tmp_path / "moved")
    file.symlink_to(tmp_path / "moved")
    with pytest.raises(DirectPathError):
        task(tmp_path, "esx-02").read()


SCRIPT = """
import os, subprocess, sys, tempfile
made = tempfile.mkdtemp(prefix=f"ansible-local-{os.getpid()}", dir=sys.argv[1])
if sys.argv[2] == "shared":
    os.chmod(made, 0o755)
print(made, flush=True)
subprocess.run([sys.executable, "-c", sys.argv[3]], check=True)
"""
MODULE = f"""
import os
kept = dict(os.environ)
import conftest  # removes variables of Ansible
os.environ.update(kept)
from {earlier_tasks.__name__} import controller_folder
print(controller_folder())
"""


@pytest.mark.parametrize(
    ("words", "kind", "found"),
    [
        (["--check"], "own", True),
        (["-DC"], "own", True),
        (["--diff"], "own", False),
        (["-e", "Check=1"], "own", False),
        (["--check"], "shared", False),
    ],
)
def test_the_folder_is_that_of_the_check_run_above(tmp_path: Path, words: list[str], kind: str, found: bool) -> None:
    environ = {**os.environ, "ANSIBLE_LOCAL_TEMP": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", SCRIPT, str(tmp_path), kind, MODULE, *words]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    made, seen = done.stdout.split()
    assert str(Path(seen).parent) == (made if found else ".")


def test_the_folder_of_a_process_that_was_killed_is_not_used(tmp_path: Path) -> None:
    def folder_of(pid: int, started: str, base: Path = tmp_path) -> Path | None:
        found = earlier_tasks._folder_of(Process(pid=pid, started=started), base)
        return None if found is None else found.parent

    old, other = tmp_path / "ansible-local-12abcdefgh", tmp_path / "ansible-local-1234abcdefgh"
    for folder in (old, other):
        folder.mkdir(mode=0o700)
    assert folder_of(12, "100") == old
    time.sleep(0.05)  # times of files are only as exact as the ticks of the system
    new = tmp_path / "ansible-local-12ijklmnop"
    new.mkdir(mode=0o700)
    assert folder_of(12, "200") == new
    (tmp_path / "ansible-local-12qrstuvwx").mkdir(mode=0o700)
    assert folder_of(12, "200") == new  # a second folder of the same process changes nothing
    assert folder_of(34, "1") is None
    assert folder_of(12, "1", tmp_path / "nowhere") is None
