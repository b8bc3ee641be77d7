# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts a lab has when it names none: all-powerful, reading only, just enough, and just not enough.

The privileges are the ones the API reference gives for each call and field; the passwords are test values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..endpoint import SimulatedEndpoint

PASSWORD = "VMware1!"

VIRTUAL_MACHINE_ADMIN = (
    "Host.Config.Settings",
    "Host.Config.Maintenance",
    "Host.Config.Connection",
    "Global.ManageCustomFields",
    "Global.SetCustomField",
    "Network.Assign",
    "Resource.ColdMigrate",
    "VirtualMachine.Interact.PowerOn",
    "VirtualMachine.Interact.PowerOff",
    "VirtualMachine.Config.RawDevice",
    "VirtualMachine.Config.AddRemoveDevice",
    "VirtualMachine.Config.EditDevice",
    "VirtualMachine.Config.Memory",
    "VirtualMachine.Config.Resource",
    "VirtualMachine.Config.Settings",
    "VirtualMachine.Config.AdvancedConfig",
)
"""Everything the collection's VM side needs, and no right to touch the host's devices."""

ROLES = {
    "PassthroughOperator": ("Host.Config.PciPassthru", *VIRTUAL_MACHINE_ADMIN),
    "VirtualMachineAdmin": VIRTUAL_MACHINE_ADMIN,
}

USERS = {"reader": "ReadOnly", "operator": "PassthroughOperator", "vmadmin": "VirtualMachineAdmin"}


def add_accounts(sim: SimulatedEndpoint, lab: Mapping[str, Any]) -> None:
    """Add the roles a lab lacks and, when it names no users, reader, operator and vmadmin beside the administrator."""
    for name, privileges in ROLES.items():
        if name not in sim.authz.roles:
            sim.authz.add_role(name, privileges)
    if not lab.get("users"):
        domain = "@vsphere.local" if sim.kind == "vcenter" else ""
        for name, role in USERS.items():
            sim.authz.add_user(name + domain, PASSWORD, role)
