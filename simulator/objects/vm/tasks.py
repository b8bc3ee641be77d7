# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tasks of a VM: one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyVmomi import vim

from ...core.tasks import Body, Task
from ...rules import faults
from .state import VmState

if TYPE_CHECKING:
    from ...core.call import Call


def start(vm: VmState, call: Call | None, operation: str, body: Body, duration: float) -> Task:
    """A task on a VM; one at a time (TaskInProgress)."""
    if vm.busy is not None and vm.busy.running:
        raise vim.fault.TaskInProgress(task=vm.busy.ref)
    vm.busy = vm.sim.start_task(call, vm, f"VirtualMachine.{operation}", body, duration=duration)
    return vm.busy


def check_state(vm: VmState, existing: str, requested: str | None = None) -> None:
    """Raise InvalidPowerState unless the VM is in the state `existing`."""
    if vm.power != existing:
        raise faults.invalid_power_state(requested, vm.power)
