# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The VMs of an intent whose devices are detached."""

from __future__ import annotations

import pytest

from ansible_collections.directpath.vsphere.plugins.plugin_utils.intent.release import vms_to_release

TRAIN = {"name": "train-01", "devices": [{"match": "10de:20f1", "count": 2}], "power": "on"}


@pytest.mark.parametrize(("power", "kept"), [("on", {}), ("cycle", {"power": "cycle"}), ("off", {"power": "off"})])
def test_release_entries_drop_what_only_attaching_needs(power: str, kept: dict[str, str]) -> None:
    """``power: on`` is for a VM with its devices."""
    vm = {
        **TRAIN,
        "power": power,
        "state": "exactly",
        "backing": "fixed",
        "mmio": {"size_gb": 64},
        "unlock_memory": True,
    }
    assert vms_to_release([vm]) == [{"name": "train-01", "devices": TRAIN["devices"], **kept, "unlock_memory": True}]
