# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run has begun and not finished: hosts, VMs that are off, and how long it takes at most to finish them. PRIVATE to the collection.

For the person who stops the run: no further host is started, hosts whose reboot was not requested yet return to service without it, all
others are verified and return to service, and the VMs that were stopped for them are powered on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..plain import Record
from ..text import several
from ..timestamps import at_minute
from .state.journal import Entry, Lock, VmEntry, is_active
from .state.observed import ClusterView, HostView, ObservedFleet, VmView
from .state.phases import Phase, phase_of
from .state.policy import Deadlines
from .status import RunLine, Status

MOST_NAMES = 6
"""Maximum number of hosts that a notice names."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BegunHost:
    """A host in progress. ``due``: when its present wait ends at the latest, None if nothing is awaited; ``then``: seconds after that."""

    name: str
    cluster: str
    phase: Phase
    since: float
    due: float | None
    then: float

    def longest(self, now: float) -> float:
        """Seconds until it is in service, and its VMs run, at most."""
        return self.then + (0.0 if self.due is None else max(0.0, self.due - now))


@dataclass(frozen=True, kw_only=True, slots=True)
class VmOff:
    """A VM that is off because of the run, or is shutting down for it. ``since``: when the run stopped it."""

    name: str
    host: str
    since: float
    is_off: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class InProgress:
    """``vms``: in the order in which they are powered on."""

    hosts: tuple[BegunHost, ...] = ()
    vms: tuple[VmOff, ...] = ()

    def describe(self) -> str:
        """A sentence, for the first look after a request to stop."""
        vms = ", ".join(f"{vm.name} ({'off' if vm.is_off else 'shutting down'}, for {vm.host})" for vm in self.vms)
        hosts = ", ".join(f"{host.name} ({host.phase})" for host in self.hosts)
        return (
            f"seen after the request to stop: {f'VMs off because of this run: {vms}' if vms else 'no VM is off because of this run'}; "
            f"{f'hosts in progress: {hosts}' if hosts else 'no host is in progress'}"
        )

    def record(self, now: float) -> Record:
        """As data, for results. ``at_most``: seconds until everything is finished if no further host is started, by the timeouts."""
        return {
            "hosts": [
                {"name": host.name, "cluster": host.cluster, "phase": host.phase, "since": host.since}
                for host in self.hosts
            ],
            "vms_off": [
                {"name": vm.name, "host": vm.host, "since": vm.since, "state": "off" if vm.is_off else "shutting down"}
                for vm in self.vms
            ],
            "at_most": max((host.longest(now) for host in self.hosts), default=0.0),
        }


def describe_powered_on(status: Status) -> tuple[str, ...]:
    """Sentences about VMs that an interrupted run shut down, and that another user powered on: the run had not come to that."""
    return tuple(
        f"{vm.name}, shut down for {vm.host}, is on: it was powered on by hand or by another system, and is left as it is"
        for run in status.runs
        if run.purpose == "reboot"
        for vm in run.vms
        if vm.power == "on" and not vm.removed and vm.host_moid not in _evacuated(run)
    )


def _evacuated(run: RunLine) -> frozenset[str]:
    """Hosts whose VMs may be about to be shut down, or powered on by the run itself a moment ago."""
    return frozenset(host.moid for host in run.hosts if host.step in ("draining", "restoring", "backing_out"))


def describe_waits(begun: InProgress, observed: ObservedFleet) -> str:
    """If all VMs are on: a clause for which hosts the run still waits until when at most; empty if a VM is off, or may be, or if
    no host is waited for."""
    off = begun.vms or any(vm.entry is not None and not vm.is_on for vm in observed.vms)
    awaited = [host for host in begun.hosts if host.phase != "restoring"]
    if off or any(host.off or host.lost for host in observed.gone) or not awaited:
        return ""
    own = {c.name for c in observed.clusters if isinstance(c.lock, Lock) and c.lock.owner == observed.me}
    if any(host.cluster not in own for host in awaited):
        return ""  # the time for a phase begins when this run takes the lock
    due = max((host.due for host in awaited if host.due is not None), default=None)
    names = several([host.name for host in awaited], MOST_NAMES)
    end = "" if due is None else f", until {at_minute(due + observed.ahead)} at most"
    return f"this run still waits for {names}{end}"


def find_in_progress(
    me: str,
    run_id: str,
    hosts: tuple[HostView, ...],
    vms: tuple[VmView, ...],
    clusters: tuple[ClusterView, ...],
    limits: Deadlines,
) -> InProgress:
    """The hosts that the run has in progress, and the VMs that it stopped and that do not run again. ``me``: its owner token."""
    by_cluster = {cluster.moid: cluster for cluster in clusters}
    by_id = {view.moid: view for view in hosts}
    begun = [
        _host(view, view.entry, by_cluster.get(view.host.compute_moid), me, limits)
        for view in hosts
        if view.entry is not None and view.entry.run_id == run_id and is_active(view.entry)
    ]
    stopped = [
        (vm, vm.entry)
        for vm in vms
        if vm.entry is not None and vm.entry.run_id == run_id and (not vm.is_on or vm.entry.step == "stop")
    ]
    return InProgress(
        hosts=tuple(sorted(begun, key=lambda host: (host.cluster, host.name))),
        vms=tuple(
            VmOff(name=vm.name, host=_name(entry, by_id), since=entry.at, is_off=not vm.is_on)
            for vm, entry in sorted(stopped, key=lambda pair: (-pair[1].rank, pair[0].name, pair[0].moid))
        ),
    )


def _name(entry: VmEntry, hosts: Mapping[str, HostView]) -> str:
    return hosts[entry.host].name if entry.host in hosts else entry.host


def _host(view: HostView, entry: Entry, cluster: ClusterView | None, me: str, limits: Deadlines) -> BegunHost:
    lock = cluster.lock if cluster is not None else None
    taken = lock.since if isinstance(lock, Lock) and lock.owner == me else 0.0
    begun, first, then = _rest(entry, limits)
    return BegunHost(
        name=view.name,
        cluster=cluster.name if cluster is not None else "",
        phase=phase_of(view),
        since=entry.at,
        due=None if begun is None else max(begun, taken) + first,  # see FleetIndex.end_of
        then=then,
    )


def _rest(entry: Entry, limits: Deadlines) -> tuple[float | None, float, float]:
    """When the present wait began (None: the host is given back at once), how long it may last, and how long everything after it."""
    back = limits.leave + limits.restore
    match entry.step:
        case "rebooting" | "powering":
            return entry.at if entry.asked is None else entry.asked, limits.reboot, limits.verify + back
        case "verifying":
            return entry.at, limits.verify, back
        case "leaving":
            return entry.at, limits.leave, limits.restore
        case "restoring":
            return entry.at, limits.restore, 0.0
        case "backing_out":
            return entry.at, back, 0.0
        case _:
            return None, 0.0, back
