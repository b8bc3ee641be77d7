# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SR-IOV network adapters of a VM in a lab: {sriov: auto | vmnicN | address, network: NAME, mac: ADDRESS, mtu_change: true}."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyVmomi import vim

from ...api import data
from ...objects.host.network import dvs_uuid
from ...objects.host.state import HostState
from ...objects.network import DistributedVirtualPortgroup
from ...rules import limits
from ...rules.vm import devices as device_rules
from ...rules.vm import sriov
from ..expand import unknown_keys
from ..hardware.cards import LabError


def adapter(entry: Mapping[str, Any], host: HostState, index: int, where: str) -> Any:
    """The adapter of one lab entry. Raises LabError."""
    unknown_keys(entry, {"sriov", "network", "mac", "mtu_change"}, where)
    index = device_rules.SRIOV_START - index
    device = data.new(
        sriov.CARD,
        key=limits.FIRST_KEY + index,
        controllerKey=device_rules.PCI_CONTROLLER,
        unitNumber=device_rules.unit(index),
        deviceInfo=data.new(vim.Description, label=device_rules.label("sriov", index), summary=str(entry["network"])),
        backing=_backing(str(entry["network"]), host, where),
        macAddress=str(entry.get("mac", "")) or None,
        addressType="manual" if entry.get("mac") else None,
        allowGuestOSMtuChange=bool(entry.get("mtu_change", False)),
    )
    if (wanted := str(entry["sriov"])) != "auto":
        vmnics = {nic.device: nic.address for nic in host.spec.nics}
        address = vmnics.get(wanted, wanted)
        if address not in host.spec.layout.functions:
            raise LabError(f"{where}: {host.name} has no physical function {wanted!r}")
        device.sriovBacking = sriov.CARD.SriovBackingInfo(physicalFunctionBacking=sriov.function_backing(address))
    sriov.complete(device, host.settings, seed=where)
    return device


def _backing(name: str, host: HostState, where: str) -> Any:
    for ref in host.props["network"]:
        network = host.sim.obj(ref)
        if not network.is_named(name):
            continue
        cards = vim.vm.device.VirtualEthernetCard
        if isinstance(network, DistributedVirtualPortgroup):
            switch = next(s.name for s in host.spec.switches if any(network.is_named(group) for group in s.portgroups))
            port = data.new(vim.dvs.PortConnection, portgroupKey=network.moid, switchUuid=dvs_uuid(switch))
            return data.new(cards.DistributedVirtualPortBackingInfo, port=port)
        return data.new(cards.NetworkBackingInfo, deviceName=name, network=network.ref)
    raise LabError(f"{where}: {host.name} has no network {name!r}")
