# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rolling reboots while the server, the network and other people do what they do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyVmomi import vim

from tests.unit.modules.host_rolling_reboot.lab import Roll, fleet

pytestmark = pytest.mark.slow

WRITES = [
    "AddCustomFieldDef",
    "SetField",
    "EnterMaintenanceMode_Task",
    "RebootHost_Task",
    "ExitMaintenanceMode_Task",
    "ShutdownGuest",
    "PowerOnVM_Task",
    "RemoveCustomFieldDef",
    "Refresh",
]
READS = [
    "WaitForUpdatesEx",
    "RetrievePropertiesEx",
    "CurrentTime",
    "RetrieveHardwareUptime",
    "ClusterEnterMaintenanceMode",
]
TROUBLES = [{"http": 503}, {"drop": "before"}, {"drop": "after"}, {"fault": "NotAuthenticated"}]


def told(rule: dict[str, Any]) -> str:
    return str(rule.get("http") or rule.get("drop") or rule.get("fault"))


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize("trouble", TROUBLES, ids=told)
def test_a_write_that_meets_trouble_is_made_once(method: str, trouble: dict[str, Any]) -> None:
    roll = Roll.pinned(pinned_vms="shutdown")
    roll.options.pop("cluster")
    roll.options["hosts"] = ["esx-01"]
    rule = roll.lab.sim.faults.add(method=method, times=1, after=1 if method == "SetField" else 0, **trouble)
    result = roll.run()
    assert rule.hits == 1
    assert result["state"] == "finished"
    assert roll.attributes() == []
    roll.lab.sim.faults.clear()
    roll.run()
    roll.assert_over({"esx-01"})


def test_a_journal_that_cannot_be_removed_is_said_and_the_next_run_removes_it() -> None:
    roll = Roll.of(cluster=["compute"])
    roll.lab.sim.faults.add(method="RemoveCustomFieldDef", http=503)
    result = roll.run()
    assert result["state"] == "finished"
    assert any("Cannot remove the journal" in note and "503" in note for note in result["notes"])
    assert roll.attributes()
    roll.lab.sim.faults.clear()
    roll.run()
    roll.assert_over()


@pytest.mark.parametrize("method", READS)
@pytest.mark.parametrize("trouble", TROUBLES, ids=told)
def test_a_read_that_meets_trouble_is_made_again(method: str, trouble: dict[str, Any]) -> None:
    roll = Roll.of(fleet(hosts=2, vms=1), hosts=["c1-esx-01"])
    roll.lab.sim.faults.add(method=method, times=6, after=2 if method in READS[:2] else 0, **trouble)
    result = roll.run()
    assert result["state"] == "finished"
    roll.assert_over({"c1-esx-01"})


def test_every_tenth_call_goes_wrong() -> None:
    roll = Roll.of(cluster=["compute"])
    sim = roll.lab.sim
    for number in range(40):
        sim.faults.add(after=9 * number + 17, times=1, **TROUBLES[number % 4])
    result = roll.run()
    assert result["state"] == "finished"
    sim.faults.clear()
    roll.run()
    roll.assert_over()


@pytest.mark.parametrize("moment", [1, 12, 30, 200, 338])
def test_vcenter_is_away_for_minutes(moment: float) -> None:
    roll = Roll.of(cluster=["compute"])
    roll.at(moment, roll.lab.sim.go_offline)
    roll.at(moment + 400, roll.lab.sim.go_online)
    result = roll.run()
    assert result["state"] == "finished"
    assert any("responds again" in note for note in result["notes"])
    assert result["logins"] == 2
    roll.assert_over()


def test_vcenter_that_does_not_come_back_is_a_sentence_and_the_next_run_goes_on() -> None:
    roll = Roll.of(cluster=["compute"], lock_ttl=60)
    roll.at(100, roll.lab.sim.go_offline)
    result = roll.fail()
    assert result["ended"] is False
    assert result["error_code"] in ("refused", "connection_lost")
    roll.lab.sim.go_online()
    roll.run()
    roll.assert_over()


def test_an_operator_who_takes_a_host_keeps_it() -> None:
    roll = Roll.of(cluster=["compute"])
    sim = roll.lab.sim
    api = sim.stub().connect().content
    host = api.searchIndex.FindByDnsName(None, "esx-02.lab", False)
    host.EnterMaintenanceMode_Task(0)
    sim.clock.sleep(60)
    result = roll.fail(max_unavailable="2", canary=False)
    assert result["error_code"] == "maintenance_by_other"
    assert result["rebooted"] == ["esx-01.lab", "esx-03.lab"]
    assert roll.host("esx-02")["maintenance"]
    used = roll.run(operator_maintenance="use", max_unavailable="2")
    assert used["rebooted"] == ["esx-02.lab"]
    assert roll.host("esx-02")["maintenance"], "it stays in the maintenance mode of the operator"


