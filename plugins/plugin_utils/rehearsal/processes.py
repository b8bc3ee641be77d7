# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process with all that it started: run it with its output in a file, and end it. PRIVATE to the collection."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

LOOK = 0.05
"""Seconds between two looks whether the process has ended."""
TO_END = 10.0


class StoppedFromOutside(BaseException):
    """A signal, or the end of ansible-playbook, ends all that is at work here. It passes each ``except Exception``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessEnd:
    """``status``: exit status; ``killed``: by ``should_end``, or because ``timeout`` seconds passed (``is_late``)."""

    status: int
    killed: bool = False
    is_late: bool = False


def run_logged(
    argv: Sequence[str],
    *,
    environ: Mapping[str, str],
    descriptors: Sequence[int],
    log: Path,
    timeout: float,
    should_end: Callable[[], bool],
) -> ProcessEnd:
    """Run until it ends, or is ended. ``should_end``: asked again and again. ``descriptors``: handed to the process. Raises OSError, and
    StoppedFromOutside if the parent of this process has ended."""
    end, parent = time.monotonic() + timeout, os.getppid()
    with open(log, "ab") as output:
        process = subprocess.Popen(  # pylint: disable=ansible-bad-function
            argv,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=list(descriptors),
            start_new_session=True,
        )
    try:
        while process.poll() is None:
            if os.getppid() != parent:
                raise StoppedFromOutside("the end of ansible-playbook")
            is_late = time.monotonic() > end
            if is_late or should_end():
                kill_tree(process.pid)
                process.wait()
                return ProcessEnd(status=process.returncode, killed=True, is_late=is_late)
            time.sleep(LOOK)
        return ProcessEnd(status=process.returncode)
    finally:
        if process.poll() is None:
            kill_tree(process.pid)
            process.wait()


def kill_tree(pid: int) -> None:
    """Kill a process and all that it started, as a power failure of the machine would. Processes of Ansible have sessions of their own."""
    found = [pid, *descendants(pid)]
    for number in found:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(number, signal.SIGSTOP)  # so that none starts another one
    for number in {*found, *descendants(pid)}:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(number, signal.SIGKILL)


def descendants(pid: int) -> list[int]:
    """The processes below a process."""
    children: dict[int, list[int]] = {}
    for number, parent in _parents():
        children.setdefault(parent, []).append(number)
    found, todo = [], [pid]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def _parents() -> list[tuple[int, int]]:
    """(process, its parent) for all processes."""
    proc = Path("/proc")
    if (proc / "self" / "stat").exists():
        found = []
        for path in proc.iterdir():
            if path.name.isdecimal():
                with suppress(OSError, ValueError, IndexError):
                    fields = (path / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
                    found.append((int(path.name), int(fields[1])))
        return found
    shown = subprocess.run(  # pylint: disable=ansible-bad-function
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=False, timeout=TO_END
    )
    return [(int(line.split()[0]), int(line.split()[1])) for line in shown.stdout.splitlines() if line.strip()]
