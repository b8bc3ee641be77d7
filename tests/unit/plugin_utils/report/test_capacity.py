# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the capacity report says when no device was found: nothing about what was not read."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.plugin_utils.report.capacity import capacity_report

EMPTY: dict[str, Any] = {"stock": [], "failures": [], "fit": None, "unknown": []}
AWAY: dict[str, Any] = {"failed": True, "msg": "vc-2 does not answer"}
LOST: dict[str, Any] = {"host": "esx-01", "moid": "host-1", "why": "is disconnected"}


@pytest.mark.parametrize(
    ("results", "first"),
    [
        ({"vc-1": EMPTY}, "No device is set up for VMs."),
        ({"vc-1": EMPTY, "vc-2": AWAY}, "No device is set up for VMs on the vCenters that were read."),
        ({"vc-1": {**EMPTY, "unknown": [LOST]}}, "No device is set up for VMs on the hosts that were read."),
        ({"vc-2": AWAY}, "not read: vc-2: vc-2 does not answer"),
    ],
)
def test_no_device_is_only_said_of_what_was_read(results: dict[str, Any], first: str) -> None:
    assert capacity_report(results)["lines"][0] == first
