# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a run: for each vCenter, as a page, and for the next job. Documented in the .yml files in this directory."""

from __future__ import annotations

from typing import Any

from ..plugin_utils.deferred import deferred


class FilterModule:
    """Registers the filters."""

    def filters(self) -> dict[str, Any]:
        return {
            "fleet_lines": deferred("report.hostvars", "lines_of_run"),
            "plan_page": deferred("report.plan_page", "plan_page"),
            "capacity_report": deferred("report.capacity", "capacity_report"),
            "run_stats": deferred("report.stats", "run_stats"),
        }
