# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each connection option of the modules has a variable, and each place that passes connection variables on passes all of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from ansible_collections.directpath.vsphere.plugins.doc_fragments.connection import ModuleDocFragment
from ansible_collections.directpath.vsphere.plugins.plugin_utils.intent.load import CONNECTION_VARIABLES
from tools.envs import ROOT

OPTIONS = set(yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"])
OWN_SESSION = {"session"}
"""Playbooks that read no desired state have tasks with sessions of their own."""
PASSED_ON = re.compile(r'^ *(\w+): "\{\{ .*\bvcenter_\1 \| default\(omit\)', re.MULTILINE)
PLACES = sorted(
    path
    for folder in ("playbooks", "roles")
    for path in (ROOT / folder).rglob("*.yml")
    if "vcenter_password" in path.read_text(encoding="utf-8")
)


def test_every_option_has_a_variable() -> None:
    assert {f"vcenter_{option}" for option in OPTIONS} == set(CONNECTION_VARIABLES)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: str(place.relative_to(ROOT)))
def test_a_place_passes_all_of_them_on(place: Path) -> None:
    passed = set(PASSED_ON.findall(place.read_text(encoding="utf-8"))) | {"hostname"}
    assert OPTIONS - passed <= OWN_SESSION


@pytest.mark.parametrize(
    "folder", ["examples", "roles/attach_devices", "roles/enable_devices", "roles/rolling_reboot", "roles/verify"]
)
def test_the_pages_name_all_of_them(folder: str) -> None:
    text = (ROOT / folder / "README.md").read_text(encoding="utf-8")
    assert [name for name in CONNECTION_VARIABLES if f"`{name}`" not in text] == []
