# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What host_sriov promises, as data for the tests of all modules."""

from __future__ import annotations

from typing import Any

from tests.unit.modules.bad_input.cases import Case
from tests.unit.modules.contracts import Contract, Scenario
from tests.unit.modules.harness import Lab

CLUSTER = {"cluster": ["compute"]}
X710 = "8086:1572"


def _eight(number: int = 8, **more: Any) -> dict[str, Any]:
    return {**CLUSTER, "devices": [{"match": X710, "virtual_functions": number}], **more}


def _bad(title: str, devices: list[dict[str, Any]], code: str, *says: str) -> Case:
    return Case(
        module="host_sriov",
        title=title,
        options={"hosts": ["esx-01"], "devices": devices},
        code=code,
        says=says,
        lab=lambda: Lab.load("three_hosts"),
    )


CONTRACT = Contract(
    module="host_sriov",
    call={"hosts": ["esx-01"], "devices": [{"match": X710, "virtual_functions": 2}]},
    scenarios={
        "set virtual functions": Scenario("host_sriov", _eight(), 6),
        "set virtual functions at once": Scenario("host_sriov", _eight(apply="now"), 6, knobs={"sriov_at_once": True}),
        "set another number": Scenario("host_sriov", _eight(4), 6, (("host_sriov", _eight()),)),
        "turn SR-IOV off": Scenario("host_sriov", _eight(0), 6, (("host_sriov", _eight()),)),
        "reboot for virtual functions": Scenario("host_rolling_reboot", _eight(), 3, (("host_sriov", _eight()),)),
    },
    bad_input=(
        _bad("an entry without a number", [{"match": X710}], "bad_devices", "virtual_functions"),
        _bad("neither match nor vmnic", [{"virtual_functions": 4}], "bad_devices", "match", "vmnic"),
        _bad(
            "both match and vmnic",
            [{"match": X710, "vmnic": "vmnic2", "virtual_functions": 4}],
            "bad_devices",
            "exactly one of match and vmnic",
        ),
        _bad("a negative number", [{"match": X710, "virtual_functions": -1}], "bad_count", "-1"),
        _bad("a number that is none", [{"match": X710, "virtual_functions": "many"}], "bad_count", "many"),
        _bad(
            "a count",
            [{"match": X710, "count": 2, "virtual_functions": 4}],
            "bad_devices",
            "count",
            "every function that matches",
        ),
        _bad(
            "two numbers for one model",
            [{"match": X710, "virtual_functions": 4}, {"match": X710, "virtual_functions": 8}],
            "contradicting_wishes",
            X710,
        ),
        _bad(
            "an entry twice",
            [{"vmnic": "vmnic2", "virtual_functions": 4}, {"vmnic": "vmnic2", "virtual_functions": 4}],
            "duplicate_wish",
            "vmnic2",
        ),
        _bad("a vmnic that is no text", [{"vmnic": 2, "virtual_functions": 4}], "bad_devices", "vmnic"),
        _bad(
            "a vmnic that does not exist", [{"vmnic": "vmnic9", "virtual_functions": 4}], "no_match", "vmnic9", "vmnic2"
        ),
        _bad(
            "more than the function supports",
            [{"vmnic": "vmnic2", "virtual_functions": 65}],
            "too_many_virtual_functions",
            "at most 64",
        ),
        _bad("a NIC without SR-IOV", [{"vmnic": "vmnic0", "virtual_functions": 4}], "not_sriov_capable", "BCM5720"),
        Case(
            module="host_sriov",
            title="an address for several hosts",
            options={**CLUSTER, "devices": [{"match": "0000:65:00.0", "virtual_functions": 4}]},
            code="address_needs_identity",
            says=("0000:65:00.0",),
            lab=lambda: Lab.load("three_hosts"),
        ),
        Case(
            module="host_sriov",
            title="no entry",
            options={"hosts": ["esx-01"], "devices": []},
            code="no_devices",
            says=("virtual_functions",),
            lab=lambda: Lab.load("three_hosts"),
        ),
        Case(
            module="host_sriov",
            title="a host that does not exist",
            options={"hosts": ["esx-99"], "devices": [{"match": X710, "virtual_functions": 4}]},
            code="unknown_host",
            says=("esx-99",),
            lab=lambda: Lab.load("three_hosts"),
        ),
    ),
)
