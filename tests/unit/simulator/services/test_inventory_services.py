# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Views, search, custom fields, tasks and events."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pyVim.task import WaitForTask
from pyVmomi import vim, vmodl

from simulator import Simulator
from tests.unit.simulator.inventory import build
from tests.unit.simulator.specs import container, host, objects, vm

# -- views --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kinds", "recursive", "expected"),
    [
        ([vim.HostSystem], True, ["esx-01", "esx-02", "esx-03"]),
        ([vim.Datacenter], True, ["DC1"]),
        ([vim.VirtualMachine, vim.Datacenter], True, ["DC1", "vm-01", "vm-02"]),
        ([], False, ["DC1"]),
        ([vim.HostSystem], False, []),
    ],
)
def test_a_container_view_holds_what_it_should(si: Any, kinds: list[Any], recursive: bool, expected: list[str]) -> None:
    view = si.content.viewManager.CreateContainerView(si.content.rootFolder, kinds, recursive)
    assert sorted(item.name for item in view.view) == expected


def test_a_container_view_follows_the_inventory(sim: Simulator, si: Any) -> None:
    view = container(si, vim.HostSystem)
    assert len(view.view) == 3
    sim.remove(sim.find("HostSystem", "esx-02"))
    assert [item._moId for item in view.view] == ["host-1", "host-3"]


def test_moving_an_object_moves_it_between_views(sim: Simulator, si: Any) -> None:
    folder = sim.find_entity("/DC1/host")
    view = si.content.viewManager.CreateContainerView(vim.Folder("group-v1", si._stub), [vim.HostSystem], True)
    assert list(view.view) == []
    sim.reparent(sim.find("HostSystem", "esx-01"), sim.find_entity("/DC1/vm"))
    assert [item.name for item in view.view] == ["esx-01"]
    assert "host-1" not in folder.down


def test_a_view_of_something_that_holds_nothing_is_refused(si: Any) -> None:
    with pytest.raises(vmodl.fault.InvalidArgument):
        si.content.viewManager.CreateContainerView(vm(si), [], True)


def test_a_list_view_resolves_and_reports_what_it_cannot(si: Any) -> None:
    view = si.content.viewManager.CreateListView([host(si, 1)])
    lost = view.Modify([host(si, 2), vim.HostSystem("host-99", si._stub)], None)
    assert [item._moId for item in lost] == ["host-99"]
    assert [item._moId for item in view.view] == ["host-1", "host-2"]
    view.ResetFromView(container(si, vim.VirtualMachine))
    assert [item._moId for item in view.view] == ["vm-1", "vm-2"]
    view.Reset([])
    assert list(view.view) == []
    assert view._moId in [item._moId for item in si.content.viewManager.viewList]
    view.Destroy()
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        _unused = view.view


def test_an_inventory_view_unfolds(si: Any) -> None:
    view = si.content.viewManager.CreateInventoryView()
    assert [item._moId for item in view.view] == ["group-d1"]
    assert not view.OpenFolder([si.content.rootFolder])
    assert [item._moId for item in view.view] == ["group-d1", "datacenter-1"]
    view.OpenFolder([vim.Datacenter("datacenter-1", si._stub)])
    assert len(view.view) == 4
    view.CloseFolder([si.content.rootFolder])
    assert [item._moId for item in view.view] == ["group-d1"]


# -- search -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("DC1/host/esx-01", "host-1"),
        ("/DC1/vm/vm-02", "vm-2"),
        ("DC1", "datacenter-1"),
        ("DC1/vm/nope", None),
        ("DC1//vm", None),
        ("", None),
    ],
)
def test_find_by_inventory_path(si: Any, path: str, expected: str | None) -> None:
    found = si.content.searchIndex.FindByInventoryPath(path)
    assert (found._moId if found is not None else None) == expected


def test_a_slash_in_a_name_is_escaped(sim: Simulator, si: Any) -> None:
    sim.find("VirtualMachine", "vm-01").set("name", "a/b")
    assert si.content.searchIndex.FindByInventoryPath("DC1/vm/a%2fb")._moId == "vm-1"


