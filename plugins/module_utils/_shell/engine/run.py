# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one loop of every module: observe, plan, apply, verify. PRIVATE to the collection."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, NoReturn, TypeVar

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ..._domain.concurrency import ONE_BY_ONE, Pace
from ..._domain.errors import DirectPathError
from ..._domain.plan import Change, Plan, TargetPlan
from ..._domain.ranges import refuse_out_of_range
from ..._domain.text import all_visible
from ..._vsphere.session.connect import Session, open_session
from ..._vsphere.session.endpoint import Endpoint
from ..._vsphere.session.faults import MISSING_SDK, SERVER_ERRORS, UNCERTAIN, explain
from .arguments import CONNECTION, endpoint
from .concurrent import work
from .gate import Gate

Request = TypeVar("Request")
Observed = TypeVar("Observed")

ATTEMPTS = 2
"""How often a target is written to when the connection broke under the write: the second time only what a fresh look finds undone."""

MOST_SENTENCES = 6
"""Refusals and failures told in one message."""


@dataclass(kw_only=True)
class Outcome:
    """What happened to one target: ``done`` in words, ``error`` when it failed.

    ``made`` is how many of the planned changes came about before the error, where ``apply`` knows it better than a second look.
    """

    done: tuple[str, ...] = ()
    made: int = 0
    wrote: bool = False
    """Whether a write arrived, or may have."""
    error: DirectPathError | None = None
    elsewhere: tuple[Change, ...] = ()
    """Planned changes that somebody else had made, or made needless, when the target's turn came."""


@dataclass(frozen=True, kw_only=True)
class Job(Generic[Request, Observed]):
    """What a module adds to the loop.

    ``wish`` reads the parameters, before anything is connected. ``observe`` reads all that planning needs. ``deepen`` reads what only
    targets with changes need, and the plan is made again. ``follow`` reads the same again for some targets (ids), by their ids: before
    a write to one of them, and after all writes; it gets the plan that is being carried out. ``apply`` carries out one target's effective
    changes, through its gate; ``settle`` waits for all of them together. ``render`` shows the world and the plan.
    """

    arguments: Mapping[str, Any]
    parse: Callable[[Mapping[str, Any]], Request]
    observe: Callable[[Session, Request], Observed]
    plan: Callable[[Observed, Request], Plan]
    render: Callable[[Observed, Request, Plan, Mapping[str, Outcome]], dict[str, Any]]
    apply: Callable[[Session, Observed, Request, TargetPlan, Gate[Observed]], Outcome] | None = None
    follow: Callable[[Session, Observed, Request, Plan, Collection[str]], Observed] | None = None
    recheck: Callable[[Session, Observed, Request, Plan, Collection[str]], Observed] | None = None
    """For the look before a write, where ``follow`` reads more than that needs."""
    deepen: Callable[[Session, Observed, Request, Plan], Observed] | None = None
    settle: Callable[[Session, Observed, Request, Plan], None] | None = None
    expect: Callable[[Session, Observed, Request], Observed] = lambda session, observed, request: observed
    """In check mode: the world as it will be once earlier steps of the same run have happened."""
    pace: Callable[[Request], Pace] = lambda request: ONE_BY_ONE
    """How many targets are written to at the same time, and after how many failures no more are begun."""
    host_of: Callable[[Observed, TargetPlan], str] = lambda observed, target: target.moid
    """The ESXi host that bears the work on a target."""
    constraints: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Work(Generic[Request]):
    """A module that is no plan: ``do`` gets the session (read-only in check mode), the wish and whether it is check mode.

    ``patience``: seconds for which a server that does not answer at the beginning is waited for.
    """

    arguments: Mapping[str, Any]
    parse: Callable[[Mapping[str, Any]], Request]
    do: Callable[[Session, Request, bool], dict[str, Any]]
    patience: Callable[[Request, Endpoint], float] = lambda request, endpoint: 0.0
    constraints: Mapping[str, Any] = field(default_factory=dict)


def run(job: Job[Any, Any] | Work[Any]) -> None:
    """Be an Ansible module."""
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


