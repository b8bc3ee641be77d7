# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What intent_info promises, as data for the tests of all modules."""

from __future__ import annotations

from tests.unit.modules.contracts import Contract, Scenario

CONTRACT = Contract(
    module="intent_info",
    call={},
    scenarios={
        "adoption": Scenario("intent_info", {}, 0, lab="v80"),
        "adoption with pending devices": Scenario("intent_info", {}, 0, lab="roll_12"),
    },
)
