# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many hosts may be down at once, and how many are down. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable

from ...errors import InputError
from .journal import is_active
from .observed import ClusterView, HostView
from .policy import Amount, Policy


def check_amount(amount: Amount, parameter: str) -> None:
    """Raises InputError for anything but a positive number or a percentage from 1% to 100%."""
    if isinstance(amount, int) and not isinstance(amount, bool) and amount > 0:
        return
    digits = amount.strip().removesuffix("%") if isinstance(amount, str) else ""
    if isinstance(amount, str) and amount.strip().endswith("%") and digits.isdecimal() and 0 < int(digits) <= 100:
        return
    raise InputError(
        message=f"{parameter}: {amount!r} is neither a number above 0 nor a percentage such as 25%",
        code="bad_amount",
        parameter=parameter,
        cure='Write a number such as 2, or a percentage in quotes such as "25%"',
    )


def resolve_amount(amount: Amount, total: int) -> int:
    """The number of hosts. A percentage of ``total`` is rounded down, but is at least 1."""
    if isinstance(amount, int):
        return amount
    return max(1, total * int(amount.strip().removesuffix("%")) // 100)


def is_down(view: HostView) -> bool:
    """The host is out of service, for any reason."""
    return not view.in_service


def counts_as_down(view: HostView) -> bool:
    """The host counts against the budget: it is out of service, or this run or another one is working on it."""
    return is_down(view) or is_active(view.entry) or is_active(view.other_entry)


def cluster_budget(cluster: ClusterView, total: int, policy: Policy) -> int:
    """How many of the ``total`` hosts of a cluster may be down. For a vSAN cluster this is 1, whatever the policy says."""
    asked = resolve_amount(policy.cluster_budgets.get(cluster.name, policy.max_unavailable), total)
    return min(asked, 1) if cluster.vsan else asked


def fleet_budget(total: int, policy: Policy) -> int:
    """How many of all hosts may be down."""
    return total if policy.fleet_max_unavailable is None else resolve_amount(policy.fleet_max_unavailable, total)


def count_down(views: Iterable[HostView]) -> int:
    """How many hosts count against the budget."""
    return sum(1 for view in views if counts_as_down(view))


def describe_down(views: Iterable[HostView]) -> str:
    """``esx-02 (in maintenance mode), esx-05 (notResponding)`` for messages."""
    return ", ".join(f"{view.name} ({_why_down(view)})" for view in views if counts_as_down(view))


def _why_down(view: HostView) -> str:
    if view.entry is not None and view.entry.step == "checking":
        return "in its health gate"
    if is_active(view.entry) or is_active(view.other_entry):
        return "in progress"
    if not view.connected:
        return view.host.connection_state
    if view.in_maintenance:
        return "in maintenance mode"
    if view.entering:
        return "entering maintenance mode"
    return "standby" if view.standby else "quarantined"
