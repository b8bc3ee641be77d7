# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""CreateVM_Task and CloneVM_Task: what a new VM has, which privileges the calls need, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import pytest
from pyVmomi import vim, vmodl

from tests.unit.simulator.world import GPU, World

ALL_OF_CREATE = ("VirtualMachine.Inventory.Create", "Resource.AssignVMToPool", "Datastore.AllocateSpace")
ALL_OF_CLONE = (
    "VirtualMachine.Provisioning.Clone",
    "VirtualMachine.Inventory.CreateFromExisting",
    "Resource.AssignVMToPool",
    "Datastore.AllocateSpace",
)
NIC = vim.vm.device.VirtualVmxnet3
DISK = vim.vm.device.VirtualDisk


def lab(privileges: Collection[str] = (), **more: Any) -> dict[str, Any]:
    """Two hosts, a VM that is off, one that runs, and a template. ``maker`` has these privileges."""
    hosts = [{"name": "esx-{}", "count": 2, "cards": [{"card": "a100", "enabled": True}]}]
    vms = [
        {"name": "gold", "host": "esx-1", "memory_gb": 8, "version": 19, "devices": [{"fixed": GPU}]},
        {"name": "busy", "host": "esx-2", "memory_gb": 8, "power": "on"},
        {"name": "model", "host": "esx-2", "memory_gb": 8, "template": True},
    ]
    cluster = {"name": "c", "drs": "fullyAutomated", "hosts": hosts, "vms": vms, **more}
    return {
        "version": "8.0.3",
        "roles": {"Maker": ["System.View", "System.Read", *privileges]},
        "users": [
            {"name": "administrator@vsphere.local", "password": "VMware1!"},
            {"name": "maker", "password": "VMware1!", "role": "Maker"},
        ],
        "datacenters": [{"name": "D", "clusters": [cluster]}],
    }


class Maker:
    """A world, and the objects that the two calls name."""

    def __init__(self, privileges: Collection[str] | None = None, **more: Any) -> None:
        self.world = World(lab(privileges or (), **more), user=None if privileges is None else "maker")
        self.gold = self.world.vm("gold")
        self.folder = self.gold.parent
        self.pool = self.world.find(vim.ClusterComputeResource, "c").resourcePool
        self.store = self.gold.datastore[0]

    def spec(self, **values: Any) -> Any:
        path = f"[{self.store.name}]"
        return vim.vm.ConfigSpec(**{"name": "new", "files": vim.vm.FileInfo(vmPathName=path), **values})

    def create(self, spec: Any = None, host: Any = None) -> Any:
        return self.folder.CreateVM_Task(self.spec() if spec is None else spec, self.pool, host)

    def clone(self, source: Any = None, *, name: str = "copy", config: Any = None, **location: Any) -> Any:
        where = vim.vm.RelocateSpec(**location)
        spec = vim.vm.CloneSpec(location=where, powerOn=False, template=False, config=config)
        return (source or self.gold).CloneVM_Task(self.folder, name, spec)


def addition(device: Any) -> Any:
    return vim.vm.device.VirtualDeviceSpec(operation="add", device=device)


def fixed(maker: Maker) -> Any:
    backing = maker.world.fixed(maker.world.host("esx-1"))
    return addition(vim.vm.device.VirtualPCIPassthrough(key=-1, backing=backing))


def disk(_maker: Maker) -> Any:
    backing = DISK.FlatVer2BackingInfo(fileName="", diskMode="persistent")
    return addition(DISK(key=-1, capacityInKB=1024, controllerKey=1000, unitNumber=0, backing=backing))


# -- what is made ------------------------------------------------------------------------------------------------------


