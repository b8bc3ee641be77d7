# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of the socket of a waiting clock: one thread of a client has one."""

from __future__ import annotations

import socket
from pathlib import Path
from types import TracebackType


class ClockClient:
    """A connection to the clock."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(60)
        self._socket.connect(str(path))
        self._answers = self._socket.makefile("r")

    def __enter__(self) -> ClockClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, place: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connection, as the end of the process would."""
        self._answers.close()
        self._socket.close()

    def send(self, request: str) -> None:
        """A request whose answer is not waited for."""
        self._socket.sendall(f"{request}\n".encode())

    def ask(self, request: str) -> str:
        """A request and its answer."""
        self.send(request)
        return self._answers.readline().rstrip("\n")

    def seconds(self) -> float:
        """What a client takes for time.monotonic."""
        return float(self.ask("now"))

    def sleep(self, seconds: float) -> None:
        """What a client takes for time.sleep."""
        float(self.ask(f"sleep {seconds!r}"))
