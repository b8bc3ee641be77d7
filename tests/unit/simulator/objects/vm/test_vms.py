# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual machines: reconfigure, power, moves, snapshots, rights."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim, vmodl

from tests.unit.simulator.world import FREE_NIC, GPU, GPU2, NVME, PASSTHROUGH, World

SPEC = vim.vm.ConfigSpec


@pytest.fixture
def ready(world: World) -> World:
    """Both GPUs of the first host are active."""
    world.configure(world.host("esx-01"), GPU, GPU2)
    return world


def running(world: World, *names: str) -> None:
    for name in names:
        world.wait(world.vm(name).PowerOnVM_Task(None))


def test_base_devices_are_complete(world: World) -> None:
    devices = {item.key: item for item in world.vm("train-01").config.hardware.device}
    assert {100, 200, 201, 300, 400, 500, 600, 700, 1000, 2000, 4000, 12000} <= set(devices)
    assert set(devices[100].device) == {500, 1000, 4000, 12000}
    taken = [(item.controllerKey, item.unitNumber) for item in devices.values() if item.unitNumber is not None]
    assert len(set(taken)) == len(taken)


def test_one_reconfigure_attaches_everything(ready: World) -> None:
    vm, host = ready.vm("train-01"), ready.host("esx-01")
    before = vm.config.changeVersion
    ready.wait(ready.attach(vm, ready.fixed(host), ready.dynamic(customLabel="x"), changeVersion=before))
    fixed, dynamic = ready.devices(vm)
    assert (fixed.key, fixed.unitNumber, fixed.backing.id) == (13000, 18, GPU)
    assert (dynamic.key, dynamic.backing.customLabel, dynamic.backing.allowedDevice[0].deviceId) == (13001, "x", 0x20F1)
    config = vm.config
    assert config.memoryReservationLockedToMax
    assert config.memoryAllocation.reservation == config.hardware.memoryMB == 65536
    assert config.changeVersion != before
    extra = {item.key: item.value for item in config.extraConfig}
    assert extra["pciPassthru0.deviceId"] == "0x20f1"
    assert extra["pciPassthru0.id"] == "00000:059:00.0"
    assert extra["pciPassthru.64bitMMIOSizeGB"] == "512"
    assert {13000, 13001} <= set(next(item for item in config.hardware.device if item.key == 100).device)
    assert vm.summary.config.memoryReservation == 65536


@pytest.mark.parametrize("answer", ["generic", "invalid_argument", "power_on"])
def test_the_same_card_twice_never_runs(answer: str) -> None:
    world = World("three_hosts", same_card_twice=answer)
    host, vm = world.host("esx-01"), world.vm("train-01")
    world.configure(host, GPU)
    task = world.attach(vm, world.fixed(host), world.fixed(host))
    if answer != "power_on":
        world.fails(Exception, task)
        assert world.devices(vm) == []
        return
    world.wait(task)
    fault = world.fails(vim.fault.GenericVmConfigFault, vm.PowerOnVM_Task())
    assert [line.message for line in fault.faultMessage][-1] == "Device 59:0.0 is already in use."
    assert vm.runtime.powerState == "poweredOff"


def test_a_stale_change_version_changes_nothing(ready: World) -> None:
    vm = ready.vm("train-01")
    before = vm.config.changeVersion
    ready.sim.events["touch_vm"](vm="train-01")
    ready.fails(vim.fault.ConcurrentAccess, ready.attach(vm, ready.dynamic(), changeVersion=before))
    assert ready.devices(vm) == []
    assert not vm.config.memoryReservationLockedToMax


def test_a_refused_spec_changes_nothing_at_all(ready: World) -> None:
    vm = ready.vm("train-01")
    bad = vim.vm.device.VirtualDeviceSpec(operation="remove", device=PASSTHROUGH(key=13005))
    good = vim.vm.device.VirtualDeviceSpec(operation="add", device=PASSTHROUGH(key=-1, backing=ready.dynamic()))
    ready.fails(vim.fault.DeviceNotFound, vm.ReconfigVM_Task(SPEC(deviceChange=[good, bad], memoryMB=4096)))
    assert ready.devices(vm) == []
    assert vm.config.hardware.memoryMB == 65536


