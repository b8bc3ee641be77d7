# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passthrough devices of a VM: from a lab entry to a device, and from a device to what the rules read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyVmomi import vim

from ...api import data
from ...rules import limits
from ...rules.pci import encoding
from ...rules.vm import devices as device_rules
from ...rules.vm import power_on
from ...rules.vm.power_on import Match, Wanted

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
        return Wanted(kind=kind, key=device.key, address=(backing.id if backing else "").removeprefix("Automatic-"))
    return None


def from_lab(entry: Mapping[str, Any], cards: Mapping[str, power_on.Card], system: str, index: int) -> Any:
    """A device from a lab entry: {fixed: address} {dynamic: [vendor:device], label} {vgpu: profile} {sriov: address}
    {dvx: class}. A fixed one takes its ids from the host's card at that address."""
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
    return data.new(PASSTHROUGH, key=key, deviceInfo=info, backing=_backing(entry, cards, system), **place)


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
