# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""drift_info against a simulated vCenter: what somebody did behind our back is named, nothing is written, and it costs a dozen calls."""

from __future__ import annotations

import json
import random
import shlex
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import ENTRY
from ansible_collections.directpath.vsphere.plugins.module_utils._shell import drift_info as drift_shell
from ansible_collections.directpath.vsphere.plugins.module_utils._shell import drift_planning, drift_reading
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.attributes.file_journal import (
    FileJournal,
    journal_path,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.attributes.journal import Subject
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.session.endpoint import Endpoint
from simulator.objects.vm import move as vm_move
from tests.unit.modules.harness import Lab
from tests.unit.pains.labs import BLIND, blind

PAGING = "ContinueRetrievePropertiesEx"
A100, T4 = "10de:20f1", "10de:1eb8"
LAB: dict[str, Any] = {
    "kind": "vcenter",
    "version": "8.0.3",
    "name": "vc-01.lab",
    "hardware": {
        "modern": {"memory_gb": 512, "cards": ["a100", "a100", "p5800x", "nvme", "x710"]},
        "legacy": {"memory_gb": 256, "cards": ["t4", "nvme", "x710"], "rebind": False},
    },
    "users": [
        {"name": "administrator@vsphere.local", "password": "VMware1!", "role": "Admin"},
        {"name": "reader@vsphere.local", "password": "VMware1!", "role": "ReadOnly"},
        {"name": "partly@vsphere.local", "password": "VMware1!", "role": "View"},
    ],
    "datacenters": [
        {
            "name": "DC1",
            "clusters": [
                {
                    "name": "gpu-a",
                    "drs": "fullyAutomated",
                    "hosts": [{"name": "esx-a{}.lab", "count": 3, "hardware": "modern"}],
                    "vms": [
                        {"name": "train-01", "host": "esx-a1", "memory_gb": 64},
                        {"name": "train-02", "host": "esx-a2", "memory_gb": 64},
                        {"name": "web-01", "host": "esx-a3", "power": "on"},
                    ],
                },
                {
                    "name": "gpu-b",
                    "hosts": [{"name": "esx-b{}.lab", "count": 2, "hardware": "legacy"}],
                    "vms": [{"name": "infer-01", "host": "esx-b1", "memory_gb": 16}],
                },
            ],
        }
    ],
}
TARGETS = [
    {"cluster": ["gpu-a"], "devices": [{"match": A100, "label": "a100"}]},
    {"cluster": ["gpu-b"], "devices": [{"match": T4}]},
]
VMS: list[dict[str, Any]] = [
    {"name": "train-01", "devices": [{"match": A100, "count": 2}], "mmio": {}, "power": "on"},
    {"name": "train-02", "devices": [{"match": A100}], "mmio": {}},
    {"name": "infer-01", "devices": [{"match": T4}], "backing": "fixed", "power": "on"},
]
INTENT: dict[str, Any] = {"targets": TARGETS, "vms": VMS}


def converged() -> Lab:
    lab = Lab.load(LAB)
    lab.run("host_passthrough", targets=TARGETS)
    for host in ("esx-b1.lab", "esx-b2.lab"):
        lab.sim.events["set_device_state"](host=host, address=card(lab, host, T4), enabled=True, active=True)
    lab.run("vm_pci_device", vms=VMS)
    lab.sim.journal.clear()
    return lab


def card(lab: Lab, host: str, ids: str, number: int = 0) -> str:
    """The address of a card, from the simulator's own state."""
    (found,) = [h for h in lab.sim.describe(lab.sim)["hosts"] if h["name"] == host]
    return [str(d["address"]) for d in found["devices"] if d["id"] == ids][number]


def free(lab: Lab, ids: str = A100) -> tuple[str, str]:
    """Host and address of a card of cluster gpu-a that no running VM holds."""
    for host in lab.sim.describe(lab.sim)["hosts"]:
        for device in host["devices"]:
            if host["name"].startswith("esx-a") and device["id"] == ids and device["vm"] is None:
                return host["name"], device["address"]
    raise AssertionError("every card is held")


def look(lab: Lab, **options: Any) -> dict[str, Any]:
    """The report of drift_info; looking must never write."""
    lab.sim.journal.clear()
    result = lab.run("drift_info", **{**INTENT, **options})
    assert lab.writes() == []
    assert result["changed"] is False
    report: dict[str, Any] = result["report"]
    return report


def told(report: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(d["object"], d["subject"], d["kind"]) for d in report["differences"]]


def test_what_was_just_made_as_wanted_is_in_sync() -> None:
    report = look(converged())
    assert report["status"] == "in_sync"
    assert told(report) == []
    assert [host["name"] for host in report["hosts"]] == [
        *(f"esx-a{n}.lab" for n in (1, 2, 3)),
        "esx-b1.lab",
        "esx-b2.lab",
    ]
    assert {device["state"] for host in report["hosts"] for device in host["devices"]} == {"ok"}
    assert [vm["name"] for vm in report["vms"]] == ["infer-01", "train-01", "train-02"]


def test_nothing_done_yet_is_drift_on_every_host_and_vm() -> None:
    lab = Lab.load(LAB)
    report = look(lab)
    assert report["status"] == "drift"
    assert {host["status"] for host in report["hosts"]} == {"drift"}
    assert {vm["status"] for vm in report["vms"]} == {"drift"}
    assert Counter(d["kind"] for d in report["differences"])["disabled"] == 8


def test_a_card_that_somebody_disabled() -> None:
    lab = converged()
    host, address = free(lab)
    lab.sim.events["set_device_state"](host=host, address=address, enabled=False, active=False)
    assert told(look(lab)) == [(host, address, "disabled")]


def test_a_card_that_somebody_enabled_is_told_and_who_holds_it() -> None:
    lab = converged()
    lab.run("host_passthrough", hosts=["esx-a3"], devices=[{"match": "8086:2700"}])
    address = card(lab, "esx-a3.lab", "8086:2700")
    (difference,) = look(lab)["differences"]
    assert (difference["object"], difference["subject"], difference["kind"]) == ("esx-a3.lab", address, "extra")
    assert difference["planned"] is False
    lab.sim.events["power_vm"](vm="web-01", on=False)
    lab.run("vm_pci_device", vm=["web-01"], devices=[{"match": "8086:2700"}], backing="fixed")
    (difference,) = look(lab)["differences"]
    assert "it is attached to web-01" in difference["cause"]


def test_the_command_of_a_difference_settles_it() -> None:
    """As far as it is a module call: an extra device is disabled by what the report says, and drift is gone."""
    lab = converged()
    lab.run("host_passthrough", hosts=["esx-a3"], devices=[{"match": "8086:2700"}])
    (difference,) = look(lab)["differences"]
    words = shlex.split(difference["command"])
    assert words[:4] == ["ansible", "localhost", "-m", "directpath.vsphere.host_passthrough"]
    lab.run("host_passthrough", **json.loads(words[5]))
    assert told(look(lab)) == []


def commands_for(lab: Lab, vm: str, **options: Any) -> set[str]:
    """The playbooks or modules of the commands for the differences of a VM that are to be settled, with what follows."""
    report = look(lab, command_arguments="-i x", **options)
    return {
        d["command"].partition("directpath.vsphere.")[2]
        for d in report["differences"]
        if d["object"] == vm and d["planned"]
    }


def test_the_command_for_a_running_vm_allows_to_shut_it_down() -> None:
    lab = converged()
    lab.run("vm_pci_device", vm=["train-02"], devices=[{"match": A100}], state="absent")
    lab.sim.events["power_vm"](vm="train-02", on=True)
    lab.sim.clock.advance(60)  # until VMware Tools run
    wants_more = [VMS[0], VMS[1], VMS[2]]
    assert commands_for(lab, "train-02", vms=wants_more) == {"attach -i x -e attach_devices_allow_shutdown=true"}
    lab.run("vm_pci_device", fails=True, vms=wants_more)
    lab.run("vm_pci_device", vms=wants_more, allow_shutdown=True)
    assert look(lab, vms=wants_more)["status"] == "in_sync"


def test_the_playbook_site_is_shown_only_for_what_it_does_not_refuse() -> None:
    """The hosts have no T4. Before the cards are enabled, site attaches an A100."""
    lab = Lab.load(LAB)
    entry = {"name": "train-02", "devices": [{"match": A100}], "backing": "dynamic", "mmio": {}}
    assert commands_for(lab, "train-02", vms=[entry]) == {"site -i x"}
    without = [{**entry, "devices": [{"match": T4}]}]
    (command,) = commands_for(lab, "train-02", vms=without)
    assert command.startswith("vm_pci_device_info ")
    too_many = [{**entry, "devices": [{"match": A100, "count": 3}]}]
    (command,) = commands_for(lab, "train-02", vms=too_many)
    assert command.startswith("vm_pci_device_info ")


def test_an_extra_device_that_a_vm_holds_is_detached_first() -> None:
    lab = converged()
    lab.sim.clock.advance(60)  # until VMware Tools run
    host, address = "esx-b1.lab", card(lab, "esx-b1.lab", T4)
    nothing = {"targets": [{"hosts": [host], "devices": []}], "vms": []}
    found = [
        d for d in look(lab, scope="fleet", **nothing)["differences"] if (d["object"], d["subject"]) == (host, address)
    ]
    (command,) = [d["command"] for d in found]
    for part in command.split(" && "):
        words = shlex.split(part)
        lab.run(words[3].removeprefix("directpath.vsphere."), **json.loads(words[5]))
    (device,) = [
        d
        for h in lab.sim.describe(lab.sim)["hosts"]
        if h["name"] == host
        for d in h["devices"]
        if d["address"] == address
    ]
    assert device["enabled"] is False


def test_a_device_attached_that_the_intent_does_not_name_and_the_command_for_it() -> None:
    lab = converged()
    lab.run("host_passthrough", hosts=["esx-a2"], devices=[{"match": "8086:2700"}])
    lab.run("vm_pci_device", vm=["train-02"], devices=[{"match": "8086:2700"}], backing="fixed")
    ignore = [{"name": "only the VM matters here", "hosts": ["*"]}]
    report = look(lab, ignore=ignore)
    address = card(lab, "esx-a2.lab", "8086:2700")
    (difference,) = [d for d in report["differences"] if not d["ignored"]]
    assert (difference["object"], difference["subject"], difference["kind"]) == ("train-02", address, "extra")
    lab.run("vm_pci_device", **json.loads(shlex.split(difference["command"])[5]))
    assert [d["kind"] for d in look(lab, ignore=ignore)["differences"] if not d["ignored"]] == []


def test_a_label_that_somebody_changed() -> None:
    lab = converged()
    host, address = free(lab)
    lab.sim.events["set_device_state"](host=host, address=address, label="other")
    assert told(look(lab)) == [(host, address, "label_differs")]


def test_a_device_that_waits_for_a_reboot() -> None:
    lab = converged()
    address = card(lab, "esx-b2.lab", T4)
    lab.sim.events["set_device_state"](host="esx-b2.lab", address=address, active=False)
    (difference,) = look(lab)["differences"]
    assert (difference["subject"], difference["kind"]) == (address, "pending_reboot")
    assert "directpath.vsphere.reboot" in difference["command"]


def test_a_card_that_is_gone_and_another_one_at_its_address() -> None:
    lab = converged()
    there = {"address": card(lab, "esx-b2.lab", T4), "vendor_id": "10de", "device_id": "20f1"}
    wanted = [{"hosts": ["esx-b2"], "devices": [{"match": there}]}]
    assert told(look(lab, targets=wanted, vms=[]))[0][2] == "identity_changed"
    wanted = [{"hosts": ["esx-b2"], "devices": [{"match": "1234:5678"}]}]
    assert ("esx-b2.lab", "", "missing") in told(look(lab, targets=wanted, vms=[]))
    assert told(look(lab, targets=wanted, vms=[], on_missing="skip")) == [("esx-b2.lab", there["address"], "extra")]


def test_a_card_the_host_does_not_offer_any_more() -> None:
    lab = converged()
    host, address = free(lab)
    lab.sim.events["set_device_state"](host=host, address=address, capable=False, active=False)
    assert (host, address, "not_capable") in told(look(lab))


def test_the_iommu_was_switched_off() -> None:
    lab = converged()
    found = next(h for h in lab.sim.describe(lab.sim)["hosts"] if h["name"] == "esx-b2.lab")
    for device in found["devices"]:
        lab.sim.events["set_device_state"](
            host="esx-b2.lab", address=device["address"], capable=False, enabled=False, active=False
        )
    assert told(look(lab)) == [("esx-b2.lab", card(lab, "esx-b2.lab", T4), "iommu_off")]


def test_a_device_the_host_lives_on() -> None:
    lab = converged()
    wanted = [{"hosts": ["esx-a1"], "devices": [{"match": "14e4:165f"}]}]
    kinds = {kind for name, _subject, kind in told(look(lab, targets=wanted, vms=[])) if name == "esx-a1.lab"}
    assert "protected_conflict" in kinds


def test_the_next_boot_would_take_the_management_uplink() -> None:
    """Somebody enabled it by hand: nobody asked for it, and a reboot must not come before it is disabled."""
    lab = converged()
    address = card(lab, "esx-b2.lab", "14e4:165f")
    lab.sim.events["set_device_state"](host="esx-b2.lab", address=address, enabled=True)
    (difference,) = look(lab)["differences"]
    assert (difference["subject"], difference["kind"]) == (address, "protected_conflict")
    assert "Disable passthrough of the device before" in difference["cure"]


def test_a_vm_that_somebody_stopped_or_whose_memory_was_released() -> None:
    lab = converged()
    lab.sim.events["power_vm"](vm="train-01", on=False)
    assert told(look(lab)) == [("train-01", "power", "powered_off")]
    lab.run("vm_pci_device", vm=["train-02"], devices=[], state="exactly", unlock_memory=True)
    found = told(look(lab))
    assert ("train-02", f"{A100} #1", "device_missing") in found
    assert ("train-02", "memory reservation", "memory_not_reserved") in found


def test_a_backing_of_the_other_kind() -> None:
    lab = converged()
    vms = [VMS[0], {**VMS[1], "backing": "fixed"}, VMS[2]]
    found = told(look(lab, vms=vms))
    assert [(name, kind) for name, _subject, kind in found] == [("train-02", "wrong_backing")]


def test_a_fixed_device_of_a_vm_that_was_moved_to_another_host() -> None:
    lab = converged()
    lab.sim.events["power_vm"](vm="infer-01", on=False)
    vm_move.register(lab.sim.find_entity("infer-01"), lab.sim.find_entity("esx-b2.lab"))
    found = told(look(lab))
    assert [(name, kind) for name, _subject, kind in found if kind != "powered_off"] == [("infer-01", "stale_address")]


def test_names_that_mean_nothing_do_not_spoil_the_rest() -> None:
    lab = converged()
    targets = [*TARGETS, {"hosts": ["esx-gone"], "devices": [{"match": A100}]}, {"cluster": ["no-such"], "devices": []}]
    vms = [*VMS, {"name": "gone-01", "devices": []}]
    report = look(lab, targets=targets, vms=vms)
    assert told(report) == [("no-such", "", "not_found"), ("esx-gone", "", "not_found"), ("gone-01", "", "not_found")]
    assert report["status"] == "drift"
    assert {host["status"] for host in report["hosts"]} == {"in_sync"}


def test_an_account_that_sees_only_a_part_does_not_call_the_rest_gone() -> None:
    lab = converged()
    lab.sim.authz.permit("partly@vsphere.local", lab.sim.find_entity("gpu-a"), "ReadOnly")
    lab.sim.authz.permit("partly@vsphere.local", lab.sim.find_entity("gpu-b"), "NoAccess")
    lab.user = "partly@vsphere.local"
    report = look(lab, vms=[])
    assert ("gpu-b", "", "invisible") in told(report)
    assert report["status"] == "unknown"


@pytest.mark.parametrize(
    ("scope", "status", "expected"),
    [("fleet", "unknown", ["invisible"]), ("intent", "in_sync", [])],
)
def test_an_account_that_sees_no_host_does_not_call_the_fleet_in_sync(
    scope: str, status: str, expected: list[str]
) -> None:
    lab = blind()
    lab.user = BLIND
    result = lab.run("drift_info", targets=[], vms=[], scope=scope)
    assert result["status"] == status
    assert [(found["kind"], found["type"], found["object"]) for found in result["report"]["differences"]] == [
        (kind, "vcenter", result["report"]["vcenter"]) for kind in expected
    ]
    assert result["settled"] == (not expected)
    assert all("sees no ESXi host" in found["cause"] for found in result["report"]["differences"])


def test_a_reader_sees_the_same_as_an_administrator() -> None:
    lab = converged()
    host, address = free(lab)
    lab.sim.events["set_device_state"](host=host, address=address, enabled=False, active=False)
    mine = look(lab)
    lab.user = "reader@vsphere.local"
    assert look(lab) == mine


@pytest.mark.parametrize("event", ["lose_contact", "disconnect_host", "host_power_loss"])
def test_a_host_that_does_not_answer_is_unknown_and_its_vms_are(event: str) -> None:
    lab = converged()
    lab.sim.events[event](host="esx-b1.lab")
    lab.sim.clock.advance(5)
    report = look(lab)
    assert ("esx-b1.lab", "", "unreachable") in told(report)
    assert report["status"] == "unknown"
    assert next(host for host in report["hosts"] if host["name"] == "esx-b1.lab")["devices"] == []
    assert next(vm for vm in report["vms"] if vm["name"] == "infer-01")["status"] == "unknown"


def test_a_property_that_may_not_be_read_is_unknown() -> None:
    lab = converged()
    lab.sim.authz.permit("reader@vsphere.local", lab.sim.find_entity("esx-b2.lab"), "View")
    lab.user = "reader@vsphere.local"
    report = look(lab)
    assert ("esx-b2.lab", "", "unreadable") in told(report)
    assert report["status"] == "unknown"


def test_expected_differences_stay_visible_and_do_not_count() -> None:
    lab = converged()
    host, address = free(lab)
    lab.sim.events["set_device_state"](host=host, address=address, enabled=False, active=False)
    rules = [{"name": "being rebuilt", "hosts": [host.upper()], "devices": [A100]}, {"name": "old", "vms": ["nobody"]}]
    report = look(lab, ignore=rules)
    assert report["status"] == "in_sync"
    assert [d["ignored"] for d in report["differences"]] == ["being rebuilt"]
    assert report["summary"]["ignored"] == 1
    assert report["idle_rules"] == ["old"]


def test_what_nobody_could_tell_passes_only_by_its_name() -> None:
    lab = converged()
    lab.sim.events["lose_contact"](host="esx-b2.lab")
    assert look(lab, ignore=[{"name": "b2", "hosts": ["esx-b2*"]}])["status"] == "unknown"
    assert look(lab, ignore=[{"name": "b2", "hosts": ["esx-b2*"], "kinds": ["unreachable"]}])["status"] == "in_sync"


def test_the_whole_fleet_is_looked_at_when_asked() -> None:
    lab = converged()
    report = look(lab, targets=[TARGETS[0]], vms=VMS[:2], scope="fleet")
    assert [(name, kind) for name, _subject, kind in told(report)] == [
        ("esx-b1.lab", "extra"),
        ("esx-b2.lab", "extra"),
        ("infer-01", "extra"),
    ]
    assert told(look(lab, targets=[TARGETS[0]], vms=VMS[:2])) == []


def test_vms_elsewhere_are_passed_over() -> None:
    lab = converged()
    lab.sim.events["power_vm"](vm="train-01", on=False)
    assert told(look(lab, only_on_hosts=["esx-b1.lab"])) == []


# --- against the modules ---------------------------------------------------------------------------------------------------


def disturbed(seed: int) -> Lab:
    """A converged lab after a few things happened behind our back."""
    chance, lab = random.Random(seed), converged()
    hosts = list(lab.sim.describe(lab.sim)["hosts"])
    for _unused in range(chance.randint(0, 4)):
        host = chance.choice(hosts)
        device = chance.choice([d for d in host["devices"] if d["id"] in (A100, T4, "8086:2700")])
        change = chance.choice(
            [
                {"enabled": False},
                {"enabled": False, "active": False},
                {"label": "x"},
                {"active": False},
                {"enabled": True},
            ]
        )
        if device["vm"] is None:
            lab.sim.events["set_device_state"](host=host["name"], address=device["address"], **change)
    if chance.random() < 0.3:
        lab.sim.events["power_vm"](vm=chance.choice(["train-01", "infer-01"]), on=False)
    if chance.random() < 0.3:
        lab.run("vm_pci_device", vm=["train-02"], devices=[], state="exactly", unlock_memory=True)
    if chance.random() < 0.2:
        lab.sim.events["lose_contact"](host=chance.choice(hosts)["name"])
    return lab


@pytest.mark.slow
@pytest.mark.parametrize("seed", [*range(15), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(15, 30))])
def test_drift_is_what_check_runs_of_the_modules_would_change_or_refuse(seed: int) -> None:
    """Object by object: what differs beyond that is marked as not planned."""
    lab = disturbed(seed)
    report = look(lab)
    drifted = {d["object"] for d in report["differences"] if d["planned"]}
    acting = set()
    for module, options in (
        ("host_passthrough", {"targets": TARGETS}),
        ("host_rolling_reboot", {"cluster": ["gpu-a", "gpu-b"]}),
        ("vm_pci_device", {"vms": VMS}),
    ):
        result = lab._main(module, {**lab.credentials(), **options, "_ansible_check_mode": True})
        for target in [*result.get("hosts", ()), *result.get("vms", ())]:
            changes = [c for c in result.get("changes", ()) if c["target"] == target["name"]]
            if changes or target["blockers"] or target.get("pending"):
                acting.add(target["name"])
    assert drifted == acting


