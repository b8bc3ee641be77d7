# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What other people do between a plan and its write, by the property that shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any
from unittest import mock

from pyVmomi import vim

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.engine.gate import Gate
from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling.loop import Loop
from tests.unit.modules.harness import Lab

Change = Callable[[Any], None]
"""Gets the simulator."""

HOST, VM, OTHER = "esx-01.lab", "train-01", "web-01"
GPU, FREE_NVME, FREE_NIC, NEXT_NIC = "0000:3b:00.0", "0000:86:00.0", "0000:65:00.0", "0000:65:00.1"


@dataclass(frozen=True, kw_only=True)
class Meanwhile:
    """``path`` is what the guard reads."""

    path: str
    change: Change

    def __str__(self) -> str:
        return self.path


@contextmanager
def before_the_first_write(lab: Lab, change: Change) -> Iterator[None]:
    """The change happens when the first target's turn has come, before it is looked at again: by the gate, or by the loop of a host."""
    done: list[bool] = []

    def changed_first(honest: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def look(owner: Any) -> Any:
            if not done:
                done.append(True)
                change(lab.sim)
            return honest(owner)

        return look

    with (
        mock.patch.object(Gate, "reread", changed_first(Gate.reread)),
        mock.patch.object(Loop, "_run_round", changed_first(Loop._run_round)),
    ):
        yield
    assert done, "nothing was to be written, so nothing was shown"


def edit(kind: str, name: str, path: str, how: Callable[[Any], Any]) -> Change:
    """Edit a property in place; what ``how`` returns replaces it, where it returns anything."""

    def change(sim: Any) -> None:
        found = sim.find(kind, name)
        with found.edit(path.partition(".")[0]) as value:
            steps = path.split(".")[1:]
            owner = value
            for step in steps[:-1]:
                owner = getattr(owner, step)
            new = how(getattr(owner, steps[-1]))
            if new is not None:
                setattr(owner, steps[-1], new)

    return change


def set_to(kind: str, name: str, path: str, value: Any) -> Change:
    return lambda sim: sim.find(kind, name).set(path, value)


def event(name: str, **given: Any) -> Change:
    return lambda sim: sim.events[name](**given)


def over_a_boot(name: str, **given: Any) -> Change:
    """The host loses its power, and something is another thing when it is back."""

    def change(sim: Any) -> None:
        sim.events[name](host=HOST, **given)
        sim.events["host_power_loss"](host=HOST)
        sim.events["host_power_on"](host=HOST)
        sim.clock.advance(1800)

    return change


def disconnected(sim: Any) -> None:
    sim.events["disconnect_host"](host=HOST)
    sim.clock.advance(5)


def other_card(address: str) -> Change:
    def how(devices: Any) -> None:
        next(one for one in devices if one.id == address).deviceId = 0x2235

    return edit("HostSystem", HOST, "hardware.pciDevice", how)


def device(address: str, **values: Any) -> Change:
    """The passthrough state of a device of the host."""

    def how(infos: Any) -> None:
        for info in infos:
            if info.id == address:
                for name, value in values.items():
                    setattr(info, name, value)

    return edit("HostSystem", HOST, "config.pciPassthruInfo", how)


def give(vm: str, address: str = GPU, text: str = "") -> Change:
    """Another VM is given a card, as a person does in the client."""

    def change(sim: Any) -> None:
        found = sim.find("VirtualMachine", vm)
        system = sim.find("HostSystem", HOST).spec.system_id
        backing = vim.vm.device.VirtualPCIPassthrough.DeviceBackingInfo(
            id=text or address, deviceId="20f1", vendorId=0x10DE, systemId=system, deviceName="A100"
        )
        added = vim.vm.device.VirtualPCIPassthrough(key=13900, controllerKey=100, backing=backing)
        with found.edit("config") as config:
            config.hardware.device.append(added)

    return change


def browsed(method: str, how: Change) -> Change:
    """The environment browser of the host's cluster answers a method otherwise from now on. ``how`` edits its answer."""

    def change(sim: Any) -> None:
        browser = sim.obj(sim.find("HostSystem", HOST).up.get("environmentBrowser"))
        honest = getattr(browser, method)

        @wraps(honest)
        def answer(*arguments: Any) -> Any:
            found = honest(*arguments)
            how(found)
            return found

        setattr(browser, method, answer)

    return change


def not_offered(target: Any) -> None:
    target.pciPassthrough = [one for one in target.pciPassthrough if one.pciDevice.id != GPU]


def other_system(target: Any) -> None:
    for one in target.pciPassthrough:
        one.systemId = "65f9a1c0-0000-0000-0000-000000000000"


def no_system(target: Any) -> None:
    target.pciPassthrough, target.sriov = [], []


def fewer_devices(option: Any) -> None:
    for device in option.hardwareOptions.virtualDeviceOption:
        if isinstance(device, vim.vm.device.VirtualPCIControllerOption):
            device.numPCIPassthroughDevices.max = 0


def lun_of(address: str) -> Callable[[Any], Any]:
    """The disk behind an address, of a host's configuration."""

    def find(sim: Any) -> Any:
        storage = sim.find("HostSystem", HOST).get("config").storageDevice
        adapter = next(one for one in storage.hostBusAdapter if one.pci == address)
        keys = [
            lun.scsiLun
            for one in storage.scsiTopology.adapter
            if one.adapter == adapter.key
            for target in one.target
            for lun in target.lun
        ]
        return next(lun for lun in storage.scsiLun if lun.key in keys)

    return find


def datastore_on(address: str) -> Change:
    def change(sim: Any) -> None:
        name = lun_of(address)(sim).canonicalName
        with sim.find("HostSystem", HOST).edit("config") as config:
            mounts = config.fileSystemVolume.mountInfo
            used = next(m for m in mounts if getattr(m.volume, "extent", None) and m.volume.name.startswith("esx-01"))
            used.volume.extent[0].diskName = name

    return change


def core_dump_on(address: str) -> Change:
    def change(sim: Any) -> None:
        name = lun_of(address)(sim).canonicalName
        kind = vim.host.DiagnosticPartition
        place = vim.host.ScsiDisk.Partition(diskName=name, partition=7)
        with sim.find("HostSystem", HOST).edit("config") as config:
            config.activeDiagnosticPartition = kind(
                storageType="directAttached", diagnosticType="singleHost", slots=1, id=place
            )

    return change


def vsan_takes(address: str) -> Change:
    def change(sim: Any) -> None:
        key = lun_of(address)(sim).key
        with sim.find("HostSystem", HOST).edit("config") as config:
            lun = next(lun for lun in config.storageDevice.scsiLun if lun.key == key)
            lun.vsanDiskInfo = vim.vsan.host.VsanDiskInfo(vsanUuid="52e5e2c8", formatVersion=15)

    return change


def disks_swapped(one: str, other: str) -> Change:
    """Two drives are found in each other's place after a boot."""

    def how(adapters: Any) -> None:
        table = {adapter.pci: adapter for adapter in adapters}
        table[one].pci, table[other].pci = other, one

    return edit("HostSystem", HOST, "config.storageDevice.hostBusAdapter", how)


def uplink_of_management(vmnic: str, *, alone: bool) -> Change:
    def change(sim: Any) -> None:
        with sim.find("HostSystem", HOST).edit("config") as config:
            key = next(nic.key for nic in config.network.pnic if nic.device == vmnic)
            switch = config.network.vswitch[0]
            switch.pnic = [key] if alone else [*switch.pnic, key]

    return change


def shared_gpu(address: str) -> Change:
    def change(sim: Any) -> None:
        vm = sim.find("VirtualMachine", OTHER).ref
        with sim.find("HostSystem", HOST).edit("config") as config:
            known = [info for info in config.graphicsInfo or () if info.pciId != address]
            added = vim.host.GraphicsInfo(
                deviceName="A100",
                vendorName="NVIDIA",
                pciId=address,
                graphicsType="sharedDirect",
                memorySizeInKB=1,
                vm=[vm],
            )
            config.graphicsInfo = [*known, added]

    return change
