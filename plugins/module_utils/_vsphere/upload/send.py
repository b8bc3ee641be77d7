# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Uploads a report: one HTTPS request, within limits of time and size. PRIVATE to the collection.

The URL may be a secret as a whole (a presigned one contains its permission). Messages name only the server.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from ..._domain.errors import DirectPathError, InputError
from ..._domain.text import one_line
from ..http.connections import BoundedTls, Bounds
from ..session.connect import tls_context
from ..session.endpoint import Endpoint
from ..session.faults import CONNECTION_ERRORS, explain_connection

TIMEOUT = 60.0
"""Seconds for the whole request."""
MOST = 64 << 20
"""Bytes of a report."""
MOST_ANSWER = 1 << 20
"""Bytes of the answer that are read at most. Only its status counts."""
CHUNK = 1 << 16
DOING = "upload the report to {}"
RESERVED = ("host", "content-length", "content-type", "transfer-encoding", "connection")
"""Headers that are not for the user to set."""
_UNFIT = re.compile(r"[\x00-\x20\x7f-\uffff]")
"""Characters that a URL or the name of a header cannot have."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Destination:
    """Where a report goes. repr() shows neither path nor headers."""

    host: str
    port: int
    path: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    method: str = "PUT"
    ca_path: str | None = None
    proxy: tuple[str, int] | None = None

    @classmethod
    def of(
        cls,
        url: str,
        *,
        option: str,
        method: str = "PUT",
        headers: Mapping[str, str] | None = None,
        ca_path: str | None = None,
        proxy: str | None = None,
    ) -> Destination:
        """``option`` names the URL in messages. Raises InputError."""
        parts = _split(url, option)
        given = {str(name): str(text) for name, text in (headers or {}).items()}
        for name, text in given.items():
            if (
                not name
                or _UNFIT.search(name)
                or ":" in name
                or name.lower() in RESERVED
                or re.search(r"[\r\n\x00]", text)
            ):
                raise _refused(f"The header {one_line(name)!r} for {option} cannot be set", option, "Remove it")
        if parts.username is not None:
            account = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            given["Authorization"] = f"Basic {base64.b64encode(account).decode()}"
        return cls(
            host=parts.hostname or "",
            port=parts.port or 443,
            path=f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}",
            headers=given,
            method=method,
            ca_path=ca_path,
            proxy=_proxy(proxy, option),
        )

    @property
    def place(self) -> str:
        """The server, for messages."""
        return self.host if self.port == 443 else f"{self.host}:{self.port}"


def _refused(message: str, option: str, cure: str) -> InputError:
    return InputError(message=message, code="bad_upload", parameter=option, cure=cure)


def _split(url: str, option: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        problem = "contains characters that a URL cannot have" if _UNFIT.search(url) else ""
        problem = problem or ("" if parts.hostname else "names no server")
        problem = problem or ("" if parts.scheme == "https" else "does not begin with https://")
        (parts.hostname or "").encode("idna")
        _checked = parts.port
    except ValueError:  # also of the name: UnicodeError
        problem = "is not a URL"
    if problem:
        raise _refused(f"{option} {problem}", option, "Set it to a URL such as https://store.example.com/drift.html")
    return parts


def _proxy(url: str | None, option: str) -> tuple[str, int] | None:
    if not url:
        return None
    try:
        parts = urlsplit(url)
        if parts.scheme == "http" and parts.hostname and parts.username is None:
            return parts.hostname, parts.port or 3128
    except ValueError:
        pass
    cure = "Set it to a URL such as http://proxy.example.com:3128, without an account"
    raise _refused(f"The proxy for {option} cannot be used", option, cure)


def upload(data: bytes, kind: str, to: Destination, timeout: float = TIMEOUT) -> None:
    """Send it once. ``kind``: its media type. No redirect is followed. Raises DirectPathError (report_not_uploaded)."""
    if len(data) > MOST:
        raise _failed(f"The report was not uploaded to {to.place}: it has more than {MOST >> 20} MB")
    bounds = Bounds(connect=timeout, silence=timeout, answer=timeout)
    try:
        with bounds.within(timeout, most=MOST_ANSWER), closing(_connection(to, bounds)) as link:
            headers = {
                "User-Agent": "directpath.vsphere",
                **to.headers,
                "Content-Type": kind,
                "Content-Length": str(len(data)),
                "Connection": "close",
            }
            # A server that refuses the request may answer, and close the connection, before it has read the report.
            with suppress(BrokenPipeError, ConnectionResetError):
                link.request(to.method, to.path, body=_chunks(data), headers=headers)
            status = link.getresponse().status
    except DirectPathError:
        raise
    except CONNECTION_ERRORS as error:
        found = explain_connection(error, doing=DOING, on=to.place)
        raise _failed(found.message) from None  # the cause may contain the URL
    if 300 <= status < 400:
        raise _failed(f"{to.place} answers HTTP {status} to the report, and redirects are not followed")
    if not 200 <= status < 300:
        expired = ", as for a URL that has expired" if status in (401, 403) else ""
        raise _failed(f"{to.place} answers HTTP {status} to the report{expired}")


def _chunks(data: bytes) -> Iterator[bytes]:
    """Each with a look at the deadline, see ``BoundedTls.send``."""
    for start in range(0, len(data), CHUNK):
        yield data[start : start + CHUNK]


def _connection(to: Destination, bounds: Bounds) -> BoundedTls:
    endpoint = Endpoint(hostname=to.host, username="", password="", ca_path=to.ca_path)
    first, its_port = to.proxy or (to.host, to.port)
    link = BoundedTls(first, its_port, context=tls_context(endpoint), bounds=bounds)
    if to.proxy:
        link.set_tunnel(to.host, to.port)
    return link


def _failed(message: str) -> DirectPathError:
    return DirectPathError(
        message=message,
        code="report_not_uploaded",
        cure="Check the URL, and whether this machine reaches the server",
    )