def test_a_host_whose_maintenance_mode_somebody_ends_while_it_is_drained_is_left_to_them() -> None:
    roll = Roll.of(cluster=["compute"])
    sim = roll.lab.sim

    stub = sim.stub()
    stub.connect()

    def cancel() -> None:
        running = [
            ref._moId for ref in sim.find("HostSystem", "esx-01.lab").tasks if sim.obj(ref).info.state == "running"
        ]
        vim.Task(running[0], stub).CancelTask()

    roll.at(10, cancel)
    result = roll.run()
    assert result["state"] == "finished"
    roll.assert_over()
    phases = [row["after"] for row in result["transitions"] if row["host"] == "esx-01.lab"]
    assert "blocked" in phases, "it was given back, and had its turn later"


@pytest.mark.parametrize("refusal", ["NoPermission", "NotSupported", "InvalidState"])
def test_a_reboot_that_is_refused_leaves_the_host_in_maintenance_mode(refusal: str) -> None:
    roll = Roll.of(cluster=["compute"])
    fields = {"privilegeId": "Host.Config.Power"} if refusal == "NoPermission" else {}
    roll.lab.sim.faults.add(method="RebootHost_Task", fault=refusal, fields=fields)
    result = roll.fail()
    assert result["state"] == "halted"
    assert result["error_code"] == "reboot_refused"
    assert roll.host("esx-01")["maintenance"]
    assert roll.reboots() == {}


def test_maintenance_mode_that_is_refused_gives_the_host_back() -> None:
    roll = Roll.of(cluster=["compute"])
    roll.lab.sim.faults.add(
        method="EnterMaintenanceMode_Task",
        name="esx-01.lab",
        fault="NoPermission",
        fields={"privilegeId": "Host.Config.Maintenance"},
    )
    result = roll.fail()
    assert result["error_code"] == "no_permission"
    assert result["rebooted"] == ["esx-02.lab", "esx-03.lab"]
    assert not roll.host("esx-01")["maintenance"]


def test_a_vm_that_does_not_start_is_named() -> None:
    roll = Roll.pinned(pinned_vms="shutdown", hosts=["esx-01"])
    roll.options.pop("cluster")
    roll.lab.sim.faults.add(
        method="PowerOnVM_Task",
        name="train-01",
        fault="InsufficientMemoryResourcesFault",
        fields={"unreserved": 1, "requested": 2},
    )
    result = roll.fail()
    assert result["error_code"] == "vm_not_started"
    assert "train-01" in result["msg"]
    assert not roll.host("esx-01")["maintenance"]
    roll.lab.sim.faults.clear()
    roll.lab.sim.clock.sleep(60)
    assert roll.run()["state"] == "finished"
    roll.assert_over({"esx-01"})


def test_a_drain_that_does_not_end_names_who_stays_and_leaves_no_task() -> None:
    """DRS said that it would move the VM, and is then told not to."""
    roll = Roll.of(fleet(hosts=2, vms=1), hosts=["c1-esx-01"], drain_timeout=120)
    sim = roll.lab.sim

    def hands_off(write: Any) -> None:
        with sim.find("ClusterComputeResource", "c1").edit("configurationEx") as config:
            config.drsConfig.defaultVmBehavior = "manual"

    sim.on_write(1, hands_off, when="before", method="EnterMaintenanceMode_Task")
    result = roll.fail()
    assert "c1-web-1" in result["msg"]
    told = [call.args["timeout"] for call in sim.journal.calls if call.method == "EnterMaintenanceMode_Task"]
    assert told
    assert all(0 < timeout <= 120 for timeout in told), "the server gives up by itself when nobody is there to cancel"
    assert roll.reboots() == {}
    sim.clock.sleep(86400)
    host = roll.host("c1-esx-01")
    assert (host["maintenance"], host["entering"]) == (False, False)
    assert roll.vm("c1-web-1")["power"] == "poweredOn"


