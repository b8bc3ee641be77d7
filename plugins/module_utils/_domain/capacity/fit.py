# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a set of devices fits: all of them on one host, for one VM. PRIVATE to the collection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from ..errors import InputError
from ..host.selector import DESIRED_KEYS, DesiredDevice, parse_desired_devices
from ..observed.hosts import Host
from ..plain import Record
from .stock import Function, FunctionState

When: TypeAlias = Literal[
    "now", "after_maintenance", "after_reboot", "after_enabling", "after_power_off", "unknown", "no"
]
_STAGES: tuple[tuple[When, frozenset[FunctionState]], ...] = (
    ("now", frozenset({"free"})),
    ("after_maintenance", frozenset({"out_of_service"})),
    ("after_reboot", frozenset({"pending"})),
    ("after_enabling", frozenset({"off", "leaving"})),
    ("after_power_off", frozenset({"used", "held", "shared"})),
)
"""What is necessary before the set fits, from nothing to the most, and the functions that each step adds. An unknown one never counts."""
_ORDER = {stage: number for number, stage in enumerate(get_args(When))}
Accepted: TypeAlias = tuple[Function, frozenset[int]]
"""A function, and the numbers of the entries that it meets."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fit:
    """Where a host stands. ``sets``: how many such VMs it can run now. ``numa_nodes``: nodes on which one whole set is free now."""

    host: Host
    when: When
    sets: int
    numa_nodes: tuple[int, ...]

    def record(self) -> Record:
        return {
            "host": self.host.name,
            "moid": self.host.moid,
            "cluster": self.host.cluster,
            "when": self.when,
            "sets": self.sets,
            "numa_nodes": list(self.numa_nodes),
        }


def parse_fit(raw: object) -> tuple[DesiredDevice, ...]:
    """The devices of the option ``fit``. Raises InputError."""
    if raw is None:
        return ()
    entries = parse_desired_devices(raw, "fit", keys=(*DESIRED_KEYS, "virtual_function"))
    if not entries:
        raise InputError(
            message="fit is empty",
            code="no_devices",
            parameter="fit",
            cure='Give the devices of one VM, such as fit: [{match: "10de:20f1", count: 4}], or leave it out',
        )
    for number, entry in enumerate(entries):
        if entry.count == "all":
            raise InputError(
                message=f"fit[{number}].count is all, which is no number of devices",
                code="bad_count",
                parameter=f"fit[{number}].count",
                cure="Give a whole number",
            )
    return entries


def find_fits(
    hosts: Iterable[Host], functions: Iterable[Function], entries: Sequence[DesiredDevice]
) -> tuple[Fit, ...]:
    """How each host stands: those where the set fits now first, the fullest of them first. Hosts where it never fits are last."""
    of_host: dict[str, list[Function]] = {}
    for one in functions:
        of_host.setdefault(one.host.moid, []).append(one)
    found = [_fit(host, of_host.get(host.moid, []), entries) for host in hosts]
    return tuple(
        sorted(found, key=lambda fit: (_ORDER[fit.when], not fit.numa_nodes, fit.sets, fit.host.name, fit.host.moid))
    )


def _fit(host: Host, functions: Sequence[Function], entries: Sequence[DesiredDevice]) -> Fit:
    amounts = [entry.count if isinstance(entry.count, int) else 1 for entry in entries]
    accepted = [
        (one, numbers)
        for one in functions
        if (numbers := frozenset(number for number, entry in enumerate(entries) if _matches(entry, one)))
    ]
    free = [(one, numbers) for one, numbers in accepted if one.state == "free"]
    nodes: dict[int, list[Accepted]] = {}
    for one, numbers in free:
        if one.device.numa_node is not None:
            nodes.setdefault(one.device.numa_node, []).append((one, numbers))
    return Fit(
        host=host,
        when=_when(host, accepted, amounts),
        sets=_sets(free, amounts),
        numa_nodes=tuple(node for node, there in sorted(nodes.items()) if _fits(there, amounts)),
    )


def _when(host: Host, accepted: Sequence[Accepted], amounts: Sequence[int]) -> When:
    states: frozenset[FunctionState] = frozenset()
    for stage, more in _STAGES:
        states |= more
        usable = [one for one in accepted if one[0].state in states and not _is_gone(one[0])]
        if _fits(usable, amounts):
            return stage
    possible = [one for one in accepted if not _is_gone(one[0])]
    return "unknown" if not host.is_reachable or _fits(possible, amounts) else "no"


def _is_gone(one: Function) -> bool:
    """Whether a function that is out of service stays so when its host leaves maintenance mode: the host no longer offers it."""
    return one.state == "out_of_service" and one.kind == "card" and not one.device.capable


def _matches(entry: DesiredDevice, one: Function) -> bool:
    if entry.virtual_function is not (one.kind == "virtual_function"):
        return False
    return entry.label in (None, one.device.label) and entry.selector.matches(one.device)


def _sets(free: Sequence[Accepted], amounts: Sequence[int]) -> int:
    """The largest number of VMs of this kind for which the free functions are enough."""
    enough, too_many = 0, len(free) // sum(amounts) + 1
    while too_many - enough > 1:
        middle = (enough + too_many) // 2
        enough, too_many = (middle, too_many) if _fits(free, amounts, sets=middle) else (enough, middle)
    return enough


def _fits(functions: Sequence[Accepted], amounts: Sequence[int], sets: int = 1) -> bool:
    """Whether the functions are enough: a maximum flow. Functions that meet the same entries are one pool, because a host has hundreds of
    virtual functions that are all alike."""
    pools = {numbers: _Pool(left=size) for numbers, size in Counter(numbers for _one, numbers in functions).items()}
    for number, amount in enumerate(amounts):
        missing = amount * sets
        while missing and (placed := _place(pools, number, missing, set())):
            missing -= placed
        if missing:
            return False
    return True


@dataclass(slots=True)
class _Pool:
    """``left``: functions that no entry has. ``taken``: number of an entry → how many it has."""

    left: int
    taken: Counter[int] = field(default_factory=Counter)


def _place(pools: Mapping[frozenset[int], _Pool], number: int, amount: int, tried: set[frozenset[int]]) -> int:
    """Give an entry up to this many functions. Where a pool has none left, other entries move to other pools. Returns how many."""
    for numbers, pool in pools.items():
        if number not in numbers or numbers in tried:
            continue
        tried.add(numbers)
        placed = min(amount, pool.left)
        pool.left -= placed
        for other in [] if placed else [one for one, has in pool.taken.items() if has and one != number]:
            placed = _place(pools, other, min(amount, pool.taken[other]), tried)
            pool.taken[other] -= placed
            if placed:
                break
        pool.taken[number] += placed
        if placed:
            return placed
    return 0
