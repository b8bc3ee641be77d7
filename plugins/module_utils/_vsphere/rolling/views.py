# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the hosts, VMs and clusters of a rolling reboot from the rows that were read. PRIVATE to the collection.

All functions are pure. Those with a ``Memo`` build only the objects whose rows changed since their last call with it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any

from ..._domain.graphics.desired import DesiredGraphics
from ..._domain.host.selector import DesiredDevice
from ..._domain.memo import Memo
from ..._domain.names import ResolvedNames
from ..._domain.observed.hosts import Host
from ..._domain.rolling.state.journal import PAUSE, STOP_ORDER
from ..._domain.rolling.state.observed import ClusterView, HostView, VmView
from ..property_collector.retrieve import Row
from ..read.graphics import with_graphics
from ..read.hosts import host_from_row
from ..read.vm_hardware import VmHardware
from ..rest.rolling_tags import Tagged
from ..sdk import vim
from ..session.answer_checks import reader
from . import from_rows
from .from_rows import Mounts, Rules, RunningTask, Size, Use

AGENT_MANAGER = "com.vmware.vim.eam"
"""The extension that owns the VMs of vSphere Cluster Services and other agents."""

DEVICES = "config.pciPassthruInfo"
"""Watched to notice changes of devices, and read again together with them."""
GRAPHICS = "config.graphicsInfo"
"""The same for graphics, where graphics settings are desired."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestedHost:
    """One requested host; for the fields see ``HostView``."""

    moid: str
    desired_devices: tuple[DesiredDevice, ...] = ()
    graphics: DesiredGraphics | None = None
    names_devices: bool = True
    skips_missing: bool = False
    expects_settled: bool = False
    expected_reboot: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class FleetRequest:
    """The request of the caller: hosts, stop orders, and VMs that are never stopped. ``tagged``: settings from tags, which rank below
    names in options and the attribute of the VM. ``policies``: VM id → see ``VmView.evacuation_policy``."""

    hosts: Mapping[str, RequestedHost]
    orders: ResolvedNames[int] = field(default_factory=ResolvedNames)
    never_stop: ResolvedNames[bool] = field(default_factory=ResolvedNames)
    tagged: Tagged = field(default_factory=Tagged)
    policies: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class FleetRows:
    """All that was read, by object id. It never changes in place: what is read later makes a new object (``updated``, ``replace``).

    ``hosts`` to ``folders``: the watched properties; ``deep``: further properties of hosts; ``host_paths``: the paths that ``Host`` needs.
    """

    hosts: Mapping[str, Row] = field(default_factory=dict)
    vms: Mapping[str, Row] = field(default_factory=dict)
    computes: Mapping[str, Row] = field(default_factory=dict)
    datastores: Mapping[str, Row] = field(default_factory=dict)
    tasks: Mapping[str, Row] = field(default_factory=dict)
    folders: Mapping[str, Row] = field(default_factory=dict)
    deep: Mapping[str, Row] = field(default_factory=dict)
    host_paths: frozenset[str] = frozenset()
    sizes: Mapping[str, Size] = field(default_factory=dict)
    hardware: Mapping[str, VmHardware] = field(default_factory=dict)
    uses: Mapping[str, Use] = field(default_factory=dict)
    summaries: Mapping[str, object] = field(default_factory=dict)
    alarm_names: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    """id → name in results, for hosts and clusters, and for VMs whose name is not unique."""

    def updated(self, rows: Mapping[str, Row]) -> FleetRows:
        """With all watched rows as they are now. What else was read of objects that left is removed."""
        by_kind: dict[type, dict[str, Row]] = defaultdict(dict)
        for moid, row in rows.items():
            by_kind[row.kind][moid] = row
        tables: dict[str, dict[str, Any]] = {name: {} for name in _KINDS.values()}
        for kind, found in by_kind.items():
            tables[next(name for base, name in _KINDS.items() if issubclass(kind, base))] |= found
        for name in ("deep", "sizes", "hardware", "uses", "summaries"):
            known = getattr(self, name)
            if not known.keys() <= rows.keys():
                tables[name] = {moid: value for moid, value in known.items() if moid in rows}
        # A table without a change stays the same object: comparing it again is then free.
        changed: dict[str, Any] = {name: table for name, table in tables.items() if table != getattr(self, name)}
        return replace(self, **changed)

    def is_connected(self, moid: str) -> bool:
        row = self.hosts.get(moid)
        return row is not None and str(row.get("runtime.connectionState")) == "connected"


_KINDS: Mapping[type, str] = {
    vim.HostSystem: "hosts",
    vim.VirtualMachine: "vms",
    vim.ComputeResource: "computes",
    vim.Datastore: "datastores",
    vim.Task: "tasks",
    vim.Folder: "folders",
}


def _is_cluster(row: Row) -> bool:
    return issubclass(row.kind, vim.ClusterComputeResource)


def compute_of(row: Row) -> str:
    """Id of the compute resource of a host."""
    parent = row.get("parent")
    return parent._moId if parent is not None else ""


def label_of(row: Row, label: str | None) -> str:
    """The name of an object in results. ``label``: the one of ``FleetRows.labels``."""
    name: str = row.get("name", row.moid)
    return name if label is None else label


# -- shared by several views ----------------------------------------------------------------------------------------


def joined(row: Row, deep: Row | None) -> Row:
    """The watched and the further properties of a host, as one row."""
    if deep is None:
        return row
    missing = {path: fault for path, fault in row.missing.items() if path != DEVICES}
    return Row(kind=row.kind, moid=row.moid, values={**row.values, **deep.values}, missing={**missing, **deep.missing})


def rules(fleet_rows: FleetRows, memo: Memo) -> Mapping[str, Rules]:
    """Compute resource id → the settings of the cluster; unknown values where it is none."""
    return memo.each(_rules, (), fleet_rows.computes)


def _rules(row: Row) -> Rules:
    return from_rows.rules(row.get("configurationEx"))


def alarm_ids(fleet_rows: FleetRows, memo: Memo) -> Mapping[str, tuple[str, ...]]:
    """Object id → ids of its red alarms, for hosts and compute resources."""
    return memo.each(from_rows.red_alarms, (), memo.once(_both, fleet_rows.hosts, fleet_rows.computes))


def _both(hosts: Mapping[str, Row], computes: Mapping[str, Row]) -> Mapping[str, Row]:
    return {**hosts, **computes}


def _alarms(fleet_rows: FleetRows, memo: Memo) -> Mapping[str, tuple[str, ...]]:
    """Object id → names of its red alarms."""
    return memo.each(_alarm_names, (fleet_rows.alarm_names,), alarm_ids(fleet_rows, memo))


def _alarm_names(names: Mapping[str, str], moids: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names.get(moid, moid) for moid in moids))


def _tasks(rows: Mapping[str, Row]) -> Mapping[str, tuple[RunningTask, ...]]:
    return from_rows.running_tasks(rows.values())


def _mounts(rows: Mapping[str, Row]) -> Mounts:
    return from_rows.mounts(rows.values())


def _by_name(kind: str) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """A function that sorts the views of one kind. One for each kind, because ``Memo.once`` stores one result for each function."""

    def in_order(views: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(sorted(views.values(), key=attrgetter("name", "moid")))

    in_order.__name__ = f"{kind}_by_name"
    return in_order


_hosts_by_name, _vms_by_name, _clusters_by_name = (_by_name(kind) for kind in ("hosts", "vms", "clusters"))


# -- hosts ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class _TasksOnHost:
    """Tasks on a host; for the fields see ``HostView``."""

    entering: bool = False
    rebooting: bool = False
    tasks: tuple[str, ...] = ()


@reader
def built_hosts(fleet_rows: FleetRows, memo: Memo) -> Mapping[str, Host]:
    """Host id → the host, built from its rows. It is built again only when one of its own paths changed, not with each journal entry."""
    places = memo.each(compute_of, (), fleet_rows.hosts)
    names = memo.each(_cluster_name, (), fleet_rows.computes, fleet_rows.labels)
    rows = memo.each(_rows_of_host, (fleet_rows.host_paths,), fleet_rows.hosts, fleet_rows.deep)
    return memo.each(_host, (), rows, memo.once(_clusters_of_hosts, places, names), fleet_rows.labels)


def _cluster_name(row: Row, label: str | None) -> str | None:
    return label_of(row, label) if _is_cluster(row) else None


def _clusters_of_hosts(places: Mapping[str, str], names: Mapping[str, str | None]) -> Mapping[str, Mapping[str, str]]:
    """Host id → cluster id → its name, for hosts in a cluster."""
    known = {compute: {compute: name} for compute, name in names.items() if name is not None}
    return {moid: known[compute] for moid, compute in places.items() if compute in known}


def _rows_of_host(paths: frozenset[str], row: Row, deep: Row | None) -> Row:
    both = joined(row, deep)
    return replace(
        both,
        values={path: value for path, value in both.values.items() if path in paths},
        missing={path: fault for path, fault in both.missing.items() if path in paths},
    )


def _host(row: Row, cluster: Mapping[str, str] | None, label: str | None) -> Host:
    host = replace(host_from_row(row, cluster or {}), name=label_of(row, label))
    return with_graphics(host, row) if GRAPHICS in row.values or GRAPHICS in row.missing else host


@reader
def host_views(
    fleet_rows: FleetRows, asked: FleetRequest, own_tasks: Collection[str], memo: Memo | None = None
) -> tuple[HostView, ...]:
    """All hosts, by name. ``own_tasks``: ids of tasks of this run."""
    memo = memo or Memo()
    tasks = memo.once(_tasks, fleet_rows.tasks)
    views = memo.each(
        _host_view,
        (),
        fleet_rows.hosts,
        built_hosts(fleet_rows, memo),
        asked.hosts,
        memo.once(_work, tasks, frozenset(own_tasks)),
        memo.once(_mounts, fleet_rows.datastores).by_host,
        fleet_rows.sizes,
        fleet_rows.uses,
        _alarms(fleet_rows, memo),
    )
    return memo.once(_hosts_by_name, views)


def entering_tasks(fleet_rows: FleetRows, memo: Memo | None = None) -> Mapping[str, frozenset[str]]:
    """Host id → ids of the tasks that are putting it into maintenance mode."""
    running = (memo or Memo()).once(_tasks, fleet_rows.tasks)
    return {moid: frozenset(task.moid for task in tasks if task.is_entering) for moid, tasks in running.items()}


def _work(running: Mapping[str, tuple[RunningTask, ...]], own: frozenset[str]) -> Mapping[str, _TasksOnHost]:
    """Object id → the tasks on it. ``own``: tasks that do not count as work of others."""
    return {
        moid: _TasksOnHost(
            entering=any(task.is_entering for task in tasks),
            rebooting=any(task.is_reboot for task in tasks),
            tasks=tuple(
                task.name for task in tasks if not (task.is_entering or task.is_reboot) and task.moid not in own
            ),
        )
        for moid, tasks in running.items()
    }


def _host_view(
    row: Row,
    host: Host,
    wanted: RequestedHost | None,
    work: _TasksOnHost | None,
    datastores: Mapping[str, bool] | None,
    size: Size | None,
    use: Use | None,
    alarms: tuple[str, ...],
) -> HostView:
    have, used, work = size or Size(), use or Use(), work or _TasksOnHost()
    return HostView(
        host=host,
        wanted=wanted is not None,
        desired_devices=wanted.desired_devices if wanted else (),
        graphics=wanted.graphics if wanted else None,
        names_devices=wanted is None or wanted.names_devices,
        skips_missing=wanted is not None and wanted.skips_missing,
        expects_settled=wanted is not None and wanted.expects_settled,
        expected_reboot=wanted.expected_reboot if wanted else None,
        entering=work.entering,
        standby=str(row.get("runtime.powerState")) == "standBy" or row.get("runtime.standbyMode", "none") != "none",
        quarantined=bool(row.get("runtime.inQuarantineMode", False)),
        tasks=work.tasks,
        rebooting=work.rebooting,
        build=have.build,
        model=have.model,
        load=from_rows.load(have, used),
        memory_mb=have.memory_mb,
        memory_free_mb=from_rows.memory_free(have, used),
        quick_boot=have.quick_boot,
        red_alarms=alarms,
        datastores=datastores or {},
        uplinks=from_rows.links(row, have.uplinks),
    )


# -- virtual machines -----------------------------------------------------------------------------------------------


@reader
def vm_views(
    fleet_rows: FleetRows, asked: FleetRequest, fields: Mapping[int, str], memo: Memo | None = None
) -> tuple[VmView, ...]:
    """All VMs that are registered on the hosts, by name, without templates, which never run."""
    memo = memo or Memo()
    places = memo.each(compute_of, (), fleet_rows.hosts)
    residents = memo.once(_residents, memo.each(_host_of_vm, (), fleet_rows.vms), places)
    local = memo.once(_local_datastores, places, memo.once(_mounts, fleet_rows.datastores))
    views = memo.each(
        _vm_view,
        (asked.orders, asked.never_stop, asked.tagged, asked.policies, fields),
        residents,
        fleet_rows.vms,
        fleet_rows.labels,
        fleet_rows.hardware,
        memo.once(_local_to_vms, residents, local),
        memo.once(_drs_moves, residents, places, rules(fleet_rows, memo)),
    )
    return memo.once(_vms_by_name, views)


def _host_of_vm(row: Row) -> str:
    """Id of the host; empty where it has none, and for templates."""
    host = row.get("runtime.host")
    return "" if host is None or row.get("config.template", False) else host._moId


def _residents(hosts: Mapping[str, str], places: Mapping[str, str]) -> Mapping[str, str]:
    """VM id → host id, for the VMs on these hosts."""
    return {moid: host for moid, host in hosts.items() if host in places}


def _local_datastores(places: Mapping[str, str], mounts: Mounts) -> Mapping[str, frozenset[str]]:
    """Host id → the datastores that no other host of its cluster mounts."""
    siblings: dict[str, list[str]] = {}
    for host, compute in places.items():
        siblings.setdefault(compute, []).append(host)
    return {host: names for hosts in siblings.values() for host, names in mounts.local(hosts).items()}


def _local_to_vms(residents: Mapping[str, str], local: Mapping[str, frozenset[str]]) -> Mapping[str, frozenset[str]]:
    return {moid: local[host] for moid, host in residents.items()}


def _drs_moves(
    residents: Mapping[str, str], places: Mapping[str, str], settings: Mapping[str, Rules]
) -> Mapping[str, bool]:
    """VM id → whether DRS migrates it automatically, for VMs with a setting of their own in the cluster where they are."""
    return {
        moid: moves
        for compute, rule in settings.items()
        for moid, moves in rule.overrides.items()
        if places.get(residents.get(moid, "")) == compute
    }


def _vm_view(
    orders: ResolvedNames[int],
    never_stop: ResolvedNames[bool],
    tagged: Tagged,
    policies: Mapping[str, str],
    fields: Mapping[int, str],
    host: str,
    row: Row,
    label: str | None,
    hardware: VmHardware | None,
    local: frozenset[str],
    moves: bool | None,
) -> VmView:
    name, hardware = row.get("name", row.moid), hardware or VmHardware()
    requested = orders.of(row.moid, name)
    return VmView(
        moid=row.moid,
        name=label_of(row, label),
        host_moid=host,
        power_state=str(row.get("runtime.powerState", "unknown")),
        tools_running=row.get("guest.toolsRunningStatus") == "guestToolsRunning",
        tools_known=bool(row.get("guest.toolsRunningStatus")),
        has_tools=row.get("guest.toolsVersionStatus2") != "guestToolsNotInstalled",
        devices=hardware.devices,
        fixed=hardware.fixed,
        vgpu=hardware.vgpu,
        local_datastores=tuple(name for name in hardware.datastores if name in local),
        host_media=hardware.host_media,
        drs_moves=moves,
        memory_mb=hardware.memory_mb,
        reserved_mb=hardware.reserved_mb,
        evacuation_off=bool(hardware.evacuation_off),
        evacuation_policy=policies.get(row.moid, ""),
        order=_order(row, tagged, fields) if requested is None else requested,
        agent=getattr(row.get("config.managedBy"), "extensionKey", "") == AGENT_MANAGER,
        never_stop=bool(never_stop.of(row.moid, name)) or row.moid in tagged.never_stop,
        unread=_unread(row, hardware),
        shows_journal="customValue" not in row.missing,
    )


def _unread(row: Row, hardware: VmHardware) -> str:
    if not hardware.known:
        return "does not show its devices"
    if hardware.evacuation_off is None:
        return "does not show its advanced settings"
    return "" if row.get("runtime.powerState") else "does not show its power state"


def _order(row: Row, tagged: Tagged, fields: Mapping[int, str]) -> int:
    text = from_rows.custom_texts(row, fields).get(STOP_ORDER, "").strip()
    return int(text) if text.removeprefix("-").isdecimal() else tagged.orders.get(row.moid, 0)


# -- clusters -------------------------------------------------------------------------------------------------------


@reader
def cluster_views(
    fleet_rows: FleetRows, fields: Mapping[int, str], memo: Memo | None = None
) -> tuple[ClusterView, ...]:
    """Clusters, and the compute resources of standalone hosts, by name."""
    memo = memo or Memo()
    views = memo.each(
        _cluster_view,
        (fields,),
        fleet_rows.computes,
        fleet_rows.labels,
        rules(fleet_rows, memo),
        memo.once(_tasks, fleet_rows.tasks),
        fleet_rows.summaries,
        _alarms(fleet_rows, memo),
    )
    return memo.once(_clusters_by_name, views)


def _cluster_view(
    fields: Mapping[int, str],
    row: Row,
    label: str | None,
    settings: Rules,
    tasks: Iterable[RunningTask] | None,
    summary: object,
    alarms: tuple[str, ...],
) -> ClusterView:
    return ClusterView(
        moid=row.moid,
        name=label_of(row, label),
        is_cluster=_is_cluster(row),
        drs_moves_vms=settings.drs,
        vgpu_moves=settings.vgpu_moves,
        vsan=settings.vsan,
        admission=from_rows.admission(row.get("configurationEx"), summary),
        red_alarms=alarms,
        remediation=", ".join(task.name for task in tasks or () if task.is_remediation),
        pause=from_rows.custom_texts(row, fields).get(PAUSE, ""),
    )


@reader
def texts(
    fleet_rows: FleetRows, fields: Mapping[int, str], memo: Memo | None = None
) -> Mapping[str, Mapping[str, str]]:
    """Object id → attribute name → text, for hosts, VMs, compute resources and the root folder; without empty texts."""
    memo = memo or Memo()
    tables = (fleet_rows.hosts, fleet_rows.vms, fleet_rows.computes, fleet_rows.folders)
    found = (
        memo.once(filled, memo.each(read, (fields,), rows)) for (read, filled), rows in zip(_TEXTS, tables, strict=True)
    )
    return memo.once(_all, *found)


def _all(*tables: Mapping[str, Mapping[str, str]]) -> Mapping[str, Mapping[str, str]]:
    return {moid: values for table in tables for moid, values in table.items()}


_Texts = Mapping[str, str]


def _texts_of(
    kind: str,
) -> tuple[Callable[[Mapping[int, str], Row], _Texts], Callable[[Mapping[str, _Texts]], Mapping[str, _Texts]]]:
    """Functions that read the texts of one object, and that leave out objects without texts. Two for each kind, as ``_by_name``."""

    def read(fields: Mapping[int, str], row: Row) -> _Texts:
        return from_rows.custom_texts(row, fields)

    def filled(found: Mapping[str, _Texts]) -> Mapping[str, _Texts]:
        return {moid: values for moid, values in found.items() if values}

    read.__name__, filled.__name__ = f"texts_of_{kind}", f"filled_{kind}"
    return read, filled


_TEXTS = tuple(_texts_of(kind) for kind in ("hosts", "vms", "computes", "folders"))
