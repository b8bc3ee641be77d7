# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Management controllers on the TLS port, beside the SDK. They answer whatever state the endpoint and its hosts are in."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

from ..bmc.service import Request, answer, is_for_us
from ..faults import Dropped

if TYPE_CHECKING:
    from .handler import Handler

WORTH_ZIPPING = 1024


def serves(handler: Handler) -> bool:
    """Whether a request is for a controller. Passwords go over TLS only."""
    return handler.server.tls and is_for_us(handler.path)


def serve(handler: Handler, verb: str, body: bytes) -> None:
    """Answer one request, or close the connection."""
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
        handler.close_connection = True  # raised on purpose where somebody wanted to stop
        raise
    content = found.content()
    handler.send_response(found.status)
    if "gzip" in headers.get("accept-encoding", "") and len(content) > WORTH_ZIPPING:
        content = gzip.compress(content, 1)
        handler.send_header("Content-Encoding", "gzip")
    for name, value in found.headers.items():
        handler.send_header(name, value)
    if content:
        handler.send_header("Content-Type", "application/json; charset=utf-8")
    if found.status != 204:
        handler.send_header("Content-Length", str(len(content)))
    handler.send_header("OData-Version", "4.0")
    handler.send_header("Cache-Control", "no-store")
    handler.end_headers()
    handler.wfile.write(content)
    handler.wfile.flush()
    with handler.sim.lock:
        handler.sim.journal.counters.bytes_out += len(content)
    if found.write is not None:
        handler.sim.stops.passing("answered", *found.write)
