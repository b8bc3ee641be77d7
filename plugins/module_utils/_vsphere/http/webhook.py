# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One event to a receiver over HTTPS, with errors that are clauses. PRIVATE to the collection.

The URL is a secret: no error contains it.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from http.client import HTTPException

from ..._domain.text import one_line, shortened
from .connections import ProxyFailed
from .single_request import HttpsTarget, send_once

_MOST_TEXT = 200


class PostFailed(Exception):
    """There is no answer. The text is a clause without the URL."""


def post(to: HttpsTarget, body: bytes, headers: Mapping[str, str], *, context: ssl.SSLContext, timeout: float) -> int:
    """Send ``body`` within ``timeout`` seconds. Returns the HTTP status. Raises PostFailed."""
    try:
        return send_once("POST", to, body, headers, context=context, timeout=timeout)
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
