# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that capture writes: for their owner only, as a whole, and only when something changed."""

from __future__ import annotations

import errno
import gzip
import json
import os
import stat
from pathlib import Path

import pytest

from tests.unit.modules.harness import Lab


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_check_mode_writes_no_file(tmp_path: Path) -> None:
    result = Lab.load("three_hosts").run("capture", check=True, path=str(tmp_path / "a.json"))
    assert (result["changed"], result["written"]) == (False, True)
    assert list(tmp_path.iterdir()) == []


def test_both_files_belong_to_their_owner_alone(tmp_path: Path) -> None:
    lab = Lab.load("three_hosts")
    result = lab.run("capture", path=str(tmp_path / "a.json.gz"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json.gz", "a.key.json"]
    assert {mode(path) for path in tmp_path.iterdir()} == {0o600}
    assert result["key_path"] == str(tmp_path / "a.key.json")
    assert json.loads((tmp_path / "a.key.json").read_text())["host-00001.example"] == "esx-01.lab"
    assert lab.writes() == []


def test_a_file_that_others_can_read_is_replaced(tmp_path: Path) -> None:
    lab, path = Lab.load("three_hosts"), tmp_path / "a.json"
    lab.run("capture", path=str(path), anonymize=False)
    path.chmod(0o644)
    assert lab.run("capture", path=str(path), anonymize=False)["written"]
    assert mode(path) == 0o600


def test_second_run_writes_nothing_until_something_changes(tmp_path: Path) -> None:
    lab, path = Lab.load("three_hosts"), tmp_path / "a.json.gz"
    assert lab.run("capture", path=str(path))["written"]
    first = path.read_bytes()
    lab.sim.clock.sleep(60)
    assert not lab.run("capture", path=str(path))["written"], "another time is no change"
    assert path.read_bytes() == first
    lab.sim.events["power_vm"](vm="web-01", on=False)
    assert lab.run("capture", path=str(path))["written"]


@pytest.mark.parametrize("text", [b"no capture", gzip.compress(b"{}", mtime=0)[:-4], b""])
def test_whatever_was_there_is_replaced(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.json.gz"
    path.write_bytes(text)
    path.chmod(0o600)
    assert Lab.load("three_hosts").run("capture", path=str(path), anonymize=False)["written"]
    assert json.loads(gzip.decompress(path.read_bytes()))["anonymized"] is False


def test_a_link_is_replaced_and_what_it_points_at_is_not(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("mine")
    path = tmp_path / "a.json"
    path.symlink_to(tmp_path / "target")
    Lab.load("three_hosts").run("capture", path=str(path), anonymize=False)
    assert (tmp_path / "target").read_text() == "mine"
    assert not path.is_symlink()


def test_a_pipe_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    os.mkfifo(path, 0o600)
    Lab.load("three_hosts").run("capture", path=str(path), anonymize=False)
    assert path.is_file()


def test_key_is_not_the_capture_by_another_way(tmp_path: Path) -> None:
    """The file that leaves the site would be the key."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    result = Lab.load("three_hosts").run(
        "capture", path=str(tmp_path / "real" / "a.json"), key_path=str(tmp_path / "link" / "a.json"), fails=True
    )
    assert "key_path is the file of the capture itself" in result["msg"]
    assert list((tmp_path / "real").iterdir()) == []


@pytest.mark.parametrize("option", ["path", "key_path"])
def test_a_name_that_no_file_system_takes_is_refused_before_the_server_is_asked(option: str, tmp_path: Path) -> None:
    lab = Lab.load("three_hosts")
    files = {
        "path": str(tmp_path / "a.json"),
        "key_path": str(tmp_path / "key"),
        option: str(tmp_path / f"{'k' * 300}.json"),
    }
    result = lab.run("capture", **files, fails=True)
    assert (result["error_code"], result["parameter"]) == ("capture_unwritable", option)
    assert "cannot be written" in result["msg"]
    assert lab.sim.journal.counters.methods == {}
    assert list(tmp_path.iterdir()) == []


def test_both_files_are_replaced_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key of another capture has other names. The disk is full when the second file is stored."""
    stored = []

    def fsync(handle: int) -> None:
        stored.append(handle)
        if len(stored) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    result = Lab.load("three_hosts").run("capture", path=str(tmp_path / "a.json"), fails=True)
    assert "a.json cannot be written: No space left on device" in result["msg"]
    assert list(tmp_path.iterdir()) == []


def test_what_the_server_refuses_is_in_the_notes(tmp_path: Path) -> None:
    """Otherwise the twin of a fleet offers less than the fleet, and its owner does not know."""
    lab = Lab.load("nvlink")
    for method in ("RetrieveDiskPartitionInfo", "QueryConfigTarget", "QueryOptions"):
        lab.sim.faults.add(method=method, fault="NoPermission", message=f"No {method}.")
    result = lab.run("capture", path=str(tmp_path / "a.json"))
    assert [note.partition(": ")[0] for note in result["notes"]] == [
        "Partition tables cannot be read from 2 hosts",
        "What clusters offer (vendor device groups, DVX classes) cannot be read from 1 cluster",
        "The advanced setting vgpu.hotmigrate.enabled could not be read",
    ]
    assert "No RetrieveDiskPartitionInfo." in result["notes"][0]
    assert result["lines"][-3:] == result["notes"]


def test_read_only_account_is_enough(tmp_path: Path) -> None:
    lab = Lab.load("three_hosts")
    lab.user = "reader@vsphere.local"
    result = lab.run("capture", path=str(tmp_path / "a.json"))
    assert result["notes"] == []
    assert (result["hosts"], result["vms"], result["cost"]["partition_calls"]) == (3, 4, 3)