def test_a_new_vm_is_off_and_has_what_its_spec_says() -> None:
    maker = Maker()
    spec = maker.spec(memoryMB=8192, numCPUs=4, version="vmx-19", deviceChange=[fixed(maker)])
    spec.memoryReservationLockedToMax = True
    made = maker.world.wait(maker.create(spec, maker.world.host("esx-1")))
    assert (made.name, made.runtime.powerState, made.config.version) == ("new", "poweredOff", "vmx-19")
    assert (made.config.hardware.numCPU, made.config.memoryAllocation.reservation) == (4, 8192)
    (device,) = maker.world.devices(made)
    assert (device.key, device.backing.id) == (13000, GPU)
    assert made in maker.folder.childEntity
    assert made in maker.pool.vm


def test_a_clone_has_the_devices_of_its_source_and_what_its_spec_changes() -> None:
    maker = Maker()
    made = maker.world.wait(maker.clone(config=vim.vm.ConfigSpec(numCPUs=8)))
    assert [item.backing.id for item in maker.world.devices(made)] == [GPU]
    assert (made.config.hardware.numCPU, made.runtime.host) == (8, maker.gold.runtime.host)
    assert made.config.uuid != maker.gold.config.uuid
    assert made.config.createDate > maker.gold.config.createDate


def test_a_template_becomes_a_vm() -> None:
    maker = Maker()
    made = maker.world.wait(maker.clone(maker.world.vm("model"), pool=maker.pool))
    assert (made.config.template, made.resourcePool) == (False, maker.pool)


# -- privileges --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", [None, *ALL_OF_CREATE])
def test_create_needs_each_of_its_privileges(missing: str | None) -> None:
    maker = Maker([name for name in ALL_OF_CREATE if name != missing])
    if missing is None:
        assert maker.world.wait(maker.create()).name == "new"
        return
    with pytest.raises(vim.fault.NoPermission) as caught:
        maker.create()
    assert caught.value.privilegeId == missing
    assert [item.name for item in maker.folder.childEntity] == ["gold", "busy", "model"]


CREATE_WITH: dict[str, tuple[Callable[[Maker], Any], str]] = {
    "a fixed device": (fixed, "VirtualMachine.Config.RawDevice"),
    "a disk": (
        disk,
        "VirtualMachine.Config.AddNewDisk",
    ),
}


@pytest.mark.parametrize("what", CREATE_WITH)
def test_create_with_devices_needs_more(what: str) -> None:
    device, privilege = CREATE_WITH[what]
    maker = Maker(ALL_OF_CREATE)
    with pytest.raises(vim.fault.NoPermission) as caught:
        maker.create(maker.spec(deviceChange=[device(maker)]))
    assert caught.value.privilegeId == privilege


def test_an_adapter_needs_its_network() -> None:
    maker = Maker(ALL_OF_CREATE)
    network = maker.gold.network[0]
    backing = vim.vm.device.VirtualEthernetCard.NetworkBackingInfo(deviceName=network.name, network=network)
    for call in (
        lambda: maker.create(maker.spec(deviceChange=[addition(NIC(key=-1, backing=backing))])),
        lambda: Maker([*ALL_OF_CLONE, "VirtualMachine.Config.AddRemoveDevice"]).clone(
            config=vim.vm.ConfigSpec(deviceChange=[addition(NIC(key=-1, backing=backing))])
        ),
    ):
        with pytest.raises(vim.fault.NoPermission) as caught:
            call()
        assert caught.value.privilegeId == "Network.Assign"


@pytest.mark.parametrize("missing", [None, *ALL_OF_CLONE])
def test_clone_needs_each_of_its_privileges(missing: str | None) -> None:
    maker = Maker([name for name in ALL_OF_CLONE if name != missing])
    if missing is None:
        assert maker.world.wait(maker.clone()).name == "copy"
        return
    with pytest.raises(vim.fault.NoPermission) as caught:
        maker.clone()
    assert caught.value.privilegeId == missing


def test_a_template_needs_deploying_in_place_of_cloning() -> None:
    maker = Maker(ALL_OF_CLONE)
    with pytest.raises(vim.fault.NoPermission) as caught:
        maker.clone(maker.world.vm("model"), pool=maker.pool)
    assert caught.value.privilegeId == "VirtualMachine.Provisioning.DeployTemplate"


