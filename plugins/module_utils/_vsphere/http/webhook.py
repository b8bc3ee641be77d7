# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One HTTPS request with a text, to a server that is not of vSphere. PRIVATE to the collection.

It verifies the server, follows no redirects, keeps no cookies, and uses no proxy of the environment. The URL is a secret: no error
contains it.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from contextlib import closing
from http.client import HTTPException
from urllib.parse import urlsplit

from ..._domain.text import one_line, shortened
from .connections import BoundedTls, Bounds, ProxyFailed

MOST_ANSWER = 1 << 20
"""Bytes of the headers of an answer. Its content is not read."""

_MOST_TEXT = 200


class PostFailed(Exception):
    """There is no answer. The text is a clause without the URL."""


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    context: ssl.SSLContext,
    timeout: float,
    proxy: str | None = None,
) -> int:
    """Send ``body`` within ``timeout`` seconds. Returns the HTTP status. Raises PostFailed."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    bounds = Bounds(connect=timeout, silence=timeout, answer=timeout)
    through = urlsplit(proxy) if proxy else None
    first, its_port = (host, port) if through is None else (through.hostname or "", through.port or 3128)
    link = BoundedTls(first, its_port, context=context, bounds=bounds)
    if through is not None:
        link.set_tunnel(host, port)
    try:
        with bounds.within(timeout, most=MOST_ANSWER), closing(link):
            link.request("POST", path, body, {"Connection": "close", "User-Agent": "directpath.vsphere", **headers})
            return link.getresponse().status
    except TimeoutError:
        raise PostFailed(f"no answer within {timeout:g} s") from None
    except ProxyFailed as error:
        raise PostFailed(one_line(error)) from None
    except ssl.SSLCertVerificationError as error:
        raise PostFailed(f"its certificate is not trusted: {one_line(error.verify_message)}") from None
    except OSError as error:
        raise PostFailed(shortened(one_line(error.strerror or type(error).__name__), _MOST_TEXT)) from None
    except (HTTPException, ValueError) as error:
        # Errors of the library may contain the path.
        raise PostFailed(f"its answer is not HTTP ({type(error).__name__})") from None
