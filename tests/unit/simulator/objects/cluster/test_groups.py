# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups and VM-host rules of a cluster, and what a mandatory rule forbids."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pyVmomi import vim, vmodl

from tests.unit.simulator.world import World

CLS = vim.cluster


def two_hosts(**more: Any) -> World:
    hosts = [{"name": "esx-1", "memory_gb": 64}, {"name": "esx-2", "memory_gb": 512}]
    vms = [{"name": name, "host": "esx-1", "memory_gb": 8, "datastore": "shared-c"} for name in ("a", "b")]
    return World({"datacenters": [{"name": "D", "clusters": [{"name": "c", "hosts": hosts, "vms": vms, **more}]}]})


def reconfigure(world: World, **fields: Any) -> None:
    compute = world.host("esx-1").parent
    world.wait(compute.ReconfigureComputeResource_Task(CLS.ConfigSpecEx(**fields), modify=True))


def group(operation: str, info: Any = None, key: Any = None) -> Any:
    return CLS.GroupSpec(operation=operation, info=info, removeKey=key)


def rule(operation: str = "add", key: Any = None, **fields: Any) -> Any:
    values = {"name": "r", "enabled": True, "mandatory": True, "vmGroupName": "vms", "affineHostGroupName": "hosts"}
    info = None if operation == "remove" else CLS.VmHostRuleInfo(**{**values, **fields})
    return CLS.RuleSpec(operation=operation, info=info, removeKey=key)


def pinned(mandatory: bool = True, **more: Any) -> World:
    """VM a is to run on esx-1."""
    world = two_hosts(**more)
    members = [
        CLS.VmGroup(name="vms", userCreated=True, vm=[world.vm("a")]),
        CLS.HostGroup(name="hosts", userCreated=True, host=[world.host("esx-1")]),
    ]
    reconfigure(world, groupSpec=[group("add", each) for each in members])
    reconfigure(world, rulesSpec=[rule(mandatory=mandatory)])
    return world


@pytest.mark.parametrize("drs", ["fullyAutomated", "manual", False])
def test_a_mandatory_rule_binds_everybody(drs: Any) -> None:
    world = pinned(drs=drs)
    with pytest.raises(vim.fault.VmHostAffinityRuleViolation) as refused:
        world.wait(world.vm("a").PowerOnVM_Task(world.host("esx-2")))
    assert (refused.value.vmName, refused.value.hostName) == ("a", "esx-2")
    with pytest.raises(vim.fault.VmHostAffinityRuleViolation):
        world.wait(world.vm("a").MigrateVM_Task(host=world.host("esx-2"), priority="defaultPriority"))
    world.wait(world.vm("a").PowerOnVM_Task(None))
    assert world.vm("a").runtime.host.name == "esx-1"


def test_drs_places_by_it_and_without_it() -> None:
    world = pinned()
    for name in ("a", "b"):
        world.wait(world.vm(name).PowerOnVM_Task(None))
    assert [world.vm(name).runtime.host.name for name in ("a", "b")] == ["esx-1", "esx-2"]
    free = pinned(mandatory=False)
    free.wait(free.vm("a").PowerOnVM_Task(None))
    assert free.vm("a").runtime.host.name == "esx-2"


def test_edit_and_remove() -> None:
    world = pinned()
    found = world.host("esx-1").parent.configurationEx
    assert [(each.key, each.name, each.mandatory) for each in found.rule] == [(1, "r", True)]
    reconfigure(world, groupSpec=[group("edit", CLS.HostGroup(name="hosts", host=[world.host("esx-2")]))])
    world.wait(world.vm("a").PowerOnVM_Task(None))
    assert world.vm("a").runtime.host.name == "esx-2"
    reconfigure(world, rulesSpec=[rule("remove", key=1)])
    reconfigure(world, groupSpec=[group("remove", key="vms"), group("remove", key="hosts")])
    found = world.host("esx-1").parent.configurationEx
    assert (found.rule, found.group) == ([], [])


def test_a_vm_that_is_gone_is_no_member() -> None:
    world = pinned()
    world.wait(world.vm("a").Destroy_Task())
    assert [list(each.vm) for each in world.host("esx-1").parent.configurationEx.group if each.name == "vms"] == [[]]


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        (lambda world: {"groupSpec": [group("add", CLS.VmGroup(name="vms"))]}, vmodl.fault.InvalidArgument),
        (lambda world: {"groupSpec": [group("edit", CLS.VmGroup(name="none"))]}, vmodl.fault.InvalidArgument),
        (lambda world: {"groupSpec": [group("remove", key="none")]}, vmodl.fault.InvalidArgument),
        (lambda world: {"groupSpec": [group("remove", key="hosts")]}, vmodl.fault.InvalidArgument),
        (lambda world: {"rulesSpec": [rule("remove", key=9)]}, vmodl.fault.InvalidArgument),
        (lambda world: {"rulesSpec": [rule("edit", name="s")]}, vmodl.fault.InvalidArgument),
        (lambda world: {"rulesSpec": [rule(name="r")]}, vmodl.fault.InvalidArgument),
        (lambda world: {"rulesSpec": [rule(name="s", vmGroupName="hosts")]}, vmodl.fault.InvalidArgument),
        (lambda world: {"rulesSpec": [rule(name="s", affineHostGroupName="none")]}, vmodl.fault.InvalidArgument),
        (
            lambda world: {
                "rulesSpec": [CLS.RuleSpec(operation="add", info=CLS.AffinityRuleSpec(name="s", vm=[world.vm("a")]))]
            },
            vmodl.fault.NotSupported,
        ),
    ],
)
def test_what_is_wrong_or_not_modelled_is_refused(
    spec: Callable[[World], dict[str, Any]], fault: type[Exception]
) -> None:
    world = pinned()
    with pytest.raises(fault):
        reconfigure(world, **spec(world))
