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
from .._domain.left_behind import RESTORE, with_ending, without_ending
from .._domain.rolling.advice import Advice
from .._domain.rolling.restore import RestorePlan, plan_restore
from .._domain.rolling.state.policy import Policy
from .._domain.rolling.status import HostLine, Seen, VmLine
from .._vsphere.read.hosts import read_host_names
from .._vsphere.rolling.status import read_status
from .._vsphere.session.connect import Session
from .._vsphere.write.power_on import running_vms
from .host_rolling_reboot import reboot_hosts
from .outlets.arguments import EVENTS_IN_VCENTER, OF_RUNS
from .rolling.arguments import ARGUMENTS as OF_ROLLING
from .rolling.options import RollingRequest
from .rolling.result import changes_of
from .rolling.run_owner import is_gone

_TAKEN_OVER = (
    "bmc",
    "bmc_defaults",
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
    "earlier_slices",
    "stop_reason",
    "shared_dir",
    "progress",
    "progress_file",
    *OF_RUNS,
    *EVENTS_IN_VCENTER,
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
        rolling = RollingRequest.of(
            {**defaults, **params, "hosts": params["hosts"] or None, "take_lock": "stale"}, everywhere=True
        )
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
    plan = _plan(session, request, chosen)[1]
    if plan.refusals:
        first = plan.refusals[0]
        message = " ".join(f"{refusal.message}." for refusal in plan.refusals).rstrip(".")
        raise DirectPathError(message=message, code=first.code, cure=first.cure)
    # A later slice runs also where nothing is left to do: the lock of this run must be released.
    if check_mode or (plan.is_empty and not request.rolling.continue_run):
        ended = {"ended": True, "reasons": [], "state": "finished" if plan.is_empty else "planned"}
        return {
            **_result(plan, Left()),
            **ended,
            **_explain_left(Left(unknown=plan.unknown), ended),
            "calls": session.calls,
            "logins": session.own_logins,
        }
    earlier = request.rolling.resolved
    resolved = earlier if earlier.hosts else Resolved(hosts={moid: [0] for moid in plan.moids}, names={})
    stopped = {*request.rolling.stopped_vms, *(vm.moid for vm in plan.vms)}
    found = reboot_hosts(
        session, replace(request.rolling, resolved=resolved, stopped_vms=tuple(sorted(stopped))), check_mode=False
    )
    left = _read_left(session, request, chosen, plan)
    return {**found, **_result(plan, left), **_explain_left(left, found), "calls": session.calls}


def _resolve(session: Session, request: RestoreRequest) -> tuple[str, ...]:
    """Ids of the requested hosts. Raises InputError for an unknown name."""
    if not request.hosts:
        return ()
    inventory = read_host_names(session)
    return tuple(inventory.host_names.find(name, "hosts").moid for name in request.hosts)


def _plan(session: Session, request: RestoreRequest, chosen: Sequence[str]) -> tuple[Seen, RestorePlan]:
    read = read_status(session, request.rolling.journal_dir)
    plan = plan_restore(read.status(is_gone), chosen, me=request.rolling.run_id or "", taken=request.take_lock)
    return read.seen, plan


@dataclass(frozen=True, kw_only=True)
class Left:
    """What a restore did not do: hosts and VMs of its plan, and what is unknown."""

    hosts: tuple[HostLine, ...] = ()
    vms: tuple[VmLine, ...] = ()
    out: tuple[str, ...] = ()
    """Names of the hosts that are not in service. A host may have failed although it is."""
    unknown: tuple[str, ...] = ()
    advice: tuple[Advice, ...] = ()
    """What a person does next, as ``status`` shows it."""


def _read_left(session: Session, request: RestoreRequest, chosen: Sequence[str], plan: RestorePlan) -> Left:
    """From the present state, not from the journal alone: the entries of a removed host or VM are gone, too."""
    seen, after = _plan(session, request, chosen)
    running = running_vms(session, [vm.moid for vm in plan.vms])
    in_service = {host.moid for host in seen.hosts if host.connection == "connected" and not host.in_maintenance}
    undone = {host.moid for host in after.hosts}
    return Left(
        hosts=tuple(host for host in plan.hosts if host.moid in undone or host.moid not in in_service),
        vms=tuple(vm for vm in plan.vms if vm.moid not in running),
        out=tuple(host.name for host in plan.hosts if host.moid not in in_service),
        unknown=after.unknown,
        advice=after.advice,
    )


def _result(plan: RestorePlan, left: Left) -> dict[str, Any]:
    """What changed: what was planned and is not left."""
    hosts = [host for host in plan.hosts if host not in left.hosts]
    vms = [vm for vm in plan.vms if vm not in left.vms]
    rows: list[tuple[str, str, str, str, str]] = [
        *((host.name, "return_to_service", "host", host.step, "in service") for host in hosts),
        *((vm.host, "power_on", vm.name, vm.power, "on") for vm in vms),
    ]
    return {
        "changed": bool(rows),
        **changes_of(rows),
        "vms_started": [vm.name for vm in vms],
        "vms_off": [vm.name for vm in left.vms],
        "hosts_returned": [host.name for host in hosts],
        "hosts_left": [host.name for host in left.hosts],
    }


def _explain_left(left: Left, found: Mapping[str, Any]) -> dict[str, Any]:
    """A failure, if the run has ended and something is still off, out of service or unknown. The message ends with what it is."""
    if not found["ended"] or not (left.hosts or left.vms or left.unknown):
        return {}
    parts = [f"{sentence.rstrip('.')}." for sentence in left.unknown]
    why = without_ending(str(found.get("msg") or "; ".join(found["reasons"]))).strip()
    parts += [f"{why.rstrip('.')}."] if why else []
    text = " ".join(parts) or "Not everything was restored."
    then = left.advice[0].sentence() if left.advice else f"resolve this, then: {RESTORE}"
    text = with_ending(text, [vm.name for vm in left.vms], left.out, then)
    code = found.get("error_code")
    error = DirectPathError(message=text, code=code if code else "not_restored")
    return {"failed": True, "error_code": error.code, "msg": error.message}
