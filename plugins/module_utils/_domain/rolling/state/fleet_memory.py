# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run has seen and the server may no longer show: hosts in progress, VMs shut down for them. PRIVATE to the collection.

The journal is stored on the objects themselves. When a host is removed from vCenter, its journal entry and its VMs go with it. So the run
keeps what it saw, and passes it from slice to slice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from .journal import Entry, is_active
from .observed import GoneHost, HostView, ObservedFleet, VmView

MOST_LOOKS = 30
"""A host that exists, but is not shown among the hosts of this run (it was moved), is looked for this often."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RememberedHost:
    """A host in progress with its entry and the name of its cluster, as seen last."""

    view: HostView
    entry: Entry
    cluster: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StoppedVm:
    """A VM with an entry. ``host``: id of the host for which it was shut down."""

    name: str
    host: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FleetMemory:
    """All keys are ids. ``silent``: host → since when it does not respond. ``looks``: host in progress that is not shown → how often it was
    found to exist. ``removed``: hosts in progress that count as removed from the vCenter. ``ran``: VM → the host in progress on which it
    was seen running."""

    in_progress: Mapping[str, RememberedHost] = field(default_factory=dict)
    stopped: Mapping[str, StoppedVm] = field(default_factory=dict)
    silent: Mapping[str, float] = field(default_factory=dict)
    looks: Mapping[str, int] = field(default_factory=dict)
    removed: frozenset[str] = frozenset()
    ran: Mapping[str, str] = field(default_factory=dict)

    def after_look(self, observed: ObservedFleet, now: float) -> FleetMemory:
        """With what the server shows now."""
        shown = {view.moid for view in observed.hosts}
        names = {cluster.moid: cluster.name for cluster in observed.clusters}
        active = {
            view.moid: RememberedHost(view=view, entry=view.entry, cluster=names.get(view.host.compute_moid, ""))
            for view in observed.hosts
            if view.entry is not None and is_active(view.entry)
        }
        silent = [view.moid for view in observed.hosts if view.host.connection_state == "notResponding"]
        marked = {vm.moid: StoppedVm(name=vm.name, host=vm.entry.host) for vm in observed.vms if vm.entry is not None}
        running = {vm.moid for vm in observed.vms if vm.is_on} if self.stopped else set()
        return replace(
            self,
            in_progress={moid: host for moid, host in self.in_progress.items() if moid not in shown} | active,
            stopped={moid: vm for moid, vm in self.stopped.items() if moid not in running} | marked,
            silent={moid: since for moid, since in self.silent.items() if moid not in shown}
            | {moid: self.silent.get(moid, now) for moid in silent},
            removed=self.removed - shown,
        )

    def after_stop(self, vm: str, name: str, host: str) -> FleetMemory:
        """A VM was shut down for a host. The server may never show its entry: the host may be removed before the next look."""
        return replace(self, stopped={**self.stopped, vm: StoppedVm(name=name, host=host)})

    def missing(self, shown: Iterable[HostView]) -> frozenset[str]:
        """Hosts in progress that are not shown, and of which it is not known yet whether they still exist."""
        return frozenset(self.in_progress.keys() - {view.moid for view in shown} - self.removed)

    def after_search(self, found: Mapping[str, bool]) -> FleetMemory:
        """``found``: missing host → whether it exists. Those that do not, or that were looked for too often, count as removed."""
        looks = {**self.looks, **{moid: self.looks.get(moid, 0) + 1 for moid in found}}
        removed = {moid for moid, exists in found.items() if not exists or looks[moid] > MOST_LOOKS}
        return replace(self, looks=looks, removed=self.removed | removed)

    def without_any_host(self) -> FleetMemory:
        """The server shows no host any more."""
        return replace(self, removed=frozenset(self.in_progress))

    def gone(self, vms: Collection[VmView]) -> tuple[GoneHost, ...]:
        """The hosts that were removed while they were in progress, with the VMs that were shut down for them. ``vms``: as shown now."""
        if not self.removed:
            return ()
        shown = {vm.moid: vm for vm in vms}
        found = []
        for moid in sorted(self.removed):
            host = self.in_progress[moid]
            own = {vm: stopped.name for vm, stopped in self.stopped.items() if stopped.host == moid}
            found.append(
                GoneHost(
                    view=host.view,
                    entry=host.entry,
                    cluster=host.cluster,
                    off=tuple(sorted(name for vm, name in own.items() if vm in shown and not shown[vm].is_on)),
                    lost=tuple(sorted(name for vm, name in own.items() if vm not in shown)),
                )
            )
        return tuple(found)

    def lost_vms(self, vms: Collection[VmView]) -> dict[str, str]:
        """VM id → name: shut down for a host that is still there, and no longer shown."""
        shown = {vm.moid for vm in vms}
        return {moid: vm.name for moid, vm in self.stopped.items() if moid not in shown and vm.host not in self.removed}
