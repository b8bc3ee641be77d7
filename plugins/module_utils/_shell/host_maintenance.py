# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module host_maintenance, from its parameters to its result. PRIVATE to the collection.

It uses the loop, the steps and the journal of a rolling reboot, for one host after another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from .._domain.errors import DirectPathError
from .._domain.host.targets import Target, meant_hosts
from .._domain.left_behind import end_maintenance_command, ending, power_on_command
from .._domain.maintenance.host_lock import locked
from .._domain.maintenance.next_action import adopted
from .._domain.maintenance.plan import plan_maintenance
from .._domain.maintenance.plan_gate import PlanGate
from .._domain.names import ResolvedNames, resolve_all
from .._domain.planning.plan import Plan, TargetPlan
from .._domain.ranges import check_timeout
from .._domain.rolling.state.actions import Action
from .._domain.rolling.state.fleet_index import FleetIndex, index_fleet
from .._domain.rolling.state.fleet_memory import FleetMemory
from .._domain.rolling.state.journal import MAINTENANCE_LOCK, Entry, VmEntry
from .._domain.rolling.state.observed import HostView, Precheck
from .._domain.rolling.state.pinned import pinned_vms
from .._domain.rolling.state.policy import Deadlines, Pinned, Policy
from .._vsphere.attributes.earlier_marks import open_maintenance_journal
from .._vsphere.attributes.journal import Journal, Subject
from .._vsphere.read.hosts import read_host_names, read_names
from .._vsphere.rest.compute_policies import ComputePolicies
from .._vsphere.rest.tags import Automation
from .._vsphere.rolling.inventory import FleetInventory, RequestedHost
from .._vsphere.rolling.status import read_status
from .._vsphere.session.connect import Session
from .._vsphere.session.faults import SERVER_ERRORS, explain
from .._vsphere.write.power_on import existing_vms, running_vms
from .engine.output import target_result
from .engine.result import Outcome, build_result, conclude, without_needless
from .engine.targets import parse_targets
from .outlets.vcenter_events import VcenterEvents
from .rolling.context import RollingRun, RunContext
from .rolling.journal_place import lost_journal_warnings
from .rolling.loop import Loop
from .rolling.progress_file import ProgressWriter
from .rolling.result import is_out_of_service
from .rolling.run_owner import is_gone, make_owner

CODES = {"drain_deadline": "timed_out", "vm_not_stopped": "shutdown_timed_out"}
"""Codes of the steps → the published codes of this module."""
CURES = {
    "drain_deadline": "Move or shut down these VMs, then run the task again",
    "vm_not_stopped": "Check the console of the guest, raise stop_timeout, or set pinned_vms: shutdown_then_power_off",
    "maintenance_by_other": "Check with that user. VMs that were shut down are started by state: absent, when the host is in service",
}
_DONE: Mapping[str, str] = {
    "stop_vm": "{0} was shut down (state: absent starts it again)",
    "power_off_vm": "{0} was powered off (state: absent starts it again)",
    "start_vm": "{0} was started",
    "leave_maintenance": "{0} left maintenance mode",
}


@dataclass(frozen=True, kw_only=True)
class MaintenanceRequest:
    """The parameters of host_maintenance."""

    targets: tuple[Target, ...]
    policy: Policy
    never_stop: tuple[str, ...]
    never_stop_missing: tuple[str, ...]
    journal: str
    journal_dir: str
    vcenter_events: bool = False

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> MaintenanceRequest:
        """Read the parameters. Raises InputError."""
        for name in ("drain_timeout", "stop_timeout", "leave_timeout"):
            check_timeout(name, params[name])
        return cls(
            targets=parse_targets(params, devices_required=False),
            policy=_policy(params),
            never_stop=tuple(params["never_stop"]),
            never_stop_missing=tuple(params["never_stop_missing"]),
            journal=params["journal"],
            journal_dir=params["journal_dir"],
            vcenter_events=params["vcenter_events"],
        )


