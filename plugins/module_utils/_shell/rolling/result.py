# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a rolling reboot. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..._domain.errors import DirectPathError
from ..._domain.left_behind import RESTORE, with_ending
from ..._domain.planning.plan import Blocker
from ..._domain.rolling.advice import repair_then_restore
from ..._domain.rolling.scheduling.forecast import Forecast
from ..._domain.rolling.state.journal import Entry, is_active
from ..._domain.rolling.state.lock import holder_of
from ..._domain.rolling.state.observed import HostView, ObservedFleet
from ..._domain.rolling.state.phases import ANOTHER_RUN, HostStatus
from ..._domain.rolling.state.timeline import counts, list_resume_hints
from ..._domain.text import counted
from .context import RollingRun

MOST_SENTENCES = 6
STATUS = {"idle": "ok", "done": "changed", "blocked": "refused", "failed": "failed", "waiting": "not_reached"}
"""Phase → status, as other modules report it. All other phases are ``changed``."""


def build_run_result(run: RollingRun) -> dict[str, Any]:
    """The result of a slice, or of the whole run."""
    observed = run.observed or ObservedFleet(me="", run_id="")
    statuses = [_whole(status, run.texts) for status in _relevant(observed, run.timeline.statuses.values())]
    if run.outlook.state == "interrupted":
        statuses = [_not_reached(status) if status.phase == "returned" else status for status in statuses]
    rebooted = [
        status.name
        for status in statuses
        if status.phase == "done" and _was_rebooted(run, status) and run.done.get(status.moid)
    ]
    rows = {status.moid for status in statuses}
    views = {view.moid: view for view in observed.hosts}
    shown = {moid: row for moid, row in run.timeline.hosts.items() if row.moid in rows}
    result = {
        "changed": bool(run.done),
        "state": run.outlook.state,
        "reasons": list(run.outlook.reasons),
        "ended": run.ended,
        "hosts": [{**_host(status, run), **_place(views.get(status.moid))} for status in statuses],
        "counts": counts(statuses).record(),
        "timeline": replace(run.timeline, hosts=shown).record(run.now),
        "rebooted": rebooted,
        "resume": list(list_resume_hints(statuses)) if run.ended else [],
        "measured": _measured(run),
        "stopped_vms": sorted(run.stopped_ids),
        "in_progress": run.in_progress.record(run.now),
        **_changes(rebooted, run.stopped),
        "summary": _summary(statuses, len(rebooted)),
    }
    if run.error is not None:
        result |= {"failed": True, "msg": run.error.sentence(), "error_code": run.error.code}
    elif run.ended and run.outlook.state != "finished":
        result |= _failure(run, statuses)
    if "msg" in result and (run.error is None or run.error.code not in OWN_ENDING):
        result["msg"] = with_ending(result["msg"], *_left_behind(observed), _way_back(observed))
    return result


OWN_ENDING = ("journal_unwritable", "vms_left_off")
"""Codes of errors for which the journal does not show what is off: their messages say it themselves."""


def is_out_of_service(view: HostView) -> bool:
    """The host is in maintenance mode because of this collection, or it does not answer while it was in progress."""
    entry = view.entry
    if entry is None or entry.by_operator or entry.step in ("done", "blocked", "withdrawn"):
        return False
    return view.in_maintenance or view.entering or not view.connected


def _left_behind(observed: ObservedFleet) -> tuple[list[str], list[str]]:
    """Names of the VMs that are off, and of the hosts that are out of service, because of the rolling reboot."""
    off = [vm.name for vm in observed.vms if vm.entry is not None and not vm.is_on]
    off += [name for host in observed.gone for name in (*host.off, *host.lost)]
    return off, [view.name for view in observed.hosts if is_out_of_service(view)]


def _way_back(observed: ObservedFleet) -> str:
    """What a person does about it. A host that failed has to be repaired first, or a restore fails, too."""
    if any(is_active(view.entry) for view in observed.hosts):
        return RESTORE
    failed = [view for view in observed.hosts if view.entry is not None and view.entry.step == "failed"]
    off = {vm.entry.host for vm in observed.vms if vm.entry is not None and not vm.is_on}
    hurt = [view for view in failed if is_out_of_service(view) or view.moid in off]
    if not hurt:
        return RESTORE
    away = [view.name for view in hurt if not view.connected]
    return repair_then_restore(away, [view.name for view in hurt if view.connected]).sentence()


def is_incomplete(run: RollingRun) -> bool:
    """Whether a host of the run is not done."""
    observed = run.observed or ObservedFleet(me="", run_id="")
    return any(status.phase not in ("idle", "done") for status in _relevant(observed, run.timeline.statuses.values()))


def _not_reached(status: HostStatus) -> HostStatus:
    """A host that returned to service because the run was stopped: the next run reboots it."""
    return replace(status, phase="waiting", reason=f"{ANOTHER_RUN}{status.reason}")


