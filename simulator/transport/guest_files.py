# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of guests on the TLS port, beside the SDK. In a vCenter's lab this port stands for the ones of the ESXi hosts, too."""

from __future__ import annotations

from ..services.guest.transfers import PATH, answer
from . import web


def serves(handler: web.Connection) -> bool:
    """Whether a request is for the URL of a file. They are HTTPS only."""
    return handler.is_private and handler.path.partition("?")[0] == PATH


def serve(handler: web.Connection, verb: str, body: bytes) -> None:
    """Answer one request, or close the connection."""
    web.serve(handler, verb, body, answer, {})
