# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single reads of a rolling reboot: present state before a call, uptime and services, the event log. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from ..._domain.rolling.state.observed import PoweredOff
from ..property_collector.mixed_types import collect_named
from ..property_collector.retrieve import Row, collect_objects
from ..read.events import SLACK, Account, account_of, read_events
from ..sdk import vim, vmodl
from ..session.answer_checks import reader
from ..session.connect import Session
from ..session.faults import SESSION_LOST
from .from_rows import TASK_PATHS, RunningTask, running_tasks

Beside = tuple[type, str]
"""Type and id of an object."""

_POWER_EVENTS = ("VmPoweredOffEvent", "VmGuestShutdownEvent", "VmPoweredOnEvent")
_SERVICES = ("vpxd", "vpxuser", "com.vmware.")
"""How names of services of vCenter begin. Not published; events of DRS usually name no user at all."""
_EVENTS = ("EnteringMaintenanceModeEvent", "EnteredMaintenanceModeEvent", "ExitMaintenanceModeEvent")


@dataclass(frozen=True, kw_only=True, slots=True)
class HostFresh:
    """The present state of a host. ``running``: names of the powered-on VMs. ``tasks``: those queued or running on it. ``beside``: the
    custom values of the object that was read in the same call."""

    connected: bool
    in_maintenance: bool
    boot_time: float | None
    running: tuple[str, ...] = ()
    tasks: tuple[RunningTask, ...] = ()
    beside: tuple[Any, ...] = ()

    @property
    def entering(self) -> bool:
        return any(task.is_entering for task in self.tasks)


