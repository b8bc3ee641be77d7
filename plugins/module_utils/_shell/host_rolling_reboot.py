# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module host_rolling_reboot: from parameters to the result. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace
from typing import Any

from .._domain.errors import DirectPathError
from .._domain.host.overrides import parse_overrides, unknown_overrides
from .._domain.host.targets import Inventory, Resolved, desired_of, meant_hosts
from .._domain.host_entries.device_modes import without_modes
from .._domain.left_behind import ending, power_on_command
from .._domain.names import KINDS, ResolvedNames, relabel, resolve_all, resolve_each
from .._domain.observed.hosts import Host
from .._domain.planning.predicted import NOTHING_PREDICTED, Predicted
from .._domain.planning.unknown_names import Unknown, UnknownName, sentences
from .._domain.rolling.advice import describe_work
from .._domain.rolling.blockers.host_blockers import foreseen_failure
from .._domain.rolling.predicted_fleet import freed_vms, predict_fleet
from .._domain.rolling.scheduling.forecast import forecast
from .._domain.rolling.scheduling.host_texts import gone_status
from .._domain.rolling.state.fleet_memory import FleetMemory
from .._domain.rolling.state.journal import is_active
from .._domain.rolling.state.lock import scope_digest
from .._domain.rolling.state.observed import ObservedFleet, Precheck
from .._domain.rolling.state.pending_reboot import pending_reboot_of
from .._domain.rolling.state.phases import Outlook
from .._domain.rolling.state.policy import Policy
from .._domain.rolling.vgpu_evacuation import HOT_MIGRATION, vgpu_advice, vms_with_vgpus
from .._domain.timestamps import refuse_future
from .._vsphere.attributes.file_journal import FileJournal, open_journal
from .._vsphere.attributes.journal import Journal, Subject
from .._vsphere.attributes.values import journal_path
from .._vsphere.read.hosts import read_host_names, read_names, read_uuids
from .._vsphere.read.vcenter_settings import read_vcenter_setting
from .._vsphere.redfish.client import Bmc, BmcAccess
from .._vsphere.rest.compute_policies import ComputePolicies
from .._vsphere.rest.rolling_tags import RollingTags
from .._vsphere.rest.tags import Automation
from .._vsphere.rolling.inventory import FleetInventory, RequestedHost
from .._vsphere.session.connect import Session
from .._vsphere.session.endpoint import Endpoint
from .._vsphere.session.faults import SERVER_ERRORS, explain
from .._vsphere.write.power_on import existing_vms, vms_off
from .engine.earlier_tasks import EarlierTasks
from .engine.graphics_targets import graphics_of
from .outlets.vcenter_events import VcenterEvents
from .rolling.context import RollingRun, RunContext, watch_parent
from .rolling.earlier_slices import EarlierSlices
from .rolling.fleet_status import status_of_fleet
from .rolling.journal_place import lost_journal_warnings
from .rolling.loop import Loop, remove_journal
from .rolling.options import RollingRequest
from .rolling.outage import Outage, explain_missing_host
from .rolling.progress_file import ProgressWriter
from .rolling.result import build_forecast_result, build_run_result, is_incomplete
from .rolling.run_owner import is_gone, machine, make_owner
from .rolling.state_file import StateWriter
from .rolling.stop_request import StopRequest

ATTEMPTS_TO_CLOSE = 5
"""Maximum number of attempts to remove the journal, if the server does not respond then."""
PLANNED_CHANGES = "the planned changes will leave devices pending"


def reboot_hosts(session: Session, desired: RollingRequest, check_mode: bool) -> dict[str, Any]:
    """Run one slice of a rolling reboot, or all of it; in check mode return the schedule.

    Returns the result of the module. Raises DirectPathError when the run cannot begin; later problems are part of the result. The first
    signal to this process stops the run as soon as nothing is in progress, see ``StopRequest``.
    """
    stop = StopRequest(desired.shared_dir, given=desired.stop_reason)
    with nullcontext() if check_mode else stop.catching_signals():
        return _reboot_hosts(session, desired, check_mode, stop.reason)


