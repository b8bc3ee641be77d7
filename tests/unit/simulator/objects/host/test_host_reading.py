# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a client reads of hosts: devices, network, storage, boot disk, who may not read."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim, vmodl

from tests.unit.simulator.world import BOOT, GPU, NVME, UPLINK, World


def by_id(items: Any) -> dict[str, Any]:
    return {item.id: item for item in items}


def test_ids_and_buses_are_signed(world: World) -> None:
    devices = by_id(world.host("esx-01").hardware.pciDevice)
    assert devices[NVME].deviceId == 0xA808 - 0x10000
    assert devices[NVME].bus == 0xAF - 0x100
    assert devices["0000:86:00.0"].vendorId == -32634
    assert devices[GPU].parentBridge in devices


def test_bus_bytes_can_be_positive() -> None:
    world = World("three_hosts", negative_bus_bytes=False)
    assert by_id(world.host("esx-01").hardware.pciDevice)[NVME].bus == 0xAF


def test_bridges_are_listed_but_not_capable(world: World) -> None:
    infos = by_id(world.host("esx-01").config.pciPassthruInfo)
    assert not infos["0000:3a:00.0"].passthruCapable
    assert infos[GPU].passthruCapable
    assert isinstance(infos["0000:65:00.0"], vim.host.SriovInfo)
    assert infos["0000:65:00.0"].maxVirtualFunctionSupported == 64


def test_the_passthrough_system_shows_the_same_list(world: World) -> None:
    host = world.host("esx-01")
    listed = host.configManager.pciPassthruSystem.pciPassthruInfo
    assert [item.id for item in listed] == [item.id for item in host.config.pciPassthruInfo]


def test_gpu_and_sound_depend_on_their_bridge() -> None:
    infos = by_id(World("home").host("esx-home").config.pciPassthruInfo)
    assert infos["0000:3b:00.0"].dependentDevice == infos["0000:3b:00.1"].dependentDevice == "0000:3a:00.0"


def test_numa_nodes_know_their_devices(world: World) -> None:
    first, second = world.host("esx-01").hardware.numaInfo.numaNode
    assert GPU in first.pciId
    assert NVME in second.pciId


def test_from_the_management_adapter_to_its_card(world: World) -> None:
    config = world.host("esx-01").config
    (management,) = [item for item in config.virtualNicManagerInfo.netConfig if item.nicType == "management"]
    (key,) = management.selectedVnic
    (vnic,) = [item for item in management.candidateVnic if key.endswith(item.key)]
    (group,) = [item for item in config.network.portgroup if item.spec.name == vnic.portgroup]
    (switch,) = [item for item in config.network.vswitch if item.key == group.vswitch]
    (pnic,) = [item for item in config.network.pnic if item.key in switch.pnic]
    assert (pnic.device, pnic.pci) == ("vmnic0", UPLINK)


def test_from_a_volume_to_its_card(world: World) -> None:
    config = world.host("esx-01").config
    (mount,) = [item for item in config.fileSystemVolume.mountInfo if item.volume.name == "esx-01-nvme-data-5"]
    disk = mount.volume.extent[0].diskName
    (lun,) = [item for item in config.storageDevice.scsiLun if item.canonicalName == disk]
    topology = config.storageDevice.scsiTopology.adapter
    (adapter,) = [
        item for item in topology if any(each.scsiLun == lun.key for target in item.target for each in target.lun)
    ]
    (hba,) = [item for item in config.storageDevice.hostBusAdapter if item.key == adapter.adapter]
    assert hba.pci == "0000:17:00.0"
    assert isinstance(hba, vim.host.PcieHba)


def test_a_free_disk_has_no_volume(world: World) -> None:
    config = world.host("esx-01").config
    (hba,) = [item for item in config.storageDevice.hostBusAdapter if item.pci == NVME]
    (adapter,) = [item for item in config.storageDevice.scsiTopology.adapter if item.adapter == hba.key]
    lun = adapter.target[0].lun[0].scsiLun
    (disk,) = [item for item in config.storageDevice.scsiLun if item.key == lun]
    used = [
        extent.diskName for item in config.fileSystemVolume.mountInfo for extent in getattr(item.volume, "extent", [])
    ]
    assert disk.canonicalName not in used
    (info,) = world.host("esx-01").configManager.storageSystem.RetrieveDiskPartitionInfo([disk.devicePath])
    assert info.spec.partition == []


