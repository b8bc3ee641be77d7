# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the hosts of a capture were away at past reboots."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import Any

from .file import Captured, Thing

Boots = Mapping[str, tuple[float, ...]]


def past_boots(captured: Captured) -> Boots:
    """Host -> its past boots, in seconds. A host without any takes the median of the hosts of its model, or else of all hosts, as one boot;
    empty: no host has any."""
    known: dict[str, tuple[float, ...]] = {moid: tuple(each) for moid, each in captured.raw["reboots"].items() if each}
    hosts = captured.of("HostSystem")
    by_model: dict[Any, list[float]] = {}
    for thing in hosts:
        if thing.moid in known:
            by_model.setdefault(_model(thing), []).append(median(known[thing.moid]))
    every = [each for medians in by_model.values() for each in medians]
    return {thing.moid: known.get(thing.moid) or _one(by_model.get(_model(thing)) or every) for thing in hosts}


def _one(medians: list[float]) -> tuple[float, ...]:
    return (float(median(medians)),) if medians else ()


def _model(thing: Thing) -> tuple[str, str]:
    system = thing.get("hardware.systemInfo") or thing.get("summary.hardware")
    return str(getattr(system, "vendor", "")), str(getattr(system, "model", ""))
