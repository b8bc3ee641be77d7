# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Management controllers in the inventory. PRIVATE to the collection.

Two shapes, as for everything else: ``bmc_address`` on an inventory host that is an ESXi host, or ``bmc_addresses`` (ESXi host → address)
on one that is a vCenter. Account and the rest stand beside either, most of the time in ``group_vars``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...module_utils._domain.errors import InputError
from .load import NAME_VARIABLE

PREFIX = "bmc_"
ADDRESS, ADDRESSES = "bmc_address", "bmc_addresses"
ACCESS = ("username", "password", "validate_certs", "ca_path", "auth", "proxy", "system")
VARIABLES = (ADDRESS, ADDRESSES, *(f"{PREFIX}{name}" for name in ACCESS))


def bmc_entries(hosts: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """``bmc`` of host_rolling_reboot from inventory host → its variables, sorted by host.

    An ESXi host's own variables win over those of a vCenter. Raises InputError where two vCenters disagree, and for what is no
    mapping. No message quotes a password.
    """
    own: dict[str, dict[str, Any]] = {}
    told: dict[str, dict[str, Any]] = {}
    for inventory_host, variables in hosts.items():
        access = {
            name: variables[f"{PREFIX}{name}"] for name in ACCESS if variables.get(f"{PREFIX}{name}") not in (None, "")
        }
        if variables.get(ADDRESS):
            name = str(variables.get(NAME_VARIABLE) or inventory_host)
            own[name] = {"host": name, "address": str(variables[ADDRESS]), **access}
        for name, address in _addresses(inventory_host, variables.get(ADDRESSES)).items():
            entry = {"host": name, "address": address, **access}
            if told.setdefault(name, entry) != entry:
                raise InputError(
                    message=f"Inventory host {inventory_host}: {ADDRESSES} says of {name} something else than another inventory host",
                    code="bad_bmc",
                    parameter=ADDRESSES,
                    cure="Name the controller of each ESXi host once",
                )
    merged = {**told, **own}
    return [merged[name] for name in sorted(merged)]


def _addresses(inventory_host: str, value: Any) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(address, str) for address in value.values()):
        raise InputError(
            message=f"Inventory host {inventory_host}: {ADDRESSES} is no mapping of ESXi hosts to addresses",
            code="bad_bmc",
            parameter=ADDRESSES,
            cure=f"Write {ADDRESSES}: {{esx-01.lab: 10.0.0.5}}",
        )
    return {str(name): str(address) for name, address in value.items()}
