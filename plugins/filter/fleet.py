# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a run for each vCenter. Documented in fleet_lines.yml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean

from ..plugin_utils.report.fleet import RESULTS
from ..plugin_utils.report.fleet import fleet_lines as lines


def fleet_lines(
    endpoints: Mapping[str, Mapping[str, Any]],
    hostvars: Mapping[str, Mapping[str, Any]],
    alive: Sequence[str],
    check: bool | str = False,
) -> list[str]:
    """One line for each vCenter. ``alive``: the leaders that did not fail."""
    facts = {
        leader: {name: hostvars[leader][name] for name in RESULTS if name in hostvars[leader]} for leader in endpoints
    }
    return lines(endpoints, facts, set(alive), check=boolean(check))


class FilterModule:
    """Registers the filter."""

    def filters(self) -> dict[str, Any]:
        return {"fleet_lines": fleet_lines}
