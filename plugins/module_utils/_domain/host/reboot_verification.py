# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verifying that a host was rebooted and that its devices are as desired. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Sequence

from ..observed.hosts import Host, HostDevice
from .blockers import unreachable
from .matching import select_all
from .selector import DesiredDevice

_NOT_SETTLED = (
    "Another reboot will not help. Check for a failed ACS check (KB 391460, KB 1036811), for the known problem that GPUs are "
    "pending again after each boot (disable and enable them; this helps until the next boot), and for a stale pci_devices "
    "record in the host's configuration store, left by a card that moved"
)


def is_back(
    before: Host,
    now: Host,
    uptime_seconds: float | None,
    margin: float = 30.0,
    *,
    asked_seconds_ago: float | None = None,
) -> tuple[bool, str]:
    """Whether the host was rebooted and is connected again; if not, why not yet, as a clause.

    The connection state alone is not enough: the time without a connection is easily missed. The boot time must have moved by more than
    ``margin`` seconds, because setting the clock also moves it a little. The uptime does not depend on the clock. With
    ``asked_seconds_ago`` (seconds since the reboot was requested), a longer uptime means no reboot, and a shorter uptime means a reboot
    even when the boot time did not change (the clock was reset at the boot, or the server returns the old value).
    """
    if now.connection_state != "connected":
        return False, f"it is {now.connection_state}"
    if now.unreadable:
        return False, f"it does not return {', '.join(now.unreadable)} yet"
    too_long = (
        uptime_seconds is not None and asked_seconds_ago is not None and uptime_seconds > asked_seconds_ago + margin
    )
    unchanged = (
        before.boot_time is not None and now.boot_time is not None and now.boot_time <= before.boot_time + margin
    )
    if too_long and not unchanged:
        return (
            False,
            f"its uptime is {uptime_seconds:.0f} seconds, which is longer than the time since the reboot was requested",
        )
    if before.boot_time is None:
        if uptime_seconds is None or asked_seconds_ago is None:
            return False, "neither its boot time before the reboot nor its uptime is known"
        return True, ""
    if is_up_since(uptime_seconds, asked_seconds_ago):
        return True, ""
    if now.boot_time is None:
        return False, "it does not report its boot time yet"
    if unchanged:
        return False, "its boot time did not change: it has not gone down yet"
    return True, ""


def is_up_since(uptime_seconds: float | None, asked_seconds_ago: float | None) -> bool | None:
    """Whether the host booted after the reboot was requested, by its uptime alone (both in seconds); None when unknown."""
    if uptime_seconds is None or asked_seconds_ago is None:
        return None
    return uptime_seconds < asked_seconds_ago


def verify_after(
    now: Host, desired_devices: Sequence[DesiredDevice] = (), *, skips_missing: bool = False
) -> tuple[str, ...]:
    """The problems of a host after a reboot, one sentence each; empty when the host can return to service.

    No device may still be pending, and the desired devices must be active. The caller checks that the hardware is the same as before the
    reboot. ``skips_missing``: a missing device is no problem.
    """
    if not now.is_reachable:
        return (unreachable(now).sentence(),)
    unsettled = sorted((device for device in now.devices if device.is_pending), key=lambda device: device.address)
    problems = [_unsettled(now, device) for device in unsettled]
    known = {device.address for device in unsettled}
    for selection in select_all(now, desired_devices):
        if selection.blocker is not None and not (skips_missing and selection.blocker.skippable):
            problems.append(selection.blocker.sentence())
        problems += [
            f"{device.describe()} on {now.name} is desired but not enabled. Enable it with host_passthrough."
            for device in selection.devices
            if not device.active and device.address not in known
        ]
    return tuple(problems)


def _unsettled(host: Host, device: HostDevice) -> str:
    states = {
        "pending_enable": "is enabled, but still not active after the reboot",
        "pending_disable": "is disabled, but still active after the reboot",
        "stale": "is configured for passthrough, but the host no longer offers it",
    }
    return f"{device.describe()} on {host.name} {states[device.state]}. {_NOT_SETTLED}."
