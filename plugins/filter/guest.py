# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters of the role verify for guests. Documented in the .yml files in this directory."""

from __future__ import annotations

from typing import Any

from ..plugin_utils.deferred import deferred

FILTERS = {
    "guests_in_scope": ("guest.requests", "guests_in_scope"),
    "guests_to_prepare": ("guest.requests", "guests_to_prepare"),
    "guest_targets": ("guest.requests", "guest_targets"),
    "guest_probe": ("guest.requests", "guest_probe"),
    "guest_verdict": ("guest.results", "guest_verdict"),
    "guest_lines": ("guest.results", "guest_lines"),
    "guest_problems": ("guest.results", "guest_problems"),
}
"""Filter → module of plugin_utils and function."""


class FilterModule:
    """Registers the filters."""

    def filters(self) -> dict[str, Any]:
        return {name: deferred(*place) for name, place in FILTERS.items()}
