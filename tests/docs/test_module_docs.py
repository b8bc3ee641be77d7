# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module's documentation parses, and its examples use only what it documents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.plugin_docs import option_problems, task_problems
from tools.envs import ROOT
from tools.generate import action_group_problems, is_documentation_only
from tools.option_tables import documentation
from tools.reference_pages import merged

MODULES = sorted((ROOT / "plugins" / "modules").glob("[a-z]*.py"))
DOCUMENTED = {path.stem: path for path in MODULES}
CONNECTION = {"hostname", "username", "password", "port", "validate_certs", "proxy_host", "proxy_port"}


@pytest.fixture(scope="module")
def known() -> dict[str, dict[str, Any]]:
    return {path.stem: merged(path) for path in MODULES}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_documentation_is_complete(path: Path) -> None:
    docs = merged(path)
    assert docs["module"] == path.stem
    assert docs["short_description"]
    assert not docs["short_description"].endswith(".")
    assert docs["description"]
    assert is_documentation_only(path) or set(docs["options"]) >= CONNECTION
    assert yaml.safe_load(documentation(path, "RETURN"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_examples_use_only_documented_options(path: Path, known: dict[str, dict[str, Any]]) -> None:
    tasks = yaml.safe_load(documentation(path, "EXAMPLES"))
    assert isinstance(tasks, list)
    assert len(tasks) >= 2
    assert any(f"directpath.vsphere.{path.stem}" in task for task in tasks)
    problems = [problem for task in tasks for problem in task_problems(task, known)]
    assert problems == []


def test_action_group_holds_every_module() -> None:
    assert action_group_problems() == []


OPTIONS = {
    "state": {"choices": ["present", "absent"]},
    "vms": {"aliases": ["vm"], "suboptions": {"name": {}, "power": {"choices": ["keep", "off"]}}},
}


@pytest.mark.parametrize(
    ("task", "problem"),
    [
        ({"directpath.vsphere.thing": {"state": "present"}}, "a task has no name"),
        ({"name": "x", "thing": {"state": "present"}}, "thing is neither"),
        ({"name": "x", "community.vmware.thing": {}}, "community.vmware.thing is neither"),
        ({"name": "x", "directpath.vsphere.thing": {"stat": "present"}}, "thing: no option stat"),
        ({"name": "x", "directpath.vsphere.thing": {"state": "gone"}}, "'gone' is none of present, absent"),
        ({"name": "x", "directpath.vsphere.thing": {"vms": [{"nam": "a"}]}}, "thing: no option vms.nam"),
        ({"name": "x", "directpath.vsphere.thing": {"vm": [{"power": "on"}]}}, "vm.power: 'on' is none of"),
    ],
)
def test_a_wrong_example_is_noticed(task: dict[str, Any], problem: str) -> None:
    found = list(task_problems(task, {"thing": {"options": OPTIONS}}))
    assert len(found) == 1
    assert problem in found[0]


def test_a_right_example_is_left_alone() -> None:
    task = {"name": "x", "register": "r", "directpath.vsphere.thing": {"vm": [{"name": "a", "power": "{{ p }}"}]}}
    assert list(task_problems(task, {"thing": {"options": OPTIONS}})) == []
    assert list(option_problems({"state": "absent"}, OPTIONS)) == []