def test_find_child_and_by_uuid(sim: Simulator, si: Any) -> None:
    index = si.content.searchIndex
    assert index.FindChild(si.content.rootFolder, "DC1")._moId == "datacenter-1"
    assert index.FindChild(si.content.rootFolder, "nope") is None
    wanted = vm(si, 2).config
    assert index.FindByUuid(None, wanted.uuid.upper(), True, False)._moId == "vm-2"
    assert index.FindByUuid(None, wanted.instanceUuid, True, True)._moId == "vm-2"
    assert index.FindByUuid(None, wanted.uuid, True, True) is None
    assert [item._moId for item in index.FindAllByUuid(None, wanted.uuid, True, False)] == ["vm-2"]


def test_find_by_name_and_address(sim: Simulator, si: Any) -> None:
    index = si.content.searchIndex
    guest = vim.vm.GuestInfo(hostName="web.example", ipAddress="192.0.2.7")
    sim.find("VirtualMachine", "vm-01").set("guest", guest)
    assert index.FindByDnsName(None, "web.example", True)._moId == "vm-1"
    assert index.FindByIp(None, "192.0.2.7", True)._moId == "vm-1"
    assert index.FindByDnsName(None, "ESX-03", False)._moId == "host-3"
    assert index.FindByIp(None, "192.0.2.8", True) is None
    assert not index.FindAllByDnsName(vim.Datacenter("datacenter-1", si._stub), "nope", False)


# -- custom fields ------------------------------------------------------------------------------------------------


def test_custom_fields_from_definition_to_removal(sim: Simulator, si: Any) -> None:
    manager = si.content.customFieldsManager
    field = manager.AddFieldDefinition("stage", vim.HostSystem, None, None)
    assert (field.name, field.managedObjectType, field.key) == ("stage", vim.HostSystem, 101)
    manager.SetField(host(si), field.key, "draining")
    assert [(item.key, item.value) for item in host(si).customValue] == [(101, "draining")]
    assert [(item.key, item.value) for item in host(si).value] == [(101, "draining")]
    assert [item.name for item in host(si, 2).availableField] == ["stage"]
    assert not vm(si).availableField
    manager.RenameFieldDefinition(field.key, "phase")
    assert [item.name for item in manager.field] == ["phase"]
    manager.RemoveFieldDefinition(field.key)
    assert not host(si).customValue
    assert not host(si).availableField
    assert list(manager.field) == []


def test_a_custom_value_can_be_set_by_name(si: Any) -> None:
    si.content.customFieldsManager.AddFieldDefinition("stage", vim.HostSystem, None, None)
    host(si).SetCustomValue("stage", "x")
    assert [item.value for item in host(si).customValue] == ["x"]
    with pytest.raises(vmodl.fault.InvalidArgument):
        vm(si).SetCustomValue("stage", "x")


@pytest.mark.parametrize(("first", "second"), [(None, None), (None, vim.HostSystem), (vim.HostSystem, None)])
def test_a_custom_field_name_is_unique_where_it_applies(si: Any, first: Any, second: Any) -> None:
    manager = si.content.customFieldsManager
    manager.AddFieldDefinition("a", first, None, None)
    with pytest.raises(vim.fault.DuplicateName) as caught:
        manager.AddFieldDefinition("a", second, None, None)
    assert caught.value.name == "a"


def test_custom_field_mistakes(si: Any) -> None:
    manager = si.content.customFieldsManager
    field = manager.AddFieldDefinition("a", vim.HostSystem, None, None)
    manager.SetField(host(si), field.key, "x" * 255)
    with pytest.raises(vmodl.fault.InvalidArgument) as caught:
        manager.SetField(host(si), field.key, "x" * 256)
    assert caught.value.invalidProperty == "value"
    with pytest.raises(vmodl.fault.InvalidArgument):
        manager.SetField(vm(si), field.key, "x")
    with pytest.raises(vim.fault.NotFound):
        manager.SetField(host(si), 999, "x")
    with pytest.raises(vim.fault.NotFound):
        manager.RemoveFieldDefinition(999)
    assert host(si).customValue[0].value == "x" * 255


def test_custom_fields_need_their_privileges() -> None:
    sim = build({"users": [{"name": "a"}, {"name": "r", "role": "ReadOnly"}]})
    key = sim.stub().connect("a").content.customFieldsManager.AddFieldDefinition("f", None, None, None).key
    si = sim.stub().connect("r")
    with pytest.raises(vim.fault.NoPermission) as caught:
        si.content.customFieldsManager.AddFieldDefinition("g", None, None, None)
    assert caught.value.privilegeId == "Global.ManageCustomFields"
    with pytest.raises(vim.fault.NoPermission) as caught:
        si.content.customFieldsManager.SetField(host(si), key, "x")
    assert caught.value.privilegeId == "Global.SetCustomField"


