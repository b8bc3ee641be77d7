# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTPS to a management controller: address, TLS, and failures as sentences. PRIVATE to the collection.

Tests replace ``open_http`` to use a transport without sockets.
"""

from __future__ import annotations

import base64
import ipaddress
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any, Literal, Protocol
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from ..._domain.errors import DirectPathError, InputError
from ..http.certificates import CertificateTime
from ..http.connections import Bounds, BrokenAnswer, ProxyFailed
from ..http.json_https import Https
from ..http.name_lookup import NameTooSlow
from ..session.connect import tls_context
from ..session.endpoint import Endpoint

ROOT = "/redfish/v1/"
"""Path of every Redfish service root (DSP0266, 6.2)."""
MOST = 8 << 20
"""Maximum size of one answer in bytes. Resources have some thousand, collections of large chassis some hundred thousand."""
PATIENCE = 4
"""One answer may take this many times the permitted seconds of silence until its last byte."""


@dataclass(frozen=True, kw_only=True)
class BmcAccess:
    """Address and account of a management controller. repr() shows neither the password nor the proxy, which may contain one.

    ``address``: a name or IP address, optionally with ``:port`` and a path before ``/redfish``; only HTTPS is used.
    ``proxy``: URL of an HTTP proxy; proxies of the environment are never used. ``system``: the id of the ComputerSystem; it is then
    not compared with the server. ``timeout``: seconds of silence before a request fails.
    """

    address: str
    username: str
    password: str = field(repr=False)
    validate_certs: bool = True
    ca_path: str | None = None
    auth: Literal["auto", "session", "basic"] = "auto"
    proxy: str | None = field(default=None, repr=False)
    system: str | None = None
    timeout: float = 30.0

    def __post_init__(self) -> None:
        self._parsed()
        if self.proxy:
            _proxy(self.proxy)

    @property
    def origin(self) -> str:
        """``https://name:port``."""
        return f"https://{self._parsed().netloc}"

    @property
    def root(self) -> str:
        """Path of the service root."""
        return f"{self._prefix()}{ROOT}"

    @property
    def where(self) -> str:
        """Host, port and path, for messages."""
        return f"{self._parsed().netloc}{self._prefix()}"

    def _prefix(self) -> str:
        path = self._parsed().path.rstrip("/")
        return path.removesuffix("/v1").removesuffix("/redfish") if path.endswith(("/redfish/v1", "/redfish")) else path

    def _parsed(self) -> SplitResult:
        """Raises InputError. Its message never contains what may be a password."""
        text = self.address.strip()
        with suppress(ValueError):  # a name, an IPv4 address, or one with a port
            text = f"[{ipaddress.IPv6Address(text)}]"
        try:
            parts = urlsplit(text if "://" in text else f"https://{text}")
            problem = _problem(parts)
        except ValueError:
            problem = "it cannot be read"
        if problem:
            shown = "The address" if "@" in text else f"The address {self.address!r}"
            raise InputError(
                message=f"{shown} of a management controller cannot be used: {problem}",
                code="bad_bmc_address",
                parameter="bmc",
                cure="Set a name or IP address, with a port if it is not 443: esx-01-bmc.lab, 10.0.0.5:8443, https://[2001:db8::5]",
            )
        return parts


def _problem(parts: SplitResult) -> str:
    if parts.username is not None or parts.password is not None:
        return "it holds an account; set username and password instead"
    if parts.scheme != "https":
        return f"{parts.scheme} would send the password in the clear; only https is supported"
    if parts.query or parts.fragment:
        return "it contains a query"
    if not parts.hostname or any(mark.isspace() for mark in parts.netloc) or parts.port == 0:
        return "it names no machine"
    return ""


@dataclass(frozen=True, kw_only=True)
class RedfishReply:
    """One answer. ``body``: None if it was not a JSON object; header names are in lower case."""

    status: int
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def messages(self) -> Iterator[tuple[str, str]]:
        """(message id, text) of an error (DSP0266, 8.6); older forms are supported, too."""
        body = self.body or {}
        error = body.get("error")
        info = error.get("@Message.ExtendedInfo") if isinstance(error, Mapping) else body.get("Messages")
        for item in [info] if isinstance(info, Mapping) else info if isinstance(info, list) else []:
            if isinstance(item, Mapping):
                number = str(item.get("MessageId") or item.get("MessageID") or "")
                yield number, str(item.get("Message") or number.rpartition(".")[2])
        if not info and isinstance(error, Mapping) and error.get("message"):
            yield str(error.get("code", "")), str(error["message"])


class RedfishTransport(Protocol):
    """Sends one request and returns the reply, whatever its status. Raises DirectPathError when there is none."""

    def send(
        self, verb: str, path: str, headers: Mapping[str, str], body: Mapping[str, Any] | None = None
    ) -> RedfishReply: ...

    def close(self) -> None: ...


def open_http(access: BmcAccess) -> RedfishTransport:
    """HTTPS. Raises DirectPathError (missing_library, bad_ca_path)."""
    return RedfishOverTls(access)


