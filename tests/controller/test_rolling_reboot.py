# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rolling reboot through ansible-playbook itself: in a log, on a terminal, through ansible-runner, cut off."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._shell.rolling.run_owner import is_gone
from tests.controller.fleet import Programs
from tests.controller.rolls import PASSWORD, PATIENCE, Stage
from tests.kill.processes import until
from tests.unit.action.records import LINE, change, outcome


@pytest.fixture
def stage(tmp_path: Path, programs: Programs) -> Stage:
    return Stage(folder=tmp_path, warm=programs.environ["DIRECTPATH_WARM"])


def shown(output: str, task: str) -> list[str]:
    """The lines between a task's header and the next one's."""
    return output.partition(f"TASK [{task}]")[2].partition("\nTASK [")[0].split("\n")[1:]


def test_what_a_log_gets_of_rolls_of_every_kind(stage: Stage) -> None:
    """One wordy run of ansible-playbook, with a task for each."""
    booting, again = change("esx-1", "rebooting", "booting"), change("esx-1", None, "done", 6)
    reports = {f"timeline_{kind}": str(stage.folder / f"t.{kind}") for kind in ("html", "json")}
    stage.task(
        {"progress": [booting], "result": outcome(("booting", 0, 6), ended=False, state="working")},
        {"progress": [again], "result": outcome(("done", 6, 9))},
        name="Plain",
        options=reports,
    )
    hidden = change("esx-hidden", "rebooting", "booting")
    stage.task({"progress": [hidden], "result": outcome(("done", 0, 1))}, name="Hidden", no_log=True)
    stage.task({"crash": "boom"}, name="Crash")
    (stage.folder / "d").mkdir()
    late = {"timeline_json": str(stage.folder / "d" / "t.json")}
    stage.task({"remove": str(stage.folder / "d"), "result": outcome(("done", 0, 1))}, name="Late", options=late)
    stage.task({"result": outcome(("done", 0, 1))}, name="Behind", options={"run_id": "me"}, **{"async": 30, "poll": 1})
    stage.task(
        {"result": outcome(("booting", 0, 5), ended=False, transitions=[booting])},
        {"result": outcome(("done", 6, 9), transitions=[again])},
        name="Away",
        host="away",
        options={"slice": 7},
    )
    (stage.folder / "lost").write_text(
        '"slice": 7', encoding="utf-8"
    )  # the cable is cut after the first of those slices
    output = stage.play("-vvv")

    calls = stage.calls()
    assert [name for name in ("Plain", "Hidden", "Late", "Behind", "Away") if not stage.rolled(name).get("ended")] == []
    assert len(calls) == 8
    assert not re.search("[\r\x1b]", output), "no bar in a log"
    assert PASSWORD not in output
    for name in ("t.html", "t.json", *(f"{task}.json" for task in ("Plain", "Hidden", "Late", "Behind", "Away"))):
        assert PASSWORD not in (stage.folder / name).read_text(encoding="utf-8")

    first, *plain = [line for line in shown(output, "Plain") if line.startswith(("12:", "finished", "timeline"))]
    assert first.startswith(f"timeline_html: {reports['timeline_html']} (updated from now on). ")
    assert first.endswith("""To pause: ansible-playbook directpath.vsphere.pause -e '{"pause_reason": "why"}'""")
    assert plain[0] == f"{LINE} why booting"
    assert any(line.startswith("12:00:06 gpu-a esx-1 booting → done            02:10") for line in plain)
    assert plain[-3:] == [
        "finished after 6 s: [########################] 1 of 1 done",
        *(f"{name}: {path}" for name, path in reports.items()),
    ]
    earlier, later = calls[:2]
    assert earlier["params"]["run_id"] == later["params"]["run_id"]
    assert is_gone(earlier["params"]["run_id"]), "the worker that owned the run has ended"
    file = Path(earlier["params"]["progress_file"])
    assert earlier["mode"] == "0o600"
    assert file.is_relative_to(stage.folder / "tmp"), "in Ansible's own folder"
    assert not file.exists()
    assert earlier["params"]["slice"] == 600

    assert "esx-hidden" not in output
    assert "changed: [here]" in "\n".join(shown(output, "Hidden"))

    assert "fatal: [here]: FAILED!" in "\n".join(shown(output, "Crash"))
    assert stage.rolled("Crash")["failed"] is True

    (warning,) = stage.rolled("Late")["warnings"]
    assert "t.json could not be written: No such file or directory" in warning

    behind = calls[5]["params"]
    assert (behind["run_id"], behind["progress_file"], behind["slice"]) == ("me", None, None), "handed over as it is"
    assert "finished after" not in "\n".join(shown(output, "Behind"))

    away = "\n".join(shown(output, "Away"))
    assert f"{LINE} why booting" in away
    assert "connection to the machine where the module runs is lost; retry in 5 s" in away
    assert "12:00:06 gpu-a esx-1 booting → done            02:10" in away
    assert [(call["params"]["slice"], call["params"]["progress_file"]) for call in calls[6:]] == [(7, None)] * 2


