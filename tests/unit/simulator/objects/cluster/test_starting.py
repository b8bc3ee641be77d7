# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting VMs, one or several: what DRS decides, what it only recommends, and what nobody starts."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim, vmodl

from tests.unit.simulator.world import World

OPTION = vim.option.OptionValue


def cluster(**more: Any) -> World:
    """Two hosts, the second with most memory; VMs on the first."""
    hosts = [{"name": "esx-1", "memory_gb": 64}, {"name": "esx-2", "memory_gb": 512}]
    vms = [{"name": name, "host": "esx-1", "memory_gb": 8, "datastore": "shared-c"} for name in ("a", "b")]
    return World({"datacenters": [{"name": "D", "clusters": [{"name": "c", "hosts": hosts, "vms": vms, **more}]}]})


def start(world: World, *names: str, **options: Any) -> Any:
    """The result of PowerOnMultiVM_Task, and time for what it began."""
    given = [OPTION(key=key, value=value) for key, value in options.items()]
    datacenter = world.find(vim.Datacenter, "D")
    result = world.wait(datacenter.PowerOnMultiVM_Task([world.vm(name) for name in names], given))
    world.advance(60)
    return result


def where(world: World, name: str) -> tuple[str, str]:
    runtime = world.vm(name).runtime
    return runtime.powerState, runtime.host.name


@pytest.mark.parametrize("mode", ["fullyAutomated", "partiallyAutomated"])
def test_an_automatic_cluster_starts_vms_where_drs_wants_them(mode: str) -> None:
    world = cluster(drs=mode)
    result = start(world, "a")
    assert [(item.vm.name, item.task) for item in result.attempted] == [("a", None)]
    assert not result.recommendations
    world.wait(world.vm("b").PowerOnVM_Task(None))
    assert where(world, "a") == where(world, "b") == ("poweredOn", "esx-2")


def test_a_manual_cluster_only_recommends_and_starts_nothing() -> None:
    world = cluster(drs="manual")
    vm, compute = world.vm("a"), world.host("esx-1").parent
    result = start(world, "a")
    assert not result.attempted
    assert not result.notAttempted
    best, second = result.recommendations
    assert (best.rating, best.reason, best.action[0].target) == (5, "powerOnVm", vm)
    assert [item.action[0].targetHost.name for item in (best, second)] == ["esx-2", "esx-1"]
    assert where(world, "a") == ("poweredOff", "esx-1")
    assert [item.key for item in compute.recommendation] == [best.key, second.key]
    compute.ApplyRecommendation(best.key)
    world.advance(10)
    assert where(world, "a") == ("poweredOn", "esx-2")
    assert compute.recommendation == []
    with pytest.raises(vmodl.fault.InvalidArgument):
        compute.ApplyRecommendation(best.key)


def test_a_recommendation_goes_when_it_is_cancelled_or_out_of_date() -> None:
    world = cluster(drs="manual")
    compute = world.host("esx-1").parent
    first, _second = start(world, "a").recommendations
    assert first.key not in {item.key for item in start(world, "a").recommendations}
    assert len(compute.recommendation) == 2, "asked again, recommended anew"
    compute.CancelRecommendation(compute.recommendation[0].key)
    assert len(compute.recommendation) == 1
    world.wait(world.vm("a").PowerOnVM_Task(None))
    assert compute.recommendation == []
    assert where(world, "a") == ("poweredOn", "esx-1"), "a VM in manual mode starts where it is registered"


@pytest.mark.parametrize("level", ["fullyAutomated", "partiallyAutomated"])
def test_the_caller_may_override_the_level(level: str) -> None:
    world = cluster(drs="manual")
    result = start(world, "a", OverrideAutomationLevel=level, ReserveResources=False)
    assert not result.recommendations
    assert where(world, "a") == ("poweredOn", "esx-2")
    world = cluster()
    assert start(world, "a", OverrideAutomationLevel="manual").recommendations
    assert where(world, "a") == ("poweredOff", "esx-1")