def _policy(params: Mapping[str, Any]) -> Policy:
    """Hosts that a user named are not restricted by budgets, canaries or windows."""
    stop = float(params["stop_timeout"])
    stops = params["pinned_vms"] != "fail"
    return Policy(
        goal="enter" if params["state"] == "present" else "leave",
        operator_maintenance="end" if params["operator_maintenance"] == "end" else "block",
        start_vms=params["start_vms"],
        pinned=Pinned(action=params["pinned_vms"], wait_for_tools=False),
        evacuate_powered_off=params["evacuate_powered_off"],
        vsan_mode=params["vsan_mode"],
        deadlines=Deadlines(
            # The VMs are shut down when the others are migrated: the time for both counts.
            drain=float(params["drain_timeout"]) + stop * stops,
            stop_vm=stop,
            watch_vm=max(Deadlines().watch_vm, 3 * stop),
            leave=float(params["leave_timeout"]),
            reboot=0.0,
            # A call that was lost is made again before the time for it is over.
            retry=min(Deadlines().retry, stop / 2),
        ),
    )


def maintain_hosts(session: Session, request: MaintenanceRequest, check_mode: bool) -> dict[str, Any]:
    """Put the hosts into maintenance mode, or return them to service; in check mode only plan it. Returns the result of the module."""
    with ExitStack() as opened:
        work = _MaintenanceRun.open(session, request, read_only=check_mode)
        opened.callback(work.api.close)
        opened.callback(work.fleet.close)
        if work.events is not None:
            opened.callback(work.events.end)
        fleet = work.observe()
        plan = plan_maintenance(fleet, work.hosts)
        outcomes: dict[str, Outcome] = {}
        after, left = fleet, plan
        if plan.changed and not check_mode:
            for target in plan.targets:
                if target.effective:
                    outcomes[target.moid] = work.maintain(target)
            after = work.observe_again(fleet)
            left = plan_maintenance(after, work.hosts)
            _verify(left, outcomes)
        if not check_mode and (outcomes or request.policy.goal == "leave"):
            work.tidy(after)
        plan = without_needless(plan, outcomes)
        result = build_result(plan, left, outcomes, applied=bool(outcomes))
        result["hosts"] = [
            _host(after if target.moid in after.hosts else fleet, target, outcomes) for target in plan.targets
        ]
        if work.fleet.policies_problem:
            result["warnings"].append(f"Compute policies of vCenter may power off VMs. {work.fleet.policies_problem}")
        result["warnings"] += lost_journal_warnings(work.journal, is_vcenter=session.is_vcenter)
        if work.events is not None:
            reports = work.events.end()
            result["outlets"] = [report.record() for report in reports]
            result["warnings"] += [report.warning() for report in reports if report.lost]
        result["journal"] = {"place": work.journal.place, "why": work.journal.why}
        result["calls"], result["logins"] = session.calls, session.own_logins
        if session.is_vcenter and request.policy.goal == "leave" and request.policy.start_vms:
            _refuse_left_off(session, request, after, outcomes)
        conclude(result, plan, outcomes, behind=_left_behind(after, outcomes, work.off))
        return result


def _left_behind(fleet: FleetIndex, outcomes: Mapping[str, Outcome], off: Mapping[str, Sequence[str]]) -> str:
    """The end of the message: what is off or in maintenance mode because of a host that failed. ``fleet``: as it is now. ``off``: the
    VMs that were off after the last change of each host; of a host that was removed, nothing newer is known."""
    failed = [moid for moid, outcome in outcomes.items() if outcome.error is not None and moid in fleet.hosts]
    hosts = [fleet.hosts[moid].name for moid in failed if is_out_of_service(fleet.hosts[moid])]
    vms = {moid: [vm.name for vm in fleet.stopped_vms.get(moid, ()) if not vm.is_on] for moid in failed}
    named = [*hosts, *(fleet.hosts[moid].name for moid in failed if vms[moid])]
    adrift = [name for moid, names in off.items() if moid not in fleet.hosts for name in names]
    commands = [end_maintenance_command(set(named))] if named else []
    commands += [power_on_command(adrift)] if adrift else []
    return ending([*(name for names in vms.values() for name in names), *adrift], hosts, "; and: ".join(commands))


