# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other people and services at work at the same time, and what the event log and the task lists tell of them."""

from __future__ import annotations

import ssl
from http.client import HTTPException
from typing import Any

import pytest
from pyVim.connect import Disconnect, SmartConnect
from pyVmomi import vim, vmodl

from simulator import ManualClock, Simulator
from simulator.lab.hardware.cards import LabError
from tests.unit.simulator.world import LABS, World

PC = vmodl.query.PropertyCollector
KINDS = ["EnteringMaintenanceModeEvent", "EnteredMaintenanceModeEvent", "ExitMaintenanceModeEvent"]


def log(world: World, **values: Any) -> list[tuple[str, str, str]]:
    spec = vim.event.EventFilterSpec(eventTypeId=[f"vim.event.{kind}" for kind in KINDS], **values)
    found = world.content.eventManager.QueryEvents(spec)
    return [(type(event).__name__.split(".")[-1], event.host.name, event.userName) for event in found]


def test_the_log_names_who_entered_and_left_maintenance_mode(world: World) -> None:
    me = "administrator@vsphere.local"
    host = world.host("esx-01")
    world.enter(host)
    world.wait(host.ExitMaintenanceMode_Task(0))
    world.advance(1)
    later = world.si.CurrentTime()
    world.sim.events["enter_maintenance"](host="esx-02.lab", user="operator@vsphere.local")
    world.advance(60)
    expected = [(kind, "esx-01.lab", me) for kind in KINDS]
    theirs = [(kind, "esx-02.lab", "operator@vsphere.local") for kind in KINDS[:2]]
    assert log(world) == expected + theirs
    about = vim.event.EventFilterSpec.ByEntity(entity=host, recursion="self")
    assert log(world, entity=about) == expected
    assert log(world, time=vim.event.EventFilterSpec.ByTime(beginTime=later)) == theirs
    assert log(world, userName=vim.event.EventFilterSpec.ByUsername(systemUser=False, userList=[me])) == expected


def test_names_may_come_with_the_domain_in_front() -> None:
    world = World("three_hosts")
    world.sim.knobs.set("user_names", "domain")
    client = world.sim.stub().connect()
    name = "VSPHERE.LOCAL\\administrator"
    assert client.content.sessionManager.currentSession.userName == name
    task = client.content.searchIndex.FindByDnsName(None, "esx-01.lab", False).EnterMaintenanceMode_Task(0, False)
    assert task.info.reason.userName == name
    world.advance(60)
    assert task.info.state == "success"
    assert {user for _kind, _host, user in log(world)} == {name}


def test_somebody_takes_the_host_out_again_and_reboots_it(world: World) -> None:
    host = world.host("esx-01")
    world.enter(host)
    world.sim.events["reboot_host"](host="esx-01.lab", user="bob")
    world.advance(400)
    assert (host.runtime.connectionState, host.runtime.inMaintenanceMode) == ("connected", True)
    world.sim.events["exit_maintenance"](host="esx-01.lab", user="bob")
    world.advance(10)
    assert not host.runtime.inMaintenanceMode
    assert log(world)[-1] == ("ExitMaintenanceModeEvent", "esx-01.lab", "bob")


def test_somebody_cancels_the_entering(world: World) -> None:
    world.sim.knobs.set("maintenance_seconds", 600.0)
    task = world.host("esx-01").EnterMaintenanceMode_Task(0, False)
    world.advance(30)
    world.sim.events["cancel_entering"](host="esx-01.lab", user="bob")
    assert isinstance(task.info.error, vmodl.fault.RequestCanceled)
    with pytest.raises(LabError, match="not entering"):
        world.sim.events["cancel_entering"](host="esx-01.lab", user="bob")


def test_a_task_of_somebody_else_is_in_the_list_of_its_object_only(world: World) -> None:
    cluster = world.host("esx-01").parent
    name = "com.vmware.vcIntegrity.RemediateTask"
    moid = world.sim.events["run_task"](on="compute", task=name, seconds=300, user="bob")
    world.advance(1)
    (task,) = cluster.recentTask
    assert (task._moId, task.info.descriptionId, task.info.state) == (moid, name, "running")
    assert (task.info.entity.name, task.info.reason.userName) == ("compute", "bob")
    assert list(world.host("esx-01").recentTask) == []
    world.advance(310)
    assert task.info.state == "success"
    other = world.sim.events["run_task"](on="esx-01.lab", task="HostSystem.updateFirmware")
    world.advance(1)
    world.sim.events["end_task"](task=other)
    assert world.host("esx-01").recentTask[0].info.state == "success"
    with pytest.raises(LabError, match="no task"):
        world.sim.events["end_task"](task="task-999")


