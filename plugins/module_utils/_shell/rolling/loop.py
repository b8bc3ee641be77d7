# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop of a rolling reboot, and of host_maintenance: observe, decide, act, wait for a change. PRIVATE to the collection.

The scheduler makes all decisions (``RunContext.decide``). All state that matters is in the journal and in vCenter, so this process may end
at any moment: the next one observes the state and continues.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..._domain.errors import DirectPathError
from ..._domain.memo import Memo
from ..._domain.rolling.advice import describe_work
from ..._domain.rolling.in_progress import InProgress, describe_powered_on, describe_waits, find_in_progress
from ..._domain.rolling.scheduling import forecast
from ..._domain.rolling.scheduling.notices import ALL_ON, FOUND, HELD, clock_notice, gist_of, journal_notice, topic_of
from ..._domain.rolling.state import lock
from ..._domain.rolling.state import timeline as timelines
from ..._domain.rolling.state.actions import Action, refusal_key
from ..._domain.rolling.state.journal import ATTRIBUTES, DEVICES, ENTRY, GATE, LINKS, LOCK, PAUSE, Entry, is_active
from ..._domain.rolling.state.observed import ObservedFleet
from ..._domain.rolling.state.phases import RESTING, Decision
from ..._vsphere.attributes.file_journal import ASKED_FOR
from ..._vsphere.attributes.journal import Journal, Subject
from ..._vsphere.health_gate.gate_probes import GateProbes
from ..._vsphere.rolling.executor import ActionExecutor
from ..._vsphere.rolling.observed_fleet import FleetObserver, ShownFleet
from ..._vsphere.rolling.pending_actions import PendingActions
from ..._vsphere.rolling.probes import Probes
from ..._vsphere.session.faults import SERVER_ERRORS
from .context import RollingRun, RunContext
from .fleet_status import status_of_fleet
from .outage import Outage
from .power_offs import PowerOffs

LONGEST_WAIT, SHORTEST_WAIT = 30.0, 0.2
"""Seconds between two rounds."""
LOOK_AGAIN = 1.0
"""Seconds until the next round if a host in progress is not shown, although it exists."""
PROBING = 2.0
"""The same while hosts are probed."""
FORECAST_AGE = 20.0
"""Minimum age in seconds before the forecast of the end is calculated again."""

MOST_FOUND = 40
"""The largest number of notes about what an earlier run left."""

KEPT = frozenset({*ATTRIBUTES, GATE}) - {PAUSE}

VM_ACTIONS = {"stop_vm": "shutting down", "power_off_vm": "powering off", "start_vm": "powering on"}
"""How a note describes an action on a VM."""


