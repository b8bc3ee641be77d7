# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pipelines, hooks and forms name targets, folders and stages that exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.envs import ENVIRONMENTS, ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = {word for line in re.findall(r"^([a-z][a-z -]*):", MAKEFILE, flags=re.MULTILINE) for word in line.split()}
PIPELINES = (
    *sorted((ROOT / ".github" / "workflows").glob("*.yml")),
    ROOT / ".gitlab-ci.yml",
    ROOT / ".pre-commit-config.yaml",
)
FORMS = [path for path in sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")) if path.stem != "config"]


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", PIPELINES, ids=lambda path: path.name)
def test_every_target_exists(path: Path) -> None:
    used = set(
        re.findall(
            r"^\s*(?:- |run: |entry: |- run: )make (?:--no-print-directory )?([a-z-]+)", path.read_text("utf-8"), re.M
        )
    )
    assert used or path.name == "release.yml"
    assert used <= TARGETS


def test_the_machines_share_the_whole_test() -> None:
    matrix = loaded(PIPELINES[2])["jobs"]["test"]["strategy"]["matrix"]["shard"]
    assert PIPELINES[2].name == "test.yml"
    assert matrix == list(range(1, len(matrix) + 1))
    assert f"SHARD=${{{{ matrix.shard }}}}/{len(matrix)}" in PIPELINES[2].read_text(encoding="utf-8")


def test_the_machines_have_every_python() -> None:
    """Each environment of make test finds an interpreter among those that the workflow sets up."""
    steps = loaded(PIPELINES[2])["jobs"]["test"]["steps"]
    (text,) = [step["with"]["python-version"] for step in steps if "setup-python" in step.get("uses", "")]
    versions = {tuple(int(part) for part in version.split(".")) for version in text.split()}
    assert all(versions & set(environment.pythons) for environment in ENVIRONMENTS.values())


def test_no_workflow_may_write_unless_it_says_so() -> None:
    for path in PIPELINES[:3]:
        assert loaded(path)["permissions"] == {"contents": "read"}


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_a_form_has_what_it_needs(path: Path) -> None:
    form = loaded(path)
    assert {"name", "description", "body"} <= set(form)
    fields = [item for item in form["body"] if item["type"] != "markdown"]
    assert len({item["id"] for item in fields}) == len(fields)
    assert any(item.get("validations", {}).get("required") for item in fields)


def test_dependency_updates_look_where_requirements_are() -> None:
    for update in loaded(ROOT / ".github" / "dependabot.yml")["updates"]:
        assert (ROOT / update["directory"].strip("/")).is_dir()
