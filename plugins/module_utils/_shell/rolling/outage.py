# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rolling reboot does when the server does not respond, or responds with a fault. PRIVATE to the collection."""

from __future__ import annotations

from ..._domain.errors import DirectPathError
from ..._vsphere.session.faults import SERVER_FAULTS, explain, is_login_refused, is_session_ended
from .context import RollingRun, RunContext

LONGEST_PAUSE = 30.0
"""Seconds between two attempts to reach the server."""
AWAY = 1200.0
"""Seconds for which a server may be unavailable, in addition to the timeout of a host reboot."""
MOST_FAULTS = 5
"""Maximum number of consecutive rounds that end with a fault."""
MOST_LOGINS = 3
"""Maximum number of consecutive refused logins: more would lock the account."""
LASTING = ("certificate_untrusted", "certificate_expired", "certificate_not_yet_valid", "not_vsphere")
"""Codes of problems that waiting does not solve."""


def explain_missing_host(run: RollingRun) -> DirectPathError | None:
    """An error for a directly connected ESXi host that does not respond after its reboot. The original error would blame its name."""
    for view, entry in run.entries.values():
        if entry.step in ("rebooting", "powering") and run.error is not None:
            return DirectPathError(
                message=f"{view.name} does not respond after its reboot was requested: {run.error.message}",
                code="not_back",
                cure="Check its console (BMC). It stays in maintenance mode; run the task again when it is back",
            )
    return None


class Outage:
    """Counts consecutive errors, and waits between attempts. State that was observed before an error is never used for actions."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._faults = self._logins = self._attempts = 0
        self._lost_at: float | None = None
        self._server_time = 0.0

    def end(self, now: float) -> None:
        """Call this after a successful round. ``now``: time of the server."""
        self._server_time = now
        if self._lost_at is not None:
            away = self._context.session.clock() - self._lost_at
            self._context.progress_writer.note(f"The server responds again after {away:.0f} seconds.", now)
        self._faults = self._logins = self._attempts = 0
        self._lost_at = None

    def handle(self, error: BaseException) -> DirectPathError | None:
        """Call this after an error. Waits a little and returns None if the next round may begin, otherwise returns the final error."""
        session = self._context.session
        problem = explain(error, doing="watch the hosts", on=f"{session.endpoint.hostname}:{session.endpoint.port}")
        self._faults += isinstance(error, SERVER_FAULTS) and not is_session_ended(error)
        self._logins += is_login_refused(error)
        if self._lost_at is None:
            self._lost_at = session.clock()
            self._context.progress_writer.note(problem.message, self._server_time)
        patience = self._context.policy.deadlines.reboot + AWAY
        hopeless = self._faults >= MOST_FAULTS or self._logins >= MOST_LOGINS or problem.code in LASTING
        if hopeless or session.clock() > self._lost_at + patience:
            return problem
        session.sleep(min(LONGEST_PAUSE, 2.0**self._attempts))
        self._attempts += 1
        drop = getattr(session.stub, "DropConnections", None)
        if drop is not None and not isinstance(error, SERVER_FAULTS):
            drop()
        return None
