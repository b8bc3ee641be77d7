# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Enter and exit maintenance mode, with a timeout. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from ..._domain.errors import DirectPathError
from ..._domain.observed.hosts import Host
from ..property_collector.retrieve import collect_through
from ..property_collector.wait import wait_for_task, wait_idle
from ..sdk import vim, vmodl
from ..session.connect import Session
from ..session.faults import CONNECTION_ERRORS, UNCERTAIN, explained

GRACE = 30.0
"""Seconds that the client waits longer than the timeout of the server, to get the error of the server."""


def read_running_tasks(session: Session, hosts: Sequence[Host]) -> dict[str, tuple[str, ...]]:
    """Read host id → names of the tasks that are in progress on it, in one bulk read."""
    paths = {vim.Task: ("info.state", "info.descriptionId", "info.entity")}
    rows = collect_through(session, vim.HostSystem, [host.moid for host in hosts], "recentTask", paths)[vim.Task]
    busy: dict[str, list[str]] = {host.moid: [] for host in hosts}
    for row in rows:
        entity = row.get("info.entity")
        if entity is not None and entity._moId in busy and str(row.get("info.state")) in ("running", "queued"):
            busy[entity._moId].append(row.get("info.descriptionId", row.moid))
    return {moid: tuple(sorted(names)) for moid, names in busy.items()}


def enter_maintenance(
    session: Session, host: Host, *, timeout: float, evacuate_powered_off: bool, vsan_mode: str | None
) -> None:
    """Put a host into maintenance mode. ``timeout``: seconds, for the server too: an abandoned task could otherwise finish hours later.

    Raises DirectPathError; after the timeout (timed_out) the message lists the VMs that are still powered on.
    """
    reference = session.reference(vim.HostSystem, host.moid)
    spec = None
    if vsan_mode is not None and session.knows(vim.host.MaintenanceSpec, "vsanMode"):
        spec = vim.host.MaintenanceSpec(vsanMode=vim.vsan.host.DecommissionMode(objectAction=vsan_mode))
    doing = "enter maintenance mode"
    try:
        with explained(doing, host.name):
            task = reference.EnterMaintenanceMode_Task(int(timeout), evacuate_powered_off, spec)
            wait_for_task(session, task, doing=doing, on=host.name, timeout=timeout + GRACE)
    except DirectPathError as error:
        _wait_where_unknown(session, reference, error, timeout + GRACE)
        if error.code == "timed_out":
            residents = powered_on_residents(session, host)
            if residents:
                error.message = f"{error.message.rstrip('.')}. Still running on this host: {', '.join(residents)}"
                error.cure = "Move or shut down these VMs, then run the task again; the host is not in maintenance mode"
        raise


def powered_on_residents(session: Session, host: Host) -> tuple[str, ...]:
    """Read the names of the powered-on VMs of a host, sorted."""
    paths = {vim.VirtualMachine: ("name", "runtime.powerState")}
    rows = collect_through(session, vim.HostSystem, [host.moid], "vm", paths)[vim.VirtualMachine]
    return tuple(sorted(row.get("name", row.moid) for row in rows if str(row.get("runtime.powerState")) == "poweredOn"))


def exit_maintenance(session: Session, host: Host, *, timeout: float) -> None:
    """Take a host out of maintenance mode. ``timeout``: seconds. Raises DirectPathError."""
    doing = "exit maintenance mode"
    reference = session.reference(vim.HostSystem, host.moid)
    try:
        with explained(doing, host.name):
            task = reference.ExitMaintenanceMode_Task(int(timeout))
            wait_for_task(session, task, doing=doing, on=host.name, timeout=timeout + GRACE)
    except DirectPathError as error:
        _wait_where_unknown(session, reference, error, timeout + GRACE)
        raise


def _wait_where_unknown(session: Session, reference: Any, error: DirectPathError, timeout: float) -> None:
    """After a lost answer, the task may be in progress. Its effect is visible only after it ended, so wait for that."""
    if error.code in UNCERTAIN:
        with suppress(vmodl.MethodFault, *CONNECTION_ERRORS):
            wait_idle(session, reference, timeout=timeout)
