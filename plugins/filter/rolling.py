# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters for rolling reboots. Documented in the .yml files in this directory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleError, AnsibleFilterError
from jinja2.exceptions import UndefinedError

from ..plugin_utils.intent.load import NAME_VARIABLE


def reboot_order(
    hosts: Sequence[str], hostvars: Mapping[str, Mapping[str, Any]], variables: Sequence[str]
) -> dict[str, list[str]]:
    """ESXi host → values of its variables, for hosts that have at least one of them."""
    if isinstance(variables, str):
        variables = [variables]
    found: dict[str, list[str]] = {}
    for host in hosts if variables else ():
        try:
            known = hostvars[host]
            values = [str(known[name]) if name in known else "" for name in variables]
            name = str(known[NAME_VARIABLE]) if NAME_VARIABLE in known else str(host)
        except (AnsibleError, UndefinedError, LookupError, TypeError) as error:
            raise AnsibleFilterError(
                f"Inventory host {host}: {', '.join(variables)} cannot be read: {error}"
            ) from error
        if any(values):
            found[name] = values
    return found


class FilterModule:
    """Registers the filters."""

    def filters(self) -> dict[str, Any]:
        return {"reboot_order": reboot_order}
