# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters find their code when they are called, and cost nothing before."""

from __future__ import annotations

import ast
import importlib
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.directpath.vsphere.plugins.plugin_utils.deferred import deferred, find
from tools.envs import ROOT

FOLDER = ROOT / "plugins" / "filter"
FILES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")


def module(name: str) -> Any:
    return importlib.import_module(f"ansible_collections.directpath.vsphere.plugins.filter.{name}")


def test_every_filter_is_documented_and_there() -> None:
    found = [name for file in FILES for name in module(file).FilterModule().filters()]
    assert sorted(found) == sorted(path.stem for path in FOLDER.glob("*.yml"))


@pytest.mark.parametrize("file", FILES)
def test_every_filter_finds_its_code(file: str) -> None:
    for place in getattr(module(file), "FILTERS", {}).values():
        assert callable(find(*place)), place


@pytest.mark.parametrize("file", FILES)
def test_a_task_that_uses_one_filter_does_not_import_the_code_of_all(file: str) -> None:
    tree = ast.parse((FOLDER / f"{file}.py").read_text(encoding="utf-8"))
    imported = {node.module for node in tree.body if isinstance(node, ast.ImportFrom) and node.level}
    assert imported <= {"plugin_utils.deferred"}


def test_an_error_in_the_input_is_an_error_of_the_filter() -> None:
    read = deferred("intent.load", "load_intent")
    with pytest.raises(AnsibleFilterError, match="There is no intent"):
        read({"vc": {}})


def test_any_other_error_is_itself() -> None:
    with pytest.raises(TypeError):
        deferred("intent.load", "load_intent")()
