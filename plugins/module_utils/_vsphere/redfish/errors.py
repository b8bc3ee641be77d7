# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Error replies of a management controller as sentences, without the password that they may repeat. PRIVATE to the collection."""

from __future__ import annotations

import base64
from http.client import responses

from ..._domain.errors import DirectPathError
from .http import BmcAccess, RedfishReply

LONGEST = 300

_KNOWN: tuple[tuple[int, str, str], ...] = (
    (
        401,
        "invalid_login",
        "Check username and password of the controller. No further request is sent in this run, because controllers lock an account "
        "after a few wrong passwords",
    ),
    (
        403,
        "no_permission",
        "The account needs a role that may control power: Operator or Administrator. Some controllers answer like this until "
        "the initial password is changed",
    ),
    (429, "unavailable", "The controller is overloaded: run the task again in a moment"),
    (502, "unavailable", "The controller is starting or overloaded: run the task again in a moment"),
    (503, "unavailable", "The controller is starting or overloaded: run the task again in a moment"),
    (504, "unavailable", "The controller is starting or overloaded: run the task again in a moment"),
)


def explain_reply(reply: RedfishReply, doing: str, access: BmcAccess, *, code: str = "") -> DirectPathError:
    """``Cannot <doing> on <controller>: HTTP <status>, <its message>``. ``code``: overrides the code that the status implies."""
    known = next((row for row in _KNOWN if row[1] == code or (not code and row[0] == reply.status)), None)
    text = "; ".join(dict.fromkeys(plain(text, access) for _unused, text in reply.messages()))
    status = f"HTTP {reply.status} {responses.get(reply.status, '')}".strip()
    as_whom = f" as {access.username}" if doing == "log in" else ""
    return DirectPathError(
        message=f"Cannot {doing}{as_whom} on {access.where}: {status}{f', {text}' if text else ''}",
        code=known[1] if known else "bmc_refused",
        cure=known[2] if known else "See the log of the controller",
    )


def is_login_refusal(reply: RedfishReply) -> bool:
    """Whether the reply to a login rejects the account. Older iLO versions use status 400."""
    return reply.status in (401, 403) or any("Unauthorized" in number for number, _unused in reply.messages())


def plain(text: str, access: BmcAccess) -> str:
    """One short line without any secret that was sent to the controller."""
    pair = f"{access.username}:{access.password}".encode()
    for secret in (base64.b64encode(pair).decode(), access.password):
        if secret:
            text = text.replace(secret, "***")
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}..."
