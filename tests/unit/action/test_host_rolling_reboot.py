# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rolling reboot as its user sees it: which lines come when, how slices become one run, what is left of it.

``tests/controller`` has the rest: a real terminal, a real log, ansible-runner, and ansible-playbook killed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from ansible.errors import AnsibleConnectionFailure

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling.run_owner import is_gone
from ansible_collections.directpath.vsphere.plugins.plugin_utils.rolling import live_display
from ansible_collections.directpath.vsphere.plugins.plugin_utils.tasks import in_slices as plugin
from tests.unit.action.records import LINE, NOON, change, outcome
from tests.unit.action.rolling_runs import PASSWORD, Elsewhere, Roll
from tests.unit.patience import PATIENCE


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The clock by which lines tell the time, and a terminal that can do what terminals do."""
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("VMWARE_HOST", raising=False)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def roll(tmp_path: Path) -> Roll:
    return Roll(folder=tmp_path)


def test_a_log_gets_plain_lines_the_end_and_the_places_of_the_reports(roll: Roll) -> None:
    roll.options = {"timeline_html": str(roll.folder / "t.html"), "timeline_json": str(roll.folder / "t.json")}
    records = [change("esx-1", "rebooting", "booting"), change("esx-1", "booting", "failed", 60)]
    roll.run({"progress": records, "result": outcome(("draining", 0, 10), ("done", 10, 20))})
    assert roll.lines == [
        LINE,
        "12:01:00 gpu-a esx-1 booting → failed          02:10 why failed",
        "12:01:00 [############............] 1 of 2 done, 1 waiting",
        "finished after 10 s: [########################] 1 of 1 done",
        f"timeline_html: {roll.folder / 't.html'}",
        f"timeline_json: {roll.folder / 't.json'}",
    ]
    assert roll.screen.raw == []


def test_lines_come_while_the_module_still_works(roll: Roll) -> None:
    early: list[str] = []

    def look() -> None:
        roll.until(lambda: LINE in roll.lines)()
        early.extend(roll.lines)

    roll.run({"progress": [change("esx-1", "rebooting", "booting")], "then": look, "result": outcome(("done", 0, 1))})
    assert early[0] == LINE
    assert not any(line.startswith("finished") for line in early)


def test_reports_are_written_where_the_user_is_and_not_where_the_playbook_is(
    roll: Roll, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, home = roll.folder / "here", roll.folder / "home"
    here.mkdir()
    (home / "r").mkdir(parents=True)
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(home))
    roll.options = {"timeline_html": "t.html", "timeline_json": "~/r/t.json"}
    roll.run({"result": outcome(("done", 0, 1))})
    assert roll.lines[-2:] == [f"timeline_html: {here / 't.html'}", f"timeline_json: {home / 'r' / 't.json'}"]
    assert (here / "t.html").exists()
    assert (home / "r" / "t.json").exists()


@pytest.mark.parametrize("where", ["local", "directpath.vsphere.elsewhere"])
def test_a_role_has_its_own_variables_named_live_and_in_the_result(roll: Roll, where: str) -> None:
    roll.connection = Elsewhere if where == Elsewhere.transport else roll.connection
    cure = "has red alarms: Fan. See to them, or name them in ignore_alarms."
    blocked = change("esx-1", None, "blocked", reason=cure)
    roll.options = {
        "option_prefix": "rolling_reboot_",
        "option_names": {"full_post": "firmware_reboot_full_post"},
        "timeline_html": str(roll.folder / "t.html"),
    }
    result = outcome(("blocked", 0, 10), state="stalled", failed=True, transitions=[dict(blocked)])
    result["hosts"][0] |= {
        "blockers": [{"code": "full_post", "message": "esx-1 skips POST", "cure": "Set full_post: false"}]
    }
    result |= {"msg": "Set full_post: false", "resume": ["esx-1: run it again with failed_hosts: verify"]}
    rolled = roll.run({"progress": [blocked], "result": result})
    everything = "\n".join([*roll.lines, json.dumps(rolled)])
    assert not re.search(r"(?<!_)(ignore_alarms|failed_hosts|full_post: )", everything)
    assert roll.lines[0].endswith("has red alarms: Fan. See to them, or name them in rolling_reboot_ignore_alarms.")
    assert [line for line in roll.lines if line.startswith(("blocked:", "next:", "rolling_reboot_"))] == [
        "blocked: gpu-a esx-1 skips POST. Set firmware_reboot_full_post: false.",
        "next: esx-1: run it again with rolling_reboot_failed_hosts: verify",
        f"rolling_reboot_timeline_html: {roll.folder / 't.html'}",
    ]
    assert rolled["msg"] == "Set firmware_reboot_full_post: false"
    assert rolled["hosts"][0]["blockers"][0]["code"] == "full_post"


def test_slices_are_one_run_and_told_as_one(roll: Roll) -> None:
    roll.options = {"timeline_json": str(roll.folder / "t.json"), "timeline_html": str(roll.folder / "t.html")}
    waiting, draining, rebooting = ("waiting", 0, 1), ("draining", 1, 9), ("draining", 12, 20)
    rolled = roll.run(
        {
            "progress": [change("esx-1", None, "waiting"), change("esx-1", "waiting", "draining", 1)],
            "result": outcome(waiting, draining, ended=False, state="working", notes=["lock taken"]),
        },
        {
            "progress": [change("esx-1", None, "draining", 12), change("esx-1", "draining", "rebooting", 20)],
            "result": outcome(rebooting, ("rebooting", 20, 30), ended=False, state="working", rebooted=["esx-1"]),
        },
        {"progress": [change("esx-1", None, "done", 40)], "result": outcome(("done", 40, 50))},
    )
    assert [line.split(" ", 1)[1] for line in roll.lines if "esx-1" in line] == [
        "gpu-a esx-1 waiting → draining        02:10",
        "gpu-a esx-1 draining → rebooting      02:10",
        "gpu-a esx-1 rebooting → done          02:10",
    ]
    (owner,) = {call.params["run_id"] for call in roll.calls}
    assert [call.params.get("continue_run") for call in roll.calls] == [None, True, True]
    assert f":{os.getpid()}:" in owner
    assert not is_gone(owner), "the worker owns the run"
    assert rolled["calls"] == 30
    assert rolled["rebooted"] == ["esx-1"]
    assert rolled["notes"] == ["lock taken"]
    assert rolled["ended"] is True
    told = [(s["phase"], s["start"] - NOON, s["end"] - NOON) for s in rolled["timeline"]["hosts"][0]["segments"]]
    assert told == [("waiting", 0, 1), ("draining", 1, 20), ("rebooting", 20, 40), ("done", 40, 50)]
    file = json.loads((roll.folder / "t.json").read_text(encoding="utf-8"))
    assert file["timeline"] == rolled["timeline"]
    assert file["zone"] == "UTC"
    assert "rebooting 12:00:20 to 12:00:40 (00:20)" in (roll.folder / "t.html").read_text(encoding="utf-8")


def test_reports_are_there_after_every_slice(roll: Roll) -> None:
    path = roll.folder / "t.json"
    roll.options = {"timeline_json": str(path)}
    seen: list[Any] = []
    roll.run(
        {"result": outcome(("draining", 0, 5), ended=False, state="working")},
        {"then": lambda: seen.append(json.loads(path.read_text("utf-8"))), "result": outcome(("done", 5, 6))},
    )
    assert [report["state"] for report in seen] == ["working"]
    assert json.loads(path.read_text("utf-8"))["state"] == "finished"


def test_what_the_user_says_of_slices_run_and_progress_file_holds(roll: Roll) -> None:
    mine = roll.folder / "mine.jsonl"
    mine.write_text(json.dumps(change("esx-0", "booting", "done")) + "\n", encoding="utf-8")
    roll.options = {"slice": 0, "run_id": "me", "progress_file": str(mine)}
    roll.run({"progress": [change("esx-1", "rebooting", "booting")], "result": outcome(("done", 0, 1))})
    assert [line for line in roll.lines if "esx-" in line] == [LINE], "what was in the file before is no news"
    (call,) = roll.calls
    assert (call.params["slice"], call.params["run_id"]) == (0, "me")
    assert mine.exists()


def test_check_mode_calls_once_tells_the_schedule_and_writes_nothing(roll: Roll) -> None:
    roll.options = {"timeline_html": str(roll.folder / "t.html")}
    roll.check = True
    host = {"name": "esx-1", "cluster": "gpu-a", "wave": 1, "starts_after_seconds": 0, "ends_after_seconds": 600}
    schedule = {"waves": 1, "seconds": 600, "hosts": [{**host, "stops": [{"name": "train-1", "reason": "pinned"}]}]}
    roll.run({"result": outcome(state="planned", ended=True, schedule=schedule)})
    assert roll.lines == [
        "1 host would be rebooted in 1 wave, in about 10 min; 1 VM would be stopped",
        " +0:00 to  +0:10 wave 1   gpu-a esx-1 stops train-1",
    ]
    (call,) = roll.calls
    assert call.params.get("progress_file") is None
    assert not (roll.folder / "t.html").exists()


@pytest.mark.parametrize("how", ["no_log", "progress none"])
def test_nothing_is_shown_where_nothing_is_to_be_shown(roll: Roll, how: str) -> None:
    roll.screen.verbosity, roll.columns = 2, 80
    if how == "no_log":
        roll.no_log = True
    else:
        roll.options = {"progress": "none"}
    progress = [change("esx-1", "rebooting", "booting")]
    rolled = roll.run({"progress": progress, "then": roll.watched, "result": outcome(("done", 0, 1))})
    assert (roll.lines, roll.screen.raw) == ([], [])
    assert rolled["changed"] is True


def test_a_slice_that_fails_ends_the_run_with_its_words_and_all_that_was_told(roll: Roll) -> None:
    rolled = roll.run(
        {"result": outcome(("draining", 0, 5), ended=False, state="working", rebooted=["esx-0"])},
        {"result": {"failed": True, "msg": "the server is gone", "error_code": "connection_lost", "changed": False}},
    )
    assert rolled["msg"] == "the server is gone"
    assert rolled["failed"] is True
    assert rolled["changed"] is True
    assert rolled["error_code"] == "connection_lost"
    assert rolled["rebooted"] == ["esx-0"]
    assert rolled["timeline"]["hosts"][0]["name"] == "esx-1"
    assert len(roll.calls) == 2


def test_a_module_that_crashes_is_a_failure_like_any_other(roll: Roll) -> None:
    crash = {"failed": True, "msg": "MODULE FAILURE", "rc": 1, "exception": "Traceback", "module_stdout": ""}
    rolled = roll.run({"result": crash})
    assert (rolled["failed"], rolled["msg"]) == (True, "MODULE FAILURE")
    assert roll.lines == []


def test_a_report_that_cannot_be_written_is_told_before_anything_is_touched(roll: Roll) -> None:
    roll.options = {"timeline_html": str(roll.folder / "nowhere" / "t.html")}
    rolled = roll.run()
    assert roll.calls == []
    assert rolled["failed"] is True
    assert rolled["error_code"] == "report_unwritable"
    assert rolled["msg"].startswith(f"timeline_html: there is no directory {roll.folder / 'nowhere'}. Name a file")


def test_a_report_that_can_no_longer_be_written_does_not_fail_the_roll(roll: Roll) -> None:
    folder = roll.folder / "d"
    folder.mkdir()
    roll.options = {"timeline_json": str(folder / "t.json")}
    rolled = roll.run({"then": lambda: shutil.rmtree(folder), "result": outcome(("done", 0, 1))})
    (warning,) = rolled["warnings"]
    assert "t.json could not be written: No such file or directory" in warning
    assert rolled["state"] == "finished"
    assert not rolled.get("failed")


def test_lines_of_a_machine_elsewhere_come_at_the_end_of_each_slice(roll: Roll) -> None:
    roll.connection = Elsewhere
    shown: list[list[str]] = []
    booting, done = change("esx-1", "rebooting", "booting"), change("esx-1", None, "done", 6)
    roll.run(
        {"result": outcome(("booting", 0, 5), ended=False, transitions=[booting])},
        {
            "then": lambda: shown.append(list(roll.lines)),
            "result": outcome(("done", 6, 9), transitions=[done], notes=["lock released"]),
        },
    )
    assert shown[0][0] == LINE
    assert "12:00:06 gpu-a esx-1 booting → done            02:10" in roll.lines
    assert "12:08:20 lock released" in roll.lines
    assert [(call.params["slice"], call.params.get("progress_file")) for call in roll.calls] == [(60, None)] * 2


def test_a_module_that_runs_as_somebody_else_gets_no_file_of_this_user(roll: Roll) -> None:
    roll.become = True
    roll.run({"result": outcome(("done", 0, 5), transitions=[change("esx-1", "rebooting", "booting")])})
    assert roll.lines[0] == LINE
    assert [(call.params["slice"], call.params.get("progress_file")) for call in roll.calls] == [(60, None)]


def test_a_machine_elsewhere_that_is_lost_between_two_slices_is_tried_again(roll: Roll) -> None:
    roll.connection = Elsewhere
    rolled = roll.run(
        {"result": outcome(("booting", 0, 5), ended=False)},
        {"lost": True},
        {"lost": True},
        {"result": outcome(("done", 6, 9))},
    )
    assert "connection to the machine where the module runs is lost; retry in 5 s" in roll.lines
    assert roll.pauses == [5, 15]
    assert rolled["ended"] is True
    assert [call.params.get("continue_run") for call in roll.calls] == [None, True]


def test_a_machine_that_was_never_there_or_does_not_come_back_is_no_longer_waited_for(roll: Roll) -> None:
    roll.connection = Elsewhere
    with pytest.raises(AnsibleConnectionFailure):
        roll.run({"lost": True})
    assert (roll.pauses, roll.lines) == ([], [])
    with pytest.raises(AnsibleConnectionFailure):
        roll.run({"result": outcome(("booting", 0, 5), ended=False)}, *[{"lost": True}] * 6)
    assert roll.pauses == [5, 15, 30, 60, 120]


def test_async_hands_the_call_over_as_it_is(roll: Roll) -> None:
    roll.background = 30
    rolled = roll.run({"result": {"started": 1, "ansible_job_id": "j1", "finished": 0}})
    (call,) = roll.calls
    assert call.asynchronous
    assert {"run_id", "progress_file", "slice"}.isdisjoint(call.params)
    assert rolled["ansible_job_id"] == "j1"
    assert roll.lines == []


def test_wordy_runs_give_reasons_and_no_secret_and_leave_no_progress_file(roll: Roll) -> None:
    roll.screen.verbosity = 3
    roll.options = {"timeline_html": str(roll.folder / "t.html"), "timeline_json": str(roll.folder / "t.json")}
    rolled = roll.run({"progress": [change("esx-1", "rebooting", "booting")], "result": outcome(("done", 0, 1))})
    assert f"{LINE} why booting" in roll.lines
    kept = [(roll.folder / name).read_text(encoding="utf-8") for name in ("t.html", "t.json")]
    for text in (*kept, *roll.lines, json.dumps(rolled)):
        assert PASSWORD not in text
    (call,) = roll.calls
    path = Path(call.params["progress_file"])
    assert call.params["password"] == PASSWORD, "the module gets it"
    assert call.mode == "0o600"
    assert path.is_relative_to(roll.temporary), "in Ansible's own folder"
    assert list(roll.temporary.iterdir()) == []
    assert call.params["slice"] == 600


# ------------------------------------------------------------------------------------------------------- on a terminal


def test_a_terminal_gets_a_bar_that_is_wiped_before_anything_else_is_written(roll: Roll) -> None:
    roll.columns = 80
    seen: list[str] = []

    def look() -> None:
        roll.watched()
        seen.extend(roll.screen.raw)

    roll.run(
        {"then": look, "result": outcome(("booting", 0, 1), ended=False)},
        {
            "progress": [change("esx-1", "rebooting", "booting")],
            "then": roll.watched,
            "result": outcome(("done", 0, 1)),
        },
    )
    assert re.fullmatch(r"\r\x1b\[K\d\d:\d\d reading the hosts\r", seen[0])
    bars = [text for text in roll.screen.raw if "of 2 done" in text]
    assert re.fullmatch(r"\r\x1b\[K\d\d:\d\d \[############\.{12}\] 1 of 2 done, 1 waiting\r", bars[0])
    assert roll.screen.raw[-1] == "\r\x1b[K\r"
    assert roll.lines[0] == LINE


@pytest.mark.parametrize("why", ["terminal", "callback", "option", "none", "verbosity", "others"])
def test_where_a_bar_cannot_be_redrawn_or_is_not_wanted_there_are_lines_only(
    roll: Roll, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    roll.columns = 0 if why == "none" else 80
    if why == "terminal":
        monkeypatch.setenv("TERM", "dumb")
    roll.callback = "minimal" if why == "callback" else "ansible.builtin.default"
    roll.options = {"progress": "lines"} if why == "option" else {}
    roll.screen.verbosity = 3 if why == "verbosity" else 0
    roll.task_vars = {"ansible_play_batch": ["here", "there"] if why == "others" else ["here"]}
    progress = [change("esx-1", "rebooting", "booting")]
    roll.run({"progress": progress, "then": roll.watched, "result": outcome(("done", 0, 1))})
    assert roll.screen.raw == []
    assert any(line.startswith(LINE) for line in roll.lines)


# ------------------------------------------------------------------------------------------------------------- cut off


def test_when_the_process_above_is_gone_the_file_is_removed_and_the_owner_ends(roll: Roll) -> None:
    """With it ends the run, whose module looks whether its owner is alive."""
    works, ended = threading.Event(), threading.Event()
    left: list[list[Path]] = []

    def module() -> None:
        assert len(list(roll.temporary.iterdir())) == 1
        works.set()
        assert ended.wait(PATIENCE)

    def end(status: int) -> None:
        assert status != 0
        left.append(list(roll.temporary.iterdir()))
        ended.set()

    def parent() -> int:
        return 1 if works.is_set() else 1234

    with mock.patch.object(plugin.os, "_exit", end), mock.patch.object(live_display.os, "getppid", parent):
        roll.run({"then": module, "result": outcome(("done", 0, 1))})
    assert left == [[]]
    assert roll.direct[0].startswith("stopped at once (ansible-playbook was killed)")
