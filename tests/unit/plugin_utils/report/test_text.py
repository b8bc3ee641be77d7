# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of modules in words."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.plugin_utils.report.text import (
    assumed_enabled,
    change_line,
    differences,
    lines,
    outcome,
    reboot_outcome,
)

ENABLE = {
    "target": "esx-01",
    "kind": "passthrough",
    "subject": "0000:3b:00.0",
    "before": {"enabled": False, "label": None, "device": "10de:20f1 A100"},
    "after": {"enabled": True, "label": "a100", "device": "10de:20f1 A100"},
}
REFUSED = {
    "code": "protected",
    "message": "0000:18:00.0 is the management uplink",
    "cure": "Leave it",
    "candidates": ["a"],
}


def host(name: str, status: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "status": status, "pending": [], "blockers": [], "warnings": [], **more}


def test_a_device_that_is_given_back_is_disabled_and_requires_a_reboot() -> None:
    back = host("esx-01", "ok", pending=["0000:3b:00.0"], devices=[{"address": "0000:3b:00.0", "enabled": False}])
    assert lines({"hosts": [back]})[1] == "  0000:3b:00.0 is disabled and requires a reboot"
    assert differences([{"hosts": [back]}]) == ["esx-01: 0000:3b:00.0 is disabled, but still active until a reboot"]


def test_lines_of_a_host_result() -> None:
    result = {
        "hosts": [
            host("esx-01", "changed", pending=["0000:3b:00.0"]),
            host("esx-02", "refused", blockers=[REFUSED], warnings=["console GPU"]),
            host("esx-03", "ok"),
        ],
        "changes": [ENABLE],
    }
    assert lines(result) == [
        "esx-01: changed",
        "  0000:3b:00.0 off → on, label - → a100 (10de:20f1 A100)",
        "  0000:3b:00.0 is enabled and requires a reboot",
        "esx-02: refused",
        "  refused: 0000:18:00.0 is the management uplink. Candidates: a. Leave it.",
        "  note: console GPU",
        "esx-03: in sync",
    ]


def test_lines_of_a_run_that_stopped_after_failures() -> None:
    other = {**ENABLE, "target": "esx-02"}
    result = {
        "hosts": [host("esx-01", "failed", error="The host is busy."), host("esx-02", "not_reached")],
        "changes": [ENABLE, other],
        "not_done": [dict(ENABLE), dict(other)],
    }
    assert lines(result) == [
        "esx-01: failed",
        "  not done: 0000:3b:00.0 off → on, label - → a100 (10de:20f1 A100)",
        "  failed: The host is busy.",
        "esx-02: not reached, because the run stopped before it",
        "  not done: 0000:3b:00.0 off → on, label - → a100 (10de:20f1 A100)",
    ]


def test_lines_fall_back_to_the_summary() -> None:
    assert lines({"hosts": [], "summary": "Nothing was asked."}) == ["Nothing was asked."]


def test_a_summary_has_no_full_stop_as_the_playbook_plan_puts_one_after_it() -> None:
    assert outcome(None)["summary"] == outcome({"skipped": True})["summary"] == "Nothing is requested here"


def test_no_difference_when_everything_is_as_wanted() -> None:
    assert (
        differences([{"hosts": [host("esx-01", "ok")], "changes": []}, {"vms": [host("vm", "ok")]}, {"skipped": True}])
        == []
    )


def test_every_kind_of_difference_is_named() -> None:
    memory = {
        "target": "vm",
        "kind": "memory",
        "subject": "memory reservation",
        "before": {"mb": 0},
        "after": {"locked": True},
    }
    found = differences(
        [
            {
                "hosts": [
                    host("esx-01", "changed"),
                    host("esx-02", "pending", pending=["0000:af:00.0"]),
                    host("esx-03", "refused", blockers=[REFUSED]),
                    host("esx-04", "skipped"),
                ],
                "changes": [ENABLE],
            },
            {"vms": [host("vm", "changed")], "changes": [memory]},
            {"failed": False, "error_code": "unreachable", "msg": "Cannot reach vc: connection refused."},
            {"failed": False, "error_code": "unreachable", "msg": "Cannot reach vc: connection refused."},
        ]
    )
    assert found == [
        "esx-01: 0000:3b:00.0 off → on, label - → a100 (10de:20f1 A100) is still to be done",
        "esx-02: 0000:af:00.0 is enabled, but not active until a reboot",
        "esx-03: 0000:18:00.0 is the management uplink. Candidates: a. Leave it.",
        "vm: memory reservation: mb 0 → locked yes is still to be done",
        "Cannot reach vc: connection refused.",
    ]


