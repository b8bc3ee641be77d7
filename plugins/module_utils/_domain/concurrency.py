# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many targets are changed at the same time, and after how many failures to stop. PRIVATE to the collection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from .errors import InputError

MODEST = 4
"""Default number of targets of one vCenter at a time. vCenter can queue far more, but a user can follow this number."""
ON_ONE_HOST = 2
"""VMs of one ESXi host at a time. A power-on reserves memory and resets PCI devices on a host that also runs other VMs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """At most ``at_once`` targets of a vCenter and ``on_one_host`` VMs of a host at a time. After ``max_failures`` none is started."""

    at_once: int = MODEST
    on_one_host: int = ON_ONE_HOST
    max_failures: int | None = None


ONE_BY_ONE = Pace(at_once=1)


def parse_pace(max_concurrent: int | None, max_failures: int | None) -> Pace:
    """The pace in the module parameters of these names. Raises InputError (bad_limit)."""
    for name, value in (("max_concurrent", max_concurrent), ("max_failures", max_failures)):
        if value is not None and value < 1:
            raise InputError(
                message=f"{name} is {value}, but must be at least 1",
                code="bad_limit",
                parameter=name,
                cure="Give a whole number of at least 1"
                + (", or leave the option out for no limit" if name == "max_failures" else ""),
            )
    return Pace(at_once=max_concurrent or MODEST, max_failures=max_failures)


def next_to_start(
    waiting: Sequence[tuple[str, str]],
    running: Collection[tuple[str, str]],
    failed: int,
    pace: Pace,
    waits_for: Mapping[str, Collection[str]] | None = None,
) -> tuple[str, ...]:
    """The targets to start now, in the order of ``waiting``. Entries are (target, host). A busy host does not delay the others.
    ``waits_for``: target → targets that must have ended before."""
    if pace.max_failures is not None and failed >= pace.max_failures:
        return ()
    busy = Counter(host for _target, host in running)
    free = pace.at_once - len(running)
    chosen: list[str] = []
    before = waits_for or {}
    left = {target for target, _host in (*waiting, *running)} if before else set()
    for target, host in waiting:
        if len(chosen) >= free:
            break
        if busy[host] < pace.on_one_host and left.isdisjoint(before.get(target, ())):
            busy[host] += 1
            chosen.append(target)
    return tuple(chosen)
