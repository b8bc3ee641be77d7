# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place that publishes what a run does. PRIVATE to the collection.

It turns what the display reads, the records of the progress file and the state of the run, into events and into a state. It runs in the
process of the action plugin, not in that of the module: whatever an outlet does, no heartbeat of the run waits for it.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ...module_utils._shell.outlets.outlet import Outlet, OutletReport, end_all
from ..rolling.progress import Record, seconds_of
from .events import Event, RunState, VmOffSince

_QUIET = ("idle", "waiting", "done", "returned")
"""A host that is first seen in one of these phases is no event."""

_OF_A_PHASE = ("reason", "seconds", "counts")

_STOPS = {"stop_vm": "its guest shuts down", "power_off_vm": "a hard power-off"}


class Publisher:
    """``events``: outlets that get each event of the kinds they want (None: all). ``states``: outlets that get the newest state.

    Its methods may be called by several threads. ``succeeded``: when an earlier run ended without a failure. ``now``: the clock of this
    machine.
    """

    def __init__(
        self,
        *,
        vcenter: str,
        events: Sequence[tuple[Outlet[Event], frozenset[str] | None]] = (),
        states: Sequence[Outlet[RunState]] = (),
        succeeded: float | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._vcenter, self._events, self._states, self._now = vcenter, events, states, now
        self._run = secrets.token_hex(8)
        self._numbers = [0] * len(events)
        self._ahead = 0.0
        """Seconds by which the clock of the server is ahead of that of this machine."""
        self._phases: dict[tuple[str, str], str] = {}
        self._off: dict[tuple[str, str], VmOffSince] = {}
        self._stopping: set[tuple[str, str]] = set()
        self._counts: Mapping[str, Any] = {}
        self._started = self._heartbeat = now()
        self._succeeded = succeeded
        self._is_over = False
        self._lock = threading.RLock()  # a signal handler may publish, too

    def begin(self) -> None:
        """The run has started."""
        with self._lock:
            self._publish("run_started", self._started)
            self._publish_state()

    def learn(self, server: float) -> None:
        """The time of the server is ``server`` now."""
        if server > 0:
            self._ahead = server - self._now()

    def feed(self, records: Iterable[Record]) -> None:
        """New records of the progress file. Each of them is a heartbeat: the module writes one every 30 seconds if nothing changes."""
        found = list(records)
        if not found:
            return
        with self._lock:
            self._heartbeat = self._now()
            for record in found:
                if record.get("counts"):
                    self._counts = dict(record["counts"])
                if record.get("kind") == "transition":
                    self._enter(record)
                elif record.get("action") in _STOPS:
                    self._stop(record)
            self._publish("heartbeat", self._heartbeat, counts=self._counts)
            self._publish_state()

    def see(self, state: Mapping[str, Any]) -> None:
        """A new state of the run."""
        begun = state.get("in_progress")
        if not isinstance(begun, Mapping):
            return
        with self._lock:
            self._heartbeat = self._now()
            off = {
                (str(vm["host"]), str(vm["name"])): vm for vm in begun.get("vms_off") or () if vm.get("state") == "off"
            }
            for key, vm in off.items():
                if key not in self._off:
                    since = self._local(vm.get("since"))
                    self._off[key] = VmOffSince(name=key[1], host=key[0], since=since)
                    self._publish("vm_off", self._heartbeat, host=key[0], vm=key[1])
            for key in [key for key in self._off if key not in off]:
                was = self._off.pop(key)
                self._stopping.discard(key)
                seconds = round(max(0.0, self._heartbeat - was.since), 1)
                self._publish("vm_on", self._heartbeat, host=key[0], vm=key[1], seconds=seconds)
            self._publish_state()

    def end(self, result: Mapping[str, Any]) -> list[OutletReport]:
        """The run has ended with this result. Waits for the outlets, for at most ``TO_END`` seconds."""
        with self._lock:
            if not self._is_over:
                self._is_over = True
                self.see(result)
                self._heartbeat = now = self._now()
                failed = bool(result.get("failed") or result.get("unreachable"))
                state = str(result.get("state") or "failed")
                if not failed:
                    self._succeeded = now
                names = ("msg", "error_code", "summary", "counts", "rebooted", "resume")
                more = {name: result[name] for name in names if result.get(name)}
                self._publish("run_ended", now, state=state, failed=failed, **more)
                self._publish_state(state=state, ended=now)
        return end_all([outlet for outlet, _unused in self._events] + list(self._states))

    def abort(self, why: str, seconds: float) -> None:
        """This process ends at once, and what is in progress stays as it is: the metrics keep saying so."""
        with self._lock:
            if self._is_over:
                return
            self._is_over = True
            self._publish("run_ended", self._now(), state="aborted", failed=True, msg=why)
        end_all([outlet for outlet, _unused in self._events] + list(self._states), seconds)

    # -------------------------------------------------------------------------------------------------------------------

    def _enter(self, record: Record) -> None:
        key = (str(record.get("cluster") or ""), str(record.get("host") or ""))
        after, known = str(record.get("after") or ""), self._phases.get(key)
        self._phases[key] = after
        if after == known or (known is None and not record.get("before") and after in _QUIET):
            return
        more = {name: record[name] for name in _OF_A_PHASE if record.get(name) is not None}
        more |= {"cluster": key[0], "host": key[1], "before": known or record.get("before") or "", "after": after}
        self._publish("host_failed" if after == "failed" else "host_phase", self._local(record.get("at")), **more)

    def _stop(self, record: Record) -> None:
        key = (str(record.get("host") or ""), str(record.get("vm") or ""))
        if key not in self._stopping or record.get("action") == "power_off_vm":
            self._stopping.add(key)
            reason = _STOPS[str(record["action"])]
            self._publish("vm_stopping", self._local(record.get("at")), host=key[0], vm=key[1], reason=reason)

    def _local(self, server: Any) -> float:
        """A time of the server, on the clock of this machine; now if it is not a time."""
        at = seconds_of(server)
        return self._now() if at is None else at - self._ahead

    def _publish(self, kind: str, at: float, **more: Any) -> None:
        for place, (outlet, wanted) in enumerate(self._events):
            if wanted is None or kind in wanted:
                self._numbers[place] += 1  # of each outlet, so that a receiver notices a gap
                number = self._numbers[place]
                outlet.put(Event(kind=kind, at=at, run=self._run, vcenter=self._vcenter, number=number, more=more))

    def _publish_state(self, *, state: str = "working", ended: float | None = None) -> None:
        if not self._states or (self._is_over and ended is None):
            return
        found = RunState(
            vcenter=self._vcenter,
            state=state,
            started=self._started,
            heartbeat=self._heartbeat,
            ended=ended,
            succeeded=self._succeeded,
            phases=dict(self._phases),
            vms_off=tuple(self._off.values()),
        )
        for outlet in self._states:
            outlet.put(found)
