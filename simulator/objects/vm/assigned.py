# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The devices of its host that a VM has: taken when it is powered on, carried along when it moves, given back."""

from __future__ import annotations

from pyVmomi import vim

from ...api import data
from ...rules.pci import vgpu
from ...rules.vm import devices as device_rules
from ...rules.vm import power_on as rules
from ...rules.vm import sriov
from ..host import cards as host_cards
from ..host.state import HostState
from .devices import wanted
from .state import VmState


def machine(vm: VmState) -> rules.Machine:
    """The configuration as the power-on rule reads it."""
    config = vm.get("config")
    found = [item for item in map(wanted, config.hardware.device) if item is not None]
    return rules.Machine(
        moid=vm.moid,
        name=vm.name,
        memory_mb=config.hardware.memoryMB,
        reservation_mb=config.memoryAllocation.reservation,
        vcpus=config.hardware.numCPU,
        firmware=config.firmware,
        nested=bool(config.nestedHVEnabled),
        memory_hot_add=bool(config.memoryHotAddEnabled),
        extra={item.key: str(item.value) for item in config.extraConfig},
        wanted=tuple(found),
        latency=str(config.latencySensitivity.level),
        cpu_reservation_mhz=config.cpuAllocation.reservation,
    )


def take(vm: VmState, host: HostState, taken: dict[int, str]) -> None:
    """Book the devices on the host; dynamic backings show which one they got."""
    book(vm, host, taken)
    if taken:
        _show_assigned(vm, taken)
        show_graphics(host)


def book(vm: VmState, host: HostState, taken: dict[int, str]) -> None:
    """Book the devices on the host, and show nothing of it."""
    vm.assigned = dict(taken)
    kinds = {item.key: item for item in machine(vm).wanted}
    for key, address in taken.items():
        item = kinds[key]
        if item.kind in ("fixed", "dynamic"):
            host.holders[address] = vm.moid
        elif item.kind == "sriov":
            host.functions_used[address] += 1
            if lent := host_cards.next_function(host, address):
                host.functions_lent[vm.moid, key] = lent
        elif item.kind == "vgpu":
            host.profiles_used[address, item.profile] += 1


def profiles(vm: VmState) -> list[rules.Wanted]:
    """Its vGPUs, by device key."""
    found = [item for item in machine(vm).wanted if item.kind == "vgpu"]
    return sorted(found, key=lambda item: item.key)


def carry_profiles(vm: VmState, destination: HostState) -> None:
    """A running VM is about to change hosts: its vGPUs are those of the destination from now on. Raises when they do not fit."""
    carried = [item for item in profiles(vm) if item.key in vm.assigned]
    places = vgpu.fit([item.profile for item in carried], host_cards.gpus(destination))
    if places is None:
        raise vgpu.insufficient()
    for item, address in zip(carried, places, strict=True):
        vm.host.profiles_used[vm.assigned[item.key], item.profile] -= 1
        destination.profiles_used[address, item.profile] += 1
        vm.assigned[item.key] = address


def show_graphics(host: HostState) -> None:
    """Which VMs run on which shared GPU is another now."""
    if host.spec.shared_gpus and host.connection == "connected":
        host.set("config.graphicsInfo", host.graphics_info())


def _show_assigned(vm: VmState, taken: dict[int, str]) -> None:
    """assignedId while powered on; the guest's slot is given at the first power-on (8.0.3) and stays."""
    with vm.edit("config") as config:
        for device in config.hardware.device:
            kind = device_rules.kind(device)
            if kind == "dynamic":
                device.backing.assignedId = taken.get(device.key)
            if kind == "sriov" and sriov.network_key(device) and sriov.is_automatic(device):
                sriov.settle(device, taken.get(device.key, ""), vm.settings)
            if kind and device.slotInfo is None and taken:
                slot = 192 + 32 * (device.key % 100)
                device.slotInfo = data.new(vim.vm.device.VirtualDevice.PciBusSlotInfo, pciSlotNumber=slot)
        config.changeVersion = vm.next_change_version()


def release(vm: VmState) -> None:
    """Give every device back."""
    if not vm.assigned:
        return
    host = vm.host
    kinds = {item.key: item for item in machine(vm).wanted}
    for key, address in vm.assigned.items():
        if host.holders.get(address) == vm.moid:
            del host.holders[address]
        item = kinds.get(key)
        if item is not None and item.kind == "sriov":
            host.functions_used[address] -= 1
            host.functions_lent.pop((vm.moid, key), None)
        elif item is not None and item.kind == "vgpu":
            host.profiles_used[address, item.profile] -= 1
    vm.assigned = {}
    _show_assigned(vm, {})
    show_graphics(host)


def rebook(vm: VmState) -> None:
    """Devices came or went while the VM runs: book what it has now."""
    found = {item.key: item for item in machine(vm).wanted}
    if set(found) == set(vm.assigned):
        return
    host = vm.host
    for key in set(vm.assigned) - set(found):
        host.holders.pop(vm.assigned.pop(key), None)
    for key in set(found) - set(vm.assigned):
        vm.assigned[key] = found[key].address
        host.holders[found[key].address] = vm.moid
