# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain pyVmomi calls whose answers any vSphere endpoint can be compared by.

Each step returns plain data that does not depend on names: kinds, counts, states, fault types. A fault that ends a step
is its answer: ``fault:InvalidState``. Steps run in order on one session and leave the inventory as they found it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyVim.task import WaitForTask
from pyVmomi import vim, vmodl

PC = vmodl.query.PropertyCollector
Step = Callable[[Any], Any]
NOW = PC.WaitOptions(maxWaitSeconds=0)
SOON = PC.WaitOptions(maxWaitSeconds=5)


def run(si: Any) -> dict[str, Any]:
    """The answer of every step."""
    return {name: answer(step, si) for name, step in STEPS.items()}


def answer(step: Step, si: Any) -> Any:
    """What a step returns, or the fault it ends with."""
    try:
        return step(si)
    except vmodl.MethodFault as fault:
        return f"fault:{fault._wsdlName}"
    except TypeError as error:
        return f"not an answer of this API: {error}"


def faults(call: Callable[..., Any], *arguments: Any) -> str:
    """The name of the fault a call ends with; "none" when it goes well."""
    try:
        result = call(*arguments)
        if isinstance(result, vim.Task):
            WaitForTask(result)
    except vmodl.MethodFault as fault:
        return str(fault._wsdlName)
    return "none"


def done(task: Any) -> str:
    """The state a task ends in."""
    WaitForTask(task)
    return str(task.info.state)


def view(si: Any, *kinds: type[Any]) -> Any:
    return si.content.viewManager.CreateContainerView(si.content.rootFolder, list(kinds), True)


def all_of(si: Any, kind: type[Any]) -> list[Any]:
    return sorted(view(si, kind).view, key=lambda item: str(item._moId))


def vm(si: Any) -> Any:
    """A VM that is switched off."""
    found = all_of(si, vim.VirtualMachine)[0]
    if found.runtime.powerState != "poweredOff":
        WaitForTask(found.PowerOffVM_Task())
    return found


def idle_host(si: Any) -> Any:
    """A host without a running VM."""
    for host in all_of(si, vim.HostSystem):
        if all(item.runtime.powerState == "poweredOff" for item in host.vm):
            return host
    for item in all_of(si, vim.HostSystem)[0].vm:
        if item.runtime.powerState != "poweredOff":
            WaitForTask(item.PowerOffVM_Task())
    return all_of(si, vim.HostSystem)[0]


def spec(start: Any, kind: type[Any], *paths: str, everything: bool = False) -> Any:
    step = PC.TraversalSpec(name="view", type=type(start), path="view", skip=False)
    return PC.FilterSpec(
        objectSet=[PC.ObjectSpec(obj=start, skip=True, selectSet=[step])],
        propSet=[PC.PropertySpec(type=kind, pathSet=list(paths), all=everything)],
    )


def one(obj: Any, *paths: str) -> Any:
    return PC.FilterSpec(
        objectSet=[PC.ObjectSpec(obj=obj)], propSet=[PC.PropertySpec(type=type(obj), pathSet=list(paths), all=False)]
    )


def read(si: Any, obj: Any, *paths: str) -> dict[str, Any]:
    (content,) = si.content.propertyCollector.RetrieveProperties([one(obj, *paths)])
    return {item.name: item.val for item in content.propSet}


# -- service and sessions -----------------------------------------------------------------------------------------


def about(si: Any) -> Any:
    """Kind of endpoint, product line, first word of the vendor."""
    shown = si.content.about
    return [shown.apiType, shown.productLineId, shown.vendor.split()[0].strip(",")]


def current_session(si: Any) -> Any:
    return bool(si.content.sessionManager.currentSession.key)


def login_twice(si: Any) -> Any:
    return faults(si.content.sessionManager.Login, "someone", "secret", None)


def clone_session(si: Any) -> Any:
    return bool(si.content.sessionManager.AcquireCloneTicket())


def session_is_active(si: Any) -> Any:
    session = si.content.sessionManager.currentSession
    return si.content.sessionManager.SessionIsActive(session.key, session.userName)


def current_time(si: Any) -> Any:
    return si.CurrentTime().tzinfo is not None


# -- views --------------------------------------------------------------------------------------------------------


def view_counts(si: Any) -> Any:
    kinds = (vim.Datacenter, vim.ClusterComputeResource, vim.HostSystem, vim.VirtualMachine)
    return [len(view(si, kind).view) for kind in kinds]


