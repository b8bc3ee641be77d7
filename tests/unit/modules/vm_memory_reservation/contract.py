# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What vm_memory_reservation promises, as data for the tests of all modules."""

from __future__ import annotations

from tests.unit.modules.contracts import Contract, Scenario

LOCK = ("vm_memory_reservation", {"vm": ["web-01"]})

CONTRACT = Contract(
    module="vm_memory_reservation",
    call={"vm": ["web"]},
    scenarios={
        "lock memory": Scenario("vm_memory_reservation", {"vm": ["web-01", "web-02"]}, 2),
        "reserve a size": Scenario(
            "vm_memory_reservation", {"vm": ["web-01"], "state": "reserved", "reservation_mb": 512}, 1
        ),
        "unlock": Scenario(
            "vm_memory_reservation", {"vm": ["web-01"], "state": "unlocked", "reservation_mb": 256}, 1, (LOCK,)
        ),
    },
    deeds=(({"vm": ["train-01"]}, {"VirtualMachine.Config.Resource"}),),
)
