# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Maintenance mode and reboot of one host, each with a deadline and a proof. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from .._domain.errors import DirectPathError
from .._domain.hosts import Host
from .._domain.reboot import is_back
from .collect import collect_objects, collect_through
from .faults import CONNECTION_ERRORS, explain, explained, is_transient
from .read_hosts import reread_hosts
from .sdk import vim, vmodl
from .session import Session
from .tasks import State, wait_for_task, wait_until

GRACE = 30.0
"""Seconds the client waits longer than the server was told to, so that the server's own answer is heard."""

RECONNECT_PAUSE = 5.0
LOOK_AGAIN = 300.0
"""Seconds after which a host that shows no change is looked at all the same: a change may have been missed."""
SERVICES_PAUSE = 10.0
"""Seconds until services of a host that is back are asked again: no property tells that they answer."""


def read_running_tasks(session: Session, hosts: Sequence[Host]) -> dict[str, tuple[str, ...]]:
    """host id → names of the tasks that run on it at this moment, in one bulk read."""
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
    """Put the host into maintenance mode. The server is given the deadline too: a task left behind would park the host hours later."""
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
        if error.code == "timed_out":
            residents = powered_on_residents(session, host)
            if residents:
                error.message = f"{error.message.rstrip('.')}. Still powered on there: {', '.join(residents)}"
                error.cure = "Move or shut down these VMs, then run the task again; the host is not in maintenance mode"
        raise


def powered_on_residents(session: Session, host: Host) -> tuple[str, ...]:
    """Names of the VMs that run on the host, sorted."""
    paths = {vim.VirtualMachine: ("name", "runtime.powerState")}
    rows = collect_through(session, vim.HostSystem, [host.moid], "vm", paths)[vim.VirtualMachine]
    return tuple(sorted(row.get("name", row.moid) for row in rows if str(row.get("runtime.powerState")) == "poweredOn"))


def exit_maintenance(session: Session, host: Host, *, timeout: float) -> None:
    """Take the host out of maintenance mode."""
    doing = "exit maintenance mode"
    with explained(doing, host.name):
        task = session.reference(vim.HostSystem, host.moid).ExitMaintenanceMode_Task(int(timeout))
        wait_for_task(session, task, doing=doing, on=host.name, timeout=timeout + GRACE)


def reboot(session: Session, host: Host, *, timeout: float) -> Host:
    """Reboot the host and return it as it is once it is back: new boot time, connected, uptime agrees, services answer.

    Never forced: the server refuses a host that is not in maintenance mode. The end of the server's task proves nothing and is not
    waited for. Raises DirectPathError ``not_back`` when the proof is not there within the timeout (seconds).
    """
    asked = _Moment.now(session)
    deadline = asked.client + timeout
    task = None
    try:
        task = session.reference(vim.HostSystem, host.moid).RebootHost_Task(False)
    except vmodl.MethodFault as fault:
        raise explain(fault, doing="reboot {}", on=host.name) from fault
    except CONNECTION_ERRORS as error:
        if not is_transient(error):
            raise explain(error, doing="reboot {}", on=host.name) from error
        # The host itself was asked and hung up: whether it goes down is seen below.
    reason = "it was not looked at"
    while session.clock() < deadline:
        refusal = _refusal(session, task)
        if refusal is not None:
            raise explain(refusal, doing="reboot {}", on=host.name)
        try:
            now, reason = _wait_for_return(session, host, asked, deadline, task)
        except (*CONNECTION_ERRORS, vmodl.MethodFault, DirectPathError) as error:
            # An ESXi host that is connected to directly takes the API down with it; vCenter may restart as well.
            reason = f"no answer ({type(error).__name__.rpartition('.')[2]})"
            session.sleep(RECONNECT_PAUSE)
            _log_in_again(session)
            continue
        if now is not None:
            return now
    raise DirectPathError(
        message=f"{host.name} was told to reboot and is not back after {timeout:.0f} seconds: {reason}",
        code="not_back",
        cure="Look at its console (BMC). It stays in maintenance mode; run the task again when it is back",
    )