def fail(module: AnsibleModule, result: Mapping[str, Any]) -> NoReturn:
    """End as a failure. What a server wrote is in the message, and does not reach a terminal as it is."""
    module.fail_json(**all_visible(result))
    raise AssertionError("fail_json ends the process")


def _session_options(
    job: Job[Any, Any] | Work[Any], request: Any, place: Endpoint, *, check_mode: bool
) -> dict[str, Any]:
    if isinstance(job, Work):
        patience = job.patience(request, place)
        return {"read_only": check_mode, **({"patience": patience} if patience else {})}
    return {"read_only": check_mode or job.apply is None}


def failure(error: DirectPathError, *, wrote: int = 0, off: Collection[str] = ()) -> dict[str, Any]:
    """The result of a failure as a whole. After ``wrote`` writes nobody could look at what became of them, and that is said; ``off`` are
    names of VMs that were told to shut down and not started again."""
    result: dict[str, Any] = {"msg": error.sentence(), "error_code": error.code, "changed": wrote > 0}
    if wrote:
        result["msg"] += (
            f" Before that {wrote} write{'' if wrote == 1 else 's'} went out; what came of it could not be read. "
            "Run the task again: it looks first and does only what is left."
        )
    if off:
        result["msg"] += f" {_told_off(off)}"
    if error.parameter:
        result["parameter"] = error.parameter
    if error.candidates:
        result["candidates"] = list(error.candidates)
    return result


def _told_off(names: Collection[str]) -> str:
    """What a person has to know first."""
    return (
        f"This run shut down and did not start again: {', '.join(sorted(names))}. "
        'Start in vCenter what is still off, or run this task with power: "on".'
    )


def execute(job: Job[Request, Observed], session: Session, request: Request, *, check_mode: bool) -> dict[str, Any]:
    """Observe, plan, apply, verify; the result as a dictionary with ``failed`` when it is one."""
    observed, plan = _look(job, session, request, expected=check_mode)
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
    plan = _narrowed(plan, outcomes)
    result = _result(plan, left, outcomes, applied=after is not observed or bool(outcomes))
    result.update(job.render(after, request, plan, outcomes))
    result["calls"], result["logins"] = session.calls, session.own_logins
    _conclude(result, plan, outcomes, session.off.values())
    return result


def _look(job: Job[Request, Observed], session: Session, request: Request, *, expected: bool) -> tuple[Observed, Plan]:
    observed = job.observe(session, request)
    if expected:
        observed = job.expect(session, observed, request)
    return _planned(job, session, request, observed)


def _look_again(
    job: Job[Request, Observed],
    session: Session,
    request: Request,
    reread: Callable[[Session, Observed, Request, Plan, Collection[str]], Observed] | None,
    observed: Observed,
    plan: Plan,
    moids: Collection[str],
) -> tuple[Observed, Plan]:
    """The same targets as they are now, whatever they are called by now. ``plan`` is being carried out."""
    if reread is None:
        return _look(job, session, request, expected=False)
    return _planned(job, session, request, reread(session, observed, request, plan, moids))


def _planned(
    job: Job[Request, Observed], session: Session, request: Request, observed: Observed
) -> tuple[Observed, Plan]:
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
            # A write that was refused shows nothing: there is nothing to wait for.
            arrived = {moid for moid in tried if outcomes[moid].error is None or _is_uncertain(outcomes[moid])}
            job.settle(session, observed, request, _only(todo, arrived))
        observed, todo = _look_again(job, session, request, job.follow, observed, plan, targets)
        uncertain = {moid for moid in tried if _is_uncertain(outcomes[moid])}
        _judge(todo, tried, outcomes, targets, retry=uncertain if attempt < ATTEMPTS else set())
        for moid in tried:
            if outcomes[moid].error is None:
                session.off.pop(moid, None)  # its start had arrived, although its answer had not
        if not uncertain or attempt == ATTEMPTS:
            return observed, todo
        # What only looked like a failure does not count against those that were not begun because of it.
        todo = _only(todo, uncertain | unreached)
    raise AssertionError("the last attempt returns")


