# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock of a host: one process of host_maintenance works on it at a time. PRIVATE to the collection.

The rules are those of the lock of a cluster in a rolling reboot. A process that has ended, or that sent no heartbeat for the time to live,
is continued by the next one.
"""

from __future__ import annotations

from ..planning.plan import Blocker
from ..rolling.state.actions import Action
from ..rolling.state.fleet_index import FleetIndex
from ..rolling.state.journal import MAINTENANCE_LOCK, Garbage
from ..rolling.state.lock import LockState, plan_lock, release
from ..rolling.state.observed import ClusterView, HostView


def lock_state(fleet: FleetIndex, view: HostView) -> LockState:
    """Whether this process may work on the host, and what to write for it."""
    if isinstance(view.lock, Garbage):
        return LockState(
            blocker=Blocker(
                code="lock_unreadable",
                message=f"The lock on {view.name} cannot be read: {view.lock.text[:60]!r}",
                cure=f"Make sure that no other task puts this host into maintenance mode or back into service, then clear its custom "
                f"attribute {MAINTENANCE_LOCK}",
            )
        )
    return plan_lock(_lockable(view), fleet.observed, fleet.policy, fleet.now)


def locked(fleet: FleetIndex, view: HostView) -> tuple[Blocker, ...]:
    """The blocker if another process works on the host, or if its lock cannot be written."""
    blocker = lock_state(fleet, view).blocker
    return () if blocker is None else (blocker,)


def release_lock(fleet: FleetIndex, view: HostView) -> tuple[Action, ...]:
    """Remove the lock of this process."""
    return release([_lockable(view)], fleet.observed.me)


def _lockable(view: HostView) -> ClusterView:
    """The host in the place of a cluster: the rules use only the lock of it."""
    return ClusterView(
        moid=view.moid,
        name=view.name,
        is_cluster=False,
        lock=view.lock,
        under_way=view.under_way,
        refusal=view.lock_refusal,
    )
