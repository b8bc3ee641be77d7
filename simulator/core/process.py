# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the process of a client computes, or waits."""

from __future__ import annotations

import os
from pathlib import Path

PROC = Path("/proc")
AT_WORK = frozenset("RD")
"""States of a thread that runs, is ready to run, or waits for a disk (proc(5))."""


class Process:
    """A process of this machine. ``number`` 0: unknown, so that nothing is known of what it does."""

    def __init__(self, number: int) -> None:
        self._number = 0 if number == os.getpid() else number
        self._ticks = -1

    def is_busy(self) -> bool:
        """Whether it computes now, or did since the last look. False where the system does not tell."""
        if not self._number:
            return False
        try:
            threads = [_fields(path / "stat") for path in (PROC / str(self._number) / "task").iterdir()]
        except OSError:
            return False
        ticks = sum(int(fields[11]) + int(fields[12]) for fields in threads if fields)
        before, self._ticks = self._ticks, ticks
        return -1 != before != ticks or any(fields and fields[0] in AT_WORK for fields in threads)


def _fields(path: Path) -> list[str]:
    """What follows the name of the command, which may contain spaces: state, ..., utime (12th), stime (13th)."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []
