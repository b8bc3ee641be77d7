# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a host owes a reboot, and for what. PRIVATE to the collection."""

from __future__ import annotations

from dataclasses import dataclass

from ..reboot import pending_reason
from .codec import digest
from .policy import Policy
from .world import HostView


@dataclass(frozen=True, kw_only=True, slots=True)
class Debt:
    """``reason`` is a clause; ``mark`` stays the same as long as the debt is the same."""

    reason: str
    mark: str


def debt_of(view: HostView, policy: Policy) -> Debt | None:
    """One reboot settles all of it. What a host that is not connected owes is not known: its values are old ones."""
    if not view.wanted or not view.host.is_reachable:
        return None
    pending = view.host.pending
    if policy.reason == "firmware":
        booted, since = view.host.boot_time, policy.booted_before
        if booted is not None and since is not None and booted >= since:
            return None
        return Debt(reason="its devices are to be started anew", mark="firmware")
    if pending:
        words = sorted(f"{device.address} {device.enabled}" for device in pending)
        return Debt(reason=pending_reason(view.host) or "", mark=digest(*words))
    if view.expected_debt is not None:
        return Debt(reason=view.expected_debt, mark="expected")
    return None