def test_removing_keeps_the_lock(ready: World) -> None:
    vm = ready.vm("train-01")
    ready.wait(ready.attach(vm, ready.dynamic(), ready.dynamic()))
    change = vim.vm.device.VirtualDeviceSpec(operation="remove", device=ready.devices(vm)[0])
    ready.wait(vm.ReconfigVM_Task(SPEC(deviceChange=[change])))
    assert [item.key for item in ready.devices(vm)] == [13001]
    assert vm.config.memoryReservationLockedToMax
    assert 13000 not in next(item for item in vm.config.hardware.device if item.key == 100).device


def test_fields_that_are_not_modelled_are_refused_by_name(world: World) -> None:
    vm = world.vm("train-01")
    with pytest.raises(vmodl.fault.NotSupported, match=r"spec\.swapPlacement is not modelled"):
        vm.ReconfigVM_Task(SPEC(swapPlacement="inherit"))


def test_power_on_takes_the_devices_and_power_off_gives_them_back(ready: World) -> None:
    host, first, second = ready.host("esx-01"), ready.vm("train-01"), ready.vm("train-02")
    ready.wait(ready.attach(first, ready.dynamic()))
    version = first.config.changeVersion
    running(ready, "train-01")
    assert ready.devices(first)[0].backing.assignedId == GPU
    assert ready.devices(first)[0].slotInfo.pciSlotNumber
    assert first.config.changeVersion != version
    bindings = host.configManager.assignableHardwareManager.binding
    assert [(item.instanceId, item.vm) for item in bindings] == [(f"pci-{GPU}", first)]
    ready.wait(first.PowerOffVM_Task())
    assert ready.devices(first)[0].backing.assignedId is None
    assert host.configManager.assignableHardwareManager.binding == []
    assert second.runtime.powerState == "poweredOff"


def test_a_device_has_one_vm(ready: World) -> None:
    host, first = ready.host("esx-01"), ready.vm("train-01")
    second = ready.vm("train-02")
    ready.wait(second.MigrateVM_Task(None, host, "defaultPriority", None))
    for vm in (first, second):
        ready.wait(ready.attach(vm, ready.fixed(host)))
    running(ready, "train-01")
    fault = ready.fails(vim.fault.GenericVmConfigFault, second.PowerOnVM_Task(None))
    assert [line.message for line in fault.faultMessage][1] == "Device 59:0.0 is already in use."
    assert second.runtime.powerState == "poweredOff"
    ready.wait(first.PowerOffVM_Task())
    running(ready, "train-02")


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"deviceId": "8433"}, "device currently at 59:0.0."),
        ({"systemId": "4c4c4544-0000"}, "The systemId does not match the current system"),
        ({"id": GPU2[:-1] + "1"}, "device currently at 94:0.1."),
    ],
)
def test_wrong_ids_are_noticed_at_power_on_only(ready: World, values: dict[str, Any], text: str) -> None:
    vm = ready.vm("train-01")
    ready.wait(ready.attach(vm, ready.fixed(ready.host("esx-01"), **values)))
    fault = ready.fails(vim.fault.GenericVmConfigFault, vm.PowerOnVM_Task(None))
    assert text in fault.reason
    events = ready.content.eventManager.QueryEvents(vim.event.EventFilterSpec())
    assert any(isinstance(item, vim.event.VmFailedToPowerOnEvent) for item in events)


def test_without_a_full_reservation(ready: World) -> None:
    vm = ready.vm("train-01")
    ready.wait(ready.attach(vm, ready.dynamic(), memoryReservationLockedToMax=False))
    fault = ready.fails(vim.fault.GenericVmConfigFault, vm.PowerOnVM_Task(None))
    assert (
        fault.reason == "Invalid memory setting: memory reservation (sched.mem.min) should be equal to memsize(65536). "
    )
    size = vim.ResourceAllocationInfo(reservation=65536)
    ready.wait(vm.ReconfigVM_Task(SPEC(memoryAllocation=size)))
    running(ready, "train-01")


def test_whether_the_api_reserves_by_itself_is_a_knob() -> None:
    world = World("three_hosts", reserve_on_reconfigure=True)
    world.configure(world.host("esx-01"), GPU)
    vm = world.vm("train-01")
    world.wait(world.attach(vm, world.dynamic(), memoryReservationLockedToMax=None))
    assert (vm.config.memoryReservationLockedToMax, vm.config.memoryAllocation.reservation) == (False, 65536)


