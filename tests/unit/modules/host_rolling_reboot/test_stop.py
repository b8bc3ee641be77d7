# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run is asked to stop at any moment: it finishes what it has begun, begins nothing, and the next run does the rest."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling import state_file
from tests.unit.modules.harness import Failed
from tests.unit.modules.host_rolling_reboot.lab import Roll

pytestmark = pytest.mark.slow


def outcome(roll: Roll, **more: Any) -> dict[str, Any]:
    """The result, whether it is a failure or not."""
    try:
        return roll.run(**more)
    except Failed:
        return roll.lab.passed[-1]


def assert_all_in_service(roll: Roll) -> None:
    assert {vm["name"] for vm in roll.vms() if vm["power"] == "poweredOn"} == roll.running
    assert not [host["name"] for host in roll.hosts() if host["maintenance"] or host["entering"]]


@pytest.mark.parametrize("seconds", [0, 5, 40, 100, 300, 700])
def test_what_was_begun_is_finished_and_nothing_else(seconds: float, tmp_path: Path) -> None:
    roll = Roll.pinned(pinned_vms="shutdown")
    requested: set[str] = set()

    def ask() -> None:
        requested.update(roll.reboots())
        (tmp_path / "stop").write_text("SIGTERM", encoding="utf-8")

    roll.at(seconds, ask)
    result = outcome(roll, shared_dir=str(tmp_path))
    assert result["state"] == "interrupted"
    assert set(roll.reboots()) == requested
    assert_all_in_service(roll)
    assert result["in_progress"]["hosts"] == result["in_progress"]["vms_off"] == []
    assert (result["failed"], result["error_code"]) == (True, "interrupted")
    assert "stopped by SIGTERM" in result["msg"]
    assert "No host is in progress, and no VM is off because of it" in result["msg"]
    assert "Run the same playbook again to continue" in result["msg"]
    assert (result["counts"]["blocked"], result["counts"]["done"]) == (0, len(requested))
    (seen,) = [note for note in result["notes"] if note.startswith("seen after the request to stop: ")]
    assert ("no host is in progress" in seen) == (seconds == 0)
    (tmp_path / "stop").unlink()
    assert roll.run()["state"] == "finished"
    assert set(roll.reboots().values()) == {1}
    assert_all_in_service(roll)


def test_a_slice_in_which_it_is_asked_to_stop_lasts_until_that_is_done(tmp_path: Path) -> None:
    roll = Roll.pinned(pinned_vms="shutdown")
    roll.at(200, lambda: (tmp_path / "stop").write_text("SIGINT", encoding="utf-8"))
    result = outcome(roll, shared_dir=str(tmp_path), slice=210)
    assert (result["ended"], result["state"]) == (True, "interrupted")
    assert_all_in_service(roll)


def test_a_slice_of_a_run_that_was_asked_to_stop_ends_in_time() -> None:
    roll = Roll.pinned(pinned_vms="shutdown", run_id="me")
    part = outcome(roll, slice=200)
    again = {"continue_run": True, "resolved": part["resolved"], "earlier_slices": part["earlier_slices"]}
    again["stopped_vms"] = part["stopped_vms"]
    assert part["in_progress"]["hosts"] != []
    part = outcome(roll, slice=1, stop_reason="SIGTERM", **again)
    assert part["ended"] is False
    part = outcome(roll, slice=3000, stop_reason="SIGTERM", **again)
    assert (part["ended"], part["state"]) == (True, "interrupted")
    assert_all_in_service(roll)


def test_a_run_whose_hosts_are_all_done_is_finished(tmp_path: Path) -> None:
    roll = Roll.of(cluster=["compute"], owing=False)
    (tmp_path / "stop").write_text("SIGTERM", encoding="utf-8")
    assert roll.run(shared_dir=str(tmp_path))["state"] == "finished"


@pytest.mark.usefixtures("usual_signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_to_the_module_itself_is_the_same_request(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    roll = Roll.pinned(pinned_vms="shutdown")
    roll.at(100, lambda: os.kill(os.getpid(), number))
    result = outcome(roll)
    assert (result["state"], result["reasons"]) == (
        "interrupted",
        ["stopped by Ctrl-C" if number == signal.SIGINT else f"stopped by {number.name}"],
    )
    assert_all_in_service(roll)
    assert signal.getsignal(number) == before


def test_check_mode_takes_no_signals_and_writes_no_state(tmp_path: Path) -> None:
    roll = Roll.of(cluster=["compute"])
    roll.lab.run("host_rolling_reboot", check=True, **roll.options, shared_dir=str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_the_state_names_what_is_off_while_it_is_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        state_file, "SHARE", float("inf")
    )  # written in each round, however fast the simulated time passes
    roll = Roll.pinned(pinned_vms="shutdown")
    seen: list[dict[str, Any]] = []

    def look() -> None:
        seen.append(json.loads((tmp_path / "state.json").read_text(encoding="utf-8")))

    for seconds in range(5, 600, 5):
        roll.at(seconds, look)
    roll.run(shared_dir=str(tmp_path))
    assert {state["ended"] for state in seen} == {False}
    off = [
        state["in_progress"] for state in seen if any(vm["state"] == "off" for vm in state["in_progress"]["vms_off"])
    ]
    assert {vm["name"] for begun in off for vm in begun["vms_off"]} <= {"train-01", "train-02"}
    assert off
    assert all(begun["at_most"] > 0 for begun in off)
    assert (tmp_path / "state.json").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]
    assert "VMware1!" not in (tmp_path / "state.json").read_text(encoding="utf-8")
