# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ServiceInstance: who am I talking to, and where are the managers?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from pyVmomi import vim

from ..api import data
from ..api.versions import version_id
from ..core.base import Endpoint, ManagedObject
from ..objects.unmodelled import service_content

if TYPE_CHECKING:
    from ..core.call import Call


def about(sim: Endpoint) -> Any:
    """vim.AboutInfo of a vCenter or an ESXi host."""
    vcenter = sim.kind == "vcenter"
    name = "VMware vCenter Server" if vcenter else "VMware ESXi"
    licence = "VMware VirtualCenter Server" if vcenter else "VMware ESX Server"
    return data.new(
        vim.AboutInfo,
        name=name,
        fullName=f"{name} {sim.product_version} build-{sim.build}",
        vendor="VMware, Inc.",
        version=sim.product_version,
        build=sim.build,
        localeVersion="INTL",
        localeBuild="000",
        osType="linux-x64" if vcenter else "vmnix-x86",
        productLineId="vpx" if vcenter else "embeddedEsx",
        apiType="VirtualCenter" if vcenter else "HostAgent",
        apiVersion=version_id(sim.api_version),
        instanceUuid=sim.instance_uuid if vcenter else None,
        licenseProductName=licence,
        licenseProductVersion=sim.product_version.split(".")[0] + ".0",
    )


class ServiceInstance(ManagedObject):
    """The root of the API."""

    vim_type = vim.ServiceInstance
    live: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"serverClock": lambda self: self.sim.clock.now()}

    def __init__(self, sim: Endpoint) -> None:
        super().__init__(sim, "ServiceInstance")
        vcenter = sim.kind == "vcenter"
        self.props["capability"] = data.new(
            vim.Capability,
            provisioningSupported=vcenter,
            multiHostSupported=vcenter,
            userShellAccessSupported=not vcenter,
        )

    def publish(self) -> None:
        """Fill ``content`` from the managers of the simulator; done once, after the lab is loaded."""
        assert self.sim.root is not None
        values = {name: obj.ref for name, obj in self.sim.content.items()} | service_content(self.sim)
        self.props["content"] = data.new(
            vim.ServiceInstanceContent, rootFolder=self.sim.root.ref, about=about(self.sim), **values
        )

    def RetrieveServiceContent(self, call: Call) -> Any:
        """The managers; open to anyone."""
        return self.props["content"]

    def CurrentTime(self, call: Call) -> datetime:
        """The endpoint's clock."""
        return self.sim.clock.now()
