# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changes between a plan and its write is seen, and then nothing is written and nothing stays undone."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim

from tests.unit.modules.harness import Lab
from tests.unit.modules.recheck.meanwhile import (
    FREE_NIC,
    FREE_NVME,
    GPU,
    HOST,
    OTHER,
    VM,
    Change,
    Meanwhile,
    before_the_first_write,
    browsed,
    core_dump_on,
    datastore_on,
    device,
    disconnected,
    disks_swapped,
    edit,
    event,
    fewer_devices,
    give,
    no_system,
    not_offered,
    other_card,
    other_system,
    over_a_boot,
    set_to,
    shared_gpu,
    uplink_of_management,
    vsan_takes,
)

pytestmark = pytest.mark.slow

A100 = {"match": "10de:20f1"}


def at(address: str, ids: str) -> dict[str, Any]:
    vendor, model = ids.split(":")
    return {"match": {"address": address, "vendor_id": vendor, "device_id": model}}


OPTANE, NIC = at(FREE_NVME, "8086:2700"), at(FREE_NIC, "8086:1572")

HOSTS = [
    (OPTANE, Meanwhile(path="config.fileSystemVolume.mountInfo", change=datastore_on(FREE_NVME))),
    (OPTANE, Meanwhile(path="config.activeDiagnosticPartition", change=core_dump_on(FREE_NVME))),
    (OPTANE, Meanwhile(path="config.storageDevice.scsiLun", change=vsan_takes(FREE_NVME))),
    (OPTANE, Meanwhile(path="config.storageDevice.hostBusAdapter", change=disks_swapped(FREE_NVME, "0000:01:00.0"))),
    (
        OPTANE,
        Meanwhile(path="config.storageDevice.hostBusAdapter (free)", change=disks_swapped(FREE_NVME, "0000:af:00.0")),
    ),
    (OPTANE, Meanwhile(path="hardware.pciDevice", change=other_card(FREE_NVME))),
    (OPTANE, Meanwhile(path="runtime.bootTime", change=over_a_boot("swap_card", address=FREE_NVME, card="nvme"))),
    (OPTANE, Meanwhile(path="hardware.pciDevice (gone)", change=over_a_boot("remove_card", address=FREE_NVME))),
    (OPTANE, Meanwhile(path="config.pciPassthruInfo", change=device(FREE_NVME, passthruCapable=False))),
    (OPTANE, Meanwhile(path="runtime.connectionState", change=disconnected)),
    (OPTANE, Meanwhile(path="runtime.connectionState (silent)", change=event("lose_contact", host=HOST))),
    (NIC, Meanwhile(path="config.network.vswitch", change=uplink_of_management("vmnic2", alone=True))),
    (
        NIC,
        Meanwhile(
            path="config.network.pnic",
            change=lambda sim: (
                uplink_of_management("vmnic2", alone=False)(sim),
                event("set_link", host=HOST, vmnic="vmnic0", up=False)(sim),
            )[0],
        ),
    ),
    (at(GPU, "10de:20f1"), Meanwhile(path="config.graphicsInfo", change=shared_gpu(GPU))),
]


def states(lab: Lab) -> dict[str, tuple[bool, bool]]:
    infos = lab.sim.find("HostSystem", HOST).get("config").pciPassthruInfo
    return {info.id: (info.passthruEnabled, info.passthruActive) for info in infos}


@pytest.mark.parametrize(
    ("desired", "meanwhile"), HOSTS, ids=lambda value: str(value) if isinstance(value, Meanwhile) else ""
)
def test_a_host_that_is_no_longer_as_planned_is_not_written_to(desired: dict[str, Any], meanwhile: Meanwhile) -> None:
    lab = Lab.load("three_hosts")
    before = states(lab)
    with before_the_first_write(lab, meanwhile.change):
        result = lab.run("host_passthrough", fails=True, hosts=[HOST], devices=[desired])
    assert lab.writes() == []
    assert result["changed"] is False
    assert result["error_code"] in ("changed_meanwhile", "identity_changed")
    assert HOST in result["msg"]
    now = states(lab)
    assert {address: now[address][0] for address in before if address in now} == {
        address: before[address][0] for address in before if address in now
    }


