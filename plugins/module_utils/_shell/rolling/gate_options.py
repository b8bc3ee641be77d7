# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parameters of the health gate: soak, ready_when, ready_timeout. PRIVATE to the collection."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from ..._domain.errors import InputError
from ..._domain.health_gate import (
    OF_VMS,
    PLACEHOLDERS,
    Check,
    HealthGate,
    unknown_placeholders,
    used_placeholders,
)
from ..._domain.ranges import check_timeout


def parse_gate(params: Mapping[str, Any]) -> HealthGate:
    """Raises InputError."""
    check_timeout("ready_timeout", params["ready_timeout"])
    checks = tuple(_check(entry, f"ready_when[{number}]") for number, entry in enumerate(params["ready_when"]))
    return HealthGate(soak=params["soak"], checks=checks, timeout=float(params["ready_timeout"]))


def _check(entry: Mapping[str, Any], place: str) -> Check:
    check = Check(
        kind=entry["check"],
        vms=entry["vms"],
        names=tuple(entry["names"]),
        timeout=entry["timeout"],
        port=entry["port"] or 0,
        address=entry["address"],
        url=entry["url"] or "",
        status=tuple(entry["status"]),
        validate_certs=entry["validate_certs"],
        ca_path=entry["ca_path"],
        proxy=entry["proxy"],
        argv=tuple(entry["argv"]),
        environment=tuple((str(name), str(text)) for name, text in sorted((entry["environment"] or {}).items())),
    )
    for parameter, problem, cure in _problems(check, entry):
        raise InputError(
            message=f"{place}.{parameter}: {problem}",
            code="bad_ready_when",
            parameter=f"{place}.{parameter}",
            cure=cure,
        )
    return check


def _problems(check: Check, entry: Mapping[str, Any]) -> Iterable[tuple[str, str, str]]:
    """(suboption, problem, what to do)."""
    if not check.timeout > 0:
        yield "timeout", f"{check.timeout:g} is not above 0", "Set the seconds that one attempt may take"
    if check.vms == "named" and not check.names:
        yield "names", "vms: named requires names", "List the names of the virtual machines; * and ? are allowed"
    if check.vms == "none" and check.names:
        yield "names", "vms: none checks the host, not virtual machines", "Leave out names, or set vms: named"
    yield from _kind_problems(check, entry)
    texts = check.texts
    unknown = unknown_placeholders(texts)
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        yield check.kind, f"{{{unknown[0]}}} is not a placeholder", f"Use one of {known}"
    if check.vms == "none" and used_placeholders(texts) & set(OF_VMS):
        yield "vms", "vms: none has no virtual machine for {vm}, {address} or {moid}", "Use {host}, or set other vms"


def _kind_problems(check: Check, entry: Mapping[str, Any]) -> Iterable[tuple[str, str, str]]:
    match check.kind:
        case "heartbeat" | "tools":
            if check.vms == "none":
                yield "vms", f"check: {check.kind} is about virtual machines", "Set vms: stopped, ran_here or named"
        case "tcp":
            if not 0 < check.port < 65_536:
                yield "port", "check: tcp requires a port from 1 to 65535", "Set port: 3260, for example"
        case "http":
            problem = _url_problem(check.url)
            if problem:
                yield "url", problem, "Set a URL such as https://{vm}.example.com/health"
            if not check.status or not all(100 <= code < 600 for code in check.status):
                yield "status", f"{list(check.status)} are not HTTP status codes", "Set status: [200], for example"
            if check.proxy and _url_problem(check.proxy):
                yield "proxy", "it is not the URL of an HTTP proxy", "Set a URL such as http://proxy.example.com:3128"
        case "command":
            if not check.argv or not os.path.isabs(check.argv[0]):
                yield (
                    "argv",
                    "check: command requires the absolute path of a program, and its arguments, as a list. No shell is used",
                    "Set argv: [/usr/local/bin/is-ready, '{vm}'], for example",
                )


def _url_problem(url: str) -> str:
    try:
        parts = urlsplit(url)
        if parts.username is not None or parts.password is not None:
            return "it contains an account; a check needs none"
        port = parts.port
    except ValueError:
        return "it cannot be read"
    if parts.scheme not in ("http", "https") or not parts.netloc or port == 0:
        return "it is not a URL that begins with http:// or https://"
    return ""
