# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP connections on which nothing is endless: every socket of the collection is one of these. PRIVATE to the collection.

Time-outs of sockets are about one silence: a byte a second, or a header without end, never meets them. Here every wait, from the first
packet to the last byte, shares one deadline, and every answer has a limit in bytes.
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

CONNECT_TIMEOUT = 30
"""Seconds until a connection stands: name, TCP, proxy and TLS together."""
SILENCE = 120.0
"""Seconds a server may be silent before or within an answer. Longer than any WaitForUpdatesEx asks for."""
READ_DEADLINE = 300.0
"""Seconds for one answer to the last byte, however often it is asked for. The largest known honest one, 44 MB for 1,000 hosts, takes 36
at 10 Mbit/s."""
MOST = 256 << 20
"""Bytes of one answer, unpacked: six times the largest known honest one."""
MOST_AT_FIRST = 1 << 20
"""Bytes of an answer before the login: honest ones have some thousand."""
_TIMES = 10.0
"""Seconds for a look at the times of a certificate that was refused."""


class BrokenAnswer(ConnectionError):
    """An answer came that is not whole, or is not an answer: nothing of it is true. Asked again, a read may well succeed.

    ``method`` is what was asked, where that is known by then.
    """

    def __init__(self, why: str, method: str = "") -> None:
        super().__init__(why)
        self.method = method


class TooMuch(BrokenAnswer):
    """An answer, or what it unpacks to, of more bytes than any honest one has. Asked again, it would be no smaller."""


class TooSlow(TimeoutError):
    """The deadline passed before the answer was whole."""


class ProxyFailed(ConnectionError):
    """The proxy is why there is no connection. ``place`` is the proxy, ``why`` a clause, ``status`` its answer where it gave one."""

    def __init__(self, place: str, why: str, status: int = 0) -> None:
        super().__init__(f"the proxy {place} {why}")
        self.place, self.why, self.status = place, why, status


