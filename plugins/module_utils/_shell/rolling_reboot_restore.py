# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module rolling_reboot_restore, from its parameters to its result. PRIVATE to the collection.

It drives the engine of the rolling reboot with a policy that starts no host and requests no reboot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .._domain.errors import DirectPathError
from .._domain.host.targets import Resolved
from .._domain.names import KINDS
from .._domain.rolling.restore import RestorePlan, plan_restore
from .._domain.rolling.state.policy import Policy
from .._domain.rolling.status import Status, build_status
from .._vsphere.read.hosts import read_host_names
from .._vsphere.rolling.status import read_status
from .._vsphere.session.connect import Session
from .host_rolling_reboot import reboot_hosts
from .rolling.arguments import ARGUMENTS as OF_ROLLING
from .rolling.options import RollingRequest
from .rolling.run_owner import is_gone

_TAKEN_OVER = (
    "reboot_timeout",
    "verify_timeout",
    "leave_timeout",
    "restore_timeout",
    "wait_for_tools",
    "lock_ttl",
    "journal",
    "journal_dir",
    "slice",
    "run_id",
    "continue_run",
    "resolved",
    "stopped_vms",
    "progress",
    "progress_file",
)
"""Options that mean the same as in host_rolling_reboot."""
ARGUMENTS: dict[str, Any] = {
    "hosts": {"type": "list", "elements": "str", "default": []},
    "take_lock": {"type": "str", "default": ""},
    **{name: OF_ROLLING[name] for name in _TAKEN_OVER},
}


@dataclass(frozen=True, kw_only=True)
class RestoreRequest:
    """The parsed parameters. ``hosts``: names; empty: all hosts in the journal. ``take_lock``: an owner; empty: none."""

    hosts: tuple[str, ...]
    take_lock: str
    rolling: RollingRequest

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> RestoreRequest:
        """Raises InputError for invalid parameters."""
        defaults = {name: spec.get("default") for name, spec in OF_ROLLING.items()}
        rolling = RollingRequest.of({**defaults, **params, "take_lock": "stale"})
        policy: Policy = replace(
            rolling.policy,
            only_restore=True,
            failed_hosts="verify",
            lock=replace(rolling.policy.lock, owner=params["take_lock"]),
        )
        return cls(
            hosts=tuple(params["hosts"]),
            take_lock=params["take_lock"],
            rolling=replace(rolling, policy=policy),
        )


def restore(session: Session, request: RestoreRequest, check_mode: bool) -> dict[str, Any]:
    """The result of the module. Raises DirectPathError when the restore cannot begin; later problems are part of the result."""
    chosen = _resolve(session, request)
    plan = _plan(session, request, chosen)
    if plan.blockers:
        first = plan.blockers[0]
        message = " ".join(blocker.message.rstrip(".") + "." for blocker in plan.blockers)
        raise DirectPathError(message=message.rstrip("."), code=first.code, cure=first.cure)
    if check_mode or plan.is_empty:
        return {
            **_result(plan, RestorePlan()),
            "state": "planned" if not plan.is_empty else "finished",
            "ended": True,
            "calls": session.calls,
            "logins": session.own_logins,
        }
    resolved = Resolved(hosts={moid: [0] for moid in plan.moids}, names={kind: {} for kind in KINDS})
    found = reboot_hosts(session, replace(request.rolling, resolved=resolved), check_mode=False)
    left = _plan(session, request, chosen)
    return {**found, **_result(plan, left), **_explain_left(left, found), "calls": session.calls}


def _resolve(session: Session, request: RestoreRequest) -> tuple[str, ...]:
    """Ids of the requested hosts. Raises InputError for an unknown name."""
    if not request.hosts:
        return ()
    inventory = read_host_names(session)
    return tuple(inventory.host_names.find(name, "hosts").moid for name in request.hosts)


def _plan(session: Session, request: RestoreRequest, chosen: Sequence[str]) -> RestorePlan:
    status: Status = build_status(read_status(session, request.rolling.journal_dir).seen, is_gone)
    return plan_restore(status, chosen, me=request.rolling.run_id or "", take_lock=request.take_lock)


def _result(plan: RestorePlan, left: RestorePlan) -> dict[str, Any]:
    """What changed: what was planned and is not left."""
    kept = {host.moid for host in left.hosts} | {vm.moid for vm in left.vms}
    rows: list[tuple[str, str, str, str, str]] = [
        (host.name, "return_to_service", "host", host.step, "in service")
        for host in plan.hosts
        if host.moid not in kept
    ]
    rows += [(vm.host, "power_on", vm.name, vm.power, "on") for vm in plan.vms if vm.moid not in kept]
    keys = ("target", "kind", "subject", "before", "after")
    return {
        "changed": bool(rows),
        "changes": [dict(zip(keys, row, strict=True)) for row in rows],
        "diff": {
            "before": "".join(f"{row[0]}  {row[2]}: {row[3]}\n" for row in rows),
            "after": "".join(f"{row[0]}  {row[2]}: {row[4]}\n" for row in rows),
        },
        "vms_started": [vm.name for vm in plan.vms if vm.moid not in kept],
        "vms_off": [vm.name for vm in left.vms],
        "hosts_returned": [host.name for host in plan.hosts if host.moid not in kept],
        "hosts_left": [host.name for host in left.hosts],
    }


def _explain_left(left: RestorePlan, found: Mapping[str, Any]) -> dict[str, Any]:
    """A failure, if the run has ended and something is still off or out of service. It comes first in the message."""
    if not found["ended"] or left.is_empty:
        return {}
    off = f"Still off: {', '.join(vm.name for vm in left.vms)}. " if left.vms else ""
    out = f"Not in service: {', '.join(host.name for host in left.hosts)}. " if left.hosts else ""
    why = str(found.get("msg") or "; ".join(found["reasons"])).strip()
    code = found.get("error_code")
    error = DirectPathError(message=f"{off}{out}{why}", code=code if code else "not_restored")
    return {"failed": True, "error_code": error.code, "msg": error.sentence()}