def _reboot_hosts(
    session: Session, desired: RollingRequest, check_mode: bool, stop_reason: Callable[[], str]
) -> dict[str, Any]:
    # Taken before the first read: a slice ends on time, however long the reads take.
    until = session.clock() + desired.slice if desired.slice else None
    events = (
        VcenterEvents(session, desired.earlier_slices.phases) if desired.vcenter_events and not check_mode else None
    )
    progress_writer = ProgressWriter(
        None if check_mode else desired.progress_file,
        secrets=desired.secrets,
        listener=None if events is None else events.take,
    )
    # VM names are read together with host names, but only if an option contains VM names.
    read = read_names if (desired.vm_order or desired.never_stop or desired.assume_detached) else read_host_names
    inventory = read(session)
    for kind, names in desired.resolved.names.items():
        inventory.directory(kind).remember(names)
    meant = desired.resolved.hosts or meant_hosts(inventory, desired.targets)
    desired_devices = desired_of(inventory, desired.targets, meant)
    first = len(desired.targets) - len(desired.graphics)
    graphics = graphics_of(meant, desired.graphics, first)
    options = _resolve_names(inventory, desired)
    hosts = [host for host in inventory.hosts if host.moid in desired_devices]
    parse_overrides(desired.allow_protected, hosts)
    journal = open_journal(
        session, desired.journal, directory=desired.journal_dir, subjects=_subjects(hosts), read_only=check_mode
    )
    with ExitStack() as opened:
        api = Automation(session=session)
        opened.callback(api.close)
        if events is not None:
            opened.callback(events.end)
        tags = RollingTags(session, orders=desired.vm_order_tags, never_stop=desired.never_stop_tags, api=api)
        tags.begin()
        fleet = FleetInventory(
            session,
            [
                RequestedHost(
                    moid=host.moid,
                    desired_devices=without_modes(desired_devices[host.moid]),
                    graphics=graphics.get(host.moid),
                    names_devices=any(number < first for number in meant[host.moid]),
                    skips_missing=desired.on_missing == "skip",
                    expects_settled=check_mode and host.moid in options.settled,
                    expected_reboot=PLANNED_CHANGES if check_mode and host.moid in options.pending else None,
                )
                for host in hosts
            ],
            orders=options.orders,
            never_stop=options.never_stop,
            labels=_labels(inventory),
            tags=tags,
            policies=ComputePolicies(session, api),
            fields=journal.fields,
            allow_protected=desired.allow_protected,
            stops_pinned=desired.policy.pinned.action != "fail",
            evacuates=desired.policy.evacuate_powered_off,
            anchor=desired.earlier_slices.clock,
        )
        opened.callback(fleet.close)
        if desired.policy.booted_before is not None:
            refuse_future(desired.policy.booted_before, fleet.now(), "booted_before")
        bmcs = _bmcs(session, desired, inventory, hosts)
        for bmc in bmcs.values():
            opened.callback(bmc.close)
        state_writer = StateWriter(None if check_mode else desired.shared_dir, secrets=desired.secrets)
        context = RunContext(
            session=session,
            fleet=fleet,
            journal=journal,
            policy=options.policy,
            me=desired.run_id or make_owner(),
            scope=scope_digest(desired_devices, desired.policy),
            progress_writer=progress_writer,
            is_gone=is_gone,
            is_orphaned=watch_parent(desired.run_id, is_gone),
            stop_reason=stop_reason,
            write_state=lambda run: state_writer.write(
                lambda: {**build_run_result(run), **_describe_state(journal, progress_writer, run.now)}
            ),
            bmcs=bmcs,
            pause_file=desired.pause_file,
            until=until,
            read_only=check_mode,
            detached=options.detached if check_mode else frozenset(),
            stopped_before=frozenset(desired.stopped_vms),
            memory=desired.earlier_slices.memory,
        )
        resolved = Resolved(hosts=meant, names={kind: inventory.directory(kind).found for kind in KINDS})
        found = _result(context, options, EarlierTasks.above(session.endpoint, desired) if check_mode else None)
        if events is not None:
            found["outlets"] = [report.record() for report in events.end()]
            phases = {moid: phase for moid, phase in events.phases.items() if phase != "idle"}
            found["earlier_slices"]["phases"] = phases
        return {
            **found,
            "warnings": [*found["warnings"], *lost_journal_warnings(journal, is_vcenter=session.is_vcenter)],
            **_describe_execution(session, journal, progress_writer),
            "resolved": resolved.record(),
        }


