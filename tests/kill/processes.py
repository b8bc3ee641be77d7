# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes as the kernel tells of them: who was started by whom, who is gone, and kill -9."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path


def kill(pids: Iterable[int]) -> None:
    """kill -9, and wait until none of them can do anything any more."""
    doomed = list(pids)
    for pid in doomed:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert gone(doomed, 600.0), doomed


def gone(pids: Iterable[int], seconds: float) -> bool:
    """Whether all of them have ended, within so many seconds."""
    named = list(pids)
    return until(lambda: not any(_lives(pid) for pid in named), seconds, every=0.002)


def until(holds: Callable[[], bool], seconds: float, every: float = 0.05) -> bool:
    """Whether it holds, within so many seconds. The last look is after them, however long this process stood still."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return holds()
        time.sleep(every)
    return True


def family(pid: int) -> list[int]:
    """A process and everything below it, wherever it put itself: workers of Ansible are sessions of their own."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                parents.setdefault(int(_stat(int(folder.name))[1]), []).append(int(folder.name))
    found, todo = [pid], [pid]
    while todo:
        children = parents.get(todo.pop(), [])
        found += children
        todo += children
    return found


def at_work_in(folder: Path) -> list[int]:
    """The processes whose working directory is in a folder."""
    found = []
    for process in Path("/proc").iterdir():
        with suppress(OSError):
            if process.name.isdigit() and Path(os.readlink(process / "cwd")).is_relative_to(folder):
                found.append(int(process.name))
    return found


def _lives(pid: int) -> bool:
    """Neither gone nor a zombie."""
    with suppress(OSError):
        return _stat(pid)[0] not in ("Z", "X")
    return False


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
