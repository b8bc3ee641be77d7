# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls for maintenance mode and power of VMs, each in one place. PRIVATE to the collection.

They return at once: a task, or nothing. Faults and connection errors are raised unchanged. Callers check the present state before, write
their journal, and wait.
"""

from __future__ import annotations

from typing import Any

from ..sdk import vim
from ..session.connect import Session


def enter_maintenance(
    session: Session, host: str, *, timeout: float, evacuate_powered_off: bool, vsan_mode: str | None
) -> Any:
    """Put a host (id) into maintenance mode. ``timeout``: seconds, for the server: an abandoned task could otherwise finish hours later."""
    spec = None
    if vsan_mode is not None:
        spec = vim.host.MaintenanceSpec(vsanMode=vim.vsan.host.DecommissionMode(objectAction=vsan_mode))
    reference = session.reference(vim.HostSystem, host)
    return reference.EnterMaintenanceMode_Task(max(1, int(timeout)), evacuate_powered_off, spec)


def exit_maintenance(session: Session, host: str, *, timeout: float) -> Any:
    """Take a host (id) out of maintenance mode. ``timeout``: seconds."""
    return session.reference(vim.HostSystem, host).ExitMaintenanceMode_Task(int(timeout))


def shut_down_guest(session: Session, vm: str) -> None:
    """Ask the guest operating system of a VM (id) to shut down. There is no task."""
    session.reference(vim.VirtualMachine, vm).ShutdownGuest()


def power_off(session: Session, vm: str) -> Any:
    """Power off a VM (id) hard."""
    return session.reference(vim.VirtualMachine, vm).PowerOffVM_Task()


def power_on(session: Session, vm: str, host: str | None = None) -> Any:
    """Power on a VM (id), on a host (id) if it is given, otherwise where it is registered."""
    place = session.reference(vim.HostSystem, host) if host else None
    return session.reference(vim.VirtualMachine, vm).PowerOnVM_Task(place)
