# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What rolling_reboot_info promises, as data for the tests of all modules."""

from __future__ import annotations

from tests.unit.modules.contracts import Contract, Scenario

CONTRACT = Contract(
    module="rolling_reboot_info",
    call={},
    scenarios={"status of rolling reboots": Scenario("rolling_reboot_info", {}, 0, lab="interrupted")},
)
