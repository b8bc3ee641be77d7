# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watches all hosts, VMs and clusters of a server with one property filter, and turns changes into events. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..._domain.changes.events import (
    has_other_boot_time,
    host_events,
    next_boot,
    started_event,
    unreadable,
)
from ..._domain.changes.observed import SeenBoot, WatchedHost, watched_host
from ..._domain.observed.device_users import users_by_host
from ..._domain.observed.hosts import Host
from ..._domain.observed.vms import Vm
from ..._domain.plain import Record
from ..._domain.rolling.lost_locks import lock_event, lost_locks
from ..property_collector.retrieve import DEVICES_PAGE, collect_objects
from ..property_collector.updates import NEW, Delta, Watch
from ..read.hosts import host_from_row, host_paths
from ..read.vms import USER_PATHS, vm_from_row
from ..rolling.fresh import uptime
from ..sdk import vim, vmodl
from ..session.answer_checks import reader
from ..session.connect import Session
from .memory import CUSTOM, DEVICES, ChangeMemory, LockTexts, kept, watched_locks

_pc = vmodl.query.PropertyCollector

_HOST_TRIGGERS = frozenset({NEW, "name", "parent", "runtime.connectionState", "runtime.bootTime", DEVICES})
_VM_TRIGGERS = frozenset(
    {NEW, "name", "runtime.host", "runtime.powerState", "runtime.connectionState", "config.changeVersion"}
)
_PATHS: Mapping[type, tuple[str, ...]] = {
    vim.HostSystem: (*sorted(_HOST_TRIGGERS - {NEW}), CUSTOM),
    vim.VirtualMachine: (*sorted(_VM_TRIGGERS - {NEW}), CUSTOM),
    vim.ClusterComputeResource: ("name", CUSTOM),
}
_CLUSTERS = (vim.ClusterComputeResource,)
LONGEST = 30.0
"""Seconds after which a wait returns without a change."""


