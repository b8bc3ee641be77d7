# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make unit` starts no program of Ansible, and no settings of the user's take part in what it imports of Ansible."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible import constants

from tools.envs import ROOT

pytest_plugins = ["pytester"]
FORKS = """
import os

def test_forks():
    child = os.fork()
    if child == 0:
        os.execv("/usr/bin/ansible-playbook", ["ansible-playbook"])
    os.waitpid(child, 0)
"""


PLAYBOOK = ["/usr/bin/ansible-playbook", "x.yml"]


@pytest.mark.parametrize(
    "command",
    [
        ["ansible", "localhost", "-m", "ping"],
        PLAYBOOK,
        (sys.executable, "-m", "ansible.cli.inventory"),
        [sys.executable, "/venv/bin/ansible-vault"],
        ["bash", "-c", "ansible-inventory --list"],
        "ansible-console",
        b"ansible-doc",
    ],
    ids=["by name", "by path", "as a Python module", "as a Python program", "by a shell", "one word", "in bytes"],
)
def test_a_quick_test_cannot_start_ansible(command: object) -> None:
    with pytest.raises(AssertionError, match="belongs into tests/controller"):
        subprocess.run(command, check=False)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    "start",
    [
        lambda: subprocess.Popen("ansible-playbook x.yml", shell=True),
        lambda: subprocess.Popen(["playbook"], executable="/usr/bin/ansible-playbook"),
        lambda: os.posix_spawn(PLAYBOOK[0], PLAYBOOK, os.environ),
        lambda: os.posix_spawnp("ansible-playbook", PLAYBOOK, os.environ),
        lambda: os.system("ansible-playbook x.yml"),
        lambda: os.execv(PLAYBOOK[0], PLAYBOOK),
        lambda: os.execvpe("ansible-playbook", PLAYBOOK, {"PATH": "/usr/bin"}),
    ],
    ids=["Popen of a shell", "Popen of another name", "posix_spawn", "posix_spawnp", "system", "exec", "execvpe"],
)
def test_nor_by_any_other_way_of_python(start: Callable[[], object]) -> None:
    with pytest.raises(AssertionError, match="belongs into tests/controller"):
        start()


def _fork() -> tuple[int, int]:
    return os.fork(), -1


@pytest.mark.parametrize("fork", [_fork, pty.fork], ids=["fork", "pty.fork"])
@pytest.mark.parametrize("execute", [os.execv, os.execvp], ids=["execv", "execvp"])
def test_nor_in_a_fork(
    fork: Callable[[], tuple[int, int]],
    execute: Callable[[str, list[str]], object],
    started_in_a_fork: Callable[[], str],
) -> None:
    """The fork ends there, and the test fails for what was found; here that is taken before the test is judged."""
    child, terminal = fork()
    if child == 0:
        try:
            execute(PLAYBOOK[0], PLAYBOOK)
        finally:
            os._exit(0)
    _pid, status = os.waitpid(child, 0)
    if terminal >= 0:
        os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 70
    assert "ansible-playbook" in started_in_a_fork()
    assert started_in_a_fork() == ""


def test_a_test_whose_fork_tries_fails(pytester: pytest.Pytester) -> None:
    folder = pytester.mkpydir("tests").joinpath("tools")
    folder.mkdir()
    (folder / "test_fork.py").write_text(FORKS, encoding="utf-8")
    (pytester.path / "tools").mkdir()
    shutil.copy(ROOT / "conftest.py", pytester.path)
    for name in ("collection_path.py", "ansible.cfg"):
        shutil.copy(ROOT / "tools" / name, pytester.path / "tools")
    done = pytester.runpytest_subprocess("-p", "no:cacheprovider", str(folder))
    done.assert_outcomes(passed=1, errors=1)
    done.stdout.fnmatch_lines(["*AnsibleStarted*ansible-playbook*belongs into tests/controller*"])


def test_other_programs_start() -> None:
    done = subprocess.run([sys.executable, "-c", "print('ansible-playbook')"], capture_output=True, check=True)
    assert done.stdout == b"ansible-playbook\n"


def test_settings_are_those_of_the_checkout() -> None:
    assert {name for name in os.environ if name.startswith("ANSIBLE_")} <= {"ANSIBLE_CONFIG", "ANSIBLE_HOME"}
    assert Path(constants.CONFIG_FILE) == ROOT / "tools" / "ansible.cfg"
