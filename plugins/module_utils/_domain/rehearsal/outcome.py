# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one run of a rehearsal did: how long it took, which VMs were off, how each host ended, what was refused.

PRIVATE to the collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from ..plain import Record
from ..rolling.state.phases import RESTING

Power = Literal["on", "off"]
Verdict = Literal["succeeds", "incomplete", "fails", "no_result"]
ENDINGS: Mapping[Verdict, str] = {
    "succeeds": "succeeds",
    "incomplete": "ends with refusals",
    "fails": "fails",
    "no_result": "has no result",
}
"""Verdict → what a playbook does, for people."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PowerEvent:
    """``at``: seconds since the epoch, by the clock of the twin."""

    at: float
    vm: str
    host: str
    power: Power


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeOff:
    """A time in which a VM was off. ``end``: None if it still was at the end of the run."""

    vm: str
    host: str
    start: float
    end: float | None
    until: float
    """The end of the run."""

    @property
    def seconds(self) -> float:
        """How long, until the end of the run at most."""
        return max(0.0, (self.until if self.end is None else self.end) - self.start)


def times_off(events: Iterable[PowerEvent], until: float) -> tuple[TimeOff, ...]:
    """The times in which VMs were off that ran before, by their begin. A VM that was off from the beginning has none."""
    found: list[TimeOff] = []
    since: dict[str, PowerEvent] = {}
    for event in sorted(events, key=lambda event: event.at):
        if event.power == "off":
            since.setdefault(event.vm, event)
        elif event.vm in since:
            off = since.pop(event.vm)
            found.append(TimeOff(vm=off.vm, host=off.host, start=off.at, end=event.at, until=until))
    found += [TimeOff(vm=off.vm, host=off.host, start=off.at, end=None, until=until) for off in since.values()]
    return tuple(sorted(found, key=lambda off: (off.start, off.vm)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """What was not done. ``subject``: a host, a VM, or a vCenter; ``cure``: what a person does about it, empty if that is not known."""

    vcenter: str
    subject: str
    text: str
    cure: str = ""

    def sentence(self) -> str:
        """As one line."""
        return f"{self.subject}: {self.text}" if self.subject else self.text


@dataclass(frozen=True, kw_only=True, slots=True)
class HostPlan:
    """What the plan says of a host that is rebooted. ``starts`` and ``ends``: seconds after the begin of the reboots. ``stops``: VMs that
    are shut down."""

    name: str
    wave: int
    starts: float
    ends: float
    reason: str
    stops: tuple[str, ...] = ()

    def record(self) -> Record:
        """As data."""
        return {**asdict(self), "stops": list(self.stops)}


@dataclass(frozen=True, kw_only=True, slots=True)
class HostPhase:
    """A phase of a rolling reboot, in seconds since the epoch."""

    phase: str
    start: float
    end: float


@dataclass(frozen=True, kw_only=True, slots=True)
class HostRun:
    """What a rolling reboot did with a host. ``phase``: at the end."""

    name: str
    cluster: str
    phase: str
    phases: tuple[HostPhase, ...] = ()

    @property
    def actions(self) -> tuple[HostPhase, ...]:
        """The phases in which something was done to it."""
        return tuple(one for one in self.phases if one.phase not in RESTING)

    def record(self) -> Record:
        """As data."""
        return {**asdict(self), "phases": [asdict(one) for one in self.phases]}


@dataclass(frozen=True, kw_only=True, slots=True)
class VcenterOutcome:
    """The run on one vCenter, in seconds since the epoch by the clock of the twin. ``reboots_began``: when the rolling reboot began, None
    without one. ``planned_seconds``: how long it takes by the plan. ``hints``: how to continue with hosts that are not done."""

    vcenter: str
    began: float
    ended: float
    off: tuple[TimeOff, ...] = ()
    plans: tuple[HostPlan, ...] = ()
    planned_seconds: float = 0.0
    reboots_began: float | None = None
    hosts: tuple[HostRun, ...] = ()
    rebooted: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """How long the whole run took."""
        return max(0.0, self.ended - self.began)

    @property
    def unfinished(self) -> Mapping[str, str]:
        """Host → phase, for hosts that are not done at the end."""
        return {host.name: host.phase for host in self.hosts if host.phase not in ("idle", "done")}

    @property
    def reboot_seconds(self) -> float:
        """From the begin of the first action on a host to the end of the last one."""
        actions = [action for host in self.hosts for action in host.actions]
        return max(one.end for one in actions) - min(one.start for one in actions) if actions else 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class RunOutcome:
    """One run on all twins. ``status``: exit status of ansible-playbook. ``problem``: why there is no result, empty otherwise."""

    name: str
    status: int
    vcenters: tuple[VcenterOutcome, ...]
    refused: tuple[Refused, ...] = ()
    problem: str = ""

    @property
    def seconds(self) -> float:
        """The vCenter that takes longest."""
        return max((one.seconds for one in self.vcenters), default=0.0)

    @property
    def seconds_off(self) -> Mapping[str, float]:
        """VM → how long it was off in total."""
        found: dict[str, float] = {}
        for one in self.vcenters:
            for off in one.off:
                found[off.vm] = found.get(off.vm, 0.0) + off.seconds
        return found

    @property
    def still_off(self) -> tuple[str, ...]:
        """VMs that ran before the run and are off at its end."""
        return tuple(sorted({off.vm for one in self.vcenters for off in one.off if off.end is None}))

    @property
    def unfinished(self) -> Mapping[str, str]:
        """Host → phase, for hosts that are not done."""
        return {name: phase for one in self.vcenters for name, phase in one.unfinished.items()}

    @property
    def rebooted(self) -> tuple[str, ...]:
        """All hosts that were rebooted."""
        return tuple(name for one in self.vcenters for name in one.rebooted)

    @property
    def verdict(self) -> Verdict:
        """How the playbook ends. ``incomplete``: it did all but what was refused before anything was done to it."""
        if self.problem:
            return "no_result"
        if self.status == 0:
            return "succeeds"
        is_refusal = bool(self.refused) and all(one.subject for one in self.refused)
        return "incomplete" if is_refusal and set(self.unfinished.values()) <= {"blocked"} else "fails"
