# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTPS for services that use JSON instead of SOAP: the library requests, on connections with limits. PRIVATE to the collection.

It follows no redirects and keeps no cookies. Proxy, account and CA come from the caller only, never from the environment.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from typing import Any

from ..._domain.errors import DirectPathError
from .connections import BoundedResponse, Bounds, Proxy, TooSlow, dialed


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpAnswer:
    """One answer, with any HTTP status. Names of headers are in lower case."""

    status: int
    reason: str
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        """The content as a JSON value; None when it is not JSON."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            return None


class Https:
    """Requests to one server on a persistent connection, within ``bounds``, without retries.

    ``needed_by`` and ``instead`` are parts of the message for a missing library. Raises DirectPathError (missing_library).
    """

    def __init__(
        self, host: str, port: int, context: ssl.SSLContext, *, bounds: Bounds, needed_by: str, instead: str
    ) -> None:
        self._library = _requests(needed_by=needed_by, instead=instead)
        self._host, self._port, self._context, self._bounds = host, port, context, bounds
        self._proxy: Proxy | None = None
        self._origin = f"https://{f'[{host}]' if ':' in host else host}:{port}"
        self._session = self._library.Session()
        self._session.trust_env = False
        self._session.mount("https://", _adapter(self._library, self))

    def through(self, host: str, port: int, headers: Mapping[str, str] | None = None) -> None:
        """Use a proxy, and send it these headers."""
        self._proxy = (host, port, dict(headers or {}))

    def send(self, verb: str, path: str, headers: Mapping[str, str], body: Any = None) -> HttpAnswer:
        """Send one request. ``body``: a JSON value. Raises OSError or HTTPException when there is no answer."""
        text = None if body is None else json.dumps(body).encode()
        kind = {} if text is None else {"Content-Type": "application/json"}
        try:
            with self._bounds.within():
                return self._answer(verb, path, {"Accept-Encoding": "identity", **kind, **headers}, text)
        except (OSError, HTTPException, self._library.packages.urllib3.exceptions.HTTPError) as error:
            self.close()
            raise _unwrap(error) from error

    def _answer(self, verb: str, path: str, headers: Mapping[str, str], text: bytes | None) -> HttpAnswer:
        self._session.cookies.clear()
        with self._session.request(
            verb,
            self._origin + path,
            headers=dict(headers),
            data=text,
            timeout=self._bounds.silence,
            allow_redirects=False,
            stream=True,
        ) as answer:
            if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise HTTPException("the answer has a content encoding that was not requested")
            content = answer.raw.read(decode_content=False)
            named = {name.lower(): value for name, value in answer.headers.items()}
            return HttpAnswer(status=answer.status_code, reason=answer.reason or "", headers=named, content=content)

    def close(self) -> None:
        """Close the connection. The next request opens another one."""
        self._session.close()

    def dialed(self) -> Any:
        """A TLS socket to the server. Raises OSError."""
        return dialed(self._host, self._port, self._context, self._bounds, self._proxy).sock

    @property
    def bounds(self) -> Bounds:
        return self._bounds


def _requests(*, needed_by: str, instead: str) -> Any:
    """Import the library late, because most modules do not need it. Raises DirectPathError (missing_library)."""
    try:
        import requests
        import requests.adapters
    except ImportError as error:
        raise DirectPathError(
            message=f"{needed_by} are reached with the Python library requests, which is not installed",
            code="missing_library",
            cure=f"pip install requests for the Python that runs the module, or {instead}",
        ) from error
    return requests


def _adapter(library: Any, https: Https) -> Any:
    """An adapter that makes requests use the connections of ``https``. They verify the server, use the proxy and enforce the limits."""
    urllib3 = library.packages.urllib3
    plain: Any = urllib3.connection.HTTPSConnection
    pool: Any = urllib3.connectionpool.HTTPSConnectionPool

    class Connection(plain):  # type: ignore[misc]
        response_class = partial(BoundedResponse, bounds=https.bounds)

        def connect(self) -> None:
            self.sock = https.dialed()
            self.is_verified = True  # or the caller switched verification off

    class ConnectionPool(pool):  # type: ignore[misc]
        ConnectionCls = Connection

    class Carrier(library.adapters.HTTPAdapter):  # type: ignore[misc]
        def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
            super().init_poolmanager(*arguments, **options)
            self.poolmanager.pool_classes_by_scheme = {"https": ConnectionPool}

        def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
            """Do nothing: the connection verifies the certificate."""

        def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
            place, _unused = super().build_connection_pool_key_attributes(request, verify, cert)
            return place, {}

    return Carrier(pool_maxsize=1)


def _unwrap(error: BaseException) -> Exception:
    """The original error below the one of the library, so that it is explained like an error of any other connection."""
    for item in _causes(error):
        foreign = type(item).__module__.partition(".")[0] in ("requests", "urllib3")
        if isinstance(item, (OSError, HTTPException)) and not foreign:
            return item
    return (
        TooSlow("no answer in time")
        if any("Timeout" in type(one).__name__ for one in _causes(error))
        else ConnectionError()
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and all errors inside it: libraries wrap the error of the operating system several times."""
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        item = waiting.pop(0)
        if isinstance(item, BaseException) and id(item) not in seen:
            seen.add(id(item))
            yield item
            waiting += [item.__cause__, item.__context__, getattr(item, "reason", None), *item.args]
