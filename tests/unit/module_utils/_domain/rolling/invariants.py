# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold whatever happens, judged by what is really so and not by what the scheduler was told.

A decision is judged by the world it was made in, a call by the world it arrives in.
"""

from __future__ import annotations

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.actions import (
    Action,
    refusal_key,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.budget import (
    cluster_budget,
    fleet_budget,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import is_active
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.observed import ClusterView
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.phases import Decision
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.policy import Policy
from tests.unit.module_utils._domain.rolling.miniature import CARD, HostS, State

BUDGET = "never more unavailable than the budget"
MAINTENANCE = "never a reboot without maintenance mode"
PROOF = "never a host released before its devices are proven"
VMS = "every VM stopped by us is started again"
FAILED = "a failed host stays in maintenance mode"
ONCE = "no second reboot for the same debt"
OPERATOR = "an operator's maintenance mode is never ended"
LOCK = "nothing is done under somebody else's lock"
JOURNAL = "no host is in maintenance mode by us without a record"
GATE = "no host is started before the last one has served for the soak time"
LIVENESS = "without faults every host ends done"
STUCK = "it goes on until it ends"

ALL = (BUDGET, MAINTENANCE, PROOF, VMS, FAILED, ONCE, OPERATOR, LOCK, JOURNAL, GATE, LIVENESS, STUCK)


class Violation(AssertionError):
    """An invariant does not hold."""

    def __init__(self, invariant: str, detail: object) -> None:
        self.invariant = invariant
        super().__init__(f"{invariant}: {detail}")


def _down(host: HostS) -> bool:
    return not host.up or host.mm or bool(host.entering) or is_active(host.entry)


def check_decision(state: State, decision: Decision, policy: Policy) -> None:
    """``state`` is the one it was made in."""
    # The lock of a host is no action on the host.
    targets = [refusal_key(action.kind, action.target) for action in decision.actions]
    if len(targets) != len(set(targets)):
        raise Violation(STUCK, f"two actions on one target: {decision.actions}")
    if state.goal == "reboot":
        _check_budget(state, decision, policy)
        _check_gate(state, decision, policy)
    for action in decision.actions:
        _check_action(state, action)


def _check_budget(state: State, decision: Decision, policy: Policy) -> None:
    entering = {action.target for action in decision.actions if action.kind == "enter_maintenance"}
    if not entering:
        return
    down = [host for host in state.hosts if _down(host) or host.moid in entering]
    if len(down) > fleet_budget(len(state.hosts), policy):
        raise Violation(BUDGET, f"the fleet: {[host.moid for host in down]}")
    for cluster in {host.cluster for host in down if host.moid in entering}:
        members = [host for host in state.hosts if host.cluster == cluster]
        budget = cluster_budget(ClusterView(moid=cluster, name=cluster), len(members), policy)
        names = [host.moid for host in down if host.cluster == cluster]
        if len(names) > budget:
            raise Violation(BUDGET, f"{cluster}: {names}, budget {budget}")


def _check_gate(state: State, decision: Decision, policy: Policy) -> None:
    """Hosts of one cluster, of which one may be unavailable. A host that is not up is another rule."""
    begun = {
        action.target
        for action in decision.actions
        if action.kind == "enter_maintenance" and getattr(action.entry, "calls", 0) == 1
    }
    for host in state.hosts if begun and policy.gate.is_set else ():
        if host.moid in begun or not host.reboots or not host.up or host.entry is None:
            continue
        if host.entry.step == "withdrawn" or (host.entry.step == "failed" and host.entry.code != "gate_failed"):
            continue  # it left service for another reason, and an administrator has to see to it
        if host.serves is False or (host.serves and state.now < host.serves_since + policy.gate.soak):
            raise Violation(GATE, f"{sorted(begun)} after {host.moid}: {host.entry}")


def _check_action(state: State, action: Action) -> None:
    hosts = {host.moid: host for host in state.hosts}
    locks = dict(state.locks)
    cluster = action.target if action.target in locks else None
    host = hosts.get(action.target)
    if host is None and cluster is None:
        vm = state.vm(action.target)
        cluster = hosts[vm.host].cluster
    elif host is not None:
        cluster = host.cluster
    lock = locks[cluster or ""]
    if state.goal == "reboot" and action.kind != "take_lock" and (lock is None or lock.owner != f"me{state.me}"):
        raise Violation(LOCK, f"{action.kind} {action.name} under {lock}")
    if host is None:
        return
    if action.kind in ("reboot_host", "shut_down_host"):
        if not host.mm:
            raise Violation(MAINTENANCE, action)
        if host.owner == "op" and not getattr(action.entry, "by_operator", False):
            raise Violation(MAINTENANCE, f"it is somebody else's: {action}")
    if action.kind == "leave_maintenance" and host.owner == "op":
        raise Violation(OPERATOR, action)
    if action.kind == "cancel_entering" and host.entering == "op":
        raise Violation(OPERATOR, action)


def check_call(state: State, action: Action) -> None:
    """``state`` is the one the call arrives in."""
    if action.target not in {host.moid for host in state.hosts}:
        return
    host = state.host(action.target)
    if not host.up:
        return
    if action.kind in ("reboot_host", "shut_down_host"):
        accepted = host.mm and not host.going and host.shown == action.boot_time
        if accepted and host.reboot_generation in host.reboots:
            raise Violation(ONCE, f"{host.moid} was rebooted for it already")
    elif action.kind in ("leave_maintenance", "cancel_entering"):
        if host.left_alone and host.mm and host.owner != "op":
            raise Violation(FAILED, action)
        was_told = host.entry is not None and host.entry.asked is not None
        unsettled = host.pending and host.reboot_generation in host.reboots
        never_down = host.entry is not None and host.boot == host.began_boot
        if was_told and (unsettled or never_down or host.card != CARD):
            raise Violation(PROOF, host)


def check_state(state: State) -> None:
    for vm in state.vms:
        if vm.own and not vm.on and vm.entry is None:
            raise Violation(VMS, f"{vm.moid} is off because of us and nobody knows")
    for host in state.hosts:
        if host.mm and host.owner == "us" and host.entry is None:
            raise Violation(JOURNAL, host.moid)


def check_end(state: State, *, perfect: bool) -> None:
    """The engine stopped of its own accord. ``perfect``: nothing went wrong on the way."""
    if perfect:
        _check_perfect(state)
    # Whatever somebody else did while the first run ended, the second one has seen.
    own = {cluster for cluster, lock in state.locks if lock is None or lock.owner in ("me1", "me2")}
    for host in state.hosts:
        step = host.entry.step if host.entry is not None else ""
        if host.cluster in own and host.mm and host.owner == "us" and step not in ("failed", "withdrawn"):
            raise Violation(STUCK, f"{host.moid} is left behind in maintenance mode: {host.entry}")
    for vm in state.vms if state.runs > 1 else ():
        host = state.host(vm.host)
        in_service = host.up and not host.mm and not host.entering
        if (
            vm.own
            and not vm.on
            and in_service
            and not vm.refuses
            and host.cluster in own
            and _was_not_given_up(vm.entry)
        ):
            raise Violation(VMS, f"{vm.moid} is left off: {vm.entry}")


def check_maintenance_end(state: State, *, perfect: bool, last: bool) -> None:
    """A process of host_maintenance ended. ``last``: it was the last one, and nothing went wrong in it."""
    host = state.hosts[0]
    pinned = [vm for vm in state.vms if vm.pinned]
    if perfect and state.goal == "enter":
        off = all(not vm.on and vm.entry is not None for vm in pinned)
        if not (
            state.ended == "finished"
            and host.mm
            and host.entry is not None
            and host.entry.step == "maintenance"
            and off
        ):
            raise Violation(LIVENESS, (state.ended, host, pinned))
    if perfect and state.goal == "leave":
        settled = not host.mm and host.entry is None and all(vm.on and vm.entry is None for vm in pinned)
        if not (state.ended == "finished" and settled):
            raise Violation(LIVENESS, (state.ended, host, pinned))
    if not last or not host.up:
        return
    if host.mm and host.owner == "us":
        raise Violation(STUCK, f"{host.moid} is left behind in maintenance mode: {host.entry}")
    for vm in pinned:
        in_service = not host.mm and not host.entering
        if vm.own and not vm.on and in_service and not vm.refuses and _was_not_given_up(vm.entry):
            raise Violation(VMS, f"{vm.moid} is left off: {vm.entry}")


def _was_not_given_up(entry: object) -> bool:
    return getattr(entry, "calls", 0) < 4


def _check_perfect(state: State) -> None:
    """Hosts that an operator had in maintenance mode from the beginning may be left alone; all others are done."""
    hosts = [host for host in state.hosts if host.owner != "op"]
    wrong = [host for host in hosts if host.pending or host.mm or not host.up or host.entry is not None]
    idle = [vm for vm in state.vms if not vm.on or vm.entry is not None]
    locked = [lock for _unused, lock in state.locks if lock is not None]
    ended = state.ended == "finished" or len(hosts) < len(state.hosts)
    if not ended or wrong or idle or locked:
        raise Violation(LIVENESS, (state.ended, wrong, idle, locked))
