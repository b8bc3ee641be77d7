# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""meta/argument_specs.yml is the only source of a role's variables; defaults/main.yml must say the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.arguments import DEVICES, HOSTS
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling.arguments import ARGUMENTS
from tools.envs import ROOT
from tools.generate import argument_specs

ROLES = sorted(path.parent.parent for path in (ROOT / "roles").glob("*/tasks/main.yml"))


def disagreements(spec: dict[str, Any], defaults: dict[str, Any]) -> list[str]:
    """Where the defaults of the entry point `main` and defaults/main.yml differ.

    A variable without a default in the specification must have none in the file either, and the other way round; a
    default of null in the file says "unset", and is the same as none in the specification.
    """
    options = spec.get("options") or {}
    wanted = {name: option["default"] for name, option in options.items() if option.get("default") is not None}
    given = {name: value for name, value in defaults.items() if value is not None and not name.startswith("__")}
    problems = [f"{name} is not in defaults/main.yml" for name in sorted(wanted.keys() - given.keys())]
    problems += [f"{name} has no default in argument_specs.yml" for name in sorted(given.keys() - wanted.keys())]
    for name in sorted(wanted.keys() & given.keys()):
        if wanted[name] != given[name] or type(wanted[name]) is not type(given[name]):
            problems.append(f"{name}: {wanted[name]!r} in argument_specs.yml, {given[name]!r} in defaults/main.yml")
    required = sorted(name for name, option in options.items() if option.get("required") and name in defaults)
    return problems + [f"{name} is required and has a default" for name in required]


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_defaults_are_the_specification(role: Path) -> None:
    file = role / "defaults" / "main.yml"
    defaults = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else {}
    assert disagreements(argument_specs(role)["main"], defaults or {}) == []


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_variable_is_described_and_typed(role: Path) -> None:
    for entry, spec in argument_specs(role).items():
        assert spec.get("short_description"), entry
        for name, option in (spec.get("options") or {}).items():
            assert option.get("description"), name
            assert option.get("type"), name


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_role_has_a_readme(role: Path) -> None:
    assert "<!-- generated: variables -->" in (role / "README.md").read_text(encoding="utf-8")


def test_the_connection_is_written_once() -> None:
    """In the role that the others depend on. A role without that dependency would have no connection. Only known.yml connects to other
    vCenters, with the variables of their inventory hosts."""
    for role in ROLES:
        meta = yaml.safe_load((role / "meta" / "main.yml").read_text(encoding="utf-8"))
        assert meta["dependencies"] == ["directpath.vsphere.common"], role.name
    files = [
        path
        for path in sorted((ROOT / "roles").rglob("*.yml"))
        if "vcenter_password" in path.read_text(encoding="utf-8")
    ]
    assert [path.relative_to(ROOT).as_posix() for path in files] == [
        "roles/common/vars/main.yml",
        "roles/rolling_reboot/tasks/known.yml",
    ]
    other = (ROOT / "roles" / "rolling_reboot" / "tasks" / "known.yml").read_text(encoding="utf-8")
    assert other.count("vcenter_") == other.count("hostvars[item].vcenter_")


SHARED = ("on_missing", "allow_protected")
"""Said once, as a variable of the role that enables devices, and meant for every role."""


def plays() -> list[Any]:
    """Of every playbook, those that run roles."""
    files = sorted((ROOT / "playbooks").glob("*.yml"))
    found = [(file.stem, play) for file in files for play in yaml.safe_load(file.read_text(encoding="utf-8"))]
    return [pytest.param(play, id=name) for name, play in found if play.get("roles")]


@pytest.mark.parametrize("play", plays())
def test_what_is_said_once_reaches_every_role_of_a_playbook(play: dict[str, Any]) -> None:
    """verify failed where site had passed over a host, as it was told to."""
    for role in (entry["role"].rpartition(".")[2] for entry in play["roles"]):
        if role == "enable_devices":
            continue
        for name in sorted(
            {f"{role}_{word}" for word in SHARED} & set(argument_specs(ROOT / "roles" / role)["main"]["options"])
        ):
            assert f"enable_devices_{name.removeprefix(role + '_')}" in play["vars"].get(name, ""), name


SPEC = {"options": {"a": {"default": 1}, "b": {"required": True}, "c": {}, "d": {"default": ["x"]}}}


@pytest.mark.parametrize(
    ("defaults", "problem"),
    [
        ({"a": 1}, "d is not in defaults/main.yml"),
        ({"a": 2, "d": ["x"]}, "a: 1 in argument_specs.yml, 2 in defaults/main.yml"),
        ({"a": True, "d": ["x"]}, "a: 1 in argument_specs.yml, True in defaults/main.yml"),
        ({"a": 1, "d": ["x"], "c": 0}, "c has no default in argument_specs.yml"),
        ({"a": 1, "d": ["x"], "new": "y"}, "new has no default in argument_specs.yml"),
        ({"a": 1, "d": ["x"], "b": None}, "b is required and has a default"),
    ],
)
def test_each_disagreement_is_noticed(defaults: dict[str, Any], problem: str) -> None:
    assert disagreements(SPEC, defaults) == [problem]


def test_agreement_is_left_alone() -> None:
    assert disagreements(SPEC, {"a": 1, "d": ["x"], "c": None, "__internal": 5}) == []


NOT_OF_THE_ROLE = {
    "graphics",
    "expect_pending",
    "expect_settled",
    "assume_detached",
    "slice",
    "run_id",
    "continue_run",
    "earlier_slices",
    "shared_dir",
    "stop_reason",
    "stopped_vms",
    "resolved",
    "progress_file",
    "unknown_names",
    "targets",
    "option_prefix",
    "option_names",
}
"""Options the role sets itself, or the action plugin does."""


def test_the_reboot_role_offers_every_option_of_its_module() -> None:
    """Same choices and defaults: a policy may be written for one and used for the other."""
    options = {name: spec for name, spec in ARGUMENTS.items() if name not in (*NOT_OF_THE_ROLE, *HOSTS, *DEVICES)}
    role = argument_specs(ROOT / "roles" / "rolling_reboot")["main"]["options"]
    assert {f"rolling_reboot_{name}" for name in options} <= set(role)
    for name, spec in options.items():
        offered = role[f"rolling_reboot_{name}"]
        for key in ("type", "elements", "choices", "default"):
            assert offered.get(key) == spec.get(key), f"{name}: {key}"
        assert set(offered.get("options") or {}) == set(spec.get("options") or {}), name
