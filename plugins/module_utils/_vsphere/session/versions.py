# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The newest API version that a server and the SDK both know. PRIVATE to the collection.

pyVmomi can ask as well, on a connection without any time-out: a server that accepts it and stays silent would be waited for for ever.
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
    """Somebody answers, who is neither vCenter nor ESXi."""


def newest_version(endpoint: Endpoint, context: ssl.SSLContext, bounds: Bounds) -> str:
    """Asked for without a login. The whole look-up may take no longer than a connection: the answer is a small file.

    Raises OSError and HTTPException as every connection does, and NotVsphere.
    """
    with (
        bounds.within(bounds.connect, most=MOST_AT_FIRST),
        closing(dialed(endpoint.hostname, endpoint.port, context, bounds, endpoint.proxy)) as connection,
    ):
        connection.request("GET", PATH)
        # Closed by itself: an answer without a length takes the connection over.
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