class ChangeWatch:
    """The watch of one session. ``memory`` outlives it: what changed while there was no session is an event of the next one."""

    def __init__(self, session: Session, memory: ChangeMemory) -> None:
        self._session = session
        self._memory = memory
        self._watch = Watch(session, self._describe, keep=kept)
        self._watch.rows = memory.rows
        self._texts = LockTexts(self._definitions)
        self._server_ahead = 0.0
        """How much the clock of vCenter is ahead of that of this session."""
        self._due: float | None = None
        """When the next lock becomes stale, by the clock of vCenter."""
        self._read_clock()

    def wait(self, seconds: float = LONGEST) -> list[Record]:
        """The events since the last call. Returns at once if there are any, else after at most ``seconds``.

        Raises DirectPathError, connection errors and faults of the server. What was not returned then is returned by the next watch.
        """
        self._note(self._watch.wait(self._patience(seconds)))
        memory = self._memory
        self._read_vms()
        self._drop_gone()
        self._read_hosts()
        if not memory.started:
            memory.started = True
            memory.events = [started_event(memory.hosts.values()) | {"locks_not_readable": self._hidden()}]
        self._find_lost_locks()
        found, memory.events = memory.events, []
        return found

    def interrupt(self) -> None:
        """End the wait of another thread."""
        self._watch.interrupt()

    def close(self) -> None:
        """Remove the filter from the server."""
        self._watch.close()

    def _patience(self, seconds: float) -> float:
        if self._memory.is_behind:
            return 0.0
        if self._due is None:
            return seconds
        # A second more: times in a lock are rounded down.
        return max(0.0, min(seconds, self._due + 1 - self._session.clock() - self._server_ahead))

    def _describe(self) -> tuple[list[Any], dict[type, list[str]]]:
        root, kinds = self._session.content.rootFolder, list(_PATHS)
        view = self._session.content.viewManager.CreateContainerView(root, kinds, True)
        walk = _pc.TraversalSpec(type=vim.view.ContainerView, path="view", skip=False)
        return [_pc.ObjectSpec(obj=view, skip=True, selectSet=[walk])], {
            kind: list(paths) for kind, paths in _PATHS.items()
        }

    # -- hosts and VMs --------------------------------------------------------------------------------------------

    def _note(self, delta: Delta) -> None:
        """Remember which hosts and VMs are to be read: devices or boot may have changed, or which VM has a device."""
        memory = self._memory
        for moid, paths in delta.changed.items():
            kind = memory.rows[moid].kind
            if kind is vim.HostSystem and paths & _HOST_TRIGGERS:
                memory.hosts_due.add(moid)
            elif kind is vim.VirtualMachine and paths & _VM_TRIGGERS:
                memory.vms_due.add(moid)
        memory.gone.update(delta.left)

    def _read_vms(self) -> None:
        """Read the VMs. The hosts where a device may have other VMs than before are to be read, too.

        A VM that cannot be read keeps the devices that were known of it: it did not lose them.
        """
        memory = self._memory
        found = {vm.moid: vm for vm in self._vms(memory.vms_due)}
        unread = {moid for moid, vm in found.items() if vm.unread_devices and not vm.devices}
        now = {moid: vm for moid, vm in found.items() if vm.devices}
        for moid in (memory.vms_due | memory.gone) - unread:
            before = memory.vms.pop(moid, None)
            if moid in now:
                memory.vms[moid] = now[moid]
            if before != now.get(moid):
                memory.hosts_due.update(vm.host_moid for vm in (before, now.get(moid)) if vm and vm.host_moid)
        memory.vms_due.clear()

    @reader
    def _vms(self, moids: Collection[str]) -> list[Vm]:
        rows = collect_objects(self._session, vim.VirtualMachine, moids, USER_PATHS, page=DEVICES_PAGE)
        return [vm_from_row(row, None) for row in rows]

    def _drop_gone(self) -> None:
        memory = self._memory
        for moid in sorted(memory.gone):
            host = memory.hosts.pop(moid, None)
            memory.unsure.discard(moid)
            memory.hosts_due.discard(moid)
            memory.events += host_events(host, None)
        memory.gone.clear()

    def _read_hosts(self) -> None:
        """Read the hosts, and compare them with what was known."""
        memory = self._memory
        clusters = {m: str(r.values.get("name", m)) for m, r in memory.rows.items() if r.kind in _CLUSTERS}
        due = (memory.hosts_due | memory.unsure) & memory.rows.keys()
        rows = collect_objects(self._session, vim.HostSystem, due, host_paths(self._session)) if due else []
        users = users_by_host(memory.vms.values()) if rows else {}
        found = [host_from_row(row, clusters) for row in rows]
        for host in sorted(found, key=lambda host: (host.name, host.moid)):
            before = memory.hosts.get(host.moid)
            now = self._watched(host, before, users.get(host.moid, {}))
            memory.hosts[host.moid] = now
            memory.events += host_events(before, now)
        memory.hosts_due.clear()

    def _watched(self, host: Host, before: WatchedHost | None, users: Any) -> WatchedHost:
        now = self._session.clock()
        known = SeenBoot(time=None, since=now) if before is None else before.boot
        if not host.is_reachable:
            if before is not None:
                return unreadable(before)
            return WatchedHost(
                moid=host.moid, name=host.name, cluster=host.cluster, known=False, boot=known, devices=None
            )
        asked = has_other_boot_time(known, host.boot_time)
        up = uptime(self._session, host.moid) if asked else None
        boot = next_boot(known, boot_time=host.boot_time, uptime=up, now=now)
        if boot is None:
            self._memory.unsure.add(host.moid)
        else:
            self._memory.unsure.discard(host.moid)
        return watched_host(host, users, boot or known)

    # -- locks ----------------------------------------------------------------------------------------------------

    def _find_lost_locks(self) -> None:
        rows = self._memory.rows
        texts = {moid: held for moid, row in rows.items() if (held := self._texts.of(row))}
        locks = watched_locks(rows, texts)
        now = self._session.clock() + self._server_ahead
        lost, self._due = lost_locks(locks, self._memory.reported, now)
        if lost:
            # The clock of vCenter decides, as for a run that takes the lock, and it may have been set.
            now = self._read_clock()
            lost, self._due = lost_locks(locks, self._memory.reported, now)
        self._memory.reported.update({found.key: found.lock.beat for found in lost})
        self._memory.events += [lock_event(found, now) for found in lost]

    def _read_clock(self) -> float:
        now = float(self._session.instance.CurrentTime().timestamp())
        self._server_ahead = now - self._session.clock()
        return now

    @reader
    def _definitions(self) -> Collection[Any]:
        manager = self._session.content.customFieldsManager
        if manager is None:
            return ()
        rows = collect_objects(self._session, vim.CustomFieldsManager, [manager._moId], ("field",))
        found: Collection[Any] = rows[0].get("field", ()) if rows else ()
        return found

    def _hidden(self) -> int:
        """Clusters and hosts whose custom attributes this account cannot read: a lost lock there would not be noticed."""
        return sum(CUSTOM in row.missing for row in self._memory.rows.values() if row.kind is not vim.VirtualMachine)