IN_USE = [
    Meanwhile(path="config.hardware.device", change=give(OTHER)),
    Meanwhile(path="config.hardware.device (two readings)", change=give(OTHER, text="0:59:0.0")),
    Meanwhile(
        path="vm runtime.connectionState",
        change=set_to("VirtualMachine", OTHER, "runtime.connectionState", "inaccessible"),
    ),
]


@pytest.mark.parametrize("meanwhile", IN_USE, ids=str)
def test_a_device_that_somebody_took_is_not_disabled(meanwhile: Meanwhile) -> None:
    lab = Lab.load("three_hosts")
    lab.run("host_passthrough", hosts=[HOST], devices=[A100])
    lab.sim.journal.clear()
    before = states(lab)
    with before_the_first_write(lab, meanwhile.change):
        result = lab.run("host_passthrough", fails=True, hosts=[HOST], devices=[at(GPU, "10de:20f1")], state="disabled")
    assert (lab.writes(), states(lab), result["changed"]) == ([], before, False)


# -- VMs ------------------------------------------------------------------------------------------------------------


def prepared(*, running: bool) -> Lab:
    lab = Lab.load("three_hosts")
    lab.run("host_passthrough", cluster=["compute"], devices=[A100])
    if running:
        lab.run("vm_memory_reservation", vm=[VM])
        lab.sim.events["power_vm"](vm=VM, on=True)
        lab.sim.clock.advance(120)
    lab.sim.journal.clear()
    return lab


def vm_edit(path: str, value: Any) -> Change:
    return edit("VirtualMachine", VM, path, lambda _old: value)


def snapshot(sim: Any) -> None:
    sim.find("VirtualMachine", VM).set("snapshot", True)


def both_inactive(sim: Any) -> None:
    device(GPU, passthruActive=False)(sim)
    device("0000:5e:00.0", passthruActive=False)(sim)


VMS = [
    Meanwhile(
        path="others' config.hardware.device",
        change=lambda sim: (give(OTHER)(sim), give("web-01", "0000:5e:00.0")(sim))[0],
    ),
    Meanwhile(path="others' backing with two readings", change=give(OTHER, text="0:59:0.0")),
    Meanwhile(
        path="others' runtime.connectionState",
        change=set_to("VirtualMachine", OTHER, "runtime.connectionState", "inaccessible"),
    ),
    Meanwhile(path="runtime.host", change=event("move_vm", vm=VM, host="esx-02.lab")),
    Meanwhile(path="config.hardware.device", change=give(VM, "0000:5e:00.0")),
    Meanwhile(path="config.memoryAllocation.limit", change=vm_edit("config.memoryAllocation.limit", 1024)),
    Meanwhile(path="config.cpuHotAddEnabled", change=vm_edit("config.nestedHVEnabled", True)),
    Meanwhile(path="config.template", change=vm_edit("config.template", True)),
    Meanwhile(
        path="runtime.faultToleranceState",
        change=set_to("VirtualMachine", VM, "runtime.faultToleranceState", "running"),
    ),
    Meanwhile(
        path="runtime.connectionState",
        change=set_to("VirtualMachine", VM, "runtime.connectionState", "orphaned"),
    ),
    Meanwhile(path="host config.pciPassthruInfo", change=both_inactive),
    Meanwhile(path="host runtime.connectionState", change=disconnected),
    Meanwhile(path="host hardware.pciDevice", change=other_card(GPU)),
    Meanwhile(path="QueryConfigTarget pciPassthrough", change=browsed("QueryConfigTarget", not_offered)),
    Meanwhile(path="QueryConfigTarget systemId", change=browsed("QueryConfigTarget", other_system)),
    Meanwhile(path="QueryConfigTarget without an answer", change=browsed("QueryConfigTarget", no_system)),
]
OFF_ONLY = [
    Meanwhile(
        path="QueryConfigOptionEx numPCIPassthroughDevices",
        change=lambda sim: (
            vm_edit("config.version", "vmx-18")(sim),
            browsed("QueryConfigOptionEx", fewer_devices)(sim),
        )[0],
    ),
    Meanwhile(path="runtime.powerState", change=event("power_vm", vm=VM, on=True)),
    Meanwhile(path="config.hardware.memoryMB", change=event("grow_memory", vm=VM, memory_mb=128 * 1024)),
]


