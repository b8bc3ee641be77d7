# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting in real time for what threads, processes and servers do.

A virtual machine may stand still for seconds. So a test waits for a condition, not for a fixed time; and where it shows that something
ends early, the limit is many times the usual duration.
"""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 60.0
"""Seconds in which whatever does not hang is over on any machine."""


def until(condition: Callable[[], object], seconds: float = PATIENCE) -> bool:
    """Wait for a condition. False if it is not met in time."""
    end = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < end:
        time.sleep(0.01)
    return bool(met or condition())
