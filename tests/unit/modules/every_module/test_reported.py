# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inputs that users reported, as they were, each with another one of its kind."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.modules.harness import Lab

GPU = {"match": "10de:2230"}
READY = {"enabled": True, "active": True}


def cluster(*vms: dict[str, Any], **host: Any) -> Lab:
    hosts = [{"name": "esx-0{}.lab", "count": 2, "version": "6.7.0", "cards": ["t4", "t4"], **host}]
    made = {"name": "c1", "drs": "fullyAutomated", "hosts": hosts, "vms": list(vms)}
    return Lab.load({"kind": "vcenter", "version": "8.0.3", "datacenters": [{"name": "DC1", "clusters": [made]}]})


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(
    ("vm", "options", "reason"),
    [
        (
            {"memory_gb": 8, "reservation_mb": 8192, "power": "on", "fault_tolerance": "running"},
            {"reservation_mb": 0},
            "it is protected by Fault Tolerance",
        ),
        ({"memory_gb": 16, "reservation_mb": 16384, "latency_sensitivity": "high"}, {}, "its latency sensitivity is high"),
        ({"memory_gb": 8, "devices": [{"fixed": "0000:3b:00.0"}]}, {}, "0000:3b:00.0"),
        (
            {"memory_gb": 8, "reservation_mb": 8192, "latency_sensitivity": "high"},
            {"state": "reserved", "reservation_mb": 4096},
            "its latency sensitivity is high",
        ),
    ],
    ids=["fault tolerance", "latency", "a device", "lowered instead of unlocked"],
)  # fmt: skip
def test_memory_whose_lock_is_needed_is_not_promised_to_be_unlocked(
    vm: dict[str, Any], options: dict[str, Any], reason: str, check: bool
) -> None:
    lab = cluster(
        {"name": "vm", "host": "esx-01.lab", "version": 14, "locked": True, **vm}, states={"0000:3b:00.0": READY}
    )
    refused = lab.run("vm_memory_reservation", check=check, fails=True, vm=["vm"], **{"state": "unlocked", **options})
    assert reason in refused["msg"]
    assert refused["changes"] == []
    assert lab.writes() == []


def home(card: Any, **vm: Any) -> Lab:
    host = {"cards": ["nvme", card], "memory_gb": 64}
    machine = {"name": "gaming", "memory_gb": 32, **vm}
    return Lab.load({"kind": "esxi", "version": "8.0.3", "name": "esx-home.lab", "host": host, "vms": [machine]})


@pytest.mark.parametrize("power", ["cycle", "on"])
@pytest.mark.parametrize("running", [True, False])
def test_a_vm_that_would_not_start_with_its_card_is_neither_stopped_nor_changed(running: bool, power: str) -> None:
    """The running VM was shut down, changed, and stayed off. One that is off and is to be started is no better off."""
    lab = home({"card": "rtx-gpu-with-audio", **READY}, power="on" if running else "off")
    options = {"vm": ["gaming"], "devices": [GPU], "backing": "fixed", "power": power, "allow_shutdown": True}
    if not running and power == "cycle":
        assert lab.run("vm_pci_device", **options)["vms"][0]["power_state"] == "poweredOff", "nobody asked to start it"
        return
    refused = lab.run("vm_pci_device", fails=True, **options)
    assert refused["error_code"] == "will_not_start"
    assert "Set mmio: {}" in refused["msg"]
    assert lab.writes() == []
    assert lab.sim.find_entity("gaming").is_on is running
    assert lab.run("vm_pci_device", **options, mmio={})["vms"][0]["power_state"] == "poweredOn"