def _verify(left: Plan, outcomes: Mapping[str, Outcome]) -> None:
    """A host that still has changes to be made is a failure. ``left``: the plan that was made after the writes."""
    for target in left.targets:
        outcome = outcomes.get(target.moid)
        if outcome is not None and outcome.error is None and (target.changes or target.blockers):
            why = "; ".join([blocker.message for blocker in target.blockers] or [c.subject for c in target.changes])
            outcome.error = DirectPathError(
                message=f"{target.target} accepted the change but does not show it: {why}",
                code="not_applied",
                cure="Check the recent tasks and events of the host and of vCenter, then run the task again",
            )


def _refuse_left_off(
    session: Session, request: MaintenanceRequest, fleet: FleetIndex, outcomes: dict[str, Outcome]
) -> None:
    """A VM that was shut down for a host and then moved to another cluster is not watched, so nothing powers it on. Name it."""
    watched = {vm.moid for vm in fleet.observed.vms}
    for vm in read_status(session, request.journal_dir).seen.vms:
        entry = vm.entry
        if not isinstance(entry, VmEntry) or entry.purpose != "maintenance" or vm.power == "on" or vm.moid in watched:
            continue
        if entry.host not in fleet.hosts or not fleet.hosts[entry.host].wanted:
            continue
        outcome = outcomes.setdefault(entry.host, Outcome())
        if outcome.error is None:
            state = "is in another cluster now, and is powered off"
            if vm.power == "unknown":
                state = "is not in the inventory any more, or cannot be read"
            outcome.error = DirectPathError(
                message=f"{vm.name}, which was shut down for {fleet.hosts[entry.host].name}, {state}",
                code="vms_left_off",
                cure="Then clear its custom attribute directpath.maintenance.vm. "
                + ending([vm.name], (), power_on_command([vm.name])),
            )


