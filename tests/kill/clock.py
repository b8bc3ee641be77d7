# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The time of a simulator, told to other processes: they run by it, so that no machine is too busy for them.

Time passes while a client waits: for news of vCenter, or as it sleeps. What it computes, and how long it takes to start, costs none.
"""

from __future__ import annotations

import json
import mmap
import struct
from http.client import HTTPConnection
from pathlib import Path

from simulator.core.clock import ManualClock

_SECONDS = struct.Struct("d")


class ToldClock(ManualClock):
    """Keeps its seconds in a file, for everybody to read."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(_SECONDS.pack(0.0))
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), _SECONDS.size)
        super().__init__()

    @property
    def _seconds(self) -> float:
        (seconds,) = _SECONDS.unpack(self._page[:])
        return float(seconds)

    @_seconds.setter
    def _seconds(self, seconds: float) -> None:
        self._page[:] = _SECONDS.pack(seconds)


class ClientClock:
    """The same clock in a client's process. ``control_port``: of the simulator, who lets time pass while a client sleeps."""

    def __init__(self, path: Path, control_port: int) -> None:
        with path.open("rb") as file:
            self._page = mmap.mmap(file.fileno(), _SECONDS.size, access=mmap.ACCESS_READ)
        self._port = control_port

    def seconds(self) -> float:
        (seconds,) = _SECONDS.unpack(self._page[:])
        return float(seconds)

    def sleep(self, seconds: float) -> None:
        connection = HTTPConnection("localhost", self._port, timeout=600)
        try:
            body = json.dumps({"advance": max(0.0, seconds)})
            connection.request("POST", "/control/clock", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 200:
                raise AssertionError(f"the simulator's clock answers {answer.status}: {text!r}")
        finally:
            connection.close()
