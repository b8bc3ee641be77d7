# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When checks run, and that the loop of a run never waits for one."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.gate_record import GateVms
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.health_gate import (
    Check,
    GateAnswer,
    HealthGate,
)
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.observed import ObservedFleet
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.health_gate.gate_probes import GateProbes
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.rolling import probes
from ansible_collections.directpath.vsphere.plugins.module_utils._vsphere.rolling.fresh import GuestFresh
from tests.unit.module_utils._domain.rolling.builders import ACTIVE, NOW, entry, host, observed, vm
from tests.unit.patience import PATIENCE, until

READY = GuestFresh(power_state="poweredOn", tools="guestToolsRunning", heartbeat="green", address="127.0.0.1")


@dataclass
class Fleet:
    """``guests``: what vCenter shows; ``reads``: the VMs of each read."""

    guests: dict[str, GuestFresh] = field(default_factory=dict)
    reads: list[list[str]] = field(default_factory=list)
    time: float = NOW

    def now(self) -> float:
        return self.time

    def read_guests(self, moids: Iterable[str]) -> dict[str, GuestFresh]:
        self.reads.append(list(moids))
        return {moid: self.guests[moid] for moid in moids if moid in self.guests}


def gate(fleet: Fleet, *checks: Check) -> GateProbes:
    return GateProbes(cast("Any", fleet), HealthGate(checks=checks, soak=300))


def checked(step: str = "checking", **more: Any) -> ObservedFleet:
    made = entry(step, gate=True, asked=NOW - 900, **more)
    view = host(devices=(ACTIVE,), entry=made, gate_vms=GateVms(stopped=("a", "b")))
    return observed(view, vms=(vm("a"), vm("b")))


def found(answers: tuple[GateAnswer, ...]) -> dict[str, tuple[bool, str]]:
    return {answer.key[1]: (answer.ok, answer.text) for answer in answers}


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "GRACE", PATIENCE)


def test_nothing_is_read_while_no_host_is_in_its_gate() -> None:
    fleet = Fleet()
    assert gate(fleet, Check(kind="tools")).look(checked("restoring"), NOW) == {}
    assert fleet.reads == []


def test_vcenter_is_asked_once_for_all_vms_and_again_only_for_those_that_failed() -> None:
    fleet = Fleet(guests={"a": READY, "b": replace(READY, tools="guestToolsNotRunning", heartbeat="gray")})
    gates = gate(fleet, Check(kind="heartbeat"))
    assert found(gates.look(checked(), NOW)["esx-1"]) == {
        "a": (True, "its heartbeat is green"),
        "b": (False, "its heartbeat is gray"),
    }
    assert gates.next_due() == NOW + 10
    gates.look(checked(), NOW + 9)
    fleet.time = NOW + 10
    fleet.guests["b"] = READY
    assert found(gates.look(checked(), NOW + 10)["esx-1"])["b"] == (True, "its heartbeat is green")
    assert fleet.reads == [["a", "b"], ["b"]]


def test_after_the_soak_time_all_are_checked_once_more() -> None:
    fleet = Fleet(guests={"a": READY, "b": READY})
    gates = gate(fleet, Check(kind="tools"))
    gates.look(checked(), NOW)
    gates.look(checked(ready=NOW), NOW + 299)
    fleet.time = NOW + 300
    answers = gates.look(checked(ready=NOW), NOW + 300)["esx-1"]
    gates.look(checked(ready=NOW), NOW + 301)
    assert fleet.reads == [["a", "b"], ["a", "b"]]
    assert {answer.at for answer in answers} == {NOW + 300}


def test_another_gate_of_the_host_begins_without_answers() -> None:
    fleet = Fleet(guests={"a": READY, "b": READY})
    gates = gate(fleet, Check(kind="tools"))
    gates.look(checked(), NOW)
    gates.look(checked(at=NOW + 5), NOW + 5)
    assert len(fleet.reads) == 2


@pytest.mark.parametrize(
    ("guest", "says"),
    [
        (None, "vCenter does not show its state"),
        (replace(READY, power_state="poweredOff"), "it is poweredOff"),
        (replace(READY, tools=None), "VMware Tools report nothing"),
    ],
)
def test_what_is_not_shown_is_not_ready(guest: GuestFresh | None, says: str) -> None:
    fleet = Fleet(guests={"a": READY, **({"b": guest} if guest is not None else {})})
    assert found(gate(fleet, Check(kind="tools")).look(checked(), NOW)["esx-1"])["b"] == (False, says)


def test_without_an_address_there_is_nothing_to_connect_to() -> None:
    fleet = Fleet(guests={"a": replace(READY, address=None), "b": replace(READY, address="x y")})
    answers = found(gate(fleet, Check(kind="tcp", port=9)).look(checked(), NOW)["esx-1"])
    assert answers == dict.fromkeys(("a", "b"), (False, "VMware Tools report no IP address"))


def test_the_loop_goes_on_while_a_command_runs_which_ends_with_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "GRACE", 0.05)
    sleeps = Check(
        kind="command", vms="none", argv=(sys.executable, "-Sc", "import time; time.sleep(600)"), timeout=600
    )
    gates = gate(Fleet(), sleeps)
    begun = time.monotonic()
    assert gates.look(checked(), NOW) == {"esx-1": ()}
    assert until(lambda: gates.commands == 1)
    assert gates.busy
    gates.look(checked(), NOW + 30)
    assert gates.commands == 1, "it is not started twice"
    gates.close()
    assert until(lambda: gates.commands == 0)
    assert time.monotonic() - begun < 2 * PATIENCE