def view_of_base_type(si: Any) -> Any:
    return len(view(si, vim.ComputeResource).view)


def view_not_recursive(si: Any) -> Any:
    made = si.content.viewManager.CreateContainerView(si.content.rootFolder, [vim.Datacenter], False)
    return len(made.view)


def view_destroyed(si: Any) -> Any:
    made = view(si, vim.HostSystem)
    made.Destroy()
    return faults(made.Destroy)


def view_of_a_vm(si: Any) -> Any:
    return faults(si.content.viewManager.CreateContainerView, vm(si), [], True)


def view_below_a_host(si: Any) -> Any:
    host = vm(si).runtime.host
    made = si.content.viewManager.CreateContainerView(host, [vim.VirtualMachine], True)
    return len(made.view) == len(host.vm)


def list_view(si: Any) -> Any:
    hosts = all_of(si, vim.HostSystem)
    made = si.content.viewManager.CreateListView(hosts[:1])
    lost = made.Modify(hosts[1:], [])
    after = len(made.view)
    made.Reset([])
    return [len(lost or []), after, len(made.view)]


# -- bulk reads ---------------------------------------------------------------------------------------------------


def bulk_read(si: Any) -> Any:
    found = si.content.propertyCollector.RetrieveProperties(
        [
            spec(
                view(si, vim.HostSystem),
                vim.HostSystem,
                "name",
                "runtime.connectionState",
                "parent",
                "summary.rebootRequired",
            )
        ]
    )
    return [sorted(item.name for item in content.propSet) for content in found]


def paging(si: Any) -> Any:
    collector = si.content.propertyCollector
    page = collector.RetrievePropertiesEx(
        [spec(view(si, vim.HostSystem), vim.HostSystem, "name")], PC.RetrieveOptions(maxObjects=2)
    )
    sizes = [len(page.objects)]
    while page.token:
        page = collector.ContinueRetrievePropertiesEx(page.token)
        sizes.append(len(page.objects))
    return sizes


def paging_cancelled(si: Any) -> Any:
    collector = si.content.propertyCollector
    options = PC.RetrieveOptions(maxObjects=1)
    token = collector.RetrievePropertiesEx([spec(view(si, vim.HostSystem), vim.HostSystem, "name")], options).token
    collector.CancelRetrievePropertiesEx(token)
    return faults(collector.ContinueRetrievePropertiesEx, token)


def page_size_zero(si: Any) -> Any:
    wanted = [spec(view(si, vim.HostSystem), vim.HostSystem, "name")]
    return faults(si.content.propertyCollector.RetrievePropertiesEx, wanted, PC.RetrieveOptions(maxObjects=0))


def nothing_selected(si: Any) -> Any:
    wanted = [spec(view(si, vim.StoragePod), vim.StoragePod, "name")]
    return si.content.propertyCollector.RetrievePropertiesEx(wanted, PC.RetrieveOptions()) is None


def bad_path(si: Any) -> Any:
    return faults(si.content.propertyCollector.RetrieveProperties, [one(vm(si), "nope")])


def bad_nested_path(si: Any) -> Any:
    return faults(si.content.propertyCollector.RetrieveProperties, [one(vm(si), "runtime.nope")])


def unset_path(si: Any) -> Any:
    return sorted(read(si, vm(si), "name", "runtime.question", "snapshot"))


def nested_types(si: Any) -> Any:
    found = read(si, vm(si), "config.hardware.memoryMB", "config.hardware.device", "runtime.powerState", "runtime.host")
    kinds = {name: type(value).__name__ for name, value in found.items()}
    return sorted(kinds.items())


def array_element(si: Any) -> Any:
    return [type(value).__name__ for value in read(si, vm(si), "config.hardware.device[100]").values()]


def array_element_missing(si: Any) -> Any:
    return sorted(read(si, vm(si), "name", "config.hardware.device[99999]"))


def no_paths(si: Any) -> Any:
    (content,) = si.content.propertyCollector.RetrieveProperties([one(vm(si))])
    return len(content.propSet)


def gone_object(si: Any) -> Any:
    ghost = vim.VirtualMachine("vm-does-not-exist", si._stub)
    return faults(si.content.propertyCollector.RetrieveProperties, [one(ghost, "name")])


