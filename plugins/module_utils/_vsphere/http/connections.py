# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP connections with a deadline and a size limit. All sockets of the collection come from here. PRIVATE to the collection.

The timeout of a socket limits one pause only: a server that sends a byte per second, or an endless header, never exceeds it. Here all
waits, from the first packet to the last byte, share one deadline, and each answer has a limit in bytes.
"""

from __future__ import annotations

import io
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any

from .certificates import CertificateTime, Validity, validity_of
from .name_lookup import NameTooSlow, look_up
from .rehearsal import twin_of

CONNECT_TIMEOUT = 30
"""Seconds to establish a connection: name resolution, TCP, proxy and TLS together."""
SILENCE = 120.0
"""Seconds without data before or within an answer. Longer than the wait of any WaitForUpdatesEx call here."""
READ_DEADLINE = 300.0
"""Seconds for one complete answer, retries included. The largest known answer, 44 MB for 1,000 hosts, takes 36 seconds at 10 Mbit/s."""
MOST = 256 << 20
"""Bytes of one answer, decompressed: six times the largest known one."""
MOST_AT_FIRST = 1 << 20
"""Bytes of an answer before the login. Real answers have a few thousand."""
_TIMES = 10.0
"""Seconds to read the dates of a certificate that was refused."""


class BrokenAnswer(ConnectionError):
    """The answer is incomplete or invalid, and none of it is used. A retry of a read may succeed.

    ``method``: the method that was called, if known.
    """

    def __init__(self, why: str, method: str = "") -> None:
        super().__init__(why)
        self.method = method


class TooMuch(BrokenAnswer):
    """The answer exceeds the size limit, before or after decompression. A retry does not help."""


class TooSlow(TimeoutError):
    """The deadline passed before the answer was complete."""


class ProxyFailed(ConnectionError):
    """There is no connection because of the proxy. ``place``: the proxy. ``why``: a clause. ``status``: its HTTP status, 0 without one."""

    def __init__(self, place: str, why: str, status: int = 0) -> None:
        super().__init__(f"the proxy {place} {why}")
        self.place, self.why, self.status = place, why, status


_here = threading.local()


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Limits for one service: seconds to ``connect``, of ``silence`` and for a complete ``answer``; bytes of an answer at ``most``."""

    connect: float = CONNECT_TIMEOUT
    silence: float = SILENCE
    answer: float = READ_DEADLINE
    most: int = MOST
    now: Callable[[], float] = time.monotonic

    @contextmanager
    def within(self, seconds: float | None = None, *, most: int | None = None) -> Iterator[None]:
        """Set one deadline for all waits of this thread in the block, retries included. An earlier deadline of an outer block still
        holds."""
        outer, outer_most = getattr(_here, "end", None), getattr(_here, "most", None)
        end = self.now() + (self.connect + self.answer if seconds is None else seconds)
        _here.end = end if outer is None else min(end, outer)
        _here.most = outer_most if most is None else most
        try:
            yield
        finally:
            _here.end, _here.most = outer, outer_most

    def end_in(self, seconds: float) -> float:
        """The time (of ``now``) in this many seconds, or the deadline if it is earlier."""
        end = self.now() + seconds
        return min(end, getattr(_here, "end", None) or end)

    def is_over(self, pause: float = 0.0) -> bool:
        """Whether the deadline will have passed after a pause in seconds."""
        end = getattr(_here, "end", None)
        return end is not None and self.now() + pause >= end

    def left(self, end: float) -> float:
        """Seconds until a time. Raises TooSlow when it has passed."""
        seconds = end - self.now()
        if seconds <= 0:
            raise TooSlow("the deadline passed")
        return seconds

    @property
    def limit(self) -> int:
        """Bytes that an answer may have in the current block."""
        return min(self.most, getattr(_here, "most", None) or self.most)


