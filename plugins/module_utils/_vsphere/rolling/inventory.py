# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts, VMs and clusters of a rolling reboot as the server shows them, updated through one property filter. PRIVATE to the collection.

Cheap properties come with the filter. Expensive ones (devices) are read again only for objects with a relevant change, all in one call.
Numbers that change all the time (load, admission control) are not watched, but read from time to time.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..._domain.memo import Memo
from ..._domain.names import ResolvedNames
from ..._domain.rolling.state.observed import ClusterView, HostView, PoweredOff, Precheck, VmView
from ..property_collector.mixed_types import collect_named
from ..property_collector.retrieve import collect_objects
from ..property_collector.updates import Delta, Watch
from ..read.hosts import host_paths, vm_labels
from ..read.vm_hardware import HARDWARE_PATHS, vm_hardware
from ..rest.compute_policies import ComputePolicies
from ..rest.rolling_tags import RollingTags, Tagged
from ..sdk import vim
from ..session.connect import Session
from ..session.privileges import lacking
from . import filter as fleet_filter
from . import fresh, from_rows, precheck
from . import views as fleet_views
from .filter import HOST_TRIGGERS, VM_TRIGGERS
from .fresh import Beside, HostFresh, VmFresh
from .run_clock import Anchor, RunClock
from .views import FleetRequest, FleetRows, RequestedHost, compute_of

__all__ = ["FleetInventory", "HostFresh", "RequestedHost", "VmFresh"]

STALE_USE = 60.0
"""Load and admission control are read again after this number of seconds, when something else changed."""
LOOK_FOR_ABSENT = 300.0
"""Seconds after which missing requested hosts are searched again: they may be in a cluster that is not watched."""


