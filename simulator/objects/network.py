# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks, distributed port groups and distributed switches, as far as a VM or a reader needs them."""

from __future__ import annotations

from pyVmomi import vim

from ..api import data
from ..core.base import Endpoint, Entity
from .host.network import dvs_uuid


class Network(Entity):
    """A standard port group as one network of several hosts."""

    vim_type = vim.Network
    id_prefix = "network"

    def __init__(self, sim: Endpoint, name: str, *, moid: str | None = None) -> None:
        super().__init__(sim, moid, name=name, host=[], vm=[])
        self.props["summary"] = data.new(
            vim.Network.Summary, network=self.ref, name=self.name, accessible=True, ipPoolName=""
        )


class DistributedVirtualPortgroup(Network):
    """A port group of a distributed switch."""

    vim_type = vim.dvs.DistributedVirtualPortgroup
    id_prefix = "dvportgroup"

    def __init__(self, sim: Endpoint, name: str, switch: DistributedVirtualSwitch, *, moid: str | None = None) -> None:
        super().__init__(sim, name, moid=moid)
        self.props["key"] = self.moid
        self.props["portKeys"] = []
        self.props["config"] = data.new(
            vim.dvs.DistributedVirtualPortgroup.ConfigInfo,
            key=self.moid,
            name=self.name,
            numPorts=128,
            type="earlyBinding",
            distributedVirtualSwitch=switch.ref,
            policy=data.new(
                vim.dvs.DistributedVirtualPortgroup.PortgroupPolicy,
                blockOverrideAllowed=True,
                shapingOverrideAllowed=False,
                vendorConfigOverrideAllowed=False,
                livePortMovingAllowed=False,
                portConfigResetAtDisconnect=True,
            ),
        )


class DistributedVirtualSwitch(Entity):
    """A distributed switch; its uplinks are in the proxy switches of the hosts."""

    vim_type = vim.dvs.VmwareDistributedVirtualSwitch
    id_prefix = "dvs"

    def __init__(self, sim: Endpoint, name: str, *, moid: str | None = None) -> None:
        uuid = dvs_uuid(name)
        super().__init__(sim, moid, name=name, uuid=uuid, portgroup=[], networkResourcePool=[])
        self.props["summary"] = data.new(
            vim.DistributedVirtualSwitch.Summary, name=self.name, uuid=uuid, numPorts=512, hostMember=[], vm=[], host=[]
        )
