# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What vm_sriov_network promises, as data for the tests of all modules."""

from __future__ import annotations

from typing import Any

from tests.unit.modules.bad_input.cases import Case
from tests.unit.modules.contracts import Contract, Scenario
from tests.unit.modules.harness import Lab

DATA = {"network": "nfv-data"}
ADD = ("vm_sriov_network", {"vm": ["fw-01"], "sriov_networks": [DATA]})


def nfv() -> Lab:
    return Lab.load("nfv")


def case(title: str, code: str, says: tuple[str, ...], **options: Any) -> Case:
    return Case(module="vm_sriov_network", title=title, options=options, code=code, says=says, lab=nfv)


CONTRACT = Contract(
    module="vm_sriov_network",
    call={"vm": ["web"], "sriov_networks": []},
    scenarios={
        "add two adapters": Scenario(
            "vm_sriov_network", {"vm": ["fw-01"], "sriov_networks": [DATA, {"network": "nfv-control"}]}, 3, lab="nfv"
        ),
        "change one": Scenario(
            "vm_sriov_network",
            {"vm": ["fw-01"], "sriov_networks": [{**DATA, "physical_function": "vmnic2"}]},
            1,
            (ADD,),
            lab="nfv",
        ),
        "remove one": Scenario(
            "vm_sriov_network", {"vm": ["fw-01"], "sriov_networks": [DATA], "state": "absent"}, 1, (ADD,), lab="nfv"
        ),
    },
    bad_input=(
        case("no adapters", "bad_sriov_network", ("sriov_networks is not given", "fw-01"), vm=["fw-01"]),
        case(
            "a key that does not exist",
            "bad_sriov_network",
            ("netwrok", "network is meant"),
            vm=["fw-01"],
            sriov_networks=[{"netwrok": "nfv-data"}],
        ),
        case(
            "a network of another host",
            "no_such_network",
            ("esx-nfv-01.lab", "nfv-dta", "nfv-data"),
            vm=["fw-01"],
            sriov_networks=[{"network": "nfv-dta"}],
        ),
        case(
            "a NIC that the host does not have",
            "no_such_physical_function",
            ("vmnic9", "vmnic2 0000:3b:00.0"),
            vm=["fw-01"],
            sriov_networks=[{**DATA, "physical_function": "vmnic9"}],
        ),
        case(
            "neither a NIC nor an address",
            "bad_physical_function",
            ("eth0", "vmnic4"),
            vm=["fw-01"],
            sriov_networks=[{**DATA, "physical_function": "eth0"}],
        ),
        case(
            "a multicast MAC address",
            "bad_mac",
            ("01:00:5e:00:00:01", "multicast"),
            vm=["fw-01"],
            sriov_networks=[{**DATA, "mac": "01:00:5e:00:00:01"}],
        ),
        case(
            "one MAC address for two adapters",
            "duplicate_mac",
            ("00:50:56:00:00:01", "twice"),
            vm=["fw-01"],
            sriov_networks=[{**DATA, "mac": "00:50:56:00:00:01"}, {**DATA, "mac": "00-50-56-00-00-01"}],
        ),
        case(
            "a NIC without virtual functions",
            "sriov_not_active",
            ("vmnic3", "has no virtual functions", "host_sriov"),
            vm=["fw-01"],
            sriov_networks=[{**DATA, "physical_function": "vmnic3"}],
        ),
    ),
)
