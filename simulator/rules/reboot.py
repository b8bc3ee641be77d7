# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a host may reboot, and what is seen of it from outside.

Sources: API reference (RebootHost_Task, ShutdownHost_Task, HostSystemConnectionState, HostSystemPowerState). When
vCenter ends the task is not published: `Knobs.reboot_task_end`.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import faults
from .knobs import Knobs


@dataclass(frozen=True, kw_only=True, slots=True)
class Journey:
    """A reboot or shutdown as a timetable, in simulator seconds.

    `back` is None when the host stays away. `task_ends` is None when the task never ends by itself. `power_off`: it ends
    without power, as against a host that hangs while it boots. `quick`: it skips the firmware (Quick Boot). `boots` without
    `boot_time_moves`: it restarts and is shown with its old boot time, as its clock was reset or vCenter keeps the old value.
    """

    down: float
    back: float | None
    task_ends: float | None
    task_fails: bool
    boots: bool
    boot_time_moves: bool
    comes_disconnected: bool
    power_off: bool = False
    quick: bool = False


def check(in_maintenance: bool, force: bool) -> None:
    """Raise InvalidState unless the host is in maintenance mode or the caller forces it (API reference)."""
    if not in_maintenance and not force:
        raise faults.invalid_state("The operation is not allowed in the current state of the host.")


def journey(now: float, knobs: Knobs, *, returns: bool, direct: bool, quick: bool = False) -> Journey:
    """Plan a reboot (`returns`) or a shutdown. On a direct ESXi connection the task never reports (API reference).

    `quick`: Quick Boot is on, so that a reboot restarts the hypervisor and skips firmware and device initialisation
    (vSphere lifecycle manager guide).
    """
    comes_back = returns and knobs.boot_result != "never_returns"
    down = now + knobs.down_after_seconds
    quick = quick and returns
    away = min(knobs.boot_seconds, knobs.quick_boot_seconds) if quick else knobs.boot_seconds
    back = down + away if comes_back else None
    ends: float | None = now + min(1.0, knobs.down_after_seconds / 2)
    if knobs.reboot_task_end == "late":
        ends = back
    elif knobs.reboot_task_end == "error":
        ends = down
    return Journey(
        down=down,
        back=back,
        task_ends=None if direct else ends,
        task_fails=knobs.reboot_task_end == "error",
        boots=knobs.boot_result != "same_boot_time",
        boot_time_moves=knobs.boot_result not in ("same_boot_time", "old_boot_time"),
        comes_disconnected=knobs.boot_result == "disconnected",
        power_off=not returns,
        quick=quick,
    )


def connection_after_boot(plan: Journey) -> str:
    """A host returns to `connected` by its heartbeat alone, unless the knob says otherwise (API reference)."""
    return "disconnected" if plan.comes_disconnected else "connected"


def seen_power_state(connection: str, powered_on: bool) -> str:
    """runtime.powerState is unknown while the host is away (API reference, HostSystemPowerState)."""
    if connection != "connected":
        return "unknown"
    return "poweredOn" if powered_on else "poweredOff"


def uptime(boot_monotonic: float, now: float) -> int:
    """RetrieveHardwareUptime in seconds: counts from the boot, whatever the wall clock says."""
    return max(int(now - boot_monotonic), 0)