@dataclass(frozen=True, kw_only=True, slots=True)
class VmFresh:
    """The present state of a VM; ``beside`` as in ``HostFresh``."""

    power_state: str
    host_moid: str
    beside: tuple[Any, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class GuestFresh:
    """What vCenter shows of a guest: ``tools`` as guest.toolsRunningStatus, ``heartbeat`` as guestHeartbeatStatus (ManagedEntityStatus),
    ``address`` as guest.ipAddress. None: not shown."""

    power_state: str
    tools: str | None = None
    heartbeat: str | None = None
    address: str | None = None


_CUSTOM = "customValue"
_GUEST_PATHS = ("runtime.powerState", "guest.toolsRunningStatus", "guestHeartbeatStatus", "guest.ipAddress")


@reader
def fresh_host(session: Session, moid: str, beside: Beside | None = None) -> HostFresh | None:
    """The host, its VMs and its tasks in one call; None if it no longer exists. ``beside``: an object to read in the same call."""
    paths: dict[type, tuple[str, ...]] = {
        vim.HostSystem: ("runtime.connectionState", "runtime.inMaintenanceMode", "runtime.bootTime"),
        vim.VirtualMachine: ("name", "runtime.powerState"),
        vim.Task: TASK_PATHS,
    }
    links = {vim.HostSystem: ("vm", "recentTask")}
    found, row, custom = _look(session, vim.HostSystem, moid, beside, paths, links)
    if row is None:
        return None
    boot_time = row.get("runtime.bootTime")
    on = [vm for vm in found[vim.VirtualMachine] if str(vm.get("runtime.powerState")) == "poweredOn"]
    return HostFresh(
        connected=str(row.get("runtime.connectionState")) == "connected",
        in_maintenance=bool(row.get("runtime.inMaintenanceMode", False)),
        boot_time=boot_time.timestamp() if boot_time is not None else None,
        running=tuple(sorted(vm.get("name", vm.moid) for vm in on)),
        tasks=running_tasks(found[vim.Task]).get(moid, ()),
        beside=custom,
    )


@reader
def fresh_vm(session: Session, moid: str, beside: Beside | None = None) -> VmFresh | None:
    """The VM; None if it no longer exists. ``beside`` as in ``fresh_host``."""
    paths: dict[type, tuple[str, ...]] = {vim.VirtualMachine: ("runtime.powerState", "runtime.host")}
    _unused, row, custom = _look(session, vim.VirtualMachine, moid, beside, paths)
    if row is None:
        return None
    host = row.get("runtime.host")
    return VmFresh(
        power_state=str(row.get("runtime.powerState", "unknown")),
        host_moid=host._moId if host is not None else "",
        beside=custom,
    )


@reader
def guests(session: Session, moids: Iterable[str]) -> dict[str, GuestFresh]:
    """VM id → what vCenter shows of its guest. One call; VMs that no longer exist are left out."""
    rows = collect_objects(session, vim.VirtualMachine, moids, _GUEST_PATHS)
    return {
        row.moid: GuestFresh(
            power_state=str(row.get("runtime.powerState", "unknown")),
            tools=row.get("guest.toolsRunningStatus"),
            heartbeat=None if row.get("guestHeartbeatStatus") is None else str(row.get("guestHeartbeatStatus")),
            address=row.get("guest.ipAddress"),
        )
        for row in rows
    }


def _look(
    session: Session,
    kind: type,
    moid: str,
    beside: Beside | None,
    paths: dict[type, tuple[str, ...]],
    links: Mapping[type, Sequence[str]] | None = None,
) -> tuple[dict[type, list[Row]], Row | None, tuple[Any, ...]]:
    """One call: all rows, the row of the object itself, and the custom values of the object ``beside``."""
    named = {kind: [moid]}
    other, near = beside or (kind, "")
    if near:
        named[other] = [*named.get(other, ()), near]
        paths[other] = (*paths.get(other, ()), _CUSTOM)
    found = collect_named(session, named, paths, links=links)
    rows = {row.moid: row for each in named for row in found[each]}
    custom = rows[near].get(_CUSTOM) if near in rows else None
    return found, rows.get(moid), tuple(custom or ())


@reader
def uptime(session: Session, moid: str) -> float | None:
    """Seconds, by the hardware clock of the host; None if the host does not answer."""
    try:
        return float(session.reference(vim.HostSystem, moid).RetrieveHardwareUptime())
    except SESSION_LOST:
        raise
    except vmodl.MethodFault:
        return None


def services_answer(session: Session, system: Any) -> bool:
    """Whether the passthrough system answers a Refresh. If the account may not call it (NoPermission), it counts as answering."""
    if system is None:
        return True
    try:
        session.reference(vim.host.PciPassthruSystem, system._moId).Refresh()
    except SESSION_LOST:
        raise
    except vim.fault.NoPermission:
        return True
    except vmodl.MethodFault:
        return False
    return True


# -- whose maintenance mode -----------------------------------------------------------------------------------------


@reader
def maintenance_is_own(
    session: Session, since: Mapping[str, float], accounts: Mapping[str, str] | None = None
) -> dict[str, bool | None]:
    """Host id → True if this account was the last to enter maintenance mode and nothing ended it since that time (seconds since the
    epoch); False if another account entered it, or if it was ended and entered again; None if the log does not show it. One query.
    ``accounts``: host id → another account that counts as this one there."""
    log = read_events(session, min(since.values()), _EVENTS) if since else None
    if log is None:
        return dict.fromkeys(since)
    table: dict[str, list[Any]] = {moid: [] for moid in since}
    for event in log.events:
        host = event.host.host._moId if event.host is not None else ""
        if host in table and event.createdTime.timestamp() >= since[host] - SLACK:
            table[host].append(event)
    also = {moid: {account_of(name)} for moid, name in (accounts or {}).items() if name}
    return {moid: _own(found, log.mine | also.get(moid, set())) for moid, found in table.items()}


@reader
def power_offs(session: Session, since: Mapping[str, float]) -> dict[str, PoweredOff]:
    """VM id → who powered it off since that time (seconds since the epoch), by the event log. One query; VMs without an event are left
    out. An event without a user, or with a service of vCenter as user, is vCenter's own. This account is unclear: the call that evacuates
    the host was made with it, but another person may use it, too."""
    log = read_events(session, min(since.values()), _POWER_EVENTS) if since else None
    if log is None:
        return {}
    users: dict[str, list[str]] = {}
    for event in log.events:
        vm = event.vm.vm._moId if event.vm is not None else ""
        if vm not in since or event.createdTime.timestamp() < since[vm] - SLACK:
            continue
        if isinstance(event, vim.event.VmPoweredOnEvent):
            users.pop(vm, None)
        else:
            users.setdefault(vm, []).append(event.userName or "")
    return {vm: _who(found, log.mine) for vm, found in users.items()}


def _who(users: Iterable[str], mine: Set[Account]) -> PoweredOff:
    """A guest that a user asked to shut down ends with an event that names no user."""
    people = [user for user in users if user and not account_of(user)[0].startswith(_SERVICES)]
    if not people:
        return PoweredOff(by="vcenter")
    others = [user for user in people if account_of(user) not in mine]
    return PoweredOff(by="user", user=others[-1]) if others else PoweredOff(by="unclear")


def _own(events: Iterable[Any], mine: Set[Account]) -> bool | None:
    left = False
    answer: bool | None = None
    for event in events:
        if isinstance(event, vim.event.ExitMaintenanceModeEvent):
            left, answer = True, None
        elif left:
            return False
        elif event.userName:
            # An event without a user name is no evidence: the event for the end of entering sometimes has none.
            answer = answer is not False and account_of(event.userName) in mine
    return answer
