# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""host_device_mode against a vCenter 9.1: set, second run, check mode, revert, what is refused, and each way the impact may show."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.objects.host.host import HostSystem
from simulator.vapi import device_modes
from tests.unit.modules.contracts import KNOWS_9
from tests.unit.modules.harness import Lab

pytestmark = pytest.mark.skipif(not KNOWS_9, reason="this pyVmomi knows no 9.1")
HOST = "esx9-01.lab"
GPU, GPU2 = "0000:3b:00.0", "0000:5e:00.0"
CONFIGURE = "DirectPathDevices.Configure"


def asks(mode: str, match: Any = "10de:20f1", **more: Any) -> dict[str, Any]:
    return {"hosts": [HOST], "devices": [{"match": match, "mode": mode}], **more}


def loaded(**knobs: Any) -> Lab:
    lab = Lab.load("v9")
    for name, value in knobs.items():
        lab.sim.knobs.set(name, value)
    return lab


def modes(lab: Lab) -> dict[str, str]:
    found = lab.run("host_pci_device_info", hosts=[HOST], devices=["10de:20f1"], gather_protection=False)
    return {device["address"]: device["directpath_mode"] for device in found["hosts"][0]["devices"]}


def configured(lab: Lab) -> list[str]:
    return [name for name in lab.writes() if name == CONFIGURE]


def test_set_again_and_revert() -> None:
    lab = loaded()
    first = lab.run("host_device_mode", **asks("vgpu_mixed_size"))
    assert modes(lab) == {GPU: "vgpu_mixed_size", GPU2: "vgpu_mixed_size"}
    assert [entry["impacts"] for entry in first["hosts"][0]["impacts"]] == [[], []]
    lab.sim.journal.clear()
    again = lab.run("host_device_mode", **asks("vgpu_mixed_size"))
    assert (again["changed"], configured(lab)) == (False, [])
    back = lab.run("host_device_mode", **asks("host"))
    assert back["changed"]
    assert modes(lab) == {GPU: "host", GPU2: "host"}


def test_check_mode_says_that_the_impact_is_not_known() -> None:
    lab = loaded()
    found = lab.run("host_device_mode", check=True, **asks("vgpu_mixed_size"))
    (host,) = found["hosts"]
    assert (host["reboot_required"], host["maintenance_mode_required"]) == (None, None)
    assert [entry["impacts"] for entry in host["impacts"]] == [None, None]
    assert "not known beforehand" in host["warnings"][0]
    assert configured(lab) == []
    made = lab.run("host_device_mode", **asks("vgpu_mixed_size"))
    assert made["changes"] == found["changes"]
    assert not any("beforehand" in warning for warning in made["hosts"][0]["warnings"])


@pytest.mark.parametrize("shows", ["passthrough_flags", "reboot_flag", "nowhere"])
def test_a_required_reboot_is_reported_wherever_it_shows(shows: str) -> None:
    lab = loaded(device_mode_impact="reboot", device_mode_pending=shows)
    found = lab.run("host_device_mode", **asks("directpath"))
    (host,) = found["hosts"]
    assert found["reboot_required"] == [HOST]
    assert host["next"].startswith("ansible-playbook directpath.vsphere.firmware_reboot")
    assert HOST in host["next"]
    lab.sim.journal.clear()
    again = lab.run("host_device_mode", **asks("directpath"))
    assert (again["changed"], configured(lab)) == (False, [])
    (host,) = again["hosts"]
    assert host["status"] == ("pending" if shows == "passthrough_flags" else "ok")
    assert host["reboot_required"] is (shows == "passthrough_flags")
    assert any("perhaps for the mode" in text for text in host["warnings"]) is (shows == "reboot_flag")


def test_between_two_vgpu_modes_maintenance_mode_is_required_and_visible_later() -> None:
    lab = loaded()
    lab.run("host_device_mode", **asks("vgpu_mixed_size"))
    found = lab.run("host_device_mode", **asks("vgpu_same_size"))
    assert found["maintenance_mode_required"] == [HOST]
    assert found["reboot_required"] == []
    again = lab.run("host_device_mode", **asks("vgpu_same_size"))
    assert any("after maintenance mode" in text for text in again["hosts"][0]["warnings"])


def test_the_server_must_list_device_and_mode() -> None:
    refused = loaded().run("host_device_mode", fails=True, **asks("enhanced_directpath"))
    assert refused["error_code"] == "mode_not_offered"
    assert "vgpu_mixed_size" in refused["candidates"]


@pytest.mark.parametrize("form", ["address", "prefixed"])
def test_whatever_the_ids_of_devices_look_like(form: str) -> None:
    lab = loaded(device_id_form=form)
    assert lab.run("host_device_mode", **asks("vgpu_mixed_size", GPU))["changed"]
    assert modes(lab) == {GPU: "vgpu_mixed_size", GPU2: "host"}


