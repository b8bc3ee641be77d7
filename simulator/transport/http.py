# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SOAP over HTTPS on the loopback address: keep-alive, gzip, session cookie, any number of connections."""

from __future__ import annotations

import contextlib
import gzip
import re
import socket
import ssl
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyVmomi import vmodl

from .. import control, versions
from ..dispatch import Peer, Request, invoke
from ..faults import Dropped, HttpStatus, with_text
from ..services.reading import parse
from . import soap
from .tls import Certificates, make_certificates

if TYPE_CHECKING:
    from ..journal import Entry
    from ..simulator import Simulator

COOKIE = "vmware_soap_session"
_COOKIE = re.compile(COOKIE + r'="?([^";,\s]+)')
_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
BIGGEST_BODY = 64 << 20
WORTH_ZIPPING = 1024
IDLE_SECONDS = 300.0


class Server:
    """A running endpoint. ``url``, ``port`` and ``ca_file`` are what a client needs.

    ``ca_file``: where to write the CA certificate (default: a temporary file, removed by ``stop``).
    ``control_port``: also serve the control page there as plain HTTP (0: a free port; None: not).
    """

    def __init__(
        self, sim: Simulator, port: int = 0, ca_file: str | Path | None = None, control_port: int | None = None
    ) -> None:
        self.sim = sim
        self.certificates: Certificates = make_certificates()
        self.context = self.certificates.context()
        self.sessions: set[str] = set()
        self._folder = tempfile.TemporaryDirectory() if ca_file is None else None
        self.ca_file = Path(self._folder.name) / "ca.pem" if self._folder is not None else Path(str(ca_file))
        self.ca_file.write_bytes(self.certificates.ca)
        self._listeners = [_Listener(self, port, tls=True)]
        if control_port is not None:
            self._listeners.append(_Listener(self, control_port, tls=False))
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


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, owner: Server, port: int, tls: bool) -> None:
        self.owner = owner
        self.tls = tls
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler)

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


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "directpath-vsphere-simulator"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    timeout = IDLE_SECONDS
    server: _Listener

    def setup(self) -> None:
        self.sim = self.server.owner.sim
        if self.server.tls:
            self.request.settimeout(30)
            self.request = self.server.owner.context.wrap_socket(self.request, server_side=True)
        self.server.remember(self.request)
        with self.sim.lock:
            self.sim.journal.counters.http_connections += 1
        super().setup()

    def finish(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().finish()
        self.server.forget(self.request)
        with contextlib.suppress(OSError):
            if isinstance(self.request, ssl.SSLSocket):
                self.request.unwrap() if not self.close_connection else None
            self.request.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            self.request.close()

    def log_message(self, format: str, *args: Any) -> None:
        """The journal is the log."""

    # -- requests ---------------------------------------------------------------------------------------------

    def do_GET(self) -> None:
        """The version document and the control page."""
        path = self.path.partition("?")[0]
        if path == "/sdk/vimServiceVersions.xml" and self.server.tls:
            if self._gone():
                self._drop()
                return
            self._send(200, "text/xml", versions.description(self.sim.api_version).encode())
        else:
            self._control("GET")

    def do_DELETE(self) -> None:
        """Control requests only."""
        self._control("DELETE")

    def do_POST(self) -> None:
        """SOAP calls, and control requests."""
        if self.path.partition("?")[0].rstrip("/") not in ("/sdk", "/sdk/vimService"):
            self._control("POST")
        elif self.server.tls:
            self._soap()
        else:
            self._send(404, "text/plain", b"SOAP is served on the TLS port only\n")

    def _body(self) -> bytes | None:
        """The request body, sized or chunked (govmomi sends chunks); None when it was refused."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return self._chunks()
        try:
            length = int(self.headers.get("Content-Length", ""))
        except ValueError:
            self._send(411, "text/plain", b"Content-Length required\n")
            return None
        if not 0 <= length <= BIGGEST_BODY:
            self.close_connection = True
            self._send(413, "text/plain", b"too large\n")
            return None
        return self.rfile.read(length)

    def _chunks(self) -> bytes | None:
        parts, total = [], 0
        while True:
            try:
                size = int(self.rfile.readline(1024).partition(b";")[0], 16)
            except ValueError:
                size = -1
            total += max(size, 0)
            if size < 0 or total > BIGGEST_BODY:
                self.close_connection = True
                self._send(400, "text/plain", b"bad chunk\n")
                return None
            parts.append(self.rfile.read(size))
            line = self.rfile.readline(1024)
            if size == 0:
                while line.strip():
                    line = self.rfile.readline(1024)
                return b"".join(parts)

    def _control(self, verb: str) -> None:
        body = self._body() if verb == "POST" else b""
        if body is None:
            return
        host = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
        if host not in _LOCAL_HOSTS:
            self._send(403, "text/plain", b"the control page answers on localhost only\n")
            return
        if not self.path.startswith("/control") and self.path != "/":
            self._send(404, "text/plain", b"not modelled; there are /sdk and /control\n")
            return
        if verb == "POST" and not self.headers.get("Content-Type", "").startswith("application/json"):
            self._send(415, "text/plain", b"send application/json\n")
            return
        answer = control.answer(self.sim, verb, self.path, body)
        self._send(answer.status, answer.content_type, answer.body)

    # -- SOAP -------------------------------------------------------------------------------------------------

    def _soap(self) -> None:
        body = self._body()
        if body is None:
            return
        sim = self.sim
        with sim.lock:
            sim.journal.counters.http_requests += 1
            sim.journal.counters.bytes_in += len(body)
        version = versions.negotiated(self.headers.get("SOAPAction", ""), sim.api_version)
        if self._gone():
            self._drop()
            return
        peer = self._peer()
        before = peer.session_key
        try:
            status, text, entry = self._run(body, version, peer)
        except HttpStatus as error:
            self._send(error.status, "text/plain", f"{error}\n".encode())
            return
        except Dropped:
            self._drop()
            return
        if self._gone():
            self._drop()
            return
        cookie = None
        if peer.session_key != before and peer.session_key:
            self.server.owner.sessions.add(peer.session_key)
            cookie = f'{COOKIE}="{peer.session_key}"; Path=/; HttpOnly; Secure;'
        self._xml(status, text, entry, cookie)

    def _peer(self) -> Peer:
        found = _COOKIE.search(self.headers.get("Cookie", ""))
        key = found.group(1) if found else ""
        return Peer(key, self.client_address[0], self.headers.get("User-Agent", ""), remote=True)

    def _run(self, body: bytes, version: str, peer: Peer) -> tuple[int, str, Entry | None]:
        """Decode, invoke and encode; values are encoded under the lock, while they are what they were."""
        with self.sim.lock:
            try:
                request, declared = _request(body, version)
            except soap.BadRequest as error:
                return 500, soap.encode_fault(soap.bad_request(error), version), None
            try:
                result = invoke(self.sim, request, peer)
                return 200, soap.encode_result(request.method, result, declared, version), request.entry
            except vmodl.MethodFault as fault:
                return 500, soap.encode_fault(fault, version), request.entry
            except TypeError as error:
                self.sim.internal_errors.append(error)
                broken = with_text(vmodl.fault.SystemError(reason=f"simulator: {error}"))
                return 500, soap.encode_fault(broken, version), request.entry

    # -- answers ----------------------------------------------------------------------------------------------

    def _gone(self) -> bool:
        return not self.sim.online

    def _drop(self) -> None:
        self.close_connection = True

    def _xml(self, status: int, text: str, entry: Entry | None, cookie: str | None = None) -> None:
        sent = self._send(status, "text/xml; charset=utf-8", text.encode(), cookie)
        with self.sim.lock:
            self.sim.journal.counters.bytes_out += sent
            if entry is not None:
                entry.bytes_out = sent

    def _send(self, status: int, content_type: str, body: bytes, cookie: str | None = None) -> int:
        self.send_response(status)
        if "gzip" in self.headers.get("Accept-Encoding", "") and len(body) > WORTH_ZIPPING:
            body = gzip.compress(body, 1)
            self.send_header("Content-Encoding", "gzip")
        if cookie is not None:
            self.send_header("Set-Cookie", cookie)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
        return len(body)


def _request(body: bytes, version: str) -> tuple[Request, type[Any]]:
    """The decoded call and the declared type of its result. Raises BadRequest."""
    decoded = soap.decode(body, version)
    info = soap.method_info(decoded.method)
    declared: type[Any] = object
    args: list[Any]
    if decoded.method == "Fetch":
        args = [str(decoded.values.get("prop", ""))]
        path = parse(decoded.type, args[0], version) if decoded.type is not None else None
        declared = path.type if path is not None else object
    elif info is None:
        args = []
    else:
        args = [decoded.values.get(param.name) for param in info.params]
        declared = info.result
    request = Request(
        moid=decoded.moid,
        type=decoded.type,
        method=decoded.method,
        info=info,
        args=args,
        version=version,
        bytes_in=len(body),
    )
    return request, declared