def _refusal(session: Session, task: Any) -> Any:
    """Why the host will not go down at all. Any other end of the task means nothing: it may come early, late or as a broken
    connection."""
    final = (vim.fault.InvalidState, vim.fault.NoPermission, vim.fault.RestrictedVersion, vmodl.fault.NotSupported)
    with suppress(vmodl.MethodFault, *CONNECTION_ERRORS):
        for row in collect_objects(session, vim.Task, [task._moId] if task is not None else (), ("info.error",)):
            if isinstance(row.get("info.error"), final):
                return row.get("info.error")
    return None


def _log_in_again(session: Session) -> None:
    with suppress(*CONNECTION_ERRORS, vmodl.MethodFault, DirectPathError):
        session.renew()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Moment:
    """An instant on our clock and, where it could be read, on the server's."""

    client: float
    server: float | None

    @classmethod
    def now(cls, session: Session) -> _Moment:
        server = None
        with suppress(vmodl.MethodFault, *CONNECTION_ERRORS):
            server = session.instance.CurrentTime().timestamp()
        return cls(client=session.clock(), server=server)

    def seconds_until(self, later: _Moment) -> float:
        """The longer of what both clocks say: an uptime above it proves that no reboot happened, whichever clock was set."""
        ours = later.client - self.client
        theirs = later.server - self.server if later.server is not None and self.server is not None else ours
        return max(ours, theirs)


def _wait_for_return(
    session: Session, host: Host, asked: _Moment, deadline: float, task: Any
) -> tuple[Host | None, str]:
    """One look at the host, and a wait for its next change when it is not back yet."""
    reference = session.reference(vim.HostSystem, host.moid)
    now = reread_hosts(session, [host])[0]
    uptime = None
    if now.connection_state == "connected":
        with suppress(vmodl.MethodFault):
            uptime = float(reference.RetrieveHardwareUptime())
    ago = asked.seconds_until(_Moment.now(session))
    back, reason = is_back(host, now, uptime, asked_seconds_ago=ago)
    if back and _services_answer(session, now):
        return now, ""
    if back:
        reason = "its services do not answer yet"
    seen: dict[tuple[str, str], Any] = {}

    def changed(state: State) -> bool | None:
        values = {(moid, path): value for moid, known in state.items() for path, value in known.items()}
        if not seen:
            seen.update(values)
        return True if values != seen else None

    patience = SERVICES_PAUSE if back else LOOK_AGAIN
    left = max(0.0, min(patience, deadline - session.clock()))
    watched: dict[Any, tuple[str, ...]] = {reference: ("runtime.connectionState", "runtime.bootTime")}
    if task is not None:
        watched[task] = ("info.state",)
    wait_until(session, watched, changed, timeout=left)
    return None, reason


def _services_answer(session: Session, host: Host) -> bool:
    """hostd is up before everything behind it is: ask the passthrough system itself."""
    rows = collect_objects(session, vim.HostSystem, [host.moid], ("configManager.pciPassthruSystem",))
    system = rows[0].get("configManager.pciPassthruSystem") if rows else None
    if system is None:
        return True
    try:
        session.reference(vim.host.PciPassthruSystem, system._moId).Refresh()
    except vim.fault.NoPermission:
        return True
    except vmodl.MethodFault:
        return False
    return True


def settle_devices(session: Session, host: Host, *, timeout: float) -> Host:
    """Wait until no device of the host is pending any more, or the timeout (seconds) is over; the host as it is then."""
    reference = session.reference(vim.HostSystem, host.moid)

    def settled(state: State) -> bool | None:
        infos = state.get(host.moid, {}).get("config.pciPassthruInfo") or ()
        return None if any(bool(info.passthruEnabled) != bool(info.passthruActive) for info in infos) else True

    wait_until(session, {reference: ("config.pciPassthruInfo",)}, settled, timeout=timeout)
    return reread_hosts(session, [host])[0]
