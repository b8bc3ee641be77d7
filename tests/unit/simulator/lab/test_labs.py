# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every lab that comes along: it loads, it can be serialised, its hosts hold together. And what a wrong lab says."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim

from simulator import Simulator
from simulator.core.base import Entity
from simulator.lab import hosts, load, reference
from simulator.lab.fleet import fleet_lab
from simulator.lab.hardware.cards import LabError
from simulator.lab.hardware.catalogue import CARDS
from simulator.lab.vms import machines
from simulator.objects.host.host import HostSystem
from simulator.objects.vm.vm import VirtualMachine
from simulator.rules import knobs
from simulator.selfcheck import problems
from tests.unit.simulator.world import LABS, World

KNOWS_9 = hasattr(vim.host.PciPassthruInfo(), "directPathState")
SMALL = sorted(
    path.stem for path in LABS.glob("*.yml") if path.stem != "fleet" and (KNOWS_9 or path.stem not in ("v9", "nvlink"))
)


def lab(*hosts: dict[str, Any], **cluster: Any) -> dict[str, Any]:
    return {"datacenters": [{"name": "DC", "clusters": [{"name": "c", "hosts": list(hosts), **cluster}]}]}


@pytest.mark.parametrize("name", SMALL)
def test_a_lab_loads_and_everything_in_it_can_be_sent(name: str) -> None:
    sim = Simulator.from_lab(LABS / f"{name}.yml")
    assert problems(sim) == []
    assert sim.registry.all(HostSystem)
    assert sim.registry.all(VirtualMachine)
    assert sim.describe(sim)["hosts"]


@pytest.mark.parametrize("name", SMALL)
def test_what_refers_to_a_device_finds_it(name: str) -> None:
    for host in Simulator.from_lab(LABS / f"{name}.yml").registry.all(HostSystem):
        functions = host.spec.layout.functions
        addresses = [item.address for item in [*host.spec.nics, *host.spec.adapters]]
        assert set(addresses) <= set(functions)
        assert len(set(addresses)) == len(addresses)
        for item in functions.values():
            assert not item.parent or functions[item.parent].class_id == 0x0604
            assert item.dependent in functions


def test_hosts_that_are_built_alike_share_their_lists() -> None:
    hosts = Simulator.from_lab(LABS / "converged_50.yml").registry.all(HostSystem)
    assert len({id(host.spec.layout) for host in hosts}) == 1
    assert len({host.spec.system_id for host in hosts}) == 50


def test_object_ids_are_the_same_in_every_run() -> None:
    runs = [[item.moid for item in Simulator.from_lab(LABS / "demo.yml").registry] for _run in range(2)]
    assert runs[0] == runs[1]


def test_a_host_needs_no_more_than_a_name_and_cards() -> None:
    world = World(lab({"name": "esx", "cards": ["a100"]}))
    host = world.host("esx")
    assert [item.deviceName for item in host.hardware.pciDevice if item.vendorId == 0x10DE] == [
        "GA100 [A100 PCIe 40GB]"
    ]
    assert host.config.network.vswitch[0].pnic == ["key-vim.host.PhysicalNic-vmnic0"]
    assert [store.name for store in host.datastore] == ["shared-c"]


