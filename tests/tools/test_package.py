# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The look into the tarball, into a recap, and at a command."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.unit.patience import until
from tools.commands import StepError, changed, run
from tools.package import NEEDED, content_problems


def test_a_clean_tarball() -> None:
    assert content_problems([*NEEDED, "plugins/modules/x.py", "simulator/labs/demo.yml", "tests/config.yml"]) == []


@pytest.mark.parametrize(
    "name",
    [
        ".cache/venv/x",
        ".gitignore",
        "tests/unit/test_x.py",
        "tests/controller/test_x.py",
        "tests/kill/test_x.py",
        "tests/output/junit/x.xml",
        "tools/ci.py",
        "benchmarks/readers.py",
        "Makefile",
        "simulator/__pycache__/x.pyc",
        "old.tar.gz",
        "changelogs/.plugin-cache.yaml",
        "importer_result.json",
    ],
)
def test_what_must_not_be_in_it(name: str) -> None:
    assert content_problems([*NEEDED, name]) == [f"the tarball holds {name}"]


def test_what_must_be_in_it() -> None:
    assert content_problems(list(NEEDED[1:])) == [f"the tarball lacks {NEEDED[0]}"]


def test_the_recap_is_read() -> None:
    text = "changed=9\nPLAY RECAP ****\nvc-1   : ok=4    changed=2    unreachable=0    failed=0\n"
    text += "vc-2 : ok=4    changed=0    unreachable=0    failed=1    skipped=2\n"
    assert changed(text) == {"vc-1": 2, "vc-2": 0}


def test_no_recap_is_an_error() -> None:
    with pytest.raises(StepError):
        changed("ERROR! the playbook could not be found\nPLAY RECAP ***\n")


def test_a_command_without_end_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its time counts from its first line on, so that there is one on the slowest machine too."""
    communicate = subprocess.Popen.communicate

    def after_its_first_line(process: Any, *arguments: Any, **options: Any) -> Any:
        assert until((tmp_path / "begun").exists)
        return communicate(process, *arguments, **options)

    monkeypatch.setattr(subprocess.Popen, "communicate", after_its_first_line)
    done = run(["sh", "-c", "echo begun; touch begun; sleep 600"], tmp_path, os.environ, 1)
    assert done.code == 124
    assert "begun" in done.output
    assert "stopped after 1 seconds" in done.output