def test_unlocking_needs_to_be_said(ready: World) -> None:
    vm = ready.vm("train-01")
    ready.wait(vm.ReconfigVM_Task(SPEC(memoryReservationLockedToMax=True)))
    lower = vim.ResourceAllocationInfo(reservation=0)
    fault = ready.fails(vmodl.fault.InvalidArgument, vm.ReconfigVM_Task(SPEC(memoryAllocation=lower)))
    assert fault.invalidProperty == "spec.memoryAllocation.reservation"
    ready.wait(vm.ReconfigVM_Task(SPEC(memoryReservationLockedToMax=False, memoryAllocation=lower)))
    assert vm.config.memoryAllocation.reservation == 0


def test_a_locked_reservation_follows_the_memory(world: World) -> None:
    vm = world.vm("train-01")
    world.wait(vm.ReconfigVM_Task(SPEC(memoryReservationLockedToMax=True)))
    world.sim.events["grow_memory"](vm="train-01", memory_mb=131072)
    assert vm.config.memoryAllocation.reservation == 131072


def test_a_pool_that_is_too_small() -> None:
    world = World("mixed")
    vm = world.vm("small-01")
    world.wait(vm.ReconfigVM_Task(SPEC(memoryReservationLockedToMax=True)))
    fault = world.fails(vim.fault.InsufficientMemoryResourcesFault, vm.PowerOnVM_Task(None))
    assert fault.unreserved == 8192 * 1024 * 1024
    assert fault.requested > 65536 * 1024 * 1024
    assert vm.resourcePool.runtime.memory.unreservedForVm == fault.unreserved


def test_hot_add_is_refused_and_leaves_its_trace(ready: World) -> None:
    running(ready, "train-01")
    vm = ready.vm("train-01")
    fault = ready.fails(vim.fault.GenericVmConfigFault, ready.attach(vm, ready.dynamic()))
    assert fault.faultMessage[0].key == "msg.devices.hotplug.failed"
    assert ready.devices(vm) == []
    assert {item.key: item.value for item in vm.config.extraConfig} == {"pciPassthru0.present": "FALSE"}


def test_old_hardware_versions(world: World) -> None:
    mixed = World("mixed")
    vm = mixed.vm("old-version-01")
    fault = mixed.fails(vim.fault.DeviceUnsupportedForVmVersion, mixed.attach(vm, mixed.dynamic()))
    assert fault.expectedVersion == "vmx-17"
    mixed.wait(vm.UpgradeVM_Task("vmx-20"))
    assert vm.config.version == "vmx-20"
    mixed.wait(mixed.attach(vm, mixed.dynamic()))
    mixed.fails(vim.fault.AlreadyUpgraded, vm.UpgradeVM_Task("vmx-20"))
    mixed.fails(vmodl.fault.NotSupported, vm.UpgradeVM_Task("vmx-22"))
    mixed.fails(vmodl.fault.InvalidArgument, vm.UpgradeVM_Task("newest"))


def test_too_many_devices(world: World) -> None:
    mixed = World("mixed")
    vm = mixed.vm("old-version-01")
    mixed.wait(vm.UpgradeVM_Task("vmx-19"))
    mixed.fails(vim.fault.TooManyDevices, mixed.attach(vm, *[mixed.dynamic() for _number in range(17)]))
    mixed.wait(mixed.attach(vm, *[mixed.dynamic() for _number in range(16)]))


def test_nested_virtualisation(ready: World) -> None:
    vm = ready.vm("train-01")
    ready.wait(vm.ReconfigVM_Task(SPEC(nestedHVEnabled=True)))
    ready.wait(ready.attach(vm, ready.dynamic()))
    fault = ready.fails(vim.fault.GenericVmConfigFault, vm.PowerOnVM_Task(None))
    assert fault.reason == "Virtualization is not supported on a virtual machine with a PCI passthrough device."


def test_drs_finds_the_host_with_a_free_card(ready: World) -> None:
    vm = ready.vm("train-02")
    ready.wait(ready.attach(vm, ready.dynamic()))
    fault = ready.fails(vim.fault.GenericVmConfigFault, vm.PowerOnVM_Task(ready.host("esx-02")))
    assert "esx-02.lab" in fault.reason
    ready.wait(vm.PowerOnVM_Task(None))
    assert (vm.runtime.host.name, vm.runtime.powerState) == ("esx-01.lab", "poweredOn")


