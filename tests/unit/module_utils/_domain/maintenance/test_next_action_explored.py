# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host into maintenance mode and back, in every order of what can happen, and broken engines are caught.

The process dies, calls get lost and are refused, operators and users interfere, and the host dies, at every point of both ways.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.maintenance import next_action
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.actions import Action
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.policy import Pinned, Policy
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.steps import (
    drain,
    guests,
    next_step,
    return_to_service,
    transitions,
)
from tests.unit.module_utils._domain.rolling import invariants, miniature
from tests.unit.module_utils._domain.rolling.explorer import explore
from tests.unit.module_utils._domain.rolling.invariants import Violation
from tests.unit.module_utils._domain.rolling.miniature import HostS, State, VmS

pytestmark = pytest.mark.slow

HOSTS = (HostS("h1", "c", pending=False), HostS("h2", "c", pending=False))
PINNED, SECOND, MOVABLE = VmS("p1", "h1", pinned=True), VmS("p2", "h1", pinned=True, order=1), VmS("m1", "h1")
POLICY = replace(miniature.POLICY, goal="enter", operator_maintenance="block")
GENTLE = replace(POLICY, pinned=Pinned(action="shutdown"))
WORLDS: dict[str, tuple[tuple[VmS, ...], Policy]] = {
    "a pinned VM and one that moves": ((PINNED, MOVABLE), POLICY),
    "two in order, never powered off": ((PINNED, SECOND), GENTLE),
    "no VM": ((), POLICY),
}
BASE = "a pinned VM and one that moves"


def observed(name: str, faults: int) -> tuple[State, Policy]:
    vms, policy = WORLDS[name]
    return miniature.begin_maintenance(HOSTS, vms, faults, policy), policy


@pytest.mark.parametrize("name", WORLDS)
def test_there_and_back_when_nothing_goes_wrong(name: str) -> None:
    assert explore(*observed(name, 0)).ends >= 2


@pytest.mark.parametrize("name", [name for name in WORLDS if name != BASE])
def test_whatever_goes_wrong_once(name: str) -> None:
    found = explore(*observed(name, 1))
    assert found.ends > 50


def test_whatever_goes_wrong_twice() -> None:
    found = explore(*observed(BASE, 2))
    print(f"{found.transitions} transitions, {found.states} states, {found.ends} ends")
    assert found.transitions > 10_000
    assert {"crash", "call lost", "operator enters", "operator takes over", "will not start", "dies"} <= (
        found.kinds or set()
    )


def _starts_nobody(patch: pytest.MonkeyPatch) -> None:
    def off(fleet: Any, view: Any, vm: Any, entry: Any) -> Any:
        return guests.Guests(actions=(Action(kind="forget_vm", target=vm.moid, name=vm.name, reason="it is off"),))

    patch.setattr(guests, "_off", off)


def _forgets_the_host_early(patch: pytest.MonkeyPatch) -> None:
    """The entry is removed before the host has left maintenance mode."""

    def leaving(fleet: Any, view: Any, entry: Any) -> Any:
        return transitions.record(fleet, view, entry, "done", "it will leave")

    patch.setattr(next_step, "_STEPS", {**next_step._STEPS, "leaving": leaving})


def _gives_up_silently(patch: pytest.MonkeyPatch) -> None:
    def backing_out(fleet: Any, view: Any, entry: Any) -> Any:
        return transitions.record(fleet, view, entry, "blocked", entry.text)

    patch.setattr(next_step, "_STEPS", {**next_step._STEPS, "backing_out": backing_out})


def _owns_everything(patch: pytest.MonkeyPatch) -> None:
    for module in (drain, return_to_service):
        patch.setattr(module, "is_entered_by_operator", lambda view: False)


def _never_arrives(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(drain, "_reached", lambda fleet, view, entry: transitions.wait(view, "it rests"))


def _forgets_early(patch: pytest.MonkeyPatch) -> None:
    """A guest that still runs is taken to stay up, although its shutdown was asked for."""

    def running(fleet: Any, view: Any, vm: Any, entry: Any) -> Any:
        return guests.Guests(actions=(Action(kind="forget_vm", target=vm.moid, name=vm.name, reason="it runs"),))

    patch.setattr(guests, "_running", running)


def _stays_off(patch: pytest.MonkeyPatch) -> None:
    """The host returns to service without its VMs."""
    patch.setattr(next_action.guests, "unsettled", lambda fleet, view: ())
    patch.setattr(next_action.guests, "restore", lambda fleet, view: guests.Guests())


BROKEN: tuple[tuple[Callable[[pytest.MonkeyPatch], None], tuple[str, ...]], ...] = (
    (_starts_nobody, (invariants.VMS,)),
    (_forgets_the_host_early, (invariants.JOURNAL,)),
    (_gives_up_silently, (invariants.JOURNAL, invariants.STUCK)),
    (_owns_everything, (invariants.OPERATOR,)),
    (_never_arrives, (invariants.STUCK,)),
    (_forgets_early, (invariants.VMS,)),
    (_stays_off, (invariants.LIVENESS, invariants.VMS)),
)


@pytest.mark.parametrize(("broken", "expected"), BROKEN, ids=[row[0].__name__ for row in BROKEN])
def test_a_broken_engine_is_caught(
    broken: Callable[[pytest.MonkeyPatch], None], expected: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch)
    with pytest.raises(Violation) as caught:
        _deeper_and_deeper()
    assert caught.value.invariant in expected


def _deeper_and_deeper() -> None:
    for faults in range(3):
        explore(*observed(BASE, faults))
