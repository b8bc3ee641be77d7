# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is lost in the middle of a rolling reboot: a host, a VM, a privilege, contact for a while; and what comes back as another."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._shell import host_rolling_reboot as rolling
from tests.unit.modules.host_rolling_reboot.disturbed.test_clocks import after, in_slices
from tests.unit.modules.host_rolling_reboot.lab import Killed, Roll, die

pytestmark = pytest.mark.slow


def pinned(*hosts: str, **options: Any) -> Roll:
    roll = Roll.pinned(pinned_vms="shutdown", **options)
    roll.options.pop("cluster")
    roll.options["hosts"] = list(hosts)
    return roll


# --------------------------------------------------------------------------------------------------------------- a host is gone


@pytest.mark.parametrize("length", [0, 60])
@pytest.mark.parametrize("hosts", [("esx-01",), ("esx-01", "esx-03")])
@pytest.mark.parametrize(
    ("method", "seconds"), [("ShutdownGuest", 25.0), ("RebootHost_Task", 60.0), ("RebootHost_Task", 325.0)]
)
def test_a_host_that_is_removed_has_failed_and_its_vms_are_named(
    method: str, seconds: float, hosts: tuple[str, ...], length: int
) -> None:
    roll = pinned(*hosts)
    after(roll, method, lambda: roll.lab.sim.events["remove_host"](host="esx-01.lab"), seconds)
    result = in_slices(roll, length) if length else roll.fail()
    assert result["failed"], result
    assert result["error_code"] == "host_removed"
    assert "esx-01.lab was removed from vCenter while" in result["msg"]
    assert "train-01" in result["msg"]


def test_a_vm_of_it_that_was_moved_before_runs_again() -> None:
    roll = pinned("esx-01", "esx-03")
    sim = roll.lab.sim

    def move_and_remove() -> None:
        sim.events["move_vm"](vm="train-01", host="esx-03.lab")
        sim.events["remove_host"](host="esx-01.lab")

    after(roll, "RebootHost_Task", move_and_remove, 60.0)
    result = roll.fail()
    assert result["error_code"] == "host_removed"
    vm = roll.vm("train-01")
    assert vm["power"] == "poweredOn" or "train-01" in result["msg"]
    assert "train-01 (removed" not in result["msg"]


def test_a_vm_that_is_removed_while_it_is_off_is_named() -> None:
    roll = pinned("esx-01")
    after(roll, "RebootHost_Task", lambda: roll.lab.sim.events["remove_vm"](vm="train-01"), 60.0)
    result = roll.fail()
    assert result["error_code"] == "vms_left_off"
    assert "removed from the inventory" in result["msg"]
    assert "train-01" in result["msg"]
    assert not roll.host("esx-01")["maintenance"], "the host is done all the same"


# -------------------------------------------------------------------------------------------------------------- a right is gone

PRIVILEGES = [
    "Host.Config.Maintenance",
    "Host.Config.Power",
    "Host.Config.PciPassthru",
    "VirtualMachine.Interact.PowerOn",
    "VirtualMachine.Interact.PowerOff",
    "Resource.HotMigrate",
    "Global.SetCustomField",
    "Global.ManageCustomFields",
]


def as_roller(*hosts: str, **options: Any) -> Roll:
    roll = pinned(*hosts, **options)
    roll.lab.sim.authz.add_role("roller", PRIVILEGES)
    roll.lab.sim.authz.add_user("roller@vsphere.local", "VMware1!", "roller")
    roll.lab.user = "roller@vsphere.local"
    roll.lab.sim.journal.clear()
    return roll


def take(roll: Roll, *privileges: str, granted: bool = False) -> None:
    roll.lab.sim.events["set_role"](role="roller", privileges=list(privileges), granted=granted)


