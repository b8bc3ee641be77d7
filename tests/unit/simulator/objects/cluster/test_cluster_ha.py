# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""HA admission control in a cluster, and what the dry run of maintenance mode says before anything is tried."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim, vmodl

from simulator.lab.hardware.cards import LabError
from tests.unit.simulator.world import World

PC = vmodl.query.PropertyCollector


def lab(hosts: int = 3, vms: list[dict[str, Any]] | None = None, **cluster: Any) -> dict[str, Any]:
    machines = vms if vms is not None else [{"name": "web", "host": "esx-1", "power": "on"}]
    entry = {"name": "c", "hosts": [{"name": "esx-{}", "count": hosts, "memory_gb": 64}], "vms": machines, **cluster}
    return {"datacenters": [{"name": "DC", "clusters": [entry]}]}


def advice(world: World, name: str = "esx-1") -> Any:
    host = world.host(name)
    return host.parent.EnterMaintenanceMode([host], None, None)


def reasons(result: Any) -> dict[str, str]:
    faults = result.fault.faultsByVm if result.fault is not None else []
    return {item.vm.name if item.vm is not None else "": type(item.fault[0]).__name__.split(".")[-1] for item in faults}


def test_the_failover_level_is_set_aside_and_shown() -> None:
    world = World(lab(ha={"failover_hosts": 1}))
    cluster = world.host("esx-1").parent
    policy = cluster.configurationEx.dasConfig.admissionControlPolicy
    assert isinstance(policy, vim.cluster.FailoverLevelAdmissionControlPolicy)
    assert policy.failoverLevel == 1
    assert cluster.summary.admissionControlInfo.currentFailoverLevel == 2
    world.enter(world.host("esx-3"))
    assert cluster.summary.currentFailoverLevel == 1
    assert cluster.summary.admissionControlInfo.currentFailoverLevel == 1


def test_percentages() -> None:
    vms = [{"name": "big", "host": "esx-1", "power": "on", "memory_gb": 32, "locked": True}]
    world = World(lab(vms=vms, ha={"percent": {"cpu": 20, "memory": 50}}))
    cluster = world.host("esx-1").parent
    policy = cluster.configurationEx.dasConfig.admissionControlPolicy
    assert (policy.cpuFailoverResourcesPercent, policy.memoryFailoverResourcesPercent) == (20, 50)
    info = cluster.summary.admissionControlInfo
    assert isinstance(info, vim.cluster.FailoverResourcesAdmissionControlInfo)
    assert 80 <= info.currentMemoryFailoverResourcesPercent <= 83
    world.enter(world.host("esx-3"))
    assert 70 <= cluster.summary.admissionControlInfo.currentMemoryFailoverResourcesPercent <= 75


def test_dedicated_hosts() -> None:
    world = World(lab(ha={"dedicated": ["esx-3"]}))
    cluster = world.host("esx-1").parent
    assert [host.name for host in cluster.configurationEx.dasConfig.admissionControlPolicy.failoverHosts] == ["esx-3"]
    (status,) = cluster.summary.admissionControlInfo.hostStatus
    assert (status.host.name, status.status) == ("esx-3", "green")
    vm = world.vm("web")
    world.wait(vm.PowerOffVM_Task())
    world.fails(vim.fault.InsufficientFailoverResourcesFault, vm.PowerOnVM_Task(world.host("esx-3")))


@pytest.mark.parametrize(
    ("hosts", "ha", "leaves"),
    [
        (2, False, True),
        (2, {"failover_hosts": 1}, False),
        (2, {"failover_hosts": 1, "admission_control": False}, True),
        (3, {"failover_hosts": 1}, True),
        (3, {"failover_hosts": 2}, False),
        (2, {"percent": 25}, True),
        (3, {"dedicated": ["esx-3"]}, True),
        (2, {"dedicated": ["esx-2"]}, False),
    ],
)
def test_drs_does_not_empty_a_host_when_too_little_would_be_left(hosts: int, ha: Any, leaves: bool) -> None:
    world = World(lab(hosts, ha=ha))
    assert (reasons(advice(world)) == {}) is leaves
    task = world.host("esx-1").EnterMaintenanceMode_Task(300, False)
    world.advance(60)
    assert (task.info.state == "success") is leaves
    if not leaves:
        assert reasons(advice(world, "esx-1")) == {"web": "InsufficientFailoverResourcesFault"}
        world.advance(300)
        assert isinstance(task.info.error, vim.fault.Timedout)