# -- tasks --------------------------------------------------------------------------------------------------------


def test_a_task_is_queued_then_runs_then_ends(sim: Simulator, si: Any) -> None:
    sim.knobs.task_queue_seconds = 3.0
    task = host(si).RebootHost_Task(True)
    assert (task.info.state, task.info.startTime) == ("queued", None)
    assert task.info.descriptionId == "HostSystem.reboot"
    assert task.info.name.info.wsdlName == "RebootHost_Task"
    assert (task.info.entity, task.info.entityName) == (host(si), "esx-01")
    assert task.info.reason.userName == "administrator@vsphere.local"
    sim.clock.advance(3)
    assert task.info.state == "running"
    sim.clock.advance(2)
    assert task.info.progress == 50
    sim.clock.advance(2)
    assert task.info.state == "success"
    assert task.info.completeTime - task.info.startTime == timedelta(seconds=4)


def test_a_task_that_fails_carries_its_fault(sim: Simulator, si: Any) -> None:
    task = host(si).EnterMaintenanceMode_Task(10)
    sim.clock.advance(11)
    assert task.info.state == "error"
    assert isinstance(task.info.error, vim.fault.Timedout)
    assert task.info.error.msg == "Operation timed out."


def test_recent_tasks_come_and_go(sim: Simulator, si: Any) -> None:
    task = host(si).RebootHost_Task(True)
    sim.clock.advance(10)
    assert [item._moId for item in si.content.taskManager.recentTask] == [task._moId]
    assert [item._moId for item in host(si).recentTask] == [task._moId]
    sim.clock.advance(600)
    assert not si.content.taskManager.recentTask
    assert not host(si).recentTask
    assert task.info.state == "success"


def test_old_tasks_are_forgotten(sim: Simulator, si: Any) -> None:
    sim.knobs.task_keep = 2
    tasks = [host(si).RebootHost_Task(True) for _unused in range(3)]
    sim.clock.advance(10)
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        _unused = tasks[0].info
    assert tasks[2].info.state == "success"


def test_cancelling_ends_a_task_with_request_canceled(si: Any) -> None:
    task = host(si).EnterMaintenanceMode_Task(0)
    task.Cancel()
    assert (task.info.state, task.info.cancelled, task.info.cancelable) == ("error", True, False)
    assert isinstance(task.info.error, vmodl.fault.RequestCanceled)
    with pytest.raises(vim.fault.InvalidState):
        task.Cancel()


def test_a_task_that_cannot_be_cancelled_says_so(si: Any) -> None:
    task = host(si).RebootHost_Task(True)
    assert task.info.cancelable is False
    with pytest.raises(vmodl.fault.NotSupported):
        task.Cancel()


def test_cancelling_others_tasks_needs_the_privilege() -> None:
    users = [
        {"name": "a"},
        {"name": "owner", "role": "Maintainer"},
        {"name": "other", "role": "Maintainer"},
    ]
    sim = build({"roles": {"Maintainer": ["Host.Config.Maintenance"]}, "users": users})
    task = host(sim.stub().connect("owner")).EnterMaintenanceMode_Task(0)
    stub = sim.stub()
    stub.connect("other")
    with pytest.raises(vim.fault.NoPermission) as caught:
        vim.Task(task._moId, stub).Cancel()
    assert caught.value.privilegeId == "Global.CancelTask"
    task.Cancel()
    assert task.info.state == "error"


def test_a_broken_task_body_is_an_error_that_is_kept(sim: Simulator) -> None:
    def body(task: Any) -> None:
        raise ZeroDivisionError

    task = sim.start_task(None, None, "x", body)
    with pytest.raises(ZeroDivisionError):
        sim.clock.advance(0)
    assert task.info.state == "error"
    assert isinstance(task.info.error, vmodl.fault.SystemError)


# -- events -------------------------------------------------------------------------------------------------------


def test_events_name_what_they_are_about(sim: Simulator, si: Any) -> None:
    WaitForTask(vm(si).PowerOnVM_Task())
    event = si.content.eventManager.latestEvent
    assert isinstance(event, vim.event.VmPoweredOnEvent)
    assert (event.vm.vm, event.vm.name) == (vm(si), "vm-01")
    assert event.datacenter.name == "DC1"
    assert event.userName == "administrator@vsphere.local"
    assert event.createdTime == sim.clock.now()


