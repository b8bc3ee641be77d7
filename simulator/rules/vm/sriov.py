# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SR-IOV network adapters of a VM: what a reconfiguration makes of them.

Sources: API reference of VirtualSriovEthernetCard (5.5; a backing that is sent has a physical function; `sriovBacking` and
`dvxBackingInfo` exclude each other; without `sriovBacking` the physical function is automatic; an edit that leaves a field out keeps
it), a logged run on vCenter 8.0.3 (the virtual function is not shown), community.vmware pull request 1218 (adapters that are added
together come out in the reverse order).
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

from pyVmomi import vim

from .. import faults
from ..knobs import Knobs

CARD = vim.vm.device.VirtualSriovEthernetCard
ETHERNET = vim.vm.device.VirtualEthernetCard
AUTOMATIC = "Automatic-"
UNCHOSEN = "Automatic-0000:00:00.0"


def check(device: Any, position: int) -> None:
    """Raise what is wrong with an adapter in a spec."""
    where = f"deviceChange[{position}].device"
    backing = device.sriovBacking
    if backing is not None and getattr(device, "dvxBackingInfo", None) is not None:
        raise vim.fault.InvalidDeviceSpec(property=f"{where}.dvxBackingInfo", deviceIndex=position)
    if backing is not None and (backing.physicalFunctionBacking is None or not backing.physicalFunctionBacking.id):
        raise vim.fault.InvalidDeviceBacking(
            property=f"{where}.sriovBacking.physicalFunctionBacking", deviceIndex=position
        )


def in_order(changes: Sequence[Any], knobs: Knobs) -> list[tuple[int, Any]]:
    """The changes with their positions, in the order in which the server makes them (a knob)."""
    numbered = list(enumerate(changes))
    if knobs.added_adapters_order == "as_listed":
        return numbered
    added = [item for item in numbered if str(item[1].operation or "") == "add" and isinstance(item[1].device, CARD)]
    turned = iter(reversed(added))
    return [next(turned) if item in added else item for item in numbered]


def complete(device: Any, knobs: Knobs, *, seed: str) -> None:
    """What the server adds to a new adapter: a MAC address, made of `seed`, its connection, and a physical function that it has yet to
    choose."""
    complete_ethernet(device, seed=seed)
    device.allowGuestOSMtuChange = bool(device.allowGuestOSMtuChange)
    if is_automatic(device):
        settle(device, "", knobs)


def complete_ethernet(device: Any, *, seed: str) -> None:
    """What every new network adapter gets."""
    if not device.macAddress or str(device.addressType or "") not in ("manual", "assigned", "generated"):
        device.macAddress, device.addressType = mac_address(seed, device.key), "assigned"
    device.wakeOnLanEnabled = bool(device.wakeOnLanEnabled)
    connected = vim.vm.device.VirtualDevice.ConnectInfo(startConnected=True, allowGuestControl=True, connected=False)
    device.connectable = device.connectable or connected


def mac_address(seed: str, key: int) -> str:
    """A MAC address as a vCenter assigns it, made of the id of the VM and the key of the adapter."""
    tail = zlib.crc32(f"{seed}/{key}".encode())
    return f"00:50:56:9{tail >> 16 & 15:x}:{tail >> 8 & 255:02x}:{tail & 255:02x}"


def edit(old: Any, new: Any, knobs: Knobs) -> None:
    """An edit keeps what it leaves out."""
    for name in (
        "sriovBacking",
        "macAddress",
        "addressType",
        "allowGuestOSMtuChange",
        "wakeOnLanEnabled",
        "connectable",
        "slotInfo",
    ):
        if getattr(new, name) is None:
            setattr(new, name, getattr(old, name))
    if is_automatic(new):
        settle(new, "", knobs)


def is_automatic(device: Any) -> bool:
    """Whether the host chooses the physical function at power-on."""
    backing = device.sriovBacking
    if backing is None:
        return getattr(device, "dvxBackingInfo", None) is None
    return str(backing.physicalFunctionBacking.id).startswith(AUTOMATIC)


def settle(device: Any, function: str, knobs: Knobs) -> None:
    """Show the physical function that the host chose, or that it has yet to choose (a knob)."""
    if not function and knobs.automatic_adapter_off == "unset":
        device.sriovBacking = None
        return
    chosen = f"{AUTOMATIC}{function}" if function else UNCHOSEN
    device.sriovBacking = CARD.SriovBackingInfo(physicalFunctionBacking=function_backing(chosen))


def function_backing(address: str) -> Any:
    """The ids of such a backing say nothing (seen on 8.0.3)."""
    return vim.vm.device.VirtualPCIPassthrough.DeviceBackingInfo(
        deviceName="", id=address, deviceId="0", systemId="BYPASS", vendorId=0
    )


def network_key(device: Any) -> str:
    """What its backing names: managed object id of a network, or key of a distributed port group; empty for none."""
    cards = vim.vm.device.VirtualEthernetCard
    if isinstance(device.backing, cards.DistributedVirtualPortBackingInfo):
        return str(device.backing.port.portgroupKey or "")
    if isinstance(device.backing, cards.NetworkBackingInfo):
        network = device.backing.network
        return str(network._moId) if network is not None else str(device.backing.deviceName)
    return ""


def no_network(name: str) -> vim.fault.InvalidDeviceBacking:
    """The answer to an adapter in a network that does not exist."""
    return vim.fault.InvalidDeviceBacking(msg=f"There is no network {name}.", deviceIndex=0)


def no_function() -> vim.fault.GenericVmConfigFault:
    """No virtual function is left (Broadcom knowledge base)."""
    text = "No SR-IOV virtual function (VF) is available for given physical function (PF)."
    return faults.vm_config_fault([("msg.pciPassthru.noVirtualFunction", text)])
