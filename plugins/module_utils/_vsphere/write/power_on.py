# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Powering on a virtual machine, and waiting until it runs. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any

from ..._domain.errors import DirectPathError
from ..._domain.observed.vms import Vm
from ..property_collector.retrieve import collect_objects
from ..property_collector.wait import State, wait_for_task, wait_until
from ..sdk import vim, vmodl
from ..session.connect import Session
from ..session.faults import explain, explained

TIMEOUT = 600.0
"""Seconds a start may take."""
_STARTING = "power on {}"
_BEGINS = 60.0
"""Seconds within which a start that DRS was asked for shows: as a task of the VM, or as a VM that runs."""


def start_vm(session: Session, vm: Vm) -> None:
    """Power on where DRS may choose the host; a fixed backing starts where it is. Raises DirectPathError."""
    reference = session.reference(vim.VirtualMachine, vm.moid)
    with explained(_STARTING, vm.name):
        if session.is_vcenter and vm.datacenter_moid is not None:
            _start_by_drs(session, vm, reference, session.reference(vim.Datacenter, vm.datacenter_moid))
        else:
            _wait_started(session, vm, reference.PowerOnVM_Task(None))
        started = _is_on(session, vm)
    if not started:
        raise DirectPathError(
            message=f"Cannot power on {vm.name}: vCenter accepted the request and the VM is still off",
            code="not_started",
            cure="Look at the tasks and events of the VM in vCenter, and start it there",
        )


def _wait_started(session: Session, vm: Vm, task: Any) -> None:
    wait_for_task(session, task, doing=_STARTING, on=vm.name, timeout=TIMEOUT)


def _start_by_drs(session: Session, vm: Vm, reference: Any, datacenter: Any) -> None:
    """Let DRS choose the host, and wait until the VM was started.

    In manual mode DRS starts nothing and only recommends hosts: the VM is then started on the best of them, as a person would who
    approves. The automation level is not overridden: DRS could then migrate other VMs, which nobody asked for.
    """
    before = _tasks_of(session, vm)
    request = datacenter.PowerOnMultiVM_Task([reference], None)
    result = wait_for_task(session, request, doing=_STARTING, on=vm.name, timeout=TIMEOUT)
    for refused in getattr(result, "notAttempted", None) or ():
        raise explain(refused.fault, doing=_STARTING, on=vm.name)
    for attempt in getattr(result, "attempted", None) or ():
        if attempt.task is not None:
            _wait_started(session, vm, attempt.task)
            return
    recommended = list(getattr(result, "recommendations", None) or ())
    if recommended:
        _wait_started(session, vm, reference.PowerOnVM_Task(_best_host(recommended, vm.moid)))
    else:
        _wait_unnamed(session, vm, reference, before)


def _wait_unnamed(session: Session, vm: Vm, reference: Any, before: Collection[str]) -> None:
    """Wait for a start whose task was not named, as for VMs that DRS manages: it is among those that the VM did not have ``before``."""

    def is_on(state: State) -> bool:
        return str(state.get(vm.moid, {}).get("runtime.powerState")) == "poweredOn"

    def begun(state: State) -> list[Any] | None:
        fresh = [task for task in state.get(vm.moid, {}).get("recentTask") or () if task._moId not in before]
        return fresh if fresh or is_on(state) else None

    watched = {reference: ("runtime.powerState", "recentTask")}
    tasks = wait_until(session, watched, begun, timeout=_BEGINS)
    if not tasks:
        return

    def ended(state: State) -> list[Any] | None:
        values = [state.get(task._moId, {}) for task in tasks]
        over = all(value.get("info.state") in ("success", "error") for value in values)
        faults = [value["info.error"] for value in values if value.get("info.error") is not None]
        return [] if is_on(state) else faults if over else None

    paths = dict.fromkeys(tasks, ("info.state", "info.error"))
    faults = wait_until(session, {reference: ("runtime.powerState",), **paths}, ended, timeout=TIMEOUT)
    if faults:
        raise explain(faults[0], doing=_STARTING, on=vm.name)


def _best_host(recommended: Sequence[Any], moid: str) -> Any:
    """The host that DRS rates highest for the start of a VM; None when it names none, and the VM starts where it is."""
    for advice in sorted(recommended, key=lambda item: -(item.rating or 0)):
        for action in advice.action or ():
            if isinstance(action, vim.cluster.InitialPlacementAction) and action.target._moId == moid:
                return action.targetHost
    return None


def _tasks_of(session: Session, vm: Vm) -> list[str]:
    rows = collect_objects(session, vim.VirtualMachine, [vm.moid], ("recentTask",))
    return [task._moId for row in rows for task in row.get("recentTask", ())]


def _is_on(session: Session, vm: Vm) -> bool:
    with suppress(vmodl.fault.ManagedObjectNotFound):
        rows = collect_objects(session, vim.VirtualMachine, [vm.moid], ("runtime.powerState",))
        return bool(rows) and str(rows[0].get("runtime.powerState")) == "poweredOn"
    return False


def vms_off(session: Session, moids: Collection[str]) -> tuple[str, ...]:
    """Names of those VMs that exist and do not run, sorted. One call, none where no VM is named."""
    rows = collect_objects(session, vim.VirtualMachine, moids, ("name", "runtime.powerState"))
    return tuple(sorted(r.get("name", r.moid) for r in rows if str(r.get("runtime.powerState")) != "poweredOn"))
