# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What proves that a host was rebooted and that its devices work. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Sequence

from ..observed.hosts import Host, HostDevice
from .blockers import unreachable
from .matching import select_all
from .selector import DesiredDevice

_NOT_SETTLED = (
    "Another reboot will not help. Look for an ACS check that refuses it (KB 391460, KB 1036811), for the known fault that "
    "GPUs come back pending after each boot (disabling and enabling them again helps until the next one), or for a stale "
    "pci_devices record in the host's configuration store, left by a card that moved"
)


def is_back(
    before: Host,
    now: Host,
    uptime_seconds: float | None,
    margin: float = 30.0,
    *,
    asked_seconds_ago: float | None = None,
) -> tuple[bool, str]:
    """Whether the host has been rebooted and is connected again; if not, why not yet, as a clause.

    Connection state alone proves nothing: the gap is easily missed. The boot time must have moved by more than ``margin``
    seconds, as setting the clock moves it a little. Uptime knows no clock: when it is told how long ago the reboot was asked
    for, a host that is up for longer has not rebooted, whatever its clock says, and one that is up for less long has, whatever
    boot time it shows (its clock was reset at the boot, or the server keeps the old value).
    """
    if now.connection_state != "connected":
        return False, f"it is {now.connection_state}"
    if now.unreadable:
        return False, f"it does not give {', '.join(now.unreadable)} yet"
    too_long = (
        uptime_seconds is not None and asked_seconds_ago is not None and uptime_seconds > asked_seconds_ago + margin
    )
    stands = before.boot_time is not None and now.boot_time is not None and now.boot_time <= before.boot_time + margin
    if too_long and not stands:
        return False, f"it is up for {uptime_seconds:.0f} seconds, longer than since the reboot was asked for"
    if before.boot_time is None:
        if uptime_seconds is None or asked_seconds_ago is None:
            return False, "its boot time before is not known, and its uptime neither"
        return True, ""
    if is_up_since(uptime_seconds, asked_seconds_ago):
        return True, ""
    if now.boot_time is None:
        return False, "it does not say when it booted yet"
    if stands:
        return False, "it still runs since its old boot time: it has not gone down yet"
    return True, ""


def is_up_since(uptime_seconds: float | None, asked_seconds_ago: float | None) -> bool | None:
    """Whether the host booted after the reboot was asked for, by its uptime alone; None when that cannot be told."""
    if uptime_seconds is None or asked_seconds_ago is None:
        return None
    return uptime_seconds < asked_seconds_ago


def verify_after(
    now: Host, desired_devices: Sequence[DesiredDevice] = (), *, skips_missing: bool = False
) -> tuple[str, ...]:
    """What is not as it should be after a reboot, a sentence each; empty when the host may go back to work.

    No device may be pending still, and the wished ones must be in force. Whether they are the same hardware as before is
    for who knows what was there before. ``skips_missing``: a host that lacks a device is no difference.
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
            f"{device.describe()} on {now.name} is wanted, but not enabled. Enable it with host_passthrough."
            for device in selection.devices
            if not device.active and device.address not in known
        ]
    return tuple(problems)


def _unsettled(host: Host, device: HostDevice) -> str:
    states = {
        "pending_enable": "is enabled, but still not in force after the reboot",
        "pending_disable": "is disabled, but still in force after the reboot",
        "stale": "is configured for passthrough, but the host no longer offers it",
    }
    return f"{device.describe()} on {host.name} {states[device.state]}. {_NOT_SETTLED}."
