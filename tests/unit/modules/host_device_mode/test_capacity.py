# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Capacity in host_pci_device_info: what vCenter says, what is counted where it does not know, and what it costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.modules.contracts import KNOWS_9
from tests.unit.modules.harness import Lab

LAB = Path(__file__).parents[4] / "tests" / "docs" / "labs" / "nine.yml"
pytestmark = pytest.mark.skipif(not KNOWS_9, reason="this pyVmomi knows no 9.1")


def capacity(lab: Lab, **more: Any) -> dict[str, dict[str, Any]]:
    found = lab.run(
        "host_pci_device_info", **{"cluster": ["nine"], "capacity": "cluster", "gather_protection": False, **more}
    )
    return {entry["value"]: entry for entry in found["capacity"]}


def ready() -> Lab:
    lab = Lab.load(yaml.safe_load(LAB.read_text()))
    lab.run("host_passthrough", cluster=["nine"], devices=["10de:20f1"])
    lab.run("vm_pci_device", vm=["model-01"], devices=["10de:20f1"], mmio={}, power="on")
    return lab


@pytest.mark.parametrize(
    ("mode", "source"), [("known", "vcenter"), ("unknown", "counted"), ("unknown_by_config", "vcenter")]
)
def test_vcenter_and_our_count_say_the_same(mode: str, source: str) -> None:
    lab = ready()
    lab.sim.knobs.profile_capacity = mode
    found = capacity(lab)["10de:20f1"]
    assert (found["source"], found["consumed"], found["remaining"], found["max"]) == (source, 1, 3, 4)


def test_what_nobody_can_count_is_null() -> None:
    found = capacity(ready())["Nvidia:2@grid_a100-40c%NVLink"]
    assert (found["source"], found["remaining"], found["profile"]) == ("unknown", None, "nvlink-pair")


def test_one_call_for_the_profiles_and_one_for_each_place() -> None:
    lab = ready()
    plain = lab.run("host_pci_device_info", cluster=["nine"], gather_protection=False)["calls"]
    assert (
        lab.run("host_pci_device_info", cluster=["nine"], gather_protection=False, capacity="cluster")["calls"]
        == plain + 2
    )
    assert (
        lab.run("host_pci_device_info", cluster=["nine"], gather_protection=False, capacity="host")["calls"]
        == plain + 3
    )


def test_a_refused_query_is_counted_and_says_why() -> None:
    lab = ready()
    lab.sim.faults.add(method="DirectPathProfileManagerQueryCapacity", fault="NoPermission")
    found = capacity(lab)["10de:20f1"]
    assert (found["source"], found["remaining"]) == ("counted", 3)
    assert "Permission" in found["reason"]


def test_an_older_vcenter_is_counted() -> None:
    lab = Lab.load("three_hosts")
    lab.run("host_passthrough", hosts=["esx-01"], devices=["10de:20f1"])
    found = lab.run("host_pci_device_info", cluster=["compute"], capacity="cluster", gather_protection=False)
    assert found["directpath_profiles"] is None
    assert "9.0" in found["directpath_profiles_note"]
    assert {entry["source"] for entry in found["capacity"]} <= {"counted"}
