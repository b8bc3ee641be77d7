# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""VMs of hosts in progress that are found off although this run did not stop them: who did? PRIVATE to the collection.

Compute policies of vCenter can power off VMs when their host is evacuated, and not every server shows them. The events of a VM show the
user: none, or a service of vCenter, means vCenter itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from ..._domain.rolling.state.actions import Action
from ..._domain.rolling.state.fleet_memory import FleetMemory
from ..._domain.rolling.state.journal import Entry, is_active
from ..._domain.rolling.state.observed import ObservedFleet, PoweredOff, VmView

LOOKS = 3
"""So often the events are read for a VM that shows none: the log may be behind."""

Reader = Callable[[Mapping[str, float]], Mapping[str, PoweredOff]]
"""VM id → since when (server time), to VM id → who powered it off. VMs without an event are left out."""


@dataclass(kw_only=True)
class PowerOffs:
    """``read``: one query of the events. ``note``: reports a sentence. ``memory``: what earlier slices saw. ``ran``: see
    ``FleetMemory``."""

    read: Reader
    note: Callable[[str], None]
    memory: FleetMemory
    ran: dict[str, str] = field(init=False)
    _verdicts: dict[str, PoweredOff] = field(default_factory=dict)
    _looks: dict[str, int] = field(default_factory=dict)
    """VMs that ran and show no event yet, and how often it was looked for."""
    _seen: tuple[tuple[VmView, ...], Collection[str]] | None = None
    _known: set[str] = field(init=False)
    """Hosts that this process, or an earlier slice, has seen in progress from the beginning."""

    def __post_init__(self) -> None:
        self._known, self.ran = set(self.memory.in_progress), dict(self.memory.ran)

    def look(self, observed: ObservedFleet) -> ObservedFleet:
        """The fleet with the verdicts. The events are read only for VMs that ran and are off now."""
        active = {
            view.moid: view.entry
            for view in observed.hosts
            if view.entry is not None and is_active(view.entry) and view.entry.run_id == observed.run_id
        }
        seen = (observed.vms, active.keys())
        # Nothing about the VMs has changed in nearly all looks.
        if self._looks or self._seen is None or seen[0] is not self._seen[0] or seen[1] != self._seen[1]:
            self._seen = seen
            self._look_again(active, observed)
        if not self._verdicts:
            return observed
        vms = (
            replace(vm, powered_off=self._verdicts[vm.moid]) if vm.moid in self._verdicts else vm for vm in observed.vms
        )
        return replace(observed, vms=tuple(vms))

    def _look_again(self, active: Mapping[str, Entry], observed: ObservedFleet) -> None:
        self.ran = {vm: host for vm, host in self.ran.items() if host in active}
        found = {vm.moid: vm for vm in observed.vms if vm.host_moid in active} if active else {}
        off = [vm for vm in found.values() if self._is_to_judge(vm)]
        if off:
            self._judge(off, active, observed)
        self._known |= active.keys()
        self._verdicts = {moid: verdict for moid, verdict in self._verdicts.items() if moid in found}
        self._looks = {moid: looks for moid, looks in self._looks.items() if moid in found}

    def begins(self, actions: Iterable[Action], observed: ObservedFleet) -> None:
        """Hosts are about to be started: remember which VMs run on them."""
        hosts = {action.target for action in actions if isinstance(action.entry, Entry) and action.before is not None}
        if hosts:
            self.ran |= {vm.moid: vm.host_moid for vm in observed.vms if vm.is_on and vm.host_moid in hosts}
            self._known |= hosts

    def _is_to_judge(self, vm: VmView) -> bool:
        """It ran; or it is on a host that another process started, and it is unknown whether it ran."""
        if vm.is_on:
            self.ran[vm.moid] = vm.host_moid
            self._verdicts.pop(vm.moid, None)
            self._looks.pop(vm.moid, None)
            return False
        if vm.entry is not None or vm.agent or vm.power_state != "poweredOff" or vm.moid in self._verdicts:
            return False
        return vm.moid in self.ran or vm.host_moid not in self._known

    def _judge(self, vms: Iterable[VmView], active: Mapping[str, Entry], observed: ObservedFleet) -> None:
        since = {vm.moid: active[vm.host_moid].started + observed.ahead for vm in vms}
        verdicts = self.read(since)
        names = {view.moid: view.name for view in observed.hosts}
        for vm in vms:
            verdict = verdicts.get(vm.moid)
            if verdict is None:
                if vm.moid not in self.ran:
                    continue  # it was off before
                self._looks[vm.moid] = self._looks.get(vm.moid, 0) + 1
                if self._looks[vm.moid] < LOOKS:
                    continue
                verdict = PoweredOff(by="unclear")
            self.ran.pop(vm.moid, None)
            self._looks.pop(vm.moid, None)
            self._verdicts[vm.moid] = verdict
            where = names.get(vm.host_moid, vm.host_moid)
            if verdict.by == "vcenter":
                self.note(f"{where}: vCenter powered off {vm.name} to evacuate it; it is powered on again later")
            elif verdict.by == "user":
                self.note(f"{where}: {verdict.user} powered off {vm.name}; it stays off")
            else:
                self.note(f"{where}: {vm.name} is off, and the events do not show who powered it off; it stays off")
