# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 at every write of a rolling reboot, then the same command again.

A playbook rolls three hosts, one of them with two VMs that must be stopped one after the other, against a vCenter over TLS. It
is killed right after its n-th write took effect, before it has the answer, while the connection has troubles of its own. The same
command, run again, must finish: every host rebooted once, all VMs where and as they were, those that had to be stopped started in
reverse order, no host in maintenance mode, nothing of ours left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator.simulator import Simulator
from tests.kill.rolls import RANKS, Site, kill_at, prepare, site

TASK = {"cluster": ["gpu"], "pinned_vms": "shutdown", "vm_order": dict(RANKS)}

UNDISTURBED = 68
"""So many writes a roll of these three hosts makes at least; the kills above it may come too late."""


def none(sim: Simulator) -> None:
    """No trouble but the kill."""


def overloaded(sim: Simulator) -> None:
    """503 on a few calls, now and again."""
    for after in (10, 40, 75):
        sim.faults.add(http=503, after=after, times=3)


def dropped(sim: Simulator) -> None:
    """Connections that break before a call is seen, and after it had its effect."""
    sim.faults.add(drop="before", after=15, times=2)
    for method in (
        "SetField",
        "EnterMaintenanceMode_Task",
        "RebootHost_Task",
        "ExitMaintenanceMode_Task",
        "PowerOnVM_Task",
    ):
        sim.faults.add(method=method, drop="after", after=1, times=1)


def slow(sim: Simulator) -> None:
    """Each call takes its time."""
    sim.faults.add(latency=0.1)


def forgetful(sim: Simulator) -> None:
    """The sessions end every so often."""

    def end(write: Any) -> None:
        if write.number % 9 == 0:
            sim.events["end_sessions"]()

    sim.on_write(None, end, when="answered")


TROUBLES: tuple[Callable[[Simulator], None], ...] = (none, overloaded, dropped, slow, forgetful)


@pytest.fixture(scope="session", autouse=True)
def _installed() -> None:
    prepare()


@pytest.fixture
def vcenter(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path, TASK) as place:
        yield place


@pytest.mark.parametrize("number", range(1, 79))
def test_the_same_command_finishes_what_a_kill_interrupted(vcenter: Site, number: int) -> None:
    trouble = TROUBLES[number % len(TROUBLES)]
    trouble(vcenter.sim)
    hit = kill_at(vcenter, number, whole_tree=number % 3 != 0)
    assert hit is not None or number > UNDISTURBED, vcenter.output
    vcenter.sim.faults.clear()
    trouble(vcenter.sim)
    assert vcenter.roll() == 0, f"killed after {hit}:\n{vcenter.output}"
    vcenter.proven()


@pytest.mark.parametrize("when", ["before", "answered"])
@pytest.mark.parametrize("number", [7, 12, 14, 16, 23, 25, 29, 49, 61])
def test_a_kill_before_the_effect_or_after_the_answer(vcenter: Site, number: int, when: str) -> None:
    assert kill_at(vcenter, number, when=when) is not None, vcenter.output
    assert vcenter.roll() == 0, vcenter.output
    vcenter.proven()


@pytest.mark.parametrize("numbers", [(9, 9, 9, 9), (13, 8, 5, 3), (30, 2, 1, 1)])
def test_killed_over_and_over(vcenter: Site, numbers: tuple[int, ...]) -> None:
    for number in numbers:
        kill_at(vcenter, number)
    assert vcenter.roll() == 0, vcenter.output
    vcenter.proven()


@pytest.mark.parametrize("number", [12, 28, 38, 51])
def test_resumed_from_elsewhere_by_somebody_who_knows_nothing_but_vcenter(vcenter: Site, number: int) -> None:
    """Another working directory, home and temporary directory: what the first run left on the machine is of no use to it."""
    assert kill_at(vcenter, number) is not None, vcenter.output
    (vcenter.folder / "home").rename(vcenter.folder / "taken-away")
    assert vcenter.roll("other-home") == 0, vcenter.output
    vcenter.proven()


@pytest.mark.parametrize("number", [18, 50])
def test_vcenter_restarts_while_the_playbook_is_dead(vcenter: Site, number: int) -> None:
    assert kill_at(vcenter, number) is not None, vcenter.output
    vcenter.sim.events["restart_vcenter"](seconds=60, answer="503")
    assert vcenter.roll() == 0, vcenter.output
    vcenter.proven()
