# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of VMs, hosts and devices become physical hosts; the intent becomes what concerns some of them."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.plugin_utils.intent.bmc import bmc_entries
from ansible_collections.directpath.vsphere.plugins.plugin_utils.intent.firmware import (
    as_devices,
    enabled_devices,
    firmware_targets,
    fixed_holders,
    found_nowhere,
    share_on_hosts,
)


def device(address: str, *, enabled: bool = True, vms: tuple[tuple[str, bool], ...] = ()) -> dict[str, Any]:
    users = [{"name": name, "moid": f"vm-{name}", "powered_on": True, "fixed": fixed} for name, fixed in vms]
    return {
        "address": address,
        "vendor_id": "10de",
        "device_id": "20f1",
        "name": "A100",
        "enabled": enabled,
        "vms": users,
    }


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
    with_devices = [host("esx-01.lab", device("0000:3b:00.0")), host("esx-02.lab")]
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


SHARE = {
    "leader": "vc",
    "targets": [
        {"cluster": ["gpu"], "devices": ["10de:20f1"]},
        {"hosts": ["esx-01"], "devices": [{"match": "8086:2700"}, "10de:20f1"]},
        {"hosts": ["esx-09"], "devices": ["1:2"]},
    ],
    "host_targets": [],
    "vms": [{"name": "train"}],
    "vm_names": ["train"],
    "only_on_hosts": [],
}


def test_short_forms_of_devices_are_spelt_out() -> None:
    assert as_devices(["8086:2700", {"class_id": "0108"}, {"match": "1:2", "count": 1}]) == [
        {"match": "8086:2700"},
        {"match": {"class_id": "0108"}},
        {"match": "1:2", "count": 1},
    ]


def test_the_intent_of_some_hosts_is_that_of_the_whole_for_them() -> None:
    share = share_on_hosts(SHARE, [host("esx-01.lab"), host("esx-05.lab", cluster="other")])
    assert share["targets"] == [{"hosts": ["esx-01.lab"], "devices": ["10de:20f1", {"match": "8086:2700"}]}]
    assert share["host_targets"] == [{"hosts": ["esx-01.lab"]}]
    assert share["only_on_hosts"] == ["esx-01.lab", "esx-05.lab"]
    assert (share["vms"], share["leader"]) == (SHARE["vms"], "vc")


def test_what_is_passed_through_is_named_with_its_identity() -> None:
    """An address alone would hit another card once they were moved."""
    hosts = [host("esx-01.lab", device("0000:3b:00.0"), device("0000:5e:00.0", enabled=False)), host("esx-02.lab")]
    match = {"address": "0000:3b:00.0", "vendor_id": "10de", "device_id": "20f1"}
    assert enabled_devices(hosts) == [{"hosts": ["esx-01.lab"], "devices": [{"match": match}]}]


def test_fixed_devices_are_taken_from_vms_that_get_them_back() -> None:
    hosts = [
        host(
            "esx-01.lab",
            device("0000:3b:00.0", vms=(("train", True),)),
            device("0000:5e:00.0", vms=(("train", True), ("stray", True))),
            device("0000:86:00.0", vms=(("moves", False),)),
            device("0000:af:00.0", enabled=False, vms=(("odd", True),)),
        )
    ]
    found = fixed_holders(hosts, SHARE, [])
    assert [(entry["moid"], len(entry["devices"]), entry["power"]) for entry in found["vms"]] == [
        ("vm-stray", 1, "off"),
        ("vm-train", 2, "off"),
    ]
    assert found["lost"] == ["stray"]
    assert found["released"] == ["moves", "odd", "stray", "train"]
    assert fixed_holders(hosts, SHARE, ["stray"])["lost"] == []


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


TWINS = [
    {**host("esx-p1", cluster="/Paris/host/gpu"), "path": "Paris/host/gpu/esx-p1"},
    {**host("esx-l1", cluster="/Lyon/host/gpu"), "path": "Lyon/host/gpu/esx-l1"},
]


def test_an_intent_by_path_is_shared_out_by_path_and_one_that_means_two_clusters_is_refused() -> None:
    share = {
        **SHARE,
        "targets": [
            {"cluster": ["Paris/gpu"], "devices": ["1:2"]},
            {"hosts": ["/Lyon/host/gpu/esx-l1"], "devices": ["3:4"]},
        ],
    }
    for number, expected in enumerate((["1:2"], ["3:4"])):
        found = share_on_hosts(share, [TWINS[number]], TWINS)
        assert [target["devices"] for target in found["targets"]] == [expected]
    with pytest.raises(InputError) as caught:
        share_on_hosts(SHARE, [TWINS[0]], TWINS)
    assert caught.value.code == "ambiguous_cluster"


def test_what_is_given_back_is_told_by_names_and_ids_apart() -> None:
    held = host("esx-01.lab", device("0000:3b:00.0", vms=(("a/b", True), ("vm-a", True))))
    share = {**SHARE, "vms": [{"name": "a%2fb"}]}
    assert fixed_holders([held], share, [])["lost"] == ["vm-a"]
    assert fixed_holders([held], {**SHARE, "vms": [{"moid": "vm-a/b"}, {"name": "vm-vm-a"}]}, [])["lost"] == ["vm-a"]
    assert fixed_holders([held], share, ["vm-vm-a"])["lost"] == []
