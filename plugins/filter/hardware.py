# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters for the roles firmware_reboot and hardware_maintenance. Documented in the .yml files in this directory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from ansible.errors import AnsibleError, AnsibleFilterError
from jinja2.exceptions import UndefinedError

from ..module_utils._domain.errors import InputError
from ..plugin_utils.intent.bmc import PREFIX, VARIABLES, bmc_entries
from ..plugin_utils.intent.firmware import (
    as_devices,
    enabled_devices,
    firmware_targets,
    fixed_holders,
    found_nowhere,
    share_on_hosts,
)
from ..plugin_utils.intent.load import NAME_VARIABLE


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


def _raise_filter_errors(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with InputError raised as an error of a filter."""

    @wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        try:
            return function(*arguments, **options)
        except InputError as error:
            raise AnsibleFilterError(error.sentence()) from None

    return call


class FilterModule:
    """Registers the filters."""

    def filters(self) -> dict[str, Any]:
        return {
            "bmc_access": _raise_filter_errors(bmc_access),
            "firmware_targets": _raise_filter_errors(firmware_targets),
            "as_devices": as_devices,
            "found_nowhere": found_nowhere,
            "share_on_hosts": _raise_filter_errors(share_on_hosts),
            "enabled_devices": enabled_devices,
            "fixed_holders": fixed_holders,
        }
