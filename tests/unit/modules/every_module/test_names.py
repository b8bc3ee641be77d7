# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names mean one thing, for every module: refused with all they could mean, found by path, shown as the vSphere Client shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.unit.modules.harness import Lab

T4, A100 = {"match": "10de:1eb8"}, {"match": "10de:20f1"}
READY = {"enabled": True, "active": True}
WAITING = {"0000:3b:00.0": {"enabled": True, "active": False}}


def vcenter(*datacenters: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "vcenter", "version": "8.0.3", "name": "vc.lab", "datacenters": list(datacenters)}


def city(name: str, *, folder: str = "", vm: str = "db", cards: Sequence[Any] = ("t4",), **more: Any) -> dict[str, Any]:
    """A datacenter with one cluster of two hosts, whose one card waits for a reboot unless it says otherwise, and a VM that runs."""
    short = f"{folder[:1]}{name[0]}".lower()
    states = WAITING if cards == ("t4",) else {}
    hosts = {"name": f"esx-{short}{{}}.lab", "count": 2, "cards": list(cards), "version": "6.7.0", "states": states}
    guest = {"name": vm, "host": f"esx-{short}1.lab", "power": "on", "version": 14, "memory_gb": 8, **more}
    made = {"name": "Cluster1", "drs": "fullyAutomated", "hosts": [hosts], "vms": [guest]}
    return {"name": name, "folder": folder, "clusters": [made]}


def cities() -> Lab:
    """The same names in two datacenters; the second one has a namesake below a folder."""
    return Lab.load(vcenter(city("Paris"), city("Lyon"), city("Lyon", folder="Asia")))


CLUSTERS = ["/Asia/Lyon/host/Cluster1", "/Lyon/host/Cluster1", "/Paris/host/Cluster1"]
OF_CLUSTERS: dict[str, dict[str, Any]] = {
    "host_passthrough": {"devices": [T4]},
    "host_rolling_reboot": {"reboot_if": "always"},
    "host_pci_device_info": {},
    "vm_pci_device_info": {"include": "all"},
}


@pytest.mark.parametrize("module", OF_CLUSTERS)
def test_a_cluster_name_in_several_datacenters_means_none_of_them(module: str) -> None:
    lab = cities()
    refused = lab.run(module, check=True, fails=True, cluster=["Cluster1"], **OF_CLUSTERS[module])
    assert refused["error_code"] == "ambiguous_cluster"
    assert [text.split(" (")[0] for text in refused["candidates"]] == CLUSTERS
    assert lab.writes() == []


@pytest.mark.parametrize(
    "written", ["/Paris/host/Cluster1", "Paris/host/Cluster1", "Paris/Cluster1", "/Paris/Cluster1"]
)
@pytest.mark.parametrize("module", ["host_passthrough", "host_rolling_reboot"])
def test_a_path_means_one_cluster_and_the_plan_prints_it(module: str, written: str) -> None:
    found = cities().run(module, check=True, cluster=[written], **OF_CLUSTERS[module])
    assert {(host["name"], host["cluster"]) for host in found["hosts"]} == {
        (f"esx-p{n}.lab", "/Paris/host/Cluster1") for n in (1, 2)
    }
    if "schedule" in found:
        assert {host["cluster"] for host in found["schedule"]["hosts"]} == {"/Paris/host/Cluster1"}


def test_a_path_whose_beginning_is_left_out_may_be_two() -> None:
    refused = cities().run("host_passthrough", fails=True, cluster=["Lyon/Cluster1"], devices=[T4])
    assert [text.split(" (")[0] for text in refused["candidates"]] == CLUSTERS[:2]
    one = cities().run("host_passthrough", check=True, cluster=["/Lyon/Cluster1"], devices=[T4])
    assert {host["name"] for host in one["hosts"]} == {"esx-l1.lab", "esx-l2.lab"}


def test_a_drift_intent_with_such_a_name_is_refused_and_one_by_path_is_compared() -> None:
    wanted: dict[str, Any] = {"devices": [T4]}
    refused = cities().run("drift_info", fails=True, targets=[{"cluster": ["Cluster1"], **wanted}])
    assert refused["error_code"] == "ambiguous_cluster"
    found = cities().run("drift_info", targets=[{"cluster": ["Paris/Cluster1"], **wanted}])
    assert {record["cluster"] for record in found["report"]["differences"]} == {"/Paris/host/Cluster1"}
    ignored = [{"name": "a bare name means neither", "clusters": ["Cluster1"]}]
    assert (
        cities().run("drift_info", targets=[{"cluster": ["Paris/Cluster1"], **wanted}], ignore=ignored)["status"]
        == "drift"
    )


