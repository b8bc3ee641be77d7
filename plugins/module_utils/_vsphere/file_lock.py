# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lock of an open file or directory, with a deadline: a process that hangs must not stop all others. PRIVATE to the collection."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable

PATIENCE = 15.0
"""Seconds. What a process does under such a lock takes far less than a second."""
_PAUSE = 0.05


def lock(handle: int, *, seconds: float = PATIENCE, sleep: Callable[[float], None] | None = None) -> None:
    """Lock it until it is closed: one process at a time. Raises TimeoutError when another process has held the lock for so long."""
    waited = 0.0
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if waited >= seconds:
                raise TimeoutError(f"another process has held its lock for {seconds:.0f} seconds") from None
            (sleep or time.sleep)(_PAUSE)
            waited += _PAUSE
