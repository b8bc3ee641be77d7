# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop of every module that changes something: observe, plan, apply, verify. PRIVATE to the collection.

Modules that only read do not import this file, so Ansible does not pack it for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from ..._domain.concurrency import Pace
from ..._domain.errors import DirectPathError
from ..._domain.left_behind import STATUS
from ..._domain.planning.plan import Blocker, Plan, TargetPlan
from ..._domain.planning.predicted import NOTHING_PREDICTED, Predicted
from ..._domain.writing.api_versions import refuse_too_new
from ..._vsphere.read.other_writers import read_other_writers
from ..._vsphere.rolling.other_work import read_other_work
from ..._vsphere.session.connect import Session
from ..._vsphere.session.endpoint import Endpoint
from ..._vsphere.session.faults import SERVER_ERRORS, UNCERTAIN, explain, without_write
from .concurrent import work
from .earlier_tasks import EarlierTasks
from .gate import Gate
from .result import Outcome, build_result, conclude, without_needless
from .scope import AfterWrites, BeforeWrite, Details, FirstLook, Scope

Request = TypeVar("Request", bound="Paced")
Observed = TypeVar("Observed")

CONTRADICTED = ("changed_meanwhile", "not_applied", "vanished")
"""Codes of errors that another writer causes."""
TAKEN = ("host_unreachable", "host_in_maintenance", "vm_not_connected")
"""Codes of blockers that are no fault while a rolling reboot, or host_maintenance, works on the host."""
ATTEMPTS = 2
"""How often a target is written to when the connection breaks during the write. The second attempt makes only the changes that a new read
finds missing."""


class Paced(Protocol):
    """A request that says how many targets are written to at the same time, and after how many failures the run starts no more."""

    @property
    def pace(self) -> Pace: ...


@dataclass(frozen=True, kw_only=True)
class Job(Generic[Request, Observed]):
    """The functions that a module adds to the loop.

    ``parse`` reads the parameters, before the module connects. ``observe`` reads what the scope asks for. ``plan`` decides. ``apply`` makes
    the effective changes of one target, and checks them with its gate before each write. ``render`` shows the observed state and the plan.
    ``predict`` returns, in check mode, the state after the plan is applied, for the later tasks of the same play.
    """

    arguments: Mapping[str, Any]
    parse: Callable[[Mapping[str, Any]], Request]
    observe: Callable[[Session, Request, Scope[Observed]], Observed]
    plan: Callable[[Observed, Request], Plan]
    apply: Callable[[Session, Observed, Request, TargetPlan, Gate[Observed]], Outcome]
    render: Callable[[Observed, Request, Plan, Mapping[str, Outcome]], dict[str, Any]]
    predict: Callable[[Observed, Plan], Predicted]
    constraints: Mapping[str, Any] = field(default_factory=dict)
    read_only: ClassVar[bool] = False
    in_guest: ClassVar[bool] = False

    def patience(self, request: Request, endpoint: Endpoint) -> float:
        return 0.0

    def do(self, session: Session, request: Request, check_mode: bool) -> dict[str, Any]:
        """Run the loop, and return the result of the module."""
        return execute(self, session, request, EarlierTasks.above(session.endpoint, request) if check_mode else None)


def execute(
    job: Job[Request, Observed], session: Session, request: Request, earlier: EarlierTasks | None = None
) -> dict[str, Any]:
    """Observe, plan, apply and verify; with ``earlier``, which means check mode, only observe and plan. Returns the result; it contains
    ``failed`` when a target was refused or failed."""
    began = session.clock()
    check_mode = earlier is not None
    predicted = NOTHING_PREDICTED if earlier is None else earlier.read()
    observed, plan = _look(job, session, request, FirstLook(check_mode=check_mode, predicted=predicted))
    plan = _name_work_in_progress(session, plan)
    outcomes: dict[str, Outcome] = {}
    after, left = observed, plan
    if plan.changed and not check_mode:
        after, left = _apply(job, session, request, observed, plan, outcomes)
    _name_other_writers(session, plan, outcomes, session.clock() - began)
    plan = without_needless(plan, outcomes)
    result = build_result(plan, left, outcomes, applied=after is not observed or bool(outcomes))
    result.update(job.render(after, request, plan, outcomes))
    result["calls"], result["logins"] = session.calls, session.own_logins
    conclude(result, plan, outcomes, session.off.values())
    if earlier is not None:
        result["warnings"] = [*result.get("warnings", ()), *earlier.why_unknown(plan)]
        # A task that fails ends the play for its host: what it would have changed for other targets counts for nothing.
        earlier.add(NOTHING_PREDICTED if result.get("failed") else job.predict(observed, plan))
    return result


