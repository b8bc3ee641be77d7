# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What HA sets aside, what there is, and when it is too little."""

from __future__ import annotations

import pytest

from simulator.rules.availability import Policy, Room, failover_level, free_percent, is_met


def rooms(*sizes: int) -> list[Room]:
    return [Room(moid=f"host-{index}", memory=size) for index, size in enumerate(sizes)]


@pytest.mark.parametrize(
    ("sizes", "needs", "level"),
    [
        ((), [], 0),
        ((100,), [1], 0),
        ((100, 100, 100), [], 2),
        ((100, 100, 100), [1] * 50, 2),
        ((100, 100, 100), [1] * 150, 1),
        ((100, 100, 100), [1] * 250, 0),
        ((100, 100, 100), [50] + [1] * 4, 0),  # one big reservation makes every slot big: two a host, five wanted
        ((400, 100, 100), [60, 60], 1),  # the biggest host is lost first; each small one has one slot
        ((100, 100), [60, 60], 0),
    ],
)
def test_hosts_that_may_fail(sizes: tuple[int, ...], needs: list[int], level: int) -> None:
    assert failover_level(rooms(*sizes), needs) == level


@pytest.mark.parametrize(
    ("sizes", "needs", "percent"), [((), [], 0), ((100, 100), [], 100), ((100, 100), [50, 50], 50)]
)
def test_memory_nobody_has_reserved(sizes: tuple[int, ...], needs: list[int], percent: int) -> None:
    assert free_percent(rooms(*sizes), needs) == percent


@pytest.mark.parametrize(
    ("policy", "sizes", "needs", "met"),
    [
        (Policy(), (100,), [90], True),
        (Policy(), (), [], False),
        (Policy(kind="level", level=1), (100, 100), [10], True),
        (Policy(kind="level", level=1), (100,), [10], False),
        (Policy(kind="percent", memory=25), (100, 100), [100, 50], True),
        (Policy(kind="percent", memory=26), (100, 100), [100, 50], False),
        (Policy(kind="hosts", hosts=frozenset({"host-1"})), (100, 100), [10], True),
        (Policy(kind="hosts", hosts=frozenset({"host-1"})), (100,), [10], False),
        (Policy(kind="hosts", hosts=frozenset({"host-0"})), (100,), [10], False),
    ],
)
def test_whether_enough_is_left(policy: Policy, sizes: tuple[int, ...], needs: list[int], met: bool) -> None:
    assert is_met(policy, rooms(*sizes), needs) is met
