# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module vm_memory_reservation, from its parameters to its result. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .._domain.concurrency import Pace, parse_pace
from .._domain.errors import InputError
from .._domain.names import Reference
from .._domain.observed.vms import Vm
from .._domain.planning.plan import Change, Plan, TargetPlan
from .._domain.planning.predicted import Predicted, predict_vms
from .._domain.vm.memory import DesiredMemory, plan_memory
from .._vsphere.session.connect import Session
from .._vsphere.write.vms import apply_vm
from .engine.gate import Gate
from .engine.observe import NamedVms, follow_vms, observe_vms
from .engine.output import render_vms
from .engine.result import Outcome
from .engine.scope import AfterWrites, BeforeWrite, Details, FirstLook, Scope
from .engine.vms import parse_vms


@dataclass(frozen=True, kw_only=True)
class MemoryRequest:
    """The parameters of vm_memory_reservation."""

    entries: tuple[tuple[Reference, DesiredMemory], ...]
    pace: Pace

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> MemoryRequest:
        """Read the parameters. Raises InputError."""
        return cls(
            entries=parse_vms(params, ("state", "reservation_mb"), _parse_entry),
            pace=parse_pace(params["max_concurrent"], params["max_failures"]),
        )


def _parse_entry(reference: Reference, options: Mapping[str, Any]) -> tuple[Reference, DesiredMemory]:
    return reference, DesiredMemory(state=options["state"], reservation_mb=options["reservation_mb"])


def observe(session: Session, request: MemoryRequest, scope: Scope[NamedVms]) -> NamedVms:
    """Read the named VMs. Raises InputError for a name that no VM or more than one VM has."""
    match scope:
        case FirstLook(predicted=predicted):
            found = observe_vms(session, [reference for reference, _unused in request.entries])
            return replace(found, vms=predicted.of_vms(found.vms)) if predicted else found
        case Details(seen=seen):
            return seen
        case BeforeWrite(seen=seen, moid=moid):
            return follow_vms(session, seen, {moid})
        case AfterWrites(seen=seen, moids=moids):
            return follow_vms(session, seen, moids)


def plan(seen: NamedVms, request: MemoryRequest) -> Plan:
    """Plan the reservations. Raises InputError (vm_twice) for a VM that is named twice with different options."""
    desired_memory: dict[str, DesiredMemory] = {}
    for reference, desired in request.entries:
        if reference not in seen.meant:
            continue
        vm = seen.vm(reference)
        if desired_memory.setdefault(vm.moid, desired) != desired:
            raise InputError(
                message=f"{vm.name} is named twice with different options", code="vm_twice", parameter="vms"
            )
    return plan_memory(seen.vms, desired_memory)


def predict(seen: NamedVms, plan: Plan) -> Predicted:
    """The VMs after the plan is applied."""
    return predict_vms(seen.vms, plan)


def apply(
    session: Session, seen: NamedVms, request: MemoryRequest, target: TargetPlan, gate: Gate[NamedVms]
) -> Outcome:
    """Write the reservation of one VM. Raises DirectPathError."""

    def check(changes: Sequence[Change]) -> tuple[Vm, tuple[Change, ...]]:
        now, replanned = gate.reread()
        vm = next(vm for vm in now.vms if vm.moid == target.moid)
        return vm, gate.check(changes, replanned, doing=f"reconfigure {vm.name}")

    planned = next(vm for vm in seen.vms if vm.moid == target.moid)
    return Outcome(done=apply_vm(session, planned, target.effective, check))


def render(seen: NamedVms, request: MemoryRequest, plan: Plan, outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    """The result for all VMs of the plan."""
    return render_vms(seen.vms, plan, outcomes)
