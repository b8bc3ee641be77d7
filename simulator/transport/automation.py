# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Automation API on the TLS port, beside the SDK. It is away when the endpoint is."""

from __future__ import annotations

from ..vapi.service import answer, is_for_us
from . import web


def serves(handler: web.Connection) -> bool:
    """Whether a request is for it. Passwords go over TLS only."""
    return handler.is_private and is_for_us(handler.sim, handler.path)


def serve(handler: web.Connection, verb: str, body: bytes) -> None:
    """Answer one request, or close the connection."""
    web.serve(handler, verb, body, answer, {})
