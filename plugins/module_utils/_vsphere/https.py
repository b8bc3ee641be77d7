# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain HTTPS beside the SOAP API, for services that speak JSON: requests, and nothing of its own ideas. PRIVATE to the collection."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from typing import Any

from .._domain.errors import DirectPathError


def requests_library(*, needed_by: str, instead: str) -> Any:
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


def open_requests(library: Any, context: ssl.SSLContext, *, proxy: str | None, validate_certs: bool) -> Any:
    """A session of the library that takes nothing from the environment: no proxy, no .netrc, no CA bundle."""
    if not validate_certs:
        library.packages.urllib3.disable_warnings()
    session = library.Session()
    session.trust_env = False
    session.proxies = {"https": proxy} if proxy else {}
    session.mount("https://", _adapter(library.adapters.HTTPAdapter, context))
    return session


def _adapter(base: type[Any], context: ssl.SSLContext) -> Any:
    """Carries requests with this TLS context and nothing beside it: by itself the library adds CAs of its own."""

    class Verified(base):  # type: ignore[misc]
        def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
            super().init_poolmanager(*arguments, ssl_context=context, **options)

        def proxy_manager_for(self, proxy: Any, **options: Any) -> Any:
            return super().proxy_manager_for(proxy, ssl_context=context, **options)

        def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
            """The context verifies."""

        def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
            place, _unused = super().build_connection_pool_key_attributes(request, verify, cert)
            return place, {}

    return Verified()


def json_of(parse: Callable[[], Any]) -> Any:
    """What an answer holds; None when it is no JSON."""
    try:
        return parse()
    except ValueError:
        return None


def causes(error: BaseException) -> Iterator[BaseException]:
    """An error and everything it was made of: libraries wrap the operating system's words several times."""
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        item = waiting.pop(0)
        if isinstance(item, BaseException) and id(item) not in seen:
            seen.add(id(item))
            yield item
            waiting += [item.__cause__, item.__context__, getattr(item, "reason", None), *item.args]


def is_timeout(error: BaseException) -> bool:
    """The libraries' own names for a time that ran out are no TimeoutError."""
    return isinstance(error, TimeoutError) or "Timeout" in type(error).__name__
