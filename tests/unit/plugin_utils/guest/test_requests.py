# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which guests are verified, and why others are not."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.guest.probe import parse_linux
from ansible_collections.directpath.vsphere.plugins.plugin_utils.guest.requests import (
    guest_probe,
    guest_targets,
    guests_in_scope,
    guests_to_prepare,
)
from ansible_collections.directpath.vsphere.plugins.plugin_utils.intent.guest import guest_entry
from ansible_collections.directpath.vsphere.plugins.plugin_utils.intent.source_location import Place

VM: dict[str, Any] = {
    "name": "train-01",
    "moid": "vm-7",
    "path": "DC1/vm/train-01",
    "uuid": "u",
    "power_state": "poweredOn",
}
FOUND = {"vms": [{**VM, "host": "esx-01", "devices": []}], "found": {"train-01": "vm-7", "/DC1/vm/train-01": "vm-7"}}
TOOLS = {"via": "tools", "username_variable": "guest_user", "password_variable": "guest_password"}


def guest(vm: str = "train-01", **given: Any) -> dict[str, Any]:
    entry = guest_entry(Place("vc", "passthrough_vms[0].guest"), {"inventory_host": "guest-01", **given})
    return {"vm": vm, **entry}


@pytest.mark.parametrize(
    ("scope", "asked"),
    [
        ("requested", ["changed", "unchanged", "always"]),
        ("changed", ["changed", "always"]),
        ("always", ["always"]),
        ("none", []),
    ],
)
def test_the_scope_and_when_decide(scope: str, asked: list[str]) -> None:
    guests = [guest("changed"), guest("unchanged"), guest("always", when="always"), guest("never", when="never")]
    attached = {"changes": [{"target": "changed"}], "vms": [{"name": "changed"}, {"name": "unchanged"}]}
    found = guests_in_scope(guests, scope, attached)
    assert [one["vm"] for one in found if not one["skipped"]] == asked
    assert all(one["skipped"] for one in found if one["vm"] not in asked)


@pytest.mark.parametrize("name", ["train-01", "vm-7", "DC1/vm/train-01", "/DC1/vm/train-01"])
def test_a_changed_vm_is_found_by_name_path_and_id(name: str) -> None:
    (found,) = guests_in_scope([guest(name)], "changed", {"changes": [{"target": "train-01"}], "vms": [VM]})
    assert found["skipped"] == ""


BLOCKED = {
    "the VM is not there": ({}, {"vms": [], "found": {}}, "guest_vm_unread"),
    "the VMs were not read": ({}, {"msg": "No route to host"}, "guest_vm_unread"),
    "the VM is off": ({}, {**FOUND, "vms": [{**VM, "power_state": "poweredOff"}]}, "guest_vm_off"),
    "the inventory host is not there": ({"inventory_host": "guset-01"}, FOUND, "guest_no_inventory_host"),
    "the account is not there": (TOOLS, FOUND, "guest_no_credentials"),
}


@pytest.mark.parametrize("case", BLOCKED)
def test_a_guest_that_cannot_be_asked_says_why(case: str) -> None:
    given, found, code = BLOCKED[case]
    (target,) = guest_targets([{**guest(**given), "skipped": ""}], found, ["guest-01"], ["guest_user"])
    assert target["blocked"]["code"] == code
    assert target["blocked"]["reason"]
    assert target["blocked"]["cure"]


def test_what_vcenter_says_of_the_vm_comes_along() -> None:
    (target,) = guest_targets([{**guest("/DC1/vm/train-01"), "skipped": ""}], FOUND, ["guest-01"])
    assert (target["name"], target["moid"], target["uuid"], target["blocked"]) == ("train-01", "vm-7", "u", None)
    (elsewhere,) = guest_targets([{**guest(), "skipped": ""}], FOUND, ["guest-01"], (), ["esx-02"])
    assert elsewhere["skipped"] == "its host is not in this play"


def test_only_guests_that_are_their_vms_are_prepared() -> None:
    guests = [guest(name, prepare={"role": "x"}) for name in ("right", "wrong", "skipped")] + [guest("nothing")]
    records = [{"vm_in_intent": "right", "step": "present"}, {"vm_in_intent": "wrong", "step": None}]
    hostvars = {"vc": {"__verify_guest_records": [*records, {"vm_in_intent": "nothing", "step": "works"}]}, "dead": {}}
    intent = {"vc": {"guests": guests}, "dead": {"guests": guests}}
    assert guests_to_prepare(intent, hostvars, ["vc"]) == [{"inventory_host": "guest-01", "prepare": {"role": "x"}}]


def test_the_command_for_raw_runs_the_probe_whatever_the_users_command_is() -> None:
    text = guest_probe(guest(expect=[{"match": "10de", "command": 'test "it\'s" = "it\'s" && exit 4'}]))
    printed = subprocess.run(text, shell=True, capture_output=True, text=True, check=True).stdout
    assert parse_linux(printed).commands == {0: 4}
    assert guest_probe(guest(os="windows")).startswith("$ProgressPreference")
