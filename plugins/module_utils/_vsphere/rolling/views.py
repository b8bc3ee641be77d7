# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the hosts, VMs and clusters of a rolling reboot from the rows that were read. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..._domain.host.selector import DesiredDevice
from ..._domain.names import ResolvedNames
from ..._domain.observed.hosts import Host
from ..._domain.rolling.state.journal import PAUSE, STOP_ORDER
from ..._domain.rolling.state.observed import ClusterView, HostView, VmView
from ..property_collector.retrieve import Row
from ..read.hosts import host_from_row
from ..sdk import vim
from ..session.answer_checks import reader
from . import from_rows
from .from_rows import RunningTask
from .tags import Tagged
from .vm_hardware import VmHardware

AGENT_MANAGER = "com.vmware.vim.eam"
"""The extension that owns the VMs of vSphere Cluster Services and other agents."""

DEVICES = "config.pciPassthruInfo"
"""Watched to notice changes of devices, and read again together with them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestedHost:
    """One requested host; for the fields see ``HostView``."""

    moid: str
    desired_devices: tuple[DesiredDevice, ...] = ()
    skips_missing: bool = False
    expects_settled: bool = False
    expected_reboot: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class FleetRequest:
    """The request of the caller: hosts, stop orders, and VMs that are never stopped. ``tagged``: settings from tags, which rank below
    names in options and the attribute of the VM."""

    hosts: Mapping[str, RequestedHost]
    orders: ResolvedNames[int] = field(default_factory=ResolvedNames)
    never_stop: ResolvedNames[bool] = field(default_factory=ResolvedNames)
    tagged: Tagged = field(default_factory=Tagged)


@dataclass(kw_only=True, slots=True)
class FleetRows:
    """All rows that were read, by object id. ``rows``: the watched properties; ``deep``: further properties of hosts."""

    rows: Mapping[str, Row]
    deep: dict[str, Row] = field(default_factory=dict)
    sizes: dict[str, from_rows.Size] = field(default_factory=dict)
    hardware: dict[str, VmHardware] = field(default_factory=dict)
    uses: dict[str, from_rows.Use] = field(default_factory=dict)
    summaries: dict[str, object] = field(default_factory=dict)
    alarm_names: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    """id → name in results, for hosts and clusters, and for VMs whose name is not unique."""
    known: dict[str, Host] = field(default_factory=dict)
    """Hosts that are already built. A host that changed is removed."""

    def of(self, kind: type) -> list[Row]:
        """The watched rows of this kind."""
        return [row for row in self.rows.values() if issubclass(row.kind, kind)]

    def joined(self, moid: str) -> Row:
        """The watched and the further properties of a host, as one row."""
        watched, deep = self.rows[moid], self.deep.get(moid)
        if deep is None:
            return watched
        missing = {path: fault for path, fault in watched.missing.items() if path != DEVICES}
        return Row(
            kind=watched.kind,
            moid=moid,
            values={**watched.values, **deep.values},
            missing={**missing, **deep.missing},
        )

    def host(self, moid: str) -> Host:
        """The host, built from its rows."""
        found = self.known.get(moid)
        if found is None:
            parent = self.rows.get(compute_of(self.rows[moid]))
            cluster = parent is not None and issubclass(parent.kind, vim.ClusterComputeResource)
            names = {parent.moid: self.label(parent)} if parent is not None and cluster else {}
            joined = self.joined(moid)
            found = self.known[moid] = replace(host_from_row(joined, names), name=self.label(joined))
        return found

    def label(self, row: Row) -> str:
        """The name of an object in results."""
        name: str = row.get("name", row.moid)
        return self.labels.get(row.moid, name)

    def is_connected(self, moid: str) -> bool:
        row = self.rows.get(moid)
        return row is not None and str(row.get("runtime.connectionState")) == "connected"

    def forget(self, moid: str) -> None:
        """Remove an object that no longer exists."""
        for table in (self.deep, self.sizes, self.hardware, self.uses, self.summaries, self.known):
            table.pop(moid, None)

    def rules(self) -> dict[str, from_rows.Rules]:
        """Cluster id → its settings."""
        return {row.moid: from_rows.rules(row.get("configurationEx")) for row in self.of(vim.ClusterComputeResource)}

    def alarms(self, row: Row) -> tuple[str, ...]:
        """Names of the red alarms of an object."""
        return tuple(sorted(self.alarm_names.get(moid, moid) for moid in from_rows.red_alarms(row)))


def compute_of(row: Row) -> str:
    """Id of the compute resource of a host."""
    parent = row.get("parent")
    return parent._moId if parent is not None else ""


# -- hosts ----------------------------------------------------------------------------------------------------------


@reader
def host_views(fleet_rows: FleetRows, asked: FleetRequest, own_tasks: Collection[str]) -> tuple[HostView, ...]:
    """All hosts, by name. ``own_tasks``: ids of tasks of this run."""
    tasks = from_rows.running_tasks(fleet_rows.of(vim.Task))
    mounts = from_rows.mounts(fleet_rows.of(vim.Datastore))
    views = (
        _host_view(fleet_rows, row, asked.hosts.get(row.moid), tasks.get(row.moid, ()), mounts.of(row.moid), own_tasks)
        for row in fleet_rows.of(vim.HostSystem)
    )
    return tuple(sorted(views, key=lambda view: (view.name, view.moid)))


def entering_tasks(fleet_rows: FleetRows) -> Mapping[str, frozenset[str]]:
    """Host id → ids of the tasks that are putting it into maintenance mode."""
    running = from_rows.running_tasks(fleet_rows.of(vim.Task))
    return {moid: frozenset(task.moid for task in tasks if task.is_entering) for moid, tasks in running.items()}


def _host_view(
    fleet_rows: FleetRows,
    row: Row,
    wanted: RequestedHost | None,
    tasks: Sequence[RunningTask],
    datastores: Mapping[str, bool],
    own_tasks: Collection[str],
) -> HostView:
    have, used = fleet_rows.sizes.get(row.moid, from_rows.Size()), fleet_rows.uses.get(row.moid, from_rows.Use())
    others = [task for task in tasks if not (task.is_entering or task.is_reboot) and task.moid not in own_tasks]
    return HostView(
        host=fleet_rows.host(row.moid),
        wanted=wanted is not None,
        desired_devices=wanted.desired_devices if wanted else (),
        skips_missing=wanted is not None and wanted.skips_missing,
        expects_settled=wanted is not None and wanted.expects_settled,
        expected_reboot=wanted.expected_reboot if wanted else None,
        entering=any(task.is_entering for task in tasks),
        standby=str(row.get("runtime.powerState")) == "standBy" or row.get("runtime.standbyMode", "none") != "none",
        quarantined=bool(row.get("runtime.inQuarantineMode", False)),
        tasks=tuple(task.name for task in others),
        rebooting=any(task.is_reboot for task in tasks),
        build=have.build,
        model=have.model,
        load=from_rows.load(have, used),
        memory_mb=have.memory_mb,
        memory_free_mb=from_rows.memory_free(have, used),
        quick_boot=have.quick_boot,
        red_alarms=fleet_rows.alarms(row),
        datastores=datastores,
        uplinks=from_rows.links(row, have.uplinks),
    )


# -- virtual machines -----------------------------------------------------------------------------------------------


@reader
def vm_views(fleet_rows: FleetRows, asked: FleetRequest, fields: Mapping[int, str]) -> tuple[VmView, ...]:
    """All VMs that are registered on the hosts, by name, without templates, which never run."""
    places = {row.moid: compute_of(row) for row in fleet_rows.of(vim.HostSystem)}
    siblings: dict[str, list[str]] = {}
    for host, compute in places.items():
        siblings.setdefault(compute, []).append(host)
    rules = fleet_rows.rules()
    mounts = from_rows.mounts(fleet_rows.of(vim.Datastore))
    local = {host: names for hosts in siblings.values() for host, names in mounts.local(hosts).items()}
    views = []
    for row in fleet_rows.of(vim.VirtualMachine):
        host = row.get("runtime.host")
        if host is None or host._moId not in places or row.get("config.template", False):
            continue
        compute = places[host._moId]
        hardware = fleet_rows.hardware.get(row.moid, VmHardware())
        alone = tuple(name for name in hardware.datastores if name in local[host._moId])
        moves = rules[compute].overrides.get(row.moid) if compute in rules else None
        views.append(_vm_view(row, fleet_rows.label(row), host._moId, hardware, alone, moves, asked, fields))
    return tuple(sorted(views, key=lambda view: (view.name, view.moid)))


def _vm_view(
    row: Row,
    label: str,
    host: str,
    hardware: VmHardware,
    local: tuple[str, ...],
    moves: bool | None,
    asked: FleetRequest,
    fields: Mapping[int, str],
) -> VmView:
    name = row.get("name", row.moid)
    return VmView(
        moid=row.moid,
        name=label,
        host_moid=host,
        power_state=str(row.get("runtime.powerState", "unknown")),
        tools_running=row.get("guest.toolsRunningStatus") == "guestToolsRunning",
        tools_known=bool(row.get("guest.toolsRunningStatus")),
        has_tools=row.get("guest.toolsVersionStatus2") != "guestToolsNotInstalled",
        devices=hardware.devices,
        fixed=hardware.fixed,
        vgpu=hardware.vgpu,
        local_datastores=local,
        host_media=hardware.host_media,
        drs_moves=moves,
        memory_mb=hardware.memory_mb,
        reserved_mb=hardware.reserved_mb,
        order=_order(row, name, asked, fields),
        agent=getattr(row.get("config.managedBy"), "extensionKey", "") == AGENT_MANAGER,
        never_stop=bool(asked.never_stop.of(row.moid, name)) or row.moid in asked.tagged.never_stop,
        unread=_unread(row, hardware),
        shows_journal="customValue" not in row.missing,
    )


def _unread(row: Row, hardware: VmHardware) -> str:
    if not hardware.known:
        return "does not show its devices"
    return "" if row.get("runtime.powerState") else "does not show its power state"


def _order(row: Row, name: str, asked: FleetRequest, fields: Mapping[int, str]) -> int:
    requested = asked.orders.of(row.moid, name)
    if requested is not None:
        return requested
    text = from_rows.custom_texts(row, fields).get(STOP_ORDER, "").strip()
    return int(text) if text.removeprefix("-").isdecimal() else asked.tagged.orders.get(row.moid, 0)


# -- clusters -------------------------------------------------------------------------------------------------------


@reader
def cluster_views(fleet_rows: FleetRows, fields: Mapping[int, str]) -> tuple[ClusterView, ...]:
    """Clusters, and the compute resources of standalone hosts, by name."""
    tasks = from_rows.running_tasks(fleet_rows.of(vim.Task))
    rules = fleet_rows.rules()
    views = (
        _cluster_view(fleet_rows, row, rules.get(row.moid, from_rows.Rules()), tasks.get(row.moid, ()), fields)
        for row in fleet_rows.of(vim.ComputeResource)
    )
    return tuple(sorted(views, key=lambda view: (view.name, view.moid)))


def _cluster_view(
    fleet_rows: FleetRows, row: Row, rules: from_rows.Rules, tasks: Iterable[RunningTask], fields: Mapping[int, str]
) -> ClusterView:
    return ClusterView(
        moid=row.moid,
        name=fleet_rows.label(row),
        is_cluster=issubclass(row.kind, vim.ClusterComputeResource),
        drs_moves_vms=rules.drs,
        vgpu_moves=rules.vgpu_moves,
        vsan=rules.vsan,
        admission=from_rows.admission(row.get("configurationEx"), fleet_rows.summaries.get(row.moid)),
        red_alarms=fleet_rows.alarms(row),
        remediation=", ".join(task.name for task in tasks if task.is_remediation),
        pause=from_rows.custom_texts(row, fields).get(PAUSE, ""),
    )


@reader
def texts(fleet_rows: FleetRows, fields: Mapping[int, str]) -> dict[str, dict[str, str]]:
    """Object id → attribute name → text, for hosts, VMs, compute resources and the root folder; without empty texts."""
    kinds = (vim.HostSystem, vim.VirtualMachine, vim.ComputeResource, vim.Folder)
    found = {
        row.moid: from_rows.custom_texts(row, fields) for row in fleet_rows.rows.values() if issubclass(row.kind, kinds)
    }
    return {moid: values for moid, values in found.items() if values}