def folder_walk(si: Any) -> Any:
    """Recursive selection specs by name."""
    back = PC.SelectionSpec(name="folders")
    folders = PC.TraversalSpec(
        name="folders", type=vim.Folder, path="childEntity", skip=False,
        selectSet=[back, PC.SelectionSpec(name="hosts"), PC.SelectionSpec(name="computers")],
    )  # fmt: skip
    hosts = PC.TraversalSpec(name="hosts", type=vim.Datacenter, path="hostFolder", skip=False, selectSet=[back])
    computers = PC.TraversalSpec(name="computers", type=vim.ComputeResource, path="host", skip=False)
    wanted = PC.FilterSpec(
        objectSet=[PC.ObjectSpec(obj=si.content.rootFolder, skip=False, selectSet=[folders, hosts, computers])],
        propSet=[PC.PropertySpec(type=vim.HostSystem, pathSet=["name"])],
    )
    return len(si.content.propertyCollector.RetrieveProperties([wanted]))


# -- updates ------------------------------------------------------------------------------------------------------


def updates(si: Any) -> Any:
    """Enter, then one modify with its path for a change made between two waits, then silence."""
    target = vm(si)
    collector = si.content.propertyCollector.CreatePropertyCollector()
    made = collector.CreateFilter(one(target, "config.hardware.memoryMB", "runtime.powerState"), True)
    first = collector.WaitForUpdatesEx("", SOON)
    before = target.config.hardware.memoryMB
    WaitForTask(target.ReconfigVM_Task(vim.vm.ConfigSpec(memoryMB=before + 4)))
    second = collector.WaitForUpdatesEx(first.version, PC.WaitOptions(maxWaitSeconds=2))
    silence = second is None or collector.WaitForUpdatesEx(second.version, NOW) is None
    made.Destroy()
    collector.Destroy()
    WaitForTask(target.ReconfigVM_Task(vim.vm.ConfigSpec(memoryMB=before)))
    return [flat(first), flat(second) if second is not None else None, silence]


def flat(found: Any) -> Any:
    return [
        [str(item.kind), sorted(str(change.name) for change in item.changeSet)]
        for filters in found.filterSet
        for item in filters.objectSet
    ]


def unknown_version(si: Any) -> Any:
    collector = si.content.propertyCollector.CreatePropertyCollector()
    collector.CreateFilter(one(vm(si), "name"), True)
    collector.WaitForUpdatesEx("", SOON)
    found = faults(collector.WaitForUpdatesEx, "not-a-version", NOW)
    collector.Destroy()
    return found


def truncated(si: Any) -> Any:
    collector = si.content.propertyCollector.CreatePropertyCollector()
    collector.CreateFilter(spec(view(si, vim.HostSystem), vim.HostSystem, "name"), True)
    first = collector.WaitForUpdatesEx("", PC.WaitOptions(maxObjectUpdates=2, maxWaitSeconds=0))
    found = [len(flat(first)), bool(first.truncated)]
    collector.Destroy()
    return found


def bad_filter(si: Any) -> Any:
    return faults(si.content.propertyCollector.CreateFilter, one(vm(si), "nope"), True)


# -- search -------------------------------------------------------------------------------------------------------


def by_inventory_path(si: Any) -> Any:
    center = all_of(si, vim.Datacenter)[0].name
    index = si.content.searchIndex
    found = index.FindByInventoryPath(f"{center}/vm/{vm(si).name}")
    return [type(found).__name__, index.FindByInventoryPath(f"{center}/vm/nope")]


def by_uuid(si: Any) -> Any:
    index, target = si.content.searchIndex, vm(si)
    found = index.FindByUuid(None, target.config.uuid, True, False)
    return [found == target, index.FindByUuid(None, "00000000-0000-0000-0000-000000000000", True, False)]


def host_by_name(si: Any) -> Any:
    host = all_of(si, vim.HostSystem)[0]
    return si.content.searchIndex.FindByDnsName(None, host.name, False) == host


def child(si: Any) -> Any:
    center = all_of(si, vim.Datacenter)[0]
    index = si.content.searchIndex
    found = index.FindChild(si.content.rootFolder, center.name)
    return [found == center, index.FindChild(si.content.rootFolder, "nope")]


# -- virtual machines ---------------------------------------------------------------------------------------------