def test_a_user_event_is_about_an_object_and_needs_the_privilege_there(sim: Simulator, si: Any) -> None:
    """API reference, EventManager.LogUserEvent: a GeneralUserEvent; privilege Global.LogEvent on the entity."""
    assert si.content.eventManager.LogUserEvent(vm(si), "drained by hand") is None
    event = si.content.eventManager.latestEvent
    assert isinstance(event, vim.event.GeneralUserEvent)
    assert (event.message, event.fullFormattedMessage) == ("drained by hand", "drained by hand")
    assert (event.entity.name, event.entity.entity, event.vm.vm) == ("vm-01", vm(si), vm(si))
    assert event.userName == "administrator@vsphere.local"
    about = vim.event.EventFilterSpec.ByEntity(entity=vm(si), recursion="self")
    found = si.content.eventManager.QueryEvents(vim.event.EventFilterSpec(entity=about))
    assert found[-1].key == event.key
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        si.content.eventManager.LogUserEvent(vim.VirtualMachine("vm-999", si._stub), "x")


def test_an_event_takes_entities_and_refuses_to_be_incomplete(sim: Simulator) -> None:
    moved, source = sim.find("VirtualMachine", "vm-01"), sim.find("HostSystem", "esx-01")
    with pytest.raises(TypeError, match="sourceHost is unset"):
        sim.post_event(vim.event.VmMigratedEvent, moved)
    event = sim.post_event(vim.event.VmMigratedEvent, moved, sourceHost=source)
    assert (event.sourceHost.name, event.sourceHost.host) == ("esx-01", source.ref)


def test_event_filters(sim: Simulator, si: Any) -> None:
    for number in (1, 2):
        WaitForTask(vm(si, number).PowerOnVM_Task())
    spec = vim.event.EventFilterSpec
    query = si.content.eventManager.QueryEvent

    def about(entity: Any, recursion: str) -> list[str]:
        by = spec.ByEntity(entity=entity, recursion=recursion)
        return [event.vm.name for event in query(spec(entity=by))]

    assert about(vm(si), "self") == ["vm-01"]
    assert about(si.content.rootFolder, "all") == ["vm-01", "vm-02"]
    assert about(si.content.rootFolder, "self") == []
    assert len(query(spec(type=[vim.event.VmEvent]))) == 2
    assert len(query(spec(eventTypeId=["vim.event.VmPoweredOnEvent"], maxCount=1))) == 1
    assert not query(spec(type=[vim.event.HostEvent]))
    late = spec.ByTime(beginTime=sim.clock.now() - timedelta(seconds=1))
    assert [event.vm.name for event in query(spec(time=late))] == ["vm-02"]
    assert not query(spec(userName=spec.ByUsername(systemUser=False, userList=["nobody"])))
    with pytest.raises(vmodl.fault.NotSupported):
        query(spec(category=["error"]))


def test_event_types_are_described(si: Any) -> None:
    details = {item.key: item.category for item in si.content.eventManager.description.eventInfo}
    assert details["VmPoweredOnEvent"] == "info"
    assert details["VmFailedToPowerOnEvent"] == "error"
    assert details["HostAddFailedEvent"] == "error"


def test_an_event_collector_pages_both_ways(sim: Simulator, si: Any) -> None:
    for number in (1, 2):
        WaitForTask(vm(si, number).PowerOnVM_Task())
    collector = si.content.eventManager.CreateCollector(vim.event.EventFilterSpec())
    assert [event.vm.name for event in collector.latestPage] == ["vm-02", "vm-01"]
    assert [event.vm.name for event in collector.ReadNext(1)] == ["vm-01"]
    assert [event.vm.name for event in collector.ReadNext(10)] == ["vm-02"]
    assert not collector.ReadNext(10)
    assert [event.vm.name for event in collector.ReadPrev(10)] == ["vm-02", "vm-01"]
    collector.SetLatestPageSize(1)
    assert [event.vm.name for event in collector.latestPage] == ["vm-02"]
    collector.Reset()
    assert [event.vm.name for event in collector.ReadNext(10)] == ["vm-02"]
    collector.Rewind()
    assert len(collector.ReadNext(10)) == 2
    collector.Remove()
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        collector.ReadNext(1)


def test_objects_helper_sees_everything(si: Any) -> None:
    assert [item.name for item in objects(si, vim.HostSystem)] == ["esx-01", "esx-02", "esx-03"]