@pytest.mark.parametrize(
    ("option", "fault"),
    [
        (OPTION(key="OverrideAutomationLevel", value="automatic"), vmodl.fault.InvalidArgument),
        (OPTION(key="ReserveResources", value="yes"), vmodl.fault.InvalidArgument),
        (OPTION(key="Override", value="manual"), vmodl.fault.InvalidArgument),
        (OPTION(key="ReserveResources", value=True), vmodl.fault.NotSupported),
    ],
)
def test_options_that_mean_nothing_here_are_refused(option: Any, fault: type[Exception]) -> None:
    world = cluster()
    with pytest.raises(fault):
        world.find(vim.Datacenter, "D").PowerOnMultiVM_Task([world.vm("a")], [option])


@pytest.mark.parametrize("more", [{"drs": False}, {"drs_vms": {"a": "disabled"}}])
def test_vms_that_drs_does_not_manage_start_at_home_and_have_a_task(more: dict[str, Any]) -> None:
    world = cluster(**more)
    result = start(world, "a", OverrideAutomationLevel="manual")
    (attempt,) = result.attempted
    assert attempt.task.info.state == "success"
    assert where(world, "a") == ("poweredOn", "esx-1")


def test_whether_every_attempt_has_a_task_is_a_knob() -> None:
    world = cluster()
    world.sim.knobs.set("attempted_task", "always")
    (attempt,) = start(world, "a").attempted
    assert attempt.task.info.entity == world.vm("a")


def test_levels_of_vms_differ_in_one_call() -> None:
    world = cluster(drs_vms={"a": "manual"})
    result = start(world, "a", "b")
    assert {item.target.name for item in result.recommendations} == {"a"}
    assert [item.vm.name for item in result.attempted] == ["b"]


@pytest.mark.parametrize("away", ["lose_contact", "disconnect_host"])
def test_a_vm_whose_host_does_not_answer_is_started_nowhere(away: str) -> None:
    world = cluster()
    world.sim.events[away](host="esx-1")
    world.advance(10)
    fault = vmodl.fault.HostNotConnected if away == "disconnect_host" else vmodl.fault.HostNotReachable
    (refused,) = start(world, "a").notAttempted
    assert isinstance(refused.fault, fault)
    for host in (None, world.host("esx-2")):
        world.fails(fault, world.vm("a").PowerOnVM_Task(host))
    assert where(world, "a")[1] == "esx-1"
    assert world.sim.find("VirtualMachine", "a").power == "poweredOff"


def test_drs_does_not_start_vms_on_what_ha_keeps_for_a_failover() -> None:
    world = cluster(ha={"dedicated": ["esx-2"]})
    world.wait(world.vm("a").PowerOnVM_Task(None))
    assert where(world, "a") == ("poweredOn", "esx-1")


def test_a_suspended_vm_resumes() -> None:
    world = cluster()
    vm = world.vm("a")
    world.wait(vm.PowerOnVM_Task(None))
    world.advance(60)
    booted = vm.runtime.bootTime
    world.wait(vm.SuspendVM_Task())
    assert (vm.runtime.powerState, vm.guest.toolsRunningStatus) == ("suspended", "guestToolsNotRunning")
    world.advance(60)
    assert vm.runtime.powerState == "suspended"
    world.wait(vm.PowerOnVM_Task(None))
    assert (vm.runtime.powerState, vm.runtime.bootTime) == ("poweredOn", booted)
    assert vm.guest.toolsRunningStatus == "guestToolsRunning", "its guest does not boot"
    world.wait(vm.SuspendVM_Task())
    assert not start(world, "a").notAttempted
    assert vm.runtime.powerState == "poweredOn"
    world.wait(vm.SuspendVM_Task())
    world.wait(vm.PowerOffVM_Task())
    assert vm.runtime.bootTime is None


def test_an_esxi_host_starts_one_at_a_time() -> None:
    world = World("home")
    (datacenter,) = world.content.rootFolder.childEntity
    with pytest.raises(vmodl.fault.NotSupported):
        datacenter.PowerOnMultiVM_Task([world.vm("gaming")], None)
