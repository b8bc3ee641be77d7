# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make unit` starts no program of Ansible, and no settings of the user's take part in what it imports of Ansible."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible import constants

from tools.envs import ROOT


@pytest.mark.parametrize(
    "command",
    [
        ["ansible", "localhost", "-m", "ping"],
        ["/usr/bin/ansible-playbook", "x.yml"],
        (sys.executable, "-m", "ansible.cli.inventory"),
        [sys.executable, "/venv/bin/ansible-vault"],
        "ansible-inventory --list",
        b"ansible-doc",
    ],
    ids=["by name", "by path", "as a Python module", "as a Python program", "by a shell", "in bytes"],
)
def test_a_quick_test_cannot_start_ansible(command: object) -> None:
    with pytest.raises(AssertionError, match="belongs into tests/controller"):
        subprocess.run(command, check=False)  # type: ignore[call-overload]


def test_other_programs_start() -> None:
    done = subprocess.run([sys.executable, "-c", "print('ansible-playbook')"], capture_output=True, check=True)
    assert done.stdout == b"ansible-playbook\n"


def test_settings_are_those_of_the_checkout() -> None:
    assert {name for name in os.environ if name.startswith("ANSIBLE_")} <= {"ANSIBLE_CONFIG", "ANSIBLE_HOME"}
    assert Path(constants.CONFIG_FILE) == ROOT / "tools" / "ansible.cfg"
