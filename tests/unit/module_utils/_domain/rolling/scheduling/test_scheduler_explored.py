# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The invariants hold in every world there is within a bound, and the explorer sees when they do not.

Every order of what the engine and the world do, with crashes, lost and refused calls, dying hosts, stubborn guests and operators that
get in between at every point.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.host.boot_evidence import BootEvidence
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.scheduling import (
    finish,
    next_hosts,
    pace,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state import (
    fleet_index,
    lock,
    verification,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.actions import Action
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.journal import is_active
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.steps import drain as emptying
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.steps import (
    guests,
    health_gate,
    next_step,
    return_to_service,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.steps import reboot as rebooting
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.steps import transitions as moves
from tests.unit.module_utils._domain.rolling import invariants, miniature
from tests.unit.module_utils._domain.rolling.explorer import explore
from tests.unit.module_utils._domain.rolling.fleets import BASE, GATED, RECENT, WORLDS, observed
from tests.unit.module_utils._domain.rolling.invariants import Violation

pytestmark = pytest.mark.slow

KINDS = {
    "call lost",
    "crash",
    "dies",
    "does not come back",
    "guest does not shut down",
    "host's clock is set",
    "old boot time",
    "old boot time, says nothing",
    "operator cancels",
    "operator changes passthrough",
    "operator ends maintenance",
    "operator enters",
    "operator reboots",
    "operator takes over",
    "operator turns passthrough back",
    "other card",
    "pending again",
    "refused",
    "slow",
    "user stops",
    "vCenter's clock is set",
    "vCenter's clock is set, and a crash",
    "will not start",
    "write fails",
}
TWICE = tuple(WORLDS) if os.environ.get("EXPLORE") == "all" else (BASE, "power cycle")
"""Worlds in which any two things go wrong; in the others any one. With ``EXPLORE=all``, which takes minutes, in all of them."""


@pytest.mark.parametrize("name", WORLDS)
def test_every_host_ends_done_when_nothing_goes_wrong(name: str) -> None:
    found = explore(*observed(name, 0))
    assert found.ends >= 1


@pytest.mark.parametrize("name", [name for name in WORLDS if name not in TWICE])
def test_whatever_goes_wrong_once(name: str) -> None:
    found = explore(*observed(name, 1))
    assert found.transitions > 2_000
    assert found.ends > 50


@pytest.mark.parametrize("name", TWICE)
def test_whatever_goes_wrong_twice(name: str) -> None:
    found = explore(*observed(name, 2))
    print(f"{name}: {found.transitions} transitions, {found.states} states, {found.ends} ends")
    assert found.transitions >= 60_000


def test_everything_that_can_go_wrong_is_tried() -> None:
    assert explore(*observed(BASE, 1)).kinds == KINDS
    assert "does not serve" in (explore(*observed(GATED, 1)).kinds or ())
    assert "lock stolen" in (explore(*observed("locks are stolen", 1)).kinds or ())


# ------------------------------------------------------------------------------------------- broken schedulers are caught


def _no_budget(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(next_hosts._Room, "refusal", lambda self, view: "")


def _no_budget_again(patch: pytest.MonkeyPatch) -> None:
    """The call is repeated although other hosts went down meanwhile."""
    patch.setattr(fleet_index.FleetIndex, "has_room", lambda self, view: True)


def _reboots_early(patch: pytest.MonkeyPatch) -> None:
    def draining(fleet: Any, view: Any, entry: Any) -> Any:
        if view.entering:
            return emptying.request_reboot(fleet, view, entry, "why wait")
        return emptying.draining(fleet, view, entry)

    patch.setattr(next_step, "_STEPS", {**next_step._STEPS, "draining": draining})


def _proves_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(return_to_service, "problems", lambda view, builds: ())


def _believes_the_connection(patch: pytest.MonkeyPatch) -> None:
    """Connected means rebooted, as others do it."""
    patch.setattr(rebooting, "not_back", lambda view, evidence: "" if view.connected else "it is away")


def _believes_the_boot_time(patch: pytest.MonkeyPatch) -> None:
    """An old boot time means that the reboot did not happen, whatever the uptime says."""
    known = BootEvidence.is_rebooted.fget
    assert known is not None
    patch.setattr(BootEvidence, "is_rebooted", property(lambda self: known(self) if self.boot_differs else False))


def _believes_a_clock_that_was_set(patch: pytest.MonkeyPatch) -> None:
    """A boot time that differs means that the host was rebooted."""
    known = BootEvidence.is_rebooted.fget
    assert known is not None
    patch.setattr(BootEvidence, "is_rebooted", property(lambda self: self.boot_differs or known(self)))


def _believes_the_times_of_the_journal(patch: pytest.MonkeyPatch) -> None:
    """The time since the request, although another process wrote it by a clock that was set since."""
    patch.setattr(fleet_index, "boot_evidence", _measured(fleet_index.boot_evidence))


def _measured(evidence: Callable[..., BootEvidence]) -> Callable[..., BootEvidence]:
    return lambda *args, **options: replace(evidence(*args, **options), measured=True)


def _does_not_wait_for_the_uptime(patch: pytest.MonkeyPatch) -> None:
    """An old boot time and no word about the uptime: the reboot did not happen."""
    patch.setattr(rebooting, "_is_due", lambda fleet, view, kind, entry: False)


def _ignores_identity(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(verification, "_devices", lambda view, before: ())


def _starts_nobody(patch: pytest.MonkeyPatch) -> None:
    """A VM that is off is not its business any more."""

    def off(fleet: Any, view: Any, vm: Any, entry: Any) -> Any:
        action = Action(kind="forget_vm", target=vm.moid, name=vm.name, reason="it is off")
        return guests.Guests(actions=(action,))

    patch.setattr(guests, "_off", off)


def _forgets_early(patch: pytest.MonkeyPatch) -> None:
    """A guest that still runs is taken to stay up, although its shutdown was asked for."""

    def running(fleet: Any, view: Any, vm: Any, entry: Any) -> Any:
        action = Action(kind="forget_vm", target=vm.moid, name=vm.name, reason="it runs")
        return guests.Guests(actions=(action,))

    patch.setattr(guests, "_running", running)


def _writes_after_the_call(patch: pytest.MonkeyPatch) -> None:
    """The journal is written behind the act, not ahead of it."""

    def step(state: Any) -> Any:
        (action, called), *rest = state.queue
        if not called:
            after = miniature.call(state, action)
            return after._replace(queue=((action, True), *rest))
        return miniature.write(state._replace(queue=tuple(rest)), action)

    patch.setattr(miniature, "step", step)


def _releases_the_failed(patch: pytest.MonkeyPatch) -> None:
    def ended(fleet: Any, view: Any, entry: Any) -> Any:
        if entry.step == "failed" and view.connected and view.in_maintenance:
            return moves.act(fleet, view, "leave_maintenance", entry, "it is in the way")
        return return_to_service.ended(fleet, view, entry)

    patch.setattr(next_step, "_STEPS", {**next_step._STEPS, "failed": ended})


def _reboots_again(patch: pytest.MonkeyPatch) -> None:
    """Still pending: perhaps another reboot helps."""

    def verifying(fleet: Any, view: Any, entry: Any) -> Any:
        if view.connected and view.in_maintenance and verification.problems(view):
            return emptying.request_reboot(fleet, view, entry, "once more")
        return return_to_service.verifying(fleet, view, entry)

    patch.setattr(next_step, "_STEPS", {**next_step._STEPS, "verifying": verifying})


def _forgets_what_it_did(patch: pytest.MonkeyPatch) -> None:
    """A failed host that a person put back into service is rebooted for the same debt once more."""

    def is_candidate(fleet: Any, view: Any) -> bool:
        return view.moid in fleet.pending_reboots and not is_active(view.entry) and view.in_service

    patch.setattr(next_hosts, "is_candidate", is_candidate)


def _takes_a_part_for_another_debt(patch: pytest.MonkeyPatch) -> None:
    """One of two devices did not come up: fewer are pending, so something must have changed."""
    patch.setattr(next_hosts, "is_part_of", lambda pending, earlier: pending == earlier)
    patch.setattr(
        return_to_service,
        "fail",
        lambda fleet, view, entry, code, text: moves.fail(fleet, view, view.entry, code, text),
    )


def _owns_everything(patch: pytest.MonkeyPatch) -> None:
    for module in (emptying, rebooting, return_to_service):
        patch.setattr(module, "is_entered_by_operator", lambda view: False)


def _ignores_locks(patch: pytest.MonkeyPatch) -> None:
    plan_lock = lock.plan_lock

    def any_hand(cluster: Any, observed: Any, policy: Any, now: float) -> Any:
        hand = plan_lock(cluster, observed, policy, now)
        return lock.LockState(held=True) if cluster.lock is not None else hand

    patch.setattr(lock, "plan_lock", any_hand)


def _clears_too_much(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(finish, "_is_clearable", lambda fleet, view: view.entry is not None)


def _gives_up_silently(patch: pytest.MonkeyPatch) -> None:
    """A host whose drain was given up is called blocked at once, and left in maintenance mode."""

    def backing_out(fleet: Any, view: Any, entry: Any) -> Any:
        return moves.record(fleet, view, entry, "blocked", entry.text)

    patch.setattr(next_step, "_STEPS", {**next_step._STEPS, "backing_out": backing_out})


def _waits_for_ever(patch: pytest.MonkeyPatch) -> None:
    """A host whose devices do not come back is waited for without a deadline."""

    def verifying(fleet: Any, view: Any, entry: Any) -> Any:
        if verification.problems(view):
            return moves.wait(view, "its devices are not there")
        return return_to_service.verifying(fleet, view, entry)

    patch.setattr(next_step, "_STEPS", {**next_step._STEPS, "verifying": verifying})


def _stops_early(patch: pytest.MonkeyPatch) -> None:
    hold = pace.find_run_hold

    def one_is_enough(fleet: Any, state: Any) -> Any:
        return pace.Hold(reason="enough") if state.done else hold(fleet, state)

    patch.setattr(pace, "find_run_hold", one_is_enough)


def _opens_the_gate(patch: pytest.MonkeyPatch) -> None:
    """A host that is in service is done."""
    for module in (return_to_service, health_gate):
        patch.setattr(module, "is_gated", lambda fleet, entry: False)


def _does_not_soak(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(health_gate, "is_soaked", lambda gate, ready, now: ready is not None)
    patch.setattr(health_gate, "is_recent", lambda gate, ready, answer: True)


def _checks_only_once(patch: pytest.MonkeyPatch) -> None:
    """A gate that did not pass in an earlier run does not concern the next one."""
    patch.setattr(health_gate, "is_due", lambda fleet, view: False)


def _gives_up_waiting(patch: pytest.MonkeyPatch) -> None:
    """A gate that does not pass in time is over."""

    def end(fleet: Any, view: Any, entry: Any, code: str, text: str) -> Any:
        return moves.record(fleet, view, entry, "done", text, text=text, gate=False)

    patch.setattr(health_gate, "fail", end)


ONLY = {
    "_no_budget_again": ("operator enters", "operator ends maintenance"),
    "_forgets_what_it_did": ("pending again", "operator ends maintenance"),
    "_takes_a_part_for_another_debt": ("pending again", "operator ends maintenance"),
}
"""What goes wrong in the search for the schedulers that only two things together reveal: all pairs would take half a minute."""

MUTANTS: tuple[tuple[Callable[[pytest.MonkeyPatch], None], tuple[str, ...], str], ...] = (
    (_no_budget, (invariants.BUDGET,), BASE),
    (_no_budget_again, (invariants.BUDGET,), BASE),
    (_reboots_early, (invariants.MAINTENANCE,), BASE),
    (_proves_nothing, (invariants.PROOF,), BASE),
    (_believes_the_boot_time, (invariants.ONCE,), BASE),
    (_believes_a_clock_that_was_set, (invariants.PROOF,), RECENT),
    (_believes_the_times_of_the_journal, (invariants.PROOF,), RECENT),
    (_does_not_wait_for_the_uptime, (invariants.ONCE,), BASE),
    (_ignores_identity, (invariants.PROOF,), BASE),
    (_believes_the_connection, (invariants.PROOF,), "firmware"),
    (_starts_nobody, (invariants.VMS,), BASE),
    (_forgets_early, (invariants.VMS,), BASE),
    (_writes_after_the_call, (invariants.VMS, invariants.JOURNAL, invariants.ONCE), BASE),
    (_releases_the_failed, (invariants.FAILED,), BASE),
    (_reboots_again, (invariants.ONCE,), BASE),
    (_forgets_what_it_did, (invariants.ONCE,), BASE),
    (_takes_a_part_for_another_debt, (invariants.ONCE,), "two cards in a host"),
    (_owns_everything, (invariants.OPERATOR, invariants.MAINTENANCE), BASE),
    (_ignores_locks, (invariants.LOCK,), "locks are stolen"),
    (_clears_too_much, (invariants.JOURNAL, invariants.FAILED, invariants.ONCE), BASE),
    (_gives_up_silently, (invariants.JOURNAL,), BASE),
    (_waits_for_ever, (invariants.STUCK,), BASE),
    (_stops_early, (invariants.LIVENESS,), BASE),
    (_opens_the_gate, (invariants.GATE,), GATED),
    (_does_not_soak, (invariants.GATE,), GATED),
    (_checks_only_once, (invariants.GATE,), GATED),
    (_gives_up_waiting, (invariants.GATE,), GATED),
)


@pytest.mark.parametrize(("mutant", "expected", "name"), MUTANTS, ids=[row[0].__name__ for row in MUTANTS])
def test_a_broken_scheduler_is_caught(
    mutant: Callable[[pytest.MonkeyPatch], None], expected: tuple[str, ...], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant(monkeypatch)
    with pytest.raises(Violation) as caught:
        _deeper_and_deeper(name, ONLY.get(mutant.__name__, ()))
    assert caught.value.invariant in expected


def _deeper_and_deeper(name: str, only: tuple[str, ...]) -> None:
    for faults in range(3):
        explore(*observed(name, faults), only)


def test_every_invariant_has_a_broken_scheduler() -> None:
    assert {invariant for row in MUTANTS for invariant in row[1]} == set(invariants.ALL)
