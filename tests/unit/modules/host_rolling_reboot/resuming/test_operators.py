# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other people, and what breaks, during a rolling reboot: what is theirs is left to them, and what is not proven is not released."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.modules.host_rolling_reboot.lab import Roll, fleet

pytestmark = pytest.mark.slow

EVE = "eve@vsphere.local"


def lab(**more: Any) -> dict[str, Any]:
    made = fleet(**{"hosts": 3, "vms": 1, **more})
    made["users"].append({"name": EVE, "password": "VMware1!", "role": "Admin"})
    return made


def rolling(*hosts: str, **options: Any) -> Roll:
    chosen = {"hosts": list(hosts)} if hosts else {"cluster": ["c1"]}
    return Roll.of(lab(), **{**chosen, **options})


def event(roll: Roll, name: str, **fields: Any) -> Callable[[], Any]:
    return lambda: roll.lab.sim.events[name](**fields)


def test_somebody_who_takes_over_the_draining_of_a_host_has_it() -> None:
    roll = rolling("c1-esx-01")
    roll.at(6, event(roll, "cancel_entering", host="c1-esx-01.lab", user=EVE))
    roll.at(6.1, event(roll, "enter_maintenance", host="c1-esx-01.lab", user=EVE))
    result = roll.fail()
    assert result["error_code"] == "maintenance_by_other"
    assert roll.host("c1-esx-01")["entering"]
    assert roll.reboots() == {}
    assert not {"ExitMaintenanceMode_Task", "CancelTask"} & set(roll.lab.writes())


def test_somebody_who_enters_at_once_is_not_cancelled() -> None:
    """Both at the same moment: there is nothing between that could be seen."""
    roll = rolling("c1-esx-01")

    def take() -> None:
        event(roll, "cancel_entering", host="c1-esx-01.lab", user=EVE)()
        event(roll, "enter_maintenance", host="c1-esx-01.lab", user=EVE)()

    roll.at(6, take)
    result = roll.fail()
    assert result["error_code"] == "maintenance_by_other"
    roll.lab.sim.clock.sleep(60)
    assert roll.host("c1-esx-01")["maintenance"]
    assert roll.reboots() == {}
    assert not {"ExitMaintenanceMode_Task", "CancelTask"} & set(roll.lab.writes())


def test_somebody_who_takes_a_host_right_after_its_release_has_it() -> None:
    roll = Roll.pinned(pinned_vms="shutdown", hosts=["esx-01"])
    roll.options.pop("cluster")
    taken: list[float] = []

    def take() -> None:
        host = roll.lab.sim.find("HostSystem", "esx-01.lab")
        left = any(call.method == "ExitMaintenanceMode_Task" for call in roll.lab.sim.journal.calls)
        if left and not host.in_maintenance and not taken:
            taken.append(roll.lab.sim.clock.seconds())
            roll.lab.sim.events["enter_maintenance"](host="esx-01.lab", user="administrator@vsphere.local")
        elif not taken:
            roll.at(0.5, take)

    take()
    result = roll.fail()
    assert result["error_code"] == "maintenance_by_other"
    assert roll.host("esx-01")["maintenance"] or roll.host("esx-01")["entering"]
    assert roll.lab.writes().count("ExitMaintenanceMode_Task") == 1
    assert "CancelTask" not in roll.lab.writes()


@pytest.mark.parametrize("moment", [25, 40, 200, 330])
def test_somebody_who_ends_the_maintenance_mode_of_a_host_that_reboots_loses_nothing(moment: float) -> None:
    roll = rolling("c1-esx-01")

    def leave() -> None:
        host = roll.lab.sim.find("HostSystem", "c1-esx-01.lab")
        host.set("runtime.inMaintenanceMode", False)

    roll.at(moment, leave)
    result = roll.run()
    assert result["state"] == "finished"
    roll.assert_over({"c1-esx-01"})


def test_a_host_that_somebody_else_reboots_meanwhile_is_not_rebooted_again() -> None:
    roll = rolling("c1-esx-01")
    host = roll.lab.sim.find("HostSystem", "c1-esx-01.lab")

    def reboot() -> None:
        if host.in_maintenance and not host.journey:
            roll.lab.sim.events["reboot_host"](host="c1-esx-01.lab", user=EVE)
        elif not host.journey:
            roll.at(0.01, reboot)

    # Somebody who is faster by a hair.
    roll.lab.sim.on_write(None, lambda write: reboot() if write.method == "SetField" else None, when="before")
    result = roll.run()
    assert result["state"] == "finished"
    assert roll.reboots() == {}
    roll.assert_over({"c1-esx-01"})


