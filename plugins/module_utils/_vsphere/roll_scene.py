# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server shows of the hosts of a rolling reboot, kept up to date through one property filter. PRIVATE to the collection.

Cheap properties come with the filter. Devices and the like are read again only for objects of which something that decides them changed,
all of them in one bulk read. Numbers that change all the time (load) are not watched but read now and then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._domain.hosts import Host
from .._domain.rollout.journal import PAUSE
from .._domain.rollout.world import ClusterView, Exam, HostView, VmView
from .._domain.selectors import DeviceWish
from . import roll_exam, roll_probe, roll_read
from .collect import Row, collect_objects
from .collect_named import collect_named
from .read_hosts import host_from_row, host_paths
from .roll_probe import HostFresh, VmFresh
from .roll_vms import HARDWARE_PATHS, VmHardware, vm_hardware
from .sdk import vim, vmodl
from .session import Session
from .watch import NEW, Delta, Watch

__all__ = ["STOP_ORDER", "HostFresh", "Scene", "VmFresh", "Wanted"]

_pc = vmodl.query.PropertyCollector

STOP_ORDER = "directpath.stop_order"
"""Custom attribute on a VM: its stop order, when it is among ``Scene.fields`` and the caller gives none by name."""

STALE_USE = 60.0
"""Seconds after which load and admission control are read again, when something else changed."""
RATE_BASE = 1.0
"""Seconds on our clock that have to lie between two times of the server before their rate is taken."""
FAST = 1.5

