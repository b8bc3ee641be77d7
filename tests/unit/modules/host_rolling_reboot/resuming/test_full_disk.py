# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The disk under a journal in a file gives out in the middle of a roll: at each of its writes, and in each way a disk can."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.attributes import file_journal
from tests.unit.modules.host_rolling_reboot.lab import Roll

pytestmark = pytest.mark.slow

DEADLINE = 4 * 3600.0
"""Seconds of simulated time: draining, rebooting and verifying one host after the other, by the default time-outs."""


class Disk:
    """Gives out at the n-th write of the journal (0 is the look whether it can be written at all), and stays so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path, code: int, *, after: int) -> None:
        self.folder, self.code, self.after, self.writes = folder, code, after, 0
        self.honest = file_journal.tempfile.mkstemp
        monkeypatch.setattr(file_journal.tempfile, "mkstemp", self.mkstemp)

    def mkstemp(self, *arguments: Any, **options: Any) -> Any:
        self.writes += 1
        if self.writes <= self.after:
            return self.honest(*arguments, **options)
        if self.code == errno.ENOENT:
            shutil.rmtree(self.folder, ignore_errors=True)
        raise OSError(self.code, os.strerror(self.code))


def roll(folder: Path) -> Roll:
    return Roll.of("three_hosts", cluster=["compute"], journal="file", journal_dir=str(folder))


def pinned(folder: Path) -> Roll:
    return Roll.pinned(pinned_vms="shutdown", journal="file", journal_dir=str(folder))


def writes_of(made: Roll, folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    disk = Disk(monkeypatch, folder, errno.ENOSPC, after=10_000)
    made.run()
    return disk.writes


def check(made: Roll, result: dict[str, Any]) -> None:
    """Whatever happened, nothing is left behind without a word."""
    said = result["msg"]
    for host in made.hosts():
        if host["maintenance"] or host.get("entering"):
            assert host["name"] in said, f"{host['name']} was left in maintenance mode: {said}"
    off = [vm["name"] for vm in made.vms() if vm["name"] in made.running and vm["power"] != "poweredOn"]
    assert [name for name in off if name not in said] == [], said


@pytest.mark.parametrize("make", [roll, pinned])
def test_a_disk_that_is_full_from_some_write_on(make: Any, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        total = writes_of(make(tmp_path / "a"), tmp_path / "a", patch)
    assert total > 10
    for after in (1, total // 3, 2 * total // 3, total - 2):
        folder = tmp_path / str(after)
        made = make(folder)
        with pytest.MonkeyPatch.context() as patch:
            Disk(patch, folder, errno.ENOSPC, after=after)
            began = made.lab.sim.clock.seconds()
            result = made.fail()
        assert made.lab.sim.clock.seconds() - began < DEADLINE
        assert result["error_code"] == "journal_unwritable", (after, result["msg"])
        assert "No space left on device" in result["msg"]
        check(made, result)
        assert all(count == 1 for count in made.reboots().values())


WAYS = [
    # What comes of it hangs on the write that fails; the folder that is gone with its files is a case of its own.
    pytest.param(
        code,
        after,
        id=f"{after}-{errno.errorcode[code]}",
        marks=[] if after == 4 or code == errno.ENOENT else [pytest.mark.long],
    )
    for after in (1, 4, 7)
    for code in (errno.EROFS, errno.ENOENT, errno.EIO, errno.EDQUOT)
]


@pytest.mark.parametrize(("code", "after"), WAYS)
def test_a_disk_that_gives_out_in_another_way(
    code: int, after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "journal"
    made = pinned(folder)
    Disk(monkeypatch, folder, code, after=after)
    result = made.fail()
    assert result["error_code"] == "journal_unwritable"
    assert os.strerror(code) in result["msg"]
    check(made, result)


def test_with_room_again_the_next_run_ends_what_was_begun(tmp_path: Path) -> None:
    made = pinned(tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        Disk(patch, tmp_path, errno.ENOSPC, after=6)
        made.fail()
    made.lab.sim.clock.sleep(600)  # until the lock, which could not be removed, has run out
    result = made.run(failed_hosts="verify")
    assert sum(made.reboots().values()) == 3
    assert not result.get("failed")
    assert [host["name"] for host in made.hosts() if host["maintenance"]] == []
    assert {vm["name"] for vm in made.vms() if vm["power"] == "poweredOn"} >= made.running