def test_what_a_clone_changes_needs_the_privileges_of_a_reconfigure() -> None:
    maker = Maker(ALL_OF_CLONE)
    with pytest.raises(vim.fault.NoPermission) as caught:
        maker.clone(config=vim.vm.ConfigSpec(numCPUs=8))
    assert caught.value.privilegeId == "VirtualMachine.Config.CPUCount"


# -- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"name": ""}, vmodl.fault.InvalidArgument),
        ({"files": None}, vim.fault.InvalidDatastorePath),
        ({"files": vim.vm.FileInfo(vmPathName="[nowhere]")}, vim.fault.InvalidDatastorePath),
    ],
)
def test_create_refuses_at_once(values: dict[str, Any], fault: type[Exception]) -> None:
    maker = Maker()
    with pytest.raises(fault):
        maker.create(maker.spec(**values))


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"name": "gold"}, vim.fault.DuplicateName),
        ({"version": "vmx-99"}, vim.fault.VirtualHardwareVersionNotSupported),
        ({"memoryMB": 7}, vmodl.fault.InvalidArgument),
    ],
)
def test_create_fails_and_leaves_no_vm(values: dict[str, Any], fault: type[Exception]) -> None:
    maker = Maker()
    maker.world.fails(fault, maker.create(maker.spec(**values)))
    assert sorted(item.name for item in maker.folder.childEntity) == ["busy", "gold", "model"]


def test_a_cluster_without_drs_chooses_no_host() -> None:
    maker = Maker(drs=False)
    maker.world.fails(vmodl.fault.InvalidArgument, maker.create())
    assert maker.world.wait(maker.create(host=maker.world.host("esx-2"))).runtime.host.name == "esx-2"


def test_a_host_of_another_cluster_is_refused() -> None:
    description = lab()
    other = {"name": "d", "hosts": [{"name": "far", "cards": []}]}
    description["datacenters"][0]["clusters"].append(other)
    world = World(description)
    gold = world.vm("gold")
    spec = vim.vm.CloneSpec(location=vim.vm.RelocateSpec(host=world.host("far")), powerOn=False, template=False)
    world.fails(vmodl.fault.InvalidArgument, gold.CloneVM_Task(gold.parent, "copy", spec))


def test_a_clone_is_refused_for_its_name_and_without_a_pool_for_a_template() -> None:
    maker = Maker()
    maker.world.fails(vim.fault.DuplicateName, maker.clone(name="busy"))
    with pytest.raises(vmodl.fault.InvalidArgument):
        maker.clone(maker.world.vm("model"))


@pytest.mark.parametrize(("knob", "there"), [("copied", [GPU]), ("left_out", []), ("refused", None)])
def test_what_a_clone_does_with_a_fixed_device_is_a_knob(knob: str, there: list[str] | None) -> None:
    maker = Maker()
    maker.world.sim.knobs.set("clone_fixed_devices", knob)
    if there is None:
        maker.world.fails(vim.fault.DeviceNotSupported, maker.clone())
        assert sorted(item.name for item in maker.folder.childEntity) == ["busy", "gold", "model"]
    else:
        made = maker.world.wait(maker.clone())
        assert [item.backing.id for item in maker.world.devices(made)] == there


def test_a_change_that_is_refused_leaves_no_clone() -> None:
    maker = Maker()
    maker.world.fails(vmodl.fault.InvalidArgument, maker.clone(config=vim.vm.ConfigSpec(memoryMB=7)))
    assert sorted(item.name for item in maker.folder.childEntity) == ["busy", "gold", "model"]


def test_what_is_not_modelled_is_said() -> None:
    maker = Maker()
    with pytest.raises(vmodl.fault.NotSupported, match="not modelled"):
        maker.clone(maker.world.vm("busy"))
