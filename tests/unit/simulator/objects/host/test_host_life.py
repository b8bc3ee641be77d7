# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Maintenance mode, reboot, shutdown, power loss, disconnect: through the API and by events."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim, vmodl

from tests.unit.simulator.world import GPU, World


def one_host(**host: Any) -> dict[str, Any]:
    entry = {"name": "esx", "cards": ["a100"], **host}
    return {
        "datacenters": [
            {"name": "d", "clusters": [{"name": "c", "hosts": [entry], "vms": [{"name": "v", "power": "on"}]}]}
        ]
    }


def events(world: World, kind: type[Any]) -> list[Any]:
    return [
        item for item in world.content.eventManager.QueryEvents(vim.event.EventFilterSpec()) if isinstance(item, kind)
    ]


# -- maintenance mode -----------------------------------------------------------------------------------------------


def test_drs_takes_running_vms_away_and_leaves_the_others(world: World) -> None:
    host = world.host("esx-01")
    world.enter(host)
    assert host.runtime.inMaintenanceMode
    assert [vm.name for vm in host.vm] == ["train-01"]
    assert world.vm("web-01").runtime.host != host
    assert len(events(world, vim.event.EnteringMaintenanceModeEvent)) == 1
    assert len(events(world, vim.event.EnteredMaintenanceModeEvent)) == 1
    assert len(events(world, vim.event.DrsVmMigratedEvent)) == 1


def test_a_pinned_vm_makes_it_wait_until_the_timeout() -> None:
    world = World(one_host())
    host = world.host("esx")
    task = host.EnterMaintenanceMode_Task(300, False)
    world.advance(299)
    assert (task.info.state, task.info.progress) == ("running", 2)
    assert not host.runtime.inMaintenanceMode
    world.advance(2)
    assert isinstance(task.info.error, vim.fault.Timedout)
    assert not host.runtime.inMaintenanceMode
    world.wait(world.vm("v").PowerOffVM_Task())
    assert not host.runtime.inMaintenanceMode


@pytest.mark.parametrize("timeout", [0, -1])
def test_without_a_timeout_it_waits_for_ever_and_can_be_cancelled(timeout: int) -> None:
    world = World(one_host())
    host = world.host("esx")
    task = host.EnterMaintenanceMode_Task(timeout, False)
    world.advance(5000)
    assert task.info.state == "running"
    assert task.info.cancelable
    task.CancelTask()
    assert isinstance(task.info.error, vmodl.fault.RequestCanceled)
    world.wait(world.vm("v").PowerOffVM_Task())
    world.advance(60)
    assert not host.runtime.inMaintenanceMode


def test_powering_off_the_last_vm_lets_it_finish() -> None:
    world = World(one_host())
    host = world.host("esx")
    task = host.EnterMaintenanceMode_Task(0, False)
    world.advance(100)
    world.vm("v").ShutdownGuest()
    world.wait(task)
    assert host.runtime.inMaintenanceMode
    assert world.vm("v").runtime.powerState == "poweredOff"


def test_entering_and_leaving_twice(world: World) -> None:
    host = world.host("esx-03")
    world.enter(host)
    world.fails(vim.fault.InvalidState, host.EnterMaintenanceMode_Task(0, False))
    world.wait(host.ExitMaintenanceMode_Task(0))
    assert not host.runtime.inMaintenanceMode
    world.fails(vim.fault.InvalidState, host.ExitMaintenanceMode_Task(0))


def test_a_host_on_its_way_takes_no_vm() -> None:
    world = World(one_host())
    host = world.host("esx")
    host.EnterMaintenanceMode_Task(0, False)
    world.advance(1)
    off = world.vm("v")
    world.wait(off.PowerOffVM_Task())
    world.fails(vim.fault.InvalidState, off.PowerOnVM_Task(host))
    world.fails(vim.fault.NoCompatibleHost, off.PowerOnVM_Task(None))