@pytest.mark.parametrize(
    ("method", "seconds"),
    [
        ("EnterMaintenanceMode_Task", 1.0),
        ("ShutdownGuest", 25.0),
        ("RebootHost_Task", 60.0),
        ("ExitMaintenanceMode_Task", 0.0),
    ],
)
def test_a_privilege_that_is_taken_away_ends_the_run(method: str, seconds: float) -> None:
    roll = as_roller("esx-01", "esx-03")
    begun = roll.lab.sim.clock.seconds()
    after(roll, method, lambda: take(roll, "Global.SetCustomField"), seconds)
    result = roll.fail()
    assert roll.lab.sim.clock.seconds() - begun < 3600
    assert result["error_code"] == "journal_unwritable"
    assert "Global.SetCustomField" in result["msg"]
    for name in ("esx-01", "esx-03"):
        host = roll.host(name)
        assert not host["maintenance"] or name in result["msg"]
    assert roll.vm("train-01")["power"] == "poweredOn" or "train-01" in result["msg"]
    refused = [call for call in roll.lab.sim.journal.calls if call.method == "SetField" and not call.effect]
    assert len(refused) < 200
    take(roll, "Global.SetCustomField", granted=True)
    assert roll.run(take_lock="force")["state"] == "finished"
    assert all(not host["maintenance"] for host in roll.hosts())
    assert {vm["name"] for vm in roll.vms() if vm["power"] == "poweredOn"} == roll.running
    assert roll.texts() == {}


def test_a_privilege_that_returns_in_time_is_only_waited_for() -> None:
    roll = as_roller("esx-01")
    after(roll, "RebootHost_Task", lambda: take(roll, "Global.SetCustomField"), 10.0)
    after(roll, "RebootHost_Task", lambda: take(roll, "Global.SetCustomField", granted=True), 400.0)
    assert roll.run()["state"] == "finished"
    roll.assert_over({"esx-01"})


def test_a_privilege_on_one_object_is_missed_although_others_can_be_written() -> None:
    """The lock can be renewed all the time, so the journal as a whole works."""
    roll = pinned("esx-01")
    roll.lab.sim.faults.add(
        method="SetField",
        after=12,
        fault="NoPermission",
        fields={"privilegeId": "Global.SetCustomField"},
        times=400,
    )
    begun = roll.lab.sim.clock.seconds()
    result = roll.fail()
    assert result["error_code"] == "journal_unwritable"
    assert roll.lab.sim.clock.seconds() - begun < 3600


# ----------------------------------------------------------------------------------------------------- it comes back as another


@pytest.mark.parametrize(("build", "way"), [("20000000", "an older build"), ("29999999", "a newer build")])
def test_another_build_is_named_and_not_released(build: str, way: str) -> None:
    roll = pinned("esx-01")
    roll.lab.sim.events["upgrade"](host="esx-01.lab", build=build)
    result = roll.fail()
    assert result["error_code"] == "build_changed"
    assert build in result["msg"]
    assert way in result["msg"]
    assert roll.host("esx-01")["maintenance"]
    assert roll.vm("train-01")["power"] == "poweredOff"
    roll.lab.sim.clock.sleep(60)
    again = roll.run(failed_hosts="verify", allow_build_change=[build])
    assert again["state"] == "finished"
    assert "its build changed from" in again["hosts"][0]["reason"]
    roll.assert_over({"esx-01"})


def test_another_build_that_is_named_is_released() -> None:
    roll = pinned("esx-01", allow_build_change=["29999999"])
    roll.lab.sim.events["upgrade"](host="esx-01.lab", build="29999999")
    assert roll.run()["state"] == "finished"
    roll.assert_over({"esx-01"})


# --------------------------------------------------------------------------------------------------------------------- flapping


@pytest.mark.parametrize("away", [30, 500])
def test_a_host_that_flaps_is_waited_for(away: float) -> None:
    roll = Roll.of(cluster=["compute"])
    sim = roll.lab.sim
    sim.events["lose_contact"](host="esx-01.lab")
    roll.at(away, lambda: sim.events["regain_contact"](host="esx-01.lab"))
    assert roll.run()["state"] == "finished"
    roll.assert_over()


def test_a_host_that_does_not_respond_any_more_is_the_reason() -> None:
    roll = Roll.of(hosts=["esx-03"])
    sim = roll.lab.sim
    sim.events["lose_contact"](host="esx-01.lab")
    begun = sim.clock.seconds()
    result = roll.fail()
    assert "esx-01.lab (notResponding)" in "; ".join(result["reasons"])
    assert 590 <= sim.clock.seconds() - begun <= 700


# ------------------------------------------------------------------------------------------------ refused, reported, renewed


