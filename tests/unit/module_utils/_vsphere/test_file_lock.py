# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that hangs with a lock stops no other one for ever."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.errors import DirectPathError
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere import file_lock
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.attributes.file_journal import FileJournal


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """By another process, as far as the system knows."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def test_a_lock_is_waited_for_until_the_deadline(tmp_path: Path) -> None:
    slept: list[float] = []
    handle = os.open(tmp_path, os.O_RDONLY)
    try:
        with held(tmp_path), pytest.raises(TimeoutError, match="has held its lock for 3 seconds"):
            file_lock.lock(handle, seconds=3, sleep=slept.append)
        assert sum(slept) == pytest.approx(3, abs=0.1)
        file_lock.lock(handle, seconds=0)
        with pytest.raises(BlockingIOError), held_at_once(tmp_path):
            pytest.fail("two were in it at once")
    finally:
        os.close(handle)


@contextmanager
def held_at_once(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def test_a_journal_whose_folder_another_process_keeps_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(file_lock.time, "sleep", slept.append)
    journal = FileJournal(tmp_path / "vc_443.json", why="it was requested")
    with held(tmp_path), pytest.raises(DirectPathError) as caught:
        journal.check()
    assert caught.value.code == "journal_unwritable"
    assert "another process has held its lock for 15 seconds. Find and stop the process that hangs: fuser -v " in (
        caught.value.sentence()
    )
    assert sum(slept) == pytest.approx(file_lock.PATIENCE, abs=0.1)
    journal.check()