@pytest.mark.parametrize(("knobs", "moves"), [({}, True), ({"evacuate_moves_fixed": False}, False)])
def test_evacuating_powered_off_vms_moves_them_off_their_device(knobs: dict[str, Any], moves: bool) -> None:
    world = World("three_hosts", **knobs)
    host, vm = world.host("esx-01"), world.vm("train-01")
    world.configure(host, GPU)
    world.wait(world.attach(vm, world.fixed(host)))
    world.enter(host, evacuate=True)
    assert (vm.runtime.host != host) is moves
    if moves:
        fault = world.fails(vim.fault.GenericVmConfigFault, vm.PowerOnVM_Task(None))
        assert "systemId does not match" in fault.msg


def test_overrides_and_failover_keep_vms_where_they_are() -> None:
    world = World("mixed")
    host = world.host("bare-01")
    task = host.EnterMaintenanceMode_Task(60, False)
    world.fails(vim.fault.Timedout, task)
    assert "pinned-01" in [vm.name for vm in host.vm]
    lab = one_host()
    cluster = lab["datacenters"][0]["clusters"][0]
    cluster["hosts"].append({"name": "other"})
    cluster["ha"] = {"failover_hosts": 1}
    world = World(lab)
    world.fails(vim.fault.Timedout, world.host("esx").EnterMaintenanceMode_Task(60, False))


def test_the_dry_run_tells_who_moves_and_who_does_not(world: World) -> None:
    host, vm = world.host("esx-01"), world.vm("train-01")
    world.configure(host, GPU)
    world.wait(world.attach(vm, world.dynamic()))
    world.wait(vm.PowerOnVM_Task(None))
    advice = host.parent.EnterMaintenanceMode([host], None, None)
    (move,) = [action.drsMigration for item in advice.recommendations for action in item.action]
    assert (move.vm.name, move.source) == ("web-01", host)
    (stays,) = advice.fault.faultsByVm
    assert stays.vm == vm
    assert isinstance(stays.fault[0], vim.fault.DisallowedMigrationDeviceAttached)
    assert world.vm("web-01").runtime.host == host


def test_there_is_no_dry_run_without_drs() -> None:
    lab = one_host()
    lab["datacenters"][0]["clusters"][0]["drs"] = False
    world = World(lab)
    with pytest.raises(vmodl.fault.NotSupported):
        world.host("esx").parent.EnterMaintenanceMode([world.host("esx")], None, None)


def test_drs_can_be_switched_on_while_a_host_waits() -> None:
    lab = one_host()
    cluster = lab["datacenters"][0]["clusters"][0]
    cluster["drs"] = False
    cluster["hosts"].append({"name": "other"})
    world = World(lab)
    host = world.host("esx")
    task = host.EnterMaintenanceMode_Task(0, False)
    world.advance(100)
    assert task.info.state == "running"
    drs = vim.cluster.DrsConfigInfo(enabled=True, defaultVmBehavior="fullyAutomated")
    world.wait(host.parent.ReconfigureComputeResource_Task(vim.cluster.ConfigSpecEx(drsConfig=drs), True))
    world.wait(task)
    assert host.parent.configurationEx.drsConfig.enabled


# -- reboot ---------------------------------------------------------------------------------------------------------


def test_a_reboot_seen_from_vcenter(world: World) -> None:
    host = world.host("esx-01")
    world.configure(host, GPU, applyNow=False)
    before = host.runtime.bootTime
    world.enter(host)
    task = host.RebootHost_Task(False)
    world.wait(task)
    assert (host.runtime.connectionState, host.runtime.bootTime) == ("connected", before)
    world.advance(25)
    assert (host.runtime.connectionState, host.runtime.powerState) == ("notResponding", "unknown")
    assert world.states(host) == {GPU: (True, False)}
    assert {vm.runtime.connectionState for vm in host.vm} == {"disconnected"}
    for call in (lambda: world.configure(host, GPU), host.RetrieveHardwareUptime, lambda: world.system_id(host)):
        with pytest.raises(vmodl.fault.HostNotReachable):
            call()
    world.advance(300)
    assert (host.runtime.connectionState, host.runtime.powerState) == ("connected", "poweredOn")
    assert (host.runtime.bootTime - before).days == 20
    assert host.RetrieveHardwareUptime() < 60
    assert host.runtime.inMaintenanceMode
    assert world.states(host) == {GPU: (True, True)}
    assert {vm.runtime.connectionState for vm in host.vm} == {"connected"}