# --- what it costs -----------------------------------------------------------------------------------------------------------


def fleet(hosts: int, vms: int, *, ready: int = 100) -> dict[str, Any]:
    """Clusters of up to 50 hosts with 32 PCI functions each; on ``ready`` of a hundred both GPUs are active."""
    return {
        "kind": "vcenter",
        "version": "8.0.3",
        "name": "vc-fleet.lab",
        "fleet": {"hosts": hosts, "vms": vms, "per_cluster": min(50, hosts), "devices": 32, "ready": ready},
    }


def intent_of(lab: Lab) -> dict[str, Any]:
    state = lab.sim.describe(lab.sim)
    clusters = sorted({host["cluster"] for host in state["hosts"]})
    wanted = [vm["name"] for vm in state["vms"]][: len(state["vms"]) // 5]
    return {
        "targets": [{"cluster": clusters, "devices": [{"match": A100}]}],
        "vms": [{"name": name, "devices": []} for name in wanted],
    }


def cost(lab: Lab, options: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    lab.sim.journal.clear()
    result = lab.run("drift_info", **options)
    calls = [entry.method for entry in lab.sim.journal.calls]
    assert result["calls"] + 1 == len(calls), "the logout comes after the result"
    return result, [method for method in calls if method != PAGING]


def test_one_read_of_names_and_one_of_everything_else() -> None:
    lab = converged()
    _result, calls = cost(lab, INTENT)
    assert calls == [
        *("RetrieveServiceContent", "Login", "CreateContainerView", "RetrievePropertiesEx", "DestroyView"),
        *("RetrievePropertiesEx", "Logout"),
    ]


Before = Callable[[Lab], None]


def move_a_neighbor(lab: Lab) -> None:
    vm_move.register(lab.sim.find_entity("infer-01"), lab.sim.find_entity("esx-a1.lab"))


def forget_nothing(lab: Lab) -> None:
    """Nothing happens between the two reads."""


@pytest.mark.parametrize(("happens", "others"), [(forget_nothing, {"web-01", "train-02"}), (move_a_neighbor, None)])
def test_a_vm_that_arrives_between_the_reads_is_read_too(
    monkeypatch: pytest.MonkeyPatch, happens: Before, others: set[str] | None
) -> None:
    """Otherwise a card that it holds would count as free."""
    lab = converged()
    read, make_plans, seen = drift_reading.read_fleet, drift_planning.make_plans, []

    def read_after(*given: Any, **more: Any) -> Any:
        happens(lab)
        return read(*given, **more)

    def plan(observed: Any) -> Any:
        seen.append({vm.name for vm in observed.vms.others})
        return make_plans(observed)

    monkeypatch.setattr(drift_reading, "read_fleet", read_after)
    monkeypatch.setattr(drift_planning, "make_plans", plan)
    lab.run("drift_info", targets=TARGETS[:1], vms=VMS[:1])
    assert seen[0] == (others or {"web-01", "train-02", "infer-01"})


def test_bindings_are_read_of_hosts_whose_manager_was_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = converged()
    names = drift_shell.read_names
    monkeypatch.setattr(drift_shell, "read_names", lambda session, **_unused: names(session))
    usual, calls = cost(lab, INTENT)
    monkeypatch.undo()
    assert (usual["report"], calls.count("RetrievePropertiesEx")) == (cost(lab, INTENT)[0]["report"], 3)


@pytest.mark.slow
def test_ten_hosts_and_a_hundred_cost_the_same() -> None:
    costs = []
    for hosts in (10, 100):
        lab = Lab.load(fleet(hosts, hosts * 5))
        result, calls = cost(lab, intent_of(lab))
        assert result["status"] == "in_sync"
        costs.append(Counter(calls))
    assert costs[0] == costs[1]
    assert costs[0].total() <= 8


@pytest.mark.slow
@pytest.mark.parametrize("hosts", [200, pytest.param(1000, marks=pytest.mark.long)])
def test_one_drifted_host_of_many_is_found_within_forty_calls(hosts: int) -> None:
    lab = Lab.load(fleet(hosts, 5 * hosts))
    options = intent_of(lab)
    victim = lab.sim.describe(lab.sim)["hosts"][hosts * 617 // 1000]
    address = next(d["address"] for d in victim["devices"] if d["id"] == A100)
    lab.sim.events["set_device_state"](host=victim["name"], address=address, enabled=False, active=False)
    result, calls = cost(lab, options)
    assert told(result["report"]) == [(victim["name"], address, "disabled")]
    assert result["report"]["summary"]["hosts"] == hosts
    assert result["report"]["summary"]["vms"] == hosts
    assert len(calls) <= 40


def test_a_fleet_that_is_drifted_all_over_costs_no_more_than_forty_calls() -> None:
    """Partition tables are one call a host: they are asked of a few, and of the others it is said that nobody looked."""
    lab = Lab.load(fleet(60, 60, ready=0))
    options = intent_of(lab)
    options["targets"][0]["devices"].append({"match": "8086:2700"})
    result, calls = cost(lab, options)
    assert len(calls) <= 40
    assert {host["status"] for host in result["report"]["hosts"]} == {"drift"}
    assert result["report"]["summary"]["kinds"]["disabled"] == 180


def test_fixed_devices_of_vms_that_are_off_are_not_called_in_sync_unasked() -> None:
    """Whether a system id is right takes a question a host: beyond the allowed number the answer is "not looked at"."""
    lab = Lab.load(LAB)
    lab.run("host_passthrough", targets=[TARGETS[0]])
    vms = [{"name": name, "devices": [{"match": A100}], "backing": "fixed"} for name in ("train-01", "train-02")]
    lab.run("vm_pci_device", vms=vms)
    options = {"targets": [TARGETS[0]], "vms": vms}
    assert look(lab, **options)["status"] == "in_sync"
    report = look(lab, **options, max_host_queries=2)
    assert [kind for _name, _subject, kind in told(report)] == ["unchecked"]
    assert report["status"] == "unknown"


def test_hosts_that_a_rolling_reboot_left_half_way_are_not_in_sync() -> None:
    """Their devices are active again, and their VMs may still be off."""
    lab = converged()
    assert lab.run("drift_info", **INTENT)["settled"] is True
    lab.sim.events["set_custom_value"](on="esx-a2.lab", attribute="directpath.roll", value="cut off")
    result = lab.run("drift_info", **INTENT)
    assert told(result["report"]) == [("esx-a2.lab", "", "roll_unfinished")]
    assert (result["status"], result["settled"]) == ("drift", False)
    lab.sim.events["set_custom_value"](on="esx-a2.lab", attribute="directpath.roll", value="")
    assert lab.run("drift_info", **INTENT)["settled"] is True


def test_a_settled_result_is_shown_and_published_and_another_one_is_not() -> None:
    lab = converged()
    settled = lab.run("drift_info", **INTENT, publish_as="vc-01")
    assert settled["settled_lines"][0] == f"{settled['summary']}; nothing is left to do"
    assert [vm["status"] for vm in settled["ansible_stats"]["data"]["directpath_stats_verify"].values()] == ["in_sync"]
    assert "ansible_stats" not in lab.run("drift_info", **INTENT)
    lab.sim.events["set_custom_value"](on="esx-a2.lab", attribute="directpath.roll", value="cut off")
    drifted = lab.run("drift_info", **INTENT, publish_as="vc-01")
    assert not {"settled_lines", "ansible_stats"} & drifted.keys()


def test_a_journal_in_a_file_counts_as_well(tmp_path: Path) -> None:
    lab = converged()
    moid = lab.sim.find("HostSystem", "esx-a1.lab").ref._moId
    file = journal_path(Endpoint(hostname="vcenter.test", username="", password=""), str(tmp_path))
    FileJournal(file, why="").write(Subject(kind="host", moid=moid), {ENTRY: "cut off"})
    result = lab.run("drift_info", **INTENT, journal_dir=str(tmp_path))
    assert told(result["report"]) == [("esx-a1.lab", "", "roll_unfinished")]
    assert result["settled"] is False


def test_settled_is_about_what_site_would_do_and_not_about_what_rules_let_pass() -> None:
    lab = converged()
    lab.run("host_passthrough", hosts=["esx-a3"], devices=[{"match": "8086:2700"}])
    strays = lab.run("drift_info", **INTENT)
    assert (strays["status"], strays["settled"]) == ("drift", True), "site leaves alone what nobody asked for"
    host, address = free(lab)
    lab.sim.events["set_device_state"](host=host, address=address, enabled=False, active=False)
    passed = lab.run("drift_info", **INTENT, ignore=[{"name": "expected", "hosts": ["*"]}])
    assert (passed["status"], passed["settled"]) == ("in_sync", False), "site would enable it all the same"
