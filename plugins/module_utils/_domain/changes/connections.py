# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long an event source waits before it reconnects, when it reports an outage, and when it gives up. PRIVATE to the collection."""

from __future__ import annotations

from dataclasses import dataclass, replace

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
MOST_REFUSED = 5
"""Refused logins in a row until the source gives up. A minute apart, they stay below the limit at which vCenter locks an account (5 in 180
seconds)."""
_REFUSED = "invalid_login"
_MAY_PASS = frozenset(
    {"refused", "no_answer", "unavailable", "connection_lost", "session_lost", "proxy_failed", "unreadable_answer"}
)
"""Errors that a server which starts, or a network that is down, may cause. Others at the first connection are mistakes in the arguments."""
_NEVER_PASS = frozenset({"missing_library", "unexpected"})
"""Errors of this machine, or of the collection."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionHistory:
    """Failed connections since the last one that worked. ``since``: when they began; None when there is none. ``connected``: whether the
    source has been connected before."""

    connected: bool = False
    since: float | None = None
    failures: int = 0
    refused: int = 0
    reported: bool = False

    def failed(self, code: str, now: float) -> ConnectionHistory:
        """After one more failure."""
        return replace(
            self,
            since=now if self.since is None else self.since,
            failures=self.failures + 1,
            refused=self.refused + 1 if code == _REFUSED else 0,
        )

    def as_reported(self) -> ConnectionHistory:
        """After the event about the outage."""
        return replace(self, reported=True)

    def is_final(self, code: str) -> bool:
        """Whether to give up after this failure."""
        if not self.connected:
            return code not in _MAY_PASS
        return code in _NEVER_PASS or self.refused >= MOST_REFUSED

    @property
    def pause(self) -> float:
        """Seconds until the next attempt."""
        if self.refused:
            return LONGEST_PAUSE
        return float(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self.failures - 1, 10))) if self.failures else 0.0

    def is_to_report(self, after: float, now: float) -> bool:
        """Whether the outage is long enough for an event, and has not had one."""
        return self.since is not None and not self.reported and now - self.since >= after
