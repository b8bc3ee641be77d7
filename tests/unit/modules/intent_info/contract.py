# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What intent_info promises, as data for the tests of all modules."""

from __future__ import annotations

from tests.unit.modules.bad_input.cases import Case
from tests.unit.modules.bad_input.host_cases import no_host_seen
from tests.unit.modules.contracts import Contract, Scenario
from tests.unit.modules.harness import Lab


def fleet() -> Lab:
    return Lab.load("v80")


CONTRACT = Contract(
    module="intent_info",
    call={},
    scenarios={
        "adoption": Scenario("intent_info", {}, 0, lab="v80"),
        "adoption with pending devices": Scenario("intent_info", {}, 0, lab="roll_12"),
    },
    bad_input=(
        no_host_seen("intent_info"),
        Case(
            module="intent_info",
            title="fewer calls than none",
            options={"max_host_queries": -1},
            code="bad_amount",
            says=("max_host_queries", "0"),
            lab=fleet,
        ),
    ),
)
