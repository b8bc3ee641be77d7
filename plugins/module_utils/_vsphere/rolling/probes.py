# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads that may take long, each in its own thread. PRIVATE to the collection.

Do the services of a host that is back respond, what is its uptime, what does its management controller report? A host that does not
respond delays no other host: each result is used when it arrives.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..._domain.errors import DirectPathError
from ..._domain.rolling.state.journal import Entry
from ..._domain.rolling.state.observed import HostView
from ..._domain.rolling.state.policy import Policy
from ..._domain.rolling.state.verification import has_other_boot_time, is_up_since_request
from ..sdk import vmodl
from ..session.faults import CONNECTION_ERRORS
from .inventory import FleetInventory

Key = tuple[str, str, tuple[Any, ...]]
"""(kind, object id, state of the object when it was asked)."""

AT_ONCE = 8
"""Maximum number of probes at the same time."""
AGAIN = 5.0
"""Seconds until a host whose services did not respond is probed again; the same for a management controller."""
UPTIME_AGAIN = 30.0
"""Seconds for which an uptime is trusted that shows no reboot, or is not readable."""
SOMETIMES = 60.0
"""Seconds until a management controller that did not respond is probed again, before any host is shut down."""
GRACE = 0.25
"""Seconds (real time) to wait for results that arrive at once."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeResult:
    """The result of probing a host. ``read_at``: when the uptime was read (server time); ``again``: seconds until the next probe."""

    read_at: float
    again: float
    uptime: float | None = None
    services: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """The latest result. ``of``: connection state and boot time of the host when it was probed."""

    of: tuple[Any, ...]
    at: float
    signs: ProbeResult

    @property
    def services(self) -> bool:
        return self.signs.services

    def uptime_at(self, now: float) -> float | None:
        """The uptime at ``now``: it has grown since it was read."""
        uptime = self.signs.uptime
        return None if uptime is None else uptime + max(0.0, now - self.signs.read_at)


_NOT_GIVEN = (
    "{name} was shut down for a power cycle, and its management controller is not given (bmc): power it on by hand."
)


class ProbePool:
    """A few daemon threads. Nothing waits for them, not even the end of the process."""

    def __init__(self) -> None:
        self._answers: queue.Queue[tuple[Key, Any, BaseException | None]] = queue.Queue()
        self._slots = threading.Semaphore(AT_ONCE)
        self._open: set[Key] = set()

    @property
    def busy(self) -> bool:
        return bool(self._open)

    def asks(self, key: Key) -> bool:
        """Whether this probe is in progress."""
        return key in self._open

    def ask(self, key: Key, question: Callable[[], Any]) -> None:
        """Start the probe unless it is already in progress."""
        if key not in self._open:
            self._open.add(key)
            threading.Thread(target=self._run, args=(key, question), daemon=True).start()

    def _run(self, key: Key, question: Callable[[], Any]) -> None:
        with self._slots:
            try:
                self._answers.put((key, question(), None))
            except BaseException as error:  # ``take`` raises it, or reports no result
                self._answers.put((key, None, error))

    def take(self, patience: float = 0.0) -> dict[Key, Any]:
        """Results so far; None for a probe that failed. Raises errors that are not caused by the server or the connection."""
        found: dict[Key, Any] = {}
        while self._open:
            try:
                key, answer, error = self._answers.get(timeout=patience) if patience else self._answers.get_nowait()
            except queue.Empty:
                break
            self._open.discard(key)
            if error is not None and not isinstance(error, (vmodl.MethodFault, DirectPathError, *CONNECTION_ERRORS)):
                raise error
            found[key] = answer
        return found


class Probes:
    """Probes of hosts that are being rebooted, and of management controllers. ``bmcs``: host moid → controller."""

    def __init__(self, fleet: FleetInventory, *, bmcs: Mapping[str, Any]) -> None:
        self._fleet = fleet
        self._bmcs = bmcs
        self._pool = ProbePool()
        self._proofs: dict[str, Proof] = {}
        self._away: set[str] = set()
        """Hosts in progress that were seen disconnected and whose uptime was not read since."""
        self._power: dict[str, tuple[float, str | None]] = {}
        self._checked: set[str] = set()
        self._problems: dict[str, str] = {}

    @property
    def busy(self) -> bool:
        return self._pool.busy

    @property
    def hosts(self) -> set[str]:
        """The hosts (ids) of which anything is known from here."""
        return {*self._proofs, *self._power, *self._problems}

    def proof(self, view: HostView) -> Proof | None:
        """The latest result for the host in its present state."""
        found = self._proofs.get(view.moid)
        return found if found is not None and found.of == _standing(view) else None

    def power(self, moid: str) -> str | None:
        """``on``, ``off``, or None if unknown."""
        return self._power.get(moid, (0.0, None))[1]

    def bmc_problem(self, moid: str) -> str:
        """A sentence: why the controller could not power the host on; empty if there is no problem."""
        return self._problems.get(moid, "")

    def next_due(self, now: float) -> float | None:
        """The time of the next probe; None when none is planned."""
        due = [proof.at + proof.signs.again for proof in self._proofs.values() if not proof.services]
        return min(due, default=None)

    def look(self, entries: Mapping[str, tuple[HostView, Entry]], policy: Policy, now: float) -> None:
        """Start the probes that hosts in progress need, and take the results that have arrived."""
        for moid in [moid for moid in self._proofs if moid not in entries]:
            del self._proofs[moid]
        self._away &= entries.keys()
        for moid, (view, entry) in entries.items():
            if entry.step in ("rebooting", "powering"):
                self._ask_host(view, entry, policy, now)
                if entry.cycle and moid not in self._bmcs:
                    self._problems[moid] = _NOT_GIVEN.format(name=view.name)
                elif entry.cycle:
                    self._ask_power(moid, now)
            elif entry.step == "draining" and view.connected and view.in_maintenance:
                self._ask_uptime(view, entry, policy, now)
        self._take(now)

    def ask_power_of_all(self, now: float) -> None:
        """Before any host is power-cycled: probe all controllers. Those that do not respond are probed again from time to time."""
        for moid in self._bmcs:
            if self.power(moid) is None and now >= self._power.get(moid, (-SOMETIMES, None))[0] + SOMETIMES:
                self._ask_power(moid, now)
        self._take(now)

    def _ask_host(self, view: HostView, entry: Entry, policy: Policy, now: float) -> None:
        moid = view.moid
        if not view.connected:
            # It will come back as rebooted, even if it shows the same boot time.
            self._proofs.pop(moid, None)
            self._away.add(moid)
            return
        moved = has_other_boot_time(view, entry, policy.boot_margin)
        known = self.proof(view)
        if moved or (known is not None and is_up_since_request(entry, known.uptime_at(now), now)):
            due = known is None or (not known.services and now >= known.at + AGAIN)
        else:
            due = self._is_doubtful(view, entry, policy, now)
        if due:
            self._pool.ask(("host", moid, _standing(view)), lambda: self._signs(moid, entry, moved=moved))

    def _ask_uptime(self, view: HostView, entry: Entry, policy: Policy, now: float) -> None:
        """Its boot time changed before its reboot was requested: another user rebooted it, or its clock was set."""
        if entry.boot is None or not has_other_boot_time(view, entry, policy.boot_margin):
            return
        known = self.proof(view)
        if known is None or (known.signs.uptime is None and now >= known.at + UPTIME_AGAIN):
            self._pool.ask(("host", view.moid, _standing(view)), lambda: self._signs(view.moid, entry, moved=False))

    def _is_doubtful(self, view: HostView, entry: Entry, policy: Policy, now: float) -> bool:
        """It shows the old boot time, and it is unknown whether it was up all the time.

        Probed when it was away, and before the reboot call is repeated: hosts that go down as expected cost no extra call.
        """
        known = self.proof(view)
        if known is not None and (now >= known.at + UPTIME_AGAIN or known.at < entry.called):
            del self._proofs[view.moid]
            known = None
        is_late = now >= entry.called + policy.deadlines.reboot_retry
        return known is None and (is_late or view.moid in self._away)

    def _signs(self, moid: str, entry: Entry, *, moved: bool) -> ProbeResult:
        """Uptime first. The services of a host that was not rebooted yet are not probed."""
        uptime = self._fleet.probe_uptime(moid)
        now = self._fleet.now()
        rebooted = moved or is_up_since_request(entry, uptime, now)
        services = rebooted and self._fleet.probe_services(moid)
        return ProbeResult(uptime=uptime, read_at=now, services=services, again=AGAIN if rebooted else UPTIME_AGAIN)

    def _ask_power(self, moid: str, now: float) -> None:
        bmc = self._bmcs.get(moid)
        asked = self._power.get(moid, (-AGAIN, None))[0]
        if bmc is not None and now >= asked + AGAIN:
            self._pool.ask(("power", moid, ()), lambda: self._power_state(moid, bmc))

    def _power_state(self, moid: str, bmc: Any) -> str | None:
        """The first time, check the controller completely: the right server, account permissions, a way to power on."""
        try:
            if moid not in self._checked:
                bmc.check()
                self._checked.add(moid)
            power: str | None = bmc.power_state()
        except DirectPathError as error:
            self._problems[moid] = error.sentence()
            raise
        self._problems.pop(moid, None)
        return power

    def _take(self, now: float) -> None:
        for key, answer in self._pool.take(GRACE if self._pool.busy else 0.0).items():
            kind, moid, of = key
            if kind == "power":
                self._power[moid] = (now, answer)
            else:
                signs = answer or ProbeResult(read_at=now, again=AGAIN)
                self._proofs[moid] = Proof(of=of, at=now, signs=signs)
                if signs.uptime is not None:
                    self._away.discard(moid)


def _standing(view: HostView) -> tuple[Any, ...]:
    return (view.host.connection_state, view.host.boot_time)