def test_a_reboot_needs_maintenance_mode_or_force(world: World) -> None:
    host = world.host("esx-01")
    world.fails(vim.fault.InvalidState, host.RebootHost_Task(False))
    web = world.vm("web-01")
    world.wait(host.RebootHost_Task(True))
    world.advance(30)
    assert web.runtime.powerState == "poweredOn"
    world.advance(400)
    assert web.runtime.powerState == "poweredOff"


@pytest.mark.parametrize(("end", "early"), [("early", True), ("late", False)])
def test_when_the_task_of_the_reboot_ends(end: str, early: bool) -> None:
    world = World("three_hosts", reboot_task_end=end)
    host = world.host("esx-03")
    world.enter(host)
    task = host.RebootHost_Task(False)
    world.advance(100)
    assert (task.info.state == "success") is early
    world.advance(300)
    assert task.info.state == "success"


def test_a_task_that_ends_with_the_connection() -> None:
    world = World("three_hosts", reboot_task_end="error")
    host = world.host("esx-03")
    world.enter(host)
    world.fails(vmodl.fault.HostCommunication, host.RebootHost_Task(False))
    world.advance(400)
    assert host.runtime.connectionState == "connected"


def test_a_host_that_never_returns() -> None:
    world = World("three_hosts", boot_result="never_returns")
    host = world.host("esx-03")
    world.enter(host)
    world.wait(host.RebootHost_Task(False))
    world.advance(7000)
    assert host.runtime.connectionState == "notResponding"


def test_a_host_that_was_away_without_a_boot() -> None:
    world = World("three_hosts", boot_result="same_boot_time")
    host = world.host("esx-03")
    world.configure(host, GPU, applyNow=False)
    before, uptime = host.runtime.bootTime, host.RetrieveHardwareUptime()
    world.reboot(host)
    assert (host.runtime.connectionState, host.runtime.bootTime) == ("connected", before)
    assert host.RetrieveHardwareUptime() > uptime
    assert world.states(host) == {GPU: (True, False)}


def test_a_host_that_boots_and_shows_its_old_boot_time() -> None:
    world = World("three_hosts", boot_result="old_boot_time")
    host = world.host("esx-03")
    world.configure(host, GPU, applyNow=False)
    before = host.runtime.bootTime
    world.reboot(host)
    assert (host.runtime.connectionState, host.runtime.bootTime) == ("connected", before)
    assert host.RetrieveHardwareUptime() < 600
    assert world.states(host) == {GPU: (True, True)}


def test_a_host_that_comes_back_disconnected() -> None:
    world = World("three_hosts", boot_result="disconnected")
    host = world.host("esx-03")
    world.configure(host, GPU, applyNow=False)
    before = host.runtime.bootTime
    world.reboot(host)
    assert (host.runtime.connectionState, host.runtime.bootTime) == ("disconnected", before)
    assert world.states(host) == {GPU: (True, False)}
    world.wait(host.ReconnectHost_Task(None, None))
    assert host.runtime.connectionState == "connected"
    assert host.runtime.bootTime > before
    assert world.states(host) == {GPU: (True, True)}


def test_knobs_of_one_host_are_its_own(world: World) -> None:
    world.sim.events["set_knob"](name="boot_seconds", value=30, host="esx-02.lab")
    slow, fast = world.host("esx-03"), world.host("esx-02")
    for host in (slow, fast):
        world.enter(host)
        world.wait(host.RebootHost_Task(False))
    world.advance(60)
    assert (slow.runtime.connectionState, fast.runtime.connectionState) == ("notResponding", "connected")


def test_shutdown_and_the_power_button(world: World) -> None:
    host = world.host("esx-03")
    world.fails(vim.fault.InvalidState, host.ShutdownHost_Task(False))
    world.enter(host)
    world.wait(host.ShutdownHost_Task(False))
    world.advance(5000)
    assert host.runtime.connectionState == "notResponding"
    world.sim.events["host_power_on"](host="esx-03.lab")
    world.advance(400)
    assert host.runtime.connectionState == "connected"
    assert host.runtime.inMaintenanceMode


