# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain HTTPS beside the SOAP API, for services that speak JSON: requests, over connections that end. PRIVATE to the collection.

Redirects are not followed, cookies are not kept, and no proxy, account or CA comes from anywhere but the caller.
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
    """Requests to one server on a connection that is kept. Nothing is asked twice, and nothing outlives ``bounds``.

    ``needed_by`` and ``instead`` are for the message where the library is missing. Raises DirectPathError (missing_library).
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
        """Go through a proxy, with these headers for it."""
        self._proxy = (host, port, dict(headers or {}))

    def send(self, verb: str, path: str, headers: Mapping[str, str], body: Any = None) -> HttpAnswer:
        """One request; ``body`` is a JSON value. Raises OSError and HTTPException when there is no answer."""
        text = None if body is None else json.dumps(body).encode()
        kind = {} if text is None else {"Content-Type": "application/json"}
        try:
            with self._bounds.within():
                return self._answer(verb, path, {"Accept-Encoding": "identity", **kind, **headers}, text)
        except (OSError, HTTPException, self._library.packages.urllib3.exceptions.HTTPError) as error:
            self.close()
            raise _plain(error) from error

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
                raise HTTPException("an encoding that was not asked for")
            content = answer.raw.read(decode_content=False)
            named = {name.lower(): value for name, value in answer.headers.items()}
            return HttpAnswer(status=answer.status_code, reason=answer.reason or "", headers=named, content=content)

    def close(self) -> None:
        """Close the connection. The next request opens another one."""
        self._session.close()

    def dialed(self) -> Any:
        """A socket that leads to the server, TLS included. Raises OSError."""
        return dialed(self._host, self._port, self._context, self._bounds, self._proxy).sock

    @property
    def bounds(self) -> Bounds:
        return self._bounds


def _requests(*, needed_by: str, instead: str) -> Any:
    """The library, which most of the collection does without. Raises DirectPathError (missing_library)."""
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
    """Carries requests over connections of ``wire``, which alone verify the server, know the proxy and end in time."""
    urllib3 = library.packages.urllib3
    plain: Any = urllib3.connection.HTTPSConnection
    pool: Any = urllib3.connectionpool.HTTPSConnectionPool

    class Connection(plain):  # type: ignore[misc]
        response_class = partial(BoundedResponse, bounds=https.bounds)

        def connect(self) -> None:
            self.sock = https.dialed()
            self.is_verified = True  # or the caller said that it need not be

    class ConnectionPool(pool):  # type: ignore[misc]
        ConnectionCls = Connection

    class Carrier(library.adapters.HTTPAdapter):  # type: ignore[misc]
        def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
            super().init_poolmanager(*arguments, **options)
            self.poolmanager.pool_classes_by_scheme = {"https": ConnectionPool}

        def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
            """The connection verifies."""

        def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
            place, _unused = super().build_connection_pool_key_attributes(request, verify, cert)
            return place, {}

    return Carrier(pool_maxsize=1)


def _plain(error: BaseException) -> Exception:
    """The error itself in place of what the library made of it, so that it is explained as one of any other connection."""
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
    """An error and everything it was made of: libraries wrap the operating system's words several times."""
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        item = waiting.pop(0)
        if isinstance(item, BaseException) and id(item) not in seen:
            seen.add(id(item))
            yield item
            waiting += [item.__cause__, item.__context__, getattr(item, "reason", None), *item.args]