ATTACH = {"vm": [VM], "devices": [at(GPU, "10de:20f1")], "backing": "fixed", "mmio": {}}


def held(lab: Lab) -> list[str]:
    devices = lab.sim.find("VirtualMachine", VM).get("config").hardware.device
    return sorted(entry.backing.id for entry in devices if hasattr(entry.backing, "systemId"))


@pytest.mark.parametrize("meanwhile", [*VMS, *OFF_ONLY], ids=str)
def test_a_vm_that_is_no_longer_as_planned_is_not_written_to(meanwhile: Meanwhile) -> None:
    lab = prepared(running=False)
    with before_the_first_write(lab, meanwhile.change):
        result = lab.run("vm_pci_device", fails=True, **ATTACH)
    assert lab.writes() == []
    assert result["changed"] is False
    assert result["error_code"] == "changed_meanwhile"
    assert VM in result["msg"]


@pytest.mark.parametrize("meanwhile", VMS, ids=str)
def test_a_running_vm_is_not_shut_down_for_a_plan_that_no_longer_holds(meanwhile: Meanwhile) -> None:
    lab = prepared(running=True)
    with before_the_first_write(lab, meanwhile.change):
        lab.run("vm_pci_device", fails=True, **ATTACH, power="cycle")
    assert lab.writes() == []
    assert lab.sim.find("VirtualMachine", VM).get("runtime").powerState == "poweredOn"


LATE = [one for one in VMS if one.path not in ("runtime.connectionState", "host runtime.connectionState")]


@pytest.mark.parametrize("meanwhile", LATE, ids=str)
def test_what_changes_while_the_guest_shuts_down_is_seen_and_the_vm_runs_again(meanwhile: Meanwhile) -> None:
    lab = prepared(running=True)
    before = held(lab)
    lab.sim.on_write(None, lambda _write: meanwhile.change(lab.sim), when="after", method="ShutdownGuest")
    result = lab.run("vm_pci_device", fails=True, **ATTACH, power="cycle")
    assert "ReconfigVM_Task" not in lab.writes()
    assert result["error_code"] == "changed_meanwhile"
    if meanwhile.path in ("config.template", "config.hardware.device"):
        # Nobody can start a template, or a VM with a card that its window has no room for: the message ends with what is off.
        assert (
            f"Off now: {VM}. To bring this back: ansible localhost -m directpath.vsphere.vm_pci_device" in result["msg"]
        )
    else:
        assert lab.sim.find("VirtualMachine", VM).get("runtime").powerState == "poweredOn"
        assert "it was started again without the change" in result["msg"]
    if meanwhile.path != "config.hardware.device":
        assert held(lab) == before


# -- maintenance mode -----------------------------------------------------------------------------------------------


def pinned() -> Lab:
    lab = prepared(running=False)
    lab.run("vm_pci_device", vm=[VM], devices=[at(GPU, "10de:20f1")], backing="fixed", mmio={}, power="on")
    lab.sim.clock.advance(120)
    lab.sim.journal.clear()
    return lab


def power(lab: Lab, vm: str = VM) -> str:
    return str(lab.sim.find("VirtualMachine", vm).get("runtime").powerState)


def entered_by_somebody(sim: Any) -> None:
    sim.events["power_vm"](vm=VM, on=False)
    sim.events["enter_maintenance"](host=HOST, user="administrator@vsphere.local")
    sim.clock.advance(600)


PARK: dict[str, Any] = {"hosts": [HOST], "pinned_vms": "shutdown"}
PARKING = {
    "recentTask": event("run_task", on=HOST, task="HostSystem.scanLicenses"),
    "runtime.connectionState": disconnected,
    "vm config.hardware.device": give(OTHER, "0000:5e:00.0"),
    "vm guest.toolsRunningStatus": set_to("VirtualMachine", VM, "guest.toolsRunningStatus", "guestToolsNotRunning"),
}