# ------------------------------------------------------------------------------------------------------- on a terminal


def test_a_terminal_gets_each_line_when_it_happens_and_a_bar_that_is_redrawn(stage: Stage) -> None:
    """The module does nothing more before what it did is shown."""
    first, second = (
        change("esx-1", "rebooting", "booting", gate="one"),
        change("esx-1", "booting", "done", 9, gate="two"),
    )
    stage.task({"progress": [first, second], "gate": "three", "result": outcome(("done", 0, 1))})
    log = stage.folder / "ansible.log"
    bar = "] 1 of 2 done, 1 waiting\r"
    gates = {"reading the hosts\r": "one", bar: "two", "booting → done": "three"}
    text = stage.on_terminal(gates=gates, ANSIBLE_LOG_PATH=str(log))
    assert text.index("rebooting → booting") < text.index(bar), "the bar of what has been shown"
    assert text.index("booting → done") < text.index("PLAY RECAP")
    assert re.search(r"\r\x1b\[K\d\d:\d\d reading the hosts\r", text)
    assert re.search(r"\r\x1b\[K\d\d:\d\d \[############\.{12}\] 1 of 2 done, 1 waiting\r", text)
    plain = [re.sub(r".*\x1b\[K\r?", "", re.sub(r"\x1b\[[0-9;]*m", "", line)).strip("\r") for line in text.split("\n")]
    assert LINE in plain
    assert "12:00:09 gpu-a esx-1 booting → done            02:10" in plain
    assert not [line for line in plain if "12:00:" in line and "1 of 2 done" in line], "no bar between the lines"
    # Every bar is wiped before anything else is written, so none is left standing on the screen.
    assert not re.search(r"waiting\r(?!\r\x1b\[K)", text)
    logged = log.read_text(encoding="utf-8")
    assert LINE in logged
    assert not re.search("[\r\x1b]", logged), "a log has no bar"


def test_where_another_callback_writes_to_the_terminal_there_are_lines_only(stage: Stage) -> None:
    progress = [change("esx-1", "rebooting", "booting")]
    stage.task({"progress": progress, "wait": 0.6, "result": outcome(("done", 0, 1))})
    text = stage.on_terminal(ANSIBLE_STDOUT_CALLBACK="minimal")
    assert "\x1b[K" not in text
    assert LINE in text


def test_ansible_runner_gets_a_line_an_event_at_the_moment_it_happens(stage: Stage) -> None:
    runner = pytest.importorskip("ansible_runner")
    """The module does nothing more before there is the event."""
    first, second = change("esx-1", "rebooting", "booting"), change("esx-1", "booting", "done", 9, gate="go")
    stage.task({"progress": [first, second], "result": outcome(("done", 0, 1))})
    texts: list[str] = []

    def event(data: dict[str, str]) -> bool:
        texts.append(data["stdout"])
        if "rebooting → booting" in data["stdout"]:
            stage.open_gate("go")
        return True

    done = runner.run(
        private_data_dir=str(stage.folder),
        playbook="play.json",
        inventory=str(stage.folder / "inventory" / "hosts.json"),
        envvars=stage.environ(),
        event_handler=event,
        quiet=True,
        limit="here",
        timeout=PATIENCE,
    )
    assert done.rc == 0, texts
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", text) for text in texts]
    assert LINE in plain
    assert not [text for text in texts if re.search(r"\r(?!\n)|\x1b\[K", text.strip("\r"))]
    assert [text for text in texts if "booting → done" in text]


# ------------------------------------------------------------------------------------------------------------- cut off


def test_when_ansible_playbook_is_killed_the_owner_of_the_run_ends_so_that_the_module_stops(stage: Stage) -> None:
    stage.task({"progress": [change("esx-1", "rebooting", "booting")], "gate": "-", "result": outcome(("done", 0, 1))})
    process = subprocess.Popen(
        stage.command(), env=stage.environ(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    assert until(lambda: bool(stage.calls()) or process.poll() is not None, PATIENCE)
    (call,) = stage.calls()
    owner, file = call["params"]["run_id"], Path(call["params"]["progress_file"])
    try:
        assert not is_gone(owner)
        assert file.exists()
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert until(lambda: is_gone(owner), PATIENCE)
        assert not file.exists()
    finally:
        os.kill(call["pid"], signal.SIGKILL)
