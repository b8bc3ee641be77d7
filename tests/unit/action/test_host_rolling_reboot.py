# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rolling reboot as its user sees it, through ansible-playbook itself: live, in a log, through ansible-runner, cut off."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.owner import is_gone
from tests.unit.action.rolls import NOON, Stage, change, outcome


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(folder=tmp_path)


def shown(output: str) -> list[str]:
    """The lines between the task's header and its result."""
    task = output.partition("TASK [Roll]")[2].partition("\n")[2]
    return re.split(r"\n(?:ok|changed|fatal|failed): \[here\]", "\n" + task)[0].split("\n")[1:]


LINE = "12:00:00 gpu-a esx-1 rebooting → booting       02:10"


def test_a_log_gets_plain_lines_the_end_and_the_places_of_the_reports(stage: Stage) -> None:
    stage.options = {"timeline_html": str(stage.folder / "t.html"), "timeline_json": str(stage.folder / "t.json")}
    records = [change("esx-1", "rebooting", "booting"), change("esx-1", "booting", "failed", 60)]
    stage.script({"progress": records, "result": outcome(("draining", 0, 10), ("done", 10, 20))})
    output = stage.play()
    assert shown(output) == [
        LINE,
        "12:01:00 gpu-a esx-1 booting → failed          02:10 why failed",
        "12:01:00 [############............] 1 of 2 done, 1 waiting",
        "finished after 10 s: [########################] 1 of 1 done",
        f"timeline_html: {stage.folder / 't.html'}",
        f"timeline_json: {stage.folder / 't.json'}",
    ]
    assert not re.search("[\r\x1b]", output)


def test_reports_are_written_where_the_user_is_and_not_where_the_playbook_is(stage: Stage) -> None:
    stage.cwd = stage.folder / "here"
    stage.cwd.mkdir()
    (stage.folder / "home" / "r").mkdir(parents=True)
    stage.options = {"timeline_html": "t.html", "timeline_json": "~/r/t.json"}
    stage.script({"result": outcome(("done", 0, 1))})
    lines = shown(stage.play(HOME=str(stage.folder / "home")))
    assert lines[-2:] == [
        f"timeline_html: {stage.cwd / 't.html'}",
        f"timeline_json: {stage.folder / 'home' / 'r' / 't.json'}",
    ]
    assert (stage.cwd / "t.html").exists()
    assert (stage.folder / "home" / "r" / "t.json").exists()
    assert not (stage.folder / "project" / "t.html").exists()


@pytest.mark.parametrize("where", ["local", "directpath.vsphere.elsewhere"])
def test_a_role_has_its_own_variables_named_live_and_in_the_result(stage: Stage, where: str) -> None:
    stage.host = {"ansible_connection": where}
    cure = "has red alarms: Fan. See to them, or name them in ignore_alarms."
    blocked = change("esx-1", None, "blocked", reason=cure)
    stage.options = {
        "option_prefix": "rolling_reboot_",
        "option_names": {"full_post": "firmware_reboot_full_post"},
        "timeline_html": str(stage.folder / "t.html"),
    }
    result = outcome(("blocked", 0, 10), state="stalled", failed=True, transitions=[dict(blocked)])
    result["hosts"][0] |= {
        "blockers": [{"code": "full_post", "message": "esx-1 skips POST", "cure": "Set full_post: false"}]
    }
    result |= {"msg": "Set full_post: false", "resume": ["esx-1: run it again with failed_hosts: verify"]}
    stage.script({"progress": [blocked], "result": result})
    output = stage.play()
    lines = shown(output)
    assert not re.search(r"(?<!_)(ignore_alarms|failed_hosts|full_post: )", output)
    assert lines[0].endswith("has red alarms: Fan. See to them, or name them in rolling_reboot_ignore_alarms.")
    assert [line for line in lines if line.startswith(("blocked:", "to go on:", "rolling_reboot_"))] == [
        "blocked: gpu-a esx-1 skips POST. Set firmware_reboot_full_post: false.",
        "to go on: esx-1: run it again with rolling_reboot_failed_hosts: verify",
        f"rolling_reboot_timeline_html: {stage.folder / 't.html'}",
    ]
    assert stage.rolled()["msg"] == "Set firmware_reboot_full_post: false"
    assert stage.rolled()["hosts"][0]["blockers"][0]["code"] == "full_post"