def _is_uncertain(outcome: Outcome) -> bool:
    """Whether the write may have arrived although it looks as if it had not, or the other way round."""
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
    """Write to the targets of a plan, as many at the same time as the job's pace allows. Returns those begun."""
    targets = {target.moid: target for target in plan.targets if target.effective}
    failed = sum(1 for moid, outcome in outcomes.items() if outcome.error is not None and moid not in targets)

    def look(moid: str) -> tuple[Observed, TargetPlan | None]:
        reread = job.recheck or job.follow
        now, again = _look_again(job, session, request, reread, observed, plan, {moid})
        return now, next((target for target in again.targets if target.moid == moid), None)

    def do(moid: str) -> bool:
        writes, earlier = session.stub.writes_here, moid in outcomes and outcomes[moid].wrote
        gate = Gate(targets[moid], lambda: look(moid))
        try:
            outcome = apply(session, observed, request, targets[moid], gate)
        except DirectPathError as error:
            outcome = Outcome(error=error)
        except SERVER_ERRORS as fault:
            outcome = Outcome(error=explain(fault, doing="apply the plan", on=targets[moid].target))
        outcome.wrote = earlier or session.stub.writes_here > writes
        # After a write whose answer was lost nobody can tell who made the rest.
        before = outcomes[moid].elsewhere if moid in outcomes else ()
        outcome.elsewhere = before if earlier else (*before, *gate.elsewhere)
        outcomes[moid] = outcome
        return outcome.error is None

    places = [(moid, job.host_of(observed, target)) for moid, target in targets.items()]
    return set(work(session, places, do, job.pace(request), failed=failed))


def _judge(
    after: Plan, tried: set[str], outcomes: dict[str, Outcome], names: Mapping[str, str], *, retry: set[str]
) -> None:
    """Compare what a fresh look still finds to do with what was claimed to be done."""
    left = {target.moid: target for target in after.targets}
    for moid in tried:
        target, outcome = left.get(moid), outcomes[moid]
        undone = target.effective if target is not None else ()
        unseen = _unseen(target)
        if outcome.error is None and unseen and moid not in retry:
            outcome.error = DirectPathError(
                message=f"{names[moid]} was written to, and whether the change is in force is not known: {unseen}",
                code="not_verified",
                cure="Run the task again: it looks first",
            )
        elif _is_uncertain(outcome) and not undone and not unseen:
            outcome.error = None  # the write had arrived although its answer had not
        elif outcome.error is None and undone and moid not in retry:
            subjects = ", ".join(change.subject for change in undone)
            outcome.error = DirectPathError(
                message=f"{names[moid]} accepted the change and does not show it: {subjects}",
                code="not_applied",
                cure="Look at the host's and vCenter's recent tasks and events, then run the task again",
            )


def _unseen(target: TargetPlan | None) -> str:
    """Why a fresh look does not tell whether a target is as wished; empty when it does."""
    if target is None:
        return "it was removed meanwhile"
    return "; ".join(blocker.message.rstrip(".") for blocker in target.blockers)


def _narrowed(plan: Plan, outcomes: Mapping[str, Outcome]) -> Plan:
    """The plan without what somebody else had done when a target's turn came."""
    targets = []
    for target in plan.targets:
        made = outcomes[target.moid].elsewhere if target.moid in outcomes else ()
        if made:
            subjects = ", ".join(dict.fromkeys(change.subject for change in made))
            warning = f"no longer to be done when its turn came, as somebody else had changed it: {subjects}"
            left = tuple(change for change in target.changes if change not in made)
            target = replace(target, changes=left, warnings=(*target.warnings, warning))
        targets.append(target)
    return replace(plan, targets=tuple(targets))


def _only(plan: Plan, moids: set[str]) -> Plan:
    return Plan(targets=tuple(target for target in plan.targets if target.moid in moids), warnings=plan.warnings)