def test_drs_says_why_no_host_fits(ready: World) -> None:
    vm = ready.vm("train-02")
    ready.wait(ready.attach(vm, ready.dynamic(device=0x2235)))
    result = ready.wait(ready.find(vim.Datacenter, "DC1").PowerOnMultiVM_Task([vm], None))
    (refused,) = result.notAttempted
    assert isinstance(refused.fault, vim.fault.NoCompatibleHost)
    assert sorted(host.name for host in refused.fault.host) == ["esx-01.lab", "esx-02.lab", "esx-03.lab"]
    assert len(refused.fault.error) == 3


def test_a_fixed_backing_does_not_travel(ready: World) -> None:
    vm, host, other = ready.vm("train-01"), ready.host("esx-01"), ready.host("esx-02")
    ready.wait(ready.attach(vm, ready.fixed(host)))
    ready.fails(vim.fault.DeviceNotSupported, vm.RelocateVM_Task(vim.vm.RelocateSpec(host=other), None))
    running(ready, "train-01")
    fault = ready.fails(vim.fault.GenericVmConfigFault, vm.MigrateVM_Task(None, other, "defaultPriority", None))
    assert fault.faultMessage[0].key == "msg.pciPassthru.noMigration"
    assert vm.runtime.host == host


def test_a_vm_without_devices_travels_on_and_off(world: World) -> None:
    web, other = world.vm("web-01"), world.host("esx-02")
    world.wait(web.MigrateVM_Task(None, other, "defaultPriority", None))
    assert web.runtime.host == other
    assert web in other.vm
    assert web not in world.host("esx-01").vm
    cold = world.vm("train-01")
    world.wait(cold.RelocateVM_Task(vim.vm.RelocateSpec(host=other), None))
    assert cold.runtime.host == other


def test_no_suspend_and_no_snapshot_with_a_device(ready: World) -> None:
    vm = ready.vm("train-01")
    ready.wait(ready.attach(vm, ready.dynamic()))
    running(ready, "train-01")
    ready.fails(vim.fault.GenericVmConfigFault, vm.SuspendVM_Task())
    ready.fails(vim.fault.SnapshotIncompatibleDeviceInVm, vm.CreateSnapshot_Task("s", "", False, False))
    ready.wait(vm.PowerOffVM_Task())
    first = ready.wait(vm.CreateSnapshot_Task("one", "", False, False))
    ready.wait(vm.CreateSnapshot_Task("two", "", False, False))
    (root,) = vm.snapshot.rootSnapshotList
    assert (root.name, root.childSnapshotList[0].name) == ("one", "two")
    ready.wait(first.RemoveSnapshot_Task(False))
    assert vm.snapshot.rootSnapshotList[0].name == "two"
    ready.wait(vm.RemoveAllSnapshots_Task())
    assert vm.snapshot is None


def test_power_states_that_do_not_fit(world: World) -> None:
    off, on = world.vm("train-01"), world.vm("web-01")
    fault = world.fails(vim.fault.InvalidPowerState, on.PowerOnVM_Task(None))
    assert (fault.requestedState, fault.existingState) == ("poweredOn", "poweredOn")
    world.fails(vim.fault.InvalidPowerState, off.PowerOffVM_Task())
    world.fails(vim.fault.InvalidPowerState, off.ResetVM_Task())
    world.fails(vim.fault.InvalidPowerState, on.ReconfigVM_Task(SPEC(firmware="bios")))
    world.fails(vim.fault.InvalidPowerState, on.UpgradeVM_Task(None))
    with pytest.raises(vim.fault.InvalidPowerState):
        off.ShutdownGuest()


def test_one_task_at_a_time(world: World) -> None:
    vm = world.vm("train-01")
    task = vm.PowerOnVM_Task(None)
    with pytest.raises(vim.fault.TaskInProgress) as caught:
        vm.ReconfigVM_Task(SPEC(annotation="x"))
    assert caught.value.task == task
    world.wait(task)


def test_a_guest_shuts_down_in_its_own_time(world: World) -> None:
    vm = world.vm("web-01")
    vm.ShutdownGuest()
    assert vm.runtime.powerState == "poweredOn"
    world.advance(20)
    assert vm.runtime.powerState == "poweredOff"
    assert vm.guest.toolsRunningStatus == "guestToolsNotRunning"