@pytest.mark.parametrize("boot", [97, 311, 1201])
def test_waiting_is_not_polling(boot: int) -> None:
    """Each wait ends when something happened, so no time is lost between a host's return and the next step."""
    roll = Roll.of(fleet(hosts=2, vms=1), hosts=["c1-esx-02"])
    knobs = {"down_after_seconds": 20, "boot_seconds": boot, "maintenance_seconds": 70}
    roll.lab.sim.find("HostSystem", "c1-esx-02.lab").knobs.update(knobs)
    (host,) = roll.run()["hosts"]
    assert 70 <= host["seconds"]["drain"] <= 72
    assert boot + 20 <= host["seconds"]["reboot"] <= boot + 22


def test_a_pause_attribute_holds_hosts_back_until_it_is_gone() -> None:
    roll = Roll.of(cluster=["compute"])
    sim = roll.lab.sim
    fields = sim.services.custom_fields

    def pause(text: str) -> None:
        key = next(item.key for item in fields.props["field"] if item.name == "directpath.roll.pause")
        fields.store(sim.find("ClusterComputeResource", "compute"), key, text)

    roll.at(50, lambda: pause("storage is being moved"))
    roll.at(2000, lambda: pause(""))
    result = roll.run()
    roll.assert_over()
    held = next(row for row in result["transitions"] if row["host"] == "esx-02.lab" and row["after"] == "draining")
    assert held["at"] >= result["transitions"][0]["at"] + 2000


def test_a_pause_file_does_the_same(tmp_path: Path) -> None:
    roll = Roll.of(cluster=["compute"])
    path = tmp_path / "pause"
    path.write_text("the night shift says no\n")
    roll.at(1000, path.unlink)
    result = roll.run(pause_file=str(path))
    roll.assert_over()
    begun = next(row for row in result["transitions"] if row["after"] == "draining")
    assert begun["at"] >= result["transitions"][0]["at"] + 1000
    assert any("the night shift says no" in row["reason"] for row in result["transitions"])


def test_without_the_privilege_the_journal_is_a_file(tmp_path: Path) -> None:
    lab = fleet(hosts=2, vms=1)
    needed = [
        "Host.Config.Maintenance",
        "Host.Config.Power",
        "Host.Config.PciPassthru",
        "VirtualMachine.Interact.PowerOn",
        "VirtualMachine.Interact.PowerOff",
        "Resource.HotMigrate",
        "Host.Config.Storage",
        "Host.Config.Network",
    ]
    lab["roles"] = {"roller": needed}
    lab["users"].append({"name": "roller@vsphere.local", "password": "VMware1!", "role": "roller"})
    roll = Roll.of(lab, cluster=["c1"], journal_dir=str(tmp_path))
    roll.lab.user = "roller@vsphere.local"
    result = roll.run()
    assert result["journal"]["kind"] == "file"
    assert "Global.SetCustomField" in result["journal"]["why"]
    roll.assert_over()
    assert list(tmp_path.iterdir()) == [], "nothing is left of it"
    assert "SetField" not in roll.lab.writes()


def test_a_journal_in_vcenter_that_cannot_be_is_refused_before_anything() -> None:
    lab = fleet(hosts=2, vms=1)
    lab["roles"] = {"viewer": []}
    lab["users"].append({"name": "viewer@vsphere.local", "password": "VMware1!", "role": "viewer"})
    roll = Roll.of(lab, cluster=["c1"])
    roll.lab.user = "viewer@vsphere.local"
    result = roll.fail(journal="vcenter")
    assert result["error_code"] == "journal_impossible"
    assert "Global.SetCustomField" in result["msg"]
    assert roll.lab.writes() == []


@pytest.mark.parametrize("away", [60, 900])
def test_an_esxi_host_that_takes_its_api_with_it(tmp_path: Path, away: float) -> None:
    roll = Roll.of("home", owing=False, hosts=["esx-home.lab"], journal_dir=str(tmp_path), pinned_vms="shutdown")
    lab = roll.lab
    lab.sim.knobs.set("boot_seconds", float(away))
    lab.run(
        "host_passthrough",
        hosts=["esx-home.lab"],
        devices=[{"match": {"class_id": "0108"}, "count": 1}],
        apply="reboot",
    )
    roll.remember()
    planned = lab.run("host_rolling_reboot", check=True, **roll.options)
    assert planned["schedule"]["stops"] == ["plex"]
    result = roll.run()
    assert result["state"] == "finished"
    assert result["journal"]["kind"] == "file"
    assert list(tmp_path.iterdir()) == []
    roll.assert_over({"esx-home"})


def test_an_esxi_host_cannot_keep_a_journal_in_its_attributes() -> None:
    roll = Roll.of("home", owing=False, hosts=["esx-home.lab"])
    assert roll.fail(journal="vcenter")["error_code"] == "journal_impossible"
