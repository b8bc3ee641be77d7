# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small worlds to explore: (hosts, VMs, policy) by name."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.directpath.vsphere.plugins.module_utils._domain.rolling.state.policy import (
    LockRule,
    Pinned,
    Policy,
)
from tests.unit.module_utils._domain.rolling.miniature import POLICY, SERVING, START, HostS, State, VmS, begin

PAIR = (HostS("h1", "c"), HostS("h2", "c"))
LONE = (HostS("h1", "c"), HostS("h2", "c", pending=False))
THREE = (*PAIR, HostS("h3", "c"))
PINNED = VmS("p1", "h1", pinned=True)
SECOND = VmS("p2", "h1", pinned=True, order=1)
MOVABLE = VmS("m1", "h1")
PARKED = (HostS("h1", "c", mm=True, owner="op"), HostS("h2", "c"))
KEPT_LOCK = LockRule(ttl=10**8, heartbeat=10**7, settle=0, take="never")

RECENT = "hosts that were rebooted an hour ago"
"""In them, a clock that is set by more than an hour changes what their uptime seems to show."""

GATED = "hosts that must serve again before the next one"

WORLDS: dict[str, tuple[tuple[HostS, ...], tuple[VmS, ...], Policy]] = {
    "a pinned VM and one that moves": (PAIR, (PINNED, MOVABLE), POLICY),
    "two clusters, one place in the fleet": (
        (HostS("h1", "c"), HostS("h2", "d")),
        (PINNED,),
        replace(POLICY, fleet_max_unavailable=1),
    ),
    "VMs in order, never powered off": (LONE, (PINNED, SECOND), replace(POLICY, pinned=Pinned(action="shutdown"))),
    "firmware": (
        (HostS("h1", "c", pending=False), HostS("h2", "c", pending=False)),
        (PINNED,),
        replace(POLICY, reason="firmware"),
    ),
    "an operator's maintenance mode is used": (
        PARKED,
        (),
        replace(POLICY, operator_maintenance="use", max_unavailable=2),
    ),
    "an operator's maintenance mode blocks": (PARKED, (), replace(POLICY, max_unavailable=2)),
    "locks are stolen": (PAIR, (PINNED,), replace(POLICY, lock=KEPT_LOCK)),
    "the lock of one of two clusters is stolen": (
        (HostS("h1", "c"), HostS("h2", "d")),
        (),
        replace(POLICY, lock=KEPT_LOCK, fleet_max_unavailable=1, canary=True),
    ),
    "two cards in a host": ((HostS("h1", "c", second=True), HostS("h2", "c")), (), POLICY),
    "power cycle": (LONE, (PINNED,), replace(POLICY, method="power_cycle")),
    "failed hosts are proven again": (PAIR, (PINNED,), replace(POLICY, failed_hosts="verify", max_failures=1)),
    "canary, soak and checkpoint": (
        THREE,
        (),
        replace(POLICY, canary=True, canary_soak=30, max_unavailable=3, checkpoints=(2,)),
    ),
    GATED: (
        tuple(host._replace(serves=True) for host in PAIR),
        (PINNED,),
        replace(POLICY, gate=SERVING),
    ),
    RECENT: (
        tuple(host._replace(boot=START - 3600, pending=False) for host in PAIR),
        (),
        replace(POLICY, reason="firmware"),
    ),
    "two at once": (PAIR, (PINNED,), replace(POLICY, max_unavailable=2)),
}
BASE = "a pinned VM and one that moves"


def observed(name: str, faults: int) -> tuple[State, Policy]:
    hosts, vms, policy = WORLDS[name]
    return begin(hosts, vms, faults), policy
