# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate of host_maintenance: nothing is begun or continued when the plan of the host is no longer valid. PRIVATE to the collection."""

from __future__ import annotations

from dataclasses import replace

from ..errors import DirectPathError
from ..memo import Memo
from ..planning.plan import Change, TargetPlan
from ..rolling.state.fleet_index import FleetIndex, earliest, index_fleet
from ..rolling.state.observed import HostView, ObservedFleet
from ..rolling.state.phases import Decision
from ..rolling.state.policy import Policy
from ..writing.recheck import still_to_do
from .host_lock import lock_state, release_lock
from .next_action import decide_maintenance, is_to_check, stopped, waiting
from .plan import plan_host

_DOING = {
    "shutdown": "shut down {0}",
    "enter_maintenance": "put {1} into maintenance mode",
    "exit_maintenance": "take {1} out of maintenance mode",
    "power_on": "start {0}",
    "forget": "return {1} to service",
}


class PlanGate:
    """Decides for one host, as long as its plan is valid. ``problem``: why it is no longer valid; ``elsewhere``: planned changes that
    another user made first."""

    def __init__(self, planned: TargetPlan, *, account: str) -> None:
        self._planned, self._account = planned, account
        self.problem: DirectPathError | None = None
        self.is_checking = True
        """The plan must still be valid, so VMs must be read again before the next decision."""
        self.elsewhere: tuple[Change, ...] = ()

    def decide(self, observed: ObservedFleet, policy: Policy, now: float, memo: Memo | None = None) -> Decision:
        """The next action. ``memo``: as in ``scheduler.decide``. Raises DirectPathError when the host was removed, or when another process
        works on it."""
        fleet = index_fleet(observed, policy, now, memo)
        view = fleet.hosts.get(self._planned.moid)
        if view is None:
            raise _vanished(self._planned.target)
        lock = lock_state(fleet, view)
        if lock.blocker is not None:
            raise DirectPathError(message=lock.blocker.message, code=lock.blocker.code, cure=lock.blocker.cure)
        if not lock.held:
            return waiting(fleet, view, "its lock is taken", lock.actions, lock.wake)
        try:
            decision = self._decide(fleet, view)
        except DirectPathError as error:
            self.problem = error
            decision = stopped(fleet, view)
        if decision.outlook.ended:
            return replace(decision, actions=(*decision.actions, *release_lock(fleet, view)))
        outlook = replace(decision.outlook, wake_at=earliest(decision.outlook.wake_at, lock.wake))
        return replace(decision, actions=(*lock.actions, *decision.actions), outlook=outlook)

    def _decide(self, fleet: FleetIndex, view: HostView) -> Decision:
        """Under the lock. Raises DirectPathError when nothing was begun and the plan is no longer valid."""
        left: tuple[Change, ...] = ()
        problem: DirectPathError | None = None
        self.is_checking = is_to_check(fleet, view)
        if self.is_checking:
            try:
                left = self._check(fleet, view)
            except DirectPathError as error:
                problem = self.problem = self.problem or error
        return decide_maintenance(fleet, view, account=self._account, left=bool(left), problem=problem)

    def _check(self, fleet: FleetIndex, view: HostView) -> tuple[Change, ...]:
        """The planned changes that are still necessary now. Raises DirectPathError (changed_meanwhile) when a new plan contains a blocker,
        or any change that was not planned."""
        run_id = fleet.observed.run_id
        stopped = [vm for vm in fleet.stopped_vms.get(view.moid, ()) if vm.entry and vm.entry.run_id == run_id]
        stopped_names, off = {vm.name for vm in stopped}, {vm.name for vm in stopped if not vm.is_on}
        due = [
            change
            for change in self._planned.effective
            if change not in self.elsewhere and not (change.kind == "shutdown" and change.subject in off)
        ]
        kind, subject = (due[0].kind, due[0].subject) if due else ("enter_maintenance", "")
        left = still_to_do(due, plan_host(fleet, view), doing=_DOING[kind].format(subject, view.name))
        self.elsewhere += tuple(
            change
            for change in due
            if change not in left and not (change.kind == "shutdown" and change.subject in stopped_names)
        )
        return left


def _vanished(name: str) -> DirectPathError:
    return DirectPathError(message=f"{name} was removed after it was read", code="vanished", cure="Run the task again")
