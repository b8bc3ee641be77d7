# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Standby, quarantine, vSAN members, and machines with media: what they look like and whom they stop."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pyVmomi import vim, vmodl

from simulator.lab.hardware.cards import LabError
from tests.unit.simulator.world import World


def lab(*hosts: dict[str, Any], **cluster: Any) -> dict[str, Any]:
    return {"datacenters": [{"name": "DC", "clusters": [{"name": "c", "hosts": list(hosts), **cluster}]}]}


def test_a_host_goes_to_standby_and_comes_back(world: World) -> None:
    host = world.host("esx-02")
    world.wait(host.PowerDownHostToStandBy_Task(600, False))
    assert (host.runtime.powerState, host.runtime.standbyMode) == ("standBy", "in")
    assert [vm.name for vm in host.vm] == ["train-02"]  # off, and not asked to leave
    assert host.triggeredAlarmState == []
    with pytest.raises(vim.fault.InvalidState):
        host.EnterMaintenanceMode_Task(0, False)
    task = host.PowerUpHostFromStandBy_Task(600)
    world.advance(400)
    assert task.info.state == "success"
    assert (host.runtime.connectionState, host.runtime.powerState, host.runtime.standbyMode) == (
        "connected",
        "poweredOn",
        "none",
    )
    world.fails(vim.fault.InvalidState, host.PowerUpHostFromStandBy_Task(600))


def test_going_to_standby_may_time_out_or_be_cancelled() -> None:
    world = World("mixed")
    host = world.host("bare-01")  # a VM on it is pinned
    task = host.PowerDownHostToStandBy_Task(60, False)
    world.advance(1)
    assert host.runtime.standbyMode == "entering"
    world.fails(vim.fault.Timedout, task)
    assert host.runtime.standbyMode == "none"
    again = host.PowerDownHostToStandBy_Task(600, False)
    world.advance(5)
    again.CancelTask()
    assert (host.runtime.standbyMode, host.runtime.powerState) == ("none", "poweredOn")


def test_hosts_of_the_lab_may_be_in_standby_or_quarantine() -> None:
    world = World(
        lab(
            {"name": "a"},
            {"name": "b", "standby": True},
            {"name": "q", "quarantine": True},
            vms=[{"name": "v", "host": "a", "power": "on"}],
        )
    )
    assert (world.host("b").runtime.powerState, world.host("b").runtime.standbyMode) == ("standBy", "in")
    assert world.host("q").runtime.inQuarantineMode
    task = world.host("a").EnterMaintenanceMode_Task(60, False)
    world.fails(vim.fault.Timedout, task)  # nowhere to go
    world.sim.events["set_quarantine"](host="q", on=False)
    world.enter(world.host("a"))
    assert world.vm("v").runtime.host.name == "q"
    world.sim.events["set_standby"](host="b", on=False)
    world.advance(400)
    assert world.host("b").runtime.connectionState == "connected"
    world.sim.events["set_standby"](host="b", on=True)
    assert world.host("b").runtime.powerState == "standBy"


# -- vSAN ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def vsan() -> World:
    cards = [{"card": "nvme", "use": "vsan-cache"}, {"card": "p4510", "use": "vsan-capacity"}]
    return World(lab({"name": "vs-{}", "count": 3, "vsan": "osa", "cards": cards}))


def test_a_vsan_cluster_says_so_and_its_members_know_each_other(vsan: World) -> None:
    host = vsan.host("vs-1")
    assert host.parent.configurationEx.vsanConfigInfo.enabled
    status = host.configManager.vsanSystem.QueryHostStatus()
    assert (status.health, status.nodeState.state, len(status.memberUuid)) == ("healthy", "master", 3)
    assert vsan.host("vs-2").configManager.vsanSystem.QueryHostStatus().nodeState.state == "agent"
    assert vsan.sim.journal.writes() == []


