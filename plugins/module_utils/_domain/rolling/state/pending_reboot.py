# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a host owes a reboot, and for what. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...host.pending_reboot import pending_reason
from .codec import digest
from .observed import HostView
from .policy import Policy

MOST_MARKS = 8
"""Devices that are marked one by one in an entry of the journal, which has little room."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PendingReboot:
    """``reason`` is a clause; ``mark`` stands for what is owed, device by device (``is_part_of``)."""

    reason: str
    mark: str


def is_part_of(pending_mark: str, earlier: str) -> bool:
    """Whether all of a debt was there before: what a reboot left unsettled, another one will not settle either."""
    return set(pending_mark.split(",")) <= set(earlier.split(","))


def _mark(words: Sequence[str]) -> str:
    """One short digest a device, so that parts can be told; of more devices than the journal has room for, one for all."""
    if len(words) > MOST_MARKS:
        return digest(*sorted(words))
    return ",".join(sorted({digest(word)[:4] for word in words}))


def pending_reboot_of(view: HostView, policy: Policy) -> PendingReboot | None:
    """One reboot settles all of it. What a host that is not connected owes is not known: its values are old ones."""
    if not view.wanted or not view.host.is_reachable:
        return None
    pending = view.host.pending
    if policy.reason == "firmware":
        booted, since = view.host.boot_time, policy.booted_before
        if booted is not None and since is not None and booted >= since:
            return None
        return PendingReboot(reason="its devices are to be started anew", mark="firmware")
    if pending and not view.expects_settled:
        words = [f"{device.address} {device.enabled}" for device in pending]
        return PendingReboot(reason=pending_reason(view.host) or "", mark=_mark(words))
    if view.expected_reboot is not None:
        return PendingReboot(reason=view.expected_reboot, mark="expected")
    return None