class FleetInventory:
    """Hosts, VMs and clusters of a rolling reboot as the server shows them; empty until the first ``wait``.

    ``orders``: stop orders of VMs; ``never_stop``: VMs that are not stopped; ``labels``: id → name in results, for hosts and clusters;
    ``tags``: source of the same settings from tags, read again with every precheck; ``policies``: the same for VMs that compute policies
    stop; ``fields``: custom attribute key → name, may be
    replaced at any time; ``allow_protected``: as in host_passthrough; ``stops_pinned``: pinned VMs are stopped;
    ``evacuates``: powered-off VMs are migrated, too; ``anchor``: the clock of an earlier slice of the run.
    ``own_tasks``: ids of tasks that this run started. They do not count as work of others.
    """

    def __init__(
        self,
        session: Session,
        wanted: Sequence[RequestedHost],
        *,
        orders: ResolvedNames[int] | None = None,
        never_stop: ResolvedNames[bool] | None = None,
        labels: Mapping[str, str] | None = None,
        tags: RollingTags | None = None,
        policies: ComputePolicies | None = None,
        fields: Mapping[int, str] | None = None,
        allow_protected: tuple[str, ...] = (),
        stops_pinned: bool = False,
        evacuates: bool = False,
        anchor: Anchor | None = None,
    ) -> None:
        self._session = session
        self._tags = tags
        self._policies = policies
        self._asked = FleetRequest(
            hosts={item.moid: item for item in wanted},
            orders=orders or ResolvedNames(),
            never_stop=never_stop or ResolvedNames(),
            tagged=tags.last if tags is not None else Tagged(),
        )
        self._has_graphics = any(item.graphics is not None for item in wanted)
        self._allow_protected = allow_protected
        self._stops_pinned = stops_pinned
        self._evacuates = evacuates
        self.fields: Mapping[int, str] = fields or {}
        self.own_tasks: set[str] = set()
        self._watch = Watch(session, self._describe)
        self._seen = FleetRows(
            labels=dict(labels or {}), host_paths=frozenset(host_paths(session, graphics=self._has_graphics))
        )
        self._labels = self._seen.labels
        self._twins: Mapping[str, str] = {}
        """id → name of the VMs whose name is not unique."""
        self._memo = Memo()
        self._stale_hosts: set[str] = set()
        self._stale_vms: set[str] = set()
        self._refreshed: deque[str] = deque()
        """Hosts whose devices were refreshed, added by any thread."""
        self._described_at = session.clock()
        self._used_at: float | None = None
        self.clock = RunClock(self._read_clock, session.clock, anchor)

    # -- time -------------------------------------------------------------------------------------------------------

    def _read_clock(self) -> float:
        return float(self._session.instance.CurrentTime().timestamp())

    def now(self) -> float:
        """The time of the run (seconds since the epoch). Only the first time needs a call."""
        return self.clock.now()

    # -- keeping up -------------------------------------------------------------------------------------------------

    def wait(self, seconds: float) -> bool:
        """Process changes; wait at most ``seconds`` for one (on the server, 30 s a call). True when something changed.

        A session that ended is replaced. Raises connection errors and faults; the next wait continues from there.
        """
        if self.absent and self._session.clock() - self._described_at > LOOK_FOR_ABSENT:
            self._watch.close()
        delta = self._watch.wait(0.0 if self._due() else seconds)
        self._note(delta)
        deeper = self._read_deep()
        self._name_alarms()
        self._name_twins(delta)
        if delta and (self._used_at is None or self._session.clock() - self._used_at > STALE_USE):
            self._read_use()
        return bool(delta) or deeper

    def read_vms_again(self, host: str) -> None:
        """The next ``wait`` reads the devices of the VMs of a host again: connected media do not show in the watched properties."""
        rows = self._seen.vms.items()
        self._stale_vms |= {moid for moid, vm in rows if getattr(vm.get("runtime.host"), "_moId", "") == host}

    def close(self) -> None:
        """Remove the filter from the server. The next ``wait`` creates it again."""
        self._watch.close()

    def _describe(self) -> tuple[list[Any], dict[type, list[str]]]:
        self._described_at = self._session.clock()
        return fleet_filter.describe(self._session, self._asked.hosts, graphics=self._has_graphics)

    def _note(self, delta: Delta) -> None:
        if not delta:
            return
        for moid, paths in delta.changed.items():
            kind = self._watch.rows[moid].kind
            if issubclass(kind, vim.HostSystem) and not HOST_TRIGGERS.isdisjoint(paths):
                self._stale_hosts.add(moid)
            elif issubclass(kind, vim.VirtualMachine) and not VM_TRIGGERS.isdisjoint(paths):
                self._stale_vms.add(moid)
        left = delta.left.keys()
        for kept in (self._stale_hosts, self._stale_vms, self.own_tasks):
            kept.difference_update(left)
        self._seen = self._seen.updated(self._watch.rows)
        if self._asked.hosts.keys() & left:
            # It may have been moved to another cluster, which is not watched yet.
            self._watch.close()

    def _due(self) -> set[str]:
        """Hosts whose devices are to be read now. Values of a host that is not connected are old: it is read when it is back."""
        while self._refreshed:
            self._stale_hosts.add(self._refreshed.popleft())
        return {
            moid
            for moid in self._stale_hosts & self._seen.hosts.keys()
            if self._seen.is_connected(moid) or moid not in self._seen.deep
        }

    def _read_deep(self) -> bool:
        """Read devices and other expensive properties where they may have changed. True when something was read."""
        hosts, vms = self._due(), set(self._stale_vms)
        if hosts:
            paths = fleet_filter.deep_paths(self._session, graphics=self._has_graphics)
            rows = collect_objects(self._session, vim.HostSystem, hosts, paths)
            deep = {row.moid: row for row in rows}
            watched = self._seen.hosts
            sizes = {row.moid: from_rows.size(fleet_views.joined(watched[row.moid], row)) for row in rows}
            self._learn(deep={**self._seen.deep, **deep}, sizes={**self._seen.sizes, **sizes})
            self._stale_hosts -= hosts
        self._read_hardware(vms)
        self._stale_vms -= vms
        return bool(hosts or vms)

    def _read_hardware(self, vms: Collection[str]) -> None:
        rows = collect_objects(self._session, vim.VirtualMachine, vms, HARDWARE_PATHS)
        if rows:
            self._learn(hardware={**self._seen.hardware, **{row.moid: vm_hardware(row) for row in rows}})

    def _learn(self, **tables: Any) -> None:
        """Replace tables of the rows. They are never changed in place, because the views are cached by what they were built from."""
        self._seen = replace(self._seen, **tables)

    def _name_alarms(self) -> None:
        """Read the names of new alarms; no call when no new alarm is red."""
        ids = fleet_views.alarm_ids(self._seen, self._memo).values()
        unknown = {alarm for moids in ids for alarm in moids} - self._seen.alarm_names.keys()
        if not unknown:
            return
        found = collect_objects(self._session, vim.alarm.Alarm, unknown, ("info.name",))
        named = {moid: moid for moid in unknown} | {row.moid: row.get("info.name", row.moid) for row in found}
        self._learn(alarm_names={**self._seen.alarm_names, **named})

    def _name_twins(self, delta: Delta) -> None:
        """Read the paths of VMs whose name is not unique; no call while these are the same."""
        gone = any(issubclass(kind, vim.VirtualMachine) for kind in delta.left.values())
        if not (gone or any("name" in paths for paths in delta.changed.values())):
            return
        names = {moid: row.get("name", moid) for moid, row in self._seen.vms.items()}
        many = Counter(names.values())
        twins = {moid: name for moid, name in names.items() if many[name] > 1}
        if twins != self._twins:
            self._learn(labels={**self._labels, **(vm_labels(self._session, twins) if twins else {})})
            self._twins = twins

    def _read_use(self, computes: Collection[str] | None = None) -> None:
        """Read the load of the hosts and the admission control of the clusters; None = of all."""
        rows = self._seen.computes
        chosen = rows.keys() if computes is None else rows.keys() & set(computes)
        named = {
            vim.HostSystem: [moid for moid, row in self._seen.hosts.items() if compute_of(row) in chosen],
            vim.ClusterComputeResource: [
                moid for moid in chosen if issubclass(rows[moid].kind, vim.ClusterComputeResource)
            ],
        }
        paths = {vim.HostSystem: from_rows.USE_PATHS, vim.ClusterComputeResource: ("summary",)}
        found = collect_named(self._session, named, paths)
        uses = {row.moid: from_rows.use(row) for row in found[vim.HostSystem]}
        summaries = {row.moid: row.get("summary") for row in found[vim.ClusterComputeResource]}
        self._learn(uses={**self._seen.uses, **uses}, summaries={**self._seen.summaries, **summaries})
        if computes is None:
            self._used_at = self._session.clock()

    def _read_tags(self) -> None:
        if self._tags is not None:
            self._asked = replace(self._asked, tagged=self._tags.read())

    def read_policies(self) -> bool:
        """Read which VMs compute policies would stop. Call it before hosts are evacuated. True when these are others than known."""
        known = self._asked.policies
        if self._policies is not None:
            self._asked = replace(self._asked, policies=self._policies.read().reasons)
        return self._asked.policies != known

    # -- what there is ----------------------------------------------------------------------------------------------

    @property
    def hosts(self) -> tuple[HostView, ...]:
        """All hosts of the clusters of the requested hosts, by name, without journal and precheck (see ``FleetObserver``)."""
        return fleet_views.host_views(self._seen, self._asked, self.own_tasks, self._memo)

    @property
    def vms(self) -> tuple[VmView, ...]:
        """All VMs that are registered on these hosts, by name, without templates."""
        return fleet_views.vm_views(self._seen, self._asked, dict(self.fields), self._memo)

    @property
    def clusters(self) -> tuple[ClusterView, ...]:
        """Clusters, and the compute resources of standalone hosts, by name."""
        return fleet_views.cluster_views(self._seen, dict(self.fields), self._memo)

    @property
    def texts(self) -> Mapping[str, Mapping[str, str]]:
        """Object id → attribute name → text, for hosts, VMs, compute resources and the root folder; without empty texts."""
        return fleet_views.texts(self._seen, dict(self.fields), self._memo)

    @property
    def entering(self) -> Mapping[str, frozenset[str]]:
        """Host id → ids of the tasks that are putting it into maintenance mode."""
        return fleet_views.entering_tasks(self._seen, self._memo)

    @property
    def policies_problem(self) -> str:
        """A sentence, if the compute policies could not be read."""
        return self._policies.last.problem if self._policies is not None else ""

    @property
    def root(self) -> str:
        """Id of the root folder. Its pause attribute applies to all clusters."""
        return str(self._session.content.rootFolder._moId)

    @property
    def absent(self) -> tuple[str, ...]:
        """Requested hosts that the server does not show (any more)."""
        return tuple(sorted(self._asked.hosts.keys() - self._seen.hosts.keys()))

    # -- asked for --------------------------------------------------------------------------------------------------

    def run_prechecks(self, moids: Sequence[str]) -> dict[str, Precheck]:
        """Read what is needed only before a host is started: DRS dry run, vSAN, protected devices, privileges on VMs to be stopped.

        Load of the clusters and devices of the VMs are read again, too: connected media do not show in the watched properties.
        Hosts that are not connected are not included.
        """
        wanted = [moid for moid in moids if self._seen.is_connected(moid)]
        if not wanted:
            return {}
        self._read_tags()
        self.read_policies()
        places = {moid: compute_of(self._seen.hosts[moid]) for moid in wanted}
        self._read_use(set(places.values()))
        for place in places:
            self.read_vms_again(place)
        self._read_deep()
        rules = fleet_views.rules(self._seen, self._memo)
        hosts = fleet_views.built_hosts(self._seen, self._memo)
        stops = precheck.to_stop(places, self.vms, self.clusters) if self._stops_pinned else {}
        return precheck.run_prechecks(
            self._session,
            [
                precheck.PrecheckSubject(
                    host=hosts[moid],
                    compute=place,
                    rules=rules.get(place, from_rows.Rules()),
                    stops=stops.get(moid, ()),
                )
                for moid, place in places.items()
            ],
            vsan_hosts=[view.host for view in self.hosts if view.in_service],
            allow_protected=self._allow_protected,
            tags_problem=self._asked.tagged.problem,
            evacuees=self.read_evacuees(places),
            clock=self.now,
        )

    def probe_uptime(self, moid: str) -> float | None:
        """Seconds since boot by the host's hardware clock; None if it does not answer. Any thread may call this."""
        return fresh.uptime(self._session, moid)

    def probe_services(self, moid: str) -> bool:
        """Whether the passthrough system of the host answers a Refresh. True if it has none or may not be called. Any thread may call it.

        The next ``wait`` reads the refreshed devices.
        """
        row = self._seen.deep.get(moid)
        answers = fresh.services_answer(
            self._session, row.get("configManager.pciPassthruSystem") if row is not None else None
        )
        if answers:
            self._refreshed.append(moid)
        return answers

    def read_guests(self, moids: Iterable[str]) -> dict[str, fresh.GuestFresh]:
        """VM id → the state of its guest. One call. Any thread may call this."""
        return fresh.guests(self._session, moids)

    def read_evacuees(self, hosts: Collection[str]) -> dict[str, precheck.Evacuees]:
        """Host id → VMs that would lose their devices. Three calls, none unless powered-off VMs are migrated."""
        return precheck.read_evacuees(self._session, hosts) if self._evacuates and hosts else {}

    def read_denied(self, vms: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """VM id → privileges that the account lacks to stop and start it. One call; none without VMs."""
        return dict(
            lacking(self._session, [self._session.reference(vim.VirtualMachine, moid) for moid in vms], precheck.POWER)
        )

    def maintenance_is_own(
        self, since: Mapping[str, float], accounts: Mapping[str, str] | None = None
    ) -> dict[str, bool | None]:
        """Host id → whether this account, or the one in ``accounts``, entered its maintenance mode, by the event log since these times. One
        query for all hosts."""
        return fresh.maintenance_is_own(self._session, since, accounts)

    def power_offs(self, since: Mapping[str, float]) -> dict[str, PoweredOff]:
        """VM id → who powered it off since that time (server time), by the event log. One query for all."""
        return fresh.power_offs(self._session, since)

    def fresh_host(self, moid: str, beside: Beside | None = None) -> HostFresh | None:
        """The present state of a host, read right before an API call: one call, including ``beside``. None if it no longer exists."""
        return fresh.fresh_host(self._session, moid, beside)

    def fresh_vm(self, moid: str, beside: Beside | None = None) -> VmFresh | None:
        """The same for a VM."""
        return fresh.fresh_vm(self._session, moid, beside)
