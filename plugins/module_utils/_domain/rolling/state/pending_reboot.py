# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a host requires a reboot, and what for. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...host.pending_reboot import pending_devices, pending_reason
from ...observed.hosts import HostDevice
from .codec import digest
from .observed import HostView
from .policy import Policy

MOST_MARKS = 8
"""If more devices are pending, the journal entry has one digest for all of them, because its space is limited."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PendingReboot:
    """``reason`` is a clause. ``mark`` identifies the pending changes, one digest for each device (see ``is_part_of``)."""

    reason: str
    mark: str


def is_part_of(pending_mark: str, earlier: str) -> bool:
    """Whether all pending changes were pending before. What one reboot did not apply, another one will not apply either."""
    return set(pending_mark.split(",")) <= set(earlier.split(","))


def _mark(words: Sequence[str]) -> str:
    """One short digest for each device, so that parts can be compared; for more than ``MOST_MARKS`` devices one digest for all."""
    if len(words) > MOST_MARKS:
        return digest(*sorted(words))
    return ",".join(sorted({digest(word)[:4] for word in words}))


def _setting(device: HostDevice) -> str:
    if device.has_pending_passthrough or device.sriov is None:
        return str(device.enabled)
    return f"functions {device.sriov.configured}"


def pending_reboot_of(view: HostView, policy: Policy) -> PendingReboot | None:
    """Why the host requires a reboot; None when it does not. For a host that is not connected this is unknown: its values are old."""
    if policy.goal != "reboot" or not view.wanted or not view.host.is_reachable:
        return None
    pending = pending_devices(view.host, view.desired_devices) if view.names_devices else []
    if policy.reason == "firmware":
        booted, since = view.host.boot_time, policy.booted_before
        if booted is not None and since is not None and booted >= since:
            return None
        return PendingReboot(reason="its devices are to be restarted", mark="firmware")
    waiting = view.waiting_graphics
    if (pending or waiting) and not view.expects_settled:
        words = [f"{device.address} {_setting(device)}" for device in pending]
        words += [f"{each.address} {each.configured}" for each in waiting]
        reasons = [pending_reason(view.host, view.desired_devices)] if pending else []
        reasons += [f"it puts in effect {', '.join(map(str, waiting))}"] if waiting else []
        return PendingReboot(reason="; ".join(filter(None, reasons)), mark=_mark(words))
    if view.expected_reboot is not None:
        return PendingReboot(reason=view.expected_reboot, mark="expected")
    return None
