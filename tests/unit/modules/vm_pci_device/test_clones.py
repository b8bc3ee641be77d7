# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A clone that has the fixed card of its source is found and named, in plan, drift and info, and nothing is changed for it."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest
from pyVmomi import vim

from tests.unit.modules.harness import Lab
from tests.unit.pains.labs import FIRST, desired, entry, host, lab, on, vm

CLONE: dict[str, Any] = {"created_days": 2, "devices": [{"fixed": FIRST}]}
SENTENCE = f"train-01 and train-02 have the same fixed device, {FIRST} of esx-01, so only one of them can run"
GUESS = "train-02 is probably a clone of train-01"


def cloned(**more: Any) -> Lab:
    return lab([host(cards=[on(), on()])], [vm(devices=[{"fixed": FIRST}]), vm("train-02", **{**CLONE, **more})])


def wanted(name: str = "train-01", **more: Any) -> dict[str, Any]:
    return {"name": name, "devices": desired(), "backing": "fixed", **more}


def test_the_plan_names_both_and_which_is_the_clone() -> None:
    made = cloned()
    for check in (True, False):
        result = made.run("vm_pci_device", check=check, vms=[wanted()])
        assert result["changed"] is False
        (warning,) = entry(result, "train-01")["warnings"]
        assert SENTENCE in warning
        assert f"{GUESS}: it was created on " in warning


@pytest.mark.parametrize("days", [None, 30])
def test_without_different_dates_it_does_not_guess(days: float | None) -> None:
    (warning,) = entry(cloned(created_days=days).run("vm_pci_device", vms=[wanted()]), "train-01")["warnings"]
    assert "One of them is probably a clone of the other" in warning


def test_a_run_that_takes_it_from_the_clone_says_nothing() -> None:
    made = cloned()
    both = [wanted(), {"name": "train-02", "devices": [], "state": "exactly"}]
    result = made.run("vm_pci_device", vms=both)
    assert not any("same fixed device" in text for each in result["vms"] for text in each["warnings"])
    assert entry(result, "train-02")["devices"] == []


def test_drift_reports_it_although_site_changes_nothing() -> None:
    found = cloned().run("drift_info", vms=[wanted()])
    (difference,) = found["report"]["differences"]
    assert (difference["kind"], difference["planned"], found["settled"]) == ("shared_device", False, True)
    assert SENTENCE in difference["cause"]
    assert found["status"] == "drift"


def shown(made: Lab, name: str) -> tuple[str, set[str]]:
    """What drift of this VM says to do, and the names of the VMs whose ids its command has."""
    (difference,) = made.run("drift_info", vms=[wanted(name)])["report"]["differences"]
    options = json.loads(shlex.split(difference["command"])[-1])
    names = {made.sim.find("VirtualMachine", each).moid: each for each in ("train-01", "train-02")}
    return difference["cure"], {names[moid] for moid in options["vms"]}


@pytest.mark.parametrize("name", ["train-01", "train-02"])
def test_the_fix_names_the_clone_for_both(name: str) -> None:
    made = cloned()
    cure, vms = shown(made, name)
    clone = made.sim.find("VirtualMachine", "train-02").moid
    assert cure.startswith(f"Detach the device from the clone, train-02 ({clone}): ")
    assert vms == {"train-02"}


@pytest.mark.parametrize("days", [None, 30])
@pytest.mark.parametrize("name", ["train-01", "train-02"])
def test_the_fix_for_an_unknown_clone_points_to_neither(name: str, days: float | None) -> None:
    cure, vms = shown(cloned(created_days=days), name)
    assert cure.startswith("Decide which of ")
    assert vms == {"train-01", "train-02"}


def test_drift_is_silent_about_other_hosts_and_other_cards() -> None:
    made = lab(
        [host(cards=[on(), on()]), host("esx-02", cards=[on()])],
        [vm(devices=[{"fixed": FIRST}]), vm("train-02", host="esx-02", devices=[{"fixed": FIRST}])],
    )
    assert made.run("drift_info", vms=[wanted()])["status"] == "in_sync"


def test_the_info_module_names_it_for_both() -> None:
    found = cloned().run("vm_pci_device_info", hosts=["esx-01"])
    assert entry(found, "train-01")["shared_devices"] == [
        {"address": FIRST, "vm": "train-02", "moid": entry(found, "train-02")["moid"], "probable_clone": "train-02"}
    ]
    assert entry(found, "train-02")["shared_devices"][0]["vm"] == "train-01"
    assert entry(found, "train-02")["created"] > entry(found, "train-01")["created"]


@pytest.mark.parametrize(("knob", "shared"), [("copied", True), ("left_out", False), ("refused", None)])
def test_whatever_vsphere_does_with_the_device_a_clone_gets_one_of_its_own(knob: str, shared: bool | None) -> None:
    made = lab([host(cards=[on(), on()])], [vm(devices=[{"fixed": FIRST}])])
    made.sim.knobs.set("clone_fixed_devices", knob)
    source = made.sim.find("VirtualMachine", "train-01")
    client: Any = made.sim.stub().connect()
    stub = type(source.ref)(source.moid, client._stub)
    folder = vim.Folder(source.up.moid, client._stub)
    spec = vim.vm.CloneSpec(location=vim.vm.RelocateSpec(), powerOn=False, template=False)
    task = stub.CloneVM_Task(folder, "train-03", spec)
    made.sim.clock.advance(60)
    if shared is None:
        assert isinstance(task.info.error, vim.fault.DeviceNotSupported)
        return
    clone = made.sim.find("VirtualMachine", "train-03").get("config")
    assert clone.createDate > source.get("config").createDate
    warnings = entry(made.run("vm_pci_device", check=True, vms=[wanted()]), "train-01")["warnings"]
    assert any("train-03 is probably a clone of train-01" in text for text in warnings) is shared
    made.run("vm_pci_device", vm=["train-03"], devices=[], state="exactly")
    own = entry(made.run("vm_pci_device", vms=[wanted("train-03", power="on")]), "train-03")
    assert (own["power_state"], len(own["devices"]), own["devices"][0]["address"] == FIRST) == ("poweredOn", 1, False)
