# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a run, and of each of its targets. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..._domain.errors import DirectPathError
from ..._domain.left_behind import ending, power_on_command
from ..._domain.planning.plan import Change, Plan, TargetPlan

MOST_SENTENCES = 6
"""How many refusals and failures one message contains."""


@dataclass(kw_only=True)
class Outcome:
    """What happened to one target. ``done``: sentences about what was done. ``error``: why it failed, if it failed.

    ``made``: how many of the planned changes were made before the error, for an ``apply`` that counts them.
    """

    done: tuple[str, ...] = ()
    made: int = 0
    wrote: bool = False
    """Whether the server received a write, or may have received one."""
    error: DirectPathError | None = None
    elsewhere: tuple[Change, ...] = ()
    """Planned changes that were no longer necessary right before the write: another user made them, or removed the reason."""


def without_needless(plan: Plan, outcomes: Mapping[str, Outcome]) -> Plan:
    """The plan without the changes that were no longer necessary right before the write."""
    targets = []
    for target in plan.targets:
        needless = outcomes[target.moid].elsewhere if target.moid in outcomes else ()
        if needless:
            subjects = ", ".join(dict.fromkeys(change.subject for change in needless))
            warning = f"not changed by this run, because another user changed it first: {subjects}"
            left = tuple(change for change in target.changes if change not in needless)
            target = replace(target, changes=left, warnings=(*target.warnings, warning))
        targets.append(target)
    return replace(plan, targets=tuple(targets))


def build_result(plan: Plan, left: Plan, outcomes: Mapping[str, Outcome], *, applied: bool) -> dict[str, Any]:
    """The part of the result that all modules share: changes, diff, warnings, ``changed`` and ``not_done``.

    ``left``: the plan that was made after the writes. ``applied``: whether the run wrote, or tried to.
    """
    result: dict[str, Any] = {"changes": plan.records(), "diff": plan.diff(), "warnings": list(plan.warnings)}
    for target in plan.targets:
        result["warnings"] += [f"{target.target}: {warning}" for warning in target.warnings]
    if not applied:
        result["changed"] = plan.changed
        return result
    remaining = {target.moid: target.effective for target in left.targets}
    touched = [
        target
        for target in plan.targets
        if target.moid in outcomes
        and target.effective
        and (
            outcomes[target.moid].error is None
            or outcomes[target.moid].done
            or (outcomes[target.moid].wrote and remaining.get(target.moid, ()) != target.effective)
        )
    ]
    result["changed"] = bool(touched)
    still_planned = {target.moid: target.changes for target in left.targets}
    result["not_done"] = [
        change.record(target.target)
        for target in plan.targets
        for change in _find_undone(target, outcomes.get(target.moid), still_planned.get(target.moid, target.effective))
    ]
    return result


def _find_undone(target: TargetPlan, outcome: Outcome | None, still_planned: Sequence[Change]) -> list[Change]:
    """The planned changes that were not made. ``still_planned``: the changes of the plan after the writes, also of a blocked target."""
    if outcome is None:
        return list(target.effective)
    if outcome.error is None:
        return []
    if not outcome.wrote:
        return list(target.effective[outcome.made :])
    still = {(change.kind, change.subject) for change in still_planned}
    return [change for change in target.effective[outcome.made :] if (change.kind, change.subject) in still]


def conclude(
    result: dict[str, Any],
    plan: Plan,
    outcomes: Mapping[str, Outcome],
    off: Collection[str] = (),
    behind: str = "",
) -> None:
    """Add the summary to the result; and ``failed``, message, error code and candidates when a target was refused or failed.

    ``off``: names of VMs that this run shut down and did not start again. ``behind``: the end of the message for a module that leaves
    other things behind (``left_behind.ending``).
    """
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
    result["summary"] = _summarize(result, plan, outcomes)
    if off and not code:
        result.update(error_code="left_off")
    if sentences or off:
        result.update(failed=True, error_code=code or result["error_code"], candidates=candidates)
        text = _shorten(list(dict.fromkeys(sentences))) or "Not every VM that this run shut down is running again."
        behind = behind or ending(off, (), power_on_command(off))
        result["msg"] = f"{text} [{result['summary']}] {behind}".rstrip()


def _shorten(sentences: list[str]) -> str:
    """The first sentences. The result of each target has its own, so the message of a run with a thousand hosts stays readable."""
    more = len(sentences) - MOST_SENTENCES
    return " ".join(sentences[:MOST_SENTENCES]) + (
        f" And {more} more: see the result of each target." if more > 0 else ""
    )


def _summarize(result: Mapping[str, Any], plan: Plan, outcomes: Mapping[str, Outcome]) -> str:
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


def is_unreached(target: TargetPlan, outcomes: Mapping[str, Outcome]) -> bool:
    """Whether the run stopped before it wrote to this target, because too many other targets failed."""
    return bool(outcomes) and bool(target.effective) and target.moid not in outcomes


def status_of(target: TargetPlan, outcomes: Mapping[str, Outcome]) -> str:
    """The status of a target in the result: refused, skipped, failed, not_reached, changed, pending or ok."""
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