class RedfishOverTls:
    """Requests to one controller. Redirects are not followed here."""

    def __init__(self, access: BmcAccess) -> None:
        self._access = access
        context = tls_context(
            Endpoint(
                hostname=access.where,
                username="",
                password="",
                validate_certs=access.validate_certs,
                ca_path=access.ca_path,
            )
        )
        place = urlsplit(access.origin)
        limits = Bounds(connect=access.timeout, silence=access.timeout, answer=PATIENCE * access.timeout, most=MOST)
        self._https = Https(
            place.hostname or "",
            place.port or 443,
            context,
            bounds=limits,
            needed_by="Management controllers",
            instead="set method: reboot",
        )
        if access.proxy:
            self._https.through(*_proxy(access.proxy))

    def send(
        self, verb: str, path: str, headers: Mapping[str, str], body: Mapping[str, Any] | None = None
    ) -> RedfishReply:
        """Send one request. ``path``: from ``same_origin``."""
        try:
            answer = self._https.send(verb, path, headers, body)
        except (OSError, HTTPException) as error:
            raise explain_silence(error, self._access, reads=verb == "GET") from error
        content = _object(answer.json()) if answer.content else None
        return RedfishReply(status=answer.status, body=content, headers=answer.headers)

    def close(self) -> None:
        self._https.close()


def _proxy(url: str) -> tuple[str, int, dict[str, str]]:
    """Name, port and headers of an HTTP proxy. Raises InputError. Its message never contains what may be a password."""
    with suppress(ValueError):
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme == "http" and parts.hostname and not parts.query and not parts.fragment:
            account = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}".encode()
            login = {"Proxy-Authorization": f"Basic {base64.b64encode(account).decode()}"} if parts.username else {}
            return parts.hostname, parts.port or 80, login
    raise InputError(
        message="The proxy of a management controller cannot be used: it is not the URL of an HTTP proxy",
        code="bad_bmc_address",
        parameter="bmc",
        cure="Write a URL such as http://proxy.example.com:3128",
    )


def _object(found: Any) -> Mapping[str, Any] | None:
    return found if isinstance(found, Mapping) else None


def same_origin(access: BmcAccess, base: str, link: str) -> str | None:
    """The path of a link in a reply; None if it leads to another machine, which never gets the credentials."""
    whole = urlsplit(urljoin(access.origin + base, link))
    if f"{whole.scheme}://{whole.netloc}".lower() != access.origin.lower():
        return None
    return whole.path + (f"?{whole.query}" if whole.query else "")


_CERTIFICATE = (
    "Set ca_path of the controller to the CA that signed it, or to the certificate itself if it is self-signed, and use "
    "a name that the certificate contains. validate_certs: false accepts any certificate"
)
_KINDS: tuple[tuple[type[BaseException], str, str, str], ...] = (
    (ssl.SSLCertVerificationError, "certificate_untrusted", "its TLS certificate is not trusted", _CERTIFICATE),
    (ssl.SSLError, "tls_failed", "TLS failed", "Check the address: it must be the HTTPS port of the controller"),
    (
        NameTooSlow,
        "unknown_name",
        "no name server resolved the name in time",
        "Check DNS and the network of the machine that runs the module",
    ),
    (socket.gaierror, "unknown_name", "the name is unknown", "Check the address of the controller, and DNS"),
    (ConnectionRefusedError, "refused", "the connection was refused", "Check address and port of the controller"),
    (
        TimeoutError,
        "no_answer",
        "no answer in time",
        "Check the management network from the machine that runs the module",
    ),
)


def explain_silence(error: BaseException, access: BmcAccess, *, reads: bool = False) -> DirectPathError:
    """Why there was no reply. ``reads``: the request could not change anything."""
    place = f"The management controller at {access.where}"
    if isinstance(error, ProxyFailed):
        return DirectPathError(
            message=f"{place} cannot be reached: {error}",
            code="proxy_failed",
            cure="Check the proxy of the controller, or leave it out",
        )
    if isinstance(error, CertificateTime):
        return error.explained(f"{place} cannot be reached")
    for kind, code, what, cure in _KINDS:
        if isinstance(error, kind):
            detail = getattr(error, "verify_message", "") or (
                getattr(error, "reason", "") if code == "tls_failed" else ""
            )
            text = f"{what} ({detail})" if isinstance(detail, str) and detail else what
            proxy = getattr(error, "through", "")
            if proxy:
                text += f" in the connection through the proxy {proxy}"
                cure += ". Check that the proxy passes connections on instead of answering itself"
            return DirectPathError(message=f"{place} cannot be reached: {text}", code=code, cure=cure)
    if isinstance(error, BrokenAnswer):
        return DirectPathError(
            message=f"{place} returned {error}",
            code="unreadable_answer",
            cure="Check the address: it must be that of a controller with Redfish",
        )
    reason = getattr(error, "strerror", None) or "the controller closed it"
    return DirectPathError(
        message=f"The connection to the management controller at {access.where} broke ({reason})",
        code="connection_lost",
        cure="Check the management network, and the log of the controller"
        if reads
        else "It is unknown whether the request arrived: check the power state",
    )
