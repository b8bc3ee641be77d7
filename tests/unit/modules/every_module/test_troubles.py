# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong on the way: overload, broken connections, sessions that end, people who work at the same time, hosts that go away."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from pyVmomi import vim, vmodl

from simulator.rules import reboot as reboot_rules
from tests.unit.modules.harness import Lab

KNOWS_9 = hasattr(vim.host.PciPassthruInfo(), "directPathState")
A100 = {"match": "10de:20f1"}
ENABLE = {"cluster": ["compute"], "devices": [A100]}
ATTACH = {"vm": ["train-01"], "devices": [{**A100, "count": 2}], "mmio": {}}


def lab_with(*rules: dict[str, Any], prepared: bool = False) -> Lab:
    lab = Lab.load("three_hosts")
    if prepared:
        lab.run("host_passthrough", **ENABLE)
        lab.sim.journal.clear()
    for rule in rules:
        lab.sim.faults.add(**rule)
    return lab


def enabled(lab: Lab) -> int:
    return sum(
        device["active"]
        for host in lab.run("host_pci_device_info", devices=[A100])["hosts"]
        for device in host["devices"]
    )


READS = [
    "RetrievePropertiesEx",
    "CreateContainerView",
    "Login",
    "RetrieveServiceContent",
    "WaitForUpdatesEx",
    "CreateFilter",
]


@pytest.mark.parametrize("method", READS)
@pytest.mark.parametrize("trouble", [{"http": 503}, {"drop": "before"}, {"drop": "after"}], ids=str)
def test_a_read_that_meets_trouble_is_asked_again(method: str, trouble: dict[str, Any]) -> None:
    lab = lab_with({"method": method, "times": 2, **trouble})
    result = lab.run("host_passthrough", **ENABLE)
    assert len(result["changes"]) == 6
    assert enabled(lab) == 6


def test_a_server_that_stays_overloaded_is_a_sentence() -> None:
    lab = lab_with({"method": "RetrievePropertiesEx", "http": 503})
    result = lab.run("host_passthrough", fails=True, **ENABLE)
    assert result["error_code"] == "unavailable"
    assert lab.writes() == []


@pytest.mark.parametrize(
    "method",
    [
        "RetrievePropertiesEx",
        "CreateContainerView",
        "DestroyView",
        "UpdatePassthruConfig",
        "Refresh",
        "WaitForUpdatesEx",
    ],
)
def test_a_session_that_ends_is_renewed(method: str) -> None:
    lab = lab_with({"method": method, "times": 1, "fault": "NotAuthenticated"})
    result = lab.run("host_passthrough", **ENABLE)
    assert len(result["changes"]) == 6
    assert enabled(lab) == 6


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_write_whose_answer_is_lost_is_looked_at_and_only_done_again_if_undone(when: str) -> None:
    lab = lab_with()
    rule = lab.sim.faults.add(method="UpdatePassthruConfig", name="esx-02.lab", times=1, drop=when)
    result = lab.run("host_passthrough", **ENABLE)
    assert rule.hits == 1
    assert result["changed"] is True
    assert result["not_done"] == []
    assert enabled(lab) == 6


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_reconfigure_whose_answer_is_lost_does_not_attach_twice(when: str) -> None:
    lab = lab_with({"method": "ReconfigVM_Task", "times": 1, "drop": when}, prepared=True)
    result = lab.run("vm_pci_device", **ATTACH)
    assert len(result["vms"][0]["devices"]) == 2
    assert result["vms"][0]["status"] == "changed"
    assert lab.run("vm_pci_device", **ATTACH)["changed"] is False


def cycled(**rule: Any) -> tuple[Lab, dict[str, Any], dict[str, Any]]:
    """A running VM that is shut down for one more device, with trouble on the way: the lab, the result, and the VM afterwards."""
    lab = lab_with(prepared=True)
    lab.run("vm_pci_device", vm=["train-01"], devices=[A100], mmio={}, power="on")
    lab.sim.clock.advance(60)  # until VMware Tools run
    lab.sim.faults.add(**rule)
    fails = "fault" in rule or "times" not in rule
    result = lab.run("vm_pci_device", fails=fails, **{**ATTACH, "power": "cycle"})
    lab.sim.faults.clear()
    return lab, result, lab.run("vm_pci_device_info", vms=["train-01"])["vms"][0]