def build_forecast_result(planned: Forecast, observed: ObservedFleet) -> dict[str, Any]:
    """The result of check mode."""
    names = sorted(host.name for host in planned.hosts if not _is_done(host.moid, observed))
    clusters = {cluster.moid: cluster.name for cluster in observed.clusters}
    reasons = {host.moid: host for host in planned.hosts}
    left = {status.moid: status for status in planned.left}
    statuses = [
        left.get(view.moid)
        or HostStatus(
            moid=view.moid,
            name=view.name,
            cluster=clusters.get(view.host.compute_moid, ""),
            phase="waiting" if view.moid in reasons else "idle",
            reason=reasons[view.moid].reason if view.moid in reasons else "it requires no reboot",
            vms=tuple(vm.name for vm in reasons[view.moid].stops) if view.moid in reasons else (),
        )
        for view in sorted(observed.hosts, key=lambda view: (view.name, view.moid))
        if view.wanted or view.moid in left or view.moid in reasons
    ]
    views = {view.moid: view for view in observed.hosts}
    result = {
        "changed": bool(names),
        "state": "planned",
        "reasons": [],
        "ended": True,
        "hosts": [
            {**_base_fields(status), **_planned_fields(views[status.moid], status.moid in reasons)}
            for status in statuses
        ],
        "counts": counts(statuses).record(),
        "timeline": {"hosts": [], "vms": []},
        "rebooted": [],
        "resume": [],
        "measured": {},
        "schedule": planned.record(),
        **_changes(names, [(host.name, vm.name) for host in planned.hosts for vm in host.stops]),
        "summary": _summary(statuses, 0),
    }
    # A host that would still wait at the end is never started: other hosts of its cluster are down, and this run does not return them.
    never = [status for status in statuses if status.phase in ("blocked", "failed") or status.moid in left]
    if never:
        failure = _describe_failure(never, f"{counted(len(names), 'host')} would be rebooted", codes={})
        result |= {**failure, "error_code": failure["error_code"] or "roll_stalled"}
    return result


def _planned_fields(view: HostView, planned: bool) -> dict[str, Any]:
    return {"boot_time_before": view.host.boot_time, **_place(view), **({"status": "changed"} if planned else {})}


def _place(view: HostView | None) -> dict[str, Any]:
    return {"in_maintenance_mode": view is not None and view.in_maintenance}


def _is_done(moid: str, observed: ObservedFleet) -> bool:
    return any(view.moid == moid and view.entry is not None and view.entry.step == "done" for view in observed.hosts)


