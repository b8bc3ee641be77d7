# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts and their desired graphics settings in the parameters of a module. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..._domain.errors import InputError
from ..._domain.graphics.desired import DesiredGraphics, combine, parse_graphics
from ..._domain.host.targets import Inventory, Target, meant_hosts
from .targets import SELECTORS, refuse_empty


def parse_graphics_targets(params: Mapping[str, Any]) -> tuple[tuple[Target, ...], tuple[DesiredGraphics, ...]]:
    """The hosts and the settings of each target: either ``targets``, or ``hosts`` and ``cluster`` with the settings. Raises InputError."""
    raw = params.get("targets")
    refuse_empty(params, SELECTORS if raw is None else ("targets",))
    return _parse([("", params)]) if raw is None else parse_graphics_list(raw, "targets")


def parse_graphics_list(
    raw: Iterable[Mapping[str, Any]], parameter: str = "graphics"
) -> tuple[tuple[Target, ...], tuple[DesiredGraphics, ...]]:
    """The hosts and the settings of each entry of an option such as ``graphics``. Raises InputError."""
    return _parse([(f"{parameter}[{number}]", entry) for number, entry in enumerate(raw)])


def _parse(
    entries: Iterable[tuple[str, Mapping[str, Any]]],
) -> tuple[tuple[Target, ...], tuple[DesiredGraphics, ...]]:
    targets, desired = [], []
    for place, entry in entries:
        if place and not entry.get("hosts") and not entry.get("cluster"):
            raise InputError(
                message=f"{place} names neither hosts nor cluster",
                code="no_hosts",
                parameter=f"{place}.hosts",
                cure="Give hosts or cluster",
            )
        targets.append(Target(hosts=tuple(entry.get("hosts") or ()), clusters=tuple(entry.get("cluster") or ())))
        desired.append(parse_graphics(entry, place))
    return tuple(targets), tuple(desired)


def settings_of_hosts(
    inventory: Inventory, targets: Sequence[Target], desired: Sequence[DesiredGraphics]
) -> dict[str, DesiredGraphics]:
    """Host id → its settings. Raises InputError for an unknown name, or for contradicting targets."""
    names = {host.moid: host.name for host in inventory.hosts}
    return graphics_of(meant_hosts(inventory, targets), desired, 0, names)


def graphics_of(
    meant: Mapping[str, Sequence[int]],
    desired: Sequence[DesiredGraphics],
    first: int,
    names: Mapping[str, str] | None = None,
) -> dict[str, DesiredGraphics]:
    """Host id → its settings. ``meant``: host id → numbers of its targets, of which those from ``first`` on have the settings ``desired``.

    ``names``: for messages. Raises InputError for contradicting targets.
    """
    found: dict[str, DesiredGraphics] = {}
    for moid, numbers in meant.items():
        for number in numbers:
            if number >= first:
                settings, known = desired[number - first], found.get(moid)
                name = (names or {}).get(moid, moid)
                found[moid] = settings if known is None else combine(known, settings, name)
    return found
