# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request to a service that speaks JSON, from the socket and back."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

from ..core.faults import Dropped
from ..web import Answer, Request

if TYPE_CHECKING:
    from ..endpoint import SimulatedEndpoint

WORTH_ZIPPING = 1024


class Connection(BaseHTTPRequestHandler):
    """A connection of one client to a simulator, as the services beside the SDK see it."""

    sim: SimulatedEndpoint

    @property
    def is_private(self) -> bool:
        """Whether it is over TLS."""
        raise NotImplementedError


def serve(
    handler: Connection,
    verb: str,
    body: bytes,
    answer: Callable[[SimulatedEndpoint, Request], Answer],
    extra: Mapping[str, str],
) -> None:
    """Answer one request, or close the connection. ``extra``: headers of every answer of this service."""
    headers = {name.lower(): value for name, value in handler.headers.items()}
    with handler.sim.lock:
        handler.sim.journal.counters.http_requests += 1
        handler.sim.journal.counters.bytes_in += len(body)
    try:
        found = answer(handler.sim, Request(verb=verb, path=handler.path, headers=headers, body=body))
    except Dropped:
        handler.close_connection = True
        return
    except Exception:
        handler.close_connection = True  # raised on purpose where a test stops
        raise
    sent = _send(handler, found, extra, zipped="gzip" in headers.get("accept-encoding", ""))
    with handler.sim.lock:
        handler.sim.journal.counters.bytes_out += sent
    if found.write is not None:
        handler.sim.stops.passing("answered", *found.write)


def _send(handler: Connection, found: Answer, extra: Mapping[str, str], *, zipped: bool) -> int:
    content = found.content()
    handler.send_response(found.status)
    if zipped and len(content) > WORTH_ZIPPING:
        content = gzip.compress(content, 1)
        handler.send_header("Content-Encoding", "gzip")
    for name, value in {**found.headers, **extra}.items():
        handler.send_header(name, value)
    if content:
        handler.send_header("Content-Type", found.content_type)
    if found.status != 204:
        handler.send_header("Content-Length", str(len(content)))
    handler.send_header("Cache-Control", "no-store")
    handler.end_headers()
    handler.wfile.write(content)
    handler.wfile.flush()
    return len(content)
