# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The time of a waiting clock over a Unix socket, one line for a request and one for its answer.

``now`` and ``sleep SECONDS`` answer with the simulated seconds since the start; ``sleep`` when the time is over. ``watch`` does as ``now``,
and its connection never holds the time from then on. ``id`` answers with the number that names this client in calls over HTTP
(handler.CLIENT).
"""

from __future__ import annotations

import contextlib
import math
import os
import selectors
import socket
import struct
import threading
import time
from pathlib import Path

from ..core.process import Process
from ..core.waiting_clock import Client, WaitingClock

LONGEST_LINE = 200


class Connection:
    """One thread of a client."""

    def __init__(self, stream: socket.socket, client: Client) -> None:
        self.stream = stream
        self.client = client
        self.buffer = b""
        self.sleeps = False

    def send(self, text: str) -> None:
        """An answer. A client that does not read it is no longer there; that is noticed when its connection is read."""
        with contextlib.suppress(OSError):
            self.stream.send(f"{text}\n".encode())


class ClockSocket:
    """Serves a clock at a path (mode 0600) until it is closed. Raises OSError."""

    def __init__(self, clock: WaitingClock, path: str | Path) -> None:
        self.clock = clock
        self.path = Path(path)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        mask = os.umask(0o177)
        try:
            self._listener.bind(str(path))
        except OSError as error:
            self._listener.close()
            raise OSError(f"{path}: the socket of the clock cannot be made: {error}") from None
        finally:
            os.umask(mask)
        self._listener.listen(128)
        self._listener.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name="simulator-clock-socket", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End all connections, and remove the socket."""
        self._wake.send(b"x")
        self._thread.join(5)
        for key in list(self._selector.get_map().values()):
            if isinstance(key.data, Connection):
                self._drop(key.data)
        for each in (self._listener, self._wake, self._woken, self._selector):
            each.close()
        self.path.unlink(missing_ok=True)

    def _run(self) -> None:
        while True:
            for key, _mask in self._selector.select():
                if key.fileobj is self._woken:
                    return
                if isinstance(key.data, Connection):
                    self._read(key.data)
                else:
                    self._accept()

    def _accept(self) -> None:
        try:
            stream, _address = self._listener.accept()
        except OSError:  # too many open files, or a client that left again: it is looked at again, but not at once
            time.sleep(0.05)
            return
        stream.setblocking(False)
        connection = Connection(stream, self.clock.join(_process_of(stream)))
        self._selector.register(stream, selectors.EVENT_READ, connection)

    def _drop(self, connection: Connection) -> None:
        with self.clock.lock:
            self._selector.unregister(connection.stream)
            connection.stream.close()
            self.clock.leave(connection.client)

    def _read(self, connection: Connection) -> None:
        try:
            found = connection.stream.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            found = b""
        connection.buffer += found
        *lines, connection.buffer = connection.buffer.split(b"\n")
        if not found or len(connection.buffer) > LONGEST_LINE:
            self._drop(connection)
            return
        for line in lines:
            with self.clock.lock:
                connection.client.seen()
                answer = self._answer(connection, line.decode("ascii", "replace").split())
                if answer:
                    connection.send(answer)

    def _answer(self, connection: Connection, words: list[str]) -> str:
        """The answer to one request; empty: it comes later."""
        if connection.sleeps:
            return "error: one request at a time"
        match words:
            case ["now"]:
                return repr(self.clock.seconds())
            case ["watch"]:
                connection.client.watches = True
                return repr(self.clock.seconds())
            case ["id"]:
                return str(connection.client.number)
            case ["sleep", text] if (seconds := _number(text)) is not None:
                return self._sleep(connection, seconds)
        return "error: the requests are: now, sleep SECONDS, watch, id"

    def _sleep(self, connection: Connection, seconds: float) -> str:
        if seconds <= 0:
            return repr(self.clock.seconds())
        connection.sleeps = True

        def ended() -> None:
            connection.sleeps = False
            connection.send(repr(self.clock.seconds()))

        self.clock.begin_sleep(connection.client, seconds, ended)
        return ""


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _process_of(stream: socket.socket) -> Process:
    """The process at the other end, where the system tells (Linux)."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return Process(0)
    size = struct.calcsize("3i")
    number, _user, _group = struct.unpack("3i", stream.getsockopt(socket.SOL_SOCKET, option, size))
    return Process(number)