def test_budgets_of_clusters_are_by_the_same_names() -> None:
    refused = cities().run(
        "host_rolling_reboot",
        check=True,
        fails=True,
        cluster=["Paris/Cluster1"],
        cluster_max_unavailable={"Cluster1": 2},
    )
    assert (refused["error_code"], refused["parameter"]) == ("ambiguous_cluster", "cluster_max_unavailable")
    found = cities().run(
        "host_rolling_reboot", check=True, cluster=["Paris/Cluster1"], canary=False,
        cluster_max_unavailable={"Paris/Cluster1": 2},
    )  # fmt: skip
    assert found["schedule"]["waves"] == 1
    assert found.get("warnings", []) == []


@pytest.mark.parametrize("module", ["vm_pci_device", "vm_memory_reservation"])
def test_a_vm_name_in_several_places_means_none_and_a_path_means_one(module: str) -> None:
    options: dict[str, Any] = {"devices": [T4], "power": "cycle"} if module == "vm_pci_device" else {}
    for named in ({"vm": ["db"]}, {"vms": [{"name": "db", **({"devices": [T4]} if options else {})}]}):
        refused = cities().run(module, check=True, fails=True, **{**options, **named} if "vm" in named else named)
        assert refused["error_code"] == "ambiguous_vm"
        assert [text.split(" (")[0] for text in refused["candidates"]] == [
            "/Asia/Lyon/vm/db", "/Lyon/vm/db", "/Paris/vm/db",
        ]  # fmt: skip
    found = cities()._main(
        module, {**cities().credentials(), "vm": ["Paris/db"], **options, "_ansible_check_mode": True}
    )
    assert found["vms"][0]["name"] == "/Paris/vm/db" if "vms" in found else found["msg"]


@pytest.mark.parametrize(
    ("module", "option"),
    [
        ("host_maintenance", {"never_stop": ["db"]}),
        ("host_rolling_reboot", {"never_stop": ["db"]}),
        ("host_rolling_reboot", {"vm_order": {"db": 3}}),
        ("host_rolling_reboot", {"assume_detached": ["db"]}),
    ],
)
def test_lists_that_protect_are_read_by_the_same_rules(module: str, option: dict[str, Any]) -> None:
    lab = cities()
    refused = lab.run(module, check=True, fails=True, hosts=["esx-p1.lab"], **option)
    assert (refused["error_code"], refused["parameter"]) == ("ambiguous_vm", next(iter(option)))
    assert lab.writes() == []


def pinned() -> Lab:
    """Two datacenters with the same names; each VM holds a card of its host and runs."""
    held = {"devices": [{"fixed": "0000:3b:00.0"}]}
    return Lab.load(
        vcenter(
            city("Paris", cards=[{"card": "t4", **READY}], **held),
            city("Lyon", cards=[{"card": "t4", **READY}], **held),
        )
    )


def test_a_vm_is_protected_by_its_path_and_a_name_that_none_has_is_refused() -> None:
    options: dict[str, Any] = {"hosts": ["esx-p1"], "pinned_vms": "shutdown"}
    kept = pinned().run("host_maintenance", check=True, fails=True, never_stop=["/Paris/vm/db"], **options)
    assert kept["error_code"] == "never_stop"
    other = pinned().run("host_maintenance", check=True, never_stop=["/Lyon/vm/db"], **options)
    assert [change["kind"] for change in other["changes"]] == ["shutdown", "enter_maintenance"]
    for module in ("host_maintenance", "host_rolling_reboot"):
        slip = pinned().run(module, check=True, fails=True, never_stop=["/Lyon/vm/db", "dbb"], **options)
        assert (slip["error_code"], slip["parameter"], slip["candidates"]) == ("unknown_vm", "never_stop", ["db"])
        assert "list it in never_stop_missing. Else correct the name, or check that" in slip["msg"]
        gone = {"never_stop": ["/Paris/vm/db", "dbb"], "never_stop_missing": ["dbb"]}
        kept = pinned().run(module, check=True, fails=True, **gone, **options, **REBOOT.get(module, {}))
        assert kept["error_code"] == "never_stop", "the others are protected all the same"
        assert "dbb" not in str(warnings_of(kept)), "who lists a VM as gone needs no warning"


REBOOT: dict[str, dict[str, Any]] = {"host_rolling_reboot": {"reboot_if": "always"}}


