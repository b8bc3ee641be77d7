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


def test_a_vcenter_that_was_not_read_makes_the_report_incomplete() -> None:
    assert capacity_report({"vc-1": EMPTY})["complete"]
    assert not capacity_report({"vc-1": EMPTY, "vc-2": AWAY})["complete"]


def fit(host: str, when: str, sets: int = 0, nodes: tuple[int, ...] = ()) -> dict[str, Any]:
    return {"host": host, "moid": host, "cluster": "gpu", "when": when, "sets": sets, "numa_nodes": list(nodes)}


@pytest.mark.parametrize(
    ("fits", "lines"),
    [
        ([fit("esx-01", "no")], ["fit: no host has these devices"]),
        (
            [fit("esx-01", "now", 2, (0,)), fit("esx-02", "after_reboot"), fit("esx-03", "no")],
            [
                "fit: 2 such VMs can run now",
                "fit: esx-01 (vc-1 gpu) now, 2 such VMs, all on NUMA node 0",
                "fit: esx-02 (vc-1 gpu) after the pending reboot",
            ],
        ),
    ],
)
def test_hosts_without_the_devices_are_not_in_the_lines(fits: list[dict[str, Any]], lines: list[str]) -> None:
    assert capacity_report({"vc-1": {**EMPTY, "fit": fits}})["lines"][1:] == lines
