# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person does next about a rolling reboot, with the exact command. PRIVATE to the collection.

The one place that decides it: ``status``, ``restore``, ``reboot``, ``plan`` and ``drift`` print the same answer. Each answer changes the
state that it is about; a command that would change nothing is never one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from ..gate_record import GATE_FAILED
from ..left_behind import RESTORE, end_maintenance_command, take_lock_command
from ..text import name_ranges, several
from .state.journal import LOCK
from .status import HostLine, RunLine, Status, VmLine, describe_host, describe_vm, short_owner

CONTINUE = "run the same playbook again, from any control node"
"""How an incomplete rolling reboot is continued."""

MOST_NAMED = 8
"""Maximum number of names in one answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Advice:
    """``do``: a clause that begins with what a person does. ``command``: the shell command that follows it; empty if there is none, or if
    it is the command of the person. ``after``: it is not to be done before this time of the server."""

    do: str
    command: str = ""
    after: float | None = None

    def sentence(self) -> str:
        """In one line, and without a dot after the command, so that it can be copied."""
        return f"{self.do}: {self.command}" if self.command else self.do


def repair(away: Collection[str], others: Collection[str] = ()) -> str:
    """A clause: what to do with hosts that failed. ``away``: names of those that are not connected."""
    parts = [f"repair {_names(away)} (console or management controller)"] if away else []
    parts += [f"resolve why {_names(others)} failed"] if others else []
    return " and ".join(parts)


def repair_then_restore(away: Collection[str], others: Collection[str] = ()) -> Advice:
    """For hosts that failed: a restore verifies them again. Without such hosts: the restore alone."""
    first = repair(away, others)
    return Advice(
        do=f"{first}, then" if first else "return the hosts to service (this reboots no host)", command=RESTORE
    )


def advise(run: RunLine) -> tuple[Advice, ...]:
    """What to do now; then the alternatives, or what follows."""
    if run.purpose == "maintenance":
        return (_end_maintenance(run),)
    if run.alive == "yes":
        return tuple(_while_alive(run))
    return tuple(_interrupted(run) if run.interrupted or run.failed else _ended(run))


def _end_maintenance(run: RunLine) -> Advice:
    who = f"ask {short_owner(run)}" if run.owner else "ask who works on it"
    return Advice(
        do=f"{who} before anything else: the server may be open. The playbook hardware_maintenance with phase end ends the maintenance and "
        "powers on its VMs. For what host_maintenance began",
        command=end_maintenance_command([host.name for host in run.hosts]),
    )


def _while_alive(run: RunLine) -> Iterator[Advice]:
    """A restore is refused meanwhile: it would only cost time at night."""
    given_up = {host.moid for host in run.hosts if host.step in ("failed", "withdrawn")}
    coming = [vm for vm in run.off if vm.host_moid not in given_up]
    staying = [vm for vm in run.off if vm.host_moid in given_up]
    then = "; ".join(f"{host.name}: {host.next}" for host in run.hosts if host.next)
    out = [host for host in run.failed if not _in_service(host)]
    if coming:
        yield Advice(do=f"wait: this run powers on {_vms(coming)} itself" + (f" (coming: {then})" if then else ""))
        yield Advice(do="only if its heartbeat stops", command=RESTORE, after=run.free_at)
    elif not staying and not out:
        yield Advice(
            do=f"wait, or do something else: the run needs no help. Coming: {then or 'the next host, or the end'}"
        )
    if staying or out:
        what = f"powers on {_vms(staying)}" if staying else f"returns {_names([host.name for host in out])} to service"
        first = repair(*_by_connection(host for host in run.failed if host in out or _has_vm(host, staying)))
        action = f"{first}, wait until this run has ended, then" if first else "wait until this run has ended, then"
        yield Advice(do=f"{action} (it gave up the host, so only a restore {what})", command=RESTORE)


def _interrupted(run: RunLine) -> Iterator[Advice]:
    """Something is off or out of service, or a host failed, and no process is known to work on it."""
    if run.alive == "unknown":
        yield Advice(
            do=f"make sure that no process works on it, and clear the custom attribute {LOCK} that cannot be read (see the lines that "
            "begin with unknown), then",
            command=RESTORE,
        )
        return
    by_host = {host.moid: host for host in run.hosts}
    lost = [vm for vm in run.off if vm.removed]
    off = [vm for vm in run.off if not vm.removed]
    kept = [vm for vm in off if _step(by_host, vm) == "withdrawn" and by_host[vm.host_moid].in_maintenance]
    hurt = [host for host in run.failed if not _in_service(host) or _has_vm(host, off)]
    ready = [vm for vm in off if vm not in kept and _step(by_host, vm) != "failed"]
    if ready or run.unfinished:
        what = f"power on {_vms(ready)} and return" if ready else "return"
        yield Advice(do=f"{what} the hosts to service (this reboots no host)", command=RESTORE)
    if hurt:
        yield repair_then_restore(*_by_connection(hurt))
    if kept:
        hosts = _names(dict.fromkeys(vm.host for vm in kept))
        yield Advice(
            do=f"ask the user who keeps {hosts} in maintenance mode, where {_vms(kept)} cannot run, to end it, then",
            command=RESTORE,
        )
    if lost:
        yield Advice(
            do=f"check the events of {_vms(lost)} in vCenter: not in the inventory any more, or not visible for this account"
        )
    served = [host for host in run.failed if host not in hurt]
    if served:
        yield _resolve_in_service(served)
    elif ready or run.unfinished:
        yield Advice(do=f"to continue the rolling reboot instead: {CONTINUE}")


def _resolve_in_service(hosts: Collection[HostLine]) -> Advice:
    gates = all(host.code == GATE_FAILED for host in hosts)
    names = _names([host.name for host in hosts])
    checks = ": it checks the health gate again before it starts another host" if gates else ""
    verb = "is" if len(hosts) == 1 else "are"
    return Advice(
        do=f"resolve why {names} failed, then {CONTINUE}{checks}. {names} {verb} in service, and no VM is off because of it"
    )


def _ended(run: RunLine) -> Iterator[Advice]:
    """No VM is off and no host is out of service."""
    if run.ended_early:
        left = f". The lock that it left on {_names(run.locked)} stops nothing: that run takes it" if run.locked else ""
        yield Advice(do=f"to continue, {CONTINUE}{left}")
    else:
        yield Advice(do="nothing has to be done: the next rolling reboot removes this journal")


def _in_service(host: HostLine) -> bool:
    return host.connection == "connected" and not host.in_maintenance


def _has_vm(host: HostLine, vms: Collection[VmLine]) -> bool:
    return any(vm.host_moid == host.moid for vm in vms)


def _step(hosts: dict[str, HostLine], vm: VmLine) -> str:
    return hosts[vm.host_moid].step if vm.host_moid in hosts else ""


def _by_connection(hosts: Iterator[HostLine] | Collection[HostLine]) -> tuple[list[str], list[str]]:
    found = list(hosts)
    away = [host.name for host in found if host.connection != "connected"]
    return away, [host.name for host in found if host.connection == "connected"]


def _names(names: Collection[str]) -> str:
    return several(name_ranges(names), MOST_NAMED)


def _vms(vms: Collection[VmLine]) -> str:
    return several(list(dict.fromkeys(vm.name for vm in vms)), MOST_NAMED)


def take_lock(run: RunLine) -> Advice:
    """For a person who knows better than the heartbeat of a run."""
    return Advice(
        do="Only if you are sure that it has ended, or want to end it, take its lock",
        command=take_lock_command(run.owner),
    )


def next_command(run: RunLine) -> str:
    """A sentence: what brings back what a run has taken; for a live run, that it does so itself."""
    text = advise(run)[0].sentence()
    return f"{text[:1].upper()}{text[1:]}"


def describe_work(status: Status, *, commands: bool = True) -> tuple[str, ...]:
    """Sentences about all that is in progress or was interrupted, as ``status`` shows it: VMs that are off first, then hosts.
    ``commands``: also what to do next."""
    lines: list[str] = []
    for run in status.runs:
        off = [f"{vm.name} {describe_vm(vm, run)}" for vm in run.off]
        hosts = [f"{host.name} {text}" for host in run.hosts if (text := describe_host(host, run))]
        if off or hosts:
            lines += [*off, *hosts, *([next_command(run)] if commands else [])]
    return (*lines, *status.unreadable)