@dataclass(frozen=True, kw_only=True)
class _NamedOptions:
    """The options that name single objects, after the names were resolved. ``policy`` uses the names that results use."""

    policy: Policy
    orders: ResolvedNames[int]
    never_stop: ResolvedNames[bool]
    pending: frozenset[str]
    settled: frozenset[str]
    detached: frozenset[str]
    vm_names: Mapping[str, Sequence[str]]
    """Option → the VM names in it."""
    may_miss: frozenset[str]
    """VMs that may be gone."""
    overrides: tuple[UnknownName, ...]
    """Entries of ``allow_protected`` without a host."""
    unknown_names: Unknown

    def unknown(self, observed: ObservedFleet) -> list[str]:
        """Warnings for names in options that match nothing in these clusters. A name may be misspelled."""
        ids, names = {vm.moid for vm in observed.vms}, {vm.name for vm in observed.vms}
        clusters = {cluster.name for cluster in observed.clusters}
        meant = {"never_stop": self.never_stop.ids, "vm_order": self.orders.ids}
        found = [
            (option, name)
            for option, given in self.vm_names.items()
            for name in given
            if meant[option].get(name) not in ids
            and name not in names
            and (name not in self.may_miss or name in meant[option])
        ]
        found += [("cluster_max_unavailable", name) for name in self.policy.cluster_budgets if name not in clusters]
        taken = any(view.precheck is not None and view.precheck.protected for view in observed.hosts)
        return [
            *(f"{option} contains {name}, but nothing in these clusters has this name" for option, name in found),
            *sentences(self.overrides, self.unknown_names, ["reboot_takes_protected"] if taken else ()),
        ]


def _resolve_names(inventory: Inventory, desired: RollingRequest) -> _NamedOptions:
    """Raises InputError for a name that matches several objects."""
    hosts, clusters, vms, policy = inventory.host_names, inventory.cluster_names, inventory.vm_names, desired.policy
    pending = resolve_each(hosts, dict.fromkeys(sorted(desired.expect_pending), True), "expect_pending")
    settled = resolve_each(hosts, dict.fromkeys(sorted(desired.expect_settled), True), "expect_settled")
    detached = resolve_each(vms, dict.fromkeys(sorted(desired.assume_detached), True), "assume_detached")
    return _NamedOptions(
        policy=replace(
            policy,
            cluster_budgets=relabel(clusters, policy.cluster_budgets, "cluster_max_unavailable"),
            order=relabel(hosts, policy.order, "order"),
            measured=relabel(hosts, policy.measured, "measured"),
        ),
        orders=resolve_each(vms, desired.vm_order, "vm_order"),
        # A resumed run does not fail because a VM no longer exists.
        never_stop=resolve_all(
            vms,
            dict.fromkeys(desired.never_stop, True),
            "never_stop",
            may_miss=desired.never_stop if desired.continue_run else desired.never_stop_missing,
        ),
        pending=frozenset(pending.by_id),
        settled=frozenset(settled.by_id),
        detached=frozenset(detached.by_id),
        vm_names={"never_stop": desired.never_stop, "vm_order": tuple(desired.vm_order)},
        may_miss=frozenset(desired.never_stop_missing),
        overrides=unknown_overrides(desired.allow_protected, inventory.hosts),
        unknown_names=desired.unknown_names,
    )