def test_power_on_is_refused_when_too_little_would_be_left() -> None:
    vms = [{"name": "big-{}", "count": 3, "memory_gb": 40, "locked": True}]
    world = World(lab(2, vms, ha={"failover_hosts": 1}))
    world.wait(world.vm("big-1").PowerOnVM_Task(world.host("esx-1")))
    fault = world.fails(
        vim.fault.InsufficientFailoverResourcesFault, world.vm("big-2").PowerOnVM_Task(world.host("esx-2"))
    )
    assert "failover level" in fault.msg
    spec = vim.cluster.ConfigSpecEx(dasConfig=vim.cluster.DasConfigInfo(admissionControlEnabled=False))
    world.wait(world.host("esx-1").parent.ReconfigureComputeResource_Task(spec, True))
    world.wait(world.vm("big-2").PowerOnVM_Task(world.host("esx-2")))


def test_a_watching_client_hears_that_the_summary_changed() -> None:
    world = World(lab(ha={"failover_hosts": 1}))
    cluster = world.host("esx-1").parent
    spec = PC.FilterSpec(
        objectSet=[PC.ObjectSpec(obj=cluster)],
        propSet=[PC.PropertySpec(type=vim.ClusterComputeResource, pathSet=["summary"])],
    )
    collector = world.content.propertyCollector
    collector.CreateFilter(spec, False)
    version = collector.WaitForUpdatesEx("", PC.WaitOptions(maxWaitSeconds=0)).version
    world.sim.events["lose_contact"](host="esx-3")
    update = collector.WaitForUpdatesEx(version, PC.WaitOptions(maxWaitSeconds=0))
    (change,) = update.filterSet[0].objectSet[0].changeSet
    assert (change.val.numEffectiveHosts, change.val.currentFailoverLevel) == (2, 1)


# -- hosts that enter at the same time ----------------------------------------------------------------------------


def test_machines_leave_hosts_that_enter_together_and_never_for_one_of_them() -> None:
    vms = [{"name": f"web-{number}", "host": f"esx-{number}", "power": "on"} for number in (1, 2, 3)]
    world = World(lab(4, vms))
    hosts = [world.host(f"esx-{number}") for number in (1, 2, 3)]
    tasks = [hosts[0].EnterMaintenanceMode_Task(0, False)]
    world.advance(3)  # the first one's machine is on its way, perhaps to a host that is next
    tasks += [host.EnterMaintenanceMode_Task(0, False) for host in hosts[1:]]
    world.advance(120)
    assert [task.info.state for task in tasks] == ["success"] * 3
    assert {vm.runtime.host.name for vm in map(world.vm, ("web-1", "web-2", "web-3"))} == {"esx-4"}


def test_a_host_that_comes_back_takes_what_waits() -> None:
    world = World(lab(2))
    world.enter(world.host("esx-2"))
    task = world.host("esx-1").EnterMaintenanceMode_Task(0, False)
    world.advance(300)
    assert task.info.state == "running"
    world.wait(world.host("esx-2").ExitMaintenanceMode_Task(0))
    world.advance(60)
    assert task.info.state == "success"


# -- the dry run --------------------------------------------------------------------------------------------------


def test_the_dry_run_recommends_and_moves_nothing() -> None:
    world = World(lab())
    result = advice(world)
    (found,) = result.recommendations
    assert (found.reason, found.action[0].drsMigration.source.name) == ("hostMaint", "esx-1")
    world.advance(60)
    assert world.vm("web").runtime.host.name == "esx-1"
    assert world.sim.journal.writes() == []