def test_the_vms_that_names_mean_and_the_names_that_none_has() -> None:
    asked = {"vms": ["/Paris/vm/db", "dbb"]}
    assert pinned().run("vm_pci_device_info", fails=True, **asked)["error_code"] == "unknown_vm"
    found = pinned().run("vm_pci_device_info", on_missing="skip", **asked)
    assert list(found["found"]) == ["/Paris/vm/db"]
    assert found["found"]["/Paris/vm/db"] == found["vms"][0]["moid"]
    assert found["missing"] == {"dbb": ["/Lyon/vm/db", "/Paris/vm/db"]}
    assert pinned().run("vm_pci_device_info", fails=True, on_missing="skip", vms=["db"])["error_code"] == "ambiguous_vm"


def test_a_roll_protects_by_path_too() -> None:
    options: dict[str, Any] = {"hosts": ["esx-p1"], "pinned_vms": "shutdown", "reboot_if": "always"}
    kept = pinned().run("host_rolling_reboot", check=True, fails=True, never_stop=["Paris/db"], **options)
    assert kept["error_code"] == "never_stop"
    other = pinned().run(
        "host_rolling_reboot", check=True, never_stop=["Lyon/db"], vm_order={"/Paris/vm/db": 3}, **options
    )
    assert [stop["name"] for stop in other["schedule"]["hosts"][0]["stops"]] == ["db"]
    assert warnings_of(other) == ["never_stop contains Lyon/db, but nothing in these clusters has this name"]


@pytest.mark.parametrize(
    ("module", "options"),
    [
        ("host_passthrough", {"hosts": ["esx-p1"], "devices": [T4], "state": "disabled"}),
        ("vm_pci_device", {"vm": ["/Paris/vm/db"], "devices": [T4]}),
        ("drift_info", {"targets": [{"hosts": ["esx-p1"], "devices": [T4]}]}),
    ],
)
def test_vms_that_are_trusted_unread_are_named_by_the_same_rules(module: str, options: dict[str, Any]) -> None:
    refused = pinned().run(module, check=True, fails=True, ignore_unreadable_vms=["db"], **options)
    assert (refused["error_code"], refused["parameter"]) == ("ambiguous_vm", "ignore_unreadable_vms")


def test_a_check_run_assumes_devices_away_from_the_vm_that_is_meant() -> None:
    options: dict[str, Any] = {"hosts": ["esx-p1"], "devices": [T4], "state": "disabled"}
    for named in ("db", "/Paris/vm/db", "vm-1"):
        assert pinned().run("host_passthrough", check=True, assume_detached=[named], **options)["changed"]
    kept = pinned().run("host_passthrough", check=True, fails=True, assume_detached=["/Lyon/vm/db"], **options)
    assert kept["error_code"] == "in_use"


def warnings_of(result: dict[str, Any]) -> list[str]:
    """Releases tell them as texts or as records."""
    found = result.get("warnings") or ()
    return [text if isinstance(text, str) else str(text["event"]["msg"]) for text in found]


# -- names as they are sent --------------------------------------------------------------------------------------------

# As a vCenter sends them: / is %2f, \\ is %5c, % is %25 (vSphere API, ManagedEntity.name).
ESCAPED = vcenter(
    {
        "name": "vSphere Environment - A%2fB",
        "clusters": [
            {
                "name": "GPU%2fA100 prod",
                "drs": "fullyAutomated",
                "hosts": [{"name": "esx-01.lab", "cards": [{"card": "t4", "count": 2, **READY}, "nvme"]}],
                "vms": [
                    {"name": "base_win-feature%2fdebug-02", "host": "esx-01.lab"},
                    {"name": "100%25 gpu", "host": "esx-01.lab", "power": "on"},
                    {"name": "x%2Fy", "host": "esx-01.lab", "power": "on"},
                    {"name": "x%252fy", "host": "esx-01.lab", "power": "on"},
                    {"name": "c%3a%5ctemp", "host": "esx-01.lab"},
                    {
                        "name": "plain",
                        "folder": "Team A%2fB",
                        "host": "esx-01.lab",
                        "devices": [{"fixed": "0000:5e:00.0"}],
                    },
                ],
            }
        ],
    }
)