HOSTS = [{"name": name, "moid": f"host-{name}", "cluster": name[0]} for name in ("a1", "a2", "b1")]
TARGETS = [{"cluster": ["a"], "devices": ["10de:20f1"]}, {"hosts": ["B1"], "devices": ["8086:1572"]}]


def test_a_check_run_assumes_active_what_the_run_would_bring_into_force() -> None:
    enabled = {"state": "enabled", "hosts": HOSTS, "reboot_required": ["a2", "b1"], "refused": []}
    a1, a2 = ({"hosts": [name], "devices": ["10de:20f1"]} for name in ("a1", "a2"))
    b1 = {"hosts": ["b1"], "devices": ["8086:1572"]}
    both = {"hosts": ["a1", "a2"], "devices": ["10de:20f1"]}
    assert assumed_enabled(TARGETS, enabled, {"owed": []}) == [both, b1], "everything owed will be paid"
    assert assumed_enabled(TARGETS, enabled, {"owed": ["a2", "b1"]}) == [a1], "no consent: they go on waiting"
    assert assumed_enabled(TARGETS, enabled, None) == [a1], "no reboot follows at all"
    assert assumed_enabled(TARGETS, {**enabled, "refused": ["a1"]}, {"owed": ["b1"]}) == [a2]


PLANNED = {"schedule": {"hosts": [{"name": "esx-1", "moves": ["a", "b", "c"]}, {"name": "esx-2", "moves": []}]}}


def test_a_vm_that_drs_moves_before_it_gets_a_fixed_device_is_noted() -> None:
    def attach(name: str, backing: str) -> dict[str, Any]:
        return {"target": name, "kind": "attach", "subject": "x", "after": {"backing": backing}}

    call = {
        "vms": [
            host("a", "changed"),
            host("b", "changed"),
            host("c", "refused", blockers=[REFUSED]),
            host("d", "changed"),
        ],
        "changes": [
            attach("a", "fixed"),
            attach("b", "dynamic"),
            attach("d", "fixed"),
            {"target": "b", "kind": "power_on"},
        ],
    }
    noted = outcome(call, PLANNED)["notes"]
    assert [note.split(",")[0] for note in noted] == ["a runs on esx-1", "c runs on esx-1"]
    assert noted == lines(outcome(call, PLANNED))[-2:]
    for without in (None, {}, {"schedule": None}, {"changed": False, "schedule": {"hosts": []}}):
        assert "notes" not in outcome(call, without)


def test_a_vm_that_is_moved_while_it_is_off_is_noted_too() -> None:
    """Also one that is shut down for the reboot before."""
    planned = {"schedule": {"hosts": [{"name": "esx-1", "moves": ["a"], "moves_powered_off": ["b", "{host}"]}]}}
    after = {"backing": "fixed"}
    call = {
        "vms": [host("b", "changed"), host("{host}", "changed")],
        "changes": [{"target": name, "kind": "attach", "subject": "x", "after": after} for name in ("b", "{host}")],
    }
    noted = outcome(call, planned)["notes"]
    assert [note.split(",")[0] for note in noted] == ["b is on esx-1", "{host} is on esx-1"]
    assert all("Set evacuate_powered_off: false" in note and "Power it off" not in note for note in noted)


def test_nothing_is_assumed_without_enabling() -> None:
    assert assumed_enabled(TARGETS, None, {"owed": []}) == []
    assert assumed_enabled(TARGETS, {"state": "disabled", "hosts": HOSTS}, None) == []


