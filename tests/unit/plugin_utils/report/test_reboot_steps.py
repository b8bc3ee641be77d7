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
    found = reboot_decision(plan(HOST, {**HOST, "name": "esx-3"}), None, False, "vc-1")["missing_consent"]
    assert found.startswith("2 hosts of vc-1 must be rebooted (esx-1, esx-3), and rolling_reboot_consent is not set.")
    assert "Set rolling_reboot_consent=true" in found
    assert reboot_decision(plan(HOST), None, False, "vc-1")["missing_consent"].startswith("1 host of vc-1 must")


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
        "missing_consent": "",
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
    ]
    found = reboot_expectations({"hosts": hosts, "reboot_required": ["esx-1"]})
    assert found == {"pending": ["esx-1"], "settled": ["esx-2"]}
    assert reboot_expectations({}) == {"pending": [], "settled": []}
