# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the hardware of a lab sits: root ports, PCI segments, several adapters at one address, and the ways to a disk."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim

from simulator import Simulator
from simulator.lab.hardware.cards import LabError
from tests.unit.simulator.world import World


def one_host(*cards: Any, **host: Any) -> dict[str, Any]:
    entry = {"name": "a", "chassis": "bare", "cards": list(cards), **host}
    return {"datacenters": [{"name": "d", "hosts": [entry]}]}


def devices(lab: dict[str, Any]) -> dict[str, Any]:
    return {item.id: item for item in World(lab).host("a").hardware.pciDevice}


def test_a_root_port_takes_no_card_its_place() -> None:
    found = devices(one_host({"card": "t4", "at": "3a"}, {"card": "a100", "at": "3b"}))
    assert found["0000:3a:00.0"].deviceName == "TU104GL [Tesla T4]"
    assert found["0000:3b:00.0"].parentBridge == "0000:3a:01.0"
    assert found["0000:3a:01.0"].classId == 0x0604


def test_buses_that_would_share_a_port_have_two() -> None:
    found = devices(one_host({"card": "t4", "at": "01"}, {"card": "t4", "at": "09"}))
    parents = {found[f"0000:{bus}:00.0"].parentBridge for bus in ("01", "09")}
    assert len(parents) == 2
    assert parents <= set(found)


def test_a_card_on_bus_0_stays_where_a_port_would_be() -> None:
    found = devices(one_host({"card": "sata", "at": "0000:00:1c.1"}, {"card": "t4", "at": "01"}))
    assert found["0000:00:1c.1"].classId == 0x0106
    assert found["0000:01:00.0"].parentBridge == "0000:00:1c.0"


def test_a_segment_has_ports_of_its_own() -> None:
    found = devices(one_host({"card": "a100", "at": "0000:3b:00.0"}, {"card": "a100", "at": "0001:3b:00.0"},
                             {"card": "nvme", "at": "0001:02:00.0"}))  # fmt: skip
    assert found["0001:3b:00.0"].parentBridge == "0001:3a:00.0"
    assert found["0001:02:00.0"].parentBridge == "0001:00:1c.2"
    assert found["0000:3b:00.0"].parentBridge == "0000:3a:00.0"
    assert {"0001:3a:00.0", "0001:00:1c.2", "0000:3a:00.0"} <= set(found)


def test_functions_that_reset_together_in_another_segment_depend_on_their_own_port() -> None:
    lab = one_host({"card": "rtx-gpu-with-audio", "at": "0001:3b:00.0"}, {"card": "rtx-gpu-with-audio", "at": "3b"})
    infos = {info.id: info.dependentDevice for info in World(lab).host("a").config.pciPassthruInfo}
    assert infos["0001:3b:00.0"] == infos["0001:3b:00.1"] == "0001:3a:00.0"
    assert infos["0000:3b:00.0"] == infos["0000:3b:00.1"] == "0000:3a:00.0"


def test_two_functions_at_one_address_are_a_mistake() -> None:
    with pytest.raises(LabError, match=r"two functions at 0000:3b:00\.1"):
        Simulator.from_lab(one_host({"card": "x710", "at": "3b"}, {"card": "t4", "at": "0000:3b:00.1"}))


def test_a_card_added_later_takes_no_place_either() -> None:
    world = World(one_host({"card": "t4", "at": "3a"}, {"card": "nvme-boot", "at": "01"}))
    world.sim.events["add_card"](host="a", card="a100", at="3b", renumber=False)
    world.reboot(world.host("a"))
    found = {item.id: item for item in world.host("a").hardware.pciDevice}
    assert found["0000:3a:00.0"].deviceName == "TU104GL [Tesla T4]"
    assert found["0000:3b:00.0"].parentBridge == "0000:3a:01.0"


def test_a_card_in_one_segment_moves_no_bus_of_another() -> None:
    world = World(one_host({"card": "a100", "at": "86"}, {"card": "a100", "at": "0001:86:00.0"}))
    world.sim.events["add_card"](host="a", card="t4", at="0001:3b:00.0")
    world.reboot(world.host("a"))
    found = {item.id for item in world.host("a").hardware.pciDevice if item.deviceId == 0x20F1}
    assert found == {"0000:86:00.0", "0001:87:00.0"}


# -- storage ----------------------------------------------------------------------------------------------------------


def test_one_address_with_two_adapters() -> None:
    """As recorded: an IDE controller is vmhba2 and vmhba64 at once. Both are there with and without disks."""
    storage = World(one_host("ide", {"card": "nvme-boot", "at": "01"})).host("a").config.storageDevice
    hbas = {item.device: item for item in storage.hostBusAdapter}
    assert {name: item.pci for name, item in hbas.items()} == {
        "vmhba0": "0000:00:07.1",
        "vmhba64": "0000:00:07.1",
        "vmhba1": "0000:01:00.0",
    }
    assert [item.adapter for item in storage.scsiTopology.adapter] == [item.key for item in storage.hostBusAdapter]
    assert [item.adapter for item in storage.plugStoreTopology.adapter] == [item.key for item in storage.hostBusAdapter]