_HOST_PATHS = (
    "name",
    "parent",
    "runtime.connectionState",
    "runtime.powerState",
    "runtime.inMaintenanceMode",
    "runtime.standbyMode",
    "runtime.bootTime",
    "summary.rebootRequired",
    "config.pciPassthruInfo",
    "config.network.pnic",
    "triggeredAlarmState",
    "customValue",
)
_VM_PATHS = (
    "name",
    "runtime.host",
    "runtime.powerState",
    "guest.toolsRunningStatus",
    "config.changeVersion",
    "config.template",
    "customValue",
)
_COMPUTE_PATHS = ("name", "triggeredAlarmState", "customValue")
_HOST_TRIGGERS = frozenset({NEW, "runtime.connectionState", "runtime.bootTime", "config.pciPassthruInfo"})
_VM_TRIGGERS = frozenset({NEW, "config.changeVersion", "runtime.powerState"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """One host that was asked for; see ``world.HostView`` for the fields."""

    moid: str
    wishes: tuple[DeviceWish, ...] = ()
    expected_debt: str | None = None


class Scene:
    """Hosts, VMs and clusters of a roll as the server shows them; empty until the first ``wait``.

    ``orders``: VM name → stop order; ``never_stop``: names or ids of VMs; ``allow_protected``: as host_reboot has it; ``fields``: custom
    attribute key → name, may be set anew at any time. ``own_tasks`` holds ids of tasks the caller started: they are nobody else's work.
    """

    def __init__(
        self,
        session: Session,
        wanted: Sequence[Wanted],
        *,
        orders: Mapping[str, int] | None = None,
        never_stop: Collection[str] = (),
        fields: Mapping[int, str] | None = None,
        allow_protected: tuple[str, ...] = (),
    ) -> None:
        self._session = session
        self._wanted = {item.moid: item for item in wanted}
        self._orders = orders or {}
        self._never_stop = frozenset(never_stop)
        self._allow_protected = allow_protected
        self.fields: Mapping[int, str] = fields or {}
        self.own_tasks: set[str] = set()
        self._watch = Watch(session, self._describe)
        self._stale_hosts: set[str] = set()
        self._stale_vms: set[str] = set()
        self._deep: dict[str, Row] = {}
        self._known: dict[str, Host] = {}
        self._sizes: dict[str, roll_read.Size] = {}
        self._hardware: dict[str, VmHardware] = {}
        self._uses: dict[str, roll_read.Use] = {}
        self._summaries: dict[str, Any] = {}
        self._used_at: float | None = None
        self._alarm_names: dict[str, str] = {}
        self._server_time: float | None = None
        self._client_time = 0.0
        self.rate = 1.0
        """Seconds of the server's clock in one of ours, as far as it was measured: simulators may run faster."""

    # -- time -------------------------------------------------------------------------------------------------------

    def sync(self) -> float:
        """Ask the server for its time: one call."""
        told = self._session.instance.CurrentTime().timestamp()
        ours = self._session.clock()
        if self._server_time is not None and ours - self._client_time >= RATE_BASE:
            rate = (told - self._server_time) / (ours - self._client_time)
            # Only a simulator runs faster: what is near 1 is the time the answers took.
            self.rate = rate if rate > FAST else 1.0
        self._server_time, self._client_time = told, ours
        return float(told)

    def now(self) -> float:
        """The server's clock, without a call after the first time."""
        if self._server_time is None:
            return self.sync()
        return self._server_time + (self._session.clock() - self._client_time) * self.rate

    # -- keeping up -------------------------------------------------------------------------------------------------

    def wait(self, seconds: float) -> bool:
        """Take in what changed, waiting at most ``seconds`` (server-side, 30 s a call) for something; True when something did.

        Survives a session that ended. Raises what the connection raises, and faults; the next wait goes on from there.
        """
        delta = self._watch.wait(seconds)
        self._note(delta)
        self._deepen()
        self._name_alarms()
        if delta and (self._used_at is None or self._session.clock() - self._used_at > STALE_USE):
            self._read_use()
        return bool(delta)

    def close(self) -> None:
        """Remove the filter from the server."""
        self._watch.close()

    def _describe(self) -> tuple[list[Any], dict[type, list[str]]]:
        """Compute resources of the wanted hosts → hosts → VMs and tasks: what joins later is selected by itself."""
        session = self._session
        rows = collect_objects(session, vim.HostSystem, self._wanted, ("parent",))
        parents = {row.get("parent")._moId: row.get("parent") for row in rows if row.get("parent") is not None}

        def walk(kind: type, path: str, *further: Any) -> Any:
            return _pc.TraversalSpec(type=kind, path=path, skip=False, selectSet=list(further))

        tree = [
            walk(
                vim.ComputeResource,
                "host",
                walk(vim.HostSystem, "vm"),
                walk(vim.HostSystem, "recentTask"),
            ),
            walk(vim.ComputeResource, "recentTask"),
            walk(vim.ComputeResource, "datastore"),
        ]
        objects = [_pc.ObjectSpec(obj=parents[moid], skip=False, selectSet=tree) for moid in sorted(parents)]
        objects.append(_pc.ObjectSpec(obj=session.content.rootFolder, skip=False))
        return objects, self._paths()

    def _paths(self) -> dict[type, list[str]]:
        knows = self._session.knows
        newer_host = ["runtime.inQuarantineMode"] if knows(vim.host.RuntimeInfo, "inQuarantineMode") else []
        newer_vm = ["guest.toolsVersionStatus2"] if knows(vim.vm.GuestInfo, "toolsVersionStatus2") else []
        return {
            vim.HostSystem: [*_HOST_PATHS, *newer_host],
            vim.VirtualMachine: [*_VM_PATHS, *newer_vm],
            vim.ClusterComputeResource: [*_COMPUTE_PATHS, "configurationEx"],
            vim.ComputeResource: list(_COMPUTE_PATHS),
            vim.Datastore: ["name", "host"],
            vim.Task: list(roll_read.TASK_PATHS),
            vim.Folder: ["name", "customValue"],
        }

    def _note(self, delta: Delta) -> None:
        for moid, paths in delta.changed.items():
            kind = self._watch.rows[moid].kind
            if issubclass(kind, vim.HostSystem):
                self._known.pop(moid, None)
                if not _HOST_TRIGGERS.isdisjoint(paths):
                    self._stale_hosts.add(moid)
            elif issubclass(kind, vim.VirtualMachine) and not _VM_TRIGGERS.isdisjoint(paths):
                self._stale_vms.add(moid)
        for moid in delta.left:
            for table in (self._deep, self._known, self._sizes, self._hardware, self._uses, self._summaries):
                table.pop(moid, None)  # type: ignore[attr-defined]
            self._stale_hosts.discard(moid)
            self._stale_vms.discard(moid)
            self.own_tasks.discard(moid)
        if self._wanted.keys() & delta.left.keys():
            # It may have been moved to another cluster, which nothing watches yet.
            self._watch.close()

    def _deepen(self) -> None:
        """Read devices and the like where they may have changed. Those of a host that is away are old, and read when it is back."""
        hosts = {moid for moid in self._stale_hosts if self._is_connected(moid) or moid not in self._deep}
        vms = set(self._stale_vms)
        if hosts or vms:
            self._read_deep(hosts, vms)
        self._stale_hosts -= hosts
        self._stale_vms -= vms

    def _read_deep(self, hosts: Collection[str], vms: Collection[str]) -> None:
        watched = set(_HOST_PATHS) - {"config.pciPassthruInfo"}
        paths = (*host_paths(self._session), *roll_read.size_paths(self._session))
        deep = [path for path in paths if path not in watched]
        for row in collect_objects(self._session, vim.HostSystem, hosts, deep):
            self._deep[row.moid] = row
            self._known.pop(row.moid, None)
            self._sizes[row.moid] = roll_read.size(self._joined(row.moid))
        for row in collect_objects(self._session, vim.VirtualMachine, vms, HARDWARE_PATHS):
            self._hardware[row.moid] = vm_hardware(row)

    def _is_connected(self, moid: str) -> bool:
        row = self._watch.rows.get(moid)
        return row is not None and str(row.get("runtime.connectionState")) == "connected"

    def _joined(self, moid: str) -> Row:
        """What is watched of a host and what was read of it. The watched value is the newer one, unless it may not be read."""
        watched, deep = self._watch.rows[moid], self._deep.get(moid)
        if deep is None:
            return watched
        return Row(
            kind=watched.kind,
            moid=moid,
            values={**deep.values, **watched.values},
            missing={**deep.missing, **watched.missing},
        )

    def _name_alarms(self) -> None:
        """Names of alarms not met before; one read, and none where no new alarm is red."""
        rows = (*self._rows(vim.HostSystem), *self._rows(vim.ComputeResource))
        unknown = {alarm for row in rows for alarm in roll_read.red_alarms(row)} - self._alarm_names.keys()
        for row in collect_objects(self._session, vim.alarm.Alarm, unknown, ("info.name",)):
            self._alarm_names[row.moid] = row.get("info.name", row.moid)
        for moid in unknown:
            self._alarm_names.setdefault(moid, moid)

    def _read_use(self, computes: Collection[str] | None = None) -> None:
        """Load of the hosts and admission control of the clusters; None = all."""
        chosen = [row for row in self._rows(vim.ComputeResource) if computes is None or row.moid in computes]
        places = {row.moid for row in chosen}
        hosts = [row.moid for row in self._rows(vim.HostSystem) if self._compute_of(row) in places]
        clusters = [row.moid for row in chosen if issubclass(row.kind, vim.ClusterComputeResource)]
        found = collect_named(
            self._session,
            {vim.HostSystem: hosts, vim.ClusterComputeResource: clusters},
            {
                vim.HostSystem: ("summary.quickStats.overallCpuUsage", "summary.quickStats.overallMemoryUsage"),
                vim.ClusterComputeResource: ("summary",),
            },
        )
        self._uses.update({row.moid: roll_read.use(row) for row in found[vim.HostSystem]})
        self._summaries.update({row.moid: row.get("summary") for row in found[vim.ClusterComputeResource]})
        if computes is None:
            self._used_at = self._session.clock()

    # -- what there is ----------------------------------------------------------------------------------------------

    def _rows(self, kind: type) -> list[Row]:
        rows = self._watch.rows
        return [rows[moid] for moid in sorted(rows) if issubclass(rows[moid].kind, kind)]

    @staticmethod
    def _compute_of(row: Row) -> str:
        parent = row.get("parent")
        return parent._moId if parent is not None else ""

    @property
    def hosts(self) -> tuple[HostView, ...]:
        """All hosts of the clusters of the wanted hosts, by name, without what the engine knows better."""
        tasks = roll_read.running_tasks(self._rows(vim.Task))
        mounts = roll_read.mounts(self._rows(vim.Datastore))
        views = (
            self._host_view(row, tasks.get(row.moid, ()), mounts.of(row.moid)) for row in self._rows(vim.HostSystem)
        )
        return tuple(sorted(views, key=lambda view: (view.name, view.moid)))

    def _host(self, moid: str) -> Host:
        if moid not in self._known:
            clusters = {row.moid: row.get("name", row.moid) for row in self._rows(vim.ClusterComputeResource)}
            self._known[moid] = host_from_row(self._joined(moid), clusters)
        return self._known[moid]

    def _host_view(self, row: Row, tasks: Iterable[roll_read.RunningTask], datastores: Mapping[str, bool]) -> HostView:
        wanted = self._wanted.get(row.moid)
        have, used = self._sizes.get(row.moid, roll_read.Size()), self._uses.get(row.moid, roll_read.Use())
        others = [
            task for task in tasks if not (task.is_entering or task.is_reboot) and task.moid not in self.own_tasks
        ]
        return HostView(
            host=self._host(row.moid),
            wanted=wanted is not None,
            wishes=wanted.wishes if wanted else (),
            expected_debt=wanted.expected_debt if wanted else None,
            entering=any(task.is_entering for task in tasks),
            standby=str(row.get("runtime.powerState")) == "standBy" or row.get("runtime.standbyMode", "none") != "none",
            quarantined=bool(row.get("runtime.inQuarantineMode", False)),
            tasks=tuple(task.name for task in others),
            rebooting=any(task.is_reboot for task in tasks),
            model=have.model,
            load=roll_read.load(have, used),
            memory_mb=have.memory_mb,
            memory_free_mb=roll_read.memory_free(have, used),
            quick_boot=have.quick_boot,
            red_alarms=self._alarms(row),
            datastores=datastores,
            uplinks=roll_read.links(row, have.uplinks),
        )

    def _alarms(self, row: Row) -> tuple[str, ...]:
        return tuple(sorted(self._alarm_names.get(moid, moid) for moid in roll_read.red_alarms(row)))

    @property
    def vms(self) -> tuple[VmView, ...]:
        """All VMs registered on these hosts, by name; templates are left out, as they never run."""
        places = {row.moid: self._compute_of(row) for row in self._rows(vim.HostSystem)}
        siblings: dict[str, list[str]] = {}
        for host, compute in places.items():
            siblings.setdefault(compute, []).append(host)
        rules = self._rules()
        mounts = roll_read.mounts(self._rows(vim.Datastore))
        views = []
        for row in self._rows(vim.VirtualMachine):
            host = row.get("runtime.host")
            if host is None or host._moId not in places or row.get("config.template", False):
                continue
            compute = places[host._moId]
            hardware = self._hardware.get(row.moid, VmHardware())
            local = mounts.local(host._moId, siblings[compute], hardware.datastores)
            moves = rules[compute].overrides.get(row.moid) if compute in rules else None
            views.append(self._vm_view(row, host._moId, hardware, local, moves))
        return tuple(sorted(views, key=lambda view: (view.name, view.moid)))

    def _vm_view(self, row: Row, host: str, hardware: VmHardware, local: tuple[str, ...], moves: bool | None) -> VmView:
        name = row.get("name", row.moid)
        return VmView(
            moid=row.moid,
            name=name,
            host_moid=host,
            power_state=str(row.get("runtime.powerState", "unknown")),
            tools_running=row.get("guest.toolsRunningStatus") == "guestToolsRunning",
            has_tools=row.get("guest.toolsVersionStatus2") != "guestToolsNotInstalled",
            devices=hardware.devices,
            fixed=hardware.fixed,
            vgpu=hardware.vgpu,
            local_datastores=local,
            host_media=hardware.host_media,
            drs_moves=moves,
            memory_mb=hardware.memory_mb,
            reserved_mb=hardware.reserved_mb,
            order=self._order(row, name),
            never_stop=name in self._never_stop or row.moid in self._never_stop,
        )

    def _order(self, row: Row, name: str) -> int:
        if name in self._orders:
            return self._orders[name]
        text = roll_read.custom_texts(row, self.fields).get(STOP_ORDER, "").strip()
        return int(text) if text.lstrip("-").isdigit() else 0

    def _rules(self) -> dict[str, roll_read.Rules]:
        rows = self._rows(vim.ClusterComputeResource)
        return {row.moid: roll_read.rules(row.get("configurationEx")) for row in rows}

    @property
    def clusters(self) -> tuple[ClusterView, ...]:
        """Clusters, and the compute resources of hosts on their own, by name."""
        tasks = roll_read.running_tasks(self._rows(vim.Task))
        rules = self._rules()
        views = (
            self._cluster_view(row, rules.get(row.moid, roll_read.Rules()), tasks.get(row.moid, ()))
            for row in self._rows(vim.ComputeResource)
        )
        return tuple(sorted(views, key=lambda view: (view.name, view.moid)))

    def _cluster_view(self, row: Row, rules: roll_read.Rules, tasks: Iterable[roll_read.RunningTask]) -> ClusterView:
        return ClusterView(
            moid=row.moid,
            name=row.get("name", row.moid),
            is_cluster=issubclass(row.kind, vim.ClusterComputeResource),
            drs_moves_vms=rules.drs,
            vgpu_moves=rules.vgpu_moves,
            vsan=rules.vsan,
            admission=roll_read.admission(row.get("configurationEx"), self._summaries.get(row.moid)),
            red_alarms=self._alarms(row),
            remediation=", ".join(task.name for task in tasks if task.is_remediation),
            pause=roll_read.custom_texts(row, self.fields).get(PAUSE, ""),
        )

    @property
    def texts(self) -> Mapping[str, Mapping[str, str]]:
        """Object id → attribute name → text, of hosts, VMs, compute resources and the root folder; empty texts are left out."""
        kinds = (vim.HostSystem, vim.VirtualMachine, vim.ComputeResource, vim.Folder)
        rows = self._watch.rows.values()
        found = {row.moid: roll_read.custom_texts(row, self.fields) for row in rows if issubclass(row.kind, kinds)}
        return {moid: texts for moid, texts in found.items() if texts}

    @property
    def root(self) -> str:
        """Id of the root folder, which may carry the pause attribute for all."""
        return str(self._session.content.rootFolder._moId)

    @property
    def absent(self) -> tuple[str, ...]:
        """Wanted hosts that the server does not show (any more)."""
        return tuple(sorted(self._wanted.keys() - self._watch.rows.keys()))

    # -- asked for ---------------------------------------------------------------------------------------------------

    def examine(self, moids: Sequence[str]) -> dict[str, Exam]:
        """What is asked only before a host is started: DRS dry run, vSAN, protected devices; load and VMs of these hosts afresh."""
        wanted = [moid for moid in moids if self._is_connected(moid)]
        places = {self._compute_of(self._watch.rows[moid]) for moid in wanted}
        self._read_use(places)
        self._read_deep(
            (),
            [
                row.moid
                for row in self._rows(vim.VirtualMachine)
                if getattr(row.get("runtime.host"), "_moId", "") in wanted
            ],
        )
        rules = self._rules()
        subjects = [
            roll_exam.Subject(
                host=self._host(moid),
                compute=self._compute_of(self._watch.rows[moid]),
                rules=rules.get(self._compute_of(self._watch.rows[moid]), roll_read.Rules()),
            )
            for moid in wanted
        ]
        speakers = {
            place: [view.host for view in self.hosts if view.serves and view.host.compute_moid == place]
            for place in places
        }
        return roll_exam.examine(
            self._session, subjects, speakers, allow_protected=self._allow_protected, clock=self.now
        )

    def probe_uptime(self, moid: str) -> float | None:
        """Seconds since the host booted by its hardware clock; None when it does not answer."""
        return roll_probe.uptime(self._session, moid)

    def probe_services(self, moid: str) -> bool:
        """The passthrough system of the host answers a Refresh. True as well where it has none, or where that may not be asked for."""
        row = self._deep.get(moid)
        return roll_probe.services_answer(self._session, row.get("configManager.pciPassthruSystem") if row else None)

    def maintenance_ours(self, since: Mapping[str, float]) -> dict[str, bool | None]:
        """Host id → whose its maintenance mode is by the event log since these times: one query for all hosts."""
        return roll_probe.maintenance_ours(self._session, since)

    def fresh_host(self, moid: str) -> HostFresh | None:
        """What a call on the host is guarded by, read now: one call. None when it is gone."""
        return roll_probe.fresh_host(self._session, moid)

    def fresh_vm(self, moid: str) -> VmFresh | None:
        """What a call on the VM is guarded by, read now: one call. None when it is gone."""
        return roll_probe.fresh_vm(self._session, moid)

    def fresh_text(self, kind: type, moid: str, attribute: str) -> str:
        """A custom value, read now: one call. Empty when there is none."""
        rows = collect_objects(self._session, kind, [moid], ("customValue",))
        return roll_read.custom_texts(rows[0], self.fields).get(attribute, "") if rows else ""
