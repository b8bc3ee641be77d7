# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 at every write of host_maintenance, on the way into maintenance mode and back, then from elsewhere.

The host has two VMs that must be stopped. Whatever the killed run left: the host is returned to service by a process
that knows nothing but vCenter, with both VMs running again and nothing of ours left.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kill.lab import RANKS
from tests.kill.modules import ModuleSite, prepare, vcenter

HOST = "esx-01.lab"
ENTER = {"hosts": [HOST], "pinned_vms": "shutdown", "stop_timeout": 60}
LEAVE = {"hosts": [HOST], "state": "absent"}
THERE, BACK = 10, 12
"""So many writes each way has at least; the kills above it may come too late."""
PAUSES = (0.0, 15.0, 400.0)
"""Seconds of vCenter's until somebody gives a command again."""


@pytest.fixture(scope="module", autouse=True)
def _forked() -> None:
    prepare()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[ModuleSite]:
    with vcenter(tmp_path) as place:
        place.module, place.task = "host_maintenance", ENTER
        yield place


def held(site: ModuleSite) -> None:
    """It is in maintenance mode, and both VMs are off."""
    state = site.state()
    assert state["maintenance"] == [HOST], site.told
    assert {state["power"][name] for name in RANKS} == {"poweredOff"}, site.told


def back(site: ModuleSite, home: str = "elsewhere") -> None:
    """By a process that knows nothing but vCenter."""
    site.task = LEAVE
    assert site.roll(home) == 0, site.told
    assert site.state() == site.before, site.told
    assert not site.reboots()


@pytest.mark.parametrize("number", range(1, 13))
def test_a_host_is_returned_to_service_wherever_its_way_into_maintenance_mode_was_killed(
    site: ModuleSite, number: int
) -> None:
    assert site.kill_at(number) is not None or number > THERE, site.told
    site.sim.clock.advance(PAUSES[number % len(PAUSES)])
    back(site)


@pytest.mark.parametrize("number", range(1, 13))
def test_the_same_command_finishes_the_way_into_maintenance_mode(site: ModuleSite, number: int) -> None:
    when = ("before", "after", "answered")[number % 3]
    assert site.kill_at(number, when=when) is not None or number > THERE, site.told
    site.sim.clock.advance(PAUSES[number % len(PAUSES)])
    assert site.roll() == 0, site.told
    held(site)
    back(site)


@pytest.mark.parametrize("number", range(1, 16))
def test_the_same_command_finishes_the_return_to_service(site: ModuleSite, number: int) -> None:
    assert site.roll() == 0, site.told
    held(site)
    site.task = LEAVE
    assert site.kill_at(number) is not None or number > BACK, site.told
    site.sim.clock.advance(PAUSES[number % len(PAUSES)])
    back(site)


def test_a_rolling_reboot_leaves_the_host_alone_that_is_kept_in_maintenance_mode(site: ModuleSite) -> None:
    """Neither reboots nor resumes it, also where the process that put it there is dead."""
    assert site.roll() == 0, site.told
    site.module, site.task = "host_rolling_reboot", {"cluster": ["gpu"], "max_unavailable": 2, "blocked_timeout": 0}
    assert site.roll("other-home") == 2
    assert "is in maintenance mode for work on its hardware by administrator@vsphere.local since" in site.told
    held(site)
    assert set(site.reboots()) == {"esx-02.lab", "esx-03.lab"}
