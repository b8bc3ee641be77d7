# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters for all roles: the intent of the inventory, and results as text. Documented in the .yml files in this directory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..plugin_utils.deferred import deferred

FILTERS = {
    "intent": ("intent.from_hostvars", "read_intent"),
    "endpoints": ("intent.from_hostvars", "read_endpoints"),
    "vms_to_release": ("intent.release", "vms_to_release"),
    "outcome": ("report.text", "outcome"),
    "joined_outcome": ("report.joined", "joined_outcome"),
    "result_lines": ("report.text", "lines"),
    "differences": ("report.text", "differences"),
    "assumed_enabled": ("report.text", "assumed_enabled"),
    "compares_first": ("report.first_comparison", "compares_first"),
    "first_result": ("report.first_comparison", "first_result"),
}
"""Filter → module of plugin_utils and function."""


def proof_lines(hosts: Sequence[Mapping[str, Any]], vms: Sequence[Mapping[str, Any]]) -> list[str]:
    """The hosts and VMs of a result, in lines for a terminal."""
    from ..module_utils._shell.settled import proof_lines as lines

    return lines(hosts, vms)


class FilterModule:
    """Registers the filters."""

    def filters(self) -> dict[str, Any]:
        found: dict[str, Any] = {name: deferred(*place) for name, place in FILTERS.items()}
        return {**found, "proof_lines": proof_lines}