def _labels(inventory: Inventory) -> dict[str, str]:
    """Id → name in results, for hosts and their clusters."""
    clusters = {host.compute_moid: host.cluster for host in inventory.hosts if host.cluster is not None}
    return {**clusters, **{host.moid: host.name for host in inventory.hosts}}


def _result(context: RunContext, options: _NamedOptions, earlier: EarlierTasks | None) -> dict[str, Any]:
    """``earlier``: the earlier tasks of a check run; None in a real run."""
    loop = Loop(context)
    if earlier is not None:
        planned = _forecast_result(loop, context, options, earlier.read())
        rebooted = frozenset(host["moid"] for host in planned["hosts"] if host.get("status") == "changed")
        earlier.add(NOTHING_PREDICTED if planned.get("failed") else Predicted(rebooted=rebooted))
        return planned
    run = loop.run()
    if run.error is not None and not context.session.is_vcenter:
        run.error = explain_missing_host(run) or run.error
    if run.error is not None and run.error.code == "vanished":
        run.error = _explain_removed_hosts(run.memory) or run.error
    run.stopped_ids |= context.stopped_before
    if run.ended and run.stopped_by and not context.policy.only_restore and is_incomplete(run):
        by = "Ctrl-C" if run.stopped_by == "SIGINT" else run.stopped_by
        run.outlook = Outlook(state="interrupted", reasons=(f"stopped by {by}",))
    if run.ended and run.error is None and run.outlook.state == "finished":
        lost = run.memory.lost_vms(run.observed.vms) if run.observed is not None else {}
        run.error = _explain_vms_left_off(context.session, run.stopped_ids, lost)
    broken = context.journal.broken
    if broken is not None:
        run.error = _explain_broken_journal(broken, context.session, run)
    if run.ended:
        _remove_journal(loop, context, run)
    warnings = _warnings(run.observed, context, options, run.done) if run.observed is not None else []
    return {
        **build_run_result(run),
        "server_time": run.now,
        "warnings": warnings,
        "earlier_slices": EarlierSlices(memory=run.memory, clock=context.fleet.clock.anchor(machine())).record(),
    }


def _explain_removed_hosts(memory: FleetMemory) -> DirectPathError | None:
    """An error if the server shows none of the hosts any more, and some of them were in progress."""
    blockers = [blocker for host in memory.without_any_host().gone(()) for blocker in gone_status(host).blockers]
    if not blockers:
        return None
    return DirectPathError(
        message=" ".join(f"{blocker.message}." for blocker in blockers),
        code=blockers[0].code,
        cure=". ".join(blocker.cure for blocker in blockers),
    )


def _explain_vms_left_off(
    session: Session, stopped: Collection[str], lost: Mapping[str, str]
) -> DirectPathError | None:
    """An error if VMs that this run stopped are powered off although all hosts are done, whatever the journal says. ``lost``: VMs (id →
    name) that are no longer shown."""
    off = vms_off(session, stopped)
    removed = sorted(lost[moid] for moid in lost.keys() - set(existing_vms(session, lost)))
    if removed:
        return DirectPathError(
            message="The hosts are done, but these VMs, which this run stopped, were removed from the inventory before they could be "
            f"powered on again: {', '.join(removed)}",
            code="vms_left_off",
            cure="Register them again if they are needed, and power them on; check the events for who removed them. "
            f"{ending(off, (), power_on_command(off))}".rstrip(),
        )
    if not off:
        return None
    return DirectPathError(
        message=f"The hosts are done, but these VMs, which this run stopped, are powered off: {', '.join(off)}",
        code="vms_left_off",
        cure=f"Check their events for the reason. {ending(off, (), power_on_command(off))}",
    )