@pytest.mark.parametrize(
    ("call", "trouble"),
    [
        (None, ""),
        ({"skipped": True, "changed": False}, ""),
        ({"hosts": [], "changed": False, "failed": False}, ""),
        ({"vms": [host("vm", "refused")], "error_code": "refused", "msg": "refused", "failed": False}, "refused"),
        ({"error_code": "unreachable", "msg": "Cannot reach vc", "failed": False}, "failed"),
        ({"msg": "MODULE FAILURE", "rc": 1, "failed": False}, "failed"),
    ],
)
def test_outcome_tells_refusal_from_failure(call: dict[str, Any] | None, trouble: str) -> None:
    kept = outcome(call)
    assert kept["trouble"] == trouble
    assert kept["changes"] == []
    assert "failed" not in kept, "a fact that says failed=false of a call that failed would mislead"


def rolled(*phases: tuple[str, str], **more: Any) -> dict[str, Any]:
    """The result of a rolling reboot: names and phases of its hosts."""
    hosts = [{"name": name, "cluster": "gpu", "phase": phase} for name, phase in phases]
    return {"state": "planned", "timeline": {}, "hosts": hosts, "changes": [], **more}


class TestRebootOutcome:
    change = {"target": "esx-01", "kind": "reboot", "subject": "host", "before": "running", "after": "rebooted"}  # noqa: RUF012
    seen = rolled(
        ("esx-01", "waiting"),
        ("esx-02", "idle"),
        ("esx-03", "blocked"),
        changes=[change],
        changed=True,
        error_code="pinned",
        msg="esx-03 cannot be emptied",
    )

    def test_what_was_done_counts(self) -> None:
        done = rolled(("esx-01", "done"), ("esx-03", "blocked"), state="stalled", changes=[self.change], changed=True)
        kept = reboot_outcome(self.seen, done, True, False)
        assert (kept["owing"], kept["owed"]) == (["esx-01", "esx-03"], ["esx-03"])
        assert kept["changes"] == [self.change]

    def test_refused_consent_leaves_the_debt_and_changes_nothing(self) -> None:
        kept = reboot_outcome(self.seen, {"skipped": True}, False, False)
        assert (kept["owed"], kept["changes"], kept["changed"], kept["trouble"]) == (
            ["esx-01", "esx-03"],
            [],
            False,
            "",
        )
        assert lines(kept) == ["these hosts still require a reboot: esx-01, esx-03"]

    def test_a_preview_counts_what_consent_would_allow_and_says_it_is_missing(self) -> None:
        kept = reboot_outcome(self.seen, {}, None, True)
        assert (kept["owed"], kept["changes"], kept["trouble"]) == ([], [self.change], "refused")
        assert "rolling_reboot_consent is not set" in lines(kept)[-1]

    def test_a_preview_with_refused_consent_counts_nothing(self) -> None:
        assert reboot_outcome(self.seen, {}, False, True)["changes"] == []

    def test_nothing_owed(self) -> None:
        kept = reboot_outcome(rolled(("esx-02", "idle")), {"skipped": True}, None, False)
        assert (kept["owing"], kept["owed"], kept["trouble"]) == ([], [], "")

    def test_a_vcenter_that_did_not_answer_is_a_failure(self) -> None:
        kept = reboot_outcome({"error_code": "unreachable", "msg": "Cannot reach vc"}, {"skipped": True}, False, False)
        assert kept["trouble"] == "failed"


@pytest.mark.parametrize(
    ("kind", "before", "after", "line"),
    [
        ("attach", None, {"backing": "dynamic", "device": "10de:20f1 A100"}, "attach X (10de:20f1 A100, dynamic)"),
        ("detach", {"backing": "fixed", "device": "10de:20f1"}, None, "detach X (10de:20f1, fixed)"),
        ("power_on", "poweredOff", "poweredOn", "X: poweredOff → poweredOn"),
        ("enter_maintenance", False, True, "enter maintenance mode"),
        ("reboot", {"pending": ["0000:3b:00.0"]}, {"pending": []}, "reboot"),
        ("memory", 4096, "unlimited", "X: 4096 → unlimited"),
    ],
)
def test_change_lines(kind: str, before: object, after: object, line: str) -> None:
    assert change_line({"kind": kind, "subject": "X", "before": before, "after": after}) == line
