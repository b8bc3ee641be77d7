# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop that every module runs: observe, plan, apply, verify. PRIVATE to the collection."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ..._domain.concurrency import ONE_BY_ONE, Pace
from ..._domain.errors import DirectPathError
from ..._domain.plan import Plan, TargetPlan
from ..._domain.ranges import refuse_out_of_range
from ..._domain.text import all_visible
from ..._vsphere.session.connect import Session, open_session
from ..._vsphere.session.endpoint import Endpoint
from ..._vsphere.session.faults import MISSING_SDK, SERVER_ERRORS, UNCERTAIN, explain
from .arguments import CONNECTION, endpoint
from .concurrent import work
from .gate import Gate
from .result import Outcome, build_result, conclude, fail, failure, without_needless

Request = TypeVar("Request")
Observed = TypeVar("Observed")

ATTEMPTS = 2
"""How often a target is written to when the connection breaks during the write. The second attempt makes only the changes that a new read
finds missing."""


@dataclass(frozen=True, kw_only=True)
class Job(Generic[Request, Observed]):
    """The functions that a module adds to the loop.

    ``parse`` reads the parameters, before the module connects. ``observe`` reads what the plan needs. ``deepen`` reads what only targets
    with changes need; then the plan is made again. ``follow`` reads some targets again, by their ids: before a write to one of them, and
    after all writes; it gets the plan that is applied. ``apply`` makes the effective changes of one target, and checks them with its gate
    before each write. ``settle`` waits until the changes of all targets take effect. ``render`` shows the observed state and the plan.
    """

    arguments: Mapping[str, Any]
    parse: Callable[[Mapping[str, Any]], Request]
    observe: Callable[[Session, Request], Observed]
    plan: Callable[[Observed, Request], Plan]
    render: Callable[[Observed, Request, Plan, Mapping[str, Outcome]], dict[str, Any]]
    apply: Callable[[Session, Observed, Request, TargetPlan, Gate[Observed]], Outcome] | None = None
    follow: Callable[[Session, Observed, Request, Plan, Collection[str]], Observed] | None = None
    recheck: Callable[[Session, Observed, Request, Plan, Collection[str]], Observed] | None = None
    """Replaces ``follow`` before a write, where ``follow`` reads more than is needed there."""
    deepen: Callable[[Session, Observed, Request, Plan], Observed] | None = None
    settle: Callable[[Session, Observed, Request, Plan], None] | None = None
    expect: Callable[[Session, Observed, Request], Observed] = lambda session, observed, request: observed
    """In check mode: the observed state as it will be after the earlier steps of the same run."""
    pace: Callable[[Request], Pace] = lambda request: ONE_BY_ONE
    """How many targets are written to at the same time, and after how many failures the run starts no more."""
    host_of: Callable[[Observed, TargetPlan], str] = lambda observed, target: target.moid
    """Id of the ESXi host that does the work on a target. The pace limits the work per host."""
    constraints: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Work(Generic[Request]):
    """A module that does not use the loop. ``do`` gets the session (read-only in check mode), the request, and whether it is check mode.

    ``patience``: how many seconds the module waits at the start for a server that does not answer.
    """

    arguments: Mapping[str, Any]
    parse: Callable[[Mapping[str, Any]], Request]
    do: Callable[[Session, Request, bool], dict[str, Any]]
    patience: Callable[[Request, Endpoint], float] = lambda request, endpoint: 0.0
    constraints: Mapping[str, Any] = field(default_factory=dict)
    read_only: bool = False
    """The module never writes, so its session refuses every write."""


def run(job: Job[Any, Any] | Work[Any]) -> None:
    """Run as an Ansible module: read the parameters, open a session, do the work, exit with the result."""
    module = AnsibleModule(argument_spec={**CONNECTION, **job.arguments}, supports_check_mode=True, **job.constraints)
    if MISSING_SDK is not None:
        module.fail_json(msg=missing_required_lib("pyvmomi"), exception=str(MISSING_SDK), error_code="missing_library")
    wrote, off = 0, {}
    try:
        request = job.parse(module.params)
        refuse_out_of_range(module.params)
        place = endpoint(module.params)
        with open_session(place, **_session_options(job, request, place, check_mode=module.check_mode)) as session:
            try:
                if isinstance(job, Work):
                    result = job.do(session, request, module.check_mode)
                else:
                    result = execute(job, session, request, check_mode=module.check_mode)
            finally:
                wrote, off = session.stub.writes, session.off
    except DirectPathError as error:
        fail(module, failure(error, wrote=wrote, off=off.values()))
    except SERVER_ERRORS as fault:
        fail(
            module,
            failure(explain(fault, doing="read", on=str(module.params["hostname"])), wrote=wrote, off=off.values()),
        )
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        line = f"{where.filename.rpartition('/')[2]}:{where.lineno}"
        problem = explain(error, doing="finish", on=str(module.params["hostname"]))
        fail(module, {**failure(problem, wrote=wrote, off=off.values()), "place": line})
    shown = all_visible(result)
    for warning in shown.pop("warnings", ()):
        module.warn(warning)
    if shown.pop("failed", False):
        module.fail_json(**shown)
    module.exit_json(**shown)


