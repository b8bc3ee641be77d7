# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What host_capacity_info promises, as data for the tests of all modules."""

from __future__ import annotations

from tests.unit.modules.bad_input.cases import Case
from tests.unit.modules.bad_input.host_cases import no_host_seen
from tests.unit.modules.contracts import Contract, Scenario
from tests.unit.modules.harness import Lab


def _three() -> Lab:
    return Lab.load("three_hosts")


CONTRACT = Contract(
    module="host_capacity_info",
    call={},
    scenarios={"capacity of hosts": Scenario("host_capacity_info", {"fit": [{"match": "10de:20f1", "count": 2}]}, 0)},
    bad_input=(
        no_host_seen("host_capacity_info"),
        Case(
            module="host_capacity_info",
            title="a host that does not exist",
            options={"hosts": ["esx-99"]},
            code="unknown_host",
            says=("esx-99",),
            lab=_three,
        ),
        Case(
            module="host_capacity_info",
            title="no devices to look for",
            options={"fit": []},
            code="no_devices",
            says=("fit is empty",),
            lab=_three,
        ),
        Case(
            module="host_capacity_info",
            title="a set of devices without a number",
            options={"fit": [{"match": "10de:20f1", "count": "all"}]},
            code="bad_count",
            says=("fit[0].count is all",),
            lab=_three,
        ),
        Case(
            module="host_capacity_info",
            title="a device to look for without a condition",
            options={"fit": [{"match": {}}]},
            code="bad_selector",
            says=("fit[0]",),
            lab=_three,
        ),
    ),
)
