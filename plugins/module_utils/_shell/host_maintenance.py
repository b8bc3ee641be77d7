# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module host_maintenance, from its parameters to its result. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from .._domain.errors import DirectPathError
from .._domain.host.targets import Target, parse_targets
from .._domain.maintenance.plan import (
    DesiredMaintenance,
    EnterMaintenance,
    RemoveMark,
    host_mark,
    plan_maintenance,
    vm_mark,
)
from .._domain.names import ResolvedNames, resolve_all
from .._domain.observed.hosts import Host
from .._domain.observed.vms import Vm, VmName
from .._domain.plan import Change, Plan, TargetPlan
from .._vsphere.attributes.marks import Choice, Marks, open_marks
from .._vsphere.read.hosts import read_drs, read_names, vm_labels
from .._vsphere.read.vms import place_of, read_residents, read_vms
from .._vsphere.session.connect import Session
from .._vsphere.session.faults import UNCERTAIN, explained
from .._vsphere.write.maintenance import enter_maintenance, exit_maintenance, read_running_tasks
from .._vsphere.write.power_on import start_vm
from .._vsphere.write.vms import apply_vm, unchecked
from .engine.gate import Gate
from .engine.observe import ObservedHosts, follow_hosts, observe_chosen_hosts, observe_hosts
from .engine.output import target_result
from .engine.result import Outcome

_DOING = {
    "shutdown": "shut down {0}",
    "enter_maintenance": "put {1} into maintenance mode",
    "exit_maintenance": "take {1} out of maintenance mode",
    "power_on": "start {0}",
}


@dataclass(frozen=True, kw_only=True)
class MaintenanceRequest:
    """The parameters of host_maintenance."""

    targets: tuple[Target, ...]
    desired: DesiredMaintenance
    never_stop: tuple[str, ...]
    journal: Choice
    stopped: dict[str, tuple[Vm, ...]] = field(default_factory=dict)
    """Host id → VMs that this run shut down for it, in this order. After a lost answer, the next read finds them powered off."""

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> MaintenanceRequest:
        """Read the parameters. Raises InputError."""
        return cls(
            targets=parse_targets(params, devices_required=False),
            desired=DesiredMaintenance(
                state=params["state"],
                pinned=params["pinned_vms"],
                evacuate_powered_off=params["evacuate_powered_off"],
                vsan_mode=params["vsan_mode"],
                operator_maintenance=params["operator_maintenance"],
                start_vms=params["start_vms"],
                drain_timeout=params["drain_timeout"],
                stop_timeout=params["stop_timeout"],
                leave_timeout=params["leave_timeout"],
            ),
            never_stop=tuple(params["never_stop"]),
            journal=Choice(kind=params["journal"], directory=params["journal_dir"]),
        )


@dataclass(frozen=True, kw_only=True)
class ObservedMaintenance:
    """Hosts, the VMs and the running tasks on them, and the marks of earlier runs.

    ``texts``: object id → text of its mark. ``stopped``: VMs that have a mark because a run shut them down.
    """

    hosts: ObservedHosts
    marks: Marks
    texts: Mapping[str, str]
    residents: Mapping[str, Sequence[Vm]]
    tasks: Mapping[str, Sequence[str]]
    stopped: tuple[Vm, ...]
    never_stop: ResolvedNames[bool]
    names: tuple[VmName, ...] = ()
    """VMs of the inventory, if it was read."""


def observe(session: Session, request: MaintenanceRequest) -> ObservedMaintenance:
    """Read hosts and marks; VMs and tasks only of hosts that must be evacuated. Raises InputError for an unknown name."""
    never: ResolvedNames[bool] = ResolvedNames()
    names: tuple[VmName, ...] = ()
    if request.never_stop or request.desired.evacuate_powered_off:
        inventory = read_names(session)
        names = inventory.vms
        never = resolve_all(inventory.vm_names, dict.fromkeys(request.never_stop, True), "never_stop")
        observed = observe_chosen_hosts(session, request.targets, inventory, residents=True)
    else:
        observed = observe_hosts(session, request.targets, residents=True)
    marks = open_marks(
        session, request.journal, [host.moid for host in observed.hosts], read_only=session.stub.read_only
    )
    texts = marks.read()
    due = (
        [host for host in observed.hosts if not host.in_maintenance_mode] if request.desired.state == "present" else []
    )
    deep = {host.moid: host for host in read_drs(session, due)} if due else {}
    return ObservedMaintenance(
        hosts=replace(observed, hosts=tuple(deep.get(host.moid, host) for host in observed.hosts)),
        marks=marks,
        texts=texts,
        residents=_residents(session, due, names) if due else {},
        tasks=read_running_tasks(session, due) if due else {},
        stopped=_stopped(session, texts) if request.desired.state == "absent" else (),
        never_stop=never,
        names=names,
    )


