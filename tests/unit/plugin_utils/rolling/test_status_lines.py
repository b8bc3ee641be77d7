# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the status says to do next. At night a person does what it says, so it must fit the state of the run."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling.status_lines import judge_status, status_lines

RESTORE = "ansible-playbook directpath.vsphere.restore"
NOW = 1_800_000_000.0


def status(alive: str, power: str = "off", **run: Any) -> dict[str, Any]:
    """One run that has shut down train-01 for esx-01."""
    vm = {
        "name": "train-01",
        "power": power,
        "host": "esx-01",
        "since": NOW - 60,
        "forced": False,
        "removed": False,
        "host_moid": "host-1",
    }
    host = {
        "name": "esx-01", "moid": "host-1", "cluster": "gpu", "step": "rebooting", "doing": "its reboot was requested", "since": NOW - 50,
        "connection": "notResponding", "in_maintenance": True, "reason": "", "next": "its verification",
    }  # fmt: skip
    record = {
        "run_id": "5f0d21c7", "purpose": "reboot", "owner": "alice@bastion-7:4711:1:x", "alive": alive,
        "interrupted": alive != "yes", "since": NOW - 100, "last_heartbeat": NOW - 5, "lock_free_at": NOW + 295,
        "hosts": [host], "vms": [vm], **run,
    }  # fmt: skip
    return {
        "vcenter": "vc", "status": "attention", "runs": [record], "pauses": [], "unreadable": [], "clock_difference": 0,
        "vms_off": ["train-01"] if power != "on" else [], "journal": {"vcenter": True, "file_exists": False, "file": ""},
    }  # fmt: skip


def next_line(result: dict[str, Any]) -> str:
    (line,) = [line.text.strip() for line in status_lines(result, UTC, NOW) if line.text.strip().startswith("next: ")]
    return line


@pytest.mark.parametrize("power", ["off", "unknown"])
def test_while_a_run_is_alive_a_person_waits(power: str) -> None:
    line = next_line(status("yes", power))
    assert line.startswith("next: Wait: this run powers on train-01 itself (coming: esx-01: its verification).")
    assert line.endswith(f"Only if its heartbeat stops (no new one until 08:04 (in 5 min)): {RESTORE}")
    assert RESTORE not in judge_status(status("yes", power), "fail")["msg"]
    assert "powers on its VMs itself" in judge_status(status("yes", power), "fail")["msg"]


def test_while_a_run_is_alive_and_no_vm_is_off_there_is_nothing_to_wait_for() -> None:
    assert next_line(status("yes", "on")) == "next: esx-01: its verification"


@pytest.mark.parametrize("step", ["failed", "withdrawn"])
def test_a_live_run_does_not_power_on_the_vms_of_a_host_that_it_gave_up(step: str) -> None:
    result = status("yes")
    result["runs"][0]["hosts"][0].update(step=step, next="")
    line = next_line(result)
    assert "itself" not in line
    assert line.endswith(f"because the run gave up their host: train-01. Then: {RESTORE}")


@pytest.mark.parametrize("alive", ["no", "unknown"])
def test_an_interrupted_run_says_restore_and_that_it_reboots_nothing(alive: str) -> None:
    line = next_line(status(alive))
    assert f"To get the VMs back first: {RESTORE} (it reboots no host)" in line
    assert "To continue: run the same playbook again" in line
    assert RESTORE in judge_status(status(alive), "fail")["msg"]


def test_with_no_vm_off_it_is_the_hosts_that_come_back() -> None:
    assert f"To get the hosts back first: {RESTORE}" in next_line(status("no", vms=[]))


def test_an_interrupted_run_beside_a_live_one_still_says_restore() -> None:
    both = status("no")
    both["runs"] += status("yes")["runs"]
    assert RESTORE in judge_status(both, "fail")["msg"]
