# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions that may stay unanswered for long, asked beside everything else. PRIVATE to the collection.

Whether the services of a host that is back answer, what its hardware clock says, what its management controller says. One host that is
deaf holds up nobody: each question has a thread of its own, and its answer is taken when it comes.
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
from ..._domain.rolling.state.verification import has_moved, started_anew
from ..sdk import vmodl
from ..session.faults import CONNECTION_ERRORS
from .inventory import FleetInventory

Key = tuple[str, str, tuple[Any, ...]]
"""What is asked of whom, in which state of it."""

AT_ONCE = 8
"""Questions under way at a time."""
AGAIN = 5.0
"""Seconds until a host whose services did not answer is asked again, and a management controller too."""
UPTIME_AGAIN = 30.0
"""For so long it counts that a host said that it was up all the time, or said nothing of it."""
SOMETIMES = 60.0
"""Seconds until a management controller that did not answer before anything began is asked again."""
GRACE = 0.25
"""Seconds of real time given to answers that come at once, before anything else is done."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Signs:
    """What a host that is back says. ``read_at``: when its uptime was that; ``again``: seconds until it is asked for what is missing."""

    read_at: float
    again: float
    uptime: float | None = None
    services: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """The same, kept. ``of``: the connection and the boot the host was asked in."""

    of: tuple[Any, ...]
    at: float
    signs: Signs

    @property
    def services(self) -> bool:
        return self.signs.services

    def uptime_at(self, now: float) -> float | None:
        """It has grown since it was read."""
        told = self.signs.uptime
        return None if told is None else told + max(0.0, now - self.signs.read_at)


class ProbePool:
    """A few threads that nobody has to wait for, not even at the end of the process."""

    def __init__(self) -> None:
        self._answers: queue.Queue[tuple[Key, Any, BaseException | None]] = queue.Queue()
        self._slots = threading.Semaphore(AT_ONCE)
        self._open: set[Key] = set()

    @property
    def busy(self) -> bool:
        return bool(self._open)

    def asks(self, key: Key) -> bool:
        return key in self._open

    def ask(self, key: Key, question: Callable[[], Any]) -> None:
        """Ask unless that very question is open."""
        if key not in self._open:
            self._open.add(key)
            threading.Thread(target=self._run, args=(key, question), daemon=True).start()

    def _run(self, key: Key, question: Callable[[], Any]) -> None:
        with self._slots:
            try:
                self._answers.put((key, question(), None))
            except BaseException as error:  # told to whoever takes the answers
                self._answers.put((key, None, error))

    def take(self, patience: float = 0.0) -> dict[Key, Any]:
        """Answers so far; of a question nobody could answer: None. Errors that are faults of this program are raised."""
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
    """Proofs of hosts that are being rebooted, and the power of hosts that are cycled. ``bmcs``: host moid → controller."""

    def __init__(self, fleet: FleetInventory, *, bmcs: Mapping[str, Any]) -> None:
        self._fleet = fleet
        self._bmcs = bmcs
        self._pool = ProbePool()
        self._proofs: dict[str, Proof] = {}
        self._away: set[str] = set()
        """Hosts in hand that were seen without connection and have not said since how long they are up."""
        self._power: dict[str, tuple[float, str | None]] = {}
        self._checked: set[str] = set()
        self._problems: dict[str, str] = {}

    @property
    def busy(self) -> bool:
        return self._pool.busy

    def proof(self, view: HostView) -> Proof | None:
        """What is known of the host as it is now."""
        found = self._proofs.get(view.moid)
        return found if found is not None and found.of == _standing(view) else None

    def power(self, moid: str) -> str | None:
        return self._power.get(moid, (0.0, None))[1]

    def bmc_problem(self, moid: str) -> str:
        return self._problems.get(moid, "")

    def next_due(self, now: float) -> float | None:
        """When something is to be asked again."""
        due = [proof.at + proof.signs.again for proof in self._proofs.values() if not proof.services]
        return min(due, default=None)

    def look(self, entries: Mapping[str, tuple[HostView, Entry]], policy: Policy, now: float) -> None:
        """Ask what has to be known of hosts in hand, and take what was answered."""
        for moid in [moid for moid in self._proofs if moid not in entries]:
            del self._proofs[moid]
        self._away &= entries.keys()
        for moid, (view, entry) in entries.items():
            if entry.step in ("rebooting", "powering"):
                self._ask_host(view, entry, policy, now)
                self._ask_power(moid, now)
        self._take(now)

    def ask_power_of_all(self, now: float) -> None:
        """Before hosts are cycled at all: whose controllers answer. Those that do not are asked again now and then."""
        for moid in self._bmcs:
            if self.power(moid) is None and now >= self._power.get(moid, (-SOMETIMES, None))[0] + SOMETIMES:
                self._ask_power(moid, now)
        self._take(now)

    def _ask_host(self, view: HostView, entry: Entry, policy: Policy, now: float) -> None:
        moid = view.moid
        if not view.connected:
            # It comes back as another one, also where it shows the same boot time.
            self._proofs.pop(moid, None)
            self._away.add(moid)
            return
        moved = has_moved(view, entry, policy.boot_margin)
        known = self.proof(view)
        if moved or (known is not None and started_anew(entry, known.uptime_at(now), now)):
            due = known is None or (not known.services and now >= known.at + AGAIN)
        else:
            due = self._is_doubtful(view, entry, policy, now)
        if due:
            self._pool.ask(("host", moid, _standing(view)), lambda: self._signs(moid, entry, moved=moved))

    def _is_doubtful(self, view: HostView, entry: Entry, policy: Policy, now: float) -> bool:
        """It shows the boot it was to leave behind, and it is not known now whether it was up all the time.

        Asked when it was away, and before it would be told again: hosts that go down as they are told to cost no call.
        """
        known = self.proof(view)
        if known is not None and (now >= known.at + UPTIME_AGAIN or known.at < entry.called):
            del self._proofs[view.moid]
            known = None
        is_late = now >= entry.called + policy.deadlines.reboot_retry
        return known is None and (is_late or view.moid in self._away)

    def _signs(self, moid: str, entry: Entry, *, moved: bool) -> Signs:
        """The services of a host that has not gone down yet are not asked."""
        uptime = self._fleet.probe_uptime(moid)
        now = self._fleet.now()
        anew = moved or started_anew(entry, uptime, now)
        services = anew and self._fleet.probe_services(moid)
        return Signs(uptime=uptime, read_at=now, services=services, again=AGAIN if anew else UPTIME_AGAIN)

    def _ask_power(self, moid: str, now: float) -> None:
        bmc = self._bmcs.get(moid)
        asked = self._power.get(moid, (-AGAIN, None))[0]
        if bmc is not None and now >= asked + AGAIN:
            self._pool.ask(("power", moid, ()), lambda: self._power_state(moid, bmc))

    def _power_state(self, moid: str, bmc: Any) -> str | None:
        """The first time, it is looked at as a whole: the right server, an account that may, a way to power on."""
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
                signs = answer or Signs(read_at=now, again=AGAIN)
                self._proofs[moid] = Proof(of=of, at=now, signs=signs)
                if signs.uptime is not None:
                    self._away.discard(moid)


def _standing(view: HostView) -> tuple[Any, ...]:
    return (view.host.connection_state, view.host.boot_time)
