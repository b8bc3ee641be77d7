# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server shows of the hosts of a rolling reboot, kept up to date through one property filter. PRIVATE to the collection.

Cheap properties come with the filter. Devices and the like are read again only for objects of which something that decides them changed,
all of them at once. Numbers that change all the time (load, admission control) are not watched but read now and then.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from ..._domain.names import ResolvedNames
from ..._domain.rolling.state.observed import ClusterView, HostView, Precheck, VmView
from ..property_collector.mixed_types import collect_named
from ..property_collector.retrieve import collect_objects
from ..property_collector.updates import Delta, Watch
from ..read.hosts import vm_labels
from ..sdk import vim
from ..session.connect import Session
from . import filter as roll_filter
from . import fresh, from_rows, precheck
from . import views as roll_views
from .filter import HOST_TRIGGERS, VM_TRIGGERS
from .fresh import Beside, HostFresh, VmFresh
from .tags import RollingTags, Tagged
from .views import Asked, Picture, Wanted, compute_of
from .vm_hardware import HARDWARE_PATHS, vm_hardware

__all__ = ["FleetInventory", "HostFresh", "VmFresh", "Wanted"]

_Views = TypeVar("_Views")

STALE_USE = 60.0
"""Seconds after which load and admission control are read again, when something else changed."""
LOOK_FOR_ABSENT = 300.0
"""Seconds after which wanted hosts that are not there are looked for again: they may be in a cluster that nothing watches."""
SHORTEST_BASE = 1.0
LONGEST_BASE = 10.0
"""Seconds on our clock between two times of the server from which its speed is told. Over longer ones a clock that was set looks like
one that runs faster."""
FAST = 1.5
"""Only simulators run faster than this; what is nearer to 1 is the time the answers took."""