def test_clusters_are_found_and_shown_as_the_client_shows_them() -> None:
    lab = Lab.load(ESCAPED)
    for written in ("GPU/A100 prod", "GPU%2FA100 prod", "/vSphere Environment - A/B/host/GPU/A100 prod"):
        (host,) = lab.run("host_pci_device_info", cluster=[written])["hosts"]
        assert host["cluster"] == "GPU/A100 prod"
        assert host["path"] == "vSphere Environment - A/B/host/GPU/A100 prod/esx-01.lab"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("base_win-feature/debug-02", "base_win-feature/debug-02"),
        ("base_win-feature%2fdebug-02", "base_win-feature/debug-02"),
        ("100% gpu", "100% gpu"),
        ("100%25 gpu", "100% gpu"),
        ("x/y", "x/y"),
        ("x%252fy", "x%2fy"),
        ("c%3a\\temp", "c%3a\\temp"),
        ("vSphere Environment - A/B/vm/Team A/B/plain", "plain"),
        ("/vSphere Environment - A%2fB/vm/Team A%2FB/plain", "plain"),
    ],
)
def test_vms_are_found_in_both_forms_and_shown_in_the_readable_one(written: str, shown: str) -> None:
    (vm,) = Lab.load(ESCAPED).run("vm_pci_device_info", vms=[written])["vms"]
    assert vm["name"] == shown
    assert "%2f" not in vm["path"].replace("x%2fy", "")


def test_one_form_of_two_vms_is_refused_with_both() -> None:
    refused = Lab.load(ESCAPED).run("vm_pci_device", fails=True, vm=["x%2fy"], devices=[T4])
    assert refused["error_code"] == "ambiguous_vm"
    assert [text.split("/vm/")[1].split(" (")[0] for text in refused["candidates"]] == ["x%2fy", "x/y"]


def test_a_rolling_reboot_shows_and_finds_them_so() -> None:
    found = Lab.load(ESCAPED).run(
        "host_rolling_reboot", check=True, cluster=["GPU/A100 prod"], reboot_if="always", never_stop=["100% gpu", "x/y"],
        fails=True,
    )  # fmt: skip
    assert warnings_of(found) == []
    for name in ("100% gpu", "x%2fy", "x/y"):
        assert f" {name} (" in found["msg"]


# -- patterns ----------------------------------------------------------------------------------------------------------

BRACKETS = vcenter(
    {
        "name": "DC1",
        "clusters": [
            {
                "name": "c1",
                "hosts": [
                    {
                        "name": "esx-01.lab",
                        "cards": [
                            {"card": "x710", "name": "MT27710 Family [ConnectX-4 Lx]"},
                            {"card": "nvme", "name": "NVMe SSD Controller SM981/PM981/PM983"},
                            {"card": "nvme", "name": "(null)"},
                            {"card": "p4510", "name": ""},
                            {"card": "t4", "name": "TU104GL [Tesla T4]"},
                            {"card": "a100", "name": "evil\x1b]0;owned\x07\u202e"},
                        ],
                    }
                ],
            }
        ],
    }
)


@pytest.mark.parametrize(
    ("name", "devices"),
    [
        ("TU104GL [Tesla T4]", ["TU104GL [Tesla T4]"]),
        ("*[Tesla T4]*", ["TU104GL [Tesla T4]"]),
        (" TU104GL [Tesla T4] ", ["TU104GL [Tesla T4]"]),
        ("MT27710*[ConnectX-4 Lx]", ["MT27710 Family [ConnectX-4 Lx]"] * 2),
        ("(null)", ["(null)"]),
        ("evil*", ["evil\\x1b]0;owned\\x07\\u202e"]),
    ],
)
def test_brackets_in_a_name_are_brackets(name: str, devices: list[str]) -> None:
    wanted = [{"match": {"name": name}}]
    found = Lab.load(BRACKETS).run("host_passthrough", check=True, hosts=["esx-01.lab"], devices=wanted)
    assert [device["name"] for device in found["hosts"][0]["devices"]] == devices


def test_a_pattern_with_a_count_takes_no_other_device() -> None:
    wanted = [{"match": {"name": "*[Tesla T4]*"}, "count": 1}]
    found = Lab.load(BRACKETS).run("host_passthrough", hosts=["esx-01.lab"], devices=wanted)
    assert [change["after"]["device"] for change in found["changes"]] == ["10de:1eb8 TU104GL [Tesla T4]"]


def test_a_device_without_a_name_is_not_chosen_by_one() -> None:
    lab = Lab.load(BRACKETS)
    refused = lab.run("host_passthrough", fails=True, hosts=["esx-01.lab"], devices=[{"match": {"name": ""}}])
    assert refused["error_code"] == "bad_selector"
    assert lab.calls() == 0
    shown = lab.run("host_pci_device_info", hosts=["esx-01.lab"], devices=[{"match": {"class_id": "0108"}}])
    assert {"(null)", ""} < {device["name"] for device in shown["hosts"][0]["devices"]}


