# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTPS to the Automation API of a vCenter, and the two forms of its requests. PRIVATE to the collection.

Tests replace ``open_http`` to use a transport without sockets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ..http.connections import Bounds
from ..http.json_https import Https
from ..session.connect import tls_context
from ..session.endpoint import Endpoint

SILENCE = 60.0
"""Seconds of silence before a request fails."""
MOST = 64 << 20
"""Maximum size of an answer in bytes. The tags of 100,000 virtual machines need about 8 MB."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RestRequest:
    """``body`` is a JSON value."""

    verb: str
    path: str
    body: Any = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RestReply:
    """One answer. ``body``: a JSON value; None if there was none."""

    status: int
    body: Any = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Dialect:
    """The form of requests. ``wrapped``: answers are in ``{"value": ...}``, and ids are part of the path instead of the body."""

    session: str
    tagging: str
    policies: str
    item: str
    action: str
    wrapped: bool

    def read(self, kind: str, key: str = "") -> RestRequest:
        """All ids of a kind (``tag``, ``category``), or the object with the id ``key``."""
        return RestRequest(verb="GET", path=f"{self.tagging}/{kind}" + (f"{self.item}{key}" if key else ""))

    def tags_of(self, category: str) -> RestRequest:
        """The tags of a category."""
        ask = f"{self.action}list-tags-for-category"
        if self.wrapped:
            return RestRequest(verb="POST", path=f"{self.tagging}/tag{self.item}{category}{ask}")
        return RestRequest(verb="POST", path=f"{self.tagging}/tag{ask}", body={"category_id": category})

    def policies_of(self, what: str = "") -> RestRequest:
        """All compute policies; with ``tag-usage`` the tags that they use."""
        return RestRequest(verb="GET", path=self.policies + (f"/{what}" if what else ""))

    def objects_of(self, tags: list[str]) -> RestRequest:
        """The objects that have these tags."""
        path = f"{self.tagging}/tag-association{self.action}list-attached-objects-on-tags"
        return RestRequest(verb="POST", path=path, body={"tag_ids": tags})


REST = Dialect(
    session="/rest/com/vmware/cis/session",
    tagging="/rest/com/vmware/cis/tagging",
    policies="/rest/vcenter/compute/policies",
    item="/id:",
    action="?~action=",
    wrapped=True,
)
"""vCenter 6.5 and later."""
API = Dialect(
    session="/api/session",
    tagging="/api/cis/tagging",
    policies="/api/vcenter/compute/policies",
    item="/",
    action="?action=",
    wrapped=False,
)
"""vCenter 7.0 U2 and later."""


class RestTransport(Protocol):
    """Sends one request and returns the reply, whatever its status. Raises OSError and HTTPException when there is none."""

    def send(self, request: RestRequest, headers: Mapping[str, str]) -> RestReply: ...

    def close(self) -> None: ...


class RestOverTls:
    """Requests to the endpoint of a session. Redirects are not followed."""

    def __init__(self, endpoint: Endpoint) -> None:
        bounds = Bounds(connect=endpoint.connect_timeout, silence=SILENCE, most=MOST)
        self._https = Https(
            endpoint.hostname,
            endpoint.port,
            tls_context(endpoint),
            bounds=bounds,
            needed_by="Tags",
            instead="list virtual machines instead of tags",
        )
        if endpoint.proxy_host:
            self._https.through(endpoint.proxy_host, endpoint.proxy_port or 80)

    def send(self, request: RestRequest, headers: Mapping[str, str]) -> RestReply:
        """Send one request."""
        answer = self._https.send(request.verb, request.path, headers, request.body)
        return RestReply(status=answer.status, body=answer.json() if answer.content else None)

    def close(self) -> None:
        """Close the connections."""
        self._https.close()


def open_http(endpoint: Endpoint) -> RestTransport:
    """HTTPS. Raises DirectPathError (missing_library, bad_ca_path)."""
    return RestOverTls(endpoint)
