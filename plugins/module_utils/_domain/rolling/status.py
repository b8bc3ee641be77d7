# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of all rolling reboots and maintenances of one vCenter or ESXi host, from the journal alone. PRIVATE to the collection.

It needs no desired state and no policy: a person who did not start the run can read it. Times are seconds since the epoch by the clock of
the server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from ..gate_record import GATE_FAILED
from .state.journal import ENDED, Entry, Garbage, Lock, Purpose, Step, VmEntry, is_active
from .state.pause import Pause, decode_pause

Alive = Literal["yes", "no", "unknown"]
Power = Literal["on", "off", "unknown"]
Verdict = Literal["idle", "in_progress", "attention"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenHost:
    """A host, and what the journal says of it. ``cluster`` is the id of its compute resource."""

    moid: str
    name: str
    cluster: str
    connection: str
    in_maintenance: bool
    entries: tuple[Entry, ...] = ()
    """Of a rolling reboot, and of host_maintenance."""
    garbage: tuple[Garbage, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenVm:
    """A VM with a journal entry; twice if it has two. ``removed``: it is not in the inventory any more, or the account cannot see it."""

    moid: str
    name: str
    power: Power
    entry: VmEntry | Garbage
    on_host: str = ""
    """Id of the host on which it is registered; empty if that is unknown."""
    removed: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenCluster:
    """A cluster (or the compute resource of a standalone host) with a lock or a pause."""

    moid: str
    name: str
    lock: Lock | Garbage | None = None
    pause: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What was read. ``pause``: the pause of the whole vCenter. ``now``: the time of the server."""

    now: float
    hosts: tuple[SeenHost, ...] = ()
    vms: tuple[SeenVm, ...] = ()
    clusters: tuple[SeenCluster, ...] = ()
    pause: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class HostLine:
    """One host of a run. ``doing``: a clause, what is in progress; ``next``: a clause, what comes next."""

    moid: str
    name: str
    cluster: str
    step: Step
    since: float
    doing: str
    next: str
    connection: str
    in_maintenance: bool
    reason: str = ""
    code: str = ""
    """The error code of a host that failed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VmLine:
    """A VM that a run stopped, or is stopping. ``forced``: powered off, because the guest did not shut down."""

    moid: str
    name: str
    host: str
    host_moid: str
    """The host that it was stopped for. If this host no longer exists: the one on which it is registered."""
    since: float
    power: Power
    forced: bool
    removed: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class RunLine:
    """One rolling reboot, or the maintenance of one host (host_maintenance). ``alive``: whether a process works on it; of a maintenance
    this is unknown, because it has no lock. ``owner``: of a maintenance, the account. ``vms``: in the order in which they will be
    started."""

    run_id: str
    purpose: Purpose
    owner: str
    since: float
    heartbeat: float | None
    free_at: float | None
    """When another run may take its lock; None without a lock."""
    alive: Alive
    clusters: tuple[str, ...]
    hosts: tuple[HostLine, ...]
    vms: tuple[VmLine, ...]
    locked: tuple[str, ...] = ()
    """Names of the clusters on which it has a lock, and not only to clear its journal. A run that ends releases its locks."""
    finishing: bool = False
    """Everything is done, and only the journal remains to be removed."""

    @property
    def off(self) -> tuple[VmLine, ...]:
        """The VMs that are not running, or may not be."""
        return tuple(vm for vm in self.vms if vm.power != "on")

    @property
    def unfinished(self) -> tuple[HostLine, ...]:
        """The hosts that are not back in service because of it. A host whose health gate is checked is in service."""
        return tuple(host for host in self.hosts if host.step not in (*ENDED, "checking"))

    @property
    def interrupted(self) -> bool:
        """A host is out of service or a VM is off because of it, and it is not certain that a process works on it. A lock alone takes
        nothing from anybody."""
        kept = self.purpose == "maintenance"  # its VMs are off until the work on the hardware is done
        return self.alive != "yes" and (bool(self.unfinished) or (bool(self.off) and not kept))

    @property
    def ended_early(self) -> bool:
        """It took nothing that is not given back, but did not reach its end: a run that does clears its journal."""
        ended = self.purpose == "reboot" and self.alive != "yes" and not self.finishing
        return ended and not self.interrupted and not self.failed

    @property
    def failed(self) -> tuple[HostLine, ...]:
        """The hosts that need an administrator."""
        return tuple(host for host in self.hosts if host.step == "failed")


@dataclass(frozen=True, kw_only=True, slots=True)
class Status:
    """All rolling reboots of one server. ``unreadable``: sentences about journal values that cannot be read."""

    now: float
    runs: tuple[RunLine, ...] = ()
    pauses: tuple[tuple[str, Pause], ...] = ()
    """(cluster, pause); an empty name: the whole vCenter."""
    unreadable: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """``attention``: a VM is off, a run was interrupted, a host failed, or the journal cannot be read: a person has to act now. A run
        that only ended early is no reason: whatever it took has been given back."""
        if self.unreadable or any(run.off or run.interrupted or run.failed for run in self.runs):
            return "attention"
        at_work = any(run.alive == "yes" or run.purpose == "maintenance" for run in self.runs)
        return "in_progress" if at_work else "idle"


_DOING: Mapping[Step, tuple[str, str]] = {
    "draining": ("it is being evacuated and enters maintenance mode", "its reboot"),
    "rebooting": ("its reboot was requested", "its verification"),
    "powering": ("its power-on was requested", "its verification"),
    "verifying": ("it is verified after its reboot", "it leaves maintenance mode"),
    "leaving": ("it leaves maintenance mode", "its virtual machines are powered on"),
    "restoring": ("its virtual machines are powered on", "it is done"),
    "checking": ("it is in service, and its health gate is checked (soak, ready_when)", "another host may be started"),
    "backing_out": ("it was given up before its reboot, and returns to service", "its virtual machines are powered on"),
    "maintenance": (
        "it is kept in maintenance mode for work on its hardware",
        "it returns to service with state: absent",
    ),
    "done": ("it is done", ""),
    "blocked": ("it was given up, and is back in service", ""),
    "withdrawn": ("another user took over its maintenance mode", ""),
    "failed": ("it failed", ""),
}
"""Step → what is in progress, and what comes next. The same order as in ``steps.next_step``."""


_IS: Mapping[Step, str] = {
    "draining": "is being evacuated",
    "maintenance": "is kept in maintenance mode for work on its hardware",
    "rebooting": "is rebooting",
    "powering": "is being powered on",
    "verifying": "is being verified after its reboot",
    "leaving": "is leaving maintenance mode after its reboot",
    "restoring": "is in service again, and its VMs are being powered on",
    "backing_out": "is returning to service without a reboot",
    "failed": "failed",
}
"""Step → what a host with this step is doing, as a predicate. Hosts with another step are done."""


def short_owner(run: RunLine) -> str:
    """``alice@bastion-7``: the owner without what identifies its process."""
    return run.owner.partition(":")[0] or "an owner that is unknown"


def moment(at: float) -> str:
    """``since 2026-11-29 03:12 UTC``, by the clock of the server. Marks of an earlier release have no time."""
    return f"since {datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC" if at > 0 else "since an unknown time"


def describe_host(host: HostLine, run: RunLine) -> str:
    """``is rebooting (by alice@bastion-7, since 2026-11-29 03:12 UTC)``; empty for a host that is done."""
    doing = _IS.get(host.step, "")
    stopped = ", interrupted" if run.interrupted else ""
    return f"{doing} (by {short_owner(run)}, {moment(host.since)}{stopped})" if doing else ""


def describe_lock(lock: Lock) -> str:
    """``host_maintenance works on the host (by alice@bastion-7, since 2026-11-29 03:12 UTC)``."""
    what = (
        "host_maintenance works on the host"
        if lock.purpose == "maintenance"
        else "A rolling reboot has the lock of the cluster"
    )
    return f"{what} (by {lock.owner.partition(':')[0]}, {moment(lock.since)})"


def describe_other_work(status: Status, host: str) -> str:
    """``The host is rebooting (by alice@bastion-7, since 2026-11-29 03:12 UTC)``: what is in progress on a host (id). Empty if there is
    nothing, or no process works on it."""
    found = (
        f"The host {text}"
        for run in status.runs
        if run.alive != "no"
        for line in run.hosts
        if line.moid == host and (text := describe_host(line, run))
    )
    return next(found, "")


def describe_vm(vm: VmLine, run: RunLine) -> str:
    """``is off: shut down for esx-01 by a rolling reboot (alice@bastion-7), since 2026-11-29 03:12 UTC``."""
    how = "powered off" if vm.forced else "shut down"
    what = "a rolling reboot" if run.purpose == "reboot" else "maintenance"
    state = "is off" if vm.power == "off" else "may be off"
    return f"{state}: {how} for {vm.host} by {what} ({short_owner(run)}), {moment(vm.since)}"


def build_status(seen: Seen, is_gone: Callable[[str], bool]) -> Status:
    """``is_gone``: whether it is certain that the process with this owner token has ended."""
    locks = [(cluster, cluster.lock) for cluster in seen.clusters if isinstance(cluster.lock, Lock)]
    entries = [(host, entry) for host in seen.hosts for entry in host.entries]
    machines = [(vm, vm.entry) for vm in seen.vms if isinstance(vm.entry, VmEntry)]
    ids: dict[tuple[Purpose, str], None] = dict.fromkeys(
        [("reboot", lock.run_id) for _unused, lock in locks]
        + [(entry.purpose, entry.run_id) for _unused, entry in entries]
        + [(entry.purpose, entry.run_id) for _unused, entry in machines]
    )
    names = {cluster.moid: cluster.name for cluster in seen.clusters}
    runs = [
        _run(
            purpose,
            run_id,
            [(cluster, lock) for cluster, lock in locks if (purpose, run_id) == ("reboot", lock.run_id)],
            [(host, entry) for host, entry in entries if (entry.purpose, entry.run_id) == (purpose, run_id)],
            [(vm, entry) for vm, entry in machines if (entry.purpose, entry.run_id) == (purpose, run_id)],
            seen,
            names,
            is_gone,
        )
        for purpose, run_id in ids
    ]
    return Status(
        now=seen.now,
        runs=tuple(sorted(runs, key=lambda run: (run.since, run.run_id))),
        pauses=tuple(_pauses(seen)),
        unreadable=tuple(_unreadable(seen)),
    )


def _run(
    purpose: Purpose,
    run_id: str,
    locks: Sequence[tuple[SeenCluster, Lock]],
    entries: Sequence[tuple[SeenHost, Entry]],
    machines: Sequence[tuple[SeenVm, VmEntry]],
    seen: Seen,
    names: Mapping[str, str],
    is_gone: Callable[[str], bool],
) -> RunLine:
    hosts = {host.moid: host.name for host in seen.hosts}
    begun = [lock.since for _unused, lock in locks] + [entry.started for _unused, entry in entries]
    begun += [entry.at for _unused, entry in machines]
    clusters = {cluster.name for cluster, _unused in locks} | {
        names.get(host.cluster, host.cluster) for host, _unused in entries
    }
    newest = max((lock for _unused, lock in locks), key=lambda lock: lock.beat, default=None)
    # A lower rank is stopped earlier and started later.
    in_order = sorted(machines, key=lambda pair: (-pair[1].rank, pair[0].name, pair[0].moid))
    accounts = ", ".join(sorted({entry.account for _unused, entry in entries if entry.account}))
    return RunLine(
        run_id=run_id,
        purpose=purpose,
        owner=newest.owner if newest is not None else accounts,
        since=min(begun),
        heartbeat=newest.beat if newest is not None else None,
        free_at=newest.beat + newest.ttl if newest is not None else None,
        locked=tuple(sorted({cluster.name for cluster, lock in locks if not lock.finishing})),
        finishing=bool(locks) and all(lock.finishing for _unused, lock in locks),
        alive=_alive([lock for _unused, lock in locks], seen, is_gone) if purpose == "reboot" else "unknown",
        clusters=tuple(sorted(clusters)),
        hosts=tuple(
            _host(host, entry, names.get(host.cluster, host.cluster))
            for host, entry in sorted(entries, key=lambda pair: (not is_active(pair[1]), pair[0].name, pair[0].moid))
        ),
        vms=tuple(
            VmLine(
                moid=vm.moid,
                name=vm.name,
                host=hosts.get(entry.host, entry.host),
                host_moid=entry.host if entry.host in hosts else vm.on_host,
                since=entry.at,
                power=vm.power,
                forced=entry.forced,
                removed=vm.removed,
            )
            for vm, entry in in_order
        ),
    )


def _alive(locks: Sequence[Lock], seen: Seen, is_gone: Callable[[str], bool]) -> Alive:
    """A lock that cannot be read may be the lock of a run that works."""
    if any(not lock.is_stale(seen.now) and not is_gone(lock.owner) for lock in locks):
        return "yes"
    return "unknown" if any(isinstance(cluster.lock, Garbage) for cluster in seen.clusters) else "no"


def _host(host: SeenHost, entry: Entry, cluster: str) -> HostLine:
    doing, then = _DOING[entry.step]
    if entry.step == "failed":
        doing = _failed(entry, connected=host.connection == "connected", in_maintenance=host.in_maintenance)
    return HostLine(
        moid=host.moid,
        name=host.name,
        cluster=cluster,
        step=entry.step,
        since=entry.at,
        doing=doing,
        next=then,
        connection=host.connection,
        in_maintenance=host.in_maintenance,
        reason=entry.text,
        code=entry.code,
    )


def _failed(entry: Entry, *, connected: bool, in_maintenance: bool) -> str:
    if not connected:
        return "it failed, and is not connected"
    if in_maintenance:
        return "it failed, and stays in maintenance mode"
    return "its health gate failed; it is in service" if entry.code == GATE_FAILED else "it failed, and is in service"


def _pauses(seen: Seen) -> Iterable[tuple[str, Pause]]:
    for name, text in (("", seen.pause), *((cluster.name, cluster.pause) for cluster in seen.clusters)):
        pause = decode_pause(text)
        if pause is not None:
            yield name, pause


def _unreadable(seen: Seen) -> Iterable[str]:
    found = [(cluster.name, cluster.lock) for cluster in seen.clusters if isinstance(cluster.lock, Garbage)]
    found += [(host.name, value) for host in seen.hosts for value in host.garbage]
    found += [(vm.name, vm.entry) for vm in seen.vms if isinstance(vm.entry, Garbage)]
    for name, value in found:
        yield f"The journal value {value.attribute} on {name} was changed or truncated: {value.text[:60]!r}"
