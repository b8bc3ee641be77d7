# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of modules in words."""

from __future__ import annotations

from typing import Any

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.report import (
    differences,
    lines,
    settled_targets,
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
        "  0000:3b:00.0 is enabled and waits for a reboot",
        "esx-02: refused",
        "  refused: 0000:18:00.0 is the management uplink. Candidates: a. Leave it.",
        "  note: console GPU",
        "esx-03: as wanted",
    ]


def test_lines_fall_back_to_the_summary() -> None:
    assert lines({"hosts": [], "summary": "Nothing was asked."}) == ["Nothing was asked."]


def test_no_difference_when_everything_is_as_wanted() -> None:
    assert differences([{"hosts": [host("esx-01", "ok")], "changes": []}, {"vms": [host("vm", "ok")]}]) == []


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
            {"failed": True, "msg": "Cannot reach vc: connection refused."},
        ]
    )
    assert found == [
        "esx-01: 0000:3b:00.0 off → on, label - → a100 (10de:20f1 A100) is still to be done",
        "esx-02: 0000:af:00.0 is enabled, but not active before a reboot",
        "esx-03: 0000:18:00.0 is the management uplink. Candidates: a. Leave it.",
        "esx-04: skipped",
        "vm: memory memory reservation: mb 0 → locked yes is still to be done",
        "Cannot reach vc: connection refused.",
    ]


def test_settled_targets_spell_out_clusters_and_leave_out_waiting_hosts() -> None:
    hosts = [{"name": "a1", "cluster": "a"}, {"name": "a2", "cluster": "a"}, {"name": "b1", "cluster": "b"}]
    targets = [{"cluster": ["a"], "devices": ["10de:20f1"]}, {"hosts": ["B1"], "devices": ["8086:1572"]}]
    assert settled_targets(targets, hosts, ["a2", "b1"]) == [{"hosts": ["a1"], "devices": ["10de:20f1"]}]
