# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""GuestOperationsManager and the managers below it: programs, files and accounts of guests, through VMware Tools.

Not modelled, and refused: the registry and alias managers, folders, environment variables, tickets, SAML tokens, interactive sessions.
"""

from __future__ import annotations

from pyVmomi import vim

from ...api.wire import is_known
from ...core.base import Endpoint, ManagedObject
from .managers import GuestAuthManager, GuestFileManager, GuestProcessManager

__all__ = ["GuestFileManager", "build"]


class GuestOperationsManager(ManagedObject):
    """Names the managers. Nobody needs a privilege to read them (API reference)."""

    vim_type = vim.vm.guest.GuestOperationsManager


def build(sim: Endpoint) -> ManagedObject:
    """Make the managers; ids are those of a vCenter or of an ESXi host (govmomi, simulator/vpx and simulator/esx)."""
    name = "guestOperations{}" if sim.kind == "vcenter" else "ha-guest-operations{}"

    def moid(part: str) -> str:
        return name.format(
            part if sim.kind == "vcenter" or not part else f"-{part.removesuffix('Manager').lower()}-manager"
        )

    manager = GuestOperationsManager(sim, name.format("Manager" if sim.kind == "vcenter" else "-manager"))
    parts: dict[str, ManagedObject] = {
        "authManager": GuestAuthManager(sim, moid("AuthManager")),
        "fileManager": GuestFileManager(sim, moid("FileManager")),
        "processManager": GuestProcessManager(sim, moid("ProcessManager")),
    }
    for member, part in parts.items():
        sim.add(part)
        manager.props[member] = part.ref
    for info in vim.vm.guest.GuestOperationsManager._GetPropertyList():
        if info.name not in manager.props and is_known(sim.api_version, info.version):
            manager.props[info.name] = sim.absent.add(info.type, moid(info.type._wsdlName.removeprefix("Guest")))
    sim.add(manager)
    return manager