@pytest.mark.parametrize("hosts", [10, 100])
def test_a_fleet_has_what_was_asked_for(hosts: int) -> None:
    sim = Simulator.from_lab(fleet_lab(hosts=hosts, vms=3 * hosts, per_cluster=25))
    found = sim.registry.all(HostSystem)
    assert len(found) == hosts
    assert {len(host.spec.layout.functions) for host in found} == {32}
    assert len(sim.registry.all(VirtualMachine)) == 3 * hosts
    assert len(sim.registry.all(vim.ClusterComputeResource)) == -(-hosts // 25)
    assert sum(bool(host.taken) for host in found) * 2 in range(hosts - 5, hosts + 5)


def test_vms_of_a_fleet_have_a_gpu_of_a_host_each() -> None:
    sim = Simulator.from_lab(fleet_lab(hosts=4, vms=12, per_cluster=4, ready=50, attached=3))
    machines_of_lab = {vm.spec.name: vm for vm in sim.registry.all(VirtualMachine)}
    assert list(machines_of_lab) == [f"cluster-01-vm-{number:03d}" for number in range(1, 13)]
    with_gpu = [name for name, vm in machines_of_lab.items() if vm.spec.devices]
    assert with_gpu == ["cluster-01-vm-001", "cluster-01-vm-002"], "one for each ready host at most"
    assert {vm.spec.power for vm in machines_of_lab.values()} == {"on"}
    assert problems(sim) == []


@pytest.mark.skipif(not KNOWS_9, reason="this pyVmomi is older than 9.1")
def test_the_captured_a100_is_built_to_the_letter() -> None:
    host = World("v9").host("esx9-01")
    (card,) = [item for item in host.hardware.pciDevice if item.id == "0000:3b:00.0"]
    assert (card.classId, card.vendorId, card.deviceId, card.subVendorId, card.subDeviceId) == (
        770,
        4318,
        8433,
        4318,
        5215,
    )
    assert (card.physicalSlot, card.slotDescription) == (6, "PCIe Slot 6")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({}, "needs `datacenters`, `fleet` or `roll_fleet`"),
        ({"datacentres": []}, "unknown key 'datacentres'"),
        ({"kind": "esxi"}, "needs `host`"),
        (lab({"name": "a", "cards": ["a1000"]}), "card 'a1000' is unknown"),
        (lab({"name": "a", "card": ["a100"]}), "host a: unknown key 'card'"),
        (lab({"name": "a", "cards": [{"card": "a100", "enable": True}]}), "card a100: unknown key 'enable'"),
        (lab({"name": "a", "hardware": "big"}), "hardware 'big' is not described"),
        (lab({"name": "a", "cards": [{"card": "a100", "at": "3b"}, {"card": "t4", "at": "3b"}]}), "two cards at 0000:3b:00.0"),
        (lab({"name": "a", "cards": [{"card": "a100", "at": "zz"}]}), "not a PCI address"),
        (lab({"name": "a", "count": 2}), "needs a place for the number"),
        (lab({"cards": []}), "has no name"),
        (lab({"name": "a", "knobs": {"boot_result": "boom"}}), "host a: knob boot_result takes one of"),
        (lab({"name": "a", "vsan": "yes"}), "vsan is osa or esa"),
        (lab({"name": "a", "chassis": "blade"}), "chassis 'blade' is unknown"),
        (lab({"name": "a", "shared_gpus": ["a100"]}), "which the host does not have"),
        (lab({"name": "a", "states": {"0000:99:00.0": {}}}), "which the host does not have"),
        (lab({"name": "a", "vmkernels": [{"switch": "vSwitch9"}]}), "unknown switch 'vSwitch9'"),
        (lab({"name": "a"}, vms=[{"name": "v", "host": "b"}]), "host 'b' is not in c"),
        (lab({"name": "a"}, vms=[{"name": "v", "pool": "p"}]), "pool 'p' is not in c"),
        (lab({"name": "a"}, vms=[{"name": "v", "ram": 4}]), "VM v: unknown key 'ram'"),
        (lab({"name": "a"}, vms=[{"name": "v", "power": "maybe"}]), "power is on or off"),
        (lab({"name": "a"}, vms=[{"name": "v", "devices": [{"fixed": "0000:99:00.0"}]}]), "no device at 0000:99:00.0"),
        (lab({"name": "a"}, vms=[{"name": "v", "devices": [{"usb": "x"}]}]), "a device is fixed, dynamic, vgpu"),
        (lab({"name": "a", "cards": ["t4"]}, vms=[{"name": "v", "power": "on", "devices": [{"dynamic": "10de:1eb8"}]}]), "cannot be on"),
        (lab({"name": "a"}, drs_vms={"w": "manual"}), "drs_vms names no VM"),
        (lab(vms=[{"name": "v"}]), "has VMs but no hosts"),
        ({"fleet": {"hosts": 0}}, "at least 1"),
        (lab({"name": "a", "custom_values": ["Owner"]}), "a: custom_values is a mapping"),
        (lab({"name": "a"}, custom_values={"Owner": 7}), "c: custom attribute 'Owner' is a text, not 7"),
        (lab({"name": "a"}, vms=[{"name": "v", "custom_values": {"": "x"}}]), "v: custom attribute '': its name is refused"),
        (lab({"name": "a"}, custom_values={"Owner": "x" * 256}), "its value is refused"),
        ({"kind": "esxi", "host": {"name": "a", "custom_values": {"Owner": "x"}}}, "an ESXi host has no custom attributes"),
    ],
)  # fmt: skip
def test_a_lab_that_makes_no_sense_says_so(content: dict[str, Any], said: str) -> None:
    with pytest.raises(LabError if "PCI address" not in said else ValueError, match=said):
        Simulator.from_lab(content)


def test_custom_values_are_on_what_was_made_of_their_entry() -> None:
    vms = [{"name": "v", "custom_values": {"Owner": "team-v"}}]
    sim = Simulator.from_lab(
        lab({"name": "a", "custom_values": {"Owner": "team-a", "Rack": "7"}}, vms=vms, custom_values={"Owner": ""})
    )
    names = {item.key: item.name for item in sim.services.custom_fields.props["field"]}
    assert sorted(names.values()) == ["Owner", "Rack"]
    told = {item.name: {names[key]: value for key, value in item.custom.items()} for item in sim.registry.all(Entity)}
    assert {name: values for name, values in told.items() if values} == {
        "a": {"Owner": "team-a", "Rack": "7"},
        "v": {"Owner": "team-v"},
        "c": {"Owner": ""},
    }
    (host,) = sim.registry.all(HostSystem)
    assert {item.name for item in host.get("availableField")} == {"Owner", "Rack"}


def test_the_reference_is_up_to_date_and_names_every_key() -> None:
    text = reference.README.read_text(encoding="utf-8")
    assert reference.with_tables(text) == text
    names = [
        *load.LAB_KEYS,
        *load.CLUSTER_KEYS,
        *hosts.HOST_KEYS,
        *machines.VM_KEYS,
        *CARDS,
        *knobs.FIELDS,
        *(path.stem for path in LABS.glob("*.yml")),
    ]
    assert [name for name in names if f"`{name}`" not in text] == []
