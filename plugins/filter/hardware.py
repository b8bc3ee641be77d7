# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters for the roles firmware_reboot and hardware_maintenance. Documented in the .yml files in this directory."""

from __future__ import annotations

from typing import Any

from ..plugin_utils.deferred import deferred

FILTERS = {
    "bmc_access": ("intent.bmc", "bmc_access"),
    "firmware_targets": ("intent.firmware", "firmware_targets"),
    "as_devices": ("intent.firmware", "as_devices"),
    "found_nowhere": ("intent.firmware", "found_nowhere"),
    "maintenance_work": ("intent.maintenance", "maintenance_work"),
}
"""Filter → module of plugin_utils and function."""


class FilterModule:
    """Registers the filters."""

    def filters(self) -> dict[str, Any]:
        return {name: deferred(*place) for name, place in FILTERS.items()}
