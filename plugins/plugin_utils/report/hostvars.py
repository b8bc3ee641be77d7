# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The results of a run from the variables of the inventory hosts, as Ansible has them. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean

from .first_comparison import first_result
from .fleet import RESULTS, fleet_lines

FIRST_COMPARISON = "__verify_first"
"""The variable in which the role verify registers the comparison."""


def lines_of_run(
    endpoints: Mapping[str, Mapping[str, Any]],
    hostvars: Mapping[str, Mapping[str, Any]],
    alive: Sequence[str],
    check: bool | str = False,
) -> list[str]:
    """One line for each vCenter. ``alive``: the leaders that did not fail."""
    facts = {leader: _results(hostvars[leader]) for leader in endpoints}
    return fleet_lines(endpoints, facts, set(alive), check=boolean(check))


def _results(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The results that the roles stored. If the first comparison of site failed, it ended the play before a role stored anything."""
    found = {name: variables[name] for name in RESULTS if name in variables}
    first = first_result(variables[FIRST_COMPARISON]) if FIRST_COMPARISON in variables else None
    return found if first is None else {**found, "verify_result": first}
