# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a rolling reboot in the lines a role shows."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from ansible_collections.directpath.vsphere.plugins.plugin_utils.report.text import lines, reboot_outcome
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.result_lines import (
    missing_for_success,
    owing,
    rolling_lines,
)


def host(name: str, phase: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "cluster": "gpu",
        "phase": phase,
        "reason": "",
        "blockers": [],
        "vms": [],
        "seconds": {},
        **more,
    }


def rolled(*hosts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"state": "finished", "timeline": {"hosts": [], "vms": []}, "hosts": list(hosts), "changed": True, **more}


PLANNED = rolled(
    host("esx-01", "waiting"),
    host("esx-02", "idle"),
    state="planned",
    schedule={
        "waves": 1,
        "seconds": 1320,
        "hosts": [
            {
                "name": "esx-01",
                "cluster": "gpu",
                "wave": 1,
                "starts_after_seconds": 0,
                "ends_after_seconds": 1320,
                "reason": "it puts in effect 0000:3b:00.0",
                "stops": [{"name": "train-01", "reason": "holds a device", "order": 0}],
                "moves": [],
            }
        ],
        "left": [],
        "idle": ["esx-02"],
    },
)


def test_each_host_has_its_line_and_idle_ones_share_one() -> None:
    result = rolled(
        host("esx-01", "done", seconds={"drain": 4.0, "reboot": 62.0}),
        host("esx-02", "idle"),
        host("esx-03", "idle"),
        host("esx-04", "failed", reason="it did not come back", vms=["train-01"]),
        host("esx-05", "blocked", reason="alarm", blockers=[{"message": "Alarm Fan is red on esx-05"}]),
        resume=["Repair esx-04."],
    )
    assert rolling_lines(result, UTC) == [
        "gpu esx-01: rebooted (drained in 00:04, back after 01:02)",
        "gpu esx-04: FAILED: it did not come back",
        "  stopped for it: train-01",
        "gpu esx-05: blocked: alarm",
        "  Alarm Fan is red on esx-05",
        "esx-02, esx-03: require no reboot",
        "next: Repair esx-04.",
    ]


def test_a_schedule_names_the_vms_it_stops() -> None:
    text = "\n".join(lines(PLANNED))
    assert "1 host would be rebooted in 1 wave" in text
    assert "stops train-01 (holds a device)" in text


def test_many_idle_hosts_are_counted() -> None:
    assert rolling_lines(rolled(*(host(f"esx-{n:02}", "idle") for n in range(30))), UTC) == [
        "30 hosts: require no reboot"
    ]


def test_blocked_and_failed_hosts_still_owe() -> None:
    result = rolled(
        host("a", "done"), host("b", "idle"), host("c", "blocked"), host("d", "failed"), host("e", "waiting")
    )
    assert owing(result) == ["c", "d", "e"]


def test_without_consent_nothing_counts_as_done() -> None:
    outcome = reboot_outcome(PLANNED, None, False, False)
    assert outcome["owed"] == ["esx-01"]
    assert not outcome["changed"]
    assert lines(outcome) == ["these hosts still require a reboot: esx-01"]


def test_what_a_halted_roll_left_is_still_owed() -> None:
    call = rolled(
        host("esx-01", "failed"), state="halted", error_code="not_back", msg="esx-01 is not back", failed=True
    )
    outcome = reboot_outcome(PLANNED, call, True, False)
    assert (outcome["owing"], outcome["owed"], outcome["trouble"]) == (["esx-01"], ["esx-01"], "refused")


def test_a_check_run_counts_as_if_it_had_happened() -> None:
    outcome = reboot_outcome(PLANNED, PLANNED, True, False)
    assert (outcome["owing"], outcome["owed"], outcome["changed"]) == (["esx-01"], [], True)


def test_whoever_only_asks_sees_the_schedule() -> None:
    outcome = reboot_outcome(PLANNED, None, None, False)
    assert not outcome["changed"]
    assert "1 host would be rebooted in 1 wave" in lines(outcome)[0]
    assert lines(outcome)[-1].startswith("1 host requires a reboot (esx-01), and rolling_reboot_consent is not set.")


def test_a_reason_is_not_told_twice() -> None:
    result = rolled(
        host("a", "blocked", reason="a has red alarms: Fan", blockers=[{"message": "a has red alarms: Fan."}])
    )
    assert rolling_lines(result, UTC) == ["gpu a: blocked: has red alarms: Fan"]


def test_hosts_that_cannot_be_reached_are_not_said_to_require_a_reboot() -> None:
    away = {"code": "host_unreachable", "message": "esx-9 is disconnected", "cure": "Reconnect it"}
    left = {"name": "esx-9", "cluster": "gpu", "phase": "blocked", "reason": "", "blockers": [away]}
    schedule = {"hosts": [], "left": [left], "idle": [], "waves": 0, "seconds": 0}
    found = missing_for_success(rolled(host("esx-9", "blocked"), state="planned", schedule=schedule))
    assert found == [
        "1 host cannot be reached, so it is unknown whether it requires a reboot. Resolve this, or set rolling_reboot_consent=false to "
        "continue without a reboot.",
        "Unknown: gpu esx-9 (blocked): is disconnected. Reconnect it.",
    ]
