# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A decision that uses what the decisions before have found is the same as one that is made without them, and costs what changed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.memo import Memo
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.scheduling.scheduler import decide
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.observed import ObservedFleet
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.policy import Policy
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.timeline import Timeline, extend
from tests.unit.module_utils._domain.rolling import miniature
from tests.unit.module_utils._domain.rolling.builders import NOW, cluster, host, observed, vm
from tests.unit.module_utils._domain.rolling.explorer import interference, regular
from tests.unit.module_utils._domain.rolling.fleets import WORLDS

STEPS = 80
SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 10))]


def fleets(rng: random.Random, name: str) -> Iterator[tuple[ObservedFleet, Policy, float]]:
    """What a run of this fleet sees, one look after the other, while everything that can happen happens in any order."""
    hosts, vms, policy = WORLDS[name]
    state = start = miniature.begin(hosts, vms)
    for _step in range(STEPS):
        if state.fresh and not state.queue:
            yield miniature.world_of(state), policy, float(state.now)
        if state.ended and not state.queue:
            state = start
            continue
        odd = list(interference(state, policy)) if rng.random() < 0.15 else []
        state = rng.choice(odd or list(regular(state, policy)))[1]


@pytest.mark.parametrize("seed", SEEDS)
def test_decisions_are_the_same_as_without_the_ones_before(seed: int) -> None:
    """Also when the fleet, the request and the policy become others from one decision to the next, and after objects that are equal but
    not the same. The timeline is the same, too."""
    rng, memo, looks = random.Random(seed), Memo(), 0
    walks = [fleets(rng, name) for name in WORLDS]
    timelines = [(Timeline(), Timeline())] * len(walks)
    while walks:
        number = rng.randrange(len(walks))
        for _look in range(rng.choice((1, 1, 5, 20))):
            found = next(walks[number], None)
            if found is None:
                del walks[number], timelines[number]
                break
            fleet, policy, now = found if rng.random() < 0.8 else deepcopy(found)
            decision, alone = decide(fleet, policy, now, memo), decide(fleet, policy, now)
            assert decision == alone
            assert [status.moid for status in decision.hosts] == [status.moid for status in alone.hosts]
            kept, fresh = timelines[number]
            after, expected = extend(kept, fleet, decision, now), extend(fresh, fleet, alone, now)
            assert after == expected
            timelines[number] = (after[0], expected[0])
            looks += 1
    assert looks > 300


def large(hosts: int = 24, vms: int = 4) -> dict[str, Any]:
    names = [f"esx-{number:02}" for number in range(hosts)]
    return {
        "hosts": [host(name, cluster="gpu", compute_moid="gpu") for name in names],
        "vms": [vm(f"{name}-vm-{index}", name) for name in names for index in range(vms)],
        "clusters": [cluster("gpu")],
    }


def cost(memo: Memo, fleet: dict[str, Any], now: float = NOW) -> Counter[str]:
    """How often each function was called for this decision."""
    before = memo.calls.copy()
    decide(
        observed(*fleet["hosts"], vms=fleet["vms"], clusters=fleet["clusters"]), Policy(max_unavailable=4), now, memo
    )
    return memo.calls - before


def test_a_decision_costs_what_changed() -> None:
    """Rules of a host are evaluated for the host itself, when one of its VMs changes, and when its cluster does; those of a precheck, as
    they count what other hosts have free, also when one of these changes."""
    memo, fleet = Memo(), large()
    first = cost(memo, fleet)
    assert (first["_quick"], first["_pending_reboot"], first["_status"]) == (24, 24, 24)
    assert cost(memo, fleet) == Counter()
    assert cost(memo, fleet, NOW + 30) == Counter()
    fleet["hosts"][5] = replace(fleet["hosts"][5], red_alarms=("disk",))
    one = cost(memo, fleet)
    assert (one["_quick"], one["_pending_reboot"], one["_status"]) == (1, 1, 1)
    assert one["_prechecked"] == 24
    assert max(calls for name, calls in one.items() if name != "_prechecked") == 1
    fleet["vms"][7] = replace(fleet["vms"][7], name="renamed")
    one = cost(memo, fleet)
    assert (one["_quick"], one["_pending_reboot"]) == (1, 0)
    fleet["clusters"][0] = replace(fleet["clusters"][0], red_alarms=("fan",))
    assert cost(memo, fleet)["_quick"] == 24
