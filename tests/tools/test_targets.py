# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The integration targets are laid out so that ansible-test and our own runner can both run them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tools.envs import ROOT
from tools.run_targets import lab_of, playbook, targets

FOLDER = ROOT / "tests" / "integration" / "targets"
TARGETS = targets(ROOT)


def included(folder: Path) -> set[str]:
    """The other targets whose roles a target includes."""
    texts = [path.read_text(encoding="utf-8") for path in folder.rglob("*.yml")]
    names = {name for text in texts for name in re.findall(r"^\s*(?:- role|name): (setup_\w+)\s*$", text, re.MULTILINE)}
    return names - {folder.name}


def declared(folder: Path) -> set[str]:
    """The other targets that ansible-test is told to bring along."""
    aliases = re.findall(r"^needs/target/(\S+)$", (folder / "aliases").read_text(encoding="utf-8"), re.MULTILINE)
    meta = folder / "meta" / "main.yml"
    loaded = yaml.safe_load(meta.read_text(encoding="utf-8")) if meta.exists() else {}
    return {*aliases, *loaded.get("dependencies", [])}


@pytest.mark.parametrize("name", TARGETS)
def test_ansible_test_brings_along_what_a_target_includes(name: str) -> None:
    assert included(FOLDER / name) <= declared(FOLDER / name)


@pytest.mark.parametrize("name", TARGETS)
def test_its_lab_is_there(name: str) -> None:
    assert lab_of(ROOT, name).exists()


@pytest.mark.parametrize("name", TARGETS)
def test_it_has_a_simulator(name: str) -> None:
    assert "setup_simulator" in declared(FOLDER / name)


def test_the_play_is_the_one_ansible_test_makes() -> None:
    (play,) = playbook("role_verify", {"VMWARE_HOST": "localhost"})
    assert (play["hosts"], play["roles"]) == ("testhost", ["role_verify"])


def test_a_missing_declaration_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "main.yml").write_text("- include_role:\n    name: setup_other\n")
    (tmp_path / "aliases").write_text("")
    assert included(tmp_path) - declared(tmp_path) == {"setup_other"}
    (tmp_path / "aliases").write_text("needs/target/setup_other\n")
    assert included(tmp_path) <= declared(tmp_path)
