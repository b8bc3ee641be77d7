# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain HTTPS beside the SOAP API, for services that speak JSON: one server, nothing taken from the environment. PRIVATE to the collection.

Redirects are not followed, cookies are not kept, and no proxy, account or CA comes from anywhere but the caller.
"""

from __future__ import annotations

import json
import select
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

from .wire import BoundedTls, Bounds


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One answer, whatever its status. Names of headers are in lower case."""

    status: int
    reason: str
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        """What it holds; None when it is no JSON."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            return None


class Https:
    """Requests to one server on a connection that is kept. Nothing is asked twice, and nothing outlives ``bounds``."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext, *, bounds: Bounds) -> None:
        self._host, self._port, self._context, self._bounds = host, port, context, bounds
        self._proxy: tuple[str, int, dict[str, str]] | None = None
        self._connection: BoundedTls | None = None

    def through(self, host: str, port: int, headers: Mapping[str, str] | None = None) -> None:
        """Go through a proxy, with these headers for it."""
        self._proxy = (host, port, dict(headers or {}))

    def send(self, verb: str, path: str, headers: Mapping[str, str], body: Any = None) -> Answer:
        """One request; ``body`` is a JSON value. Raises OSError and HTTPException when there is no answer."""
        text = None if body is None else json.dumps(body).encode()
        kind = {} if text is None else {"Content-Type": "application/json"}
        with self._bounds.within():
            connection, response = self._standing(), None
            try:
                connection.request(verb, path, text, {**kind, **headers})
                response = connection.getresponse()
                content = response.read()
                if response.getheader("Content-Encoding", "identity").lower() != "identity":
                    raise HTTPException("an encoding that was not asked for")
            except BaseException:
                if response is not None:
                    response.close()
                self.close()
                raise
        named = {name.lower(): value for name, value in response.getheaders()}
        return Answer(status=response.status, reason=response.reason, headers=named, content=content)

    def close(self) -> None:
        """Close the connection. The next request opens another one."""
        if self._connection is not None:
            with suppress(OSError):
                self._connection.close()
        self._connection = None

    def _standing(self) -> BoundedTls:
        """The connection, anew where the server has closed it meanwhile."""
        sock = self._connection.sock if self._connection is not None else None
        if sock is not None and _speaks(sock):
            self.close()
        if self._connection is None:
            host, port, headers = self._proxy or (self._host, self._port, {})
            self._connection = BoundedTls(host, port, context=self._context, bounds=self._bounds)
            if self._proxy:
                self._connection.set_tunnel(self._host, self._port, headers)
        return self._connection


def _speaks(sock: ssl.SSLSocket) -> bool:
    """Whether something came on a connection where nothing was asked: its end."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))
