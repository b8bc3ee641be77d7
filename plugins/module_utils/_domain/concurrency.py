# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many targets may be written to at the same time, and when to stop. PRIVATE to the collection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import InputError

MODEST = 4
"""Targets of one vCenter at a time unless more are asked for. vCenter itself queues far more; a person can still follow it."""
ON_ONE_HOST = 2
"""VMs of one ESXi host at a time: a start admits memory and resets cards, on a machine that has others to serve."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """``at_once`` targets of a vCenter and ``on_one_host`` of a host at the same time; none is begun after ``max_failures`` failed."""

    at_once: int = MODEST
    on_one_host: int = ON_ONE_HOST
    max_failures: int | None = None


ONE_BY_ONE = Pace(at_once=1)


def parse_pace(params: Mapping[str, Any]) -> Pace:
    """The pace of a module's parameters ``max_concurrent`` and ``max_failures``. Raises InputError."""
    for name in ("max_concurrent", "max_failures"):
        value = params.get(name)
        if value is not None and value < 1:
            raise InputError(
                message=f"{name} is {value}",
                code="bad_limit",
                parameter=name,
                cure="Give a whole number from 1"
                + (", or leave it out for no limit" if name == "max_failures" else ""),
            )
    return Pace(at_once=params.get("max_concurrent") or MODEST, max_failures=params.get("max_failures"))


def next_to_start(
    waiting: Sequence[tuple[str, str]], running: Collection[tuple[str, str]], failed: int, pace: Pace
) -> tuple[str, ...]:
    """Which of the waiting (target, host) to begin now, in their order. A host that is busy does not hold up the others."""
    if pace.max_failures is not None and failed >= pace.max_failures:
        return ()
    busy = Counter(host for _target, host in running)
    free = pace.at_once - len(running)
    chosen: list[str] = []
    for target, host in waiting:
        if len(chosen) >= free:
            break
        if busy[host] < pace.on_one_host:
            busy[host] += 1
            chosen.append(target)
    return tuple(chosen)
