# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resolving a name within a time limit. PRIVATE to the collection.

The resolver of the system has no limit that a program can set: it asks each name server several times, for each search domain, and may
take minutes if none answers.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

Address = tuple[Any, Any, int, str, Any]
"""One item of ``socket.getaddrinfo``."""


class NameTooSlow(socket.gaierror):
    """No name server answered in time."""

    def __init__(self, seconds: float) -> None:
        super().__init__(socket.EAI_AGAIN, f"no name server answered within {seconds:.0f} s")


def look_up(host: str, port: int | None, seconds: float) -> list[Address]:
    """The addresses of a name. Raises NameTooSlow after ``seconds``, and other errors of ``socket.getaddrinfo``.

    A late look-up goes on in its own thread, and its answer is not used. For an address, no name server is asked.
    """
    with suppress(ValueError):
        ipaddress.ip_address(host)
        return socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
    answers: SimpleQueue[list[Address] | Exception] = SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM))
        except Exception as error:  # raised again by the caller, in its own thread
            answers.put(error)

    threading.Thread(target=ask, name=f"look-up of {host}", daemon=True).start()
    try:
        found = answers.get(timeout=seconds)
    except Empty:
        raise NameTooSlow(seconds) from None
    if isinstance(found, Exception):
        raise found
    return found
