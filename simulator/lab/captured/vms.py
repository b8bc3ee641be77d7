# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a server showed of a VM to its specification, and to the devices of its host that it has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pyVmomi import vim

from ...api.names import shown
from ...objects.specs import VmSpec
from ...objects.vm import assigned
from ...objects.vm import power as vm_power
from ...objects.vm.devices import wanted
from ...objects.vm.vm import VirtualMachine
from ...rules import limits
from ...rules.vm import power_on
from .file import Thing

_RUNNING = "guestToolsRunning"


def spec(thing: Thing, datastore: str, network: str) -> VmSpec:
    """One VM."""
    memory = int(thing.get("config.hardware.memoryMB", 0))
    allocation = thing.get("config.memoryAllocation")
    managed = thing.get("config.managedBy")
    latency = thing.get("config.latencySensitivity")
    devices = thing.get("config.hardware.device", ())
    power = str(thing.get("runtime.powerState", "poweredOff"))
    return VmSpec(
        name=shown(str(thing.get("name", thing.moid))),
        uuid=str(thing.get("config.uuid", "")),
        version=limits.hardware_version(str(thing.get("config.version", "vmx-13"))),
        memory_mb=memory,
        cpus=int(thing.get("config.hardware.numCPU", 1)),
        firmware=str(thing.get("config.firmware", "bios")),
        guest=str(thing.get("config.guestId", "otherGuest64")),
        power="on" if power == "poweredOn" else "off",
        tools=str(thing.get("guest.toolsRunningStatus", "")) == _RUNNING or power != "poweredOn",
        locked=bool(thing.get("config.memoryReservationLockedToMax", False)),
        reservation_mb=int(getattr(allocation, "reservation", None) or 0),
        limit_mb=int(-1 if (limit := getattr(allocation, "limit", None)) is None else limit),
        extra={item.key: str(item.value) for item in thing.get("config.extraConfig", ())},
        nested=bool(thing.get("config.nestedHVEnabled", False)),
        memory_hot_add=bool(thing.get("config.memoryHotAddEnabled", False)),
        cpu_hot_add=bool(thing.get("config.cpuHotAddEnabled", False)),
        snapshot=thing.get("snapshot") is not None,
        template=bool(thing.get("config.template", False)),
        datastore=datastore,
        network=network,
        captured_media=any(map(_is_media, devices)),
        latency=str(getattr(latency, "level", None) or "normal"),
        fault_tolerance=str(thing.get("runtime.faultToleranceState", "notConfigured")),
        ip=str(thing.get("guest.ipAddress", "")),
        managed_by=str(getattr(managed, "extensionKey", "") or ""),
        graphics_3d=next((found for found in map(_renderer, devices) if found), ""),
    )


def _is_media(device: Any) -> bool:
    kinds = vim.vm.device
    return isinstance(device, kinds.VirtualCdrom | kinds.VirtualFloppy | kinds.VirtualSerialPort | kinds.VirtualUSB)


def _renderer(device: Any) -> str:
    if not isinstance(device, vim.vm.device.VirtualVideoCard) or not device.enable3DSupport:
        return ""
    return str(device.use3dRenderer or "automatic")


def passthrough(devices: Iterable[Any]) -> list[Any]:
    """The devices of a VM that come from its host."""
    return [device for device in devices if wanted(device) is not None]


def book(vm: VirtualMachine, bound: Mapping[str, list[str]], users: Mapping[str, list[str]]) -> None:
    """Book the devices of a running VM on its host. ``bound``: VM -> addresses that the host says it has, ``users``: VM -> shared GPUs that
    it is on. What neither the VM nor the host says is chosen as at a power-on."""
    host = vm.host
    free = [address for address in bound.get(vm.moid, []) if address in host.spec.layout.functions]
    shared = list(users.get(vm.moid, []))
    taken: dict[int, str] = {}
    found = assigned.machine(vm).wanted
    for item in found:
        if item.kind == "fixed" and item.address in host.spec.layout.functions:
            taken[item.key] = item.address
            free = [address for address in free if address != item.address]
    for item in found:
        if item.kind == "dynamic" and (fitting := [each for each in free if _fits(item, vm, each)]):
            taken[item.key] = fitting[0]
            free.remove(fitting[0])
        elif item.kind == "vgpu" and shared:
            taken[item.key] = shared.pop(0) if len(shared) > 1 else shared[0]
        elif item.kind == "sriov" and item.address in host.spec.layout.functions:
            taken[item.key] = item.address
    if {item.key for item in found} != set(taken):
        taken = _chosen(vm, taken)
    vm.charged = power_on.needed_memory(assigned.machine(vm))
    assigned.book(vm, host, taken)


def _fits(item: power_on.Wanted, vm: VirtualMachine, address: str) -> bool:
    function = vm.host.spec.layout.functions[address]
    return any(match.vendor == function.vendor and match.device == function.device for match in item.allowed)


def _chosen(vm: VirtualMachine, known: dict[int, str]) -> dict[int, str]:
    charged, vm.charged = vm.charged, 0
    power = vm.props["runtime"].powerState
    vm.props["runtime"].powerState = "poweredOff"
    try:
        return {**vm_power.fitting(vm, vm.host), **known}
    except vim.fault.VimFault:
        return known
    finally:
        vm.props["runtime"].powerState = power
        vm.charged = charged
