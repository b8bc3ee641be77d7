# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Standby: a host is emptied as for maintenance mode, powers down, and waits to be powered up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyVmomi import vim, vmodl

from ...core.tasks import PENDING, Task
from ...rules import faults
from . import power
from .maintenance import Entering
from .state import HostState

if TYPE_CHECKING:
    from ...core.call import Call


def enter(host: HostState, call: Call, timeout: int, powered_off: bool) -> Task:
    """PowerDownHostToStandBy_Task: like maintenance mode, and then the host goes off until PowerUpHostFromStandBy_Task."""
    host.reach()
    if host.direct:
        raise vmodl.fault.NotSupported()

    def body(task: Task) -> Any:
        if host.entering is not None:
            raise faults.invalid_state()
        seconds = host.settings.down_after_seconds
        entering = Entering(host, task, powered_off=powered_off, done=lambda: to_standby(host), seconds=seconds)
        host.entering = entering
        host.set("runtime.standbyMode", "entering")
        if timeout > 0:
            entering.deadline = host.sim.clock.call_later(timeout, entering.expire)
        entering.look()
        return PENDING

    def cancel(task: Task) -> None:
        if host.entering is not None and host.entering.task is task:
            host.entering.stop()
            host.set("runtime.standbyMode", "none")

    return host.sim.start_task(call, host, "HostSystem.enterStandbyMode", body, on_cancel=cancel)


def to_standby(host: HostState) -> None:
    """The host powers down and waits to be powered up; vCenter knows that it did so on purpose."""
    power.go_down(host)
    power.switch(host, on=False)
    connection = host.settings.standby_connection
    values = {"connectionState": connection, "powerState": "standBy", "standbyMode": "in"}
    host.update({f"runtime.{name}": value for name, value in values.items()})
    power.alarm(host)
    host.sim.post_event(vim.event.EnteredStandbyModeEvent, host, message=f"Host {host.name} has entered standby mode")


def leave(host: HostState, call: Call | None, timeout: int = 0) -> Task:
    """PowerUpHostFromStandBy_Task: done when the host is connected again, failed once it is silent for the timeout."""

    def body(task: Task) -> Any:
        if not host.standby:
            raise faults.invalid_state("The host is not in standby mode.")
        host.set("runtime.standbyMode", "exiting")
        power.power_up(host)
        plan_end = host.journey[-1].at - host.sim.clock.seconds() if host.journey else 0.0

        def look() -> None:
            task.succeed() if host.connection == "connected" else task.fail(vim.fault.HostPowerOpFailed())

        if 0 < timeout < plan_end:
            host.sim.clock.call_later(timeout, lambda: task.fail(vim.fault.Timedout()))
        else:
            host.sim.clock.call_later(plan_end, look)
        return PENDING

    return host.sim.start_task(call, host, "HostSystem.exitStandbyMode", body)
