# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the health gates of hosts that are back, each check in its own thread. PRIVATE to the collection.

The loop never waits for a check: the heartbeat of the run goes on, and each answer is used when it arrives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from ..._domain.health_gate import Check, GateAnswer, GateTarget, HealthGate, gate_targets, is_due
from ..._domain.rolling.state.journal import Entry
from ..._domain.rolling.state.observed import HostView, ObservedFleet
from ..rolling import probes
from ..rolling.fresh import GuestFresh
from ..rolling.inventory import FleetInventory
from .checks import CheckPlace, Found, check_command, check_http, check_tcp, kill_group, known_address

_BY_VSPHERE = ("heartbeat", "tools")
"""Kinds of checks that vCenter answers."""


@dataclass(kw_only=True, slots=True)
class _HostGate:
    """The state of one gate. ``begun``: when it began; answers of an earlier one do not count."""

    begun: float
    answers: dict[tuple[int, str], GateAnswer] = field(default_factory=dict)
    targets: tuple[GateTarget, ...] = ()


class GateProbes:
    """``gate``: the policy. Nothing is read and no thread is started while no host is in its gate."""

    def __init__(self, fleet: FleetInventory, gate: HealthGate) -> None:
        self._fleet = fleet
        self._gate = gate
        self._pool = probes.ProbePool()
        self._hosts: dict[str, _HostGate] = {}
        self._groups: set[int] = set()

    @property
    def busy(self) -> bool:
        """An answer is awaited."""
        return self._pool.busy

    @property
    def commands(self) -> int:
        """How many commands are running."""
        return len(self._groups)

    def close(self) -> None:
        """End the commands that are still running: their answers would not be used."""
        for group in list(self._groups):
            kill_group(group)

    def next_due(self) -> float | None:
        """When the first check that failed is due again; None when none has failed."""
        answers = (answer for host in self._hosts.values() for answer in host.answers.values())
        return min((answer.at + self._gate.interval for answer in answers if not answer.ok), default=None)

    def look(self, observed: ObservedFleet, now: float) -> Mapping[str, tuple[GateAnswer, ...]]:
        """Start the checks that are due, and return host id → the answers so far, for hosts in their gate."""
        gated = {
            view.moid: (view, view.entry)
            for view in observed.hosts
            if view.entry is not None and view.entry.step == "checking"
        }
        for moid in self._hosts.keys() - gated.keys():
            del self._hosts[moid]
        if not gated or not self._gate.checks:
            return {}
        names = {vm.moid: vm.name for vm in observed.vms}
        clusters = {cluster.moid: cluster.name for cluster in observed.clusters}
        for view, entry in gated.values():
            self._look_host(view, entry, names, clusters.get(view.host.compute_moid, ""), now)
        self._take(gated, clusters)
        return {moid: tuple(host.answers.values()) for moid, host in self._hosts.items()}

    def _look_host(self, view: HostView, entry: Entry, names: Mapping[str, str], cluster: str, now: float) -> None:
        host = self._hosts.get(view.moid)
        if host is None or host.begun != entry.at:
            host = self._hosts[view.moid] = _HostGate(begun=entry.at)
        host.targets = tuple(t for t in gate_targets(self._gate, view.gate_vms, names) if not t.problem)
        due = [target for target in host.targets if is_due(self._gate, entry.ready, host.answers.get(target.key), now)]
        vms = sorted({target.vm for target in due if target.vm})
        if vms:
            self._pool.ask(("guests", view.moid, (host.begun,)), partial(self._read_guests, vms))
        for target in due:
            if not target.vm:
                self._ask(view, target, cluster, None)

    def _take(self, gated: Mapping[str, tuple[HostView, Entry]], clusters: Mapping[str, str]) -> None:
        """Twice: an answer of vCenter starts the checks that need the address of a VM."""
        for _round in range(2):
            for (kind, moid, of), answer in self._pool.take(probes.GRACE if self._pool.busy else 0.0).items():
                host = self._hosts.get(moid)
                if host is None or of[-1] != host.begun:
                    continue
                if kind == "guests":
                    view, entry = gated[moid]
                    self._use_guests(view, entry, host, answer, clusters.get(view.host.compute_moid, ""))
                else:
                    ok, text, at = answer or (False, "it could not be checked", self._fleet.now())
                    host.answers[of[:2]] = GateAnswer(key=of[:2], ok=ok, text=text, at=at)

    def _read_guests(self, vms: Sequence[str]) -> tuple[Mapping[str, GuestFresh], float]:
        """The guests, and the time before they were read."""
        now = self._fleet.now()
        return self._fleet.read_guests(vms), now

    def _use_guests(
        self,
        view: HostView,
        entry: Entry,
        host: _HostGate,
        answer: tuple[Mapping[str, GuestFresh], float] | None,
        cluster: str,
    ) -> None:
        guests, now = answer or ({}, self._fleet.now())
        for target in host.targets:
            if not target.vm or not is_due(self._gate, entry.ready, host.answers.get(target.key), now):
                continue
            guest = guests.get(target.vm)
            check = self._gate.checks[target.check]
            if guest is None:
                found: Found | None = (False, "vCenter does not show its state")
            elif check.kind in _BY_VSPHERE:
                found = _of_guest(check, guest)
            else:
                found = None
                self._ask(view, target, cluster, guest)
            if found is not None:
                host.answers[target.key] = GateAnswer(key=target.key, ok=found[0], text=found[1], at=now)

    def _ask(self, view: HostView, target: GateTarget, cluster: str, guest: GuestFresh | None) -> None:
        check = self._gate.checks[target.check]
        values = {"host": view.name, "cluster": cluster}
        if target.vm:
            values |= {"vm": target.name, "moid": target.vm}
            address = known_address(guest.address if guest is not None else None)
            values |= {"address": address} if address else {}
        key = ("check", view.moid, (*target.key, self._hosts[view.moid].begun))
        self._pool.ask(key, partial(self._timed, check, CheckPlace(values=values)))

    def _timed(self, check: Check, place: CheckPlace) -> tuple[bool, str, float]:
        """With the time before the check: what is found is at least as young."""
        now = self._fleet.now()
        return (*self._check(check, place), now)

    def _check(self, check: Check, place: CheckPlace) -> Found:
        missing = place.missing(check.texts)
        if missing:
            return False, missing
        match check.kind:
            case "tcp":
                return check_tcp(check, place)
            case "http":
                return check_http(check, place)
            case _:
                mine: list[int] = []

                def started(group: int) -> None:
                    if group:
                        mine.append(group)
                        self._groups.add(group)
                    else:
                        self._groups.difference_update(mine)

                return check_command(check, place, started)


def _of_guest(check: Check, guest: GuestFresh) -> Found:
    if guest.power_state != "poweredOn":
        return False, f"it is {guest.power_state}"
    if check.kind == "tools":
        return guest.tools == "guestToolsRunning", guest.tools or "VMware Tools report nothing"
    return guest.heartbeat == "green", f"its heartbeat is {guest.heartbeat or 'unknown'}"
