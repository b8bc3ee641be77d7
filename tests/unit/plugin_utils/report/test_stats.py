# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a role passes to the next job of a workflow."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from ansible_collections.directpath.vsphere.plugins.plugin_utils.drift.files import merge_results, summarize
from ansible_collections.directpath.vsphere.plugins.plugin_utils.intent.variable_names import KNOWN, suspects
from ansible_collections.directpath.vsphere.plugins.plugin_utils.report.stats import _RECORDS, run_stats
from ansible_collections.directpath.vsphere.plugins.plugin_utils.report.text import outcome, reboot_outcome
from tests.unit.module_utils._domain.drift.reports import difference, part

HOST = {"name": "esx-1", "phase": "waiting"}
PLAN = {"hosts": [HOST], "schedule": {"hosts": [HOST]}, "summary": "1 checked, 0 rebooted", "changed": True}
RESUME = "Repair esx-1, then run the same playbook again"
HALTED = {
    "hosts": [{"name": "esx-1", "phase": "failed"}, {"name": "esx-2", "phase": "done"}],
    "summary": "2 checked, 1 rebooted, 1 failed",
    "msg": "esx-1 did not come back.",
    "error_code": "reboot_timeout",
    "rebooted": ["esx-2"],
    "resume": [RESUME],
    "changed": True,
}


def reboots(result: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = run_stats(result, "reboots", "vc-1")["directpath_stats_reboots"]["vc-1"]
    return found


def test_a_check_run_publishes_the_hosts_that_require_a_reboot_now() -> None:
    """The role goes on as if they had been rebooted."""
    planned = reboot_outcome(PLAN, {}, None, True)
    assert planned["owed"] == []
    assert reboots(planned)["pending_reboot"] == ["esx-1"]


def test_a_reboot_that_stopped_publishes_what_is_left_and_how_to_resume() -> None:
    found = reboots(reboot_outcome(PLAN, HALTED, True, False))
    assert (found["status"], found["rebooted"], found["pending_reboot"]) == ("refused", ["esx-2"], ["esx-1"])
    assert (found["resume"], found["msg"]) == ([RESUME], "esx-1 did not come back.")


def test_nothing_is_left_after_a_reboot_of_all() -> None:
    done = {**HALTED, "hosts": [{"name": "esx-2", "phase": "done"}], "resume": []}
    del done["error_code"]
    found = reboots(reboot_outcome(PLAN, done, True, False))
    assert (found["status"], found["pending_reboot"], found["pending_reboot_count"], found["resume"]) == (
        "ok",
        [],
        0,
        [],
    )


def test_drift_has_its_status_its_counts_and_the_hosts_with_a_pending_reboot() -> None:
    parts = [part("a"), part("b", found=(difference("pending_reboot"), difference("disabled")))]
    summary = summarize(merge_results([(one["vcenter"], {"report": one}) for one in parts]), [])
    found = run_stats(summary, "drift")["directpath_stats_drift"]
    assert (found["status"], found["drift"], found["vcenters"]) == ("drift", 2, {"a": "in_sync", "b": "drift"})
    assert found["kinds"] == {"disabled": 1, "pending_reboot": 1}
    assert (found["pending_reboot"], found["pending_reboot_count"]) == ([difference().object], 1)


def test_verify_has_the_first_differences() -> None:
    result = {"differences": ["x" * 1000] * 50, "hosts": [{"name": "esx-1", "pending": ["0000:3b:00.0"]}]}
    found = run_stats(result, "verify", "vc-1")["directpath_stats_verify"]["vc-1"]
    assert (found["status"], found["differences"], len(found["first"]), found["pending_reboot"]) == (
        "drift", 50, 10, ["esx-1"]
    )  # fmt: skip


def test_it_stays_small_in_a_large_fleet() -> None:
    names = [f"esx-{number:05}.{'long-name.' * 10}example.com" for number in range(10_000)]
    result = {**outcome(None), "reboot_required": names}
    found = run_stats(result, "hosts", "vc-1")["directpath_stats_hosts"]["vc-1"]
    assert (len(found["pending_reboot"]), found["pending_reboot_count"]) == (100, 10_000)
    assert len(json.dumps(found)) < 20_000


@pytest.mark.parametrize("name", ["{{ lookup('env', 'HOME') }}", "{% raw %}", "{# x #}", "esx\x1b[31m"])
def test_text_of_a_server_is_data(name: str) -> None:
    """``set_stats`` renders its data, and the next job renders its extra variables."""
    result = {**outcome(None), "reboot_required": [name], "summary": name}
    data = run_stats(result, "hosts", name)
    rendered = Templar(loader=DataLoader()).template(data)["directpath_stats_hosts"]
    ((vcenter, record),) = rendered.items()
    shown = name.replace("\x1b", "\\x1b")
    assert (vcenter, record["pending_reboot"], record["summary"]) == (shown, [shown], shown)


@pytest.mark.parametrize("subject", _RECORDS)
def test_the_names_are_known_and_no_option(subject: str) -> None:
    name = f"directpath_stats_{subject}"
    assert name not in KNOWN
    assert suspects([name], [name], []) == []
