# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""EnvironmentBrowser: what a host offers to VMs, and the limits of hardware versions."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim, vmodl

from tests.unit.simulator.world import GPU, GPU2, NVME, World


def passthrough_max(option: Any) -> int:
    (controller,) = [
        item
        for item in option.hardwareOptions.virtualDeviceOption
        if isinstance(item, vim.vm.device.VirtualPCIControllerOption)
    ]
    return controller.numPCIPassthroughDevices.max


def query(key: str | None = None, host: Any = None) -> Any:
    return vim.EnvironmentBrowser.ConfigOptionQuerySpec(key=key, host=host)


def test_only_active_devices_are_offered_with_one_system_id(world: World) -> None:
    host, other = world.host("esx-01"), world.host("esx-02")
    browser = host.parent.environmentBrowser
    assert browser.QueryConfigTarget(host).pciPassthrough == []
    world.configure(host, GPU, NVME, hardwareLabel="x")
    world.configure(host, GPU2, applyNow=False)
    target = browser.QueryConfigTarget(host)
    assert [item.pciDevice.id for item in target.pciPassthrough] == [GPU, NVME]
    (system,) = {item.systemId for item in target.pciPassthrough}
    assert system != host.hardware.systemInfo.uuid
    assert browser.QueryConfigTarget(other).pciPassthrough == []
    world.configure(other, GPU)
    assert browser.QueryConfigTarget(other).pciPassthrough[0].systemId != system


def test_signed_in_one_list_and_unsigned_in_the_other(world: World) -> None:
    host = world.host("esx-01")
    world.configure(host, NVME)
    target = host.parent.environmentBrowser.QueryConfigTarget(host)
    assert target.pciPassthrough[0].pciDevice.deviceId == 0xA808 - 0x10000
    assert [(item.vendorId, item.deviceId) for item in target.dynamicPassthrough] == [(0x144D, 0xA808)]


def test_gpus_in_the_sriov_list_serve_vgpus(world: World) -> None:
    host = world.host("esx-01")
    world.configure(host, GPU)
    assert host.parent.environmentBrowser.QueryConfigTarget(host).sriov == []
    sharing = World("v80").host("vgpu-01")
    found = sharing.parent.environmentBrowser.QueryConfigTarget(sharing).sriov
    assert [(item.pciDevice.id, item.virtualFunction, item.pnic) for item in found] == [
        (GPU, False, None),
        (GPU2, False, None),
    ]


def test_a_taken_device_stays_listed(world: World) -> None:
    host, vm = world.host("esx-01"), world.vm("train-01")
    world.configure(host, GPU)
    world.wait(world.attach(vm, world.fixed(host)))
    world.wait(vm.PowerOnVM_Task(None))
    assert [item.pciDevice.id for item in vm.environmentBrowser.QueryConfigTarget(host).pciPassthrough] == [GPU]


def test_the_whole_cluster_when_no_host_is_named(world: World) -> None:
    world.configure(world.host("esx-01"), GPU)
    world.configure(world.host("esx-02"), GPU)
    target = world.host("esx-01").parent.environmentBrowser.QueryConfigTarget(None)
    assert len(target.pciPassthrough) == 2
    assert len({item.systemId for item in target.pciPassthrough}) == 2


def test_vgpu_profiles_of_a_sharing_host() -> None:
    world = World("v80")
    host = world.host("vgpu-01")
    target = host.parent.environmentBrowser.QueryConfigTarget(host)
    assert [item.vgpu for item in target.sharedGpuPassthroughTypes] == ["grid_a100-10c", "grid_a100-40c"]
    assert target.pciPassthrough == []
    (card,) = target.vgpuDeviceInfo
    assert (card.deviceVendorId, card.maxFbSizeInGib) == (0x20F110DE, 40)
    shared = [item for item in target.vgpuProfileInfo if item.profileSharing == "timeSliced"]
    assert {item.profileName: item.fbSizeInGib for item in shared} == {
        "grid_a100-40c": 40,
        "grid_a100-10c": 10,
    }


def test_an_old_host_has_no_dynamic_list() -> None:
    world = World("demo")
    host = world.host("legacy-01")
    assert not host.parent.environmentBrowser.QueryConfigTarget(host).dynamicPassthrough


@pytest.mark.parametrize(
    ("key", "maximum"), [("vmx-10", 16), ("vmx-19", 16), ("vmx-20", 128), ("vmx-21", 128), (None, 128)]
)
def test_limits_by_hardware_version(world: World, key: str | None, maximum: int) -> None:
    host = world.host("esx-01")
    browser = host.parent.environmentBrowser
    assert passthrough_max(browser.QueryConfigOptionEx(query(key, host))) == maximum
    assert passthrough_max(browser.QueryConfigOption(key, host)) == maximum


def test_limits_as_the_knowledge_base_lists_them() -> None:
    world = World("v70", limit_table="kb309986")
    host = world.host("esx7-01")
    assert passthrough_max(host.parent.environmentBrowser.QueryConfigOptionEx(query("vmx-19", host))) == 16


@pytest.mark.parametrize("key", ["vmx-22", "vmx-99", "21", "newest"])
def test_versions_the_host_does_not_run(world: World, key: str) -> None:
    host = world.host("esx-01")
    with pytest.raises(vmodl.fault.InvalidArgument):
        host.parent.environmentBrowser.QueryConfigOptionEx(query(key, host))


def test_the_known_versions_and_the_default(world: World) -> None:
    found = world.host("esx-01").parent.environmentBrowser.QueryConfigOptionDescriptor()
    assert [item.key for item in found if item.defaultConfigOption] == ["vmx-21"]
    assert {"vmx-10", "vmx-17", "vmx-20"} <= {item.key for item in found}
    datacenter = world.find(vim.Datacenter, "DC1").QueryConfigOptionDescriptor()
    assert [item.key for item in datacenter] == [item.key for item in found]


def test_a_host_of_another_cluster_is_a_wrong_argument() -> None:
    world = World("demo")
    with pytest.raises(vmodl.fault.InvalidArgument):
        world.host("gpu-01").parent.environmentBrowser.QueryConfigTarget(world.host("nvme-01"))


def test_compatibility_checks_are_not_modelled(world: World) -> None:
    checker = world.content.vmCompatibilityChecker
    with pytest.raises(vmodl.fault.MethodNotFound, match=r"CheckCompatibility_Task is not modelled"):
        checker.CheckCompatibility_Task(world.vm("train-01"))