TROUBLES: dict[str, tuple[str, dict[str, Any], str]] = {
    "an alarm on the host": (
        "set_alarm",
        {"on": "c1-esx-01.lab", "alarm": "Host hardware", "status": "red"},
        "red_alarms",
    ),
    "an alarm on the cluster": ("set_alarm", {"on": "c1", "alarm": "vSphere HA", "status": "red"}, "red_alarms"),
    "a task of somebody else": (
        "run_task",
        {"on": "c1-esx-01.lab", "task": "HostSystem.configure", "seconds": 9000, "user": EVE},
        "task_running",
    ),
    "remediation": (
        "run_task",
        {"on": "c1", "task": "com.vmware.vcIntegrity.RemediateTask", "seconds": 90000, "user": EVE},
        "remediation_running",
    ),
    "no contact": ("lose_contact", {"host": "c1-esx-01.lab"}, "host_unreachable"),
    "disconnected": ("disconnect_host", {"host": "c1-esx-01.lab"}, "host_unreachable"),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_what_is_in_the_way_is_named_before_anything_moves(name: str) -> None:
    what, fields, code = TROUBLES[name]
    roll = rolling("c1-esx-01")
    roll.lab.sim.events[what](**fields)
    roll.lab.sim.clock.sleep(30)
    roll.lab.sim.journal.clear()
    planned = roll.lab.run("host_rolling_reboot", check=True, fails=True, **roll.options)
    assert planned["error_code"] == code
    assert roll.lab.writes() == []
    result = roll.fail()
    assert result["error_code"] == code
    assert result["changed"] is False
    assert not [method for method in roll.lab.writes() if method.endswith("_Task")]
    assert roll.texts() == {}
    assert roll.attributes() == []


def test_what_was_in_the_way_and_goes_away_is_waited_for_where_that_is_asked_for() -> None:
    roll = rolling("c1-esx-01", blocked_timeout=7200)
    events = roll.lab.sim.events
    events["set_alarm"](on="c1-esx-01.lab", alarm="Host hardware", status="red")
    roll.at(1800, event(roll, "acknowledge_alarm", on="c1-esx-01.lab", alarm="Host hardware", user=EVE))
    assert roll.run()["state"] == "finished"
    roll.assert_over({"c1-esx-01"})


LOSSES: dict[str, tuple[str, dict[str, Any], str]] = {
    "a datastore": ("set_datastore", {"datastore": "DS", "state": "missing", "at_boot": True}, "datastores_missing"),
    "another card": ("swap_card", {"address": "0000:3b:00.0", "card": "h100"}, "identity_changed"),
    "no card": ("remove_card", {"address": "0000:3b:00.0"}, "device_gone"),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_host_that_lost_something_at_its_boot_stays_in_maintenance_mode(name: str) -> None:
    what, fields, code = LOSSES[name]
    roll = rolling("c1-esx-01", verify_timeout=60)
    host = roll.lab.sim.find("HostSystem", "c1-esx-01.lab")
    if "datastore" in fields:
        fields = {**fields, "datastore": sorted(roll.lab.sim.obj(ref).name for ref in host.get("datastore"))[0]}
    roll.lab.sim.events[what](host=host.name, **fields)
    result = roll.fail()
    assert result["error_code"] == code, result["msg"]
    assert roll.host("c1-esx-01")["maintenance"]
    assert roll.reboots() == {"c1-esx-01.lab": 1}
    roll.fail()
    assert roll.reboots() == {"c1-esx-01.lab": 1}


@pytest.mark.parametrize("answer", ["refuse", "drop", "503"])
@pytest.mark.parametrize("tasks", ["fail", "keep"])
@pytest.mark.parametrize("moment", [7, 30, 200])
def test_vcenter_restarts_in_the_middle(answer: str, tasks: str, moment: float) -> None:
    roll = rolling("c1-esx-01", "c1-esx-02")
    roll.at(moment, event(roll, "restart_vcenter", seconds=240, answer=answer, tasks=tasks))
    result = roll.run()
    assert result["state"] == "finished"
    roll.assert_over({"c1-esx-01", "c1-esx-02"})


def test_services_that_take_their_time_are_waited_for() -> None:
    roll = rolling("c1-esx-01")
    roll.lab.sim.events["set_knob"](name="services_seconds", value=90, host="c1-esx-01.lab")
    result = roll.run()
    roll.assert_over({"c1-esx-01"})
    assert result["hosts"][0]["seconds"]["reboot"] >= 400
    refreshed = roll.lab.writes().count("Refresh")
    assert 3 <= refreshed <= 25


def test_all_sessions_end_every_minute() -> None:
    roll = rolling("c1-esx-01")
    for minute in range(1, 9):
        roll.at(60 * minute, event(roll, "end_sessions"))
    result = roll.run()
    assert result["state"] == "finished"
    assert 3 <= result["logins"] <= 10
    roll.assert_over({"c1-esx-01"})