class Loop:
    """The loop of one run or slice. In check mode only ``look`` and ``observe`` are used."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._fleet, self._session = context.fleet, context.session
        self._pending = PendingActions(context.session, self._refuse)
        self._probes = Probes(context.fleet, bmcs=context.bmcs)
        self._gates = GateProbes(context.fleet, context.policy.gate)
        self._power_offs = PowerOffs(
            read=context.fleet.power_offs,
            note=lambda text: context.progress_writer.note(text, context.fleet.now()),
            memory=context.memory,
        )
        self._seen: ShownFleet | None = None
        self._executor = ActionExecutor(
            context.session,
            context.fleet,
            context.journal,
            pending_actions=self._pending,
            me=context.me,
            lock_subject=self._lock_subject,
            lock_of=self._lock_of,
            bmcs=context.bmcs,
            purpose=context.policy.purpose,
        )
        self._observer = FleetObserver(
            me=context.me,
            scope=context.scope,
            pending_actions=self._pending,
            probes=self._probes,
            refusals=self._executor.refusals,
            is_gone=context.is_gone,
            detached=context.detached,
            prechecks=dict(context.prechecks),
        )
        self._memo = Memo()
        self._log_is_read = False
        self._wait = 0.0
        self._synced = -1e9
        self._last: list[Action] | None = None
        self._outage = Outage(context)
        self._forecast: tuple[float, float | None] = (-1e9, None)
        self._reported: dict[str, str] = {}
        self._told_begun = False
        self.result = RollingRun(memory=context.memory)

    # -------------------------------------------------------------------------------------------------------------- loop

    def run(self) -> RollingRun:
        """Run until the rolling reboot ends, the slice ends, or no process waits for the result."""
        try:
            return self._run_rounds()
        finally:
            self._gates.close()

    def _run_rounds(self) -> RollingRun:
        while not self._is_over():
            try:
                if self._run_round():
                    self.result.ended = True
                    break
                self._outage.end(self._fleet.now())
            except SERVER_ERRORS as error:
                self.result.error = self._outage.handle(error)
                if self.result.error is not None:
                    break
                self._start_over()
            except DirectPathError as error:
                self.result.error = error
                break
        return self.result

    def _run_round(self) -> bool:
        """Observe, decide, act. True when this was the last round."""
        if self._last is not None:
            return self._run_last_actions()
        self._context.before_look()
        seen = self.look(self._wait)
        self._heed_stop()
        if self._miss_hosts(seen):
            self._wait = LOOK_AGAIN
            return False
        decision = self.decide(seen)
        if decision.outlook.ended:
            self._last = list(decision.actions)
            return self._run_last_actions()
        if self.result.observed is not None:
            self._power_offs.begins(decision.actions, self.result.observed)
        acted = self._act(decision.actions, seen)
        self._wait = 0.0 if acted else self._time_to_wait(decision, seen.now)
        return False

    def _miss_hosts(self, seen: ShownFleet) -> bool:
        """Search for hosts in progress that are not shown. True when some of them exist: they may be shown at the next look."""
        missing = self.result.memory.missing(seen.hosts)
        if not missing:
            return False
        found = {moid: self._fleet.fresh_host(moid) is not None for moid in sorted(missing)}
        self.result.memory = self.result.memory.after_search(found)
        return bool(self.result.memory.missing(seen.hosts))

    def decide(self, seen: ShownFleet) -> Decision:
        """Decide, and report what changed. Costs what changed since the last time, see ``Memo``."""
        observed = self.observe(seen)
        decision = self._context.decide(observed, self._context.policy, seen.now, self._memo)
        self._report(observed, decision, seen.now)
        return decision

    def _heed_stop(self) -> bool:
        """From a request to stop on, the run does what a restore does: it starts no host, requests no reboot, and finishes what it has
        begun. A slice then lasts until that is done. True if the request is new."""
        context, reason = self._context, "" if self.result.stopped_by else self._context.stop_reason()
        if not reason or context.read_only or context.policy.goal != "reboot":
            return False
        self.result.stopped_by = reason
        self._context = replace(
            context,
            policy=replace(context.policy, only_restore=True, patience=0),
            until=context.until if self.result.observed is None else None,
        )
        self._memo = Memo()
        return True

    def _start_over(self) -> None:
        """The server was not available: forget what was assumed, and read everything again."""
        self._context.journal.forget_written()
        self._log_is_read = False
        self._wait = 0.0

    def _is_over(self) -> bool:
        """A slice does not end while a command of a health gate is running: it would have to begin again in the next one."""
        until = self._context.until
        is_late = until is not None and self._session.clock() >= until
        return self._context.is_orphaned() or (is_late and not self._gates.commands)

    def _run_last_actions(self) -> bool:
        """The last actions. No further decision follows, even if the connection breaks."""
        while self._last:
            self._carry_out(self._last[0], self._seen)
            self._last.pop(0)
        return True

    # -------------------------------------------------------------------------------------------------------------- look

    def look(self, seconds: float) -> ShownFleet:
        """Wait at most ``seconds`` (local clock) for a change, and return the present state."""
        self._fleet.fields = self._context.journal.fields
        self._fleet.wait(seconds)
        self._sync()
        seen = ShownFleet(
            hosts=self._fleet.hosts,
            vms=self._fleet.vms,
            clusters=self._fleet.clusters,
            values=self._context.journal.values(self._fleet.texts),
            now=self._fleet.now(),
            purpose=self._context.policy.purpose,
        )
        if self._seen is None:
            # A time of the journal has passed, whatever the clock of the server shows.
            self._fleet.clock.not_before(seen.latest())
            seen = replace(seen, now=self._fleet.now())
            self._report_steps()
        self._observer.ahead = self._fleet.clock.ahead
        self._seen = seen
        return seen

    def _sync(self) -> None:
        """Read the clock of the server: rarely, unless it was set or runs at a different speed."""
        clock = self._fleet.clock
        age = 60.0 if not clock.is_in_doubt and self._synced > -1e8 else 1.0
        if self._session.clock() < self._synced + age:
            return
        first = self._synced < -1e8
        clock.sync()
        if self._context.journal.kind == "file":
            self._context.journal.look_up()  # the run does not define the attribute of a pause itself
        # The second reading, soon after the first one, shows whether both clocks run at the same speed.
        self._synced = self._session.clock() - (58.8 if first else 0.0)
        self._report_steps()

    def _report_steps(self) -> None:
        for seconds in self._fleet.clock.take_steps():
            where = "vCenter" if self._session.is_vcenter else "the ESXi host"
            self._context.progress_writer.note(clock_notice(seconds, where), self._fleet.now())

    def observe(self, seen: ShownFleet) -> ObservedFleet:
        """The input of a decision. The first time, also find the run to resume."""
        if not self._context.read_only:
            self._pending.settle(seen.hosts, seen.vms, self._fleet.entering, seen.now)
        if not self._observer.run_id:
            self._adopt(seen)
            seen = self._with_policies(seen)
        self._read_event_log(seen)
        if self._context.policy.method == "power_cycle":
            self._probes.ask_power_of_all(seen.now)
        entries = seen.entries()
        self.result.entries.update(entries)
        if not self._context.read_only:
            self._probes.look(entries, self._context.policy, seen.now)
        broken = self._context.journal.broken
        observed = replace(self._observer.observe(seen, self._paused(seen)), stop=broken.message if broken else "")
        if self.result.stopped_by:
            # Hosts that an earlier run left in progress are finished, too, although this run was not asked for them.
            hosts = (replace(view, wanted=True) if is_active(view.entry) else view for view in observed.hosts)
            observed = replace(observed, hosts=tuple(hosts))
        memory = self.result.memory = self.result.memory.after_look(observed, seen.now)
        silent = memory.silent
        observed = replace(
            observed,
            gone=memory.gone(observed.vms),
            hosts=tuple(
                replace(view, silent_since=silent[view.moid]) if view.moid in silent else view
                for view in observed.hosts
            )
            if silent
            else observed.hosts,
        )
        if not self._context.read_only:
            observed = self._power_offs.look(observed)
            if self._power_offs.ran != memory.ran:
                self.result.memory = replace(memory, ran=dict(self._power_offs.ran))
        gates = {} if self._context.read_only else self._gates.look(observed, seen.now)
        if gates:
            hosts = (
                replace(view, gate_answers=gates.get(view.moid, ())) if view.moid in gates else view
                for view in observed.hosts
            )
            observed = replace(observed, hosts=tuple(hosts))
        self.result.observed, self.result.now = observed, seen.now
        return observed

    def _adopt(self, seen: ShownFleet) -> None:
        if self._context.find_run is not None:
            entries = {moid: entry for moid, (_unused, entry) in seen.entries().items()}
            self._observer.run_id = self._context.find_run(entries) or secrets.token_hex(4)
            self._observer.begun = float(int(seen.now))
            return
        locks = {cluster.moid: cluster.lock for cluster in self._observer.observe(seen, "").clusters}
        adoption = lock.adopt(
            list(locks.values()),
            [(locks.get(view.host.compute_moid), entry) for view, entry in seen.entries().values()],
            me=self._context.me,
            scope=self._context.scope,
            policy=self._context.policy,
            now=seen.now,
            fresh_id=secrets.token_hex(4),
        )
        self._observer.run_id = adoption.run_id
        if adoption.note:
            self._context.progress_writer.note(adoption.note, seen.now)
            names = {cluster.moid: cluster.name for cluster in seen.clusters}
            status = status_of_fleet(seen, names, self._context.is_gone)
            found = (*describe_work(status, commands=False), *describe_powered_on(status))
            for text in found[:MOST_FOUND]:
                self._context.progress_writer.note(f"{FOUND}{text}", seen.now)
        journal = self._context.journal
        if (
            self._session.is_vcenter
            and journal.kind == "file"
            and journal.why != ASKED_FOR
            and not self._context.read_only
        ):
            self._context.progress_writer.note(journal_notice(journal.place, journal.why), seen.now)

    def _with_policies(self, seen: ShownFleet) -> ShownFleet:
        """Read compute policies for hosts that an earlier process or slice began to evacuate: they get no other precheck."""
        policy = self._context.policy
        draining = any(entry.step == "draining" for _unused, entry in seen.entries().values())
        if self._context.read_only or policy.goal != "reboot" or policy.only_restore or not draining:
            return seen
        return replace(seen, vms=self._fleet.vms) if self._fleet.read_policies() else seen

    def _read_event_log(self, seen: ShownFleet) -> None:
        """Read from the event log which user entered the maintenance mode of hosts in progress: when a process starts, and after a
        connection loss."""
        if self._log_is_read:
            return
        since = {
            moid: entry.started
            for moid, (view, entry) in seen.entries().items()
            if view.in_maintenance or view.entering
        }
        since = {
            moid: started for moid, started in since.items() if started > 0.0
        }  # a mark of an earlier release has no time
        if since:
            accounts = {moid: entry.account for moid, (_unused, entry) in seen.entries().items() if entry.account}
            self._observer.began = dict(self._fleet.maintenance_is_own(since, accounts))
        self._log_is_read = True

    def _paused(self, seen: ShownFleet) -> str:
        """A clause: why no host may be started now; empty if hosts may be started."""
        text = seen.texts(self._fleet.root).get(PAUSE, "")
        if text or self._context.pause_file is None:
            return text
        path = Path(self._context.pause_file)
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
        except FileNotFoundError:
            return ""
        except OSError as error:
            return f"{path} cannot be read ({error.strerror})"
        reason = next((line.strip() for line in lines if line.strip()), "")[:200]
        return f"{reason} (by the file {path})" if reason else f"{path} exists"

    # --------------------------------------------------------------------------------------------------------------- act

    def _act(self, actions: Iterable[Action], seen: ShownFleet) -> bool:
        """Execute the actions. True when something was done, so that the fleet must be observed again."""
        acted = False
        prechecked = [action.target for action in actions if action.kind == "precheck"]
        if prechecked:
            self._observer.prechecks.update(self._fleet.run_prechecks(prechecked))
            acted = True
        for action in actions:
            if self._context.is_orphaned() or self._heed_stop():
                return True
            if action.kind != "precheck" and not self._is_early(action, seen.now):
                acted = self._carry_out(action, seen) or acted
        return acted

    def _carry_out(self, action: Action, seen: ShownFleet | None) -> bool:
        outcome = self._executor.carry_out(action, seen.values if seen is not None else {})
        if outcome == "done":
            self._record_done(action)
        return outcome != "dropped"

    def _record_done(self, action: Action) -> None:
        self.result.actions.append(action)
        host = action.host_moid if action.kind in ("stop_vm", "power_off_vm", "mark_vm", "start_vm") else action.target
        if host is not None and "lock" not in action.kind and not action.kind.startswith("forget"):
            self.result.done.setdefault(host, set()).add(action.kind)
        if isinstance(action.entry, Entry):
            self._remember(action.target, action.entry.text)
        if action.kind in ("stop_vm", "power_off_vm", "mark_vm"):
            self.result.stopped_ids.add(action.target)
            self.result.memory = self.result.memory.after_stop(action.target, action.name, action.host_moid or "")
        if action.kind in ("stop_vm", "power_off_vm", "mark_vm") and host in self.result.entries:
            self.result.stopped.append((self.result.entries[host][0].name, action.name))
        if action.kind in VM_ACTIONS:
            where = self.result.entries[host][0].name if host in self.result.entries else ""
            self._context.progress_writer.note(
                f"{where}: {VM_ACTIONS[action.kind]} {action.name}".removeprefix(": "),
                self._fleet.now(),
                about=action.target,
                vm=action.name,
                host=where,
                action=action.kind,
            )
        if action.kind == "take_lock" and action.reason != lock.HOSTS_TO_REBOOT:
            self._context.progress_writer.note(f"{action.name}: {action.reason}", self._fleet.now())

    def _remember(self, host: str, text: str) -> None:
        """Keep the complete text: the journal returns only the beginning of a long one."""
        if not (text.endswith("…") and self.result.texts.get(host, "").startswith(text[:-1])):
            self.result.texts[host] = text

    def _is_early(self, action: Action, now: float) -> bool:
        """The same action was rejected a moment ago. (If the scheduler waits itself, its time is never the later one.)"""
        refusal = self._executor.refusals.get(refusal_key(action.kind, action.target))
        return (
            refusal is not None
            and refusal.kind == action.kind
            and int(now) < int(refusal.at) + self._context.policy.deadlines.retry
        )

    def _refuse(self, kind: Any, target: str, fault: BaseException) -> None:
        self._executor.refuse(kind, target, fault)

    def _lock_subject(self, cluster: str) -> Subject:
        if self._seen is None:
            return Subject(kind="cluster", moid=cluster)
        return self._seen.lock_subject(cluster)

    def _lock_of(self, action: Action) -> Subject | None:
        """The object that stores the lock for an action; None if the target is not visible."""
        seen = self._seen
        if self._context.host:
            return Subject(kind="host", moid=self._context.host)
        if seen is None:
            return None
        known = {vm.moid: vm.host_moid for vm in seen.vms if vm.moid == action.target}
        host = action.host_moid or known.get(action.target, action.target)
        view = next((view for view in seen.hosts if view.moid == host), None)
        return None if view is None else seen.lock_subject(view.host.compute_moid)

    def _time_to_wait(self, decision: Decision, now: float) -> float:
        """How long to wait for a change (local seconds)."""
        waits = [LONGEST_WAIT]
        due = [decision.outlook.wake_at, self._probes.next_due(now), self._gates.next_due()]
        due += [refusal.at + self._context.policy.deadlines.retry for refusal in self._executor.refusals.values()]
        waits += [moment - now for moment in due if moment is not None and moment > now]
        if self._probes.busy or self._gates.busy:
            waits.append(PROBING)
        own = max(SHORTEST_WAIT, min(waits)) / self._fleet.clock.rate
        until = self._context.until
        return own if until is None or self._gates.commands else max(0.0, min(own, until - self._session.clock()))

    # ------------------------------------------------------------------------------------------------------------ report

    def _report(self, observed: ObservedFleet, decision: Decision, now: float) -> None:
        result = self.result
        result.timeline, news = timelines.extend(result.timeline, observed, decision, now)
        result.outlook = decision.outlook
        wanted = {view.moid for view in observed.hosts if view.wanted}
        fresh = [one for one in news if one.moid in wanted or one.after != "idle"]
        statuses = [
            status for moid, status in result.timeline.statuses.items() if moid in wanted or status.phase != "idle"
        ]
        self._context.progress_writer.write_transitions(fresh, statuses, now, lambda: self._ends_at(observed, now))
        if any(one.before == "waiting" and one.after not in RESTING for one in news):
            self._reported.pop(HELD, None)
        for text in decision.outlook.notices:
            if self._reported.get(topic_of(text)) != gist_of(text):
                self._reported[topic_of(text)] = gist_of(text)
                self._context.progress_writer.note(text, now)
        limits, before = self._context.policy.deadlines, result.in_progress
        result.in_progress = self._memo.once(
            find_in_progress, observed.me, observed.run_id, observed.hosts, observed.vms, observed.clusters, limits
        )
        if result.stopped_by and not self._told_begun:
            # The lines right after a signal are printed from the last state file, which may be older than the lines before them.
            self._told_begun = True
            self._context.progress_writer.note(result.in_progress.describe(), now)
        elif self._context.policy.only_restore and self._context.policy.goal == "reboot":
            self._report_vms(before, observed, now)
        self._context.write_state(result)

    def _report_vms(self, before: InProgress, observed: ObservedFleet, now: float) -> None:
        """In a restore, people wait for the VMs: each one that is on, and then for what the run still waits."""
        begun, running = self.result.in_progress, {vm.name for vm in observed.vms if vm.is_on}
        left = {(vm.host, vm.name) for vm in begun.vms}
        for vm in before.vms:
            if (vm.host, vm.name) not in left and vm.name in running:
                text = f"{vm.host}: {vm.name} is on"
                self._context.progress_writer.note(text, now, vm=vm.name, host=vm.host, action="is_on")
        waits = describe_waits(begun, observed)
        text = f"{ALL_ON}{waits}"
        if waits and self._reported.get(ALL_ON) != gist_of(text):
            self._reported[ALL_ON] = gist_of(text)
            self._context.progress_writer.note(text, now)

    def _ends_at(self, observed: ObservedFleet, now: float) -> float | None:
        # What a restore waits for has failed, or may have: no expected time says when it ends.
        if self._context.policy.goal != "reboot" or self._context.policy.only_restore:
            return None
        due, ends = self._forecast
        if now >= due:
            began = time.perf_counter()
            planned = forecast.forecast(observed, self._context.policy, now)
            ends = planned.ends_at if planned.hosts else None
            # A forecast of a large fleet takes a while: use only a small part of the time for it.
            self._forecast = (now + max(FORECAST_AGE, 50 * (time.perf_counter() - began)), ends)
        return ends


def remove_journal(loop: Loop, journal: Journal) -> bool:
    """After the end: remove what only the journal needed, unless it is still used. True when something was removed."""
    seen = loop.look(0.0)
    held = {view.moid for view in seen.clusters if seen.texts(seen.lock_subject(view.moid).moid).get(LOCK)}
    for view in seen.hosts:
        texts = seen.texts(view.moid)
        orphans = {name: "" for name in (DEVICES, LINKS, GATE) if texts.get(name)}
        # Written for a host that was not started, because the process ended between the two writes.
        if orphans and not texts.get(ENTRY) and view.host.compute_moid not in held:
            journal.write(Subject(kind="host", moid=view.moid), orphans)
    shown = {name for texts in loop.look(0.0).values.values() for name, text in texts.items() if text and name in KEPT}
    return journal.tidy(shown)