def test_a_guest_that_does_not_listen_and_one_that_cannot() -> None:
    world = World("mixed")
    deaf, dumb = world.vm("deaf-01"), world.vm("no-tools-01")
    deaf.ShutdownGuest()
    world.advance(600)
    assert deaf.runtime.powerState == "poweredOn"
    with pytest.raises(vim.fault.ToolsUnavailable):
        dumb.ShutdownGuest()
    world.wait(deaf.PowerOffVM_Task())


def test_tools_come_up_after_a_while(world: World) -> None:
    vm = world.vm("train-01")
    running(world, "train-01")
    assert vm.guest.toolsRunningStatus == "guestToolsNotRunning"
    with pytest.raises(vim.fault.ToolsUnavailable):
        vm.ShutdownGuest()
    world.advance(30)
    assert vm.guest.toolsRunningStatus == "guestToolsRunning"


def test_every_kind_of_backing_is_read_and_runs() -> None:
    world = World("v80")
    kinds = {vm: type(world.devices(world.vm(vm))[0].backing) for vm in ("fixed-01", "dynamic-01", "vgpu-vm-01")}
    assert [kind.__name__.rpartition(".")[2] for kind in kinds.values()] == [
        "DeviceBackingInfo", "DynamicBackingInfo", "VmiopBackingInfo",
    ]  # fmt: skip
    world.wait(world.vm("dynamic-01").PowerOnVM_Task(None))
    assert world.devices(world.vm("dynamic-01"))[0].backing.assignedId == GPU2
    world.wait(world.vm("vgpu-vm-01").PowerOffVM_Task())
    world.wait(world.vm("vgpu-vm-01").PowerOnVM_Task(None))


def test_an_sriov_card(ready: World) -> None:
    host, vm = ready.host("esx-01"), ready.vm("train-01")
    card = vim.vm.device.VirtualSriovEthernetCard
    function = PASSTHROUGH.DeviceBackingInfo(
        id="Automatic-0000:00:00.0", deviceId="0", systemId="BYPASS", vendorId=0, deviceName=""
    )
    device = card(key=-1, sriovBacking=card.SriovBackingInfo(physicalFunctionBacking=function))
    change = vim.vm.device.VirtualDeviceSpec(operation="add", device=device)
    ready.wait(vm.ReconfigVM_Task(SPEC(deviceChange=[change], memoryReservationLockedToMax=True)))
    (made,) = [item for item in vm.config.hardware.device if isinstance(item, card)]
    assert (made.key, made.unitNumber) == (13031, 65)
    fault = ready.fails(vim.fault.GenericVmConfigFault, vm.PowerOnVM_Task(host))
    assert "No SR-IOV virtual function (VF) is available" in fault.reason
    ready.sim.knobs.set("sriov_at_once", True)
    wish = vim.host.SriovConfig(id=FREE_NIC, passthruEnabled=False, sriovEnabled=True, numVirtualFunction=1)
    host.configManager.pciPassthruSystem.UpdatePassthruConfig([wish])
    running(ready, "train-01")


@pytest.mark.parametrize(
    ("wish", "privilege"),
    [
        (SPEC(memoryReservationLockedToMax=True), "VirtualMachine.Config.Resource"),
        (SPEC(memoryMB=4096), "VirtualMachine.Config.Memory"),
        (SPEC(extraConfig=[vim.option.OptionValue(key="a", value="b")]), "VirtualMachine.Config.AdvancedConfig"),
        (SPEC(firmware="efi"), "VirtualMachine.Config.Settings"),
    ],
)
def test_each_field_has_its_own_privilege(wish: Any, privilege: str) -> None:
    world = World("three_hosts", user="reader@vsphere.local")
    vm = world.vm("train-01")
    with pytest.raises(vim.fault.NoPermission) as caught:
        vm.ReconfigVM_Task(wish)
    assert (caught.value.privilegeId, caught.value.object) == (privilege, vm)


def test_the_operator_may_do_the_whole_job() -> None:
    world = World("three_hosts", user="operator@vsphere.local")
    host, vm = world.host("esx-01"), world.vm("train-01")
    world.configure(host, GPU)
    world.wait(world.attach(vm, world.fixed(host)))
    running(world, "train-01")
    world.wait(world.vm("train-01").PowerOffVM_Task())
    world.reboot(host)
    world.wait(host.ExitMaintenanceMode_Task(0))


