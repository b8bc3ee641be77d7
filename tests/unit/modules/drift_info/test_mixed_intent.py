# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One intent with entries of every kind: passthrough, virtual functions, device modes and graphics settings of the same hosts.

Drift and the modules that the playbook site calls must agree at every step, and one rolling reboot is enough for all of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.plugin_utils.intent.kinds_of_entries import targets_by_module
from tests.unit.modules.contracts import KNOWS_9
from tests.unit.modules.harness import Lab

HOST = "esx9-01.lab"
FIRST, SECOND = "0000:3b:00.0", "0000:5e:00.0"
DRIVE: dict[str, Any] = {"match": {"name": "*P5800X*"}}
FUNCTIONS: dict[str, Any] = {"match": "8086:1572", "virtual_functions": 4}
MODE: dict[str, Any] = {
    "match": {"address": FIRST, "vendor_id": "10de", "device_id": "20f1"},
    "mode": "vgpu_mixed_size",
}
TARGETS: list[dict[str, Any]] = [{"hosts": [HOST], "devices": [DRIVE, FUNCTIONS, MODE]}]
GRAPHICS: list[dict[str, Any]] = [
    {"hosts": [HOST], "assignment_policy": "consolidation", "devices": [{"match": SECOND, "type": "shared_direct"}]}
]
BY_MODULE = targets_by_module(TARGETS)


def loaded() -> Lab:
    hardware = {
        "memory_gb": 512,
        "cards": [{"card": "a100", "slot": 6}, {"card": "a100", "slot": 7}, "p5800x", "x710"],
    }
    host = {"name": HOST, "hardware": "node", "shared_gpus": {"a100": "shared"}}
    clusters = [{"name": "nine", "hosts": [host]}]
    return Lab.load(
        {
            "kind": "vcenter",
            "version": "9.1.0",
            "hardware": {"node": hardware},
            "datacenters": [{"name": "DC9", "clusters": clusters}],
        }
    )


def drift(lab: Lab) -> set[str]:
    found = lab.run("drift_info", targets=TARGETS, vms=[], graphics=GRAPHICS)
    return {one["kind"] for one in found["report"]["differences"]}


CALLS: dict[str, Callable[..., dict[str, Any]]] = {
    "host_passthrough": lambda lab, **more: lab.run(
        "host_passthrough", targets=BY_MODULE["passthrough_targets"], apply="reboot", **more
    ),
    "host_sriov": lambda lab, **more: lab.run("host_sriov", targets=BY_MODULE["sriov_targets"], **more),
    "host_device_mode": lambda lab, **more: lab.run("host_device_mode", targets=BY_MODULE["mode_targets"], **more),
    "host_graphics": lambda lab, **more: lab.run("host_graphics", targets=GRAPHICS, **more),
}


@pytest.mark.slow
@pytest.mark.skipif(not KNOWS_9, reason="this pyVmomi knows no 9.1")
def test_drift_and_the_modules_agree_about_every_kind_of_entry() -> None:
    lab = loaded()
    expected = {
        "host_passthrough": "disabled",
        "host_sriov": "functions_differ",
        "host_device_mode": "mode_differs",
        "host_graphics": "graphics_differ",
    }
    assert drift(lab) == {*expected.values()}
    for module, call in CALLS.items():
        assert call(lab, check=True)["changed"], module
        assert expected[module] in drift(lab)
        assert call(lab)["changed"], module
        assert expected[module] not in drift(lab)
        assert not call(lab, check=True)["changed"], module
    assert drift(lab) == {"pending_reboot", "graphics_pending"}
    rebooted = lab.run("host_rolling_reboot", targets=TARGETS, graphics=GRAPHICS)
    assert rebooted["rebooted"] == [HOST]
    assert lab.writes().count("RebootHost_Task") == 1, "one reboot for everything"
    assert drift(lab) == set()
    assert [module for module, call in CALLS.items() if call(lab, check=True)["changed"]] == []
    assert lab.run("host_rolling_reboot", targets=TARGETS, graphics=GRAPHICS)["rebooted"] == []


def test_every_entry_goes_to_one_module() -> None:
    """With SR-IOV off, only the number is another one."""
    found = {key: [entry for target in targets for entry in target["devices"]] for key, targets in BY_MODULE.items()}
    assert found == {
        "passthrough_targets": [DRIVE],
        "sriov_targets": [FUNCTIONS],
        "sriov_off_targets": [{**FUNCTIONS, "virtual_functions": 0}],
        "mode_targets": [MODE],
    }