def _explain_broken_journal(broken: DirectPathError, session: Session, run: RollingRun) -> DirectPathError:
    """The journal could not be written. Hosts whose reboot was not requested were returned to service; the others are listed."""
    views = run.observed.hosts if run.observed is not None else ()
    kept = [view.name for view in views if view.moid in run.entries and (view.in_maintenance or not view.connected)]
    off = vms_off(session, run.stopped_ids)
    # What could not be written is not in the journal, so a restore does not know it.
    commands = [power_on_command(off)] if off else []
    commands += [f"end the maintenance mode of {', '.join(kept)} in vCenter"] if kept else []
    return DirectPathError(
        message=f"{broken.message}. No other host was started; hosts whose reboot was not requested yet were returned to service",
        code="journal_unwritable",
        parameter="journal_dir",
        cure=f"{broken.cure.rstrip('.')}. {ending(off, kept, '; '.join(commands))}".rstrip(),
    )


def _remove_journal(loop: Loop, context: RunContext, run: RollingRun) -> None:
    """Remove the journal that is no longer needed. If this fails, it does no harm, and a note reports it."""
    outage = Outage(context)
    why = ""
    for left in reversed(range(ATTEMPTS_TO_CLOSE)):
        try:
            remove_journal(loop, context.journal)
            outage.end(run.now)
            return
        except (DirectPathError, *SERVER_ERRORS) as error:
            why = explain(error, doing="remove the journal", on=context.journal.place).message
            context.journal.forget_written()
            if isinstance(error, DirectPathError) or not left or outage.handle(error) is not None:
                break
    context.progress_writer.note(f"{why}. The remaining journal does no harm; the next run removes it.", run.now)


def _forecast_result(loop: Loop, context: RunContext, options: _NamedOptions, predicted: Predicted) -> dict[str, Any]:
    """The result of check mode: observe the fleet, run the prechecks, and forecast."""
    seen = loop.look(0.0)
    observed = _predict(loop.observe(seen), predicted)
    due = [
        view.moid
        for view in observed.hosts
        if view.connected and pending_reboot_of(view, context.policy) is not None and not is_active(view.entry)
    ]
    prechecks = {
        moid: _without_faults_of(precheck, context.detached | freed_vms(predicted))
        for moid, precheck in context.fleet.run_prechecks(due).items()
    }
    if context.fleet.vms is not seen.vms:
        # Tags, compute policies and media are read with the prechecks.
        seen = replace(seen, vms=context.fleet.vms)
        observed = _predict(loop.observe(seen), predicted)
    observed = replace(
        observed, hosts=tuple(replace(view, precheck=prechecks.get(view.moid)) for view in observed.hosts)
    )
    planned = build_forecast_result(forecast(observed, context.policy, seen.now), observed)
    planned["schedule"]["not_read"] = _not_read(context.fleet.policies_problem)
    clusters = {cluster.moid: cluster.name for cluster in observed.clusters}
    status = status_of_fleet(seen, clusters, context.is_gone)
    planned["schedule"] |= {
        "vms_off": [vm.name for run in status.runs for vm in run.off],
        "in_progress": list(describe_work(status)),
    }
    planned_hosts = {host["name"] for host in planned["schedule"]["hosts"]}
    warnings = [*_warnings(observed, context, options, ()), *_missing_devices(observed, planned_hosts)]
    warnings += _vgpu_advice(context.session, observed, due)
    return {**planned, "server_time": seen.now, "warnings": warnings}


def _vgpu_advice(session: Session, observed: ObservedFleet, due: Collection[str]) -> tuple[str, ...]:
    """One call, and only if running VMs on the hosts to reboot have vGPUs."""
    names = vms_with_vgpus(observed, due) if session.is_vcenter else ()
    return vgpu_advice(names, read_vcenter_setting(session, HOT_MIGRATION)) if names else ()


def _missing_devices(observed: ObservedFleet, names: Collection[str]) -> list[str]:
    """Warnings about hosts that would be rebooted and lack a desired device. A reboot may bring it back, so it blocks nothing."""
    return [
        f"The verification of {view.name} fails unless the reboot brings back what is missing: {sentence}"
        for view in observed.hosts
        if view.name in names
        for sentence in foreseen_failure(view).missing
    ]


def _predict(observed: ObservedFleet, predicted: Predicted) -> ObservedFleet:
    return predict_fleet(observed, predicted) if predicted else observed


