# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module host_device_mode, from its parameters to its result. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from .._domain.concurrency import Pace, parse_pace
from .._domain.host.device_mode import DesiredDeviceMode, plan_device_mode
from .._domain.host.targets import Target
from .._domain.planning.plan import Plan, TargetPlan
from .._domain.planning.predicted import Predicted, predict_hosts
from .._vsphere.session.connect import Session
from .engine.gate import Gate
from .engine.observe import ObservedHosts, follow_hosts, observe_hosts
from .engine.output import target_result
from .engine.result import Outcome
from .engine.scope import AfterWrites, BeforeWrite, Details, FirstLook, Scope
from .engine.targets import parse_targets


@dataclass(frozen=True, kw_only=True)
class DeviceModeRequest:
    """The parameters of host_device_mode."""

    targets: tuple[Target, ...]
    desired: DesiredDeviceMode
    pace: Pace

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> DeviceModeRequest:
        """Read the parameters. Raises InputError."""
        return cls(
            targets=parse_targets(params, devices_required=False),
            desired=DesiredDeviceMode(state=params["state"]),
            pace=parse_pace(params["max_concurrent"], params["max_failures"]),
        )


def observe(session: Session, request: DeviceModeRequest, scope: Scope[ObservedHosts]) -> ObservedHosts:
    """Read the named hosts. Raises InputError for a name that no host, or more than one, has."""
    match scope:
        case FirstLook(predicted=predicted):
            observed = observe_hosts(session, request.targets)
            return replace(observed, hosts=predicted.of_hosts(observed.hosts)) if predicted else observed
        case Details(seen=seen):
            return seen
        case BeforeWrite(seen=seen, moid=moid):
            return follow_hosts(session, seen, {moid})
        case AfterWrites(seen=seen, moids=moids):
            return follow_hosts(session, seen, moids)


def plan(observed: ObservedHosts, request: DeviceModeRequest) -> Plan:
    """Plan the changes of all hosts."""
    return plan_device_mode(observed.hosts, request.desired)


def predict(observed: ObservedHosts, plan: Plan) -> Predicted:
    """The hosts after the plan is applied, for the later tasks of a check run."""
    return predict_hosts(observed.hosts, plan)


def apply(
    session: Session,
    observed: ObservedHosts,
    request: DeviceModeRequest,
    target: TargetPlan,
    gate: Gate[ObservedHosts],
) -> Outcome:
    """Make the changes of one host that are still necessary. Raises DirectPathError."""
    _now, replanned = gate.reread()
    for change in gate.check(target.effective, replanned, doing=f"change {target.target}"):
        raise NotImplementedError(f"host_device_mode cannot write {change.subject}")
    return Outcome()


def render(
    observed: ObservedHosts, request: DeviceModeRequest, plan: Plan, outcomes: Mapping[str, Outcome]
) -> dict[str, Any]:
    """The result for all hosts of the plan."""
    return {"hosts": [target_result(target, outcomes) for target in plan.targets]}
