# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Uploads a report: one HTTPS request, within limits of time and size. PRIVATE to the collection.

The URL may be a secret as a whole (a presigned one contains its permission). Messages name only the server.
"""

from __future__ import annotations

import base64
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from ..._domain.errors import DirectPathError, InputError
from ..._domain.text import one_line
from ..http.rehearsal import is_left_out
from ..http.single_request import UNFIT, HttpsTarget, send_once, split_https, split_proxy
from ..http.tls import verifying_context
from ..session.faults import CONNECTION_ERRORS, explain_connection

TIMEOUT = 60.0
"""Seconds for the whole request."""
MOST = 64 << 20
"""Bytes of a report."""
DOING = "upload the report to {}"
RESERVED = ("host", "content-length", "content-type", "transfer-encoding", "connection")
"""Headers that are not for the user to set."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Destination:
    """Where a report goes. repr() shows neither path nor headers."""

    target: HttpsTarget
    headers: Mapping[str, str] = field(repr=False)
    context: ssl.SSLContext = field(repr=False)
    method: str = "PUT"

    @classmethod
    def of(
        cls,
        url: str,
        *,
        option: str,
        method: str = "PUT",
        headers: Mapping[str, str] | None = None,
        ca_path: str | None = None,
        proxy: str | None = None,
    ) -> Destination:
        """``option`` names the URL in messages. Raises InputError, DirectPathError (bad_ca_path)."""
        try:
            parts = split_https(url)
        except ValueError as error:
            cure = "Set it to a URL such as https://store.example.com/drift.html"
            raise _refused(f"{option} {error}", option, cure) from None
        try:
            through = split_proxy(proxy) if proxy else None
        except ValueError as error:
            cure = "Set it to a URL such as http://proxy.example.com:3128"
            raise _refused(f"The proxy for {option} {error}", option, cure) from None
        given = {str(name): str(text) for name, text in (headers or {}).items()}
        for name, text in given.items():
            if (
                not name
                or UNFIT.search(name)
                or ":" in name
                or name.lower() in RESERVED
                or re.search(r"[\r\n\x00]|[^\x00-\xff]", text)
            ):
                raise _refused(f"The header {one_line(name)!r} for {option} cannot be set", option, "Remove it")
        if parts.username is not None:
            account = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            given["Authorization"] = f"Basic {base64.b64encode(account).decode()}"
        context = verifying_context(ca_path, "upload_ca_path")
        return cls(target=HttpsTarget.of(parts, through), headers=given, context=context, method=method)

    @property
    def place(self) -> str:
        """The server, for messages."""
        host, port = self.target.host, self.target.port
        return host if port == 443 else f"{host}:{port}"


def _refused(message: str, option: str, cure: str) -> InputError:
    return InputError(message=message, code="bad_upload", parameter=option, cure=cure)


def upload(data: bytes, kind: str, to: Destination, timeout: float = TIMEOUT) -> None:
    """Send it once. ``kind``: its media type. No redirect is followed. Raises DirectPathError (report_not_uploaded)."""
    if len(data) > MOST:
        raise _failed(f"The report was not uploaded to {to.place}: it has more than {MOST >> 20} MB")
    if is_left_out("upload", f"a report to {to.place}"):
        return
    headers = {**to.headers, "Content-Type": kind}
    try:
        status = send_once(to.method, to.target, data, headers, context=to.context, timeout=timeout)
    except CONNECTION_ERRORS as error:
        found = explain_connection(error, doing=DOING, on=to.place)
        raise _failed(found.message) from None  # the cause may contain the URL
    if 300 <= status < 400:
        raise _failed(f"{to.place} answers HTTP {status} to the report, and redirects are not followed")
    if not 200 <= status < 300:
        expired = ", as for a URL that has expired" if status in (401, 403) else ""
        raise _failed(f"{to.place} answers HTTP {status} to the report{expired}")


def _failed(message: str) -> DirectPathError:
    return DirectPathError(
        message=message,
        code="report_not_uploaded",
        cure="Check the URL, and whether this machine reaches the server",
    )