@pytest.mark.parametrize("path", PARKING)
def test_a_host_that_is_no_longer_as_planned_is_not_emptied(path: str) -> None:
    lab = pinned()
    with before_the_first_write(lab, PARKING[path]):
        result = lab.run("host_maintenance", fails=True, **PARK)
    assert result["error_code"] == "changed_meanwhile"
    assert not {"ShutdownGuest", "EnterMaintenanceMode_Task"} & set(lab.writes())
    assert power(lab) == "poweredOn"


def test_a_vm_that_was_stopped_for_a_host_that_is_no_longer_as_planned_runs_again() -> None:
    lab = pinned()
    late = PARKING["recentTask"]
    lab.sim.on_write(None, lambda _write: late(lab.sim), when="after", method="ShutdownGuest")
    result = lab.run("host_maintenance", fails=True, **PARK)
    assert result["error_code"] == "changed_meanwhile"
    host = lab.sim.find("HostSystem", HOST)
    assert (host.in_maintenance, host.entering) == (False, None)
    assert power(lab) == "poweredOn"
    assert f"{VM} was started again" in result["msg"]


def test_what_a_person_did_meanwhile_is_not_done_again_and_not_undone() -> None:
    lab = pinned()
    with before_the_first_write(lab, entered_by_somebody):
        result = lab.run("host_maintenance", **PARK)
    assert not {"ShutdownGuest", "EnterMaintenanceMode_Task"} & set(lab.writes())
    assert result["changed"] is False
    assert power(lab) == "poweredOff"


# -- memory ---------------------------------------------------------------------------------------------------------


def sensitive(sim: Any) -> None:
    with sim.find("VirtualMachine", VM).edit("config") as config:
        config.latencySensitivity = vim.LatencySensitivity(level="high")


UNLOCKING = [
    Meanwhile(path="config.hardware.device", change=give(VM)),
    Meanwhile(path="config.latencySensitivity", change=sensitive),
    Meanwhile(
        path="runtime.faultToleranceState",
        change=set_to("VirtualMachine", VM, "runtime.faultToleranceState", "running"),
    ),
    Meanwhile(path="config.template", change=vm_edit("config.template", True)),
    Meanwhile(path="config.hardware.memoryMB", change=event("grow_memory", vm=VM, memory_mb=128 * 1024)),
    Meanwhile(
        path="runtime.connectionState",
        change=set_to("VirtualMachine", VM, "runtime.connectionState", "inaccessible"),
    ),
]


@pytest.mark.parametrize("meanwhile", UNLOCKING, ids=str)
def test_memory_that_is_needed_by_now_stays_reserved(meanwhile: Meanwhile) -> None:
    lab = prepared(running=False)
    lab.run("vm_memory_reservation", vm=[VM])
    lab.sim.journal.clear()
    with before_the_first_write(lab, meanwhile.change):
        result = lab.run("vm_memory_reservation", fails=True, vm=[VM], state="unlocked")
    assert lab.writes() == []
    assert (result["error_code"], result["changed"]) == ("changed_meanwhile", False)
    assert lab.sim.find("VirtualMachine", VM).get("config").memoryReservationLockedToMax is True


def test_an_override_does_not_outlive_the_disk_that_it_names() -> None:
    """Two drives changed places over a reboot: what is at the address now was not meant."""
    lab = Lab.load("three_hosts")
    host = lab.run("host_pci_device_info", hosts=[HOST], gather_partitions=True)["hosts"][0]
    held = next(one for one in host["devices"] if any("holds datastore" in why for why in one["protected"]))
    disk = held["protected"][0].partition(" leads to ")[2].partition(",")[0]
    options = {
        "hosts": [HOST],
        "devices": [at(held["address"], held["ids"])],
        "allow_protected": [f"{HOST}/{held['address']}={disk}"],
    }
    assert lab.run("host_passthrough", check=True, **options)["changed"] is True
    with before_the_first_write(lab, disks_swapped(held["address"], "0000:01:00.0")):
        lab.run("host_passthrough", fails=True, **options)
    assert lab.writes() == []
