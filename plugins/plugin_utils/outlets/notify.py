# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events for people and programs: JSON over HTTPS with a signature, or any service that Apprise knows. PRIVATE to the collection."""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

from ...module_utils._domain.errors import InputError
from ...module_utils._shell.outlets.outlet import NotDelivered, Outlet
from ...module_utils._shell.outlets.request import Notification
from ...module_utils._vsphere.http.single_request import HttpsTarget, split_https, split_proxy
from ...module_utils._vsphere.http.tls import verifying_context
from ...module_utils._vsphere.http.webhook import PostFailed, post
from .events import Event

TIMESTAMP, SIGNATURE = "X-Directpath-Timestamp", "X-Directpath-Signature"

_MAY_PASS = (408, 425, 429)
"""HTTP statuses below 500 after which another attempt may succeed."""


def notify_outlet(to: Notification, place: str) -> Outlet[Event]:
    """The outlet for one subscriber. ``place``: the option, for messages. Raises InputError, DirectPathError."""
    deliver = webhook(to, place) if to.is_webhook else apprise(to, place)
    return Outlet(f"notify {to.shown}", deliver)


def signature_of(secret: str, timestamp: str, body: bytes) -> str:
    """The HMAC-SHA256 over the time stamp, a period and the body."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def webhook(to: Notification, place: str, now: Callable[[], float] = time.time) -> Callable[[Event], None]:
    """Sends an event as a signed POST."""
    context = verifying_context(to.ca_path, f"{place}.ca_path")
    target = HttpsTarget.of(split_https(to.url), split_proxy(to.proxy) if to.proxy else None)

    def deliver(event: Event) -> None:
        body, timestamp = event.body(), str(int(now()))
        headers = {"Content-Type": "application/json", TIMESTAMP: timestamp}
        if to.secret:
            headers[SIGNATURE] = f"sha256={signature_of(to.secret, timestamp, body)}"
        try:
            status = post(target, body, headers, context=context, timeout=to.timeout)
        except PostFailed as error:
            raise NotDelivered(str(error)) from None
        if not 200 <= status < 300:
            why = "; redirects are not followed" if 300 <= status < 400 else ""
            raise NotDelivered(f"it answers {status}{why}", may_pass=status >= 500 or status in _MAY_PASS)

    return deliver


def apprise(to: Notification, place: str) -> Callable[[Event], None]:
    """Sends an event with the package Apprise."""
    library = _apprise(place)
    # What the library logs contains tokens, and without a handler it would go to the standard error.
    log = logging.getLogger("apprise")
    log.propagate = False
    log.addHandler(logging.NullHandler())
    target = library.Apprise(asset=library.AppriseAsset(http_redirects=False, async_mode=False))
    if not target.add(to.url):
        raise InputError(
            message=f"{place}.url: Apprise does not know how to send to this URL ({to.shown})",
            code="bad_notify",
            parameter=f"{place}.url",
            cure="Compare it with the URL of the service in the documentation of Apprise",
        )

    def deliver(event: Event) -> None:
        kind = "failure" if event.more.get("failed") or event.kind == "host_failed" else "info"
        title = event.title()
        # As text: names and messages of servers must not become HTML or Markdown in a mail or a chat.
        if not target.notify(title=title, body=event.text() or title, notify_type=kind, body_format="text"):
            raise NotDelivered("the service did not accept it")

    return deliver


def _apprise(place: str) -> Any:
    try:
        library = import_module("apprise")
    except ImportError:
        problem, cure = (
            "this URL is sent with the Python package apprise, which is not installed",
            "pip install apprise",
        )
    else:
        if hasattr(library.AppriseAsset, "http_redirects"):
            return library
        problem, cure = "the installed release of apprise always follows redirects", "pip install --upgrade apprise"
    raise InputError(
        message=f"{place}.url: {problem}",
        code="missing_library",
        parameter=f"{place}.url",
        cure=f"{cure}, for the Python that runs ansible-playbook, or set an https:// URL",
    )