def reconfigure(si: Any) -> Any:
    target = vm(si)
    before = target.config
    change = vim.vm.ConfigSpec(memoryMB=before.hardware.memoryMB + 4, numCPUs=2, annotation="seen")
    states = [done(target.ReconfigVM_Task(change))]
    after = target.config
    states += [after.hardware.memoryMB - before.hardware.memoryMB, after.hardware.numCPU, after.annotation]
    back = vim.vm.ConfigSpec(memoryMB=before.hardware.memoryMB, numCPUs=before.hardware.numCPU, annotation="")
    return [*states, done(target.ReconfigVM_Task(back))]


def change_version_moves(si: Any) -> Any:
    target = vm(si)
    before = target.config.changeVersion
    WaitForTask(target.ReconfigVM_Task(vim.vm.ConfigSpec(annotation="moved")))
    return target.config.changeVersion != before


def stale_change_version(si: Any) -> Any:
    change = vim.vm.ConfigSpec(changeVersion="1999-01-01T00:00:00.000000Z", annotation="late")
    return faults(vm(si).ReconfigVM_Task, change)


def extra_config(si: Any) -> Any:
    target = vm(si)
    option = vim.option.OptionValue(key="pciPassthru.use64bitMMIO", value="TRUE")
    WaitForTask(target.ReconfigVM_Task(vim.vm.ConfigSpec(extraConfig=[option])))
    found = {item.key: item.value for item in target.config.extraConfig}
    option.value = ""
    WaitForTask(target.ReconfigVM_Task(vim.vm.ConfigSpec(extraConfig=[option])))
    left = {item.key: item.value for item in target.config.extraConfig}
    return [found.get(option.key), option.key in left]


def reserve_some(si: Any) -> Any:
    target = vm(si)
    share = vim.ResourceAllocationInfo(reservation=8)
    WaitForTask(target.ReconfigVM_Task(vim.vm.ConfigSpec(memoryAllocation=share)))
    found = target.config.memoryAllocation.reservation
    share.reservation = 0
    WaitForTask(target.ReconfigVM_Task(vim.vm.ConfigSpec(memoryAllocation=share)))
    return [found, target.config.memoryAllocation.reservation]


def lock_memory(si: Any) -> Any:
    """Locked to the maximum: the reservation is the memory size, and follows it."""
    target = vm(si)
    size = target.config.hardware.memoryMB
    WaitForTask(target.ReconfigVM_Task(vim.vm.ConfigSpec(memoryReservationLockedToMax=True)))
    locked = [target.config.memoryReservationLockedToMax, target.config.memoryAllocation.reservation == size]
    WaitForTask(target.ReconfigVM_Task(vim.vm.ConfigSpec(memoryMB=size + 4)))
    locked.append(target.config.memoryAllocation.reservation == size + 4)
    share = vim.ResourceAllocationInfo(reservation=0)
    back = vim.vm.ConfigSpec(memoryMB=size, memoryReservationLockedToMax=False, memoryAllocation=share)
    WaitForTask(target.ReconfigVM_Task(back))
    return [*locked, bool(target.config.memoryReservationLockedToMax)]


def locked_and_lowered(si: Any) -> Any:
    """While locked, another reservation is refused."""
    target = vm(si)
    WaitForTask(target.ReconfigVM_Task(vim.vm.ConfigSpec(memoryReservationLockedToMax=True)))
    lower = vim.vm.ConfigSpec(memoryAllocation=vim.ResourceAllocationInfo(reservation=8))
    found = faults(target.ReconfigVM_Task, lower)
    share = vim.ResourceAllocationInfo(reservation=0)
    WaitForTask(target.ReconfigVM_Task(vim.vm.ConfigSpec(memoryReservationLockedToMax=False, memoryAllocation=share)))
    return found


def remove_unknown_device(si: Any) -> Any:
    ghost = vim.vm.device.VirtualPCIPassthrough(key=13099)
    change = vim.vm.device.VirtualDeviceSpec(operation="remove", device=ghost)
    return faults(vm(si).ReconfigVM_Task, vim.vm.ConfigSpec(deviceChange=[change]))


