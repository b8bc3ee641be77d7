# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passthrough devices of a VM: from a lab entry to a device, and from a device to what the rules read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyVmomi import vim

from ...api import data
from ...core.base import Endpoint, Entity
from ...rules import limits
from ...rules.pci import encoding
from ...rules.vm import devices as device_rules
from ...rules.vm import power_on, sriov
from ...rules.vm.power_on import Match, Wanted
from ..network import DistributedVirtualPortgroup, Network
from .state import VmState

PASSTHROUGH = vim.vm.device.VirtualPCIPassthrough


def wanted(device: Any) -> Wanted | None:
    """A device as the power-on rule reads it; None when it is no passthrough device."""
    kind = device_rules.kind(device)
    if kind == "fixed":
        backing = device.backing
        return Wanted(
            kind=kind, key=device.key, address=backing.id or "", vendor=backing.vendorId or 0,
            device=backing.deviceId or "", system=backing.systemId or "",
        )  # fmt: skip
    if kind == "dynamic":
        allowed = tuple(
            Match(vendor=item.vendorId, device=item.deviceId, subvendor=item.subVendorId, subdevice=item.subDeviceId)
            for item in device.backing.allowedDevice
        )
        return Wanted(kind=kind, key=device.key, allowed=allowed, label=device.backing.customLabel or "")
    if kind == "vgpu":
        return Wanted(kind=kind, key=device.key, profile=device.backing.vgpu or "")
    if kind == "dvx":
        return Wanted(kind=kind, key=device.key, profile=device.backing.deviceClass or "")
    if kind == "sriov":
        backing = device.sriovBacking.physicalFunctionBacking if device.sriovBacking else None
        network, address = sriov.network_key(device), backing.id if backing else ""
        # An adapter without a network is one of a lab that says which function it has.
        chosen = "" if network and address.startswith(sriov.AUTOMATIC) else address.removeprefix(sriov.AUTOMATIC)
        return Wanted(kind=kind, key=device.key, address=chosen, network=network)
    return None


def from_lab(entry: Mapping[str, Any], cards: Mapping[str, power_on.Card], system: str, index: int) -> Any:
    """A device from a lab entry: {fixed: address} {dynamic: [vendor:device], label} {vgpu: profile} {sriov: address}
    {dvx: class}, each but an adapter with `numa_node`. A fixed one takes its ids from the host's card at that address."""
    key = limits.FIRST_KEY + index
    place = {"controllerKey": device_rules.PCI_CONTROLLER, "unitNumber": device_rules.unit(index)}
    info = data.new(vim.Description, label=f"PCI device {index}", summary="")
    if "sriov" in entry:
        index = device_rules.SRIOV_START - index
        function = data.new(
            PASSTHROUGH.DeviceBackingInfo, deviceName="", id=f"Automatic-{entry['sriov']}", deviceId="0",
            systemId="BYPASS", vendorId=0,
        )  # fmt: skip
        cls = vim.vm.device.VirtualSriovEthernetCard
        return data.new(
            cls, key=limits.FIRST_KEY + index, controllerKey=device_rules.PCI_CONTROLLER,
            unitNumber=device_rules.unit(index), deviceInfo=data.new(vim.Description, label="SR-IOV network adapter 1", summary=""),
            sriovBacking=data.new(cls.SriovBackingInfo, physicalFunctionBacking=function),
        )  # fmt: skip
    device = data.new(PASSTHROUGH, key=key, deviceInfo=info, backing=_backing(entry, cards, system), **place)
    if entry.get("numa_node") is not None:
        device.numaNode = int(entry["numa_node"])
    return device


