# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Address, account and TLS settings for one vCenter or ESXi host. PRIVATE to the collection."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ..http.connections import CONNECT_TIMEOUT, Proxy
from ..http.rehearsal import twin_of
from .file import Key


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where to log in, and with which account. repr() does not show the password."""

    hostname: str
    username: str
    password: str = field(repr=False)
    port: int = 443
    validate_certs: bool = True
    ca_path: str | None = None
    proxy_host: str | None = None
    proxy_port: int | None = None
    connect_timeout: float = CONNECT_TIMEOUT
    """Seconds to establish a connection, and for the first answer on it."""
    shared: bool = False
    """Whether the session stays open for the next task, and the open session of an earlier task is reused."""

    def key(self) -> Key:
        """The key of the shared session: tasks with an equal key may reuse it."""
        return Key(
            hostname=self.hostname,
            port=self.port,
            username=self.username,
            proxy=f"{self.proxy_host}:{self.proxy_port}" if self.proxy_host else "",
            trust=f"{self.validate_certs} {self.ca_path or ''}",
        )

    @property
    def proxy(self) -> Proxy | None:
        """The HTTP proxy; None without one."""
        return (self.proxy_host, self.proxy_port or 80, {}) if self.proxy_host else None


def on_twin(
    endpoint: Endpoint, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
) -> tuple[Endpoint, Callable[[], float], Callable[[float], None]]:
    """In a rehearsal: the same address with the account of its twin, and the time of the twin. Otherwise what was given. Raises
    DirectPathError (not_rehearsed) if the server has no twin."""
    twin = twin_of(endpoint.hostname, endpoint.port)
    if twin is None:
        return endpoint, clock, sleep
    found = replace(
        endpoint,
        username=twin.username,
        password=twin.password,
        validate_certs=True,
        ca_path=twin.ca_file,
        proxy_host=None,
        proxy_port=None,
    )
    return (found, twin.time.now, twin.time.sleep) if twin.clock else (found, clock, sleep)