def passthrough_device(si: Any) -> Any:
    """Attach a fixed and a dynamic device and detach both: [count, first key is in range, count after]."""
    target = vm(si)
    kind = vim.vm.device.VirtualPCIPassthrough
    fixed = kind.DeviceBackingInfo(id="0000:8a:00.0", deviceId="20f1", vendorId=4318, systemId="x", deviceName="x")
    loose = kind.DynamicBackingInfo(deviceName="", allowedDevice=[kind.AllowedDevice(vendorId=4318, deviceId=8433)])
    adds = [
        vim.vm.device.VirtualDeviceSpec(operation="add", device=kind(key=-1 - number, backing=backing))
        for number, backing in enumerate((fixed, loose))
    ]
    WaitForTask(target.ReconfigVM_Task(vim.vm.ConfigSpec(deviceChange=adds)))
    there = [item for item in target.config.hardware.device if isinstance(item, kind)]
    removes = [vim.vm.device.VirtualDeviceSpec(operation="remove", device=item) for item in there]
    WaitForTask(target.ReconfigVM_Task(vim.vm.ConfigSpec(deviceChange=removes)))
    left = [item for item in target.config.hardware.device if isinstance(item, kind)]
    return [len(there), all(13000 <= item.key <= 13127 for item in there), len(left)]


def duplicate_keys(si: Any) -> Any:
    kind = vim.vm.device.VirtualPCIPassthrough
    backing = kind.DynamicBackingInfo(deviceName="", allowedDevice=[kind.AllowedDevice(vendorId=1, deviceId=1)])
    adds = [
        vim.vm.device.VirtualDeviceSpec(operation="add", device=kind(key=-1, backing=backing)) for _unused in range(2)
    ]
    target = vm(si)
    found = faults(target.ReconfigVM_Task, vim.vm.ConfigSpec(deviceChange=adds))
    there = [item for item in target.config.hardware.device if isinstance(item, kind)]
    if there:
        removes = [vim.vm.device.VirtualDeviceSpec(operation="remove", device=item) for item in there]
        WaitForTask(target.ReconfigVM_Task(vim.vm.ConfigSpec(deviceChange=removes)))
    return found


def power(si: Any) -> Any:
    target = vm(si)
    states = [done(target.PowerOnVM_Task()), str(target.runtime.powerState), faults(target.PowerOnVM_Task)]
    states += [done(target.PowerOffVM_Task()), str(target.runtime.powerState), faults(target.PowerOffVM_Task)]
    return states


def shutdown_guest_when_off(si: Any) -> Any:
    return faults(vm(si).ShutdownGuest)


def config_target(si: Any) -> Any:
    found = vm(si).environmentBrowser.QueryConfigTarget(None)
    return [type(found).__name__, found.numCpus > 0]


def config_option(si: Any) -> Any:
    found = vm(si).environmentBrowser.QueryConfigOptionEx(vim.EnvironmentBrowser.ConfigOptionQuerySpec(key="vmx-19"))
    maxima = [
        option.numPCIPassthroughDevices.max
        for option in found.hardwareOptions.virtualDeviceOption
        if isinstance(option, vim.vm.device.VirtualPCIControllerOption)
    ]
    return [found.version, maxima]


# -- hosts --------------------------------------------------------------------------------------------------------


def maintenance(si: Any) -> Any:
    host = idle_host(si)
    states = [done(host.EnterMaintenanceMode_Task(60)), host.runtime.inMaintenanceMode]
    states.append(faults(host.EnterMaintenanceMode_Task, 60))
    states += [done(host.ExitMaintenanceMode_Task(60)), host.runtime.inMaintenanceMode]
    states.append(faults(host.ExitMaintenanceMode_Task, 60))
    return states


def maintenance_moves_a_running_vm(si: Any) -> Any:
    """With DRS at work a running VM is moved away before the host is in maintenance mode."""
    target = vm(si)
    host = target.runtime.host
    WaitForTask(target.PowerOnVM_Task())
    found = [faults(host.EnterMaintenanceMode_Task, 60), target.runtime.host == host]
    if host.runtime.inMaintenanceMode:
        WaitForTask(host.ExitMaintenanceMode_Task(60))
    WaitForTask(target.PowerOffVM_Task())
    return found


def reboot_outside_maintenance(si: Any) -> Any:
    return faults(idle_host(si).RebootHost_Task, False)


def passthrough_list(si: Any) -> Any:
    host = idle_host(si)
    return [bool(host.config.pciPassthruInfo), bool(host.hardware.pciDevice)]


def passthrough_refresh(si: Any) -> Any:
    system = idle_host(si).configManager.pciPassthruSystem
    return faults(system.Refresh)


