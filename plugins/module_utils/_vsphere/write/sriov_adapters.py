# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SR-IOV network adapters, converted to parts of a ConfigSpec. PRIVATE to the collection."""

from __future__ import annotations

from typing import Any

from ..._domain.observed.networks import Network, network_of
from ..._domain.observed.vms import SriovBacking, Vm
from ..._domain.planning.details import SriovEdit, SriovSpec
from ..sdk import vim

_AUTOMATIC = "Automatic-0000:00:00.0"
"""The physical function of an adapter for which vSphere chooses one."""


def sriov_addition(vm: Vm, desired: SriovSpec, key: int) -> Any:
    """A new adapter. Without a physical function, ``sriovBacking`` stays unset: if it is sent, it must have one."""
    device = vim.vm.device.VirtualSriovEthernetCard(
        key=key,
        controllerKey=vm.pci_controller_key,
        backing=_network_backing(desired.network),
        allowGuestOSMtuChange=desired.allow_guest_mtu_change,
    )
    _set_mac(device, desired.mac, desired.address_type or "manual")
    if desired.physical_function is not None:
        device.sriovBacking = _sriov_backing(desired.physical_function)
    return vim.vm.device.VirtualDeviceSpec(operation="add", device=device)


def sriov_edit(vm: Vm, desired: SriovEdit) -> Any:
    """An adapter after an edit. The physical function and the virtual function that it shows are sent again: a backing without a virtual
    function gets a new one."""
    old = next(device.backing for device in vm.devices if device.key == desired.key)
    if not isinstance(old, SriovBacking):
        raise ValueError(f"device {desired.key} is no SR-IOV network adapter")
    device = vim.vm.device.VirtualSriovEthernetCard(
        key=desired.key,
        controllerKey=vm.pci_controller_key,
        allowGuestOSMtuChange=desired.allow_guest_mtu_change,
        backing=_network_backing(desired.network or network_of(old)),
    )
    _set_mac(device, desired.mac, desired.address_type)
    keeps = desired.automatic == old.is_automatic and (
        desired.automatic or desired.physical_function == old.physical_function
    )
    virtual = old.virtual_function if keeps else None
    if not desired.automatic and desired.physical_function is not None:
        device.sriovBacking = _sriov_backing(desired.physical_function, virtual)
    elif old.sent_automatic or not old.is_automatic:
        device.sriovBacking = _sriov_backing(_AUTOMATIC, virtual)
    return vim.vm.device.VirtualDeviceSpec(operation="edit", device=device)


def _network_backing(network: Network) -> Any:
    cards = vim.vm.device.VirtualEthernetCard
    if network.kind == "distributed":
        port = vim.dvs.PortConnection(portgroupKey=network.key, switchUuid=network.switch)
        return cards.DistributedVirtualPortBackingInfo(port=port)
    reference = vim.Network(network.moid, None) if network.moid else None
    return cards.NetworkBackingInfo(deviceName=network.name, network=reference)


def _set_mac(device: Any, mac: str, address_type: str) -> None:
    """Without a MAC address, the server generates one."""
    if mac:
        device.macAddress, device.addressType = mac, address_type


def _sriov_backing(physical: str, virtual: str | None = None) -> Any:
    kind = vim.vm.device.VirtualSriovEthernetCard.SriovBackingInfo
    backing = kind(physicalFunctionBacking=_function(physical))
    if virtual is not None:
        backing.virtualFunctionBacking = _function(virtual)
    return backing


def _function(address: str) -> Any:
    """Servers do not check the ids of these functions, and show these values (seen on vCenter 8.0.3)."""
    return vim.vm.device.VirtualPCIPassthrough.DeviceBackingInfo(
        deviceName="", id=address, deviceId="0", systemId="BYPASS", vendorId=0
    )
