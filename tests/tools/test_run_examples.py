# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the modules' EXAMPLES become plays, and that an example that does not hold is noticed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

from tools.envs import clean_environ
from tools.run_examples import SETTINGS, Example, examples, playbook, run_example, without_connection

pytestmark = pytest.mark.slow

LAB = "tests/docs/labs/plain.yml"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "plugins" / "modules"
    folder.mkdir(parents=True)
    text = (
        "- name: One\n  directpath.vsphere.thing: {hostname: vc, a: 1}\n- name: Two\n  directpath.vsphere.thing: {}\n"
    )
    (folder / "thing.py").write_text(f'EXAMPLES = """{text}"""\n', encoding="utf-8")
    return tmp_path


def test_settings_of_a_task_win_over_those_of_its_module(root: Path) -> None:
    settings = {
        "lab": "a.yml",
        "modules": {"thing": {"lab": "b.yml"}},
        "tasks": {"Two": {"lab": "c.yml", "vars": {"x": 1}, "again": "changed"}},
    }
    one, two = examples(settings, root)
    assert (one.module, one.lab, one.vars, one.changes_again) == ("thing", "b.yml", {}, False)
    assert (two.module, two.lab, two.vars, two.changes_again) == ("thing", "c.yml", {"x": 1}, True)


def test_a_setting_for_no_example_is_an_error(root: Path) -> None:
    with pytest.raises(ValueError, match="no module has an example Three"):
        examples({"lab": "a.yml", "tasks": {"Three": {}}}, root)


def test_the_settings_fit_the_modules() -> None:
    found = examples(yaml.safe_load(SETTINGS.read_text(encoding="utf-8")))
    assert len(found) > 10
    assert all((SETTINGS.parents[2] / example.lab).exists() for example in found)


def test_an_example_loses_its_connection_and_nothing_else() -> None:
    task = {
        "name": "x",
        "register": "r",
        "directpath.vsphere.host_passthrough": {"hostname": "vc", "password": "p", "cluster": "a", "port": 1},
        "ansible.builtin.debug": {"port": 1},
    }
    assert without_connection(task) == {
        "name": "x",
        "register": "r",
        "directpath.vsphere.host_passthrough": {"cluster": "a"},
        "ansible.builtin.debug": {"port": 1},
    }
    (play,) = playbook(Example(module="m", task=task, lab=LAB, vars={"colour": "green"}))
    assert play["vars"]["colour"] == "green"
    assert play["tasks"] == [task]


@pytest.mark.parametrize(
    ("task", "problem"),
    [
        ({"ansible.builtin.command": "true"}, "check mode said changed=0, the run changed=1"),
        ({"ansible.builtin.command": "true", "check_mode": False}, "a second run changed=1, expected none"),
        ({"ansible.builtin.fail": {}}, "--check: exit status 2"),
        ({"ansible.builtin.debug": {}}, None),
    ],
)
def test_what_does_not_hold_is_noticed(task: dict[str, object], problem: str | None) -> None:
    found = run_example(Example(module="m", task={"name": "x", **task}, lab=LAB), clean_environ(Path(sys.prefix)))
    assert (found is None) if problem is None else (problem in str(found))
