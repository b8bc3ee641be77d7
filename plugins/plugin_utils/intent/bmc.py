# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Management controllers (BMC) in the inventory. PRIVATE to the collection.

There are two forms: ``bmc_address`` on an inventory host that is an ESXi host, or ``bmc_addresses`` (ESXi host → address) on an inventory
host that is a vCenter. The account and the other variables belong to the same inventory host, usually through ``group_vars``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleError, AnsibleFilterError
from jinja2.exceptions import UndefinedError

from ...module_utils._domain.errors import InputError
from .load import NAME_VARIABLE

PREFIX = "bmc_"
ADDRESS, ADDRESSES = "bmc_address", "bmc_addresses"
ACCESS = ("username", "password", "validate_certs", "ca_path", "auth", "proxy", "system")
VARIABLES = (ADDRESS, ADDRESSES, *(f"{PREFIX}{name}" for name in ACCESS))


def bmc_entries(hosts: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The option ``bmc`` of host_rolling_reboot, sorted by host. ``hosts``: inventory host → its variables.

    Variables of an ESXi host have priority over those of a vCenter. Raises InputError (bad_bmc) when two inventory hosts give different
    controllers for one host, or a value is not a mapping. No message contains a password.
    """
    own: dict[str, dict[str, Any]] = {}
    by_vcenter: dict[str, dict[str, Any]] = {}
    for inventory_host, variables in hosts.items():
        access = {
            name: variables[f"{PREFIX}{name}"] for name in ACCESS if variables.get(f"{PREFIX}{name}") not in (None, "")
        }
        if variables.get(ADDRESS):
            name = str(variables.get(NAME_VARIABLE) or inventory_host)
            own[name] = {"host": name, "address": str(variables[ADDRESS]), **access}
        for name, address in _addresses(inventory_host, variables.get(ADDRESSES)).items():
            entry = {"host": name, "address": address, **access}
            if by_vcenter.setdefault(name, entry) != entry:
                raise InputError(
                    message=f"Inventory host {inventory_host}: {ADDRESSES} of {name} differs from that of another inventory host",
                    code="bad_bmc",
                    parameter=ADDRESSES,
                    cure="Give the controller of each ESXi host once",
                )
    merged = {**by_vcenter, **own}
    return [merged[name] for name in sorted(merged)]


def _addresses(inventory_host: str, value: Any) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(address, str) for address in value.values()):
        raise InputError(
            message=f"Inventory host {inventory_host}: {ADDRESSES} is not a mapping of ESXi hosts to addresses",
            code="bad_bmc",
            parameter=ADDRESSES,
            cure=f"Write {ADDRESSES}: {{esx-01.lab: 10.0.0.5}}",
        )
    return {str(name): str(address) for name, address in value.items()}


def bmc_access(hostvars: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The management controllers of the inventory, for the option ``bmc`` of host_rolling_reboot."""
    return bmc_entries({str(host): _read_bmc_variables(str(host), hostvars[host]) for host in hostvars})


def _read_bmc_variables(host: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Empty for hosts without an address of a controller. Their other variables may be templates that fail for them."""
    if not any(name in variables for name in (f"{PREFIX}address", f"{PREFIX}addresses")):
        return {}
    return {name: _read(host, variables, name) for name in (*VARIABLES, NAME_VARIABLE) if name in variables}


def _read(host: str, variables: Mapping[str, Any], name: str) -> Any:
    try:
        value = variables[name]
        # Releases before 2.19 keep a value encrypted with !vault as an object until it is used as text.
        return str(value) if hasattr(value, "_ciphertext") else value
    except (AnsibleError, UndefinedError, LookupError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"Inventory host {host}: {name} cannot be read: {error}") from error