def test_recent_tasks_come_and_go_in_a_watched_traversal(world: World) -> None:
    cluster = world.host("esx-01").parent
    tasks = PC.TraversalSpec(type=vim.HostSystem, path="recentTask")
    hosts = PC.TraversalSpec(type=vim.ComputeResource, path="host", selectSet=[tasks])
    spec = PC.FilterSpec(
        objectSet=[PC.ObjectSpec(obj=cluster, skip=True, selectSet=[hosts])],
        propSet=[PC.PropertySpec(type=vim.Task, pathSet=["info.state", "info.descriptionId"])],
    )
    collector = world.content.propertyCollector
    collector.CreateFilter(spec, True)
    seen: dict[str, list[str]] = {}
    version = ""
    task = world.host("esx-02").EnterMaintenanceMode_Task(0, False)
    for _unused in range(40):
        answer = collector.WaitForUpdatesEx(version, PC.WaitOptions(maxWaitSeconds=60))
        if answer is None:
            continue
        version = answer.version
        for update in [item for each in answer.filterSet for item in each.objectSet]:
            states = [change.val for change in update.changeSet if change.name == "info.state"]
            seen.setdefault(update.obj._moId, []).extend(states if update.kind != "leave" else ["gone"])
    assert seen[task._moId] == ["queued", "running", "success", "gone"]


def test_a_machine_is_moved_by_hand(world: World) -> None:
    world.sim.events["move_vm"](vm="web-01", host="esx-03.lab")
    assert world.vm("web-01").runtime.host.name == "esx-03.lab"
    assert "web-01" in [vm.name for vm in world.host("esx-03").vm]


def test_somebody_writes_a_custom_attribute(world: World) -> None:
    world.sim.events["set_custom_value"](on="compute", attribute="team.pause", value="audit")
    cluster = world.host("esx-01").parent
    (value,) = cluster.customValue
    (field,) = world.content.customFieldsManager.field
    assert (field.name, field.key, value.key, value.value) == ("team.pause", 101, 101, "audit")
    world.sim.events["set_custom_value"](on="compute", attribute="team.pause", value="")
    assert [item.value for item in cluster.customValue] == [""]


# -- the endpoint -------------------------------------------------------------------------------------------------


def test_a_vcenter_that_restarts_forgets_its_sessions_and_ends_its_tasks(world: World) -> None:
    world.sim.knobs.set("maintenance_seconds", 600.0)
    host = world.host("esx-01")
    world.content.customFieldsManager.AddCustomFieldDef("kept", None, None, None)
    task = host.EnterMaintenanceMode_Task(0, False)
    world.advance(10)
    world.sim.events["restart_vcenter"](seconds=100)
    with pytest.raises(ConnectionRefusedError):
        world.si.CurrentTime()
    world.advance(101)
    with pytest.raises(vim.fault.NotAuthenticated):
        host.name  # noqa: B018
    client = world.sim.stub().connect()
    assert [field.name for field in client.content.customFieldsManager.field] == ["kept"]
    again = client.content.searchIndex.FindByDnsName(None, "esx-01.lab", False)
    assert [item._moId for item in again.recentTask] == [task._moId]
    assert isinstance(again.recentTask[0].info.error, vim.fault.InvalidState)
    world.advance(700)
    assert not again.runtime.inMaintenanceMode


def test_tasks_may_survive_the_restart(world: World) -> None:
    world.host("esx-01").EnterMaintenanceMode_Task(0, False)
    world.sim.events["restart_vcenter"](seconds=100, tasks="keep")
    world.advance(101)
    host = world.sim.stub().connect().content.searchIndex.FindByDnsName(None, "esx-01.lab", False)
    assert host.runtime.inMaintenanceMode


@pytest.mark.parametrize("answer", ["refuse", "drop", "503"])
def test_what_a_client_on_the_network_meets_meanwhile(answer: str) -> None:
    sim = Simulator.from_lab(LABS / "three_hosts.yml", ManualClock())
    with sim.serve(control_port=0) as server:
        login = {"host": "localhost", "port": server.port, "user": "administrator@vsphere.local", "pwd": "VMware1!"}
        context = ssl.create_default_context(cafile=str(server.ca_file))
        si = SmartConnect(**login, sslContext=context)
        sim.events["restart_vcenter"](seconds=50, answer=answer)
        with pytest.raises((OSError, HTTPException)):
            si.CurrentTime()
        sim.clock.advance(60)
        with pytest.raises(vim.fault.NotAuthenticated):
            si.content.rootFolder.name  # noqa: B018
        fresh = SmartConnect(**login, sslContext=context)
        assert fresh.CurrentTime()
        Disconnect(fresh)


@pytest.mark.parametrize(("name", "value"), [("answer", "maybe"), ("tasks", "some")])
def test_a_restart_that_makes_no_sense_says_so(world: World, name: str, value: str) -> None:
    with pytest.raises(LabError):
        world.sim.events["restart_vcenter"](**{name: value})


def test_all_sessions_end_at_once(world: World) -> None:
    world.sim.events["end_sessions"]()
    with pytest.raises(vim.fault.NotAuthenticated):
        world.host("esx-01")
