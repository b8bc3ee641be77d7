# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a set of devices fits: all of them on one host, for one VM. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ..errors import InputError
from ..host.selector import DesiredDevice, parse_desired_devices
from ..observed.hosts import Host
from ..plain import Record
from ..vm.pairing import pair_up
from .stock import Function, FunctionState

When: TypeAlias = Literal["now", "after_reboot", "after_enabling", "after_power_off", "unknown", "no"]
_STAGES: tuple[tuple[When, frozenset[FunctionState]], ...] = (
    ("now", frozenset({"free"})),
    ("after_reboot", frozenset({"free", "pending"})),
    ("after_enabling", frozenset({"free", "pending", "off"})),
    ("after_power_off", frozenset({"free", "pending", "off", "used", "held", "leaving", "shared", "out_of_service"})),
)
"""What is necessary before the set fits, from nothing to the most. An unknown function never counts."""
_ORDER = {
    stage: number
    for number, stage in enumerate(("now", "after_reboot", "after_enabling", "after_power_off", "unknown", "no"))
}


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
    entries = parse_desired_devices(raw, "fit")
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
    slots = [entry for entry in entries for _number in range(_amount(entry))]
    found = [_fit(host, of_host.get(host.moid, []), slots) for host in hosts]
    return tuple(
        sorted(found, key=lambda fit: (_ORDER[fit.when], not fit.numa_nodes, fit.sets, fit.host.name, fit.host.moid))
    )


def _amount(entry: DesiredDevice) -> int:
    return entry.count if isinstance(entry.count, int) else 1


def _fit(host: Host, functions: Sequence[Function], slots: Sequence[DesiredDevice]) -> Fit:
    free = [one for one in functions if one.state == "free"]
    when: When = "no" if host.is_reachable else "unknown"
    for stage, states in _STAGES:
        if _fits(slots, [one for one in functions if one.state in states]):
            when = stage
            break
    else:
        if _fits(slots, functions):
            when = "unknown"
    nodes: Mapping[int, list[Function]] = _by_node(free)
    return Fit(
        host=host,
        when=when,
        sets=_sets(slots, free),
        numa_nodes=tuple(node for node, there in sorted(nodes.items()) if _fits(slots, there)),
    )


def _by_node(functions: Iterable[Function]) -> dict[int, list[Function]]:
    nodes: dict[int, list[Function]] = {}
    for one in functions:
        if one.device.numa_node is not None:
            nodes.setdefault(one.device.numa_node, []).append(one)
    return nodes


def _fits(slots: Sequence[DesiredDevice], functions: Sequence[Function]) -> bool:
    edges = {
        left: [right for right, one in enumerate(functions) if _matches(slot, one)] for left, slot in enumerate(slots)
    }
    return len(slots) <= len(functions) and len(pair_up(slots, functions, edges)) == len(slots)


def _matches(entry: DesiredDevice, one: Function) -> bool:
    if entry.virtual_function is not (one.kind == "virtual_function"):
        return False
    return entry.label in (None, one.device.label) and entry.selector.matches(one.device)


def _sets(slots: Sequence[DesiredDevice], free: Sequence[Function]) -> int:
    """The largest number of VMs of this kind for which the free functions are enough."""
    number = 0
    while _fits([*slots] * (number + 1), free):
        number += 1
    return number