def _name_work_in_progress(session: Session, plan: Plan) -> Plan:
    """If a target is refused because its host is away or in maintenance mode, and a rolling reboot or host_maintenance works on the host:
    that is why. Otherwise the advice would be to repair the host, or to end its maintenance mode. No call if nothing is refused so."""
    places = {
        target.moid: target.host_moid or target.moid
        for target in plan.blocked
        if any(blocker.code in TAKEN for blocker in target.blockers)
    }
    work_on: Mapping[str, str] = {}
    if places:
        with suppress(DirectPathError, *SERVER_ERRORS):
            work_on = read_other_work(session, set(places.values()))
    targets = (
        replace(target, blockers=tuple(_taken(blocker, work_on[places[target.moid]]) for blocker in target.blockers))
        if places.get(target.moid) in work_on
        else target
        for target in plan.targets
    )
    return replace(plan, targets=tuple(targets)) if work_on else plan


def _taken(blocker: Blocker, clause: str) -> Blocker:
    if blocker.code not in TAKEN:
        return blocker
    cure = f"Wait until this has ended, then run the same again. To see it: {STATUS}"
    return replace(blocker, message=f"{blocker.message.rstrip('.')}. {clause}", cure=cure)


def _name_other_writers(session: Session, plan: Plan, outcomes: Mapping[str, Outcome], seconds: float) -> None:
    """If another user or run changed the object meanwhile, the message says which: from the events of vCenter; where these show none, from
    the journal and the lock of whoever works on the host. No call if nothing of the kind failed. If this cannot be read, the messages
    stay as they are."""
    lost = {moid: one for moid, one in outcomes.items() if one.error is not None and one.error.code in CONTRADICTED}
    if not lost:
        return
    untouched = [moid for moid, outcome in lost.items() if not outcome.wrote]
    clauses: dict[str, str] = {}
    with suppress(DirectPathError, *SERVER_ERRORS):
        clauses |= read_other_writers(session, seconds, lost, untouched)
        places = {one.moid: one.host_moid or one.moid for one in plan.targets}
        hosts = {moid: places[moid] for moid in lost.keys() - clauses.keys() if moid in places}
        work_on = read_other_work(session, set(hosts.values()))
        clauses |= {moid: work_on[host] for moid, host in hosts.items() if host in work_on}
    for moid, clause in clauses.items():
        error = lost[moid].error
        if error is not None:
            error.message = f"{error.message.rstrip('.')}. {clause}"


def _look(
    job: Job[Request, Observed], session: Session, request: Request, scope: Scope[Observed]
) -> tuple[Observed, Plan]:
    """Read what the scope asks for, and plan; then read the details that the plan needs, and plan again."""
    observed = job.observe(session, request, scope)
    plan = refuse_too_new(job.plan(observed, request), session.api)
    deeper = job.observe(session, request, Details(seen=observed, plan=plan))
    return (observed, plan) if deeper is observed else (deeper, refuse_too_new(job.plan(deeper, request), session.api))


def _apply(
    job: Job[Request, Observed],
    session: Session,
    request: Request,
    observed: Observed,
    plan: Plan,
    outcomes: dict[str, Outcome],
) -> tuple[Observed, Plan]:
    todo = plan
    targets = {target.moid: target.target for target in plan.targets}
    for attempt in range(1, ATTEMPTS + 1):
        tried = _apply_once(job, session, request, observed, todo, outcomes)
        unreached = {target.moid for target in todo.targets if target.effective} - tried
        # After a write that the server refused there is nothing to wait for.
        arrived = {moid for moid in tried if outcomes[moid].error is None or _is_uncertain(outcomes[moid])}
        scope = AfterWrites(seen=observed, plan=plan, written=_only(todo, arrived), moids=targets)
        observed, todo = _look(job, session, request, scope)
        uncertain = {moid for moid in tried if _is_uncertain(outcomes[moid])}
        _verify(todo, tried, outcomes, targets, retry=uncertain if attempt < ATTEMPTS else set())
        for moid in tried:
            if outcomes[moid].error is None:
                session.off.pop(moid, None)  # the server started it, only the answer was lost
        if not uncertain or attempt == ATTEMPTS:
            return observed, todo
        # An uncertain write does not count as a failure, so targets that were not started because of it are tried too.
        todo = _only(todo, uncertain | unreached)
    raise AssertionError("the last attempt returns")