def _changes(names: Sequence[str], stopped: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The changes and the diff. ``stopped``: (host, VM) for VMs that are stopped for a reboot and started afterwards."""
    rows = [(host, "restart_vm", vm, "running", "stopped and started again") for host, vm in stopped]
    rows += [(host, "reboot", "host", "running", "rebooted") for host in names]
    return changes_of(sorted(set(rows), key=lambda row: (row[0], row[1] == "reboot", row[2])))


def changes_of(rows: Sequence[tuple[str, str, str, str, str]]) -> dict[str, Any]:
    """``changes`` and ``diff`` of a result. Each row: target, kind, subject, before, after."""
    return {
        "changes": [dict(zip(("target", "kind", "subject", "before", "after"), row, strict=True)) for row in rows],
        "diff": {
            "before": "".join(f"{target}  {subject}: {before}\n" for target, _unused, subject, before, _after in rows),
            "after": "".join(f"{target}  {subject}: {after}\n" for target, _unused, subject, _before, after in rows),
        },
    }


def _summary(statuses: Sequence[HostStatus], rebooted: int) -> str:
    number = counts(statuses)
    parts = [f"{len(statuses)} checked", f"{rebooted} rebooted"]
    words = (
        ("in progress", number.under_way),
        ("waiting", number.waiting),
        ("blocked", number.blocked),
        ("returned to service", number.returned),
        ("failed", number.failed),
    )
    return ", ".join(parts + [f"{count} {word}" for word, count in words if count])


def _relevant(observed: ObservedFleet, statuses: Iterable[HostStatus]) -> list[HostStatus]:
    """Requested hosts, and other hosts that are in progress; by name."""
    wanted = {view.moid for view in observed.hosts if view.wanted}
    found = [status for status in statuses if status.moid in wanted or status.phase != "idle"]
    return sorted(found, key=lambda status: (status.name, status.moid))


def _whole(status: HostStatus, texts: Mapping[str, str]) -> HostStatus:
    """Restore a truncated text: the journal stores the beginning, and the process that wrote it knows the rest."""
    text = texts.get(status.moid, "")
    cut = status.reason.endswith("…") and text.startswith(status.reason[:-1])
    if not cut:
        return status
    blockers = (
        replace(blocker, message=text) if blocker.message == status.reason else blocker for blocker in status.blockers
    )
    return replace(status, reason=text, blockers=tuple(blockers))


def _was_rebooted(run: RollingRun, status: HostStatus) -> bool:
    known = run.entries.get(status.moid)
    return known is not None and known[1].asked is not None


def _base_fields(status: HostStatus) -> dict[str, Any]:
    return {
        "name": status.name,
        "moid": status.moid,
        "cluster": status.cluster,
        "status": STATUS.get(status.phase, "changed"),
        "phase": status.phase,
        "reason": status.reason,
        "blockers": [blocker.record() for blocker in status.blockers],
        "vms": list(status.vms),
        "boot_time_before": None,
        "boot_time_after": None,
        "seconds": {},
    }


def _host(status: HostStatus, run: RollingRun) -> dict[str, Any]:
    view, entry = run.entries.get(status.moid, (None, None))
    shown = _base_fields(status)
    if entry is None or view is None:
        return shown
    shown["seconds"] = {
        name: round(took, 1)
        for name, took in (("drain", entry.drained), ("reboot", entry.rebooted))
        if took is not None
    }
    shown["boot_time_before"] = entry.boot
    if entry.rebooted is not None:
        shown["boot_time_after"] = view.host.boot_time
    return shown


def _measured(run: RollingRun) -> dict[str, dict[str, float]]:
    """Seconds that each host took, to pass to a later run (option ``measured``)."""
    return {
        view.name: {
            "drain": round(entry.drained, 1),
            "reboot": round(entry.rebooted, 1),
            "settle": round(max(0.0, _settled_at(entry) - entry.asked - entry.rebooted), 1),
        }
        for view, entry in sorted(run.entries.values(), key=lambda pair: pair[0].name)
        if _is_complete(entry) and entry.drained is not None and entry.rebooted is not None and entry.asked is not None
    }


def _settled_at(entry: Entry) -> float:
    """Without the soak time, which the next run knows itself."""
    return entry.at if entry.ready is None else entry.ready


def _is_complete(entry: Entry) -> bool:
    return entry.step == "done"


def _failure(run: RollingRun, statuses: Collection[HostStatus]) -> dict[str, Any]:
    codes = {moid: entry.code for moid, (_unused, entry) in run.entries.items() if entry.code}
    hurt = [status for status in statuses if status.phase in ("failed", "blocked")]
    failure = _describe_failure(hurt, "; ".join(run.outlook.reasons), codes)
    if failure["error_code"]:
        return failure
    if run.outlook.state == "interrupted" and not hurt:
        return {"failed": True, "msg": _describe_interruption(run, statuses), "error_code": "interrupted"}
    return dict(failure, error_code="roll_halted" if run.outlook.state == "halted" else "roll_stalled")


def _describe_interruption(run: RollingRun, statuses: Collection[HostStatus]) -> str:
    left = sorted(status.name for status in statuses if status.phase not in ("idle", "done"))
    begun = run.in_progress
    state = f"In progress: {', '.join(host.name for host in begun.hosts)}" if begun.hosts else "No host is in progress"
    state += "" if begun.vms else ", and no VM is off because of it"
    error = DirectPathError(
        message=f"The rolling reboot was {', '.join(run.outlook.reasons)}. {state}. Not rebooted yet: {', '.join(left)}",
        code="interrupted",
        cure="Run the same playbook again to continue",
    )
    return error.sentence()


def _describe_failure(hurt: Sequence[HostStatus], summary: str, codes: Mapping[str, str]) -> dict[str, Any]:
    """One message: failed hosts first, then blocked ones."""
    ordered = sorted(hurt, key=lambda status: (status.phase != "failed", status.name))
    sentences = list(_once(ordered))
    more = len(sentences) - MOST_SENTENCES
    text = " ".join(sentences[:MOST_SENTENCES]) + (f" And {more} more, in hosts." if more > 0 else "")
    named = (_code(status.blockers) or codes.get(status.moid) for status in ordered)
    return {
        "failed": True,
        "msg": f"{text} [{summary}]" if text else f"The rolling reboot is not complete: {summary}.",
        "error_code": next((code for code in named if code), ""),
    }


def _once(statuses: Iterable[HostStatus]) -> Iterator[str]:
    """The sentences of all hosts, each once. A run that has locked many clusters is named once, too."""
    known: set[str] = set()
    for status in statuses:
        holders = [holder_of(blocker.code, blocker.message) for blocker in status.blockers]
        sentences = _sentences(status)
        for sentence, holder in zip(sentences, [*holders, *[""] * len(sentences)], strict=False):
            topic = holder or sentence
            if topic not in known:
                yield sentence
            known.add(topic)


def _sentences(status: HostStatus) -> list[str]:
    if status.blockers:
        return [blocker.sentence() for blocker in status.blockers]
    return [status.reason.rstrip(".") + "."] if status.reason else [f"{status.name} is {status.phase}."]


def _code(blockers: Sequence[Blocker]) -> str:
    return blockers[0].code if blockers else ""
