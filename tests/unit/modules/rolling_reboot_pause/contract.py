# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What rolling_reboot_pause promises, as data for the tests of all modules."""

from __future__ import annotations

from tests.unit.modules.bad_input.cases import Case
from tests.unit.modules.contracts import Contract, Scenario
from tests.unit.modules.harness import Lab

MODULE = "rolling_reboot_pause"
WHY = {"reason": "the storage array is being moved"}
JOURNAL = {"Global.SetCustomField", "Global.ManageCustomFields"}

CONTRACT = Contract(
    module=MODULE,
    call=WHY,
    scenarios={
        "pause": Scenario(MODULE, WHY, 1),
        "pause one cluster": Scenario(MODULE, {**WHY, "clusters": ["compute"]}, 1),
        "end the pause": Scenario(MODULE, {"state": "absent"}, 1, before=((MODULE, WHY),)),
    },
    deeds=((WHY, JOURNAL),),
    bad_input=(
        Case(
            module=MODULE,
            title="a pause without a reason",
            options={},
            code="no_reason",
            says=("pause_reason",),
            lab=lambda: Lab.load("three_hosts"),
        ),
        Case(
            module=MODULE,
            title="a reason that does not fit into a custom attribute",
            options={"reason": "because " * 20},
            code="long_reason",
            says=("150 characters",),
            lab=lambda: Lab.load("three_hosts"),
        ),
        Case(
            module=MODULE,
            title="a cluster that does not exist",
            options={**WHY, "clusters": ["compote"]},
            code="unknown_cluster",
            says=("compote", "compute"),
            lab=lambda: Lab.load("three_hosts"),
        ),
        Case(
            module=MODULE,
            title="a cluster on an ESXi host",
            options={**WHY, "clusters": ["compute"]},
            code="unknown_cluster",
            says=("is an ESXi host",),
            lab=lambda: Lab.load("home"),
        ),
    ),
)
