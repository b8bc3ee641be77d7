# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host lives on, read from rows that no lab has."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim

from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.property_collector.retrieve import Row
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.read.fabric import switches_of


def nsx_row(*, opaque: bool, enabled: bool) -> Row:
    """A host whose management vmkernel adapter is on an NSX network over a distributed switch."""
    nic = vim.host.PhysicalNic(key="key-vim.host.PhysicalNic-vmnic0", device="vmnic0", pci="0000:04:00.0")
    spec = vim.host.VirtualNic.Specification()
    spec.opaqueNetwork = vim.host.VirtualNic.OpaqueNetworkSpec(
        opaqueNetworkId="n", opaqueNetworkType="nsx.LogicalSwitch"
    )
    vmk = vim.host.VirtualNic(device="vmk0", key="key-vim.host.VirtualNic-vmk0", portgroup="", spec=spec)
    role = vim.host.VirtualNicManager.NetConfig(nicType="management", multiSelectAllowed=True)
    role.candidateVnic, role.selectedVnic = [vmk], [vmk.key]
    proxy = vim.host.HostProxySwitch(dvsUuid="u", dvsName="dvs", key="k", pnic=[nic.key], nsxtEnabled=enabled)
    values: dict[str, Any] = {
        "config.network.pnic": [nic],
        "config.network.proxySwitch": [proxy],
        "config.network.vnic": [vmk],
        "config.virtualNicManagerInfo.netConfig": [role],
    }
    if opaque:
        values["config.network.opaqueSwitch"] = [vim.host.OpaqueSwitch(key="o", name="nsx", pnic=[])]
    return Row(kind=vim.HostSystem, moid="host-1", values=values)


@pytest.mark.parametrize(
    ("opaque", "enabled", "carried"),
    [
        (False, True, {"dvs": {"management"}}),
        (False, False, {"dvs": set()}),
        (True, True, {"dvs": set(), "nsx": {"management"}}),
    ],
)
def test_services_on_nsx_networks_belong_to_the_switch_that_carries_them(
    opaque: bool, enabled: bool, carried: dict[str, set[str]]
) -> None:
    switches = switches_of(nsx_row(opaque=opaque, enabled=enabled))
    assert {switch.name: set(switch.services) for switch in switches} == carried