@pytest.mark.parametrize(
    ("vm", "cluster", "reason"),
    [
        ({}, {"drs_vms": {"web": "disabled"}}, "DrsDisabledOnVm"),
        ({"datastore": "local"}, {}, "CannotAccessVmDevice"),
        ({"media": [{"cd": "host"}]}, {}, "CannotAccessVmDevice"),
        ({"memory_gb": 50, "locked": True}, {}, "InsufficientMemoryResourcesFault"),
    ],
)
def test_why_a_machine_would_stay(vm: dict[str, Any], cluster: dict[str, Any], reason: str) -> None:
    machines = [{"name": "web", "host": "esx-1", "power": "on", **vm}]
    content = lab(2, machines, **cluster)
    content["datacenters"][0]["clusters"][0]["hosts"] = [
        {"name": "esx-1", "memory_gb": 64, "cards": [{"card": "nvme-data", "datastore": "local"}]},
        {"name": "esx-2", "memory_gb": 32},
    ]
    world = World(content)
    assert reasons(advice(world)) == {"web": reason}
    task = world.host("esx-1").EnterMaintenanceMode_Task(100, False)
    world.advance(200)
    assert isinstance(task.info.error, vim.fault.Timedout)
    assert world.vm("web").runtime.host.name == "esx-1"


@pytest.mark.parametrize("mode", ["manual", "partiallyAutomated"])
def test_a_machine_that_drs_moves_only_when_told_to_is_recommended_and_stays(mode: str) -> None:
    world = World(lab(drs=mode))
    result = advice(world)
    assert (len(result.recommendations), reasons(result)) == (1, {})
    task = world.host("esx-1").EnterMaintenanceMode_Task(0, False)
    world.advance(600)
    assert task.info.state == "running"
    world.sim.events["set_knob"](name="dry_run_manual", value="fault")
    assert reasons(advice(world)) == {"web": "DrsDisabledOnVm"}


def test_too_little_left_may_be_said_once_and_about_no_machine() -> None:
    world = World(lab(2, ha={"failover_hosts": 1}), dry_run_failover="once")
    assert reasons(advice(world)) == {"": "InsufficientFailoverResourcesFault"}


def test_there_is_no_dry_run_without_drs_nor_on_old_endpoints_and_it_needs_a_privilege() -> None:
    world = World(lab(drs=False))
    with pytest.raises(vmodl.fault.NotSupported):
        advice(world)
    world = World("three_hosts", user="reader@vsphere.local")
    with pytest.raises(vim.fault.NoPermission) as caught:
        advice(world, "esx-01")
    assert caught.value.privilegeId == "Host.Config.Maintenance"
    old = World("three_hosts")
    client = old.sim.stub("vim.version.version6").connect()
    host = client.content.searchIndex.FindByDnsName(None, "esx-01.lab", False)
    with pytest.raises(vmodl.fault.MethodNotFound):
        host.parent.EnterMaintenanceMode([host], None, None)


def test_vgpu_machines_leave_only_when_the_option_says_so() -> None:
    def made(**cluster: Any) -> World:
        host = {"name": "esx-{}", "count": 2, "cards": ["a100"], "shared_gpus": ["a100"]}
        vm = {"name": "web", "host": "esx-1", "power": "on", "devices": [{"vgpu": "grid_a100-10c"}]}
        return World(
            {"datacenters": [{"name": "D", "clusters": [{"name": "c", "hosts": [host], "vms": [vm], **cluster}]}]}
        )

    assert reasons(advice(made())) == {"web": "DisallowedMigrationDeviceAttached"}
    world = made(drs_options={"VgpuMMAutomationTimeoutSecs": -1})
    options = world.host("esx-1").parent.configurationEx.drsConfig.option
    assert [(item.key, item.value) for item in options] == [("VgpuMMAutomationTimeoutSecs", "-1")]
    assert reasons(advice(world)) == {}
    world.enter(world.host("esx-1"))
    assert world.vm("web").runtime.host.name == "esx-2"


def test_keys_of_ha_are_checked() -> None:
    with pytest.raises(LabError, match="unknown key 'hosts'"):
        World(lab(ha={"hosts": 1}))
