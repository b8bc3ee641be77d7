# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim

from simulator import Simulator
from tests.unit.simulator.inventory import build
from tests.unit.simulator.specs import PC, container, host, object_spec, values, view_spec, vm

LAB = {
    "roles": {
        "Rebooter": ["Host.Config.Maintenance"],
        "Blind": [],
    },
    "users": [
        {"name": "admin", "password": "a"},
        {"name": "reader", "password": "r", "role": "ReadOnly"},
        {"name": "viewer", "password": "v", "role": "View"},
        {"name": "op", "password": "o", "role": "ReadOnly"},
        {"name": "nobody", "password": "n", "role": "NoAccess"},
    ],
    "permissions": [
        {"user": "op", "on": "esx-02", "role": "Rebooter"},
        {"user": "nobody", "on": "/DC1/host", "role": "ReadOnly", "propagate": False},
    ],
}


@pytest.fixture
def sim() -> Simulator:
    return build(LAB)


def test_a_method_asks_for_its_privilege_and_names_it_and_the_object(sim: Simulator) -> None:
    target = host(sim.stub().connect("reader"))
    with pytest.raises(vim.fault.NoPermission) as caught:
        target.RebootHost_Task(True)
    assert caught.value.privilegeId == "Host.Config.Maintenance"
    assert caught.value.object == target
    assert caught.value.msg == "Permission to perform this operation was denied."


def test_a_role_on_one_host_holds_only_there(sim: Simulator) -> None:
    si = sim.stub().connect("op")
    assert host(si, 2).RebootHost_Task(True)._moId == "task-1"
    with pytest.raises(vim.fault.NoPermission):
        host(si, 1).RebootHost_Task(True)


def test_a_method_without_a_privilege_may_ask_per_field(sim: Simulator) -> None:
    target = vm(sim.stub().connect("reader"))
    with pytest.raises(vim.fault.NoPermission) as caught:
        target.ReconfigVM_Task(vim.vm.ConfigSpec(memoryMB=2048))
    assert caught.value.privilegeId == "VirtualMachine.Config.Memory"


def test_a_property_that_may_not_be_read_is_in_the_missing_set(sim: Simulator) -> None:
    si = sim.stub().connect("viewer")
    spec = view_spec(container(si, vim.HostSystem), vim.HostSystem, "name", "runtime.connectionState")
    content = si.content.propertyCollector.RetrieveProperties([spec])[0]
    assert values(content) == {"name": "esx-01"}
    (missing,) = content.missingSet
    assert missing.path == "runtime.connectionState"
    assert isinstance(missing.fault, vim.fault.NoPermission)
    assert missing.fault.privilegeId == "System.Read"
    with pytest.raises(vim.fault.NoPermission):
        _unused = host(si).runtime


def test_what_may_not_be_viewed_is_not_in_views(sim: Simulator) -> None:
    si = sim.stub().connect("nobody")
    with pytest.raises(vim.fault.NoPermission):
        si.content.viewManager.CreateContainerView(si.content.rootFolder, [], True)


def test_a_permission_that_does_not_propagate_ends_at_its_object(sim: Simulator) -> None:
    folder, below = sim.find_entity("/DC1/host"), sim.find_entity("esx-01")
    nobody = sim.authz.user("nobody")
    assert nobody is not None
    assert sim.authz.allows(nobody, "System.Read", folder)
    assert not sim.authz.allows(nobody, "System.Read", below)


def test_has_privilege_on_entities(sim: Simulator) -> None:
    si = sim.stub().connect("op")
    manager, key = si.content.authorizationManager, si.content.sessionManager.currentSession.key
    wanted = ["System.Read", "Host.Config.Maintenance"]
    table = manager.HasPrivilegeOnEntities([host(si, 1), host(si, 2)], key, wanted)
    granted = {row.entity._moId: [cell.isGranted for cell in row.privAvailability] for row in table}
    assert granted == {"host-1": [True, False], "host-2": [True, True]}
    assert list(manager.HasPrivilegeOnEntity(host(si, 1), key, wanted)) == [True, False]


def test_the_effective_role_is_the_callers(sim: Simulator) -> None:
    assert list(host(sim.stub().connect("admin"), 2).effectiveRole) == [-1]
    roles = {role.name: role.roleId for role in sim.stub().connect("admin").content.authorizationManager.roleList}
    assert list(host(sim.stub().connect("op"), 2).effectiveRole) == [roles["Rebooter"]]
    assert list(host(sim.stub().connect("op"), 1).effectiveRole) == [-2]


def test_roles_are_listed(sim: Simulator) -> None:
    roles = {role.name: role for role in sim.stub().connect("admin").content.authorizationManager.roleList}
    assert roles["Rebooter"].privilege == [
        "Host.Config.Maintenance",
        "System.Anonymous",
        "System.Read",
        "System.View",
    ]
    assert roles["Admin"].roleId == -1
    assert roles["Admin"].system


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"users": [{"name": "x", "role": "Nope"}]}, "no role named 'Nope'"),
        ({"permissions": [{"user": "ghost", "on": "esx-01", "role": "Admin"}]}, "no user named 'ghost'"),
        ({"permissions": [{"user": "op", "on": "esx-99", "role": "Admin"}]}, "0 inventory objects match 'esx-99'"),
    ],
)
def test_a_lab_that_names_what_is_not_there_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build({**LAB, **change})


def test_a_direct_read_without_view_permission_tells(sim: Simulator) -> None:
    si = sim.stub().connect("nobody")
    target = vim.HostSystem("host-1", si._stub)
    content = si.content.propertyCollector.RetrieveProperties([object_spec(target, "name")])[0]
    assert not content.propSet
    assert isinstance(content.missingSet[0].fault, vim.fault.NoPermission)
    assert PC is not None