class FleetInventory:
    """Hosts, VMs and clusters of a roll as the server shows them; empty until the first ``wait``.

    ``orders``: stop orders of VMs; ``never_stop``: VMs that are not stopped; ``labels``: id → what results call it, of hosts and clusters;
    ``tags``: says the same as the first two by tags, and is read again with every
    examination; ``allow_protected``: as host_passthrough has it;
    ``fields``: custom attribute key → name, may be set anew at any time. ``own_tasks`` holds ids of tasks the caller started: they
    are nobody else's work. ``stops_pinned``: VMs that cannot be moved are stopped.
    """

    def __init__(
        self,
        session: Session,
        wanted: Sequence[Wanted],
        *,
        orders: ResolvedNames[int] | None = None,
        never_stop: ResolvedNames[bool] | None = None,
        labels: Mapping[str, str] | None = None,
        tags: RollingTags | None = None,
        fields: Mapping[int, str] | None = None,
        allow_protected: tuple[str, ...] = (),
        stops_pinned: bool = False,
    ) -> None:
        self._session = session
        self._tags = tags
        self._asked = Asked(
            hosts={item.moid: item for item in wanted},
            orders=orders or ResolvedNames(),
            never_stop=never_stop or ResolvedNames(),
            tagged=tags.last if tags is not None else Tagged(),
        )
        self._allow_protected = allow_protected
        self._stops_pinned = stops_pinned
        self.fields: Mapping[int, str] = fields or {}
        self.own_tasks: set[str] = set()
        self._watch = Watch(session, self._describe)
        self._seen = Picture(rows=self._watch.rows, labels=dict(labels or {}))
        self._stale_hosts: set[str] = set()
        self._stale_vms: set[str] = set()
        self._refreshed: deque[str] = deque()
        """Hosts asked to look at their devices anew, by whichever thread."""
        self._described_at = session.clock()
        self._used_at: float | None = None
        self._views: dict[str, tuple[Any, Any]] = {}
        """What was worked out, with what it was worked out from beside what the server shows."""
        self._clocks: tuple[float, float] | None = None
        """Time of the server and ours when it was asked last. One value, as threads read it."""
        self.rate = 1.0
        """Seconds of the server's clock in one of ours, as far as it was measured: simulators may run faster."""

    # -- time -------------------------------------------------------------------------------------------------------

    def sync(self) -> float:
        """Ask the server for its time: one call."""
        told = float(self._session.instance.CurrentTime().timestamp())
        local = self._session.clock()
        if self._clocks is not None:
            apart = local - self._clocks[1]
            if apart >= SHORTEST_BASE and (apart <= LONGEST_BASE or self.rate > FAST):
                rate = (told - self._clocks[0]) / apart
                self.rate = rate if rate > FAST else 1.0
        self._clocks = (told, local)
        return told

    def now(self) -> float:
        """The server's clock, without a call after the first time."""
        if self._clocks is None:
            return self.sync()
        server, local = self._clocks
        return server + (self._session.clock() - local) * self.rate

    # -- keeping up -------------------------------------------------------------------------------------------------

    def wait(self, seconds: float) -> bool:
        """Take in what changed, waiting at most ``seconds`` (server-side, 30 s a call) for something; True when something did.

        Survives a session that ended. Raises what the connection raises, and faults; the next wait goes on from there.
        """
        if self.absent and self._session.clock() - self._described_at > LOOK_FOR_ABSENT:
            self._watch.close()
        delta = self._watch.wait(0.0 if self._due() else seconds)
        self._note(delta)
        deeper = self._deepen()
        self._name_alarms()
        self._name_twins(delta)
        if delta and (self._used_at is None or self._session.clock() - self._used_at > STALE_USE):
            self._read_use()
        return bool(delta) or deeper

    def close(self) -> None:
        """Remove the filter from the server. A further wait makes it anew."""
        self._watch.close()

    def _describe(self) -> tuple[list[Any], dict[type, list[str]]]:
        self._described_at = self._session.clock()
        return roll_filter.describe(self._session, self._asked.hosts)

    def _note(self, delta: Delta) -> None:
        if delta:
            self._views.clear()
        for moid, paths in delta.changed.items():
            kind = self._seen.rows[moid].kind
            if issubclass(kind, vim.HostSystem):
                self._seen.known.pop(moid, None)
                if not HOST_TRIGGERS.isdisjoint(paths):
                    self._stale_hosts.add(moid)
            elif issubclass(kind, vim.VirtualMachine) and not VM_TRIGGERS.isdisjoint(paths):
                self._stale_vms.add(moid)
            elif issubclass(kind, vim.ComputeResource) and "name" in paths:
                self._seen.known.clear()
        for moid in delta.left:
            self._seen.forget(moid)
            self._stale_hosts.discard(moid)
            self._stale_vms.discard(moid)
            self.own_tasks.discard(moid)
        if self._asked.hosts.keys() & delta.left.keys():
            # It may have been moved to another cluster, which nothing watches yet.
            self._watch.close()

    def _due(self) -> set[str]:
        """Hosts to be read deeply now. Those of a host that is away are old, and read when it is back."""
        while self._refreshed:
            self._stale_hosts.add(self._refreshed.popleft())
        return {
            moid
            for moid in self._stale_hosts & self._seen.rows.keys()
            if self._seen.is_connected(moid) or moid not in self._seen.deep
        }

    def _deepen(self) -> bool:
        """Read devices and the like where they may have changed; True when anything was read."""
        hosts, vms = self._due(), set(self._stale_vms)
        if hosts or vms:
            self._views.clear()
        if hosts:
            for row in collect_objects(self._session, vim.HostSystem, hosts, roll_filter.deep_paths(self._session)):
                self._seen.deep[row.moid] = row
                self._seen.known.pop(row.moid, None)
                self._seen.sizes[row.moid] = from_rows.size(self._seen.joined(row.moid))
            self._stale_hosts -= hosts
        self._read_hardware(vms)
        self._stale_vms -= vms
        return bool(hosts or vms)

    def _read_hardware(self, vms: Collection[str]) -> None:
        for row in collect_objects(self._session, vim.VirtualMachine, vms, HARDWARE_PATHS):
            self._seen.hardware[row.moid] = vm_hardware(row)

    def _name_alarms(self) -> None:
        """Names of alarms not met before; one read, and none where no new alarm is red."""
        names, rows = self._seen.alarm_names, [*self._seen.of(vim.HostSystem), *self._seen.of(vim.ComputeResource)]
        unknown = {alarm for row in rows for alarm in from_rows.red_alarms(row)} - names.keys()
        if not unknown:
            return
        self._views.clear()
        found = collect_objects(self._session, vim.alarm.Alarm, unknown, ("info.name",))
        names.update({moid: moid for moid in unknown} | {row.moid: row.get("info.name", row.moid) for row in found})

    def _name_twins(self, delta: Delta) -> None:
        """Paths of VMs of which several have one name; one read when such a VM appears, and none where every name is one VM's."""
        if not any("name" in paths for paths in delta.changed.values()):
            return
        names = {row.moid: row.get("name", row.moid) for row in self._seen.of(vim.VirtualMachine)}
        many = Counter(names.values())
        twins = {moid: name for moid, name in names.items() if many[name] > 1}
        if twins.keys() - self._seen.labels.keys():
            self._seen.labels.update(vm_labels(self._session, twins))
            self._views.clear()

    def _read_use(self, computes: Collection[str] | None = None) -> None:
        """Load of the hosts and admission control of the clusters; None = all."""
        chosen = {
            row.moid: row.kind for row in self._seen.of(vim.ComputeResource) if computes is None or row.moid in computes
        }
        named = {
            vim.HostSystem: [row.moid for row in self._seen.of(vim.HostSystem) if compute_of(row) in chosen],
            vim.ClusterComputeResource: [
                moid for moid, kind in chosen.items() if issubclass(kind, vim.ClusterComputeResource)
            ],
        }
        paths = {vim.HostSystem: from_rows.USE_PATHS, vim.ClusterComputeResource: ("summary",)}
        found = collect_named(self._session, named, paths)
        self._views.clear()
        self._seen.uses.update({row.moid: from_rows.use(row) for row in found[vim.HostSystem]})
        self._seen.summaries.update({row.moid: row.get("summary") for row in found[vim.ClusterComputeResource]})
        if computes is None:
            self._used_at = self._session.clock()

    def _read_tags(self) -> None:
        if self._tags is not None:
            self._asked = replace(self._asked, tagged=self._tags.read())
            self._views.clear()

    # -- what there is ----------------------------------------------------------------------------------------------

    def _worked_out(self, name: str, basis: Any, work: Callable[[], _Views]) -> _Views:
        known = self._views.get(name)
        if known is None or known[0] != basis:
            known = self._views[name] = (basis, work())
        views: _Views = known[1]
        return views

    @property
    def hosts(self) -> tuple[HostView, ...]:
        """All hosts of the clusters of the wanted hosts, by name, without what the engine knows better."""
        own = frozenset(self.own_tasks)
        return self._worked_out("hosts", own, lambda: roll_views.host_views(self._seen, self._asked, own))

    @property
    def vms(self) -> tuple[VmView, ...]:
        """All VMs registered on these hosts, by name, but templates."""
        fields = dict(self.fields)
        return self._worked_out("vms", fields, lambda: roll_views.vm_views(self._seen, self._asked, fields))

    @property
    def clusters(self) -> tuple[ClusterView, ...]:
        """Clusters, and the compute resources of hosts on their own, by name."""
        fields = dict(self.fields)
        return self._worked_out("clusters", fields, lambda: roll_views.cluster_views(self._seen, fields))

    @property
    def texts(self) -> Mapping[str, Mapping[str, str]]:
        """Object id → attribute name → text, of hosts, VMs, compute resources and the root folder; empty texts are left out."""
        fields = dict(self.fields)
        return self._worked_out("texts", fields, lambda: roll_views.texts(self._seen, fields))

    @property
    def entering(self) -> Mapping[str, frozenset[str]]:
        """Host id → ids of the tasks that put it into maintenance mode now."""
        return self._worked_out("entering", None, lambda: roll_views.entering_tasks(self._seen))

    @property
    def root(self) -> str:
        """Id of the root folder, which may carry the pause attribute for all."""
        return str(self._session.content.rootFolder._moId)

    @property
    def absent(self) -> tuple[str, ...]:
        """Wanted hosts that the server does not show (any more)."""
        return tuple(sorted(self._asked.hosts.keys() - self._seen.rows.keys()))

    # -- asked for --------------------------------------------------------------------------------------------------

    def run_prechecks(self, moids: Sequence[str]) -> dict[str, Precheck]:
        """What is asked only before a host is started: DRS dry run, vSAN, protected devices, privileges on VMs it would stop.

        Load of their clusters and devices of their VMs are read afresh, too: media can be connected without a trace in what is watched.
        Hosts that are not connected are left out.
        """
        wanted = [moid for moid in moids if self._seen.is_connected(moid)]
        if not wanted:
            return {}
        self._read_tags()
        places = {moid: compute_of(self._seen.rows[moid]) for moid in wanted}
        self._read_use(set(places.values()))
        self._read_hardware(
            [
                vm.moid
                for vm in self._seen.of(vim.VirtualMachine)
                if getattr(vm.get("runtime.host"), "_moId", "") in places
            ]
        )
        rules = self._seen.rules()
        stops = precheck.to_stop(places, self.vms, self.clusters) if self._stops_pinned else {}
        return precheck.run_prechecks(
            self._session,
            [
                precheck.PrecheckSubject(
                    host=self._seen.host(moid),
                    compute=place,
                    rules=rules.get(place, from_rows.Rules()),
                    stops=stops.get(moid, ()),
                )
                for moid, place in places.items()
            ],
            speakers=[view.host for view in self.hosts if view.in_service],
            allow_protected=self._allow_protected,
            tags_problem=self._asked.tagged.problem,
            clock=self.now,
        )

    def probe_uptime(self, moid: str) -> float | None:
        """Seconds since the host booted by its hardware clock; None when it does not answer. May be asked from any thread."""
        return fresh.uptime(self._session, moid)

    def probe_services(self, moid: str) -> bool:
        """The passthrough system of the host answers a Refresh, also where it has none or may not be asked. From any thread.

        What it refreshed is read by the next ``wait``.
        """
        row = self._seen.deep.get(moid)
        answers = fresh.services_answer(
            self._session, row.get("configManager.pciPassthruSystem") if row is not None else None
        )
        if answers:
            self._refreshed.append(moid)
        return answers

    def maintenance_is_own(self, since: Mapping[str, float]) -> dict[str, bool | None]:
        """Host id → whose its maintenance mode is by the event log since these times: one query for all hosts."""
        return fresh.maintenance_is_own(self._session, since)

    def fresh_host(self, moid: str, beside: Beside | None = None) -> HostFresh | None:
        """What a call on the host is guarded by, read now: one call, what is looked at beside it included. None when it is gone."""
        return fresh.fresh_host(self._session, moid, beside)

    def fresh_vm(self, moid: str, beside: Beside | None = None) -> VmFresh | None:
        """The same for a call on a VM."""
        return fresh.fresh_vm(self._session, moid, beside)
