# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of hardware_maintenance: which hosts, which part of the intent, which VMs."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import InputError
from ansible_collections.directpath.vsphere.plugins.plugin_utils.intent.maintenance import (
    enabled_devices,
    fixed_holders,
    maintenance_work,
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


# -- the work ---------------------------------------------------------------------------------------------------------


FLEET = [
    host("esx-01", device("0000:3b:00.0", vms=(("train", True), ("stray", True)))),
    host("esx-02", device("0000:3b:00.0", vms=(("other", True),))),
    host("esx-03", device("0000:3b:00.0")),
]
BOTH = {"hosts": ["esx-01", "esx-02"]}


def marked(name: str, *codes: str) -> dict[str, Any]:
    return {"name": name, "blockers": [{"code": code} for code in codes]}


def work(*marks: dict[str, Any], allow_loss: tuple[str, ...] = (), check: bool = False) -> dict[str, Any]:
    call = {"hosts": list(marks), "journal": {"place": "custom attributes"}} if marks else {"skipped": True}
    return maintenance_work(BOTH, FLEET, call, SHARE, allow_loss, check=check)


def test_the_work_is_on_the_selected_hosts() -> None:
    found = work()
    assert (found["hosts"], found["refusal"]) == (["esx-01", "esx-02"], "")
    assert [target["hosts"] for target in found["share"]["targets"]] == [["esx-01"], ["esx-02"]]
    assert [target["hosts"] for target in found["devices"]] == [["esx-01"], ["esx-02"]]
    assert found["released"] == ["other", "stray", "train"]
    assert found["loss"].startswith("other, stray refer to devices of these hosts by PCI address.")


@pytest.mark.parametrize("code", ["maintenance_by_other", "not_responding"])
def test_only_a_host_that_another_user_put_into_maintenance_mode_is_left_out(code: str) -> None:
    found = work(marked("esx-01", code), marked("esx-02"))
    is_left_out = code == "maintenance_by_other"
    assert found["hosts"] == (["esx-02"] if is_left_out else ["esx-01", "esx-02"])
    assert ("esx-01: in maintenance mode, but not by this role" in found["refusal"]) is is_left_out
    assert ("not in custom attributes" in found["refusal"]) is is_left_out
    assert ("train" in found["released"]) is not is_left_out


def test_nothing_is_lost_that_the_intent_gives_back_or_the_user_allows() -> None:
    assert work(marked("esx-02", "maintenance_by_other"))["loss"].startswith("stray refers to devices")
    assert work(allow_loss=("stray", "vm-other"))["loss"] == ""


@pytest.mark.parametrize("check", [False, True])
def test_in_a_check_run_no_vm_is_powered_on(check: bool) -> None:
    found = work(check=check)
    assert found["share"]["vms"] == SHARE["vms"]
    assert found["share_to_attach"]["vms"] == ([{"name": "train", "power": "off"}] if check else SHARE["vms"])