@pytest.mark.parametrize("method", ["ReconfigVM_Task", "PowerOnMultiVM_Task"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_vm_that_was_shut_down_is_started_again_whatever_answer_is_lost(method: str, when: str) -> None:
    _lab, result, now = cycled(method=method, times=1, drop=when)
    assert (now["power_state"], len(now["devices"])) == ("poweredOn", 2)
    assert result["not_done"] == []


def test_a_vm_that_cannot_be_started_again_is_a_failure() -> None:
    _lab, result, now = cycled(method="PowerOnMultiVM_Task", http=503)
    assert now["power_state"] == "poweredOff"
    assert result["error_code"] == "unavailable"
    assert [change["kind"] for change in result["not_done"]] == ["power_on"]


def test_a_vm_that_was_shut_down_for_a_change_that_is_refused_is_started_again() -> None:
    _lab, result, now = cycled(method="ReconfigVM_Task", times=1, fault="NoPermission")
    assert (now["power_state"], len(now["devices"])) == ("poweredOn", 1)
    assert "it was started again without the change" in result["msg"]


def test_a_write_that_never_arrives_says_what_was_done_and_what_not() -> None:
    lab = lab_with({"method": "UpdatePassthruConfig", "name": "esx-02.lab", "http": 503})
    result = lab.run("host_passthrough", fails=True, **ENABLE)
    assert result["error_code"] == "unavailable"
    assert result["changed"] is True
    assert {change["target"] for change in result["not_done"]} == {"esx-02.lab"}
    assert [host["status"] for host in result["hosts"]] == ["changed", "failed", "changed"]


def test_a_server_that_goes_away_after_the_writes_does_not_make_them_undone() -> None:
    lab = lab_with({"method": "CreateFilter", "http": 503})
    result = lab.run("host_passthrough", fails=True, **ENABLE)
    assert result["error_code"] == "unavailable"
    assert result["changed"] is True
    assert "went out" in result["msg"]
    lab.sim.faults.clear()
    assert enabled(lab) == 6


def test_a_refusal_of_one_host_does_not_stop_the_others() -> None:
    lab = lab_with({"method": "UpdatePassthruConfig", "name": "esx-01.lab", "fault": "HostConfigFault"})
    result = lab.run("host_passthrough", fails=True, **ENABLE)
    assert [host["status"] for host in result["hosts"]] == ["failed", "changed", "changed"]
    assert result["error_code"] == "host_config_refused"
    assert enabled(lab) == 4


def test_a_change_that_is_accepted_and_does_not_show_is_a_failure() -> None:
    """The simulator is told never to show it: neither by Refresh nor in time."""
    lab = Lab.load("three_hosts")
    lab.sim.knobs.set("info_delay_seconds", 10_000.0)
    lab.sim.knobs.set("refresh_shows_info", False)
    result = lab.run("host_passthrough", fails=True, hosts=["esx-01"], devices=[A100], settle_timeout=60)
    assert result["error_code"] == "not_applied"
    assert "accepted the change but does not show it" in result["msg"]


def test_cards_that_moved_between_look_and_write_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address holds another card when the write is due: nothing may be written."""
    from ansible_collections.directpath.vsphere.plugins.module_utils._shell import host_passthrough as glue

    lab = Lab.load("three_hosts")
    honest = glue.apply

    def somebody_swaps_cards(session: Any, observed: Any, request: Any, target: Any, gate: Any) -> Any:
        host = lab.sim.find("HostSystem", target.target)
        with host.edit("hardware") as hardware:
            next(card for card in hardware.pciDevice if card.id == "0000:3b:00.0").deviceId = 0x2235
        return honest(session, observed, request, target, gate)

    monkeypatch.setattr(
        "ansible_collections.directpath.vsphere.plugins.modules.host_passthrough.apply", somebody_swaps_cards
    )
    result = lab.run("host_passthrough", fails=True, hosts=["esx-01"], devices=[A100])
    assert result["error_code"] == "identity_changed"
    assert "now is 10de:2235" in result["msg"]
    assert lab.writes() == []
    assert result["changed"] is False


def test_a_vm_edited_between_look_and_write_is_left_to_the_other_person() -> None:
    lab = lab_with({"method": "ReconfigVM_Task", "fault": "ConcurrentAccess"}, prepared=True)
    result = lab.run("vm_pci_device", fails=True, **ATTACH)
    assert result["error_code"] == "changed_meanwhile"
    assert result["changed"] is False


@pytest.mark.parametrize("name", ["home", "standalone_67"])
def test_a_host_reached_directly_is_rebooted_although_it_takes_the_api_with_it(name: str, tmp_path: Path) -> None:
    lab = Lab.load(name)
    running = [
        vm["name"] for vm in lab.run("vm_pci_device_info", include="all")["vms"] if vm["power_state"] == "poweredOn"
    ]
    host = lab.run("host_pci_device_info", gather_protection=False)["hosts"][0]["name"]
    options = {"hosts": [host], "reboot_if": "always", "journal_dir": str(tmp_path)}
    refused = lab.run("host_rolling_reboot", fails=True, **options)
    assert refused["error_code"] == "pinned_vms"
    assert [vm for vm in running if vm not in refused["msg"]] == []
    assert "in no cluster" in refused["msg"]
    assert lab.writes() == []
    for vm in running:
        lab.sim.events["power_vm"](vm=vm, on=False)
    result = lab.run("host_rolling_reboot", **options)
    assert result["rebooted"] == [host]
    after = result["hosts"][0]
    assert after["boot_time_after"] > after["boot_time_before"]
    truth = lab.sim.describe(lab.sim)["hosts"][0]
    assert (truth["maintenance"], truth["connection"]) == (False, "connected")
    assert list(tmp_path.iterdir()) == [], "nothing is left of the journal"


@pytest.mark.parametrize(
    ("refusal", "says", "patience"),
    [
        (vim.fault.NoPermission(msg="No.", privilegeId="Host.Config.Maintenance"), "Host.Config.Maintenance", 60),
        (vmodl.fault.NotSupported(msg="No, not this."), "No, not this", 60),
        (vim.fault.InvalidState(msg="No, not in this state."), "No, not in this state", 1500),
    ],
    ids=["NoPermission", "NotSupported", "InvalidState"],
)
def test_a_reboot_that_the_task_refuses_is_told_and_why(refusal: Any, says: str, patience: float) -> None:
    """The call itself is accepted: waiting for the whole time-out would end in a guess. What may pass is tried again."""
    lab = Lab.load("three_hosts")
    started = lab.sim.clock.seconds()
    with mock.patch.object(reboot_rules, "check", side_effect=refusal):
        result = lab.run("host_rolling_reboot", fails=True, hosts=["esx-03"], reboot_if="always")
    assert result["error_code"] == "reboot_refused"
    assert says in result["msg"]
    assert lab.sim.clock.seconds() - started < patience


def test_a_host_reached_directly_that_never_comes_back_is_told_so(tmp_path: Path) -> None:
    """Not that nothing listens there: who reads that checks the name of the host, and not its console."""
    lab = Lab.load("standalone_67")
    for vm in lab.run("vm_pci_device_info", include="all")["vms"]:
        lab.sim.events["power_vm"](vm=vm["name"], on=False)
    lab.sim.events["set_knob"](name="boot_result", value="never_returns")
    options = {"hosts": ["esx-67"], "reboot_if": "always", "reboot_timeout": 600, "journal_dir": str(tmp_path)}
    result = lab.run("host_rolling_reboot", fails=True, **options)
    assert result["error_code"] == "not_back"
    assert result["changed"] is True
    assert "esx-67.lab does not respond after its reboot was requested" in result["msg"]
    assert "its console" in result["msg"]
    assert list(tmp_path.iterdir()), "the next run knows that it was told to"


def test_a_host_reached_directly_answers_to_the_name_it_was_reached_by() -> None:
    lab = Lab.load("home")
    assert lab.run("host_passthrough", check=True, hosts=["vcenter.test"], devices=[{"match": "10de:2230"}])["changed"]


def test_the_gpu_and_its_audio_function_go_together() -> None:
    lab = Lab.load("home")
    result = lab.run("host_passthrough", hosts=["esx-home"], devices=[{"match": "10de:2230"}])
    assert [change["subject"] for change in result["changes"]] == ["0000:3b:00.0", "0000:3b:00.1"]
    assert result["hosts"][0]["groups"] == [["0000:3b:00.0", "0000:3b:00.1"]]
    assert lab.writes().count("UpdatePassthruConfig") == 1


@pytest.mark.parametrize(
    "name", ["legacy_55", "standalone_67", "v70", "v80", "v9", "home", "three_hosts", "demo", "mixed"]
)
def test_every_release_can_be_looked_at(name: str) -> None:
    if name == "v9" and not KNOWS_9:
        pytest.skip("this pyVmomi is older than 9.1")
    lab = Lab.load(name)
    hosts = lab.run("host_pci_device_info", gather_partitions=True)["hosts"]
    assert hosts
    assert all(host["devices"] for host in hosts)
    assert lab.run("vm_pci_device_info", include="all")["vms"]
    assert lab.writes() == []


def test_the_oldest_release_does_the_whole_job() -> None:
    lab = Lab.load("legacy_55")
    devices = lab.run("host_pci_device_info", include="capable", hosts=["old-01"])["hosts"][0]["devices"]
    card = next(device for device in devices if not device["protected"] and device["class_id"].startswith("02"))
    desired = {
        "hosts": ["old-01"],
        "devices": [{"match": {"address": card["address"], "vendor_id": card["vendor_id"]}}],
    }
    enabled = lab.run("host_passthrough", **desired)
    assert enabled["reboot_required"] == ["old-01.lab"]
    assert lab.run("host_passthrough", **desired)["hosts"][0]["status"] == "pending"
    assert lab.run("host_rolling_reboot", **desired)["rebooted"] == ["old-01.lab"]
    attach = {"vm": ["capture-01"], "devices": [{"match": card["ids"]}], "power": "on"}
    vm = lab.run("vm_pci_device", **attach)["vms"][0]
    assert [device["backing"] for device in vm["devices"]] == ["fixed"]
    assert vm["power_state"] == "poweredOn"
    assert lab.run("vm_pci_device", **attach)["changed"] is False


def test_a_host_on_which_somebody_works_is_left_alone() -> None:
    lab = Lab.load("three_hosts")
    lab.run("host_passthrough", **ENABLE, apply="reboot")
    lab.sim.events["power_vm"](vm="web-01", on=True)
    host = lab.sim.find("HostSystem", "esx-01.lab")
    stub = lab.sim.stub()
    stub.connect()
    reference = type(host.ref)(host.moid, stub)
    reference.EnterMaintenanceMode_Task(0, False, None)
    lab.sim.journal.clear()
    result = lab.run("host_rolling_reboot", fails=True, hosts=["esx-01"], devices=[A100])
    assert result["error_code"] == "maintenance_by_other"
    assert "esx-01.lab" in result["msg"]
    assert not [method for method in lab.writes() if method.endswith("_Task")]
    assert lab.sim.describe(lab.sim)["hosts"][0]["entering"], "it is left to them"


def test_a_device_held_by_a_vm_this_account_may_not_see_is_in_use_all_the_same() -> None:
    """The host says to which VM it lends a device, also where the VM itself is hidden."""
    lab = Lab.load("three_hosts")
    lab.run("host_passthrough", **ENABLE)
    lab.run("vm_pci_device", **ATTACH, power="on")
    holder = lab.run("vm_pci_device_info", vms=["train-01"])["vms"][0]
    vm = lab.sim.find("VirtualMachine", "train-01")
    host = lab.sim.find("HostSystem", holder["host"])
    host.set("vm", [ref for ref in host.get("vm") if ref._moId != vm.moid])
    lab.sim.journal.clear()
    result = lab.run("host_passthrough", fails=True, hosts=[holder["host"]], devices=[A100], state="disabled")
    assert result["error_code"] == "in_use"
    assert vm.name in result["msg"]
    assert lab.writes() == []
