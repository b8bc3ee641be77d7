# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a rolling reboot keeps its journal: attributes that are there only as long as somebody needs them, and a file that is whole."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any
from unittest import mock

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import DirectPathError
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import (
    ATTRIBUTES,
    ENTRY,
    LOCK,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._shell import host_rolling_reboot
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.attributes import file_journal
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.attributes.file_journal import FileJournal
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.attributes.journal import Overlay, Subject
from tests.unit.modules.host_rolling_reboot.lab import Killed, Roll, fleet
from tests.unit.patience import PATIENCE
from tools.envs import ROOT

HOST = Subject(kind="host", moid="host-1")


class Clock:
    """As much of a session as reading one's own writes needs."""

    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now


# ---------------------------------------------------------------------------------------------------------- attributes


def test_attributes_are_defined_once_and_only_for_what_they_are_for() -> None:
    roll = Roll.of(fleet(hosts=2, vms=1), cluster=["c1"])
    kinds: dict[str, Any] = {}

    def look() -> None:
        kinds.update({item.name: item.managedObjectType for item in roll.lab.sim.services.custom_fields.props["field"]})

    roll.at(100, look)
    roll.run()
    assert set(kinds) == set(ATTRIBUTES)
    assert {name: kind.__name__ if kind else None for name, kind in kinds.items()} == {
        "directpath.roll": "vim.HostSystem",
        "directpath.roll.before": "vim.HostSystem",
        "directpath.roll.links": "vim.HostSystem",
        "directpath.roll.vm": "vim.VirtualMachine",
        "directpath.roll.lock": None,
        "directpath.roll.pause": None,
    }
    assert roll.lab.writes().count("AddCustomFieldDef") == len(ATTRIBUTES)
    assert all(len(call.args["value"]) <= 255 for call in roll.lab.sim.journal.calls if call.method == "SetField")


def test_attributes_somebody_needs_stay() -> None:
    roll = Roll.of(fleet(hosts=2, clusters=2, vms=1), cluster=["c1"])
    sim = roll.lab.sim
    sim.events["set_custom_value"](on="c2", attribute="directpath.roll.lock", value="of another run")
    roll.run()
    assert "directpath.roll.lock" in roll.attributes()
    assert roll.texts() == {"c2": {"directpath.roll.lock": "of another run"}}


def test_a_pause_that_somebody_set_for_all_stays() -> None:
    roll = Roll.of(fleet(hosts=2, vms=1), cluster=["c1"])
    sim = roll.lab.sim
    root = sim.root
    assert root is not None
    sim.events["set_custom_value"](on=root.name, attribute="directpath.roll.pause", value="audit")
    roll.at(500, lambda: sim.events["set_custom_value"](on=root.name, attribute="directpath.roll.pause", value=""))
    result = roll.run()
    begun = next(row for row in result["transitions"] if row["after"] == "draining")
    assert begun["at"] >= result["transitions"][0]["at"] + 500


def test_another_run_that_removes_the_attributes_meanwhile_harms_nothing() -> None:
    roll = Roll.of(fleet(hosts=2, vms=1), cluster=["c1"])
    sim = roll.lab.sim
    fields = sim.services.custom_fields

    def remove() -> None:
        # Before the first host is taken in hand: later nobody may, as they are in use.
        for item in list(fields.props["field"]):
            fields.RemoveCustomFieldDef(None, item.key)

    roll.at(2, remove)
    assert roll.run()["state"] == "finished"
    roll.assert_over()


def test_a_journal_that_somebody_tampered_with_is_not_guessed_at() -> None:
    roll = Roll.of(fleet(hosts=3, vms=1), cluster=["c1"])
    sim = roll.lab.sim
    sim.events["set_custom_value"](on="c1-esx-02.lab", attribute=ENTRY, value="dp1 rebooting, I think")
    result = roll.fail()
    assert result["error_code"] == "journal_unreadable"
    assert result["rebooted"] == ["c1-esx-01.lab", "c1-esx-03.lab"]
    assert roll.texts()["c1-esx-02.lab"] == {ENTRY: "dp1 rebooting, I think"}


# -------------------------------------------------------------------------------------------------- read what you wrote


ON_H = Subject(kind="host", moid="h")


def held(*texts: dict[str, str]) -> tuple[list[Subject], Any]:
    """What an object is asked for, and the answers it gives one after the other."""
    asked: list[Subject] = []
    answers = iter(texts)

    def read_back(subject: Subject) -> dict[str, str]:
        asked.append(subject)
        return next(answers)

    return asked, read_back


def test_a_value_of_this_run_counts_until_the_server_shows_it() -> None:
    asked, read_back = held()
    overlay = Overlay(Clock(), read_back)  # type: ignore[arg-type]
    assert overlay.over({"h": {LOCK: "old"}}) == {"h": {LOCK: "old"}}
    overlay.wrote(ON_H, {LOCK: "ours"})
    assert overlay.over({"h": {LOCK: "old"}}) == {"h": {LOCK: "ours"}}
    overlay.wrote(ON_H, {LOCK: "ours, renewed"})
    assert overlay.over({"h": {LOCK: "ours"}}) == {"h": {LOCK: "ours, renewed"}}, "the server is one behind"
    assert overlay.over({"h": {LOCK: "ours, renewed"}}) == {"h": {LOCK: "ours, renewed"}}
    assert overlay.over({"h": {LOCK: "old"}}) == {"h": {LOCK: "old"}}, "shown once, it is the server's"
    assert asked == []


def test_a_third_value_is_of_another_run_and_counts() -> None:
    overlay = Overlay(Clock(), held()[1])  # type: ignore[arg-type]
    overlay.over({"h": {LOCK: "old"}})
    overlay.wrote(ON_H, {LOCK: "ours"})
    assert overlay.over({"h": {LOCK: "theirs"}}) == {"h": {LOCK: "theirs"}}


def test_a_value_that_does_not_show_is_read_back_and_not_forgotten() -> None:
    time = Clock()
    asked, read_back = held({ENTRY: "ours"}, {ENTRY: "ours"})
    overlay = Overlay(time, read_back)  # type: ignore[arg-type]
    overlay.wrote(ON_H, {ENTRY: "ours"})
    assert overlay.over({}) == {"h": {ENTRY: "ours"}}
    for at in (31, 32, 62):
        time.now = at
        assert overlay.over({}) == {"h": {ENTRY: "ours"}}
    assert asked == [ON_H, ON_H], "once every thirty seconds"


@pytest.mark.parametrize("now", ["", "theirs"])
def test_what_the_object_holds_counts_where_it_is_not_what_was_written(now: str) -> None:
    time = Clock()
    overlay = Overlay(time, held({ENTRY: now})[1])  # type: ignore[arg-type]
    overlay.wrote(ON_H, {ENTRY: "ours"})
    time.now = 31
    assert overlay.over({}) == {"h": {ENTRY: now}}
    time.now = 32
    assert overlay.over({"h": {ENTRY: "ours"}}) == {"h": {ENTRY: now}}, "the server is behind the object"


# ---------------------------------------------------------------------------------------------------------------- file


def test_a_file_is_for_its_owner_only_and_holds_what_was_written(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path / "deep" / "vc_443.json", why="")
    assert journal.write(HOST, {ENTRY: "one"})
    assert journal.write(HOST, {LOCK: "two"}, expected={ENTRY: "one"})
    assert not journal.write(HOST, {LOCK: "three"}, expected={LOCK: "one"})
    assert FileJournal(tmp_path / "deep" / "vc_443.json", why="").values({}) == {"host-1": {ENTRY: "one", LOCK: "two"}}
    assert stat.S_IMODE((tmp_path / "deep" / "vc_443.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "deep").stat().st_mode) == 0o700
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["vc_443.json"]


def test_what_was_emptied_hides_what_vcenter_shows(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path / "j.json", why="")
    seen = {"host-1": {ENTRY: "of vCenter"}, "host-2": {ENTRY: "of another"}}
    assert journal.values(seen) == seen
    journal.write(HOST, {ENTRY: ""})
    assert journal.values(seen) == {"host-1": {ENTRY: ""}, "host-2": {ENTRY: "of another"}}


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_is_cut_off_leaves_the_old_file(tmp_path: Path, step: str) -> None:
    path = tmp_path / "j.json"
    journal = FileJournal(path, why="")
    journal.write(HOST, {ENTRY: "one"})
    target = file_journal.os if step == "fsync" else Path
    with mock.patch.object(target, step, side_effect=Killed), pytest.raises(Killed):
        journal.write(HOST, {ENTRY: "two"})
    assert FileJournal(path, why="").values({}) == {"host-1": {ENTRY: "one"}}
    assert [found.name for found in tmp_path.iterdir()] == ["j.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 2, "objects": {}}', '{"version": 1}'])
def test_a_file_that_cannot_be_read_is_an_error_and_never_empty(tmp_path: Path, text: str) -> None:
    path = tmp_path / "j.json"
    path.write_text(text)
    with pytest.raises(DirectPathError) as caught:
        FileJournal(path, why="").values({})
    assert caught.value.code == "journal_unreadable"
    assert path.read_text() == text


SCRIBBLE = """
import sys
from pathlib import Path
path, number, root = sys.argv[1:]
sys.path.insert(0, root)
from tools.collection_path import install; install()
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import ENTRY
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.attributes.file_journal import FileJournal
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.attributes.journal import Subject
print("ready", flush=True)
sys.stdin.readline()
for turn in range(20):
    FileJournal(Path(path), why="").write(Subject(kind="host", moid=f"host-{number}"), {ENTRY: str(turn)})
"""


def test_processes_do_not_lose_each_others_writes(tmp_path: Path) -> None:
    writers = [
        Popen(
            [sys.executable, "-c", SCRIBBLE, str(tmp_path / "j.json"), str(number), str(ROOT)],
            stdin=PIPE,
            stdout=PIPE,
            text=True,
        )
        for number in range(4)
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=PATIENCE)
        assert writer.returncode == 0
    objects = json.loads((tmp_path / "j.json").read_text())["objects"]
    assert objects == {f"host-{number}": {ENTRY: "19"} for number in range(4)}


@pytest.mark.slow
def test_a_killed_roll_of_an_esxi_host_is_gone_on_with_from_its_file(tmp_path: Path) -> None:
    number = 0
    while True:
        number += 1
        roll = Roll.of("home", owing=False, hosts=["esx-home.lab"], journal_dir=str(tmp_path), pinned_vms="shutdown")
        device = {"match": {"class_id": "0108"}, "count": 1}
        roll.lab.run("host_passthrough", hosts=["esx-home.lab"], devices=[device], apply="reboot")
        roll.remember()

        def die(write: Any) -> None:
            raise Killed

        roll.lab.sim.on_write(number, die, when="after")
        try:
            roll.run()
        except Killed:
            pass
        else:
            break
        with mock.patch.object(host_rolling_reboot, "is_gone", return_value=True):
            assert roll.run()["state"] == "finished"
        roll.assert_over({"esx-home"})
        assert list(tmp_path.iterdir()) == []
    assert number > 5


def test_a_run_with_a_file_sees_the_lock_that_another_keeps_in_vcenter(tmp_path: Path) -> None:
    roll = Roll.of(fleet(hosts=2, vms=1), cluster=["c1"])
    roll.lab.sim.on_write(8, mock.Mock(side_effect=Killed), when="after")
    with pytest.raises(Killed):
        roll.run()
    held = [name for name, texts in roll.texts().items() if LOCK in texts]
    assert held == ["c1"]
    result = roll.fail(journal="file", journal_dir=str(tmp_path))
    assert result["error_code"] == "locked"