_here = threading.local()


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What one service gets: seconds to ``connect``, of ``silence``, for an ``answer`` to the last byte, and bytes at ``most``."""

    connect: float = CONNECT_TIMEOUT
    silence: float = SILENCE
    answer: float = READ_DEADLINE
    most: int = MOST
    now: Callable[[], float] = time.monotonic

    @contextmanager
    def within(self, seconds: float | None = None, *, most: int | None = None) -> Iterator[None]:
        """All that this thread waits for in the block, retries included, shares one deadline; an outer one goes on."""
        outer, outer_most = getattr(_here, "end", None), getattr(_here, "most", None)
        end = self.now() + (self.connect + self.answer if seconds is None else seconds)
        _here.end = end if outer is None else min(end, outer)
        _here.most = outer_most if most is None else most
        try:
            yield
        finally:
            _here.end, _here.most = outer, outer_most

    def end_in(self, seconds: float) -> float:
        """The moment these seconds are over, or the deadline if it is earlier."""
        end = self.now() + seconds
        return min(end, getattr(_here, "end", None) or end)

    def is_over(self, pause: float = 0.0) -> bool:
        """Whether the deadline will have passed after a pause."""
        end = getattr(_here, "end", None)
        return end is not None and self.now() + pause >= end

    def left(self, end: float) -> float:
        """Seconds until a moment. Raises TooSlow when there are none."""
        seconds = end - self.now()
        if seconds <= 0:
            raise TooSlow("the deadline passed")
        return seconds

    @property
    def limit(self) -> int:
        """Bytes that an answer may have here and now."""
        return min(self.most, getattr(_here, "most", None) or self.most)


class _Source(io.RawIOBase):
    """What comes out of a socket, until a moment and up to a number of bytes."""

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
    """Stands in for the socket where HTTPResponse makes its file of it."""

    def __init__(self, sock: Any, bounds: Bounds, end: float) -> None:
        self._make = partial(_Source, sock, bounds, end)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self._make())


class BoundedResponse(HTTPResponse):
    """An answer that ends. ``limit``: bytes it may have, packed or unpacked; ``end``: the moment by which it has to be whole."""

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
    """A connection that keeps to its bounds, through a proxy (``set_tunnel``) or not."""

    def __init__(self, *arguments: Any, bounds: Bounds | None = None, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.bounds = bounds or Bounds()
        self.response_class = partial(BoundedResponse, bounds=self.bounds)  # type: ignore[assignment]

    def connect(self) -> None:
        self.sock = self._secured(*self._reached())
        self.sock.settimeout(self.bounds.silence)

    def send(self, data: Any) -> None:
        if self.sock is not None:
            self.sock.settimeout(self.bounds.left(self.bounds.end_in(self.bounds.silence)))
        super().send(data)

    @property
    def _behind(self) -> str:
        """The server behind the proxy; empty without one."""
        return str(getattr(self, "_tunnel_host", None) or "").strip("[]")

    def _reached(self) -> tuple[socket.socket, float]:
        """A socket that leads to the server, and the moment by which the connection has to stand."""
        end = self.bounds.end_in(self.bounds.connect)
        if not self._behind:
            return dial(self.host, self.port, end, self.bounds), end
        place = f"{self.host}:{self.port}"
        try:
            sock = dial(self.host, self.port, end, self.bounds)
        except socket.gaierror as error:
            raise ProxyFailed(place, "is not known by that name") from error
        except ConnectionRefusedError as error:
            raise ProxyFailed(place, "is not there: nothing listens on that port") from error
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
            # Its own words are not repeated: the number says what is meant.
            raise ProxyFailed(place, f"answered HTTP {answer.status}", answer.status)

    def _secured(self, sock: socket.socket, end: float) -> socket.socket:
        return sock


class BoundedPlain(_Bounded):
    """Without TLS, as to a server on this machine."""


class BoundedTls(_Bounded, HTTPSConnection):
    """With TLS."""

    def _secured(self, sock: socket.socket, end: float) -> socket.socket:
        try:
            sock.settimeout(self.bounds.left(end))
            context: ssl.SSLContext = self._context  # type: ignore[attr-defined]
            return context.wrap_socket(sock, server_hostname=self._behind or self.host)
        except ssl.SSLCertVerificationError as error:
            sock.close()
            if CertificateTime.is_about(error):
                raise CertificateTime(error, self._times()) from error
            raise
        except BaseException as error:
            sock.close()
            if self._behind and isinstance(error, OSError):
                error.through = f"{self.host}:{self.port}"  # type: ignore[attr-defined]
            raise

    def _times(self) -> Validity | None:
        """When the certificate that was refused is valid, and what the server takes for the time. Nothing is trusted or told there."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        found: Validity | None = None
        name = self._behind or self.host
        asked = f"HEAD / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode("latin-1", "replace")
        with (
            suppress(OSError, HTTPException, ValueError),
            self.bounds.within(_TIMES, most=MOST_AT_FIRST),
            context.wrap_socket(self._reached()[0], server_hostname=name) as sock,
            closing(BoundedResponse(sock, method="HEAD", bounds=self.bounds)) as answer,
        ):
            found = validity_of(sock.getpeercert(True) or b"")
            sock.sendall(asked)
            answer.begin()
            found = replace(found, server=answer.getheader("Date", ""))
        return found


Proxy = tuple[str, int, Mapping[str, str]]
"""Name, port, and headers for it."""


def dialed(host: str, port: int, context: ssl.SSLContext, bounds: Bounds, proxy: Proxy | None = None) -> BoundedTls:
    """A connection with TLS that stands, through a proxy where there is one. Raises OSError."""
    first, its_port, headers = proxy or (host, port, {})
    connection = BoundedTls(first, its_port, context=context, bounds=bounds)
    if proxy:
        connection.set_tunnel(host, port, dict(headers))
    connection.connect()
    return connection


def dial(host: str, port: int | None, end: float, bounds: Bounds) -> socket.socket:
    """A TCP connection to the first address of a name that takes one; all of them share the time. Raises OSError."""
    found = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
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
