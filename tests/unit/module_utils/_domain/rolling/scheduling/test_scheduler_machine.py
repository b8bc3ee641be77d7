# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Larger worlds than can be explored, many more things going wrong in one roll, at random; hypothesis finds the shortest way to a fault."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.policy import Pinned, Policy
from tests.unit.module_utils._domain.rolling import miniature
from tests.unit.module_utils._domain.rolling.explorer import interference, regular
from tests.unit.module_utils._domain.rolling.fleets import KEPT_LOCK
from tests.unit.module_utils._domain.rolling.invariants import check_end, check_state
from tests.unit.module_utils._domain.rolling.miniature import POLICY, HostS, State, VmS, begin
from tests.unit.searching import search

hosts = st.lists(
    st.tuples(st.sampled_from("cd"), st.sampled_from([True, True, False]), st.sampled_from(["", "", "", "op"])),
    min_size=2,
    max_size=5,
)
vms = st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.integers(0, 2)), max_size=4)
policies = st.builds(
    lambda **more: replace(POLICY, **more),
    max_unavailable=st.sampled_from([1, 2, "50%"]),
    fleet_max_unavailable=st.sampled_from([None, None, 2]),
    canary=st.booleans(),
    canary_soak=st.sampled_from([0, 30]),
    checkpoints=st.sampled_from([(), (1,), ("50%",)]),
    max_failures=st.sampled_from([1, 2, 9]),
    reason=st.sampled_from(["pending", "pending", "firmware"]),
    method=st.sampled_from(["reboot", "reboot", "power_cycle"]),
    operator_maintenance=st.sampled_from(["block", "use"]),
    failed_hosts=st.sampled_from(["keep", "verify"]),
    pinned=st.sampled_from([Pinned(action=action) for action in ("fail", "shutdown", "shutdown_then_power_off")]),
    lock=st.sampled_from([POLICY.lock, KEPT_LOCK]),
)


class Rolls(RuleBasedStateMachine):
    """Steps of the engine and of the world, in any order, and now and then a fault."""

    state: State
    policy: Policy

    @initialize(hosts=hosts, vms=vms, policy=policies)
    def set_up(self, hosts: list[tuple[str, bool, str]], vms: list[tuple[int, bool, int]], policy: Policy) -> None:
        made = [
            HostS(f"h{n}", cluster, pending=pending, mm=bool(owner), owner=owner)
            for n, (cluster, pending, owner) in enumerate(hosts)
        ]
        guests = [
            VmS(f"v{n}", made[place % len(made)].moid, pinned=pinned, order=order)
            for n, (place, pinned, order) in enumerate(vms)
            if not made[place % len(made)].mm
        ]
        self.state = begin(tuple(made), tuple(guests), faults=12)
        self.policy = policy

    @rule(picks=st.lists(st.integers(0, 7), min_size=1, max_size=12))
    def go_on(self, picks: list[int]) -> None:
        for pick in picks:
            if self.state.ended and not self.state.queue:
                return
            options = list(regular(self.state, self.policy))
            self._take(options[pick % len(options)][1])

    @precondition(lambda self: self.state.faults > 0 and not self.state.ended)
    @rule(pick=st.integers(0, 10_000))
    def something_happens(self, pick: int) -> None:
        options = list(interference(self.state, self.policy))
        self._take(options[pick % len(options)][1]._replace(faults=self.state.faults - 1))

    @precondition(lambda self: self.state.faults > 0 and not self.state.ended)
    @rule()
    def the_process_dies(self) -> None:
        self._take(miniature.crash(self.state, self.policy)._replace(faults=self.state.faults - 1))

    def _take(self, state: State) -> None:
        check_state(state)
        self.state = state

    def teardown(self) -> None:
        """From wherever it is now: it ends, and the same once more ends as well, with nothing left behind."""
        if not hasattr(self, "state"):
            return
        self._to_the_end()
        check_end(self.state, perfect=False)
        if self.policy.reason == "pending" or self.state.ended != "finished":
            self.state = miniature.again(self.state, self.policy)
            self._to_the_end()
            check_end(self.state, perfect=False)

    def _to_the_end(self) -> None:
        for _unused in range(3000):
            if self.state.ended and not self.state.queue:
                return
            # What the world does comes last among the options: so both engine and world get their turns.
            self._take(list(regular(self.state, self.policy))[-1][1])
        raise AssertionError("it does not end")


TestRolls = Rolls.TestCase
TestRolls.settings = search(stateful_step_count=30, suppress_health_check=list(HealthCheck))