def _result(plan: Plan, left: Plan, outcomes: Mapping[str, Outcome], *, applied: bool) -> dict[str, Any]:
    result: dict[str, Any] = {"changes": plan.records(), "diff": plan.diff(), "warnings": list(plan.warnings)}
    for target in plan.targets:
        result["warnings"] += [f"{target.target}: {warning}" for warning in target.warnings]
    if not applied:
        result["changed"] = plan.changed
        return result
    undone = {target.moid: target.effective for target in left.targets}
    touched = [
        target
        for target in plan.targets
        if target.moid in outcomes
        and target.effective
        and (
            outcomes[target.moid].error is None
            or outcomes[target.moid].done
            or (outcomes[target.moid].wrote and undone.get(target.moid, ()) != target.effective)
        )
    ]
    result["changed"] = bool(touched)
    wanted = {target.moid: target.changes for target in left.targets}
    result["not_done"] = [
        change.record(target.target)
        for target in plan.targets
        for change in _undone(target, outcomes.get(target.moid), wanted.get(target.moid, target.effective))
    ]
    return result


def _undone(target: TargetPlan, outcome: Outcome | None, wanted: Sequence[Change]) -> list[Change]:
    """``wanted``: what a fresh look would change, also where something stands in the way by now."""
    if outcome is None:
        return list(target.effective)
    if outcome.error is None:
        return []
    if not outcome.wrote:
        return list(target.effective[outcome.made :])
    still = {(change.kind, change.subject) for change in wanted}
    return [change for change in target.effective[outcome.made :] if (change.kind, change.subject) in still]


def _conclude(result: dict[str, Any], plan: Plan, outcomes: Mapping[str, Outcome], off: Collection[str] = ()) -> None:
    """One sentence for everybody; ``failed`` with message, code and candidates when something was refused or went wrong."""
    sentences: list[str] = []
    candidates: list[str] = []
    code = ""
    for target in plan.targets:
        for blocker in target.blockers:
            sentences.append(blocker.sentence())
            code = code or blocker.code
            candidates += blocker.candidates
    for target in plan.targets:
        outcome = outcomes.get(target.moid)
        if outcome is not None and outcome.error is not None:
            sentences.append(outcome.error.sentence())
            code = code or outcome.error.code
    result["summary"] = _summary(result, plan, outcomes)
    if off and not code:
        result.update(error_code="left_off")
    if sentences or off:
        result.update(failed=True, error_code=code or result["error_code"], candidates=candidates)
        told = [*([_told_off(off)] if off else []), _shortened(list(dict.fromkeys(sentences)))]
        result["msg"] = f"{' '.join(told).strip()} [{result['summary']}]"


def _shortened(sentences: list[str]) -> str:
    """The first few: a message about a thousand hosts is read by nobody, and every target carries its own."""
    more = len(sentences) - MOST_SENTENCES
    return " ".join(sentences[:MOST_SENTENCES]) + (
        f" And {more} more, in the result of each target." if more > 0 else ""
    )


def _summary(result: Mapping[str, Any], plan: Plan, outcomes: Mapping[str, Outcome]) -> str:
    refused = sum(1 for target in plan.targets if target.blockers)
    failed = sum(1 for outcome in outcomes.values() if outcome.error is not None)
    skipped = sum(1 for target in plan.targets if target.skipped)
    undone = len(result.get("not_done", ()))
    made = len(result["changes"]) - undone
    parts = [f"{len(plan.targets)} looked at", f"{made} change{'' if made == 1 else 's'}"]
    unreached = sum(1 for target in plan.targets if is_unreached(target, outcomes))
    extra = (
        ("not done", undone),
        ("refused", refused),
        ("failed", failed),
        ("not reached", unreached),
        ("skipped", skipped),
    )
    return ", ".join(parts + [f"{number} {word}" for word, number in extra if number])


def show_only(observed: Any, request: Any) -> Plan:
    """The plan of a module that only looks."""
    return Plan()


def is_unreached(target: TargetPlan, outcomes: Mapping[str, Outcome]) -> bool:
    """Whether a run that wrote ended before it came to this target, as too many others had failed."""
    return bool(outcomes) and bool(target.effective) and target.moid not in outcomes


def status_of(target: TargetPlan, outcomes: Mapping[str, Outcome]) -> str:
    """One word for a target in the result."""
    outcome = outcomes.get(target.moid)
    if target.blockers:
        return "refused"
    if target.skipped:
        return "skipped"
    if outcome is not None and outcome.error is not None:
        return "failed"
    if is_unreached(target, outcomes):
        return "not_reached"
    if target.effective:
        return "changed"
    return "pending" if target.pending else "ok"