def test_which_privilege_a_device_needs_is_a_knob() -> None:
    for knob, privilege in (("raw_device", "RawDevice"), ("add_remove", "AddRemoveDevice")):
        world = World("three_hosts", user="reader@vsphere.local", raw_device_privilege=knob)
        vm = world.vm("train-01")
        with pytest.raises(vim.fault.NoPermission) as caught:
            world.attach(vm, world.dynamic(), memoryReservationLockedToMax=None, extraConfig=[])
        assert caught.value.privilegeId == f"VirtualMachine.Config.{privilege}"


def test_destroying_a_vm_takes_it_out_of_every_list(world: World) -> None:
    vm, host = world.vm("train-01"), world.host("esx-01")
    store = vm.datastore[0]
    world.wait(vm.Destroy_Task())
    assert "train-01" not in [item.name for item in [*host.vm, *store.vm, *host.parent.resourcePool.vm]]
    assert "train-01" not in [item.name for item in world.find(vim.Datacenter, "DC1").vmFolder.childEntity]


def test_renaming(world: World) -> None:
    world.wait(world.vm("train-01").Rename_Task("trained"))
    assert world.vm("trained").config.name == "trained"


def test_disabling_a_device_a_vm_has_waits_for_the_boot(ready: World) -> None:
    host, vm = ready.host("esx-01"), ready.vm("train-01")
    ready.wait(ready.attach(vm, ready.fixed(host)))
    running(ready, "train-01")
    ready.configure(host, GPU, on=False)
    assert ready.states(host)[GPU] == (False, True)
    assert vm.runtime.powerState == "poweredOn"


def test_an_nvme_disk_comes_and_goes_while_the_vm_runs_when_it_is_set_up_for_it(world: World) -> None:
    host, vm = world.host("esx-01"), world.vm("train-01")
    world.configure(host, NVME, GPU)
    world.wait(
        vm.ReconfigVM_Task(
            SPEC(
                fixedPassthruHotPlugEnabled=True, motherboardLayout="acpiHostBridges", memoryReservationLockedToMax=True
            )
        )
    )
    world.wait(vm.PowerOnVM_Task(host))
    world.fails(vim.fault.GenericVmConfigFault, world.attach(vm, world.fixed(host, GPU)))
    world.fails(vim.fault.GenericVmConfigFault, world.attach(vm, world.fixed(host, NVME, deviceId="1")))
    assert host.configManager.assignableHardwareManager.binding == []
    world.wait(world.attach(vm, world.fixed(host, NVME)))
    assert [item.instanceId for item in host.configManager.assignableHardwareManager.binding] == [f"pci-{NVME}"]
    change = vim.vm.device.VirtualDeviceSpec(operation="remove", device=world.devices(vm)[0])
    world.wait(vm.ReconfigVM_Task(SPEC(deviceChange=[change])))
    assert host.configManager.assignableHardwareManager.binding == []


def test_a_shared_gpu_shows_its_users() -> None:
    world = World("v80")
    host, vm = world.host("vgpu-01"), world.vm("vgpu-vm-01")
    users = {item.pciId: list(item.vm) for item in host.config.graphicsInfo if item.graphicsType == "sharedDirect"}
    assert users == {GPU: [vm], GPU2: []}
    world.configure(host, GPU, GPU2)
    assert world.states(host) == {GPU: (True, False), GPU2: (True, True)}
    world.wait(vm.PowerOffVM_Task())
    assert not any(item.vm for item in host.config.graphicsInfo)


def test_two_vms_of_one_name_do_not_share_a_device() -> None:
    entry = {"name": "twin", "memory_gb": 8, "locked": True, "devices": [{"fixed": "0000:3b:00.0"}]}
    host = {"name": "esx", "cards": [{"card": "t4", "enabled": True}]}
    cluster = {"name": "c", "hosts": [host], "vms": [{**entry, "folder": "a"}, {**entry, "folder": "b"}]}
    world = World({"datacenters": [{"name": "d", "clusters": [cluster]}]})
    first, second = world.host("esx").vm
    world.wait(first.PowerOnVM_Task(None))
    fault = world.fails(vim.fault.GenericVmConfigFault, second.PowerOnVM_Task(None))
    assert "already in use" in fault.faultMessage[1].message