def reached(storage: Any) -> dict[str, set[str]]:
    """Topology -> canonical names of the disks it leads to."""
    names = {lun.key: lun.canonicalName for lun in storage.scsiLun}
    return {
        "scsi": {
            names[lun.scsiLun] for item in storage.scsiTopology.adapter for target in item.target for lun in target.lun
        },
        "nvme": {
            namespace.name
            for item in storage.nvmeTopology.adapter
            for controller in item.connectedController
            for namespace in controller.attachedNamespace
        },
        "multipath": {names[unit.lun] for unit in storage.multipathInfo.lun if unit.path},
        "plug_store": {names[item.lun] for item in storage.plugStoreTopology.device if item.path},
    }


@pytest.mark.parametrize("in_scsi", [True, False])
def test_nvme_disks_stand_in_every_topology_or_not_in_the_scsi_one(in_scsi: bool) -> None:
    world = World("three_hosts", nvme_in_scsi_topology=in_scsi)
    storage = world.host("esx-01").config.storageDevice
    every = {lun.canonicalName for lun in storage.scsiLun}
    nvme = {name for name in every if name.startswith("t10.NVMe")}
    assert len(nvme) == 4
    assert reached(storage) == {
        "scsi": every if in_scsi else every - nvme,
        "nvme": nvme,
        "multipath": every,
        "plug_store": every,
    }
    assert len(storage.scsiTopology.adapter) == len(storage.hostBusAdapter)
    assert {type(unit.policy) for unit in storage.multipathInfo.lun} == {vim.host.MultipathInfo.HppLogicalUnitPolicy}


def test_an_old_host_has_no_nvme_topology_and_no_high_performance_plug_in() -> None:
    storage = World("standalone_67").host("esx-67").config.storageDevice
    assert storage.nvmeTopology is None
    assert [item.name for item in storage.plugStoreTopology.plugin] == ["NMP"]


def test_a_disk_that_two_adapters_reach_is_one_disk_with_two_paths() -> None:
    storage = World(one_host({"card": "hba", "count": 2})).host("a").config.storageDevice
    assert len(storage.scsiLun) == 1
    (unit,) = storage.multipathInfo.lun
    assert len(unit.path) == 2
    (device,) = storage.plugStoreTopology.device
    assert len(device.path) == 2


# -- vGPUs ------------------------------------------------------------------------------------------------------------


def test_what_a_host_that_serves_vgpus_says_of_them() -> None:
    host = World("v80").host("vgpu-01")
    assert host.config.sharedPassthruGpuTypes == ["grid_a100-10c", "grid_a100-40c"]
    able = {item.vgpu: item for item in host.config.sharedGpuCapabilities}
    assert set(able) == set(host.config.sharedPassthruGpuTypes)
    assert able["grid_a100-10c"].migrateSupported
    assert able["grid_a100-10c"].suspendSupported
    assert not able["grid_a100-10c"].diskSnapshotSupported
    config = host.config.graphicsConfig
    assert [(item.deviceId, item.graphicsType, item.vgpuMode) for item in config.deviceType] == [
        ("0000:3b:00.0", "sharedDirect", "sameSize"),
        ("0000:5e:00.0", "sharedDirect", "sameSize"),
    ]
    assert (config.hostDefaultGraphicsType, config.sharedPassthruAssignmentPolicy) == ("shared", "performance")
    types = {info.pciId: (info.graphicsType, info.vgpuMode) for info in host.config.graphicsInfo}
    assert types["0000:3b:00.0"] == ("sharedDirect", "sameSize")


def test_a_host_without_says_so() -> None:
    host = World("v80").host("free-01")
    assert host.config.sharedPassthruGpuTypes == []
    assert host.config.sharedGpuCapabilities == []
    assert host.config.graphicsConfig.deviceType == []


def test_what_vms_with_vgpus_can_do_is_the_labs() -> None:
    shared = {"a100": {"migrate": False, "memory_snapshot": True}, "t4": "shared"}
    host = World(one_host("a100", "t4", shared_gpus=shared)).host("a")
    assert {item.vgpu for item in host.config.sharedGpuCapabilities} == {"grid_a100-10c", "grid_a100-40c"}
    able = host.config.sharedGpuCapabilities[0]
    assert (able.migrateSupported, able.suspendSupported, able.memorySnapshotSupported) == (False, True, True)
    kinds = {item.deviceId: item.graphicsType for item in host.config.graphicsConfig.deviceType}
    assert sorted(kinds.values()) == ["shared", "sharedDirect"]
    with pytest.raises(LabError, match="unknown key 'migrates'"):
        Simulator.from_lab(one_host("a100", shared_gpus={"a100": {"migrates": False}}))


def test_a_card_that_is_passed_through_offers_no_vgpus() -> None:
    world = World(one_host("a100", "t4", {"card": "nvme-boot", "at": "01"}, shared_gpus=["a100", "t4"]))
    host = world.host("a")
    world.configure(host, "0000:3b:00.0")
    assert {name.split("-")[0] for name in host.config.sharedPassthruGpuTypes} == {"grid_t4"}
    entries = [item.deviceId for item in host.config.graphicsConfig.deviceType]
    assert entries == ["0000:3b:00.0", "0000:5e:00.0"], "a setting stays when nothing follows it"
