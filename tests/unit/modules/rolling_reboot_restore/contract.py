# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What rolling_reboot_restore promises, as data for the tests of all modules."""

from __future__ import annotations

from tests.unit.modules.bad_input.cases import Case
from tests.unit.modules.contracts import Contract, Scenario
from tests.unit.modules.harness import Lab

CONTRACT = Contract(
    module="rolling_reboot_restore",
    call={},
    scenarios={
        "give back what a rolling reboot left off": Scenario("rolling_reboot_restore", {}, 2, lab="interrupted")
    },
    bad_input=(
        Case(
            module="rolling_reboot_restore",
            title="a host that does not exist",
            options={"hosts": ["esx-99"]},
            code="unknown_host",
            says=("esx-99",),
            lab=lambda: Lab.load("three_hosts"),
        ),
    ),
)
