# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a slice of a run passes to the next one, as data of an option and of a result. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..._domain.observed.hosts import Host
from ..._domain.rolling.state.codec import decode_host, encode
from ..._domain.rolling.state.fleet_memory import FleetMemory, RememberedHost, StoppedVm
from ..._domain.rolling.state.journal import ENTRY
from ..._domain.rolling.state.observed import HostView
from ..._vsphere.rolling.run_clock import Anchor
from .run_owner import machine


@dataclass(frozen=True, kw_only=True, slots=True)
class EarlierSlices:
    """``clock``: None = the clock of this run begins with the one of the server."""

    memory: FleetMemory = field(default_factory=FleetMemory)
    clock: Anchor | None = None
    phases: Mapping[str, str] = field(default_factory=dict)
    """Host id → its last phase. Only with events in vCenter."""

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> EarlierSlices:
        """From ``record``. A journal entry that cannot be read is left out.

        Raises TypeError, ValueError or AttributeError for a value that no slice returns.
        """
        hosts = {}
        for moid, (name, cluster, text) in (record.get("hosts") or {}).items():
            entry = decode_host({ENTRY: str(text)})[0]
            if entry is not None:
                view = HostView(host=Host(moid=moid, name=str(name), connection_state="removed"), wanted=False)
                hosts[str(moid)] = RememberedHost(view=view, entry=entry, cluster=str(cluster))
        memory = FleetMemory(
            in_progress=hosts,
            stopped={
                str(moid): StoppedVm(name=str(name), host=str(host))
                for moid, (name, host) in (record.get("vms") or {}).items()
            },
            silent={str(moid): float(since) for moid, since in (record.get("silent") or {}).items()},
            ran={str(moid): str(host) for moid, host in (record.get("ran") or {}).items()},
            removed=frozenset({str(moid) for moid in record.get("gone") or ()} & hosts.keys()),
        )
        phases = {str(moid): str(phase) for moid, phase in (record.get("phases") or {}).items()}
        return cls(memory=memory, clock=Anchor.of(record.get("clock") or {}, machine()), phases=phases)

    def record(self) -> dict[str, Any]:
        """As data for the next slice."""
        return {
            "clock": {} if self.clock is None else self.clock.record(),
            "hosts": {
                moid: [host.view.name, host.cluster, encode(host.entry)[ENTRY]]
                for moid, host in self.memory.in_progress.items()
            },
            "vms": {moid: [vm.name, vm.host] for moid, vm in self.memory.stopped.items()},
            "silent": dict(self.memory.silent),
            "ran": dict(self.memory.ran),
            "gone": sorted(self.memory.removed),
            **({"phases": dict(self.phases)} if self.phases else {}),
        }