def follow(
    session: Session, observed: ObservedMaintenance, request: MaintenanceRequest, plan: Plan, moids: Collection[str]
) -> ObservedMaintenance:
    """Read the hosts with these ids, and all marks, again."""
    texts = observed.marks.read()
    now = recheck(session, observed, request, plan, moids)
    return replace(now, texts=texts, stopped=_stopped(session, texts) if request.desired.state == "absent" else ())


def recheck(
    session: Session, observed: ObservedMaintenance, request: MaintenanceRequest, plan: Plan, moids: Collection[str]
) -> ObservedMaintenance:
    """Read the hosts with these ids again, before a write.

    Not the marks: only this module writes them. Not the DRS settings: they only decide who moves a VM, so one read is enough.
    """
    known = {host.moid: host.drs_moves_vms for host in observed.hosts.hosts}
    seen = follow_hosts(session, observed.hosts, moids)
    hosts = tuple(replace(host, drs_moves_vms=known[host.moid]) for host in seen.hosts)
    due = [host for host in hosts if not host.in_maintenance_mode] if request.desired.state == "present" else []
    return replace(
        observed,
        hosts=replace(seen, hosts=hosts),
        residents=_residents(session, due, observed.names) if due else {},
        tasks=read_running_tasks(session, due) if due else {},
        stopped=read_vms(session, [place_of(vm) for vm in observed.stopped]) if observed.stopped else (),
    )


def _residents(session: Session, hosts: Sequence[Host], names: Sequence[VmName]) -> dict[str, tuple[Vm, ...]]:
    found = read_residents(session, hosts, names)
    labels = vm_labels(session, {vm.moid: vm.name for vms in found.values() for vm in vms})
    return {moid: tuple(replace(vm, name=labels[vm.moid]) for vm in vms) for moid, vms in found.items()}


def _stopped(session: Session, texts: Mapping[str, str]) -> tuple[Vm, ...]:
    if not texts:
        return ()
    return read_vms(session, [vm for vm in read_names(session).vms if vm.moid in texts])


def plan(observed: ObservedMaintenance, request: MaintenanceRequest) -> Plan:
    """Plan the way of all hosts into or out of maintenance mode."""
    return plan_maintenance(
        observed.hosts.hosts,
        observed.residents,
        replace(request.desired, never_stop=frozenset(observed.never_stop.by_id)),
        tasks=observed.tasks,
        marks=observed.texts,
        stopped=observed.stopped,
    )


def apply(
    session: Session,
    observed: ObservedMaintenance,
    request: MaintenanceRequest,
    target: TargetPlan,
    gate: Gate[ObservedMaintenance],
) -> Outcome:
    """Make the changes of one host in the order of the plan. The mark is written before the change that it describes.

    The outcome lists what was done before a failure. ``state: absent`` undoes it.
    """
    host = observed.hosts.host(target.moid)
    outcome = Outcome(done=tuple(_describe_stop(vm) for vm in request.stopped.get(host.moid, ())))
    left = list(target.effective)
    try:
        # A read that the server refuses in the middle is reported like a refused write: with what was done before.
        with explained("change", host.name):
            while left:
                left = _still_due(gate, left, host)
                if left:
                    _apply_change(session, observed, request, host, left.pop(0), outcome)
                    outcome.made += 1
    except DirectPathError as error:
        if error.code == "changed_meanwhile" and request.desired.state == "present":
            _undo(session, observed, request.stopped.pop(host.moid, ()), outcome)
            outcome.made = 0
        if outcome.done:
            error.message = f"{error.message.rstrip('.')}. Done before that: {', '.join(outcome.done)}"
        outcome.error = error
    if request.desired.state == "absent" and outcome.error is None:
        observed.marks.tidy()
    return outcome


