# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vCenters of an inventory, without its desired state. PRIVATE to the collection.

Status must also be available while the desired state has an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...module_utils._domain.errors import InputError
from ...module_utils._domain.text import counted
from .load import DESIRED, VCENTER_VARIABLE, Variables, endpoint_of


def list_endpoints(hosts: Mapping[str, Variables], default: str | None) -> dict[str, dict[str, Any]]:
    """Leader (the first inventory host of a vCenter) → its address and port. ``hosts``: inventory host → its variables.

    ``default``: the address for hosts without one, from the environment. Hosts that have nothing to do with vSphere are left out. Raises
    InputError when no vCenter is known.
    """
    relevant = {
        host: variables
        for host, variables in hosts.items()
        if any(key in variables for key in (VCENTER_VARIABLE, *DESIRED))
    }
    if not relevant and default is not None:
        relevant = {host: {VCENTER_VARIABLE: default} for host in list(hosts)[:1]}
    found: dict[tuple[str, int], str] = {}
    for host, variables in relevant.items():
        found.setdefault(endpoint_of(host, variables, default), host)
    if not found:
        raise InputError(
            message=f"No vCenter is known: no host of this play ({counted(len(hosts), 'host')}) has {VCENTER_VARIABLE}",
            code="no_vcenter",
            cure="Set it in the inventory or with -e, or export VMWARE_HOST",
        )
    return {leader: {"vcenter": address, "port": port} for (address, port), leader in found.items()}
