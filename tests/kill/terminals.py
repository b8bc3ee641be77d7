# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program on a terminal of its own, as in an SSH session: Ctrl-C is pressed there, and the session can be lost."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from tests.kill.processes import family
from tests.unit.patience import PATIENCE

CTRL_C = b"\x03"


SHELL = """
import os, signal, sys
for number in (signal.SIGINT, signal.SIGHUP):  # ignored where the tests run in the background
    signal.signal(number, signal.SIG_DFL)
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
job = os.fork()
if job == 0:
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpid())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execv(sys.argv[1], sys.argv[1:])
code = os.waitstatus_to_exitcode(os.waitpid(job, 0)[1])
os.tcsetpgrp(0, os.getpid())
os._exit(abs(code))
"""
"""Starts a job in the foreground, and takes the terminal back, as an interactive shell does. Otherwise the end of the job, or of its
session, would send SIGHUP to what it leaves behind."""


class OnTerminal:
    """The terminal is the controlling one of the program, and all of its output. ``options``: of Popen. ``process``: its shell."""

    def __init__(self, command: Sequence[str], **options: Any) -> None:
        self._outer, inner = pty.openpty()
        self._pieces: list[bytes] = []
        self._over = threading.Event()
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", SHELL, *command],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            **options,
        )
        os.close(inner)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with suppress(OSError):  # all processes with this terminal have ended
            while not self._over.is_set():
                # Never blocked in a read: the terminal would not be gone before that returns.
                if select.select([self._outer], [], [], 0.05)[0]:
                    self._pieces.append(os.read(self._outer, 65536))

    @property
    def text(self) -> str:
        """What was printed so far, without colors, and without bars that were wiped."""
        plain = re.sub(r"\x1b\[[0-9;]*m", "", b"".join(self._pieces).decode(errors="replace"))
        return "\n".join(re.sub(r".*\x1b\[K\r?", "", line).strip("\r") for line in plain.split("\n"))

    @property
    def job(self) -> int:
        """The process of the program."""
        return family(self.process.pid)[1]

    def press(self, keys: bytes) -> None:
        os.write(self._outer, keys)

    def to_the_end(self) -> str:
        """What was printed by the processes that have all ended."""
        self._reader.join(PATIENCE)
        return self.text

    def hang_up(self) -> None:
        """The session is lost."""
        self._over.set()
        self._reader.join()
        os.close(self._outer)

    def wait_for(self, words: str, seconds: float) -> None:
        """Until these words were printed. Fails after some time."""
        deadline = time.monotonic() + seconds
        while words not in self.text:
            assert time.monotonic() < deadline, f"{words!r} is not printed:\n{self.text}"
            time.sleep(0.05)