def boot_disk(host: Any) -> str:
    names = []
    for lun in host.config.storageDevice.scsiLun:
        (info,) = host.configManager.storageSystem.RetrieveDiskPartitionInfo([lun.devicePath])
        if any(item.guid == "4EB2EA39-7855-4790-A79E-FAE495E21F8D" for item in info.spec.partition):
            names.append(lun.canonicalName)
    (name,) = names
    return name


@pytest.mark.parametrize(
    ("name", "adapter", "driver"), [("usual-01", "vmhba1", "nvme_pcie"), ("usb-boot-01", "vmhba32", "vmkusb")]
)
def test_the_boot_disk_is_found_by_its_partitions(name: str, adapter: str, driver: str) -> None:
    host = World("mixed").host(name)
    disk = boot_disk(host)
    storage = host.config.storageDevice
    (key,) = [item.key for item in storage.scsiLun if item.canonicalName == disk]
    (found,) = [item for item in storage.scsiTopology.adapter if item.target and item.target[0].lun[0].scsiLun == key]
    (hba,) = [item for item in storage.hostBusAdapter if item.key == found.adapter]
    assert hba.driver == driver
    assert any(item.volume.name.startswith("OSDATA-") for item in host.config.fileSystemVolume.mountInfo)


def test_an_unknown_disk_is_a_wrong_argument(world: World) -> None:
    with pytest.raises(vmodl.fault.InvalidArgument):
        world.host("esx-01").configManager.storageSystem.RetrieveDiskPartitionInfo(["/vmfs/devices/disks/none"])


def test_an_old_host_dumps_on_its_boot_disk_and_a_new_one_tells_nothing() -> None:
    old, new = World("standalone_67").host("esx-67"), World("home").host("esx-home")
    assert old.config.activeDiagnosticPartition.id.diskName.startswith("t10.NVMe")
    assert new.config.activeDiagnosticPartition is None


def test_boot_devices_are_mostly_unsupported(world: World) -> None:
    with pytest.raises(vmodl.fault.NotSupported):
        world.host("esx-01").configManager.bootDeviceSystem.QueryBootDevices()
    told = World("mixed", query_boot_devices=True).host("usb-boot-01").configManager.bootDeviceSystem.QueryBootDevices()
    assert told.bootDevices[0].description == "Internal USB"


def test_vsan_disks_are_marked() -> None:
    host = World("mixed").host("vsan-01")
    (group,) = host.config.vsanHostConfig.storageInfo.diskMapping
    assert len(group.nonSsd) == 2
    assert all(item.vsanDiskInfo.vsanUuid for item in (group.ssd, *group.nonSsd))
    assert not any(item.vsanDiskInfo for item in host.config.storageDevice.scsiLun), "as recorded from 8.0.3"
    assert "vsan-mixed" in {item.volume.name for item in host.config.fileSystemVolume.mountInfo}
    services = {item.nicType: item.selectedVnic for item in host.config.virtualNicManagerInfo.netConfig}
    assert services["vsan"] == ["vsan.key-vim.host.VirtualNic-vmk1"]


def test_uplinks_of_a_distributed_switch() -> None:
    network = World("mixed").host("dvs-01").config.network
    (proxy,) = network.proxySwitch
    (vmotion,) = [item for item in network.vnic if item.spec.distributedVirtualPort]
    assert vmotion.spec.distributedVirtualPort.switchUuid == proxy.dvsUuid
    (pnic,) = [item for item in network.pnic if item.key in proxy.pnic]
    assert pnic.driver == "nmlx5_core"


