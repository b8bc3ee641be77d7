# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One line a vCenter at the end of a run."""

from __future__ import annotations

from typing import Any

from ansible_collections.directpath.vsphere.plugins.plugin_utils.report.fleet import fleet_lines

ENDPOINTS = {"vc-a": {"vcenter": "vc-a", "port": 443}, "esx-b1": {"vcenter": "vc-b", "port": 443}}


def change(target: str) -> dict[str, Any]:
    return {"target": target, "kind": "passthrough", "subject": "0000:3b:00.0"}


ENABLED = {"changes": [change("esx-1"), change("esx-1"), change("esx-2")], "trouble": ""}
ATTACHED = {"changes": [change("vm-1")], "trouble": ""}
PROVEN = {"differences": []}


def line(facts: dict[str, Any], *, alive: bool = True, check: bool = False) -> str:
    (found,) = fleet_lines({"vc": {"vcenter": "vc", "port": 443}}, {"vc": facts}, {"vc"} if alive else (), check=check)
    return found.removeprefix("vc: ")


def test_those_that_stopped_come_last() -> None:
    facts = {"vc-a": {"enable_devices_result": {"trouble": "failed", "msg": "No answer."}}, "esx-b1": {}}
    assert fleet_lines(ENDPOINTS, facts, {"esx-b1"}) == [
        "esx-b1 (vc-b): nothing changed",
        "vc-a: STOPPED applying the desired state to hosts: No answer. Before that: nothing changed.",
    ]


def test_what_was_done_and_proven() -> None:
    rebooted = {"rebooted": ["esx-1"], "trouble": ""}
    facts = {"enable_devices_result": ENABLED, "rolling_reboot_result": rebooted, "attach_devices_result": ATTACHED}
    assert line(facts) == "2 hosts changed, 1 rebooted, 1 VM changed"
    assert line({**facts, "verify_result": PROVEN}) == "2 hosts changed, 1 rebooted, 1 VM changed; all is in sync"
    assert line({"verify_result": PROVEN}) == "nothing changed; all is in sync"


def test_reboots_of_a_roll_and_of_its_schedule() -> None:
    rolled = {
        "hosts": [{"name": "a", "phase": "done"}, {"name": "b", "phase": "idle"}],
        "timeline": [],
        "state": "done",
    }
    planned = {"hosts": [{"name": "a", "phase": "waiting"}], "schedule": {"hosts": []}}
    assert line({"rolling_reboot_result": rolled}) == "1 rebooted"
    assert line({"rolling_reboot_result": planned}, check=True) == "1 to be rebooted"


def test_what_was_not_done_does_not_count() -> None:
    failed = {**ENABLED, "not_done": [change("esx-2")], "trouble": "refused", "msg": "esx-2 is busy"}
    assert line({"enable_devices_result": failed}, alive=False) == (
        "STOPPED applying the desired state to hosts: esx-2 is busy. Before that: 1 host changed."
    )


def test_differences_are_counted() -> None:
    proof = {"differences": ["vm-1: no device.", "vm-2: no device.", "vm-3: no device."]}
    assert line({"attach_devices_result": ATTACHED, "verify_result": proof}, alive=False) == (
        "STOPPED comparing with the desired state: vm-1: no device, and 2 more. Before that: 1 VM changed."
    )


def test_a_vcenter_that_stopped_without_a_word() -> None:
    assert line({}, alive=False) == "STOPPED, see its failure above. Before that: nothing changed."


def test_two_ports_of_one_address_are_told_apart() -> None:
    endpoints = {"a": {"vcenter": "localhost", "port": 1}, "b": {"vcenter": "localhost", "port": 2}}
    assert [text.split(": ")[0] for text in fleet_lines(endpoints, {}, endpoints)] == [
        "a (localhost:1)",
        "b (localhost:2)",
    ]