def test_rules_of_drift_have_the_same_patterns() -> None:
    rule = {"name": "a group", "hosts": ["esx-[0-9]*"]}
    found = Lab.load(BRACKETS).run("drift_info", targets=[{"hosts": ["esx-01"], "devices": [T4]}], ignore=[rule])
    assert found["status"] == "drift"
    rule = {"name": "a group", "hosts": ["ESX-0?"]}
    assert (
        Lab.load(BRACKETS).run("drift_info", targets=[{"hosts": ["esx-01"], "devices": [T4]}], ignore=[rule])["status"]
        == "in_sync"
    )


# -- names and ids -----------------------------------------------------------------------------------------------------

# Ids are given in order: the first VM is vm-1, the second is vm-2, the first host is host-1.
LIKE_IDS = vcenter(
    {
        "name": "DC1",
        "clusters": [
            {
                "name": "domain-c-2",
                "hosts": [{"name": "esx-01.lab", "cards": [{"card": "a100", **READY}]}],
                "vms": [{"name": "vm-2", "host": "esx-01.lab"}, {"name": "production-db", "host": "esx-01.lab"}],
            },
            {"name": "c2", "hosts": [{"name": "host-1", "cards": [{"card": "a100", **READY}]}]},
        ],
    }
)


VMS_LIKE_IDS = ["/DC1/vm/production-db", "/DC1/vm/vm-2"]
HOSTS_LIKE_IDS = ["/DC1/host/c2/host-1", "/DC1/host/domain-c-2/esx-01.lab"]


def test_a_name_is_a_name_and_an_id_is_an_id() -> None:
    def changed(**vm: str) -> set[str]:
        found = Lab.load(LIKE_IDS).run("vm_pci_device", check=True, vms=[{**vm, "devices": [A100], "mmio": {}}])
        return {change["target"] for change in found["changes"]}

    assert changed(name="vm-2") == {"vm-2"}
    assert changed(moid="vm-2") == {"production-db"}
    assert changed(moid="vm-1") == {"vm-2"}
    unknown = Lab.load(LIKE_IDS).run("vm_pci_device", fails=True, vms=[{"moid": "production-db", "devices": [A100]}])
    assert unknown["error_code"] == "unknown_vm"


@pytest.mark.parametrize(
    ("module", "options", "code", "candidates"),
    [
        ("vm_pci_device", {"vm": ["vm-2"], "devices": [A100]}, "ambiguous_vm", VMS_LIKE_IDS),
        ("vm_pci_device_info", {"vms": ["vm-2"]}, "ambiguous_vm", VMS_LIKE_IDS),
        ("host_maintenance", {"hosts": ["esx-01"], "never_stop": ["vm-2"]}, "ambiguous_vm", VMS_LIKE_IDS),
        ("host_passthrough", {"hosts": ["host-1"], "devices": [A100]}, "ambiguous_host", HOSTS_LIKE_IDS),
        ("host_rolling_reboot", {"cluster": ["domain-c-2"]}, "ambiguous_cluster", ["/DC1/host/c2", "/DC1/host/domain-c-2"]),
    ],
)  # fmt: skip
def test_a_string_that_is_a_name_and_an_id_is_refused_with_both(
    module: str, options: dict[str, Any], code: str, candidates: list[str]
) -> None:
    refused = Lab.load(LIKE_IDS).run(module, check=True, fails=True, **options)
    assert refused["error_code"] == code
    assert [text.split(" (")[0] for text in refused["candidates"]] == candidates


def test_both_a_name_and_an_id_are_one_too_many() -> None:
    lab = Lab.load(LIKE_IDS)
    refused = lab.run("vm_pci_device", fails=True, vms=[{"name": "vm-2", "moid": "vm-2", "devices": [A100]}])
    assert (refused["error_code"], lab.calls()) == ("no_vms", 0)


# -- what reaches a terminal -------------------------------------------------------------------------------------------


def test_control_and_direction_characters_are_shown_and_not_sent_to_the_terminal() -> None:
    evil = "evil\x1b[2J\u202e\x9bm\nok: [esx-01.lab]"
    lab = Lab.load(vcenter(city("Paris", vm=evil)))
    found = lab.run("vm_pci_device_info", include="all")
    (vm,) = found["vms"]
    assert vm["name"] == "evil\\x1b[2J\\u202e\\x9bm\\x0aok: [esx-01.lab]"
    for written in (evil, vm["name"], vm["path"]):
        refused = lab.run("vm_pci_device", check=True, fails=True, vm=[written], devices=[T4])
        assert vm["name"] in refused["msg"]
        assert not set("\x1b\u202e\x9b\n") & set(refused["msg"])