def test_slices_are_one_run_and_told_as_one(stage: Stage) -> None:
    stage.options = {"timeline_json": str(stage.folder / "t.json"), "timeline_html": str(stage.folder / "t.html")}
    stage.script(
        {
            "progress": [change("esx-1", None, "waiting"), change("esx-1", "waiting", "draining", 1)],
            "result": outcome(
                ("waiting", 0, 1), ("draining", 1, 9), ended=False, state="working", notes=["lock taken"]
            ),
        },
        {
            "progress": [change("esx-1", None, "draining", 12), change("esx-1", "draining", "rebooting", 20)],
            "result": outcome(
                ("draining", 12, 20), ("rebooting", 20, 30), ended=False, state="working", rebooted=["esx-1"]
            ),
        },
        {"progress": [change("esx-1", None, "done", 40)], "result": outcome(("done", 40, 50))},
    )
    lines = shown(stage.play())
    assert [line.split(" ", 1)[1] for line in lines if "esx-1" in line] == [
        "gpu-a esx-1 waiting → draining        02:10",
        "gpu-a esx-1 draining → rebooting      02:10",
        "gpu-a esx-1 rebooting → done          02:10",
    ]
    calls = stage.calls()
    assert len({call["params"]["run_id"] for call in calls}) == 1
    assert [call["params"]["goes_on"] for call in calls] == [None, True, True]
    assert is_gone(calls[0]["params"]["run_id"]), "the worker that owned the run has ended"
    rolled = stage.rolled()
    assert rolled["calls"] == 30
    assert rolled["rebooted"] == ["esx-1"]
    assert rolled["notes"] == ["lock taken"]
    assert rolled["ended"] is True
    told = [(s["phase"], s["start"] - NOON, s["end"] - NOON) for s in rolled["timeline"]["hosts"][0]["segments"]]
    assert told == [("waiting", 0, 1), ("draining", 1, 20), ("rebooting", 20, 40), ("done", 40, 50)]
    file = json.loads((stage.folder / "t.json").read_text(encoding="utf-8"))
    assert file["timeline"] == rolled["timeline"]
    assert file["zone"] == "UTC"
    assert "rebooting 12:00:20 to 12:00:40 (00:20)" in (stage.folder / "t.html").read_text(encoding="utf-8")


def test_what_the_user_says_of_slices_run_and_progress_file_holds(stage: Stage) -> None:
    mine = stage.folder / "mine.jsonl"
    mine.write_text(json.dumps(change("esx-0", "booting", "done")) + "\n", encoding="utf-8")
    stage.options = {"slice": 0, "run_id": "me", "progress_file": str(mine)}
    stage.script({"progress": [change("esx-1", "rebooting", "booting")], "result": outcome(("done", 0, 1))})
    lines = shown(stage.play())
    assert [line for line in lines if "esx-" in line] == [LINE], "what was in the file before is no news"
    (call,) = stage.calls()
    assert (call["params"]["slice"], call["params"]["run_id"]) == (0, "me")
    assert mine.exists()


def test_check_mode_calls_once_tells_the_schedule_and_writes_nothing(stage: Stage) -> None:
    stage.options = {"timeline_html": str(stage.folder / "t.html")}
    host = {"name": "esx-1", "cluster": "gpu-a", "wave": 1, "starts_after_seconds": 0, "ends_after_seconds": 600}
    schedule = {"waves": 1, "seconds": 600, "hosts": [{**host, "stops": [{"name": "train-1", "reason": "pinned"}]}]}
    stage.script({"result": outcome(state="planned", ended=True, schedule=schedule)})
    assert shown(stage.play("--check")) == [
        "1 host would be rebooted in 1 wave, in about 10 min; 1 VM would be stopped",
        " +0:00 to  +0:10 wave 1   gpu-a esx-1 stops train-1",
    ]
    (call,) = stage.calls()
    assert call["check"] is True
    assert call["params"]["progress_file"] is None
    assert not (stage.folder / "t.html").exists()


@pytest.mark.parametrize("how", ["no_log", "progress none"])
def test_nothing_is_shown_where_nothing_is_to_be_shown(stage: Stage, how: str) -> None:
    if how == "no_log":
        stage.task = {"no_log": True}
    else:
        stage.options = {"progress": "none"}
    stage.script({"progress": [change("esx-1", "rebooting", "booting")], "result": outcome(("done", 0, 1))})
    output = stage.play("-vv")
    assert "gpu-a esx-1" not in output
    assert "changed: [here]" in output


