# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Management controllers on the TLS port, beside the SDK. They answer whatever state the endpoint and its hosts are in."""

from __future__ import annotations

from ..bmc.service import answer, is_for_us
from . import web


def serves(handler: web.Connection) -> bool:
    """Whether a request is for a controller. Passwords go over TLS only."""
    return handler.is_private and is_for_us(handler.path)


def serve(handler: web.Connection, verb: str, body: bytes) -> None:
    """Answer one request, or close the connection."""
    web.serve(handler, verb, body, answer, {"OData-Version": "4.0"})
