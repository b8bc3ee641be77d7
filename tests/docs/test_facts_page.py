# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/facts.md names every fact that the code has."""

from __future__ import annotations

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.protection import GUARDED
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.read import fabric
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.read.gaps import FACT_PATHS
from tools.facts_page import DESCRIBED, PAGE, current


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == current(), "run: python -m tools.facts_page"


def test_every_fact_is_described_and_guards_devices() -> None:
    assert set(FACT_PATHS) == set(GUARDED) == set(DESCRIBED)


def test_every_property_that_is_read_of_a_fabric_belongs_to_a_fact() -> None:
    named = {path for paths in FACT_PATHS.values() for path in paths}
    assert set(fabric._PATHS) - {"configManager.storageSystem"} == named
