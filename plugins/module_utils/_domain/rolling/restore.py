# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restore does: start the VMs that a rolling reboot stopped, and return its hosts to service. PRIVATE to the collection.

It starts no further host, and requests no reboot. Hosts that are kept in maintenance mode for work on their hardware stay in it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from ..errors import DirectPathError
from ..text import duration
from .advice import Advice, advise, next_command, take_lock
from .state.journal import Step
from .status import HostLine, RunLine, Status, VmLine

WHAT_IT_DOES: Mapping[Step, str] = {
    "draining": "leaves maintenance mode, without a reboot; then its VMs are powered on",
    "rebooting": "is awaited and verified, leaves maintenance mode; then its VMs are powered on. If the reboot never began, as draining",
    "powering": "is awaited and verified, leaves maintenance mode; then its VMs are powered on",
    "verifying": "is verified, leaves maintenance mode; then its VMs are powered on",
    "leaving": "leaves maintenance mode; then its VMs are powered on",
    "maintenance": "stays in maintenance mode. Only host_maintenance writes this phase",
    "restoring": "its VMs are powered on",
    "checking": "is in service already, with its VMs running. The run that is resumed checks its health gate",
    "backing_out": "leaves maintenance mode; then its VMs are powered on",
    "failed": "is skipped if it is in service. Otherwise it is verified again. If it passes, it leaves maintenance mode, and its VMs are "
    "powered on; otherwise it stays as it is",
    "withdrawn": "stays in the maintenance mode of the other user. Its VMs are powered on when it is in service",
    "blocked": "is in service already; its VMs are powered on",
    "done": "is in service already; its VMs are powered on",
}
"""Phase → what a restore does with the host, as a clause."""

_NOT_BACK: frozenset[Step] = frozenset(WHAT_IT_DOES) - {"maintenance", "withdrawn", "blocked", "checking", "done"}
"""Steps after which the host is not back in service yet. A host that failed may be."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RestorePlan:
    """``hosts``: those that return to service. ``vms``: those that are powered on, in this order. ``moids``: all hosts concerned.

    ``unknown``: sentences about what a restore cannot do, because the journal or the VM cannot be read. It does the rest, and fails.
    """

    hosts: tuple[HostLine, ...] = ()
    vms: tuple[VmLine, ...] = ()
    moids: tuple[str, ...] = ()
    refusals: tuple[DirectPathError, ...] = ()
    """Why nothing is restored: runs that are alive."""
    advice: tuple[Advice, ...] = ()
    """What a person does next if all of this is still left afterwards."""
    unknown: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Nothing is to be done."""
        return not (self.hosts or self.vms)


def plan_restore(status: Status, hosts: Collection[str], *, me: str, taken: str) -> RestorePlan:
    """``hosts``: ids of the hosts to restore; empty: all. ``me``: owner token of this run. ``taken``: an owner whose run may be alive, and
    whose lock is taken."""
    chosen_hosts, chosen_vms, refusals, unknown = [], [], [], list(status.unreadable)
    advice: list[Advice] = []
    for run in (run for run in status.runs if run.purpose == "reboot"):
        back = [host for host in run.hosts if _is_to_return(host) and _is_chosen(host.moid, hosts)]
        off = [vm for vm in run.off if _is_chosen(vm.host_moid, hosts)]
        if (back or off) and run.alive != "no" and run.owner not in (me, taken):
            refusals.append(_is_alive(run, status.now, taken))
        if back or off:
            # It was not alive, or its lock is taken: no other process works on it.
            advice += advise(replace(run, alive="no"))
        unknown += [_describe_removed(vm) for vm in off if vm.removed]
        chosen_hosts += back
        chosen_vms += [vm for vm in off if not vm.removed]
    moids = dict.fromkeys([host.moid for host in chosen_hosts] + [vm.host_moid for vm in chosen_vms if vm.host_moid])
    return RestorePlan(
        hosts=tuple(chosen_hosts),
        vms=tuple(chosen_vms),
        moids=tuple(moids),
        refusals=tuple(refusals),
        advice=tuple(advice),
        unknown=tuple(unknown),
    )


def _is_chosen(moid: str, hosts: Collection[str]) -> bool:
    return not hosts or moid in hosts


def _is_to_return(host: HostLine) -> bool:
    """A host that failed and is in service again needs the next rolling reboot, which a restore cannot replace."""
    in_service = host.connection == "connected" and not host.in_maintenance
    return host.step in _NOT_BACK and not (host.step == "failed" and in_service)


def _is_alive(run: RunLine, now: float, given: str) -> DirectPathError:
    beat = f", last heartbeat {duration(now - run.heartbeat)} ago" if run.heartbeat is not None else ""
    wrong = f". {given} is not its owner" if given else ""
    first = next_command(run)
    return DirectPathError(
        code="locked",
        message=f"The rolling reboot of {run.owner or 'an unknown owner'} is in progress on {', '.join(run.clusters)}{beat}{wrong}",
        cure=f"{first}. {take_lock(run).sentence()}" if run.owner else first,
    )


def _describe_removed(vm: VmLine) -> str:
    return (
        f"The VM {vm.name}, which was shut down for {vm.host}, is not in the inventory any more, or this account cannot see it. Check its "
        "events in vCenter"
    )
