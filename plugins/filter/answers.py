# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter for the playbook compare. Documented in the .yml file in this directory."""

from __future__ import annotations

from typing import Any


def answer_differences(server: str, simulator: str) -> list[str]:
    """Where the answers of a server have another form than those of the simulator."""
    from ..plugin_utils.answers.compare import answer_differences as differences

    return differences(server, simulator)


class FilterModule:
    """Registers the filter."""

    def filters(self) -> dict[str, Any]:
        return {"answer_differences": answer_differences}
