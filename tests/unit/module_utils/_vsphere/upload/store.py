# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An artifact store over TLS on the loopback interface."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from simulator.transport.tls import make_certificates


@dataclass(frozen=True, kw_only=True)
class Received:
    """One request. Names of headers are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(kw_only=True)
class Store:
    """``status``: of its answers. ``early``: it answers before it has read the report."""

    port: int
    ca_path: str
    status: int = 200
    early: bool = False
    received: list[Received] = field(default_factory=list)

    def url(self, path: str = "/reports/drift.html?X-Signature=s3cr3t") -> str:
        return f"https://localhost:{self.port}{path}"


@contextmanager
def storing(folder: Path) -> Iterator[Store]:
    """A store whose CA is in a file in ``folder``."""
    certificates = make_certificates()
    ca = folder / "store.pem"
    ca.write_bytes(certificates.ca)

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            size = int(self.headers.get("Content-Length") or -1)
            body = b"" if store.early else self.rfile.read(size)
            headers = {name.lower(): value for name, value in self.headers.items()}
            store.received.append(Received(method=self.command, path=self.path, headers=headers, body=body))
            self.send_response(store.status)
            self.send_header("Location", store.url("/elsewhere"))
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_PUT

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = certificates.context().wrap_socket(server.socket, server_side=True)
    store = Store(port=server.server_port, ca_path=str(ca))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield store
    finally:
        server.shutdown()
        server.server_close()
