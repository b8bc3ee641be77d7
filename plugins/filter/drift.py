# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters for the role drift_report. Documented in the .yml files in this directory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def run_arguments(sources: Sequence[str], limit: str | None) -> str:
    """The arguments of ``ansible-playbook`` for the same inventories and the same limit as in this run."""
    from ..module_utils._domain.drift.commands import run_arguments as arguments

    return arguments(sources, limit)


class FilterModule:
    """Registers the filter."""

    def filters(self) -> dict[str, Any]:
        return {"run_arguments": run_arguments}
