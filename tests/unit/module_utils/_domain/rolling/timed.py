# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A miniature in which things take their time: for how long a roll lasts, not for what may go wrong."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.phases import Decision
from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.policy import Policy
from tests.unit.module_utils._domain.rolling import miniature
from tests.unit.module_utils._domain.rolling.invariants import check_call, check_decision, check_state
from tests.unit.module_utils._domain.rolling.miniature import START, State


@dataclass(kw_only=True)
class Pace:
    """Seconds for what goes on: down, boot, empty (the host), moves, shuts (VMs). The same seed gives the same times."""

    seed: int
    spans: dict[str, tuple[int, int]] = field(
        default_factory=lambda: {
            "goes down": (20, 60),
            "comes back": (420, 1200),
            "is empty": (3, 10),
            "moves to": (20, 60),
            "shuts down": (10, 45),
        }
    )

    def of(self, label: str) -> int:
        kind = next(kind for kind in self.spans if kind in label)
        low, high = self.spans[kind]
        name = label.split()[0]
        return random.Random(f"{self.seed} {name} {kind}").randint(low, high)


@dataclass(kw_only=True)
class Roll:
    """One roll from beginning to end. ``took``: host → seconds in hand."""

    state: State
    seconds: int
    looks: int
    peak: dict[str, int]
    """cluster → most hosts in hand at once; ``*`` = in the fleet."""
    last: Decision


def roll(state: State, policy: Policy, pace: Pace) -> Roll:
    due: dict[str, int] = {}
    looks, peak = 0, {}  # type: tuple[int, dict[str, int]]
    while True:
        state, decision = miniature.look(state, policy)
        check_decision(state, decision, policy)
        looks += 1
        _measure(state, peak)
        while state.queue:
            check_call(state, state.queue[0][0])
            state = miniature.step(state)
            check_state(state)
        if state.ended:
            return Roll(state=state, seconds=state.now - START, looks=looks, peak=peak, last=decision)
        if state.fresh and decision.actions:
            continue
        going = dict(miniature.nature(state, boot=0))
        due = {label: due.get(label, state.now + pace.of(label)) for label in going}
        moment = min([*due.values(), *([int(state.wake)] if state.wake is not None else [])])
        state = state._replace(now=max(moment, state.now), fresh=True)
        for label in [label for label, when in due.items() if when <= state.now]:
            now_going = dict(miniature.nature(state, boot=0))
            state = now_going.get(label, state)
            due.pop(label)


def _measure(state: State, peak: dict[str, int]) -> None:
    count: dict[str, int] = {"*": 0}
    for host in state.hosts:
        if host.mm or host.entering or not host.up:
            count["*"] += 1
            count[host.cluster] = count.get(host.cluster, 0) + 1
    for cluster, number in count.items():
        peak[cluster] = max(peak.get(cluster, 0), number)
