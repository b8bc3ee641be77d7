# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Address, account and trust of one vCenter or ESXi host. PRIVATE to the collection."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..http.connections import CONNECT_TIMEOUT, Proxy
from .file import Key


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where to log in and as whom. The password is kept out of repr()."""

    hostname: str
    username: str
    password: str = field(repr=False)
    port: int = 443
    validate_certs: bool = True
    ca_path: str | None = None
    proxy_host: str | None = None
    proxy_port: int | None = None
    connect_timeout: float = CONNECT_TIMEOUT
    """Seconds until a connection stands, and for the first answer on it."""
    shared: bool = False
    """Whether the session is left open for the next task, and one that was left open is taken up."""

    def key(self) -> Key:
        """What a session with this endpoint may be used again for."""
        return Key(
            hostname=self.hostname,
            port=self.port,
            username=self.username,
            proxy=f"{self.proxy_host}:{self.proxy_port}" if self.proxy_host else "",
            trust=f"{self.validate_certs} {self.ca_path or ''}",
        )

    @property
    def proxy(self) -> Proxy | None:
        """The HTTP proxy on the way; None without one."""
        return (self.proxy_host, self.proxy_port or 80, {}) if self.proxy_host else None
