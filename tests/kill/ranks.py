# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order VMs of one host were stopped and started, as the simulated vCenter saw it: whoever asked, and however often."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby, pairwise
from typing import Any

from pyVmomi import vim

from simulator.core.journal import Entry
from simulator.simulator import Simulator

STOPS = ("ShutdownGuest", "PowerOffVM_Task")
STARTS = ("PowerOnVM_Task",)


def assert_ranks(sim: Simulator, *ranks: str) -> None:
    """The VMs, one of each rank, were stopped in this order and started in reverse order, each once the one before had done so.

    Of all calls in the journal those count that had their effect. One that was made again, as its answer was lost, counts
    with the first; one that comes after a call for another VM is out of order.
    """
    stops, starts = _accepted(sim, STOPS), _accepted(sim, STARTS)
    assert _named(stops) == [*ranks]
    assert _named(starts) == [*reversed(ranks)]
    tools = sim.knobs.get("guest_boot_seconds")
    for name, following in pairwise(ranks):
        told = next(_time(entry) for entry in stops if entry.name == following)
        off = _happened(sim, vim.event.VmPoweredOffEvent, name)
        assert off <= told, f"{following} was told to stop while {name} still ran"
    for name, following in pairwise(reversed(ranks)):
        told = next(_time(entry) for entry in starts if entry.name == following)
        on = _happened(sim, vim.event.VmPoweredOnEvent, name)
        assert (told - on).total_seconds() >= tools, f"{following} was started before the guest of {name} was up"


def _accepted(sim: Simulator, methods: tuple[str, ...]) -> list[Entry]:
    return [entry for entry in sim.journal.writes() if entry.effect and entry.method in methods]


def _named(entries: list[Entry]) -> list[str]:
    """Names in order, one for calls that follow each other."""
    return [name for name, _same in groupby(entry.name for entry in entries)]


def _time(entry: Entry) -> datetime:
    return datetime.fromisoformat(entry.time)


def _happened(sim: Simulator, kind: Any, name: str) -> datetime:
    """When it happened to the VM, the only time."""
    events = [record.event for record in sim.services.events.records if isinstance(record.event, kind)]
    (at,) = [event.createdTime for event in events if event.vm.name == name]
    assert isinstance(at, datetime)
    return at
