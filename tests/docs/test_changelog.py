# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The notes of the release list what is in it: each module, role, playbook and inventory plugin, and no other."""

from __future__ import annotations

from typing import Any

import yaml

from tools.envs import ROOT
from tools.generate import callbacks, inventories, modules, playbooks, roles

VERSION = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
RELEASES: dict[str, Any] = yaml.safe_load((ROOT / "changelogs" / "changelog.yaml").read_text(encoding="utf-8"))[
    "releases"
]


def described(entries: list[dict[str, str]]) -> dict[str, str]:
    return {entry["name"]: entry["description"].rstrip(".") for entry in entries}


def test_everything_is_listed_with_its_description() -> None:
    """Run `make changelog`. Playbooks are in the fragment of the release, because they have no documentation that tools read."""
    first = RELEASES["0.1.0"]
    listed = {
        "module": described(first["modules"]),
        "inventory": described(first["plugins"]["inventory"]),
        "callback": described(first["plugins"]["callback"]),
        "role": described(first["objects"]["role"]),
        "playbook": described(first["objects"]["playbook"]),
    }
    if VERSION != "0.1.0":  # later releases list only what is new
        return
    assert listed == {
        "module": modules(),
        "inventory": inventories(),
        "callback": callbacks(),
        "role": roles(),
        "playbook": playbooks(),
    }


def test_the_summary_is_about_each_module() -> None:
    summary = RELEASES["0.1.0"]["changes"]["release_summary"]
    assert [name for name in modules() if f"``{name}``" not in summary] == ["end_session"]
    assert "not run on hardware yet" in summary