@pytest.mark.parametrize(
    ("lab", "host", "expected"),
    [
        ("three_hosts", "esx-01", (True, True, True, True)),
        ("demo", "legacy-01", (None, None, None, None)),
        ("v70", "esx7-01", (True, True, True, None)),
        ("legacy_55", "old-01", (None, None, None, None)),
    ],
)
def test_capabilities_by_release(lab: str, host: str, expected: tuple[Any, ...]) -> None:
    capability = World(lab).host(host).capability
    names = (
        "deviceRebindWithoutRebootSupported",
        "assignableHardwareSupported",
        "assignHwPciConfigSupported",
        "fptHotplugSupported",
    )
    assert tuple(getattr(capability, name, None) for name in names) == expected
    assert capability.rebootSupported


@pytest.mark.parametrize(("shape", "capable"), [("not_capable", []), ("empty", None)])
def test_a_host_without_iommu(shape: str, capable: list[str] | None) -> None:
    lab = {
        "datacenters": [{"name": "d", "hosts": [{"name": "a", "cards": ["a100"], "iommu": False}]}],
        "knobs": {"iommu_off_shape": shape},
    }
    infos = World(lab).host("a").config.pciPassthruInfo
    assert (infos == []) is (capable is None)
    assert [item.id for item in infos if item.passthruCapable] == []


def test_a_host_vcenter_never_saw_has_no_configuration() -> None:
    lab = {"datacenters": [{"name": "d", "hosts": [{"name": "a", "connection": "disconnected", "known": False}]}]}
    host = World(lab).host("a")
    assert host.config is None
    assert host.hardware is None
    assert host.configManager.pciPassthruSystem is None


def test_a_host_that_is_away_serves_what_was_known_but_answers_no_call() -> None:
    world = World("mixed")
    gone, silent = world.host("gone-01"), world.host("silent-01")
    assert by_id(gone.config.pciPassthruInfo)[GPU].passthruCapable
    assert (gone.runtime.connectionState, gone.runtime.powerState) == ("disconnected", "unknown")
    assert silent.runtime.connectionState == "notResponding"
    with pytest.raises(vmodl.fault.HostNotConnected):
        gone.configManager.pciPassthruSystem.Refresh()
    with pytest.raises(vmodl.fault.HostNotReachable):
        silent.configManager.pciPassthruSystem.Refresh()
    with pytest.raises(vmodl.fault.HostNotReachable):
        silent.RetrieveHardwareUptime()


def bulk(world: World, *paths: str) -> dict[str, Any]:
    collector = vim.PropertyCollector
    view = world.content.viewManager.CreateContainerView(world.content.rootFolder, [vim.HostSystem], True)
    step = collector.TraversalSpec(name="view", type=vim.view.ContainerView, path="view", skip=False)
    spec = collector.FilterSpec(
        objectSet=[collector.ObjectSpec(obj=view, skip=True, selectSet=[step])],
        propSet=[collector.PropertySpec(type=vim.HostSystem, pathSet=["name", *paths])],
    )
    answer = world.content.propertyCollector.RetrievePropertiesEx([spec], collector.RetrieveOptions())
    return {next(item.val for item in found.propSet if item.name == "name"): found for found in answer.objects}


def test_missing_properties_are_told_one_by_one_when_the_site_is_like_that() -> None:
    found = bulk(World("mixed", missing_while_away=["config"]), "config.pciPassthruInfo", "runtime.connectionState")
    assert [item.path for item in found["gone-01.lab"].missingSet] == ["config.pciPassthruInfo"]
    assert isinstance(found["gone-01.lab"].missingSet[0].fault, vmodl.fault.HostNotConnected)
    assert isinstance(found["silent-01.lab"].missingSet[0].fault, vmodl.fault.HostNotReachable)
    assert found["usual-01.lab"].missingSet == []


def test_the_graphics_cards_the_kernel_has(world: World) -> None:
    host = world.host("esx-01")
    before = {item.pciId for item in host.config.graphicsInfo}
    assert before == {"0000:03:00.0", GPU, "0000:5e:00.0"}
    world.configure(host, GPU)
    assert {item.pciId for item in host.config.graphicsInfo} == before - {GPU}


def test_boot_controller_is_where_the_catalogue_puts_it(world: World) -> None:
    hbas = {item.pci: item.device for item in world.host("esx-01").config.storageDevice.hostBusAdapter}
    assert hbas[BOOT] == "vmhba1"
