# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SOAP over HTTPS on the loopback address: keep-alive, gzip, session cookie, any number of connections."""

from __future__ import annotations

import contextlib
import socket
import struct
import tempfile
import threading
from collections.abc import Sequence
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .handler import Handler
from .tls import Certificates, make_certificates

if TYPE_CHECKING:
    from ..endpoint import SimulatedEndpoint


class Server:
    """A running endpoint. ``url``, ``port`` and ``ca_file`` are what a client needs.

    ``ca_file``: where to write the CA certificate (default: a temporary file, removed by ``stop``).
    ``control_port``: also serve the control page there as plain HTTP (0: a free port; None: not). ``control``: whether there is a control
    page at all. ``names``: names and addresses for which the certificate is valid, beside those of this machine.
    """

    def __init__(
        self,
        sim: SimulatedEndpoint,
        port: int = 0,
        ca_file: str | Path | None = None,
        control_port: int | None = None,
        *,
        control: bool = True,
        names: Sequence[str] = (),
    ) -> None:
        self.sim = sim
        self.control = control
        self.certificates: Certificates = make_certificates(*names)
        self.context = self.certificates.context()
        self.sessions: set[str] = set()
        self._folder = tempfile.TemporaryDirectory() if ca_file is None else None
        self.ca_file = Path(self._folder.name) / "ca.pem" if self._folder is not None else Path(str(ca_file))
        self.ca_file.write_bytes(self.certificates.ca)
        self._listeners = [Listener(self, port, tls=True)]
        if control_port is not None:
            self._listeners.append(Listener(self, control_port, tls=False))
        self._threads: list[threading.Thread] = []

    @property
    def port(self) -> int:
        """The port in use."""
        return int(self._listeners[0].server_address[1])

    @property
    def url(self) -> str:
        """The address of the SDK."""
        return f"https://localhost:{self.port}/sdk"

    @property
    def control_url(self) -> str:
        """The address of the control page."""
        if len(self._listeners) > 1:
            return f"http://localhost:{self._listeners[1].server_address[1]}/control"
        return f"https://localhost:{self.port}/control"

    def start(self) -> None:
        """Accept connections in the background."""
        for listener in self._listeners:
            thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Stop accepting, end this server's sessions, close every connection, remove the temporary CA file."""
        for listener in self._listeners:
            listener.shutdown()
            listener.server_close()
        for thread in self._threads:
            thread.join(5)
        with self.sim.lock:
            for key in sorted(self.sessions):
                session = self.sim.sessions.of(key)
                if session is not None:
                    self.sim.sessions.close(session)
        for listener in self._listeners:
            listener.close_connections()
        if self._folder is not None:
            self._folder.cleanup()


class Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, owner: Server, port: int, tls: bool) -> None:
        self.owner = owner
        self.tls = tls
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(("127.0.0.1", port), Handler)

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """While the endpoint refuses connections: reset this one, before any handshake."""
        sim = self.owner.sim
        if not self.tls or sim.online or sim.offline_answer != "refuse":
            return True
        with contextlib.suppress(OSError):
            request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    def remember(self, connection: socket.socket) -> None:
        with self._guard:
            self._open.add(connection)

    def forget(self, connection: socket.socket) -> None:
        with self._guard:
            self._open.discard(connection)

    def close_connections(self) -> None:
        with self._guard:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away, or speak no TLS, are no news."""
