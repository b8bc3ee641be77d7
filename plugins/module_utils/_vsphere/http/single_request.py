# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One HTTPS request to a server that is not of vSphere: a store for reports, a receiver of events. PRIVATE to the collection.

It verifies the server, follows no redirects, keeps no cookies, and uses no proxy of the environment. The URL is a secret: no ValueError of
this file contains a part of it. Errors of the connection may, so the caller explains them.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from .connections import Bounds, Proxy, dialed

MOST_ANSWER = 1 << 20
"""Bytes of the headers of an answer. Its content is not read."""
PROXY_PORT = 3128
UNFIT = re.compile(r"[^\x21-\x7e]")
"""Characters that a URL or the name of a header cannot have."""
_CHUNK = 1 << 16


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpsTarget:
    """Where a request goes. repr() does not show the path. ``proxy``: name and port."""

    host: str
    port: int
    path: str = field(repr=False)
    proxy: tuple[str, int] | None = None

    @classmethod
    def of(cls, parts: SplitResult, proxy: tuple[str, int] | None = None) -> HttpsTarget:
        """``parts``: of ``split_https``."""
        path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        return cls(host=parts.hostname or "", port=parts.port or 443, path=path, proxy=proxy)


def split_https(url: str) -> SplitResult:
    """The parts of a URL to which a request can be sent. The text of the ValueError is a clause without its subject."""
    try:
        parts = urlsplit(url)
        (parts.hostname or "").encode("idna")
        is_url = parts.port != 0
    except ValueError:  # also of the name: UnicodeError
        is_url = False
    if not is_url:
        raise ValueError("is not a URL, or has no valid port") from None
    if UNFIT.search(url):
        raise ValueError("contains characters that a URL cannot have")
    if not parts.hostname:
        raise ValueError("names no server")
    if parts.scheme != "https":
        raise ValueError("does not begin with https://")
    return parts


def split_proxy(url: str) -> tuple[str, int]:
    """Name and port of an HTTP proxy. Raises ValueError."""
    with suppress(ValueError):
        parts = urlsplit(url)
        if parts.scheme == "http" and parts.hostname and parts.username is None and parts.port != 0:
            return parts.hostname, parts.port or PROXY_PORT
    raise ValueError("is not the URL of an HTTP proxy without an account")


def send_once(
    method: str, to: HttpsTarget, body: bytes, headers: Mapping[str, str], *, context: ssl.SSLContext, timeout: float
) -> int:
    """Send ``body`` within ``timeout`` seconds. Returns the HTTP status. Raises OSError, HTTPException, ValueError."""
    bounds = Bounds(connect=timeout, silence=timeout, answer=timeout)
    proxy: Proxy | None = (*to.proxy, {}) if to.proxy else None
    with (
        bounds.within(timeout, most=MOST_ANSWER),
        closing(dialed(to.host, to.port, context, bounds, proxy)) as link,
    ):
        lines = {
            "User-Agent": "directpath.vsphere",
            **headers,
            "Content-Length": str(len(body)),
            "Connection": "close",
        }
        # A server that refuses the request may answer, and close the connection, before it has read the body.
        with suppress(BrokenPipeError, ConnectionResetError):
            link.request(method, to.path, body=_chunks(body), headers=lines)
        return link.getresponse().status


def _chunks(data: bytes) -> Iterator[bytes]:
    """Each with a look at the deadline, see ``BoundedTls.send``."""
    for start in range(0, len(data), _CHUNK):
        yield data[start : start + _CHUNK]