def signed_vendor_ids(si: Any) -> Any:
    intel = [item for item in idle_host(si).hardware.pciDevice if item.vendorId & 0xFFFF == 0x8086]
    return [bool(intel), all(item.vendorId < 0 for item in intel)]


# -- tasks, events, custom fields ---------------------------------------------------------------------------------


def task_info(si: Any) -> Any:
    target = vm(si)
    task = target.PowerOnVM_Task()
    WaitForTask(task)
    info = task.info
    shown = [info.descriptionId, info.entityName == target.name, info.entity == target, info.cancelled]
    WaitForTask(target.PowerOffVM_Task())
    return [*shown, info.completeTime is not None, info.startTime is not None]


def recent_task(si: Any) -> Any:
    task = vm(si).ReconfigVM_Task(vim.vm.ConfigSpec(annotation="recent"))
    WaitForTask(task)
    return task in list(si.content.taskManager.recentTask)


def cancel_ended_task(si: Any) -> Any:
    task = vm(si).ReconfigVM_Task(vim.vm.ConfigSpec(annotation="over"))
    WaitForTask(task)
    return faults(task.Cancel)


def power_events(si: Any) -> Any:
    """The reference gives the events no order, so none is compared."""
    target = vm(si)
    WaitForTask(target.PowerOnVM_Task())
    WaitForTask(target.PowerOffVM_Task())
    by = vim.event.EventFilterSpec.ByEntity(entity=target, recursion="self")
    found = si.content.eventManager.QueryEvent(vim.event.EventFilterSpec(entity=by))
    wanted = (vim.event.VmPoweredOnEvent, vim.event.VmPoweredOffEvent)
    return sorted({type(item).__name__ for item in found if isinstance(item, wanted)})


def custom_fields(si: Any) -> Any:
    manager, target = si.content.customFieldsManager, vm(si)
    field = manager.AddFieldDefinition("conformance", vim.VirtualMachine, None, None)
    shown = [faults(manager.AddFieldDefinition, "conformance", vim.VirtualMachine, None, None)]
    manager.SetField(target, field.key, "one")
    shown.append([item.value for item in target.customValue if item.key == field.key])
    manager.SetField(target, field.key, "two")
    shown.append([item.value for item in target.value if item.key == field.key])
    shown.append(field.key in [item.key for item in target.availableField])
    manager.RenameFieldDefinition(field.key, "renamed")
    shown.append([item.name for item in manager.field if item.key == field.key])
    manager.RemoveFieldDefinition(field.key)
    shown.append([item.value for item in target.customValue if item.key == field.key])
    return shown


def custom_field_unknown(si: Any) -> Any:
    manager = si.content.customFieldsManager
    return [faults(manager.RemoveFieldDefinition, 987654), faults(manager.RenameFieldDefinition, 987654, "x")]


# -- what is not there --------------------------------------------------------------------------------------------


def object_not_there(si: Any) -> Any:
    return faults(vim.HostSystem("host-does-not-exist", si._stub).RebootHost_Task, True)


def privileges(si: Any) -> Any:
    manager, key = si.content.authorizationManager, si.content.sessionManager.currentSession.key
    found = manager.HasPrivilegeOnEntities([si.content.rootFolder], key, ["System.Read"])
    return [cell.isGranted for row in found for cell in row.privAvailability]


STEPS: dict[str, Step] = {
    step.__name__: step
    for step in (
        about, current_session, login_twice, clone_session, session_is_active, current_time,
        view_counts, view_of_base_type, view_not_recursive, view_destroyed, view_of_a_vm, view_below_a_host, list_view,
        bulk_read, paging, paging_cancelled, page_size_zero, nothing_selected, bad_path, bad_nested_path, unset_path,
        nested_types, array_element, array_element_missing, no_paths, gone_object, folder_walk,
        updates, unknown_version, truncated, bad_filter,
        by_inventory_path, by_uuid, host_by_name, child,
        reconfigure, change_version_moves, stale_change_version, extra_config, reserve_some, lock_memory,
        locked_and_lowered, remove_unknown_device, passthrough_device, duplicate_keys, power, shutdown_guest_when_off,
        config_target, config_option,
        maintenance, maintenance_moves_a_running_vm, reboot_outside_maintenance, passthrough_list, passthrough_refresh,
        signed_vendor_ids,
        task_info, recent_task, cancel_ended_task, power_events, custom_fields, custom_field_unknown,
        object_not_there, privileges,
    )
}  # fmt: skip
