# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Node counting: the queries of extensions/audit/event_query.yml, run by jq on the results of the modules."""

from __future__ import annotations

from typing import Any

import jq
import pytest
import yaml

from tests.unit.modules.contracts import Scenario, module_names
from tests.unit.modules.every_module.test_contract import SCENARIOS
from tests.unit.modules.harness import Lab
from tools.envs import ROOT

FILE = ROOT / "extensions" / "audit" / "event_query.yml"
QUERIES = {name: entry["query"] for name, entry in yaml.safe_load(FILE.read_text(encoding="utf-8")).items()}
COLLECTION = "directpath.vsphere."
COUNTS_NOTHING = {
    "capture": "only reads",
    "drift_info": "only reads",
    "end_session": "ends a session of the control node",
    "host_capacity_info": "only reads",
    "host_pci_device_info": "only reads",
    "intent_info": "only reads",
    "rolling_reboot_info": "only reads",
    "rolling_reboot_pause": "sets a mark; it manages neither a host nor a VM",
    "rolling_reboot_restore": "gives back what host_rolling_reboot, which counts it, has stopped",
    "vm_guest_info": "changes nothing in the guest",
    "vm_pci_device_info": "only reads",
}
COUNTED = {title: case for title, case in SCENARIOS.items() if case.module not in COUNTS_NOTHING}


def nodes(module: str, result: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = jq.compile(QUERIES[COLLECTION + module]).input_value(result).all()
    return found


def test_each_module_is_counted_or_says_why_not() -> None:
    counted = {name.removeprefix(COLLECTION) for name in QUERIES}
    assert counted | set(COUNTS_NOTHING) == set(module_names())
    assert not counted & set(COUNTS_NOTHING)
    assert counted == {case.module for case in COUNTED.values()}, "a scenario for each"


@pytest.mark.parametrize("case", COUNTED.values(), ids=list(COUNTED))
def test_every_managed_object_is_counted_once(case: Scenario) -> None:
    """By the name and id that the server has for it, and the same in the second run, which changes nothing."""
    lab = case.prepare()
    first, second = (nodes(case.module, lab.run(case.module, **case.options)) for _ in range(2))
    server = {
        (item["name"], item["moid"])
        for module, kind in (("host_pci_device_info", "hosts"), ("vm_pci_device_info", "vms"))
        for item in lab.run(module, **({"include": "all"} if kind == "vms" else {}))[kind]
    }
    facts = [(node["canonical_facts"]["name"], node["canonical_facts"]["moid"]) for node in first]
    assert facts
    assert len(facts) == len(set(facts))
    assert set(facts) <= server
    assert all(node["name"] == node["canonical_facts"]["name"] and node["facts"]["device_type"] for node in first)
    assert {str(node) for node in second} == {str(node) for node in first}


def test_what_was_refused_or_skipped_is_not_counted() -> None:
    lab = Lab.load("three_hosts")
    refused = lab.run("vm_pci_device", vm=["train-01"], devices=["10de:20f1"], backing="fixed", fails=True)
    assert [vm["status"] for vm in refused["vms"]] == ["refused"]
    assert nodes("vm_pci_device", refused) == []
    assert nodes("vm_pci_device", {"failed": True, "msg": "no connection"}) == []