def test_a_slice_that_fails_ends_the_run_with_its_words_and_all_that_was_told(stage: Stage) -> None:
    stage.script(
        {"result": outcome(("draining", 0, 5), ended=False, state="working", rebooted=["esx-0"])},
        {"result": {"failed": True, "msg": "the server is gone", "error_code": "connection_lost", "changed": False}},
    )
    output = stage.play()
    assert "the server is gone" in output
    rolled = stage.rolled()
    assert rolled["failed"] is True
    assert rolled["changed"] is True
    assert rolled["error_code"] == "connection_lost"
    assert rolled["rebooted"] == ["esx-0"]
    assert rolled["timeline"]["hosts"][0]["name"] == "esx-1"
    assert len(stage.calls()) == 2


def test_a_module_that_crashes_is_a_failure_like_any_other(stage: Stage) -> None:
    stage.script({"crash": "boom"})
    done = subprocess.run(
        stage.command(),
        env=stage.environ(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert "fatal: [here]: FAILED!" in done.stdout
    assert stage.rolled()["failed"] is True
    assert len(stage.calls()) == 1


def test_a_report_that_cannot_be_written_is_told_before_anything_is_touched(stage: Stage) -> None:
    stage.options = {"timeline_html": str(stage.folder / "nowhere" / "t.html")}
    stage.script({"result": outcome(("done", 0, 1))})
    stage.play()
    assert stage.calls() == []
    rolled = stage.rolled()
    assert rolled["error_code"] == "report_unwritable"
    assert rolled["msg"].startswith(f"timeline_html: there is no directory {stage.folder / 'nowhere'}. Name a file")


def test_a_report_that_can_no_longer_be_written_does_not_fail_the_roll(stage: Stage) -> None:
    (stage.folder / "d").mkdir()
    stage.options = {"timeline_json": str(stage.folder / "d" / "t.json")}
    stage.script({"wait": 2, "result": outcome(("done", 0, 1))})
    process = subprocess.Popen(
        stage.command(), env=stage.environ(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    while not stage.calls():
        time.sleep(0.1)
    (stage.folder / "d").rmdir()
    assert process.wait(timeout=60) == 0
    (warning,) = stage.rolled()["warnings"]
    assert "t.json could not be written: No such file or directory" in warning


def test_lines_of_a_machine_elsewhere_come_at_the_end_of_each_slice(stage: Stage) -> None:
    stage.host = {"ansible_connection": "directpath.vsphere.elsewhere"}
    stage.script(
        {"result": outcome(("booting", 0, 5), ended=False, transitions=[change("esx-1", "rebooting", "booting")])},
        {"result": outcome(("done", 6, 9), transitions=[change("esx-1", None, "done", 6)], notes=["lock released"])},
    )
    lines = shown(stage.play())
    assert lines[0] == LINE
    assert "12:00:06 gpu-a esx-1 booting → done            02:10" in lines
    assert "12:08:20 lock released" in lines
    assert [(call["params"]["slice"], call["params"]["progress_file"]) for call in stage.calls()] == [(60, None)] * 2


def test_a_machine_elsewhere_that_is_lost_between_two_slices_is_tried_again(stage: Stage) -> None:
    stage.host = {"ansible_connection": "directpath.vsphere.elsewhere"}
    stage.script(
        {"result": outcome(("booting", 0, 5), ended=False)},
        {"result": outcome(("done", 6, 9))},
    )
    (stage.folder / "lost").touch()
    output = stage.play()
    assert "the machine the module runs on is lost; trying again in 5 s" in output
    assert stage.rolled()["ended"] is True
    assert len(stage.calls()) == 2


def test_async_hands_the_call_over_as_it_is(stage: Stage) -> None:
    stage.task = {"async": 30, "poll": 1}
    stage.script({"result": outcome(("done", 0, 1))})
    output = stage.play()
    (call,) = stage.calls()
    assert (call["params"]["run_id"], call["params"]["progress_file"], call["params"]["slice"]) == (None, None, None)
    assert stage.rolled()["state"] == "finished"
    assert "finished after" not in output


def test_wordy_runs_give_reasons_and_no_secret_and_leave_no_progress_file(stage: Stage) -> None:
    stage.options = {"timeline_html": str(stage.folder / "t.html"), "timeline_json": str(stage.folder / "t.json")}
    stage.script({"progress": [change("esx-1", "rebooting", "booting")], "result": outcome(("done", 0, 1))})
    output = stage.play("-vvv")
    assert f"{LINE} why booting" in output
    assert "s3cr3t-w0rd" not in output
    for name in ("t.html", "t.json", "rolled.json"):
        assert "s3cr3t-w0rd" not in (stage.folder / name).read_text(encoding="utf-8")
    (call,) = stage.calls()
    path = Path(call["params"]["progress_file"])
    assert call["mode"] == "0o600"
    assert path.is_relative_to(stage.folder / "tmp"), "in Ansible's own folder"
    assert not path.exists()
    assert call["params"]["slice"] == 600


# ------------------------------------------------------------------------------------------------------- on a terminal


def test_a_terminal_gets_each_line_when_it_happens_and_a_bar_that_is_redrawn(stage: Stage) -> None:
    first, second = change("esx-1", "rebooting", "booting", wait=1.5), change("esx-1", "booting", "done", 9, wait=3)
    stage.script({"progress": [first, second], "wait": 1.5, "result": outcome(("done", 0, 1))})
    log = stage.folder / "ansible.log"
    pieces = stage.on_terminal(ANSIBLE_LOG_PATH=str(log))
    text = "".join(piece for _at, piece in pieces)

    def when(words: str) -> float:
        return next(at for at, piece in pieces if words in piece)

    assert when("booting → done") - when("rebooting → booting") > 2
    assert when("PLAY RECAP") - when("booting → done") > 1
    assert re.search(r"\r\x1b\[K00:0\d looking at the hosts\r", text)
    assert re.search(r"\r\x1b\[K00:0\d \[############\.{12}\] 1 of 2 done, 1 waiting\r", text)
    plain = [re.sub(r".*\x1b\[K\r?", "", re.sub(r"\x1b\[[0-9;]*m", "", line)).strip("\r") for line in text.split("\n")]
    assert LINE in plain
    assert "12:00:09 gpu-a esx-1 booting → done            02:10" in plain
    assert not [line for line in plain if "12:00:" in line and "1 of 2 done" in line], "no bar between the lines"
    # Every bar is wiped before anything else is written, so none is left standing on the screen.
    assert not re.search(r"waiting\r(?!\r\x1b\[K)", text)
    logged = log.read_text(encoding="utf-8")
    assert LINE in logged
    assert not re.search("[\r\x1b]", logged), "a log has no bar"


@pytest.mark.parametrize("why", ["terminal", "callback", "option"])
def test_where_a_bar_cannot_be_redrawn_or_is_not_wanted_there_are_lines_only(stage: Stage, why: str) -> None:
    stage.options = {"progress": "lines"} if why == "option" else {}
    environ = {"terminal": {"TERM": "dumb"}, "callback": {"ANSIBLE_STDOUT_CALLBACK": "minimal"}}.get(why, {})
    stage.script(
        {"progress": [change("esx-1", "rebooting", "booting")], "wait": 0.6, "result": outcome(("done", 0, 1))}
    )
    text = "".join(piece for _at, piece in stage.on_terminal(**environ))
    assert "\x1b[K" not in text
    assert LINE in text


def test_ansible_runner_gets_a_line_an_event_at_the_moment_it_happens(stage: Stage) -> None:
    runner = pytest.importorskip("ansible_runner")
    first, second = change("esx-1", "rebooting", "booting"), change("esx-1", "booting", "done", 9, wait=2.5)
    stage.script({"progress": [first, second], "result": outcome(("done", 0, 1))})
    seen: list[tuple[float, str]] = []

    def event(data: dict[str, str]) -> bool:
        seen.append((time.monotonic(), data["stdout"]))
        return True

    done = runner.run(
        private_data_dir=str(stage.folder),
        playbook="play.json",
        inventory=str(stage.folder / "inventory" / "hosts.json"),
        envvars=stage.environ(),
        event_handler=event,
        quiet=True,
    )
    assert done.rc == 0
    texts = [text for _at, text in seen]
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", text) for text in texts]
    assert LINE in plain
    assert not [text for text in texts if re.search(r"\r(?!\n)|\x1b\[K", text.strip("\r"))]
    booting = next(at for at, text in seen if "rebooting → booting" in text)
    finished = next(at for at, text in seen if "booting → done" in text)
    assert finished - booting > 1.5


# ------------------------------------------------------------------------------------------------------------- cut off


def test_when_ansible_playbook_is_killed_the_owner_of_the_run_ends_so_that_the_module_stops(stage: Stage) -> None:
    stage.script({"progress": [change("esx-1", "rebooting", "booting")], "wait": 20, "result": outcome(("done", 0, 1))})
    process = subprocess.Popen(
        stage.command(), env=stage.environ(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    while not stage.calls():
        time.sleep(0.1)
    (call,) = stage.calls()
    owner, file = call["params"]["run_id"], Path(call["params"]["progress_file"])
    try:
        assert not is_gone(owner)
        assert file.exists()
        process.send_signal(signal.SIGKILL)
        process.wait()
        deadline = time.monotonic() + 10
        while not is_gone(owner) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert is_gone(owner)
        assert not file.exists()
    finally:
        os.kill(call["pid"], signal.SIGKILL)
