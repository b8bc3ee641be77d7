# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new module passes every check but one: its scenario fails until the module is written."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.layers.rules import violations
from tools.envs import ROOT
from tools.generate import action_group_problems
from tools.new_module import NameRefused, new_module, texts, with_module

NAMES = ("host_power_policy", "vm_boot_order")
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "recorded", "benchmarks")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this checkout, at the place of an installed collection, with two new modules."""
    root = tmp_path_factory.mktemp("tree") / "ansible_collections" / "directpath" / "vsphere"
    shutil.copytree(ROOT, root, ignore=LEFT_OUT)
    for name in NAMES:
        new_module(name, root)
    return root


def run(root: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *command], cwd=root, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "name",
    ["power_policy", "host_", "Host_power_policy", "host-power_policy", "host_power_policy.py", "../host_x", "drift_x"],
)
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(NameRefused, match="is no name of a module"):
        texts(name)


def test_a_module_that_exists_is_kept(tmp_path: Path) -> None:
    (tmp_path / "galaxy.yml").write_text("version: 1.2.3\n", encoding="utf-8")
    mine = tmp_path / "plugins" / "modules" / "host_power_policy.py"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine\n", encoding="utf-8")
    with pytest.raises(NameRefused, match=re.escape("plugins/modules/host_power_policy.py exists")):
        new_module("host_power_policy", tmp_path)
    assert mine.read_text(encoding="utf-8") == "mine\n"
    assert not (tmp_path / "changelogs").exists()


def test_the_action_group_stays_in_order() -> None:
    before = (ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8")
    after = with_module(before, "host_power_policy")
    assert with_module(after, "host_power_policy") == after
    group = yaml.safe_load(after)["action_groups"]["all"]
    assert group == sorted([*yaml.safe_load(before)["action_groups"]["all"], "host_power_policy"])


@pytest.mark.parametrize("name", NAMES)
def test_few_files_are_written(name: str) -> None:
    assert len(texts(name)) == 10
    assert all("$" not in text for text in texts(name).values())


def test_it_keeps_the_layers_and_is_in_every_list(checkout: Path) -> None:
    for name in NAMES:
        for path in texts(name):
            source = (checkout / path).read_text(encoding="utf-8")
            assert path.suffix != ".py" or violations(path.as_posix(), source) == []
        readme = (checkout / "README.md").read_text(encoding="utf-8")
        assert f"| module [`{name}`](docs/reference/{name}.md) |" in readme
    assert action_group_problems(checkout) == []


def test_it_is_formatted_and_linted(checkout: Path) -> None:
    paths = [str(path) for name in NAMES for path in texts(name) if path.suffix == ".py"]
    for command in (("format", "--check"), ("check",)):
        done = run(checkout, "ruff", *command, *paths)
        assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_it_is_typed(checkout: Path) -> None:
    plugins = "ansible_collections.directpath.vsphere.plugins"
    modules = [option for name in NAMES for option in ("-m", f"{plugins}.modules.{name}")]
    done = run(checkout, "mypy", *modules)
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_all_but_the_scenario_passes(checkout: Path) -> None:
    of_all = (
        "tests/unit/modules/every_module/test_contract.py",
        "tests/unit/modules/bad_input",
        "tests/docs/test_module_docs.py",
    )
    own = [str(path) for name in NAMES for path in texts(name) if path.name.startswith("test_")]
    chosen = "(power and policy) or boot or every_module_is_here or mirror"
    done = run(
        checkout, "pytest", "-q", "-p", "no:cacheprovider", "-k", chosen, *of_all, *own, "tests/layers/test_house.py"
    )
    failed = re.findall(r"^FAILED .*::(\w+)\[?([\w ]*)", done.stdout, re.MULTILINE)
    missing = "test_a_run_changes_and_a_second_one_does_not"
    assert sorted(failed) == [(missing, "boot order"), (missing, "power policy")], done.stdout + done.stderr
    assert int(re.findall(r"(\d+) passed", done.stdout)[0]) >= 12
