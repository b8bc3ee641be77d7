# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The newest API version that both the server and the SDK know. PRIVATE to the collection.

pyVmomi can read it too, but without a timeout: it would wait forever for a server that accepts the connection and sends nothing.
"""

from __future__ import annotations

import ssl
from contextlib import closing
from http.client import HTTPException
from xml.etree.ElementTree import Element, ParseError, fromstring

from ..http.connections import MOST_AT_FIRST, Bounds, dialed
from ..sdk import service_versions
from .endpoint import Endpoint

PATH = "/sdk/vimServiceVersions.xml"


class NotVsphere(Exception):
    """The server is neither vCenter nor ESXi."""


def newest_version(endpoint: Endpoint, context: ssl.SSLContext, bounds: Bounds) -> str:
    """Read the versions of the server without a login, and return the newest common one, by its name in the SDK.

    All of it must end within the time for a connection, because the answer is a small file. Raises OSError, HTTPException or NotVsphere.
    """
    with (
        bounds.within(bounds.connect, most=MOST_AT_FIRST),
        closing(dialed(endpoint.hostname, endpoint.port, context, bounds, endpoint.proxy)) as connection,
    ):
        connection.request("GET", PATH)
        # The answer is closed too, because an answer without a length takes over the connection.
        with closing(connection.getresponse()) as answer:
            content = answer.read()
    if answer.status != 200:
        raise HTTPException(f"{answer.status} {answer.reason}")
    known = _versions(content)
    found = next((version for version, number in service_versions() if number in known), None)
    if found is None:
        raise NotVsphere
    return found


def _versions(text: bytes) -> frozenset[str]:
    if b"<!DOCTYPE" in text:
        raise NotVsphere
    try:
        root = fromstring(text)
    except (ParseError, ValueError) as error:
        raise NotVsphere from error
    if root.tag != "namespaces":
        raise NotVsphere
    return frozenset(number for space in root.findall("namespace") for number in _numbers(space))


def _numbers(space: Element) -> list[str]:
    return [entry.text or "" for entry in (*space.findall("version"), *space.findall("priorVersions/version"))]
