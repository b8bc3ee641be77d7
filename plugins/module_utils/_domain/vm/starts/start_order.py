# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which VMs of a plan are powered on before others, because DRS could give their devices away. PRIVATE to the collection.

DRS chooses the host of a VM. If a VM for which several hosts are possible is powered on first, it can get the last devices of the only host
for another VM of the plan. Powered on after it, it gets what is left elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..devices.capacity import overlap
from .one_host import Room, Starting


def start_order(
    powered_on: Sequence[Starting], possible: Mapping[str, frozenset[str]], room: Room
) -> Mapping[str, frozenset[str]]:
    """VM id → ids of the VMs that come first. ``possible``: VM id → ids of the hosts that can power it on now.

    A VM waits for one that has fewer possible hosts, or needs more devices of the same hosts. VMs that are alike do not wait for each
    other.
    """
    alike: dict[object, list[Starting]] = {}
    for one in powered_on:
        alike.setdefault((possible[one.vm.moid], one.items, one.kinds.profiles), []).append(one)
    waits: dict[str, set[str]] = {}
    for firsts in alike.values():
        rivals = [rival for others in alike.values() if _waits(others[0], firsts[0], possible) for rival in others]
        others = [*firsts[1:], *rivals]
        # Nothing has to wait if a host is left wherever the others start, or if the devices of one host are enough for all.
        spared = len(possible[firsts[0].vm.moid]) > len(others)
        if rivals and not spared and not room.hosts(firsts[0], beside=others):
            for rival in rivals:
                waits.setdefault(rival.vm.moid, set()).update(first.vm.moid for first in firsts)
    return {moid: frozenset(found) for moid, found in waits.items()}


def _waits(one: Starting, first: Starting, possible: Mapping[str, frozenset[str]]) -> bool:
    mine, others = possible[one.vm.moid], possible[first.vm.moid]
    if not others or len(mine) < 2 or not (others < mine or (others == mine and first.size > one.size)):
        return False
    if first.kinds.profiles and one.kinds.profiles:
        return True
    return any(overlap(item, other) for item in one.items for other in first.items)