def _not_read(problem: str) -> list[str]:
    """What may stop VMs and is not part of the schedule, because it could not be read. ``problem``: why compute policies could not."""
    if not problem:
        return []
    return [
        "compute policies of vCenter, which may power off VMs of a host that is evacuated; those run again afterwards. "
        f"{problem}"
    ]


def _without_faults_of(precheck: Precheck, freed: Collection[str]) -> Precheck:
    """The precheck of DRS concerns the VMs as they are. VMs that a planned change detaches from their devices can be migrated then."""
    if precheck.evacuation_faults is None:
        return precheck
    return replace(
        precheck, evacuation_faults={moid: why for moid, why in precheck.evacuation_faults.items() if moid not in freed}
    )


def _describe_state(journal: Journal, progress_writer: ProgressWriter, now: float) -> dict[str, Any]:
    """The part of the state of a run that its loop does not know."""
    return {
        "notes": progress_writer.notes,
        "journal": {"kind": journal.kind, "place": journal.place, "why": journal.why},
        "server_time": now,
    }


def _describe_execution(session: Session, journal: Journal, progress_writer: ProgressWriter) -> dict[str, Any]:
    """The part of the result that reports how the run was made."""
    return {
        "notes": progress_writer.notes,
        "transitions": progress_writer.transitions,
        "journal": {"kind": journal.kind, "place": journal.place, "why": journal.why},
        "calls": session.calls,
        "logins": session.own_logins,
    }


def _subjects(hosts: Sequence[Host]) -> list[Subject]:
    """The objects that store the journal: the hosts, and their clusters."""
    clusters = {host.compute_moid for host in hosts if host.cluster is not None}
    return [Subject(kind="host", moid=host.moid) for host in hosts] + [
        Subject(kind="cluster", moid=moid) for moid in sorted(clusters)
    ]


def _bmcs(session: Session, desired: RollingRequest, inventory: Inventory, hosts: Sequence[Host]) -> dict[str, Any]:
    """Host id → its management controller. The inventory may contain hosts that are not requested."""
    # A restore powers on the hosts that another run shut down for a power cycle.
    if desired.policy.method != "power_cycle" and not desired.policy.only_restore:
        return {}
    accesses: dict[str, BmcAccess] = {}
    for name, access in desired.bmc.items():
        host = inventory.host_names.lookup(name, "bmc")
        if host is not None:
            accesses[host.moid] = access
    chosen = {host.moid for host in hosts} & set(accesses)
    uuids = read_uuids(session, chosen)
    return {moid: Bmc(accesses[moid], uuid=uuids.get(moid, ""), sleep=session.sleep) for moid in sorted(chosen)}


def _warnings(observed: ObservedFleet, context: RunContext, options: _NamedOptions, done: Collection[str]) -> list[str]:
    """Warnings that block nothing. ``done``: ids of hosts on which this process has acted."""
    found = options.unknown(observed)
    if not context.read_only:
        found += [f"Not read: {text}" for text in _not_read(context.fleet.policies_problem)]
    for view in observed.hosts:
        is_own = view.entry is not None or view.moid in done
        if not view.wanted or not view.connected or is_own or pending_reboot_of(view, context.policy) is not None:
            continue
        found += [
            f"{device.describe()} on {view.name} is configured for passthrough, but the host no longer offers it. No reboot changes that"
            for device in view.host.devices
            if device.state == "stale"
        ]
        if view.in_maintenance:
            found.append(
                f"{view.name} is in maintenance mode, but requires no reboot. If no administrator is working on it, an interrupted run "
                "left it there: end its maintenance mode"
            )
    return found


def patience(desired: RollingRequest, endpoint: Endpoint) -> float:
    """Seconds to wait for the server at the first connection. Only if a rolling reboot is known to be in progress: the reboot of an ESXi
    host also stops its own API."""
    begun = desired.continue_run or FileJournal(journal_path(endpoint, desired.journal_dir), why="").holds_anything()
    return desired.policy.deadlines.reboot if begun else 0.0