def test_a_power_loss_kills_vms_and_a_cut_cable_does_not(world: World) -> None:
    happen = world.sim.events
    happen["lose_contact"](host="esx-02.lab")
    assert world.host("esx-02").runtime.connectionState == "notResponding"
    happen["regain_contact"](host="esx-02.lab")
    assert world.vm("web-02").runtime.powerState == "poweredOn"
    happen["host_power_loss"](host="esx-02.lab")
    happen["host_power_on"](host="esx-02.lab")
    world.advance(400)
    assert world.vm("web-02").runtime.powerState == "poweredOff"


def test_a_second_reboot_while_the_first_is_on_its_way(world: World) -> None:
    host = world.host("esx-03")
    world.enter(host)
    world.wait(host.RebootHost_Task(False))
    world.fails(vim.fault.InvalidState, host.RebootHost_Task(False))
    world.advance(400)
    assert host.RetrieveHardwareUptime() < 100
    world.wait(host.RebootHost_Task(False))


def test_a_host_seen_for_the_first_time() -> None:
    lab = {"datacenters": [{"name": "d", "hosts": [{"name": "a", "connection": "disconnected", "known": False}]}]}
    world = World(lab)
    host = world.host("a")
    assert host.config is None
    world.wait(host.ReconnectHost_Task(None, None))
    assert host.config.pciPassthruInfo
    assert host.configManager.pciPassthruSystem.pciPassthruInfo


def test_a_power_loss_ends_a_waiting_maintenance_task() -> None:
    world = World(one_host())
    task = world.host("esx").EnterMaintenanceMode_Task(0, False)
    world.advance(10)
    world.sim.events["host_power_loss"](host="esx")
    assert task.info.state == "error"


def test_disconnecting_and_reconnecting(world: World) -> None:
    host = world.host("esx-01")
    world.wait(host.DisconnectHost_Task())
    assert (host.runtime.connectionState, host.runtime.powerState) == ("disconnected", "unknown")
    assert world.vm("web-01").runtime.connectionState == "disconnected"
    world.wait(host.ReconnectHost_Task(None, None))
    assert host.runtime.connectionState == "connected"
    assert world.vm("web-01").runtime.powerState == "poweredOn"


def test_the_rights_to_maintain(world: World) -> None:
    reader = World("three_hosts", user="reader@vsphere.local")
    host = reader.host("esx-01")
    for call in (
        lambda: host.EnterMaintenanceMode_Task(0, False),
        lambda: host.ExitMaintenanceMode_Task(0),
        lambda: host.RebootHost_Task(True),
        lambda: host.ShutdownHost_Task(True),
    ):
        with pytest.raises(vim.fault.NoPermission) as caught:
            call()
        assert caught.value.privilegeId == "Host.Config.Maintenance"
    assert host.RetrieveHardwareUptime() > 1_000_000
    with pytest.raises(vim.fault.NoPermission) as caught:
        host.DisconnectHost_Task()
    assert caught.value.privilegeId == "Host.Config.Connection"


# -- a host on its own ----------------------------------------------------------------------------------------------


def test_a_standalone_host_takes_its_endpoint_with_it() -> None:
    world = World("standalone_67")
    host = world.host("esx-67")
    assert (host._moId, host.parent._moId) == ("ha-host", "ha-compute-res")
    world.configure(host, GPU)
    assert world.states(host) == {GPU: (True, False)}
    assert host.summary.rebootRequired
    before = host.runtime.bootTime
    web = world.vm("web")
    world.wait(web.PowerOffVM_Task())
    world.enter(host)
    task = host.RebootHost_Task(False)
    world.advance(10)
    assert task.info.state == "running"
    world.advance(20)
    with pytest.raises(ConnectionRefusedError):
        assert host.name
    world.advance(300)
    with pytest.raises(vim.fault.NotAuthenticated):
        assert host.name
    world.si = world.sim.stub().connect()
    world.content = world.si.RetrieveContent()
    host = world.host("esx-67")
    assert host.runtime.connectionState == "connected"
    assert host.runtime.inMaintenanceMode
    assert host.runtime.bootTime > before
    assert world.states(host) == {GPU: (True, True)}