@pytest.mark.parametrize("in_task", [False, True])
def test_a_reboot_that_is_rejected_once_is_made_again(in_task: bool) -> None:
    roll = Roll.of(hosts=["esx-03"], reboot_timeout=600)
    roll.lab.sim.faults.add(method="RebootHost_Task", fault="InvalidState", times=1, in_task=in_task)
    begun = roll.lab.sim.clock.seconds()
    assert roll.run()["state"] == "finished"
    assert roll.lab.sim.clock.seconds() - begun < 460, "a minute later"
    if not in_task:
        roll.assert_over({"esx-03"})
    assert not roll.host("esx-03")["maintenance"]
    assert not [device for device in roll.host("esx-03")["devices"] if device["pending"]]


@pytest.mark.parametrize("length", [0, 30])
def test_or_reported_with_that_fault(length: int) -> None:
    roll = Roll.of(hosts=["esx-03"], reboot_timeout=60)
    roll.lab.sim.faults.add(method="RebootHost_Task", fault="InvalidState", times=1)
    result = in_slices(roll, length) if length else roll.fail()
    assert result["error_code"] == "reboot_refused"
    assert "not allowed in the current state" in result["msg"]
    assert "is not back" not in result["msg"]


def test_a_later_run_reports_the_present_state() -> None:
    roll = Roll.of(hosts=["esx-03"], reboot_timeout=400)
    sim = roll.lab.sim
    sim.find("HostSystem", "esx-03.lab").knobs["boot_seconds"] = 900.0
    assert roll.fail()["error_code"] == "not_back"
    sim.clock.sleep(3600)
    later = roll.fail()
    assert "esx-03.lab is connected and in maintenance mode now; at 20" in later["msg"]
    assert "is not back 7 min after" in later["msg"]
    checked = roll.lab.run("host_rolling_reboot", check=True, fails=True, **roll.options)
    assert "esx-03.lab is connected and in maintenance mode now; at 20" in checked["msg"]


@pytest.mark.parametrize("later", [6, 47])
def test_the_age_of_a_lock_is_the_real_one(later: float, monkeypatch: pytest.MonkeyPatch) -> None:
    roll = Roll.of(hosts=["esx-03"])
    roll.lab.sim.on_write(1, die, when="after", method="EnterMaintenanceMode_Task")
    with pytest.raises(Killed):
        roll.run()
    roll.lab.sim.clock.sleep(later)
    monkeypatch.setattr(rolling, "is_gone", lambda owner: True)
    monkeypatch.setattr(rolling, "watch_parent", lambda run_id, is_gone: lambda: False)
    result = roll.run()
    (note,) = [note for note in result["notes"] if "is stale" in note]
    age = int(note.split("its last heartbeat is ")[1].split(" s old")[0])
    assert later <= age <= later + 10
    roll.assert_over({"esx-03"})


@pytest.mark.parametrize("trouble", [{"http": 503}, {"drop": "before"}, {"drop": "after"}])
@pytest.mark.parametrize("method", ["EnterMaintenanceMode_Task", "SetField", "WaitForUpdatesEx"])
def test_a_login_that_meets_trouble_is_made_again(method: str, trouble: dict[str, Any]) -> None:
    """The session has ended, and the server is busy when it is renewed: the call, also a write, goes on as if nothing had been."""
    roll = Roll.of(hosts=["esx-03"])
    roll.lab.sim.faults.add(method=method, fault="NotAuthenticated", times=1, after=2 if method != "SetField" else 3)
    login = roll.lab.sim.faults.add(method="Login", after=1, times=2, **trouble)
    if method == "EnterMaintenanceMode_Task":
        roll.lab.sim.faults.rules[0].after = 0
    result = roll.run()
    assert result["state"] == "finished"
    assert login.hits == 2
    assert not any("503" in note or "connection" in note for note in result["notes"]), result["notes"]
    roll.assert_over({"esx-03"})


@pytest.mark.parametrize("record", [{"hosts": {"host-1": 1}}, {"vms": ["vm-1"]}, {"silent": {"host-1": "long"}}])
def test_what_no_slice_returned_is_refused_before_anything_is_connected(record: dict[str, Any]) -> None:
    roll = Roll.of(cluster=["compute"])
    before = roll.lab.calls()
    failed = roll.fail(earlier_slices=record)
    assert (failed["error_code"], failed["parameter"]) == ("bad_resolved", "earlier_slices")
    assert roll.lab.calls() == before
