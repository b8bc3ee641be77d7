# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Power on a VM, and wait until it runs. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any

from ..._domain.errors import DirectPathError
from ..._domain.observed.vms import Vm
from ..power.calls import power_on
from ..property_collector.retrieve import collect_objects
from ..property_collector.wait import State, wait_for_task, wait_until
from ..sdk import vim, vmodl
from ..session.connect import Session
from ..session.faults import explain, explained

TIMEOUT = 600.0
"""Seconds that a power-on may take."""
_STARTING = "power on {}"
_BEGINS = 60.0
"""Seconds after the request to DRS until the VM must have a new task, or run."""


def start_vm(session: Session, vm: Vm) -> None:
    """Power on a VM, on a host that DRS chooses if possible. A VM with a fixed backing starts on its own host. Raises DirectPathError."""
    reference = session.reference(vim.VirtualMachine, vm.moid)
    with explained(_STARTING, vm.name):
        if session.is_vcenter and vm.datacenter_moid is not None:
            _start_by_drs(session, vm, reference, session.reference(vim.Datacenter, vm.datacenter_moid))
        else:
            _wait_started(session, vm, power_on(session, vm.moid))
        started = _is_on(session, vm)
    if not started:
        raise DirectPathError(
            message=f"Cannot power on {vm.name}: vCenter accepted the request, but the VM is still powered off",
            code="not_started",
            cure="Check the tasks and events of the VM in vCenter, and power it on there",
        )


def _wait_started(session: Session, vm: Vm, task: Any) -> None:
    wait_for_task(session, task, doing=_STARTING, on=vm.name, timeout=TIMEOUT)


def _start_by_drs(session: Session, vm: Vm, reference: Any, datacenter: Any) -> None:
    """Let DRS choose the host, and wait until the VM is powered on.

    In manual mode DRS only recommends hosts. Then the VM is powered on on the best of them, as if a user applied the recommendation. The
    automation level is not overridden, because DRS could then migrate other VMs.
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
        _wait_started(session, vm, power_on(session, vm.moid, _best_host(recommended, vm.moid)))
    else:
        _wait_for_unnamed_task(session, vm, reference, before)


def _wait_for_unnamed_task(session: Session, vm: Vm, reference: Any, before: Collection[str]) -> None:
    """Wait for a power-on whose task the server did not name, as for VMs that DRS manages. It is a task that the VM did not have
    ``before``."""

    def is_on(state: State) -> bool:
        return str(state.get(vm.moid, {}).get("runtime.powerState")) == "poweredOn"

    def started(state: State) -> list[Any] | None:
        fresh = [task for task in state.get(vm.moid, {}).get("recentTask") or () if task._moId not in before]
        return fresh if fresh or is_on(state) else None

    watched = {reference: ("runtime.powerState", "recentTask")}
    tasks = wait_until(session, watched, started, timeout=_BEGINS)
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


def _best_host(recommended: Sequence[Any], moid: str) -> str | None:
    """The id of the host with the highest rating of DRS for a VM; None without a recommendation: then the VM starts on its own host."""
    for advice in sorted(recommended, key=lambda item: -(item.rating or 0)):
        for action in advice.action or ():
            if isinstance(action, vim.cluster.InitialPlacementAction) and action.target._moId == moid:
                host: str = action.targetHost._moId
                return host
    return None


def _tasks_of(session: Session, vm: Vm) -> list[str]:
    rows = collect_objects(session, vim.VirtualMachine, [vm.moid], ("recentTask",))
    return [task._moId for row in rows for task in row.get("recentTask", ())]


def _is_on(session: Session, vm: Vm) -> bool:
    with suppress(vmodl.fault.ManagedObjectNotFound):
        rows = collect_objects(session, vim.VirtualMachine, [vm.moid], ("runtime.powerState",))
        return bool(rows) and str(rows[0].get("runtime.powerState")) == "poweredOn"
    return False


def existing_vms(session: Session, moids: Collection[str]) -> tuple[str, ...]:
    """Those of the VMs (ids) that exist. One call; none without ids."""
    return tuple(row.moid for row in collect_objects(session, vim.VirtualMachine, moids, ("name",)))


def running_vms(session: Session, moids: Collection[str]) -> frozenset[str]:
    """Those of the VMs (ids) that are powered on. One call; none without ids."""
    rows = collect_objects(session, vim.VirtualMachine, moids, ("runtime.powerState",))
    return frozenset(row.moid for row in rows if str(row.get("runtime.powerState")) == "poweredOn")


def vms_off(session: Session, moids: Collection[str]) -> tuple[str, ...]:
    """Read the names of those of the VMs (ids) that exist and are not powered on, sorted. One call; none without ids."""
    rows = collect_objects(session, vim.VirtualMachine, moids, ("name", "runtime.powerState"))
    return tuple(sorted(r.get("name", r.moid) for r in rows if str(r.get("runtime.powerState")) != "poweredOn"))
