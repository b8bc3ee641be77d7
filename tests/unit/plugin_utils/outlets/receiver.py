# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A receiver of events over HTTPS, on this machine. It checks signatures by itself, as the guide describes them."""

from __future__ import annotations

import hashlib
import hmac
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from simulator.transport.tls import make_certificates

SECRET = "a-secret-of-at-least-16-characters"
TOKEN = "T0K3N-in-the-path"


@dataclass
class Receiver:
    """``status``: how it answers. ``hangs``: it accepts connections and answers nothing."""

    port: int = 0
    ca: Path = field(default_factory=Path)
    status: int = 204
    hangs: bool = False
    events: list[dict[str, Any]] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    forged: list[str] = field(default_factory=list)
    """What is wrong with the signatures of requests."""
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/hooks/{TOKEN}?key={TOKEN}"

    @property
    def kinds(self) -> list[str]:
        return [event["event"] for event in self.events]

    def option(self, **more: Any) -> dict[str, Any]:
        """An entry of ``notify`` for this receiver."""
        return {"url": self.url, "secret": SECRET, "ca_path": str(self.ca), "timeout": 60, **more}

    def take(self, headers: Any, body: bytes) -> None:
        timestamp, signature = headers["X-Directpath-Timestamp"], headers["X-Directpath-Signature"]
        right = hmac.new(SECRET.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
        if signature != f"sha256={right}":
            self.forged.append("another signature")
        if abs(int(timestamp) - time.time()) > 60:
            self.forged.append("an old time")
        self.events.append(json.loads(body))
        self.arrivals.append(time.monotonic())


@contextmanager
def receiving(folder: Path, **options: Any) -> Iterator[Receiver]:
    """A receiver while the block runs. Its CA is in ``folder``."""
    receiver = Receiver(**options)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if receiver.hangs:
                receiver.over.wait(600)
                return
            receiver.take(self.headers, body)
            self.send_response(receiver.status)
            if 300 <= receiver.status < 400:
                self.send_header("Location", f"https://localhost:{receiver.port}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            """Prints nothing."""

    made = make_certificates()
    for name, content in (("ca.pem", made.ca), ("server.pem", made.server + made.key)):
        (folder / name).write_bytes(content)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    receiver.port, receiver.ca = server.server_address[1], folder / "ca.pem"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.over.set()
        server.shutdown()
        server.server_close()
        thread.join(60)