def _host(fleet: FleetIndex, target: TargetPlan, outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    view = fleet.hosts[target.moid]
    return {
        **target_result(target, outcomes),
        "cluster": view.host.cluster,
        "in_maintenance_mode": view.in_maintenance,
        "vms_stopped": [change.subject for change in target.effective if change.kind == "shutdown"],
        "vms_started": [change.subject for change in target.effective if change.kind == "power_on"],
        "done": list(outcomes[target.moid].done) if target.moid in outcomes else [],
    }


@dataclass(kw_only=True)
class _MaintenanceRun:
    """The fleet, the journal and the policy of one run."""

    session: Session
    api: Automation
    fleet: FleetInventory
    journal: Journal
    policy: Policy
    hosts: tuple[str, ...]
    me: str
    read_only: bool
    events: VcenterEvents | None = None
    off: dict[str, list[str]] = field(default_factory=dict)
    """Host that failed → names of the VMs that were shut down for it and were off afterwards."""

    @classmethod
    def open(cls, session: Session, request: MaintenanceRequest, *, read_only: bool) -> _MaintenanceRun:
        """Resolve the names and open the journal. Raises InputError, DirectPathError."""
        inventory = (read_names if request.never_stop else read_host_names)(session)
        hosts = tuple(meant_hosts(inventory, request.targets))
        never: ResolvedNames[bool] = ResolvedNames()
        if request.never_stop:
            never = resolve_all(
                inventory.vm_names,
                dict.fromkeys(request.never_stop, True),
                "never_stop",
                may_miss=request.never_stop_missing,
            )
        journal = open_maintenance_journal(
            session, request.journal, directory=request.journal_dir, hosts=hosts, read_only=read_only
        )
        clusters = {host.compute_moid: host.cluster for host in inventory.hosts if host.cluster is not None}
        api = Automation(session=session)
        fleet = FleetInventory(
            session,
            [RequestedHost(moid=moid) for moid in hosts],
            never_stop=never,
            labels={**clusters, **{host.moid: host.name for host in inventory.hosts}},
            fields=journal.fields,
            evacuates=request.policy.evacuate_powered_off,
            policies=ComputePolicies(session, api),
        )
        return cls(
            session=session,
            api=api,
            fleet=fleet,
            journal=journal,
            policy=request.policy,
            hosts=hosts,
            me=make_owner(),
            read_only=read_only,
            events=VcenterEvents(session, {}) if request.vcenter_events and not read_only else None,
        )

    def _observe(self) -> FleetIndex:
        loop = Loop(self._context("", read_only=True))
        seen = loop.look(0.0)
        return index_fleet(loop.observe(seen), self.policy, seen.now)

    def observe(self) -> FleetIndex:
        """Observe all hosts, with prechecks."""
        fleet = self._observe()
        if self._due(fleet) and self.fleet.read_policies():
            fleet = self._observe()
        prechecks = self._prechecks(fleet)
        if not prechecks:
            return fleet
        hosts = tuple(replace(view, precheck=prechecks.get(view.moid)) for view in fleet.observed.hosts)
        return index_fleet(replace(fleet.observed, hosts=hosts), self.policy, fleet.now)

    def observe_again(self, before: FleetIndex) -> FleetIndex:
        """Observe all hosts after the writes. If none of them exists any more: ``before`` without hosts."""
        try:
            return self.observe()
        except DirectPathError as error:
            if error.code != "vanished":
                raise
            return index_fleet(replace(before.observed, hosts=(), vms=()), self.policy, before.now)

    def _prechecks(self, fleet: FleetIndex) -> dict[str, Precheck]:
        """Whether the account may stop and start the VMs that would be stopped: found later, they would stay off. And whether VMs would
        lose devices, if those that are powered off are migrated."""
        due = self._due(fleet)
        if not due:
            return {}
        may_stop = self.policy.pinned.action != "fail"
        stops = {
            view.moid: [
                vm.moid for vm in pinned_vms(fleet.residents.get(view.moid, ()), fleet.cluster_of(view)) if may_stop
            ]
            for view in due
        }
        denied = self.fleet.read_denied([moid for vms in stops.values() for moid in vms])
        evacuees = self.fleet.read_evacuees(stops)
        return {
            host: Precheck(
                at=fleet.now,
                denied={moid: denied[moid] for moid in vms if moid in denied},
                lost=evacuees[host].lost if host in evacuees else (),
                uncertain=evacuees[host].uncertain if host in evacuees else (),
            )
            for host, vms in stops.items()
        }

    def _due(self, fleet: FleetIndex) -> list[HostView]:
        """The hosts that are to be put into maintenance mode."""
        if self.policy.goal != "enter":
            return []
        return [view for moid, view in fleet.hosts.items() if moid in self.hosts and not view.in_maintenance]

    def _context(self, host: str, *, read_only: bool, **more: Any) -> RunContext:
        return RunContext(
            session=self.session,
            fleet=self.fleet,
            journal=self.journal,
            policy=self.policy,
            me=self.me,
            scope="",
            progress_writer=ProgressWriter(
                None, listener=None if self.events is None or read_only else self.events.take
            ),
            is_gone=is_gone,
            read_only=read_only,
            host=host,
            find_run=lambda entries: adopted(entries.get(host), self.policy.goal),
            **more,
        )

    def maintain(self, target: TargetPlan) -> Outcome:
        """Make the changes of one host. The outcome lists what was done before a failure; ``state: absent`` undoes it."""
        before = self.session.stub.writes_here
        try:
            prechecks = self._prechecks(self._observe())
        except DirectPathError as error:
            return Outcome(error=error)
        except SERVER_ERRORS as fault:
            return Outcome(error=explain(fault, doing="read", on=target.target))
        gate = PlanGate(target, account=self.session.endpoint.username)

        def read_again() -> None:
            if gate.is_checking:
                self.fleet.read_vms_again(target.moid)

        context = self._context(
            target.moid, read_only=False, decide=gate.decide, before_look=read_again, prechecks=prechecks
        )
        run = Loop(context).run()
        outcome = Outcome(done=tuple(_describe_actions(run, target)), error=gate.problem or run.error)
        outcome.elsewhere = gate.elsewhere
        if outcome.error is None:
            outcome.error = _error_of(run, target) if run.outlook.state != "finished" else self._journal_error()
        if outcome.error is None:
            outcome.made = len(target.effective)
        else:
            if outcome.done:
                outcome.error.message = (
                    f"{outcome.error.message.rstrip('.')}. Done before that: {', '.join(outcome.done)}"
                )
            self._find_vms(outcome.error, run.memory, target)
        outcome.wrote = self.session.stub.writes_here > before
        return outcome

    def _find_vms(self, error: DirectPathError, memory: FleetMemory, target: TargetPlan) -> None:
        """Remember the VMs that were shut down for the host and do not run. Add those to the error that do not exist any more."""
        own = {moid: vm.name for moid, vm in memory.stopped.items() if vm.host == target.moid}
        try:
            running, there = running_vms(self.session, own), existing_vms(self.session, own)
        except (DirectPathError, *SERVER_ERRORS):
            running, there = frozenset(), tuple(own)  # unknown: all of them are named
        self.off[target.moid] = sorted(own[moid] for moid in there if moid not in running)
        lost = sorted(own[moid] for moid in own.keys() - set(there))
        if lost:
            said = f"Shut down for {target.target} and not in the inventory any more: {', '.join(lost)}"
            error.message = f"{error.message.rstrip('.')}. {said}"
            error.cure = f"{error.cure.rstrip('.')}. Register the VMs on another host and power them on".removeprefix(
                ". "
            )

    def _journal_error(self) -> DirectPathError | None:
        broken = self.journal.broken
        return _copied(broken) if broken is not None else None

    def tidy(self, fleet: FleetIndex) -> None:
        """Remove the attributes, or the file, if nothing is stored in them. If this fails, it does no harm.

        A process that was killed before its first entry, or after it removed the last one, has left its lock.
        """
        with suppress(DirectPathError, *SERVER_ERRORS):
            for view in (fleet.hosts[moid] for moid in self.hosts if moid in fleet.hosts):
                if view.lock is not None and view.entry is None and not locked(fleet, view):
                    self.journal.write(Subject(kind="host", moid=view.moid), {MAINTENANCE_LOCK: ""})
            self.journal.tidy(())


def _copied(error: DirectPathError) -> DirectPathError:
    """A copy, because the message of an outcome is extended."""
    return DirectPathError(message=error.message, code=error.code, parameter=error.parameter, cure=error.cure)


def _describe_actions(run: RollingRun, target: TargetPlan) -> Iterator[str]:
    """What was done, in order. Of repeated calls only the last one counts."""
    last: dict[tuple[str, str], Action] = {}
    for action in run.actions:
        last.pop(action.key, None)
        last[action.key] = action
    undone = {action.target for action in last.values() if action.kind == "start_vm"}
    entering = run.observed is not None and any(
        view.moid == target.moid and view.in_maintenance for view in run.observed.hosts
    )
    goes_in = any(change.kind == "enter_maintenance" for change in target.effective)
    for action in last.values():
        if action.kind == "enter_maintenance" and entering:
            yield f"{target.target} entered maintenance mode"
        elif action.kind == "start_vm" and goes_in:
            yield f"{action.name} was started again"
        elif action.kind in ("stop_vm", "power_off_vm") and action.target in undone:
            continue
        elif action.kind in _DONE:
            yield _DONE[action.kind].format(action.name)


def _error_of(run: RollingRun, target: TargetPlan) -> DirectPathError:
    """From the last entry of the host."""
    entry: Entry | None = run.entries[target.moid][1] if target.moid in run.entries else None
    text = run.texts.get(target.moid) or (entry.text if entry is not None else "")
    code = entry.code if entry is not None else ""
    return DirectPathError(
        message=text or f"{target.target}: the run ended before all changes were made",
        code=CODES.get(code, code or "not_applied"),
        cure=CURES.get(code, "Check the recent tasks and events of the host, then run the task again"),
    )
