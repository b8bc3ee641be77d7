# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters for the role rolling_reboot. Documented in the .yml files in this directory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean

from ..plugin_utils.deferred import deferred, find

FILTERS = {
    "reboot_order": ("report.reboot_steps", "reboot_order"),
    "reboot_expectations": ("report.reboot_steps", "reboot_expectations"),
    "still_to_look": ("report.protected_vms", "still_to_look"),
    "protection_problem": ("report.protected_vms", "protection_problem"),
    "closing_lines": ("report.reboot_steps", "closing_lines"),
}
"""Filter → module of plugin_utils and function."""


def decision(plan: Mapping[str, Any], consent: bool | str | None, preview: bool | str, vcenter: str) -> dict[str, Any]:
    """``reboot_decision`` for booleans that are text, as ``-e`` passes them."""
    reboot_decision = find("report.reboot_steps", "reboot_decision")
    found: dict[str, Any] = reboot_decision(
        plan, None if consent is None else boolean(consent), boolean(preview), vcenter
    )
    return found


def rebooted(
    seen: Mapping[str, Any], call: Mapping[str, Any], consent: bool | str | None, preview: bool | str
) -> dict[str, Any]:
    """``reboot_outcome`` for booleans that are text, as ``-e`` passes them."""
    reboot_outcome = find("report.text", "reboot_outcome")
    found: dict[str, Any] = reboot_outcome(seen, call, None if consent is None else boolean(consent), boolean(preview))
    return found


class FilterModule:
    """Registers the filters."""

    def filters(self) -> dict[str, Any]:
        found: dict[str, Any] = {name: deferred(*place) for name, place in FILTERS.items()}
        return {**found, "reboot_decision": decision, "reboot_outcome": rebooted}