def _undo(session: Session, observed: ObservedMaintenance, stopped: Sequence[Vm], outcome: Outcome) -> None:
    """Power on the VMs that this run shut down, because the host changed and no longer fits the plan.

    A VM that cannot be powered on keeps its mark, so ``state: absent`` starts it later.
    """
    for vm in stopped:
        try:
            start_vm(session, vm)
            observed.marks.write("vm", vm.moid, "")
            outcome.done += (f"{vm.name} was started again",)
        except DirectPathError as problem:
            outcome.done += (f"{vm.name} could not be started again ({problem.message.rstrip('.')})",)


def _describe_stop(vm: Vm) -> str:
    return f"{vm.name} was shut down (state: absent starts it again)"


def _still_due(gate: Gate[ObservedMaintenance], left: list[Change], host: Host) -> list[Change]:
    """The changes that are still necessary, checked before the next one. Removing a mark is not checked: it only records what was done."""
    kind = left[0].kind
    if kind == "forget":
        return left
    now = gate.reread()[1]
    changes = [change for change in left if change.kind != "forget"]
    due = replace(now, changes=tuple(change for change in now.changes if change.kind != "forget"))
    doing = _DOING[kind].format(left[0].subject, host.name)
    subjects = {change.subject for change in gate.check(changes, due, doing=doing)}
    return [change for change in left if change.kind == "forget" or change.subject in subjects]


def _apply_change(
    session: Session,
    observed: ObservedMaintenance,
    request: MaintenanceRequest,
    host: Host,
    change: Change,
    outcome: Outcome,
) -> None:
    detail = change.detail
    match change.kind:
        case "shutdown":
            vm, how = detail
            observed.marks.write("vm", vm.moid, vm_mark(host))
            try:
                apply_vm(session, vm, [replace(change, detail=how)], unchecked(vm))
            finally:
                session.off.pop(vm.moid, None)  # the mark makes sure that it is started later
            request.stopped[host.moid] = (*request.stopped.get(host.moid, ()), vm)
            outcome.done += (_describe_stop(vm),)
        case "enter_maintenance":
            _enter(session, observed, host, detail)
            outcome.done += (f"{host.name} entered maintenance mode",)
        case "exit_maintenance":
            exit_maintenance(session, host, timeout=detail.timeout_seconds)
            outcome.done += (f"{host.name} left maintenance mode",)
        case "power_on":
            apply_vm(session, detail, [change], unchecked(detail))
            outcome.done += (f"{detail.name} was started",)
        case _:
            _forget(observed, host, detail)


def _enter(session: Session, observed: ObservedMaintenance, host: Host, how: EnterMaintenance) -> None:
    observed.marks.write("host", host.moid, host_mark(session.endpoint.username))
    try:
        enter_maintenance(
            session,
            host,
            timeout=how.timeout_seconds,
            evacuate_powered_off=how.evacuate_powered_off,
            vsan_mode=how.vsan_mode,
        )
    except DirectPathError as error:
        # The host did not enter maintenance mode. With the mark, a later maintenance mode of another user would look like
        # one of this module. Where the result is unknown, the mark stays.
        if error.code not in UNCERTAIN:
            with suppress(DirectPathError):
                observed.marks.write("host", host.moid, "")
        raise


def _forget(observed: ObservedMaintenance, host: Host, mark: RemoveMark) -> None:
    try:
        observed.marks.write("host" if mark.moid == host.moid else "vm", mark.moid, "")
    except DirectPathError as error:
        if error.code != "vanished":  # a removed object has no mark any more
            raise


def render(
    observed: ObservedMaintenance, request: MaintenanceRequest, plan: Plan, outcomes: Mapping[str, Outcome]
) -> dict[str, Any]:
    """The result for all hosts of the plan."""
    return {
        "hosts": [_host(observed, target, outcomes) for target in plan.targets],
        "journal": {"place": observed.marks.place, "why": observed.marks.why},
    }


def _host(observed: ObservedMaintenance, target: TargetPlan, outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    host = observed.hosts.host(target.moid)
    return {
        **target_result(target, outcomes),
        "cluster": host.cluster,
        "in_maintenance_mode": host.in_maintenance_mode,
        "vms_stopped": [change.subject for change in target.effective if change.kind == "shutdown"],
        "vms_started": [change.subject for change in target.effective if change.kind == "power_on"],
        "done": list(outcomes[target.moid].done) if target.moid in outcomes else [],
    }
