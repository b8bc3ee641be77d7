# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One attempt of one check of a health gate, with a deadline: TCP, HTTP, or a command on the control node. PRIVATE to the collection.

Each function returns (whether it succeeded, a clause that says what was found), and raises nothing that the network or the command causes.
"""

from __future__ import annotations

import ipaddress
import os
import selectors
import signal
import ssl
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from http.client import HTTPException
from urllib.parse import quote, urlsplit

from ..._domain.errors import DirectPathError
from ..._domain.health_gate import Check, filled
from ..._domain.text import one_line, shortened
from ..http.connections import BoundedPlain, BoundedTls, Bounds, ProxyFailed, dial
from ..http.rehearsal import is_left_out
from ..session.connect import tls_context
from ..session.endpoint import Endpoint

Found = tuple[bool, str]

MOST_HEADERS = 1 << 20
"""Bytes of an answer that are read at most. Only its status counts."""
MOST_TEXT = 120
"""Characters of the output of a command in a message."""
MOST_OUTPUT = 64 << 10
"""Bytes of the output of a command that are looked at."""
LOOK_AGAIN = 0.2
"""Seconds between two looks whether a command has ended whose output is still open."""
NOT_REHEARSED: Found = (True, "not rehearsed")
PASSED_ON = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR")
"""Environment variables of this process that a command gets. All others may hold secrets, such as the password of vCenter."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckPlace:
    """What fills the placeholders of a check. ``values``: name in braces → text; ``address`` is missing while it is unknown."""

    values: Mapping[str, str]

    def missing(self, texts: tuple[str, ...]) -> str:
        """A clause: why the texts cannot be filled in; empty if they can."""
        if "address" not in self.values and any("{address}" in text for text in texts):
            return "VMware Tools report no IP address"
        return ""


def known_address(text: str | None) -> str | None:
    """The address, if it is one: it comes from the guest."""
    try:
        return None if text is None else str(ipaddress.ip_address(text))
    except ValueError:
        return None


def check_tcp(check: Check, place: CheckPlace) -> Found:
    """A connection to the port is accepted."""
    if is_left_out("health gate", f"TCP {check.address}:{check.port}"):
        return NOT_REHEARSED
    host, bounds = filled(check.address, place.values), Bounds(connect=check.timeout)
    try:
        with bounds.within(check.timeout), closing(dial(host, check.port, bounds.end_in(check.timeout), bounds)):
            return True, f"{host} accepts connections"
    except (OSError, UnicodeError) as error:
        return False, f"{host}: {_words(error, check.timeout)}"


def check_http(check: Check, place: CheckPlace) -> Found:
    """One GET request. No redirect is followed, and no proxy is used that is not set. HTTPS verifies the server, unless switched off."""
    if is_left_out("health gate", f"HTTP {check.url.partition('?')[0]}"):
        return NOT_REHEARSED
    url = filled(check.url, _in_url(place.values))
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        bounds = Bounds(connect=check.timeout, silence=check.timeout, answer=check.timeout)
        with bounds.within(check.timeout, most=MOST_HEADERS), closing(_connection(check, host, port, bounds)) as link:
            link.request("GET", path, headers={"Connection": "close", "User-Agent": "directpath.vsphere"})
            status = link.getresponse().status
    except DirectPathError as error:
        return False, error.message
    except (OSError, HTTPException, ValueError) as error:
        return False, f"{url}: {_words(error, check.timeout)}"
    return status in check.status, f"{url} answers {status}"


def _in_url(values: Mapping[str, str]) -> Mapping[str, str]:
    """Quoted, so that a name cannot lead to another server or path. An IPv6 address is written in brackets."""
    found = {name: quote(text, safe="") for name, text in values.items()}
    address = values.get("address", "")
    return {**found, "address": f"[{address}]" if ":" in address else address} if address else found


def _connection(check: Check, host: str, port: int, bounds: Bounds) -> BoundedTls | BoundedPlain:
    """``host`` is the server. With a proxy, the connection goes through its CONNECT."""
    proxy = urlsplit(check.proxy) if check.proxy else None
    first, its_port = (host, port) if proxy is None else (proxy.hostname or "", proxy.port or 3128)
    link: BoundedTls | BoundedPlain
    if check.url.startswith("https://"):
        link = BoundedTls(first, its_port, context=_context(check, host), bounds=bounds)
    else:
        link = BoundedPlain(first, its_port, bounds=bounds)
    if proxy is not None:
        link.set_tunnel(host, port)
    return link


def _context(check: Check, host: str) -> ssl.SSLContext:
    endpoint = Endpoint(
        hostname=host, username="", password="", validate_certs=check.validate_certs, ca_path=check.ca_path
    )
    return tls_context(endpoint)


def _words(error: Exception, timeout: float) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {timeout:g} s"
    if isinstance(error, ProxyFailed):
        return one_line(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({one_line(error.verify_message)})"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return shortened(one_line(text), MOST_TEXT)


def check_command(check: Check, place: CheckPlace, started: Callable[[int], None] = lambda group: None) -> Found:
    """The program ends with status 0 in time. No shell; at the deadline its whole process group is killed.

    ``started``: called with the id of its process group, and with 0 when it has ended.
    """
    if is_left_out("health gate", f"command {check.argv[0]}"):
        return NOT_REHEARSED
    argv = [filled(text, place.values) for text in check.argv]
    for given, text in zip(check.argv, argv, strict=True):
        if text.startswith("-") and not given.startswith("-"):
            return False, f"the name {one_line(text)!r} would be read as an option of the command"
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    environment |= {f"DIRECTPATH_{name.upper()}": text for name, text in place.values.items()}
    environment |= {name: filled(text, place.values) for name, text in check.environment}
    reading, writing = os.pipe()
    try:
        process = subprocess.Popen(  # pylint: disable=ansible-bad-function
            argv,
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        os.close(reading)
        return False, f"it cannot be started ({_words(error, check.timeout)})"
    finally:
        os.close(writing)
    started(process.pid)
    try:
        output = _read_end(process, reading, check.timeout)
    finally:
        if process.poll() is None:
            kill_group(process.pid)
            process.wait()
        os.close(reading)
        started(0)
    if output is None:
        return False, f"it did not end within {check.timeout:g} s, and was killed"
    status = process.returncode
    said = shortened(one_line(output.decode("utf-8", "replace").strip().rpartition("\n")[2]), MOST_TEXT)
    ended = f"it ended with status {status}" if status >= 0 else f"it was ended by signal {-status}"
    return status == 0, f"{ended}: {said}" if said else ended


def _read_end(process: subprocess.Popen[bytes], output: int, timeout: float) -> bytes | None:
    """The end of what is read from ``output``; None if the process does not end in time. A child that keeps the output open does not
    count."""
    end, tail = time.monotonic() + timeout, b""
    with selectors.DefaultSelector() as readable:
        readable.register(output, selectors.EVENT_READ)
        while (left := end - time.monotonic()) > 0:
            if not readable.select(min(left, LOOK_AGAIN)):
                if process.poll() is not None:
                    return tail
                continue
            chunk = os.read(output, MOST_OUTPUT)
            if not chunk:
                break
            tail = (tail + chunk)[-MOST_OUTPUT:]
    try:
        process.wait(max(0.0, end - time.monotonic()))
    except subprocess.TimeoutExpired:
        return None
    return tail


def kill_group(group: int) -> None:
    """End a process and all that it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
