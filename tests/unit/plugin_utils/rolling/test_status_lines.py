# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of the status: what to do next, the exact command on a line of its own, and no noise."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.status_lines import judge_status, status_lines

RESTORE = "ansible-playbook directpath.vsphere.restore"
NOW = 1_800_000_000.0


def host(step: str = "rebooting", name: str = "esx-01", **more: Any) -> dict[str, Any]:
    return {
        "name": name, "moid": name, "cluster": "gpu", "step": step, "doing": "its reboot was requested", "since": NOW - 50,
        "connection": "connected", "in_maintenance": False, "reason": "", "code": "", "next": "its verification", **more,
    }  # fmt: skip


def advice(do: str, command: str = "", after: float | None = None) -> dict[str, Any]:
    return {"do": do, "command": command, "after": after}


def status(alive: str = "no", power: str = "off", **run: Any) -> dict[str, Any]:
    """One run that has shut down train-01 for esx-01."""
    vm = {
        "name": "train-01", "power": power, "host": "esx-01", "since": NOW - 60, "forced": False, "removed": False,
        "host_moid": "host-1",
    }  # fmt: skip
    record = {
        "run_id": "5f0d21c7", "purpose": "reboot", "owner": "alice@bastion-7:4711:1:x", "alive": alive,
        "interrupted": alive != "yes", "ended_early": False, "since": NOW - 100, "last_heartbeat": NOW - 5, "lock_free_at": NOW + 295,
        "hosts": [host(connection="notResponding", in_maintenance=True)], "vms": [vm], "next": [advice("repair esx-01, then", RESTORE)],
        **run,
    }  # fmt: skip
    return {
        "vcenter": "vc", "status": "attention", "runs": [record], "pauses": [], "unreadable": [], "clock_difference": 0, "pending": [],
        "vms_off": ["train-01"] if power != "on" else [], "journal": {"vcenter": True, "file_exists": False, "file": ""},
    }  # fmt: skip


def texts(result: dict[str, Any]) -> list[str]:
    return [line.text for line in status_lines(result, UTC, NOW)]


def test_the_command_is_on_a_line_of_its_own_as_it_is_pasted() -> None:
    shown = texts(status())
    place = shown.index("    next: repair esx-01, then:")
    assert shown[place + 1] == f"      {RESTORE}"


def test_alternatives_follow_with_the_time_before_which_they_are_wrong() -> None:
    steps = [
        advice("wait: this run powers on train-01 itself"),
        advice("only if its heartbeat stops", RESTORE, NOW + 295),
    ]
    shown = texts(status("yes", next=steps))
    assert "    next: wait: this run powers on train-01 itself" in shown
    place = shown.index("    then: only if its heartbeat stops (no new one until 08:04 (in 5 min)):")
    assert shown[place + 1] == f"      {RESTORE}"


def test_the_failure_says_what_to_do_first_and_ends_with_the_command() -> None:
    assert judge_status(status(), "fail")["msg"].endswith(f"Repair esx-01, then: {RESTORE}")
    assert judge_status(status(), "report") == {}


def test_the_failure_of_an_interrupted_run_beside_a_live_one_is_about_the_interrupted_one() -> None:
    both = status("yes", next=[advice("wait")])
    both["runs"] += status()["runs"]
    assert judge_status(both, "fail")["msg"].endswith(RESTORE)
    alone = status("yes", next=[advice("wait: this run powers on train-01 itself")])
    assert judge_status(alone, "fail")["msg"].endswith(" Wait: this run powers on train-01 itself.")


def early(pending: list[str] | None, **more: Any) -> dict[str, Any]:
    left = {"interrupted": False, "ended_early": True, "vms": [], "hosts": [], "next": [advice("to continue, run it")]}
    return {**status(**{**left, **more}), "status": "idle", "vms_off": [], "pending": pending}


@pytest.mark.parametrize(
    ("pending", "state"),
    [
        (None, "ended early; which hosts still require a reboot is unknown"),
        ([], "ended before it cleared its journal; no device requires a reboot any more"),
        (["gpu-09.lab"], "ended early; 1 host still requires a reboot (gpu-09.lab)"),
        (
            ["gpu-01.lab", "gpu-02.lab", "gpu-03.lab", "edge-1"],
            "ended early; 4 hosts still require a reboot (edge-1, gpu-01.lab to gpu-03.lab)",
        ),
    ],
)
def test_a_run_that_ended_early_says_how_many_hosts_are_left(pending: list[str] | None, state: str) -> None:
    shown = texts(early(pending))
    assert shown[0] == "vc: no VM is off and no host is out of service because of a rolling reboot; 1 ended early"
    assert f": {state}, began " in shown[1]
    assert "    next: to continue, run it" in shown
    assert judge_status(early(pending), "fail") == {}


def test_an_owner_that_is_not_in_the_journal_is_left_out() -> None:
    assert "  run 5f0d21c7: ended early" in texts(early(["a"], owner="", last_heartbeat=None))[1]


def test_hosts_that_are_done_share_one_line_and_others_do_not() -> None:
    done = [host("done", f"gpu-{number:02}.lab") for number in range(1, 9)]
    others = [
        host("blocked", "edge-1"),
        host("done", "edge-2", in_maintenance=True),
        host("failed", "edge-3", doing="it failed"),
    ]
    shown = texts(status(hosts=[*done, *others]))
    assert "    8 hosts done (gpu-01.lab to gpu-08.lab); 1 host back in service without a reboot (edge-1)" in shown
    assert [line.split(":")[0] for line in shown if line.startswith("    gpu ")] == ["    gpu edge-2", "    gpu edge-3"]


def test_a_host_that_does_not_respond_is_named_in_words() -> None:
    assert any(line.endswith(" [not responding, in maintenance mode]") for line in texts(status()))


def test_a_vm_that_runs_again_is_not_called_shut_down() -> None:
    shown = texts(status(power="on"))
    assert "    running VM train-01: is running again (shut down for esx-01, 07:59 (60 s ago))" in shown


def test_the_guide_is_a_path_that_can_be_opened() -> None:
    (note,) = [line for line in texts(status()) if "all commands" in line]
    assert Path(note.rpartition(": ")[2]).read_text(encoding="utf-8").startswith("# Emergency")
    assert not any("all commands" in line for line in texts(early([])))
