# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual functions stand among the devices of a host, and nobody takes them for cards."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from simulator.rules.pci.passthrough import Sriov
from tests.unit.modules.harness import Lab

STATES = ("active", "capable", "not_capable")
VF, PF = "15b3:101e", "15b3:101d"


def loaded(state: str = "active", **knobs: str) -> Lab:
    """A host with an A100 and a two-port card whose second port has four virtual functions."""
    host = {
        "name": "esx-01.lab",
        "cards": ["connectx6", "a100"],
        "states": {"0000:3b:00.1": {"virtual_functions": 4}},
        "vms": [{"name": "train-01", "memory_gb": 8}],
    }
    lab: dict[str, Any] = {"kind": "vcenter", "version": "8.0.3", "datacenters": [{"name": "DC", "hosts": [host]}]}
    return Lab.load({**lab, "knobs": {"virtual_function_state": state, **knobs}})


@pytest.mark.parametrize("state", STATES)
def test_a_wish_never_means_one(state: str) -> None:
    lab = loaded(state)
    result = lab.run("host_passthrough", fails=True, hosts=["esx-01"], devices=[{"match": VF}])
    assert result["error_code"] == "no_match"
    result = lab.run("vm_pci_device", fails=True, vm=["train-01"], devices=[{"match": VF}])
    assert result["error_code"] == "no_such_device"
    result = lab.run("vm_pci_device", fails=True, vm=["train-01"], devices=[{"match": VF}], backing="dynamic")
    assert result["error_code"] == "no_such_device"
    assert lab.writes() == []


@pytest.mark.parametrize("state", STATES)
def test_the_rest_of_the_job_goes_on_beside_them(state: str) -> None:
    lab = loaded(state)
    desired = {"hosts": ["esx-01"], "devices": [{"match": "10de:20f1"}]}
    assert [change["subject"] for change in lab.run("host_passthrough", **desired)["changes"]] == ["0000:5e:00.0"]
    assert lab.run("host_rolling_reboot", **desired)["rebooted"] == [], "virtual functions wait for no reboot"
    vm = {"vm": ["train-01"], "devices": [{"match": "10de:20f1"}], "mmio": {}, "power": "on"}
    assert lab.run("vm_pci_device", **vm)["vms"][0]["power_state"] == "poweredOn"
    lab.sim.journal.clear()
    assert not lab.run("host_passthrough", **desired)["changed"]
    assert not lab.run("vm_pci_device", **vm)["changed"]
    assert lab.writes() == []


def test_a_port_that_provides_them_is_kept_unless_it_is_named() -> None:
    lab = loaded()
    desired = {"hosts": ["esx-01"], "devices": [{"match": {"address": "0000:3b:00.1"}}]}
    assert "provides SR-IOV virtual functions (4)" in lab.run("host_passthrough", fails=True, **desired)["msg"]
    result = lab.run("host_passthrough", **desired, allow_protected=["esx-01.lab/0000:3b:00.1"])
    assert result["changed"]
    (host,) = lab.run("host_pci_device_info", hosts=["esx-01"], include="all")["hosts"]
    devices = {device["address"]: device for device in host["devices"]}
    assert devices["0000:3b:00.1"]["state"] == "active"
    assert VF not in {device["ids"] for device in devices.values()}, "they are gone with it"


def test_another_card_of_the_maker_behind_it_is_no_virtual_function() -> None:
    host = {
        "name": "esx-01.lab",
        "cards": ["x710", "x550"],
        "states": {"0000:3b:00.0": {"virtual_functions": 2}, "0000:5e:00.0": {"capable": True}},
    }
    lab = Lab.load({"kind": "vcenter", "version": "8.0.3", "datacenters": [{"name": "DC", "hosts": [host]}]})
    result = lab.run("host_passthrough", hosts=["esx-01"], devices=[{"match": "8086:1563", "count": 1}])
    assert [change["subject"] for change in result["changes"]] == ["0000:5e:00.0"]


@pytest.mark.parametrize("behind", ["a40", "a100"], ids=["another model", "the same model"])
@pytest.mark.parametrize(("requested", "maximum"), [(8, 0), (0, 0), (16, 16)], ids=str)
def test_a_card_behind_a_port_in_sriov_mode_is_no_function_of_it_for_drift_either(
    behind: str, requested: int, maximum: int
) -> None:
    """Drift and site agree: the card was enabled by hand, and requires a reboot. Hidden, drift is in sync, and site reboots the host."""
    host = {
        "name": "esx-01.lab",
        "cards": [{"card": "a100", "at": "3b"}, {"card": behind, "at": "af"}],
        "states": {"0000:af:00.0": {"enabled": True, "active": False}},
    }
    lab = Lab.load({"kind": "vcenter", "version": "8.0.3", "datacenters": [{"name": "DC", "hosts": [host]}]})
    esx = lab.sim.find("HostSystem", "esx-01.lab")
    port = Sriov(enabled=True, active=True, requested=requested, maximum=maximum)
    esx.pci["0000:3b:00.0"] = replace(esx.pci["0000:3b:00.0"], sriov=port)
    esx.publish()
    found = lab.run("drift_info", targets=[{"hosts": ["esx-01"], "devices": []}], scope="fleet")
    named = [one for one in found["report"]["differences"] if "0000:af:00.0" in str(one)]
    assert named, found["report"]["differences"]
    assert found["settled"] is False
    planned = lab.run("host_rolling_reboot", check=True, hosts=["esx-01"])
    assert [one["status"] for one in planned["hosts"]] == ["changed"]
