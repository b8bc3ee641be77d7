# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 at every write of a rolling reboot, then the same command again.

A run rolls three hosts, one of them with two VMs that must be stopped one after the other, against a vCenter over TLS. It is killed
right after its n-th write took effect, before it has the answer, while the connection has troubles of its own. The same command, run
again, must finish: every host rebooted once, all VMs where and as they were, those that had to be stopped started in reverse order, no
host in maintenance mode, nothing of ours left.

What is killed are the module's own processes: all that a run knows is in vCenter, and a slice is what can die. What Ansible's
processes add to that is tried in test_playbook.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator.simulator import Simulator
from tests.kill.modules import WHOLE, Killed, ModuleSite, prepare, vcenter

UNDISTURBED = 68
"""So many writes a roll of these three hosts makes at least; the kills above it may come too late."""

SLICES = (WHOLE, 60.0)
"""Seconds of vCenter's: all in one process, and in several, one after the other."""

PAUSES = (0.0, 15.0, 120.0, 400.0)
"""Seconds of vCenter's until somebody gives the command again: at once; while a host boots; when one is back; after the time for
which a lock is kept, and for which a guest is given to shut down.
"""

JOURNAL = frozenset({"AddCustomFieldDef", "SetField", "RemoveCustomFieldDef"})
"""Calls that write the journal. All others do something."""


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


@pytest.fixture(scope="module", autouse=True)
def _forked() -> None:
    prepare()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[ModuleSite]:
    with vcenter(tmp_path) as place:
        yield place


def assert_orphan_stopped(killed: Killed) -> None:
    """A slice that was left alone did at most what it had announced."""
    deeds = [method for method in killed.later if method not in JOURNAL]
    announced = killed.write.method in JOURNAL or killed.write.when == "before"
    assert len(deeds) <= announced, f"{killed.write.method}, then {', '.join(killed.later)}"


@pytest.mark.parametrize("number", range(1, 79))
def test_the_same_command_finishes_what_a_kill_interrupted(site: ModuleSite, number: int) -> None:
    trouble = TROUBLES[number % len(TROUBLES)]
    seconds = SLICES[number % len(SLICES)]
    trouble(site.sim)
    hit = site.kill_at(number, whole_tree=number % 3 != 0, seconds=seconds)
    assert hit is not None or number > UNDISTURBED, site.told
    if hit is not None:
        assert_orphan_stopped(hit)
    site.sim.clock.advance(PAUSES[number // 5 % len(PAUSES)])
    site.sim.faults.clear()
    trouble(site.sim)
    assert site.roll(seconds=seconds) == 0, f"killed after {hit}:\n{site.told}"
    site.proven()


@pytest.mark.parametrize("when", ["before", "answered"])
@pytest.mark.parametrize("number", [7, 12, 14, 16, 23, 25, 29, 49, 61])
def test_a_kill_before_the_effect_or_after_the_answer(site: ModuleSite, number: int, when: str) -> None:
    assert site.kill_at(number, when=when) is not None, site.told
    assert site.roll() == 0, site.told
    site.proven()


@pytest.mark.parametrize("numbers", [(9, 9, 9, 9), (13, 8, 5, 3), (30, 2, 1, 1)])
def test_killed_over_and_over(site: ModuleSite, numbers: tuple[int, ...]) -> None:
    for number in numbers:
        site.kill_at(number)
    assert site.roll() == 0, site.told
    site.proven()


@pytest.mark.parametrize("number", [12, 28, 38, 51])
def test_resumed_from_elsewhere_by_somebody_who_knows_nothing_but_vcenter(site: ModuleSite, number: int) -> None:
    """Another working directory, home and temporary directory: what the first run left on the machine is of no use to it."""
    assert site.kill_at(number) is not None, site.told
    (site.folder / "home").rename(site.folder / "taken-away")
    assert site.roll("other-home") == 0, site.told
    site.proven()


@pytest.mark.parametrize("number", [18, 53])
def test_vcenter_restarts_while_the_playbook_is_dead(site: ModuleSite, number: int) -> None:
    assert site.kill_at(number) is not None, site.told
    site.sim.events["restart_vcenter"](seconds=60, answer="503")
    site.sim.clock.advance(61)
    assert site.roll() == 0, site.told
    site.proven()
