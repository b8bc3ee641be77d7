# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two ways to spell the same requests, their answers and their errors.

``/rest``: vCenter 6.5 and later (answers in ``value``, ``~action=``, ids as ``/id:X``; deprecated in 7.0 U2, still there).
``/api``: 7.0 U2 and later (bare answers with 201 and 204, ``action=``, ids as ``/X``).
Source: vSphere Automation API reference, and "Changes in the REST API" of the 7.0 U2 release notes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from ..web import Answer

STATUS = {
    "unauthenticated": 401,
    "unauthorized": 403,
    "not_found": 404,
    "already_exists": 400,
    "invalid_argument": 400,
    "internal_server_error": 500,
}
"""HTTP status of the standard errors (com.vmware.vapi.std.errors)."""

RESOURCES = ("category", "tag", "tag-association")
CHALLENGE = 'Basic realm="VAPI endpoint"'


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How one of them is spelt. ``session`` and ``tagging`` are addresses, ``since`` the release that brought it."""

    name: str
    prefix: str
    since: tuple[int, ...]
    session: str
    tagging: str
    policies: str
    action: str
    id_mark: str
    wrapped: bool


REST = Dialect(
    name="rest",
    prefix="/rest",
    since=(6, 5),
    session="/rest/com/vmware/cis/session",
    tagging="/rest/com/vmware/cis/tagging/",
    policies="/rest/vcenter/compute/policies",
    action="~action",
    id_mark="id:",
    wrapped=True,
)
API = Dialect(
    name="api",
    prefix="/api",
    since=(7, 0, 2),
    session="/api/session",
    tagging="/api/cis/tagging/",
    policies="/api/vcenter/compute/policies",
    action="action",
    id_mark="",
    wrapped=False,
)


@dataclass(frozen=True, kw_only=True)
class Address:
    """What a request is about: a resource (empty: none that is modelled), an id in its path, and an action."""

    dialect: Dialect
    resource: str
    id: str
    action: str
    query: Mapping[str, Sequence[str]] = field(default_factory=dict)


def dialect_of(path: str) -> Dialect | None:
    """The dialect an address belongs to."""
    if not path.startswith((REST.prefix, API.prefix)):
        return None  # asked for every request of the SDK, too
    plain = urlsplit(path).path
    return next((item for item in (REST, API) if plain == item.prefix or plain.startswith(f"{item.prefix}/")), None)


def address(dialect: Dialect, path: str) -> Address:
    """Take an address apart."""
    url = urlsplit(path)
    action = parse_qs(url.query).get(dialect.action, [""])[-1]
    if url.path == dialect.session:
        return Address(dialect=dialect, resource="session", id="", action=action)
    if url.path == dialect.policies or url.path.startswith(f"{dialect.policies}/"):
        return _policies(dialect, unquote(url.path.removeprefix(dialect.policies).removeprefix("/")), url.query)
    if dialect is API and (found := _device_modes(url.path, url.query, action)) is not None:
        return found
    resource, slash, last = url.path.removeprefix(dialect.tagging).partition("/")
    key = unquote(last.removeprefix(dialect.id_mark))
    marked = not slash or (last.startswith(dialect.id_mark) and key != "" and "/" not in key)
    if not url.path.startswith(dialect.tagging) or resource not in RESOURCES or not marked:
        resource = ""
    return Address(dialect=dialect, resource=resource, id=key, action=action)


def _policies(dialect: Dialect, rest: str, query: str) -> Address:
    """Ids are bare in both dialects. Filters, and what else is below this address, are not modeled."""
    known = not query and "/" not in rest and rest not in ("capabilities", "vm")
    resource = "policies/tag-usage" if rest == "tag-usage" else "policies"
    key = "" if rest == "tag-usage" else rest
    return Address(dialect=dialect, resource=resource if known else "", id=key, action="")


_DEVICES = re.compile(r"/api/vcenter/host/(?P<host>[^/]+)/hardware/direct-path-devices")
_TASK = re.compile(r"/api/cis/tasks/(?P<task>[^/]+)")


def _device_modes(path: str, query: str, action: str) -> Address | None:
    """The devices of a host, and a task (both in the newer dialect only); None for another address."""
    if match := _DEVICES.fullmatch(path):
        return Address(
            dialect=API,
            resource="direct-path-devices",
            id=unquote(match["host"]),
            action=action,
            query=parse_qs(query),
        )
    if (match := _TASK.fullmatch(path)) and not query:
        return Address(dialect=API, resource="tasks", id=unquote(match["task"]), action="")
    return None


def success(dialect: Dialect, value: Any, done: int) -> Answer:
    """An answer with a value; None is that of an operation that has none. ``done``: the status in the newer dialect."""
    if dialect.wrapped:
        return Answer(status=200, body=None if value is None else {"value": value})
    return Answer(status=done, body=value)


def failure(dialect: Dialect, kind: str, text: str, message: str) -> Answer:
    """An error. ``kind`` as in ``STATUS``, ``message`` the id of the text."""
    said = [{"id": message, "default_message": text, "args": []}]
    headers = {"WWW-Authenticate": CHALLENGE} if kind == "unauthenticated" else {}
    body: dict[str, Any] = {"type": f"com.vmware.vapi.std.errors.{kind}", "value": {"messages": said}}
    if not dialect.wrapped:
        body = {"error_type": kind.upper(), "messages": said}
        if kind == "unauthenticated":
            body["challenge"] = CHALLENGE
    return Answer(status=STATUS[kind], body=body, headers=headers)
