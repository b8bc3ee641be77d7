# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The content of a file in a guest, from the URL that the server gave for it. PRIVATE to the collection.

The URL is on the ESXi host of the VM, so the machine that runs the module must reach port 443 of the host and trust its certificate. ``*``
means the server that was called (API reference, FileTransferInformation.url). It is valid for one GET. Its token is a secret.

Tests replace ``get`` to use a transport without sockets.
"""

from __future__ import annotations

from http.client import HTTPException
from urllib.parse import urlsplit

from ..._domain.errors import DirectPathError
from ..http.connections import Bounds, dialed
from ..session.connect import tls_context
from ..session.endpoint import Endpoint
from ..session.faults import CONNECTION_ERRORS, explain_connection

MOST = 1 << 20
"""Bytes of a file at most. The report of a guest with a hundred devices has 50,000."""
SILENCE = 30.0
"""Seconds of silence before a download fails."""
DOING = "read the output of the probe from {}"
_NETWORK = (
    "This machine needs a connection to port 443 of the ESXi host of the VM. Without it, use gather: exit_codes, or the connection of "
    "Ansible (via: connection)"
)
_CERTIFICATE = (
    "Add the CA that signed the certificate of the ESXi host to ca_path (VMWARE_CA_PATH); by default it is that of vCenter. "
    "validate_certs: false accepts every certificate, also that of an attacker. Without a connection to the host, use gather: exit_codes"
)
_CURES = {
    **dict.fromkeys(
        ("refused", "no_answer", "unknown_name", "connection_lost", "tls_failed", "proxy_failed"), _NETWORK
    ),
    "certificate_untrusted": _CERTIFICATE,
}
"""Code of an error of the connection → the fix, where it differs from that for a connection to vCenter."""


def get(endpoint: Endpoint, host: str, port: int, path: str) -> tuple[int, bytes]:
    """Status and content of one GET request over TLS. Redirects are not followed. Raises OSError, HTTPException, DirectPathError."""
    bounds = Bounds(connect=endpoint.connect_timeout, silence=SILENCE, most=MOST)
    with bounds.within():
        connection = dialed(host, port, tls_context(endpoint), bounds, endpoint.proxy)
        try:
            connection.request("GET", path, headers={"Accept-Encoding": "identity", "User-Agent": "directpath.vsphere"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def download(endpoint: Endpoint, url: str, size: int) -> bytes:
    """The content of a file of ``size`` bytes. Raises DirectPathError."""
    if size > MOST:
        raise DirectPathError(
            message=f"The output of the probe has {size >> 10} KB, more than {MOST >> 10} KB: it was not read",
            code="guest_output_too_large",
            cure="Check the guest: the report of the probe has some KB",
        )
    host, port, path = _place(endpoint, url)
    try:
        status, content = get(endpoint, host, port, path)
    except (*CONNECTION_ERRORS, HTTPException) as error:
        found = explain_connection(error, doing=DOING, on=f"{host}:{port}")
        found.cure = _CURES.get(found.code, found.cure)
        raise found from error
    if status != 200:
        raise _incomplete(f"{host} answered HTTP {status}")
    if len(content) != size:
        raise _incomplete(f"it has {len(content)} bytes instead of {size}")
    return content


def _incomplete(why: str) -> DirectPathError:
    return DirectPathError(
        message=f"Cannot read the output of the probe: {why}",
        code="guest_download_failed",
        cure="Run the task again: the URL is valid for one download, while the VM runs on the same host",
    )


def _place(endpoint: Endpoint, url: str) -> tuple[str, int, str]:
    """Host, port and path of the URL. Its message never contains the token. Raises DirectPathError."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 443
    except ValueError:
        host, port = "", 0
    else:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        if parts.scheme == "https" and host == "*":
            return endpoint.hostname, endpoint.port, path
        if parts.scheme == "https" and host:
            return host, port, path
    raise DirectPathError(
        message="Cannot read the output of the probe: the server gave no HTTPS URL for it",
        code="guest_download_failed",
        cure="Use gather: exit_codes, or the connection of Ansible (via: connection)",
    )
