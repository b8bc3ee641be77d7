# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module rolling_reboot_info, from its parameters to its result. PRIVATE to the collection."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .._domain.errors import DirectPathError
from .._domain.rolling.advice import advise, describe_work
from .._domain.rolling.status import RunLine
from .._vsphere.read.hosts import read_hosts
from .._vsphere.rolling.status import StatusRead, read_status
from .._vsphere.session.connect import Session
from .rolling.run_owner import is_gone


@dataclass(frozen=True, kw_only=True)
class StatusQuery:
    """The parameters of rolling_reboot_info."""

    journal_dir: str

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> StatusQuery:
        """Read the parameters."""
        return cls(journal_dir=params["journal_dir"])


def report_status(session: Session, query: StatusQuery, check_mode: bool) -> dict[str, Any]:
    """The result of the module. Reads only."""
    found = read_status(session, query.journal_dir)
    status = found.status(is_gone)
    return {
        "changed": False,
        "status": status.verdict,
        "vcenter": session.endpoint.hostname,
        "server_time": status.now,
        "clock_difference": round(status.now - time.time()),
        "runs": [_run(run) for run in status.runs],
        "vms_off": [vm.name for run in status.runs for vm in run.off],
        "in_progress": list(describe_work(status)),
        "pauses": [{"cluster": cluster, **asdict(pause)} for cluster, pause in status.pauses],
        "unreadable": list(status.unreadable),
        "pending": _pending(session) if any(run.ended_early for run in status.runs) else None,
        "journal": _journal(session, found),
        "calls": session.calls,
        "logins": session.own_logins,
    }


def _pending(session: Session) -> list[str] | None:
    """Names of the hosts that require a reboot for a PCI device; None if that is unknown. Which hosts a run was to reboot is not in its
    journal. A server has hundreds of PCI functions, so they are read only after a run that ended early."""
    try:
        hosts = read_hosts(session).hosts
    except DirectPathError:
        return None
    return sorted(host.name for host in hosts if host.pending)


def _run(run: RunLine) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "purpose": run.purpose,
        "owner": run.owner,
        "alive": run.alive,
        "interrupted": run.interrupted,
        "ended_early": run.ended_early,
        "since": run.since,
        "last_heartbeat": run.heartbeat,
        "lock_free_at": run.free_at,
        "clusters": list(run.clusters),
        "hosts": [asdict(host) for host in run.hosts],
        "vms": [asdict(vm) for vm in run.vms],
        "next": [asdict(advice) for advice in advise(run)],
    }


def _journal(session: Session, found: StatusRead) -> dict[str, Any]:
    """Which journals were read. A file is visible only on the machine that has it."""
    return {"vcenter": session.is_vcenter, "file": str(found.file), "file_exists": found.file_exists}
