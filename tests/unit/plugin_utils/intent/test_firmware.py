# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of VMs, hosts and devices become physical hosts."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.plugin_utils.intent.bmc import bmc_entries
from ansible_collections.directpath.vsphere.plugins.plugin_utils.intent.firmware import (
    as_devices,
    firmware_targets,
    found_nowhere,
)


def host(name: str, *devices: dict[str, Any], cluster: str | None = "gpu") -> dict[str, Any]:
    return {"name": name, "moid": f"host-{name}", "cluster": cluster, "devices": list(devices)}


def vm(name: str, on: str, *, power: str = "poweredOn", backings: tuple[str, ...] = ()) -> dict[str, Any]:
    """A dynamic device has an address only while the VM runs."""
    shown = {kind: "0000:3b:00.0" if kind == "fixed" or power == "poweredOn" else None for kind in backings}
    devices = [{"backing": kind, "address": shown[kind], "label": "PCI device 0"} for kind in backings]
    path = f"DC/vm/{name}"
    return {"name": name, "moid": f"vm-{name}", "path": path, "host": on, "power_state": power, "devices": devices}


HOSTS = [host("esx-01.lab"), host("esx-02.lab"), host("esx-03.lab")]
VMS = [
    vm("runs", "esx-01.lab", backings=("dynamic",)),
    vm("fixed", "esx-02.lab", power="poweredOff", backings=("fixed",)),
    vm("off", "esx-03.lab", power="poweredOff", backings=("dynamic",)),
    vm("plain", "esx-03.lab"),
]


@pytest.mark.parametrize(
    ("named", "expected", "noted"),
    [
        ("runs", "esx-01.lab", False),
        ("fixed", "esx-02.lab", False),
        ("off", "esx-03.lab", True),
        ("plain", "esx-03.lab", True),
        ("vm-runs", "esx-01.lab", False),
        ("vm/runs", "esx-01.lab", False),
    ],
)
def test_a_vm_means_the_host_that_has_its_devices(named: str, expected: str, noted: bool) -> None:
    found = firmware_targets(HOSTS, VMS, [], [named])
    assert found["hosts"] == [expected]
    assert bool(found["notes"]) is noted
    assert found["unknown"] == []


@pytest.mark.parametrize("named", ["esx-01", "esx-01.lab", "ESX-01.LAB", "host-esx-01.lab"])
def test_a_host_is_found_by_any_of_its_names(named: str) -> None:
    assert firmware_targets(HOSTS, VMS, [named], [])["hosts"] == ["esx-01.lab"]


def test_every_reason_is_told_once() -> None:
    with_devices = [host("esx-01.lab", {"address": "0000:3b:00.0", "name": "A100"}), host("esx-02.lab")]
    found = firmware_targets(HOSTS, VMS, ["esx-01", "esx-01.lab"], ["runs"], with_devices)
    assert found["hosts"] == ["esx-01.lab"]
    assert found["why"]["esx-01.lab"] == [
        "it was named",
        "runs holds devices of it (0000:3b:00.0)",
        "it has 0000:3b:00.0 A100",
    ]


def test_it_is_told_in_lines() -> None:
    assert firmware_targets(HOSTS, VMS, ["esx-02"], ["off"])["lines"] == [
        "esx-02.lab: it was named",
        "esx-03.lab: off is registered on it",
        "off is off and gets its devices when it starts: its last host esx-03.lab is selected",
    ]


def test_a_name_in_full_wins_over_a_first_label() -> None:
    hosts = [host("esx"), host("esx.lab")]
    assert firmware_targets(hosts, [], ["esx"], [])["hosts"] == ["esx"]
    with pytest.raises(InputError, match="matches 2 ESXi hosts") as caught:
        firmware_targets([host("esx.a"), host("esx.b")], [], ["esx"], [])
    assert caught.value.code == "ambiguous_host"
    with pytest.raises(InputError, match="matches 2 VMs"):
        firmware_targets([], [vm("x", "a"), {**vm("x", "b"), "moid": "vm-9"}], [], ["x"])


def test_a_name_counts_as_unknown_only_when_no_vcenter_knows_it() -> None:
    here = firmware_targets(HOSTS, VMS, ["esx-01", "esx-77"], ["fixd", "elsewhere"])
    there = firmware_targets([host("esx-77")], [vm("elsewhere", "esx-77")], ["esx-01", "esx-77"], ["fixd", "elsewhere"])
    assert (here["unknown"], there["unknown"]) == (["esx-77", "fixd", "elsewhere"], ["esx-01", "fixd"])
    assert found_nowhere([here, there]) == ["There is nothing called 'fixd' here. Near names: fixed."]
    assert found_nowhere([here])[0].startswith("There is nothing called 'esx-77'")
    assert found_nowhere([]) == []


def test_short_forms_of_devices_are_spelt_out() -> None:
    assert as_devices(["8086:2700", {"class_id": "0108"}, {"match": "1:2", "count": 1}]) == [
        {"match": "8086:2700"},
        {"match": {"class_id": "0108"}},
        {"match": "1:2", "count": 1},
    ]


# -- controllers in the inventory -----------------------------------------------------------------------------------


def test_controllers_of_both_shapes_of_inventory() -> None:
    account = {"bmc_username": "root", "bmc_password": "secret", "bmc_validate_certs": False, "bmc_proxy": ""}
    found = bmc_entries(
        {
            "esx-02": {"bmc_address": "10.0.0.2", "passthrough_host_name": "esx-02.lab", **account},
            "vc": {"bmc_addresses": {"esx-01.lab": "10.0.0.1", "esx-02.lab": "10.9.9.9"}, "bmc_username": "admin"},
            "vc-again": {"bmc_addresses": {"esx-01.lab": "10.0.0.1"}, "bmc_username": "admin"},
            "web": {},
        }
    )
    assert found == [
        {"host": "esx-01.lab", "address": "10.0.0.1", "username": "admin"},
        {
            "host": "esx-02.lab",
            "address": "10.0.0.2",
            "username": "root",
            "password": "secret",
            "validate_certs": False,
        },
    ]


@pytest.mark.parametrize(
    "hosts",
    [
        {"vc": {"bmc_addresses": ["10.0.0.1"], "bmc_password": "secret"}},
        {"vc": {"bmc_addresses": {"esx-01": {"address": "10.0.0.1", "password": "secret"}}}},
        {
            "a": {"bmc_addresses": {"esx-01": "10.0.0.1"}, "bmc_password": "secret"},
            "b": {"bmc_addresses": {"esx-01": "10.0.0.2"}, "bmc_password": "secret"},
        },
    ],
)
def test_mistakes_are_told_without_the_password(hosts: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="bmc_addresses") as caught:
        bmc_entries(hosts)
    assert caught.value.code == "bad_bmc"
    assert "secret" not in caught.value.sentence()


def test_selected_hosts_in_maintenance_mode_are_named() -> None:
    hosts = [
        {**host("esx-01"), "in_maintenance_mode": True},
        {**host("esx-02"), "in_maintenance_mode": True},
        host("esx-03"),
    ]
    assert firmware_targets(hosts, [], ["esx-01", "esx-03"], [])["in_maintenance_mode"] == ["esx-01"]
