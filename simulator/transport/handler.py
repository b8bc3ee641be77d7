# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One connection of one client: requests in, answers out."""

from __future__ import annotations

import contextlib
import gzip
import re
import select
import socket
import ssl
from typing import TYPE_CHECKING, Any, Protocol

from pyVmomi import vmodl

from ..api import versions
from ..core.accounts import Peer
from ..core.faults import Dropped, HttpStatus, with_text
from ..services.reading import parse
from . import automation, control, guest_files, redfish, soap
from .dispatch import Request, invoke, passing
from .web import WORTH_ZIPPING, Connection

if TYPE_CHECKING:
    from ..core.journal import Entry
    from ..endpoint import SimulatedEndpoint

COOKIE = "vmware_soap_session"
CLIENT = "X-Simulator-Clock"
"""Header with the number of the client of the clock that makes the request (see clock_socket.py)."""
_COOKIE = re.compile(COOKIE + r'="?([^";,\s]+)')
_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
BIGGEST_BODY = 64 << 20
IDLE_SECONDS = 300.0


class Owner(Protocol):
    """The server of a connection; transport.http.Server."""

    sim: SimulatedEndpoint
    context: ssl.SSLContext
    sessions: set[str]
    control: bool


class Port(Protocol):
    """The port that a connection came in by; transport.http.Listener."""

    owner: Owner
    tls: bool

    def remember(self, connection: socket.socket) -> None:
        """A connection is open."""

    def forget(self, connection: socket.socket) -> None:
        """A connection is closed."""


class Handler(Connection):
    protocol_version = "HTTP/1.1"
    server_version = "directpath-vsphere-simulator"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    timeout = IDLE_SECONDS
    server: Port  # type: ignore[assignment]  # what serves it is always a server of this module

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

    @property
    def is_private(self) -> bool:
        return self.server.tls

    def log_message(self, format: str, *args: Any) -> None:
        """The journal is the log."""

    # -- requests ---------------------------------------------------------------------------------------------

    def parse_request(self) -> bool:
        """From here until its answer is sent, a request is at work; the wait for the next one is not."""
        if not super().parse_request():
            return False
        number = self.headers.get(CLIENT, "")
        self.sim.clock.asked(int(number) if number.isdecimal() else None, self._is_hung_up)
        return True

    def _is_hung_up(self) -> bool:
        """Whether the client closed the connection, which it does not do while it waits for an answer."""
        poll = select.poll()
        try:
            poll.register(self.request.fileno(), getattr(select, "POLLRDHUP", 0))
            return bool(poll.poll(0))
        except (OSError, ValueError):
            return True  # closed on this side

    def handle_one_request(self) -> None:
        """One request. Without an answer the client notices the end of the connection."""
        try:
            super().handle_one_request()
        finally:
            self.sim.clock.answered()

    def do_GET(self) -> None:
        """The version document, the control page, and the services beside the SDK."""
        path = self.path.partition("?")[0]
        if self._beside("GET"):
            return
        if path == "/sdk/vimServiceVersions.xml" and self.server.tls:
            if self._gone():
                self._away()
                return
            self._send(200, "text/xml", versions.description(self.sim.api_version).encode())
        else:
            self._control("GET")

    def do_DELETE(self) -> None:
        """Control requests, and the services beside the SDK."""
        if not self._beside("DELETE"):
            self._control("DELETE")

    def do_PATCH(self) -> None:
        """The services beside the SDK only. The body is read first: otherwise the end of the connection may overtake the answer."""
        if self._beside(self.command):
            return
        self.close_connection = True
        if "Content-Length" not in self.headers or self._body() is not None:
            self._send(404, "text/plain", b"not modelled\n")

    do_PUT = do_PATCH

    def do_POST(self) -> None:
        """SOAP calls, control requests, and the services beside the SDK."""
        if self._beside("POST"):
            return
        if self.path.partition("?")[0].rstrip("/") not in ("/sdk", "/sdk/vimService"):
            self._control("POST")
        elif self.server.tls:
            self._soap()
        else:
            self._send(404, "text/plain", b"SOAP is served on the TLS port only\n")

    def _beside(self, verb: str) -> bool:
        """Whether this was a request for a service beside the SDK; if so, it has its answer."""
        service = next((item for item in (redfish, guest_files, automation) if item.serves(self)), None)
        if service is None:
            return False
        sized = any(name in self.headers for name in ("Content-Length", "Transfer-Encoding"))
        body = self._body() if sized else b""
        if body is not None:
            service.serve(self, verb, body)
        return True

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
        if not self.server.owner.control or (not self.path.startswith("/control") and self.path != "/"):
            shown = "/sdk and /control" if self.server.owner.control else "/sdk"
            self._send(404, "text/plain", f"not modelled; there is {shown}\n".encode())
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
            self._away()
            return
        try:
            request, declared = _request(body, version)
        except soap.BadRequest as error:
            self._xml(500, soap.encode_fault(soap.bad_request(error), version), None, None)
            return
        try:
            self._answer(request, declared, version)
        except Dropped:
            self._drop()
        except Exception:
            self._drop()  # raised on purpose where a test stops: on the network that is a lost connection
            raise

    def _answer(self, request: Request, declared: type[Any], version: str) -> None:
        """Run a call and send its answer. Raises Dropped when there is to be none."""
        peer = self._peer()
        before = peer.session_key
        passing(self.sim, "before", request)
        try:
            try:
                status, text = self._run(request, declared, version, peer)
            finally:
                passing(self.sim, "after", request)
        except HttpStatus as error:
            self._send(error.status, "text/plain", f"{error}\n".encode())
            return
        if self._gone():
            raise Dropped
        cookie = None
        if peer.session_key != before and peer.session_key:
            self.server.owner.sessions.add(peer.session_key)
            cookie = f'{COOKIE}="{peer.session_key}"; Path=/; HttpOnly; Secure;'
        self._xml(status, text, request.entry, cookie)
        passing(self.sim, "answered", request)

    def _peer(self) -> Peer:
        found = _COOKIE.search(self.headers.get("Cookie", ""))
        key = found.group(1) if found else ""
        return Peer(key, self.client_address[0], self.headers.get("User-Agent", ""), remote=True)

    def _run(self, request: Request, declared: type[Any], version: str, peer: Peer) -> tuple[int, str]:
        """Invoke and encode; values are encoded under the lock, while they are what they were."""
        with self.sim.lock:
            try:
                result = invoke(self.sim, request, peer)
                return 200, soap.encode_result(request.method, result, declared, version)
            except vmodl.MethodFault as fault:
                return 500, soap.encode_fault(fault, version)
            except TypeError as error:
                self.sim.internal_errors.append(error)
                broken = with_text(vmodl.fault.SystemError(reason=f"simulator: {error}"))
                return 500, soap.encode_fault(broken, version)

    # -- answers ----------------------------------------------------------------------------------------------

    def _gone(self) -> bool:
        return not self.sim.online

    def _away(self) -> None:
        """What a client gets from an endpoint that is not there."""
        if self.sim.offline_answer == "503":
            self._send(503, "text/plain", b"503 Service Unavailable (the service behind the proxy does not answer)\n")
        else:
            self._drop()

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