class _Source(io.RawIOBase):
    """Reads a socket until a time and up to a number of bytes."""

    def __init__(self, sock: Any, bounds: Bounds, end: float) -> None:
        self._sock, self._bounds, self._end = sock, bounds, end
        self._limit, self._count = bounds.limit, 0
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(min(self._bounds.silence, self._bounds.left(self._end)))
        got: int | None = self._raw.readinto(buffer)
        self._count += got or 0
        if self._count > self._limit:
            raise _too_much(self._limit)
        return got

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


def _too_much(limit: int) -> TooMuch:
    return TooMuch(
        f"an answer of more than {limit >> 20} MB" if limit >> 20 else f"an answer of more than {limit} bytes"
    )


class _Listener:
    """Replaces the socket in HTTPResponse, which only calls ``makefile``."""

    def __init__(self, sock: Any, bounds: Bounds, end: float) -> None:
        self._make = partial(_Source, sock, bounds, end)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self._make())


class BoundedResponse(HTTPResponse):
    """An answer with a deadline and a size limit. ``limit``: bytes it may have, before and after decompression."""

    def __init__(
        self, sock: Any, debuglevel: int = 0, method: str | None = None, url: str | None = None, *, bounds: Bounds
    ) -> None:
        self.limit = bounds.limit
        end = bounds.end_in(bounds.silence + bounds.answer)
        super().__init__(_Listener(sock, bounds, end), debuglevel, method, url)  # type: ignore[arg-type]

    def begin(self) -> None:
        super().begin()
        if (self.length or 0) > self.limit:
            raise _too_much(self.limit)


