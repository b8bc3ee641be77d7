# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What host_device_mode promises, as data for the tests of all modules."""

from __future__ import annotations

from tests.unit.modules.bad_input.cases import Case
from tests.unit.modules.contracts import Contract, Scenario
from tests.unit.modules.harness import Lab

CONTRACT = Contract(
    module="host_device_mode",
    call={"hosts": ["esx-01"]},
    # One change: the test fails until the planner plans it and the writer makes it.
    scenarios={"device mode": Scenario("host_device_mode", {"hosts": ["esx-01"]}, 1)},
    bad_input=(
        Case(
            module="host_device_mode",
            title="a host that does not exist",
            options={"hosts": ["esx-99"]},
            code="unknown_host",
            says=("esx-99",),
            lab=lambda: Lab.load("three_hosts"),
        ),
    ),
)
