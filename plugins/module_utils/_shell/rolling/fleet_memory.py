# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run has seen and the server may no longer show: hosts in progress, VMs shut down for them. PRIVATE to the collection.

The journal is stored on the objects themselves. When a host is removed from vCenter, its journal entry and its VMs go with it. So the run
keeps what it saw, and passes it from slice to slice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..._domain.observed.hosts import Host
from ..._domain.rolling.state.codec import decode_host, encode
from ..._domain.rolling.state.journal import ENTRY, Entry
from ..._domain.rolling.state.observed import GoneHost, HostView, VmView
from ..._domain.rolling.state.phases import is_active

MOST_LOOKS = 30
"""A host that exists, but is not shown among the hosts of this run (it was moved), is looked for this often."""


@dataclass(kw_only=True)
class FleetMemory:
    """``hosts``: moid → host in progress, its entry and the name of its cluster, as seen last. ``stopped``: VM moid → (name, moid of the
    host for which it was shut down). ``silent``: host moid → since when it does not respond."""

    hosts: dict[str, tuple[HostView, Entry, str]] = field(default_factory=dict)
    stopped: dict[str, tuple[str, str]] = field(default_factory=dict)
    silent: dict[str, float] = field(default_factory=dict)
    _looks: dict[str, int] = field(default_factory=dict)
    _gone: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> FleetMemory:
        """From ``record`` of an earlier slice. What cannot be read is left out."""
        memory = cls()
        for moid, (name, cluster, text) in (record.get("hosts") or {}).items():
            entry = decode_host({ENTRY: str(text)})[0]
            if entry is not None:
                view = HostView(host=Host(moid=moid, name=str(name), connection_state="removed"), wanted=False)
                memory.hosts[str(moid)] = (view, entry, str(cluster))
        memory.stopped = {str(moid): (str(name), str(host)) for moid, (name, host) in (record.get("vms") or {}).items()}
        memory.silent = {str(moid): float(since) for moid, since in (record.get("silent") or {}).items()}
        memory._gone = {str(moid) for moid in record.get("gone") or ()} & memory.hosts.keys()
        return memory

    def record(self) -> dict[str, Any]:
        """As data for the next slice."""
        return {
            "hosts": {
                moid: [view.name, cluster, encode(entry)[ENTRY]] for moid, (view, entry, cluster) in self.hosts.items()
            },
            "vms": {moid: list(pair) for moid, pair in self.stopped.items()},
            "silent": dict(self.silent),
            "gone": sorted(self._gone),
        }

    def see(
        self,
        entries: Mapping[str, tuple[HostView, Entry]],
        hosts: Collection[HostView],
        vms: Collection[VmView],
        clusters: Mapping[str, str],
        now: float,
    ) -> None:
        """Take in the present state. ``entries``: host moid → host and its entry; ``clusters``: moid → name."""
        for view in hosts:
            if view.host.connection_state == "notResponding":
                self.silent.setdefault(view.moid, now)
            else:
                self.silent.pop(view.moid, None)
            self._gone.discard(view.moid)
            if view.moid not in entries:
                self.hosts.pop(view.moid, None)
        for moid, (view, entry) in entries.items():
            if is_active(entry):
                self.hosts[moid] = (view, entry, clusters.get(view.host.compute_moid, ""))
            else:
                self.hosts.pop(moid, None)
        for vm in vms:
            if vm.entry is not None:
                self.stopped[vm.moid] = (vm.name, vm.entry.host)
            elif vm.is_on:
                self.stopped.pop(vm.moid, None)

    def missing(self, shown: Iterable[HostView], exists: Callable[[str], bool]) -> bool:
        """Whether a host in progress is not shown and it is not clear yet why. Those that do not exist are then ``gone``."""
        unclear = False
        for moid in self.hosts.keys() - {view.moid for view in shown} - self._gone:
            self._looks[moid] = self._looks.get(moid, 0) + 1
            if self._looks[moid] > MOST_LOOKS or not exists(moid):
                self._gone.add(moid)
            else:
                unclear = True
        return unclear

    def gone(self, vms: Collection[VmView]) -> tuple[GoneHost, ...]:
        """The hosts that were removed while they were in progress, with the VMs that were shut down for them."""
        shown = {vm.moid: vm for vm in vms}
        found = []
        for moid in sorted(self._gone):
            view, entry, cluster = self.hosts[moid]
            own = {vm: name for vm, (name, host) in self.stopped.items() if host == moid}
            found.append(
                GoneHost(
                    view=view,
                    entry=entry,
                    cluster=cluster,
                    off=tuple(sorted(name for vm, name in own.items() if vm in shown and not shown[vm].is_on)),
                    lost=tuple(sorted(name for vm, name in own.items() if vm not in shown)),
                )
            )
        return tuple(found)

    def all_gone(self) -> tuple[GoneHost, ...]:
        """The same if the server shows no host and no VM any more."""
        self._gone = set(self.hosts)
        return self.gone(())

    def lost_vms(self, vms: Collection[VmView]) -> dict[str, str]:
        """VM moid → name: shut down for a host that is still there, and no longer shown."""
        shown = {vm.moid for vm in vms}
        return {
            moid: name for moid, (name, host) in self.stopped.items() if moid not in shown and host not in self._gone
        }
