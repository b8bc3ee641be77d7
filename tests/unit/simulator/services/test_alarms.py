# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alarms on hosts and clusters: who shows them, who acknowledged them, and the one that comes with a silent host."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim, vmodl

from simulator.lab.hardware.cards import LabError
from simulator.services.alarms import CONNECTION
from tests.unit.simulator.world import World

PC = vmodl.query.PropertyCollector


def red(entity: Any) -> list[tuple[str, str, str, bool]]:
    return [
        (state.alarm.info.name, state.entity.name, state.overallStatus, bool(state.acknowledged))
        for state in entity.triggeredAlarmState
    ]


def test_an_alarm_is_shown_by_its_host_and_by_all_above(world: World) -> None:
    host, other = world.host("esx-01"), world.host("esx-02")
    world.sim.events["set_alarm"](on="esx-01.lab", alarm="Host memory usage")
    expected = [("Host memory usage", "esx-01.lab", "red", False)]
    for entity in (host, host.parent, world.content.rootFolder):
        assert red(entity) == expected
    assert red(other) == []
    assert (host.overallStatus, host.summary.overallStatus, host.parent.overallStatus) == ("red", "red", "green")
    world.sim.events["set_alarm"](on="esx-01.lab", alarm="Host memory usage", status="green")
    assert red(host.parent) == []
    assert host.overallStatus == "green"


def test_acknowledged_alarms_stay_red_and_say_who_has_seen_them(world: World) -> None:
    host = world.host("esx-01")
    world.sim.events["set_alarm"](on="esx-01.lab", alarm="Fan")
    alarm = host.triggeredAlarmState[0].alarm
    world.content.alarmManager.AcknowledgeAlarm(alarm, host)
    (state,) = host.triggeredAlarmState
    assert (state.overallStatus, state.acknowledged) == ("red", True)
    assert state.acknowledgedByUser == "administrator@vsphere.local"
    assert state.key == f"{alarm._moId}.{host._moId}"
    assert [item.key for item in world.content.alarmManager.GetAlarmState(host)] == [state.key]
    with pytest.raises(vmodl.fault.InvalidArgument):
        world.content.alarmManager.AcknowledgeAlarm(alarm, world.host("esx-02"))
    world.sim.events["set_alarm"](on="esx-01.lab", alarm="Fan", status="yellow")
    assert red(host) == [("Fan", "esx-01.lab", "yellow", False)]


def test_alarms_of_the_lab_are_there_from_the_start() -> None:
    cluster = {"name": "c", "alarms": ["vSphere HA failover in progress"]}
    host = {"name": "a", "alarms": [{"name": "Disk", "status": "yellow", "acknowledged": True}]}
    world = World({"datacenters": [{"name": "DC", "clusters": [{**cluster, "hosts": [host]}]}]})
    assert red(world.host("a")) == [("Disk", "a", "yellow", True)]
    assert sorted(red(world.host("a").parent)) == [
        ("Disk", "a", "yellow", True),
        ("vSphere HA failover in progress", "c", "red", False),
    ]


def test_a_host_that_does_not_respond_is_red_until_it_is_back(world: World) -> None:
    host = world.host("esx-03")
    world.enter(host)
    world.wait(host.RebootHost_Task(False))
    world.advance(60)
    assert red(host) == [(CONNECTION, "esx-03.lab", "red", False)]
    world.advance(400)
    assert red(host) == []
    world.sim.events["set_knob"](name="connection_alarm", value=False)
    world.sim.events["lose_contact"](host="esx-03.lab")
    assert red(host) == []


def test_a_disconnected_host_is_not_red(world: World) -> None:
    world.sim.events["disconnect_host"](host="esx-03.lab")
    world.advance(5)
    assert red(world.host("esx-03")) == []


def test_a_watching_client_hears_of_it(world: World) -> None:
    host = world.host("esx-01")
    spec = PC.FilterSpec(
        objectSet=[PC.ObjectSpec(obj=host)],
        propSet=[PC.PropertySpec(type=vim.HostSystem, pathSet=["triggeredAlarmState"])],
    )
    collector = world.content.propertyCollector
    collector.CreateFilter(spec, True)
    version = collector.WaitForUpdatesEx("", PC.WaitOptions(maxWaitSeconds=0)).version
    world.sim.events["set_alarm"](on="esx-01.lab", alarm="Fan")
    update = collector.WaitForUpdatesEx(version, PC.WaitOptions(maxWaitSeconds=0))
    assert update.filterSet[0].objectSet[0].changeSet[0].val[0].overallStatus == "red"
    (event,) = world.content.eventManager.QueryEvents(
        vim.event.EventFilterSpec(eventTypeId=["vim.event.AlarmStatusChangedEvent"])
    )
    assert (event.alarm.name, event.entity.name, event.to) == ("Fan", "esx-01.lab", "red")


def test_acknowledging_needs_its_privilege() -> None:
    world = World("three_hosts")
    world.sim.events["set_alarm"](on="esx-01.lab", alarm="Fan")
    reader = world.sim.stub().connect("reader@vsphere.local")
    alarm = world.host("esx-01").triggeredAlarmState[0].alarm
    with pytest.raises(vim.fault.NoPermission) as caught:
        reader.content.alarmManager.AcknowledgeAlarm(alarm, world.host("esx-01"))
    assert caught.value.privilegeId == "Alarm.Acknowledge"


def test_events_that_make_no_sense_say_so(world: World) -> None:
    with pytest.raises(LabError, match="red, yellow or green"):
        world.sim.events["set_alarm"](on="esx-01.lab", alarm="Fan", status="blue")
    with pytest.raises(LabError, match="not triggered"):
        world.sim.events["acknowledge_alarm"](on="esx-01.lab", alarm="Fan")
    home = World("home")
    with pytest.raises(LabError, match="no alarms"):
        home.sim.events["set_alarm"](on=home.sim.find("Folder", "ha-folder-root").name, alarm="Fan")
    assert home.content.alarmManager is None
