# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role rolling_reboot decides between its tasks."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.filter.rolling import decision
from ansible_collections.directpath.vsphere.plugins.plugin_utils.report.reboot_steps import (
    closing_lines,
    reboot_decision,
    reboot_expectations,
)
from ansible_collections.directpath.vsphere.plugins.plugin_utils.report.text import reboot_outcome

HOST = {"name": "esx-1", "phase": "waiting"}
IDLE = {"name": "esx-2", "phase": "idle"}


def plan(*hosts: dict[str, Any], schedule: object = None) -> dict[str, Any]:
    return {"hosts": list(hosts), "schedule": schedule, "summary": "planned"}


@pytest.mark.parametrize(
    ("hosts", "consent", "preview", "reboots", "stops"),
    [
        ((HOST,), True, False, True, False),
        ((HOST,), False, False, False, False),
        ((HOST,), None, False, False, True),
        ((HOST,), None, True, False, False),
        ((IDLE,), True, False, False, False),
        ((IDLE,), None, False, False, False),
    ],
)
def test_who_reboots_and_who_stops(
    hosts: tuple[dict[str, Any], ...], consent: bool | None, preview: bool, reboots: bool, stops: bool
) -> None:
    found = reboot_decision(plan(*hosts), consent, preview, "vc-1")
    assert (found["reboot"], bool(found["missing_consent"])) == (reboots, stops)


def test_the_missing_consent_is_explained() -> None:
    (found,) = reboot_decision(plan(HOST, {**HOST, "name": "esx-3"}), None, False, "vc-1")["missing_consent"]
    assert found.startswith("2 hosts of vc-1 require a reboot (esx-1, esx-3), and rolling_reboot_consent is not set.")
    assert "Set rolling_reboot_consent=true" in found
    (one,) = reboot_decision(plan(HOST), None, False, "vc-1")["missing_consent"]
    assert one.startswith("1 host of vc-1 requires a reboot (esx-1), and")


BLOCKED = {
    "name": "esx-9",
    "cluster": "gpu",
    "phase": "blocked",
    "blockers": [
        {"message": "esx-9 runs virtual machines that cannot be migrated: a", "cure": "Set rolling_reboot_pinned_vms"}
    ],
}


@pytest.mark.parametrize("free", [True, False])
def test_one_message_has_all_that_is_missing(free: bool) -> None:
    """Consent and the reasons of blocked hosts are together, every host is named once, and nothing says the opposite."""
    starts = [{"name": "esx-1", "wave": 1}] if free else []
    schedule = {"waves": 1, "seconds": 60, "hosts": starts, "left": [BLOCKED]}
    planned = plan(*([HOST] if free else []), {**BLOCKED}, schedule=schedule)
    planned |= {"timeline": {}, "state": "planned"}
    found = reboot_decision(planned, None, False, "vc-1")
    message = found["missing_consent"]
    assert len(message) == 2
    names, number = ("esx-1, ", "2 hosts of vc-1 require") if free else ("", "1 host of vc-1 requires")
    assert message[0].startswith(f"{number} a reboot ({names}and 1 that cannot be rebooted now: see below), and ")
    assert "rolling_reboot_consent is not set" in message[0]
    assert message[1] == (
        "Also missing: gpu esx-9 (blocked): runs virtual machines that cannot be migrated: a. Set rolling_reboot_pinned_vms."
    )
    shown = " ".join([*found["lines"], *message])
    assert shown.count("esx-9") == 1
    assert "No host" not in shown
    assert bool(found["lines"]) is free
    noted = reboot_outcome(planned, None, None, True)
    end = closing_lines(noted, announced=free)
    assert [line for line in end if "esx-9" in line] == [message[1]]
    assert "No host" not in " ".join(end)


@pytest.mark.parametrize(
    ("hosts", "schedule", "consent", "shown"),
    [
        ((HOST,), {}, None, True),
        ((HOST,), {}, True, True),
        ((HOST,), {}, False, False),
        ((HOST,), None, True, False),
        ((IDLE,), {}, True, False),
    ],
)
def test_the_schedule_is_shown_before_the_reboot(
    hosts: tuple[dict[str, Any], ...], schedule: object, consent: bool | None, shown: bool
) -> None:
    found = reboot_decision(plan(*hosts, schedule=schedule), consent, False, "vc-1")
    assert bool(found["lines"]) is shown


@pytest.mark.parametrize(("text", "reboots"), [("yes", True), ("false", False)])
def test_consent_may_be_text(text: str, reboots: bool) -> None:
    assert decision(plan(HOST), text, "no", "vc-1")["reboot"] is reboots


@pytest.mark.parametrize(
    "plan_of_nothing", [{"skipped": True}, {"failed": True, "msg": "No answer", "error_code": "x"}]
)
def test_without_a_plan_nothing_is_rebooted(plan_of_nothing: dict[str, Any]) -> None:
    assert reboot_decision(plan_of_nothing, True, False, "vc-1") == {
        "lines": [],
        "reboot": False,
        "missing_consent": [],
    }


def test_a_schedule_is_shown_once() -> None:
    result = {"summary": "planned", "schedule": {}, "notes": ["consent is not set"]}
    assert closing_lines(result, announced=True) == ["consent is not set"]
    assert closing_lines(result, announced=False) == ["consent is not set"]
    done = {"summary": "rebooted", "notes": []}
    assert closing_lines(done, announced=True) == ["rebooted"]
    assert closing_lines({**result, "notes": []}, announced=True) == []
    assert closing_lines({**result, "notes": []}, announced=False) == ["planned"]


def test_what_enable_devices_leaves_for_the_reboot() -> None:
    hosts = [
        {"name": "esx-1", "status": "changed", "reboot_required": True},
        {"name": "esx-2", "status": "changed", "reboot_required": False},
        {"name": "esx-3", "status": "ok", "reboot_required": False},
        {"name": "esx-4", "status": "changed", "reboot_required": False},
    ]
    changes = [
        {"target": "esx-1", "kind": "passthrough"},
        {"target": "esx-2", "kind": "sriov"},
        {"target": "esx-4", "kind": "graphics"},
    ]
    found = reboot_expectations({"hosts": hosts, "reboot_required": ["esx-1"], "changes": changes})
    assert found == {"pending": ["esx-1"], "settled": ["esx-2"]}
    assert reboot_expectations({}) == {"pending": [], "settled": []}