def test_resync_and_objects_out_of_reach_are_told_as_text(vsan: World) -> None:
    system = vsan.host("vs-1").configManager.vsanInternalSystem
    assert json.loads(system.QuerySyncingVsanObjects())["dom_objects"] == {}
    vsan.sim.events["set_vsan"](cluster="c", resync_gb=10, objects=3, inaccessible=2, degraded=1)
    objects = json.loads(system.QuerySyncingVsanObjects())["dom_objects"]
    left = 0
    for item in objects.values():
        mirror = item["config"]["content"]["child-1"]
        halves = [mirror[name]["attributes"] for name in ("child-1", "child-2")]
        left += sum(part.get("bytesToSync", 0) for part in halves if part["componentState"] in (6, 10))
    assert (len(objects), left) == (3, 10 * 1024**3)
    one = next(iter(objects))
    assert list(json.loads(system.QuerySyncingVsanObjects([one]))["dom_objects"]) == [one]
    query = vim.host.VsanInternalSystem.CmmdsQuery
    entries = json.loads(system.QueryCmmds([query(type="CONFIG_STATUS")]))["result"]
    states = [entry["content"]["state"] for entry in entries]
    assert sum(not state & 1 for state in states) == 2
    assert sum(bool(state & 8 and state & 1) for state in states) == 1
    assert len(json.loads(system.QueryCmmds([query(type="CONFIG_STATUS", uuid=entries[0]["uuid"])]))["result"]) == 1
    with pytest.raises(vmodl.fault.NotSupported):
        system.QueryCmmds([query(type="DISK")])


def test_hosts_without_vsan_say_so(world: World) -> None:
    manager = world.host("esx-01").configManager
    status = manager.vsanSystem.QueryHostStatus()
    assert (status.uuid, status.nodeState.state, list(status.memberUuid)) == (None, "disabled", [])
    with pytest.raises(vmodl.fault.MethodNotFound):
        manager.vsanInternalSystem.QuerySyncingVsanObjects()
    assert not world.host("esx-01").parent.configurationEx.vsanConfigInfo.enabled


@pytest.mark.parametrize(("action", "slow"), [("ensureObjectAccessibility", False), ("evacuateAllData", True)])
def test_what_happens_to_the_data_decides_how_long_it_takes(vsan: World, action: str, slow: bool) -> None:
    host = vsan.host("vs-1")
    mode = vim.vsan.host.DecommissionMode(objectAction=action)
    task = host.EnterMaintenanceMode_Task(0, False, vim.host.MaintenanceSpec(vsanMode=mode))
    vsan.advance(1)
    assert host.configManager.vsanSystem.QueryHostStatus().nodeState.state == "enteringMaintenanceMode"
    vsan.advance(60)
    assert (task.info.state == "running") is slow
    vsan.advance(600)
    assert task.info.state == "success"


def test_an_action_that_does_not_exist_is_refused(vsan: World) -> None:
    mode = vim.vsan.host.DecommissionMode(objectAction="hope")
    with pytest.raises(vmodl.fault.InvalidArgument):
        vsan.host("vs-1").EnterMaintenanceMode_Task(0, False, vim.host.MaintenanceSpec(vsanMode=mode))


# -- media --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("medium", "leaves"),
    [
        ({"cd": "image"}, True),
        ({"cd": "host"}, False),
        ({"cd": "client"}, False),
        ({"cd": "host", "connected": False}, True),
        ({"floppy": "host"}, False),
        ({"usb": "host"}, False),
        ({"usb": "client"}, True),
        ({"serial": "host"}, False),
        ({"serial": "image"}, True),
        ({"parallel": "host"}, False),
    ],
    ids=str,
)
def test_connected_devices_of_the_host_hold_a_machine(medium: dict[str, Any], leaves: bool) -> None:
    world = World(lab({"name": "h{}", "count": 2}, vms=[{"name": "v", "host": "h1", "power": "on", "media": [medium]}]))
    vm = world.vm("v")
    (device,) = [item for item in vm.config.hardware.device if getattr(item, "connectable", None) and item.key != 4000]
    assert device.connectable.connected is medium.get("connected", True)
    task = world.host("h1").EnterMaintenanceMode_Task(100, False)
    world.advance(120)
    assert (task.info.state == "success") is leaves
    if not leaves:
        world.wait(vm.PowerOffVM_Task())
        (device,) = [item for item in vm.config.hardware.device if item.key == device.key]
        assert device.connectable.connected is False
        world.enter(world.host("h1"))


@pytest.mark.parametrize(
    "medium", [{"cd": "tape"}, {"dvd": "host"}, {"cd": "host", "floppy": "host"}, {"cd": "host", "x": 1}]
)
def test_media_that_make_no_sense_are_refused(medium: dict[str, Any]) -> None:
    with pytest.raises(LabError, match="VM v"):
        World(lab({"name": "h"}, vms=[{"name": "v", "media": [medium]}]))