def _session_options(
    job: Job[Any, Any] | Work[Any], request: Any, place: Endpoint, *, check_mode: bool
) -> dict[str, Any]:
    if isinstance(job, Work):
        patience = job.patience(request, place)
        return {"read_only": check_mode or job.read_only, **({"patience": patience} if patience else {})}
    return {"read_only": check_mode or job.apply is None}


def execute(job: Job[Request, Observed], session: Session, request: Request, *, check_mode: bool) -> dict[str, Any]:
    """Observe, plan, apply and verify. Returns the result; it contains ``failed`` when a target was refused or failed."""
    observed, plan = _observe(job, session, request, expected=check_mode)
    if job.plan is show_only:
        return {
            "changed": False,
            **job.render(observed, request, plan, {}),
            "calls": session.calls,
            "logins": session.own_logins,
        }
    outcomes: dict[str, Outcome] = {}
    after, left = observed, plan
    if job.apply is not None and plan.changed and not check_mode:
        after, left = _apply(job, job.apply, session, request, observed, plan, outcomes)
    plan = without_needless(plan, outcomes)
    result = build_result(plan, left, outcomes, applied=after is not observed or bool(outcomes))
    result.update(job.render(after, request, plan, outcomes))
    result["calls"], result["logins"] = session.calls, session.own_logins
    conclude(result, plan, outcomes, session.off.values())
    return result


def _observe(
    job: Job[Request, Observed], session: Session, request: Request, *, expected: bool
) -> tuple[Observed, Plan]:
    observed = job.observe(session, request)
    if expected:
        observed = job.expect(session, observed, request)
    return _plan(job, session, request, observed)


def _reread(
    job: Job[Request, Observed],
    session: Session,
    request: Request,
    reader: Callable[[Session, Observed, Request, Plan, Collection[str]], Observed] | None,
    observed: Observed,
    plan: Plan,
    moids: Collection[str],
) -> tuple[Observed, Plan]:
    """Read the same targets again, by id: they may have been renamed. ``plan`` is the plan that is applied."""
    if reader is None:
        return _observe(job, session, request, expected=False)
    return _plan(job, session, request, reader(session, observed, request, plan, moids))


def _plan(job: Job[Request, Observed], session: Session, request: Request, observed: Observed) -> tuple[Observed, Plan]:
    plan = job.plan(observed, request)
    if job.deepen is not None:
        deeper = job.deepen(session, observed, request, plan)
        if deeper is not observed:
            observed, plan = deeper, job.plan(deeper, request)
    return observed, plan


def _apply(
    job: Job[Request, Observed],
    apply: Callable[[Session, Observed, Request, TargetPlan, Gate[Observed]], Outcome],
    session: Session,
    request: Request,
    observed: Observed,
    plan: Plan,
    outcomes: dict[str, Outcome],
) -> tuple[Observed, Plan]:
    todo = plan
    targets = {target.moid: target.target for target in plan.targets}
    for attempt in range(1, ATTEMPTS + 1):
        tried = _apply_once(job, apply, session, request, observed, todo, outcomes)
        unreached = {target.moid for target in todo.targets if target.effective} - tried
        if job.settle is not None:
            # After a write that the server refused there is nothing to wait for.
            arrived = {moid for moid in tried if outcomes[moid].error is None or _is_uncertain(outcomes[moid])}
            job.settle(session, observed, request, _only(todo, arrived))
        observed, todo = _reread(job, session, request, job.follow, observed, plan, targets)
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
    apply: Callable[[Session, Observed, Request, TargetPlan, Gate[Observed]], Outcome],
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
        reader = job.recheck or job.follow
        now, replanned = _reread(job, session, request, reader, observed, plan, {moid})
        return now, next((target for target in replanned.targets if target.moid == moid), None)

    def do(moid: str) -> bool:
        writes, earlier = session.stub.writes_here, moid in outcomes and outcomes[moid].wrote
        gate = Gate(targets[moid], lambda: reread(moid))
        try:
            outcome = apply(session, observed, request, targets[moid], gate)
        except DirectPathError as error:
            outcome = Outcome(error=error)
        except SERVER_ERRORS as fault:
            outcome = Outcome(error=explain(fault, doing="apply the plan", on=targets[moid].target))
        outcome.wrote = earlier or session.stub.writes_here > writes
        # After a write whose answer was lost it is unknown who made the other changes.
        before = outcomes[moid].elsewhere if moid in outcomes else ()
        outcome.elsewhere = before if earlier else (*before, *gate.elsewhere)
        outcomes[moid] = outcome
        return outcome.error is None

    places = [(moid, job.host_of(observed, target)) for moid, target in targets.items()]
    return set(work(session, places, do, job.pace(request), failed=failed))


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


def show_only(observed: Any, request: Any) -> Plan:
    """The plan of a module that only reads: an empty one."""
    return Plan()