def _is_uncertain(outcome: Outcome) -> bool:
    """Whether the error leaves open if the server received the write."""
    return outcome.error is not None and outcome.error.code in UNCERTAIN


def _apply_once(
    job: Job[Request, Observed],
    session: Session,
    request: Request,
    observed: Observed,
    plan: Plan,
    outcomes: dict[str, Outcome],
) -> set[str]:
    """Write to the targets of a plan, as many at the same time as the pace of the job allows. Returns the ids of those started."""
    targets = {target.moid: target for target in plan.targets if target.effective}
    failed = sum(1 for moid, outcome in outcomes.items() if outcome.error is not None and moid not in targets)

    def reread(moid: str) -> tuple[Observed, TargetPlan | None]:
        now, replanned = _look(job, session, request, BeforeWrite(seen=observed, plan=plan, moid=moid))
        return now, next((target for target in replanned.targets if target.moid == moid), None)

    def do(moid: str) -> bool:
        writes, earlier = session.stub.writes_here, moid in outcomes and outcomes[moid].wrote
        gate = Gate(targets[moid], lambda: reread(moid))
        try:
            outcome = job.apply(session, observed, request, targets[moid], gate)
        except DirectPathError as error:
            outcome = Outcome(error=error)
        except SERVER_ERRORS as fault:
            outcome = Outcome(error=explain(fault, doing="apply the plan", on=targets[moid].target))
        outcome.wrote = earlier or session.stub.writes_here > writes
        if outcome.error is not None and not outcome.wrote:
            outcome.error = without_write(outcome.error)
        # After a write whose answer was lost it is unknown who made the other changes.
        before = outcomes[moid].elsewhere if moid in outcomes else ()
        outcome.elsewhere = before if earlier else (*before, *gate.elsewhere)
        outcomes[moid] = outcome
        return outcome.error is None

    places = [(moid, moid if target.host_moid is None else target.host_moid) for moid, target in targets.items()]
    waits_for = {moid: target.waits_for & targets.keys() for moid, target in targets.items() if target.waits_for}
    return set(work(session, places, do, request.pace, failed=failed, waits_for=waits_for))


def _verify(
    after: Plan, tried: set[str], outcomes: dict[str, Outcome], names: Mapping[str, str], *, retry: set[str]
) -> None:
    """Compare the plan after the writes with the outcomes, and correct these. ``retry``: ids of targets that get another attempt."""
    left = {target.moid: target for target in after.targets}
    for moid in tried:
        target, outcome = left.get(moid), outcomes[moid]
        undone = target.effective if target is not None else ()
        unknown = _why_unknown(target)
        if outcome.error is None and unknown and moid not in retry:
            outcome.error = DirectPathError(
                message=f"{names[moid]} was written to, but whether the change took effect is unknown: {unknown}",
                code="not_verified",
                cure="Run the task again: it reads the current state first",
            )
        elif _is_uncertain(outcome) and not undone and not unknown:
            outcome.error = None  # the server made the change, only the answer was lost
        elif outcome.error is None and undone and moid not in retry:
            subjects = ", ".join(change.subject for change in undone)
            outcome.error = DirectPathError(
                message=f"{names[moid]} accepted the change but does not show it: {subjects}",
                code="not_applied",
                cure="Check the recent tasks and events of the host and of vCenter, then run the task again",
            )


def _why_unknown(target: TargetPlan | None) -> str:
    """Why it is unknown whether a target is in the desired state; empty when it is known."""
    if target is None:
        return "it was removed in the meantime"
    return "; ".join(blocker.message.rstrip(".") for blocker in target.blockers)


def _only(plan: Plan, moids: set[str]) -> Plan:
    return Plan(targets=tuple(target for target in plan.targets if target.moid in moids), warnings=plan.warnings)