def _backing(entry: Mapping[str, Any], cards: Mapping[str, power_on.Card], system: str) -> Any:
    if "fixed" in entry:
        card = cards[str(entry["fixed"])]
        return data.new(
            PASSTHROUGH.DeviceBackingInfo,
            deviceName=str(entry.get("name", "")),
            id=card.address,
            deviceId=str(entry.get("device_id", encoding.vmx_hex(card.device))),
            systemId=str(entry.get("system_id", system)),
            vendorId=encoding.signed16(card.vendor),
        )
    if "vgpu" in entry:
        return data.new(PASSTHROUGH.VmiopBackingInfo, vgpu=str(entry["vgpu"]))
    if "dvx" in entry:
        options = [
            vim.option.OptionValue(key=key, value=value) for key, value in (entry.get("parameters") or {}).items()
        ]
        return data.new(PASSTHROUGH.DvxBackingInfo, deviceClass=str(entry["dvx"]), configParams=options)
    names = entry["dynamic"] if isinstance(entry["dynamic"], list) else [entry["dynamic"]]
    allowed = []
    for name in names:
        vendor, device = str(name).split(":")
        allowed.append(data.new(PASSTHROUGH.AllowedDevice, vendorId=int(vendor, 16), deviceId=int(device, 16)))
    return data.new(
        PASSTHROUGH.DynamicBackingInfo,
        deviceName=str(entry.get("name", "")),
        allowedDevice=allowed,
        customLabel=str(entry.get("label", "")) or None,
    )


# -- networks of adapters -----------------------------------------------------------------------------------------
# Sources: API reference (Network.Assign is required on the network of an adapter that is added or gets another one; `network` of a VM
# lists the networks of its adapters). The fault for a network that does not exist is not published.


def networks(sim: Endpoint, spec: Any) -> list[Entity]:
    """The networks that the adapters of a spec name, without those that do not exist."""
    named = [change.device for change in spec.deviceChange or [] if _names_network(change)]
    return [network for device in named if (network := _network(sim, device)) is not None]


def check_networks(vm: VmState, spec: Any) -> None:
    """Raise for an SR-IOV adapter in a network that does not exist, or of another switch than the one it names."""
    for change in spec.deviceChange or []:
        device = change.device
        if not _names_network(change) or not isinstance(device, sriov.CARD):
            continue
        network = _network(vm.sim, device)
        if network is None:
            raise sriov.no_network(sriov.network_key(device))
        if isinstance(network, DistributedVirtualPortgroup):
            switch = vm.sim.obj(network.props["config"].distributedVirtualSwitch)
            if device.backing.port.switchUuid != switch.props["uuid"]:
                raise sriov.no_network(str(device.backing.port.switchUuid))


def _names_network(change: Any) -> bool:
    operation = str(change.operation or "")
    return (
        operation in ("add", "edit") and isinstance(change.device, sriov.ETHERNET) and change.device.backing is not None
    )


def _network(sim: Endpoint, device: Any) -> Network | None:
    key = sriov.network_key(device)
    if not key:
        return None
    found = [item for item in sim.registry.all(vim.Network) if key in (item.moid, item.name)]
    return found[0] if found else None


def show_networks(vm: VmState, devices: list[Any]) -> None:
    """`network` of the VM follows its adapters."""
    found = {
        network.moid: network.ref
        for device in devices
        if isinstance(device, sriov.ETHERNET)
        and device.backing is not None
        and (network := _network(vm.sim, device)) is not None
    }
    if set(found) != {ref._moId for ref in vm.props["network"]}:
        vm.set("network", list(found.values()))


# -- disks --------------------------------------------------------------------------------------------------------


def name_disks(vm: VmState, spec: Any) -> None:
    """The server names the file of a new disk that has no name (API reference, VirtualDeviceFileBackingInfo.fileName)."""
    there = sum(isinstance(item, vim.vm.device.VirtualDisk) for item in vm.devices)
    for change in spec.deviceChange or []:
        disk = change.device
        if str(change.operation or "") == "add" and isinstance(disk, vim.vm.device.VirtualDisk):
            if disk.backing is not None and not disk.backing.fileName:
                place_disk(vm, disk, there)
            there += 1


def place_disk(vm: VmState, disk: Any, number: int) -> None:
    """Put a disk among the files of its VM; the first has its name, the others a number behind it."""
    disk.backing.fileName = (
        vm.spec.file("vmdk") if not number else vm.spec.file("vmdk").replace(".vmdk", f"_{number}.vmdk")
    )
    disk.backing.datastore = vm.datastore.ref if vm.datastore is not None else None