def test_a_device_of_a_running_vm_is_refused() -> None:
    lab = loaded()
    lab.run("host_passthrough", hosts=[HOST], devices=["10de:20f1"])
    lab.run("vm_pci_device", vm=["model-01"], devices=["10de:20f1"], mmio={}, power="on")
    lab.sim.journal.clear()
    refused = lab.run("host_device_mode", fails=True, **asks("vgpu_mixed_size"))
    assert refused["error_code"] == "in_use"
    assert "model-01 (powered on)" in refused["msg"]
    assert configured(lab) == []


def test_a_fault_of_the_task_is_told_and_what_was_made_before_it_stays() -> None:
    lab = loaded()
    host: HostSystem = lab.sim.find("HostSystem", HOST)
    host.sim.faults.add(method=CONFIGURE, fault="NoPermission", after=1, times=1)
    failed = lab.run("host_device_mode", fails=True, **asks("vgpu_mixed_size"))
    assert failed["error_code"] == "mode_refused"
    assert GPU2 in failed["msg"]
    assert [entry["subject"] for entry in failed["not_done"]] == [GPU2]
    lab.sim.clock.advance(5)  # until the host shows it
    assert modes(lab) == {GPU: "vgpu_mixed_size", GPU2: "host"}


def test_a_lost_answer_is_read_again_and_not_sent_twice() -> None:
    lab = loaded()
    lab.sim.faults.add(method=CONFIGURE, drop="after", times=1)
    found = lab.run("host_device_mode", **asks("vgpu_mixed_size", GPU))
    assert found["changed"]
    assert len(configured(lab)) == 1
    assert found["hosts"][0]["impacts"][0]["impacts"] is None


def test_beside_passthrough_in_one_list_drift_and_site_agree() -> None:
    lab = loaded()
    devices = [{"match": GPU, "mode": "vgpu_mixed_size"}, {"match": {"class_id": "0108", "name": "*P5800X*"}}]
    targets = [{"hosts": [HOST], "devices": devices}]
    drift = lab.run("drift_info", targets=targets, vms=[])
    assert {(one["subject"], one["kind"]) for one in drift["report"]["differences"]} >= {(GPU, "mode_differs")}
    lab.run("host_passthrough", hosts=[HOST], devices=devices[1:])
    lab.run("host_device_mode", hosts=[HOST], devices=devices[:1])
    settled = lab.run("drift_info", targets=targets, vms=[])
    assert (settled["status"], settled["settled"]) == ("in_sync", True), settled["report"]["differences"]
    lab.run("host_device_mode", **asks("host", GPU))
    assert lab.run("drift_info", targets=targets, vms=[])["status"] == "drift"


def test_a_device_in_directpath_mode_is_no_extra_device() -> None:
    lab = loaded(device_mode_impact="none")
    lab.run("host_device_mode", **asks("directpath"))
    targets = [{"hosts": [HOST], "devices": [{"match": "10de:20f1", "mode": "directpath"}]}]
    assert lab.run("drift_info", targets=targets, vms=[])["status"] == "in_sync"
    other = lab.run(
        "drift_info", targets=[{"hosts": [HOST], "devices": [{"match": "10de:20f1", "mode": "none"}]}], vms=[]
    )
    assert {one["kind"] for one in other["report"]["differences"]} == {"mode_differs"}


def test_a_protected_device_needs_its_override() -> None:
    lab = loaded()
    boot = {"match": {"address": "0000:01:00.0"}, "mode": "directpath"}
    refused = lab.run("host_device_mode", fails=True, hosts=[HOST], devices=[boot])
    assert refused["error_code"] in ("protected", "not_capable")
    assert configured(lab) == []


def test_an_older_host_below_9_1_and_an_esxi_host_are_named() -> None:
    refused = loaded().run(
        "host_device_mode", fails=True, hosts=["esx90-01.lab"], devices=[{"match": "10de:20f1", "mode": "host"}]
    )
    assert refused["error_code"] == "no_device_modes"
    alone = Lab.load({"kind": "esxi", "version": "9.1.0", "name": "esx-alone", "host": {"cards": ["a100"]}})
    refused = alone.run(
        "host_device_mode", fails=True, hosts=["esx-alone"], devices=[{"match": "10de:20f1", "mode": "none"}]
    )
    assert refused["error_code"] == "needs_vcenter"


def test_without_the_automation_api_nothing_is_written() -> None:
    lab = loaded(vapi="rest_only")
    refused = lab.run("host_device_mode", fails=True, **asks("vgpu_mixed_size"))
    assert refused["error_code"] == "device_modes_unreadable"
    assert configured(lab) == []


def test_a_mode_that_vcenter_does_not_list_is_never_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = loaded()
    shown = device_modes._info

    def without_vgpu(host: Any, address: str) -> dict[str, Any]:
        return {**shown(host, address), "configurable_modes": ["HOST", "DIRECTPATH"]}

    monkeypatch.setattr(device_modes, "_info", without_vgpu)
    failed = lab.run("host_device_mode", fails=True, **asks("vgpu_mixed_size"))
    assert failed["error_code"] == "mode_not_offered"
    assert configured(lab) == []