class _Bounded(HTTPConnection):
    """A connection that enforces its bounds, direct or through a proxy (``set_tunnel``)."""

    def __init__(self, *arguments: Any, bounds: Bounds | None = None, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.bounds = bounds or Bounds()
        self.response_class = partial(BoundedResponse, bounds=self.bounds)  # type: ignore[assignment]

    def connect(self) -> None:
        self.sock = self._secure(*self._open_path())
        self.sock.settimeout(self.bounds.silence)

    def send(self, data: Any) -> None:
        if self.sock is not None:
            self.sock.settimeout(self.bounds.left(self.bounds.end_in(self.bounds.silence)))
        super().send(data)

    def endheaders(self, *arguments: Any, **options: Any) -> None:
        if (twin := twin_of(self.host, self.port)) is not None and (header := twin.header()) is not None:
            self.putheader(*header)
        super().endheaders(*arguments, **options)

    @property
    def _behind(self) -> str:
        """The server behind the proxy; empty without a proxy."""
        return str(getattr(self, "_tunnel_host", None) or "").strip("[]")

    def _open_path(self) -> tuple[socket.socket, float]:
        """A socket to the server, and the time by which the connection must be established."""
        end = self.bounds.end_in(self.bounds.connect)
        if not self._behind:
            return dial(self.host, self.port, end, self.bounds), end
        place = f"{self.host}:{self.port}"
        try:
            sock = dial(self.host, self.port, end, self.bounds)
        except socket.gaierror as error:
            why = f": {error.strerror}" if isinstance(error, NameTooSlow) else ""
            raise ProxyFailed(place, f"has a name that cannot be resolved{why}") from error
        except ConnectionRefusedError as error:
            raise ProxyFailed(place, "refused the connection: nothing listens on that port") from error
        except TimeoutError as error:
            raise ProxyFailed(place, "did not answer in time") from error
        except OSError as error:
            raise ProxyFailed(place, f"cannot be reached ({error.strerror or error})") from error
        try:
            self._ask_proxy(sock, place, end)
        except BaseException:
            sock.close()
            raise
        return sock, end

    def _ask_proxy(self, sock: socket.socket, place: str, end: float) -> None:
        behind, port = self._behind, getattr(self, "_tunnel_port", None)
        target = f"[{behind}]:{port}" if ":" in behind else f"{behind}:{port}"
        headers = {"Host": target, **(getattr(self, "_tunnel_headers", None) or {})}
        lines = [f"CONNECT {target} HTTP/1.1", *(f"{name}: {text}" for name, text in headers.items())]
        try:
            sock.settimeout(self.bounds.left(end))
            sock.sendall("".join(f"{line}\r\n" for line in (*lines, "")).encode("latin-1"))
            with (
                self.bounds.within(self.bounds.left(end), most=MOST_AT_FIRST),
                closing(BoundedResponse(sock, method="CONNECT", bounds=self.bounds)) as answer,
            ):
                answer.begin()
        except TimeoutError as error:
            raise ProxyFailed(place, "did not answer in time") from error
        except HTTPException as error:
            raise ProxyFailed(place, "answered with something that is not HTTP") from error
        except OSError as error:
            raise ProxyFailed(place, f"broke the connection ({error.strerror or error})") from error
        if answer.status != 200:
            # The text of the proxy is not repeated: the status is enough.
            raise ProxyFailed(place, f"answered HTTP {answer.status}", answer.status)

    def _secure(self, sock: socket.socket, end: float) -> socket.socket:
        return sock


class BoundedPlain(_Bounded):
    """A connection without TLS, for a server on this machine."""


class BoundedTls(_Bounded, HTTPSConnection):
    """A connection with TLS."""

    def _secure(self, sock: socket.socket, end: float) -> socket.socket:
        try:
            sock.settimeout(self.bounds.left(end))
            context: ssl.SSLContext = self._context  # type: ignore[attr-defined]
            name = self._behind or self.host
            if (twin := twin_of(self.host, self.port)) is not None:
                context, name = twin.context(), twin.name
            return context.wrap_socket(sock, server_hostname=name)
        except ssl.SSLCertVerificationError as error:
            sock.close()
            if CertificateTime.is_about(error):
                raise CertificateTime(error, self._read_validity()) from error
            raise
        except BaseException as error:
            sock.close()
            if self._behind and isinstance(error, OSError):
                error.through = f"{self.host}:{self.port}"  # type: ignore[attr-defined]
            raise

    def _read_validity(self) -> Validity | None:
        """The dates of the refused certificate, and the time on the clock of the server. Nothing is trusted, and no secret is sent."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        found: Validity | None = None
        name = self._behind or self.host
        request = f"HEAD / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode("latin-1", "replace")
        with (
            suppress(OSError, HTTPException, ValueError),
            self.bounds.within(_TIMES, most=MOST_AT_FIRST),
            context.wrap_socket(self._open_path()[0], server_hostname=name) as sock,
            closing(BoundedResponse(sock, method="HEAD", bounds=self.bounds)) as answer,
        ):
            found = validity_of(sock.getpeercert(True) or b"")
            sock.sendall(request)
            answer.begin()
            found = replace(found, server=answer.getheader("Date", ""))
        return found


Proxy = tuple[str, int, Mapping[str, str]]
"""Name, port, and headers for the proxy."""


def dialed(host: str, port: int, context: ssl.SSLContext, bounds: Bounds, proxy: Proxy | None = None) -> BoundedTls:
    """An established connection with TLS, through the proxy if there is one. Raises OSError."""
    first, its_port, headers = proxy or (host, port, {})
    connection = BoundedTls(first, its_port, context=context, bounds=bounds)
    if proxy:
        connection.set_tunnel(host, port, dict(headers))
    connection.connect()
    return connection


def dial(host: str, port: int | None, end: float, bounds: Bounds) -> socket.socket:
    """A TCP connection to the first address of a name that accepts one. The look-up of the name and all addresses share the time until
    ``end``. In a rehearsal only twins can be reached. Raises OSError, DirectPathError (not_rehearsed)."""
    if (twin := twin_of(host, port)) is not None:
        host, port = twin.address
    found = look_up(host, port, bounds.left(end))
    first: OSError | None = None
    for index, (family, kind, protocol, _name, place) in enumerate(found):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(bounds.left(end) / (len(found) - index))
            sock.connect(place)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
        except OSError as error:
            first = first or error
            sock.close()
    raise first or socket.gaierror(socket.EAI_NONAME, "no address")
