# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rolling reboot that a signal stops, and its page while it is in progress. With real signals and processes: tests/controller."""

from __future__ import annotations

import json
import os
import signal
import stat
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling import live_display
from tests.unit.action.records import NOON, change, outcome
from tests.unit.action.rolling_runs import Elsewhere, Roll

pytestmark = pytest.mark.usefixtures("usual_signals")

OFF = {"name": "train-01", "host": "esx-1", "since": NOON, "state": "off"}
BEGUN = {
    "hosts": [{"name": "esx-1", "cluster": "gpu-a", "phase": "booting", "since": NOON}],
    "vms_off": [OFF],
    "at_most": 600.0,
}
INTERRUPTED = outcome(("done", 0, 9), state="interrupted", failed=True, msg="stopped", error_code="interrupted")


class Exited(BaseException):
    """The process ends here."""


@pytest.fixture(autouse=True)
def _no_exit(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unexpected end of the process would be one of pytest, without a failed test."""

    def failed(code: int) -> None:
        pytest.fail(f"the process would end here with status {code}")

    monkeypatch.setattr(os, "_exit", failed)


@pytest.fixture
def roll(tmp_path: Path) -> Roll:
    made = Roll(folder=tmp_path)
    made.options = {"timeline_html": str(tmp_path / "t.html"), "timeline_json": str(tmp_path / "t.json")}
    return made


def shared(roll: Roll) -> Path:
    (folder,) = roll.temporary.glob("progress-*")
    return folder


def booting(roll: Roll, then: Callable[[], object]) -> dict[str, Any]:
    """A module that stores its state, as the real one, and then works on."""

    def work() -> None:
        state = outcome(("booting", 0, 5), ended=False, state="working", in_progress=BEGUN)
        (shared(roll) / "state.json").write_text(json.dumps(state), encoding="utf-8")
        then()

    return {"then": work, "result": INTERRUPTED}


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


def page(roll: Roll) -> str:
    return (roll.folder / "t.html").read_text(encoding="utf-8")


def test_an_earlier_page_is_replaced_before_the_module_is_called(roll: Roll) -> None:
    (roll.folder / "t.html").write_text("an earlier run", encoding="utf-8")
    seen: list[str] = []
    roll.run({"then": lambda: seen.append(page(roll)), "result": outcome(("done", 0, 1))})
    assert "in progress, last update" in seen[0]
    assert "The hosts have not been read yet." in seen[0]
    assert "in progress, last update" not in page(roll)
    assert roll.screen.lines[0] == (
        f"timeline_html: {roll.folder / 't.html'} (updated from now on). timeline_json: {roll.folder / 't.json'} "
        """(updated from now on). To pause: ansible-playbook directpath.vsphere.pause -e '{"pause_reason": "why"}'"""
    )


def test_the_page_shows_what_is_off_while_the_module_works(roll: Roll) -> None:
    roll.run(booting(roll, roll.until(lambda: "train-01" in page(roll))))
    assert "train-01" not in page(roll)
    assert stat.S_IMODE((roll.folder / "t.html").stat().st_mode) == 0o600
    assert [path.name for path in roll.folder.iterdir() if path.is_file()] == ["t.html", "t.json"]


def test_a_run_that_could_not_begin_leaves_no_page_that_says_in_progress(roll: Roll) -> None:
    roll.run({"result": {"failed": True, "msg": "The login was rejected.", "error_code": "login", "changed": False}})
    assert "in progress, last update" not in page(roll)
    assert "The login was rejected." in page(roll)


def test_ctrl_c_is_a_request_to_the_module_and_says_what_is_off(roll: Roll) -> None:
    asked: list[str] = []

    def press() -> None:
        send(signal.SIGINT)
        asked.append((shared(roll) / "stop").read_text(encoding="utf-8"))
        send(signal.SIGTERM)  # ansible-playbook ends its workers

    rolled = roll.run(booting(roll, press))
    assert asked == ["SIGINT"]
    assert rolled == {
        "changed": True,
        "failed": True,
        "msg": "stopped",
        "error_code": "interrupted",
        "state": "interrupted",
    }
    told = "".join(roll.direct)
    assert "stopping (Ctrl-C): no further host is started\n" in told
    assert "VMs off because of this run: train-01 (for esx-1" in told
    assert "Ctrl-C again stops at once" in told
    assert "interrupted after 9 s" in told, "the display is not read any more"
    assert "interrupted" in page(roll)


def test_a_second_ctrl_c_ends_the_process_at_once(roll: Roll) -> None:
    def press() -> None:
        send(signal.SIGINT)
        send(signal.SIGINT)

    with mock.patch.object(os, "_exit", side_effect=Exited), pytest.raises(Exited):
        roll.run(booting(roll, press))
    told = "".join(roll.direct)
    assert "stopped at once (Ctrl-C was pressed again" in told
    assert "hosts left as they are: gpu-a esx-1 (booting" in told
    assert list(roll.temporary.iterdir()) == []
    assert "interrupted at" in page(roll)
    assert "train-01" in page(roll)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_after_these_the_process_finishes_without_ansible_playbook(roll: Roll, number: signal.Signals) -> None:
    parents = [1234]

    def end() -> None:
        send(number)
        parents.append(1)
        roll.watched()

    with mock.patch.object(live_display.os, "getppid", side_effect=lambda: parents[-1]):
        roll.run(booting(roll, end))
    told = "".join(roll.direct)
    assert f"stopping ({number.name})" in told
    assert f"process {os.getpid()} finishes this in the background" in told
    assert "interrupted after 9 s" in told


def test_a_terminal_that_has_gone_is_the_same_as_sighup(roll: Roll) -> None:
    parents = [1234]

    def lose() -> None:
        roll.is_hung_up = True
        parents.append(1)
        roll.until((shared(roll) / "stop").exists)()

    with mock.patch.object(live_display.os, "getppid", side_effect=lambda: parents[-1]):
        roll.run(booting(roll, lose))
    assert "stopping (SIGHUP)" in "".join(roll.direct)


def test_a_module_elsewhere_gets_the_request_with_its_next_slice(roll: Roll) -> None:
    roll.connection = Elsewhere
    part = outcome(("booting", 0, 5), ended=False, state="working", in_progress=BEGUN)
    roll.run(
        {"result": part},
        {"then": lambda: send(signal.SIGTERM), "result": part},
        {"result": INTERRUPTED},
    )
    assert [call.params.get("stop_reason") for call in roll.calls] == [None, None, "SIGTERM"]
    told = "".join(roll.direct)
    assert "no further host is started in at most 60 s" in told
    assert "VMs off because of this run: train-01" in told


def test_a_module_that_dies_leaves_lines_and_a_page_that_say_what_is_off(roll: Roll) -> None:
    work = booting(roll, lambda: None)["then"]
    roll.run({"then": work, "result": {"failed": True, "msg": "MODULE FAILURE", "rc": 1}})
    assert "stopped at once (the module failed). Nothing is lost: the journal shows what was begun" in roll.lines
    assert any(line.startswith("VMs off because of this run: train-01") for line in roll.lines)
    assert "to get VMs and hosts back: ansible-playbook directpath.vsphere.restore" in roll.lines
    assert "MODULE FAILURE" in page(roll)
    assert "train-01" in page(roll)


def test_lines_before_a_signal_go_through_the_display(roll: Roll) -> None:
    roll.run({"progress": [change("esx-1", "rebooting", "booting")], "result": outcome(("done", 0, 1))})
    assert roll.direct == []


def test_times_are_those_of_this_machine_if_the_clock_of_the_server_differs(roll: Roll) -> None:
    def differing() -> list[str]:
        return [line for line in roll.screen.lines if "the clock of" in line]

    def work() -> None:
        state = outcome(("booting", 0, 5), ended=False, state="working", server_time=time.time() + 300)
        (shared(roll) / "state.json").write_text(json.dumps(state), encoding="utf-8")
        roll.until(lambda: bool(differing()))()

    roll.run({"then": work, "result": outcome(("done", 0, 9), server_time=time.time() + 310)})
    assert [line.partition(" is ")[2] for line in differing()] == [
        "5 min ahead of this machine. Times are those of this machine"
    ]


@pytest.mark.parametrize("connection", [None, Elsewhere], ids=["here", "elsewhere"])
def test_the_difference_is_known_before_the_first_line(roll: Roll, connection: Any) -> None:
    roll.connection = connection or roll.connection
    ahead = time.time() + 7860
    found = {"at": ahead, "kind": "note", "text": "found: esx-1 failed (by bob@vm, since 2026-03-12 03:00 UTC)"}
    ended = outcome(("done", 0, 9), server_time=ahead, notes=[found["text"]])
    roll.run({"progress": [found], "then": roll.watched, "result": ended})
    lines = roll.lines
    told = next(n for n, line in enumerate(lines) if "the clock of" in line)
    assert told < next(n for n, line in enumerate(lines) if "found: esx-1" in line)
    assert not [line for line in lines if "03:00" in line or f"{time.gmtime(ahead).tm_hour:02}:" in line.split(" ")[0]]


def test_the_schedule_shows_times_of_this_machine_with_date_and_zone(roll: Roll) -> None:
    roll.check = True
    schedule = {"hosts": [], "left": [], "in_progress": ["esx-1 failed (by bob@vm, since 2026-03-12 13:00 UTC)"]}
    roll.run({"result": {"schedule": schedule, "ended": True, "server_time": time.time() + 7860, "changed": False}})
    assert "131 min ahead" in roll.lines[0] or "2 h 11 min ahead" in roll.lines[0]
    (line,) = (line for line in roll.lines if "esx-1 failed" in line)
    assert datetime.fromtimestamp(1773320400 - 7860).astimezone().strftime("since %Y-%m-%d %H:%M ") in line


@pytest.mark.parametrize("ahead", [0, 7860, -600])
def test_the_page_shows_its_last_update_by_the_clock_of_this_machine(roll: Roll, ahead: int) -> None:
    began = datetime.now().astimezone()

    def work() -> None:
        state = outcome(("booting", 0, 5), ended=False, state="working", server_time=time.time() + ahead)
        (shared(roll) / "state.json").write_text(json.dumps(state), encoding="utf-8")
        roll.until(lambda: "booting" in page(roll))()

    seen: list[str] = []
    roll.run({"then": lambda: (work(), seen.append(page(roll))), "result": outcome(("done", 0, 9))})
    minutes = {f"last update {at:%H:%M}" for at in (began, datetime.now().astimezone())}
    assert any(text in seen[0] for text in minutes)


def test_a_kill_right_after_a_line_names_the_vm_of_the_line(roll: Roll) -> None:
    state = outcome(("draining", 0, 5), ended=False, state="working", in_progress={"hosts": [], "vms_off": []})
    note = {"at": NOON + 501, "kind": "note", "text": "esx-1: shutting down train-01"}
    record = {**note, "vm": "train-01", "host": "esx-1", "action": "stop_vm"}

    def work() -> None:
        (shared(roll) / "state.json").write_text(json.dumps(state), encoding="utf-8")

    result = {"failed": True, "msg": "MODULE FAILURE", "rc": 1}
    roll.run({"progress": [record], "then": work, "result": result})
    assert any(
        line.startswith("VMs off because of this run: train-01 (shutting down, for esx-1") for line in roll.lines
    )
    assert not any(line.startswith("no VM was off") for line in roll.lines)
