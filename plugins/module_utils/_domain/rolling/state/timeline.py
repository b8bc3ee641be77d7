# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happened, as data: one line for each change, counts for a bar, a timeline of hosts and VMs. PRIVATE to the collection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...gate_record import GATE_FAILED
from ...left_behind import RESTORE, STATUS
from ...plain import Record
from .journal import Entry
from .lock import LOCKED
from .observed import ObservedFleet
from .phases import ANOTHER_RUN, Decision, HostStatus, Phase

MOST_REASONS = 5
"""Maximum number of reasons kept for a host that waits for different things one after another."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Transition:
    """A host changed its phase. ``seconds``: how long the previous phase lasted, if that was observed."""

    at: float
    moid: str
    name: str
    cluster: str
    before: Phase | None
    after: Phase
    reason: str
    seconds: float | None = None

    def text(self) -> str:
        """``gpu-a esx-07 rebooting → booting 02:10``. The display adds the time of day."""
        change = f"{self.before} → {self.after}" if self.before is not None else self.after
        return " ".join([self.cluster, self.name, change, *([clock(self.seconds)] if self.seconds is not None else [])])


def clock(seconds: float) -> str:
    """``02:10``, ``1:02:10``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """``end`` is None until the phase ends."""

    phase: str
    start: float
    end: float | None = None
    reason: str = ""
    reasons: tuple[tuple[float, str], ...] = ()
    """While a host waits: (since when, reason), the last ``MOST_REASONS`` including ``reason``. Empty if there was only one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TimelineRow:
    """The phases of a host, or of a VM that was stopped for one (``stopping``, ``down``, ``starting``)."""

    moid: str
    name: str
    group: str
    """For a host its cluster; for a VM its host."""
    segments: tuple[Segment, ...] = ()

    @property
    def last(self) -> Segment | None:
        return self.segments[-1] if self.segments else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeline:
    """Grows with ``extend``. A run that resumes another one begins with the phases that the journal shows."""

    hosts: Mapping[str, TimelineRow] = field(default_factory=dict)
    vms: Mapping[str, TimelineRow] = field(default_factory=dict)
    statuses: Mapping[str, HostStatus] = field(default_factory=dict)
    """The last status of every host. It is not overwritten while the journal is cleared."""
    began: float | None = None
    """When this run first observed the fleet. Segments from the journal may be older."""

    def record(self, now: float) -> Record:
        """As data, for the HTML page and the JSON. Open segments end now."""
        return {
            "hosts": [_row(row, now) for row in self.hosts.values()],
            "vms": [_row(row, now) for row in self.vms.values()],
            **({} if self.began is None else {"began": self.began}),
        }


def _row(row: TimelineRow, now: float) -> Record:
    return {
        "moid": row.moid,
        "name": row.name,
        "group": row.group,
        "segments": [
            {
                "phase": s.phase,
                "start": s.start,
                "end": now if s.end is None else s.end,
                "open": s.end is None,
                "reason": s.reason,
                **({"reasons": [{"at": at, "reason": why} for at, why in s.reasons]} if s.reasons else {}),
            }
            for s in row.segments
        ],
    }


def extend(
    timeline: Timeline, observed: ObservedFleet, decision: Decision, now: float
) -> tuple[Timeline, tuple[Transition, ...]]:
    """The timeline with the present observation, and the new transitions in it, sorted by name."""
    entries: dict[str, Entry | None] | None = None
    hosts, statuses = dict(timeline.hosts), dict(timeline.statuses)
    news: list[Transition] = []
    for status in decision.hosts:
        old = statuses.get(status.moid)
        if old is status:
            continue  # its row is open with this phase and this reason
        if decision.closing and old is not None:
            continue  # the journal is being cleared; what remains of the entry says less than the last status
        statuses[status.moid] = status
        row = hosts.get(status.moid)
        if row is None:
            entries = {view.moid: view.entry for view in observed.hosts} if entries is None else entries
            row = _begun(status, entries.get(status.moid))
        last = row.last
        if old is None or old.phase != status.phase:
            seconds = None if last is None or last.end is not None or old is None else now - last.start
            news.append(_transition(status, old, seconds, now))
        hosts[status.moid] = _continued(row, status.phase, status.reason, now)
    vms = _vms(timeline.vms, observed, now)
    began = now if timeline.began is None else timeline.began
    return Timeline(hosts=hosts, vms=vms, statuses=statuses, began=began), tuple(news)


def _transition(status: HostStatus, old: HostStatus | None, seconds: float | None, now: float) -> Transition:
    return Transition(
        at=now,
        moid=status.moid,
        name=status.name,
        cluster=status.cluster,
        before=old.phase if old is not None else None,
        after=status.phase,
        reason=status.reason,
        seconds=seconds,
    )


def _continued(row: TimelineRow, phase: str, reason: str, now: float) -> TimelineRow:
    last = row.last
    if last is not None and last.end is None and last.phase == phase:
        if last.reason == reason:
            return row
        kept = last.reasons or (((last.start, last.reason),) if last.reason else ())
        reasons = (*kept, (now, reason))[-MOST_REASONS:] if phase == "waiting" and kept else ()
        return replace(row, segments=(*row.segments[:-1], replace(last, reason=reason, reasons=reasons)))
    closed = row.segments if last is None or last.end is not None else (*row.segments[:-1], replace(last, end=now))
    return replace(row, segments=(*closed, Segment(phase=phase, start=now, reason=reason)))


def _begun(status: HostStatus, entry: Entry | None) -> TimelineRow:
    """A row for a host that was in progress before this process started: the phases that its entry shows."""
    row = TimelineRow(moid=status.moid, name=status.name, group=status.cluster)
    if entry is None:
        return row
    marks: list[tuple[str, float]] = [("draining", entry.started)]
    if entry.asked is not None:
        marks.append(("rebooting", entry.asked))
        if entry.rebooted is not None:
            marks.append(("verifying", entry.asked + entry.rebooted))
    if entry.at > marks[-1][1]:
        marks.append((status.phase, entry.at))
    ends = [start for _unused, start in marks[1:]]
    past = [
        Segment(phase=phase, start=begin, end=end) for (phase, begin), end in zip(marks, [*ends, None], strict=True)
    ]
    if past[-1].phase != status.phase:
        past[-1] = replace(past[-1], end=max(entry.at, past[-1].start))
    return replace(row, segments=tuple(past))


def _vms(rows: Mapping[str, TimelineRow], observed: ObservedFleet, now: float) -> Mapping[str, TimelineRow]:
    going_on = {moid for moid, row in rows.items() if row.last is not None and row.last.end is None}
    # Nearly all VMs of a large fleet have nothing to do with it.
    concerned = [vm for vm in observed.vms if vm.entry is not None or vm.moid in going_on]
    if not concerned:
        return rows
    names = {view.moid: view.name for view in observed.hosts}
    found = dict(rows)
    for vm in concerned:
        row, entry = found.get(vm.moid), vm.entry
        if entry is not None:
            row = row or TimelineRow(moid=vm.moid, name=vm.name, group=names.get(entry.host, entry.host))
            if vm.is_on:
                phase = "stopping" if entry.step == "stop" else "starting"
            else:
                phase = "down"
            found[vm.moid] = _continued(row, phase, "", now)
        elif row is not None and row.last is not None and row.last.end is None:
            found[vm.moid] = replace(row, segments=(*row.segments[:-1], replace(row.last, end=now)))
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """Numbers of hosts, for a bar. ``under_way`` is published as ``in_flight``. ``returned``: to service without a reboot, as requested."""

    total: int
    done: int
    under_way: int
    waiting: int
    blocked: int
    returned: int
    failed: int

    def record(self) -> dict[str, int]:
        """As data, with the keys that results and the progress file have."""
        return {
            "total": self.total,
            "done": self.done,
            "in_flight": self.under_way,
            "waiting": self.waiting,
            "blocked": self.blocked,
            "returned": self.returned,
            "failed": self.failed,
        }


def counts(statuses: Iterable[HostStatus]) -> Counts:
    """Hosts that require no reboot are not counted."""
    number: Counter[str] = Counter(status.phase for status in statuses)
    total = sum(number.values()) - number["idle"]
    resting = ("done", "waiting", "blocked", "returned", "failed")
    return Counts(
        total=total,
        done=number["done"],
        under_way=total - sum(number[phase] for phase in resting),
        waiting=number["waiting"],
        blocked=number["blocked"],
        returned=number["returned"],
        failed=number["failed"],
    )


def list_resume_hints(statuses: Sequence[HostStatus]) -> tuple[str, ...]:
    """One sentence for each kind of host that needs an administrator, or that a person wanted back before its reboot."""
    gated = [status for status in statuses if any(blocker.code == GATE_FAILED for blocker in status.blockers)]
    failed = [status.name for status in statuses if status.phase == "failed" and status not in gated]
    held = [
        status.name
        for status in statuses
        if status.phase == "blocked" and status.blockers and all(b.code == LOCKED for b in status.blockers)
    ]
    blocked = [status.name for status in statuses if status.phase == "blocked" and status.name not in held]
    returned = [status.name for status in statuses if status.phase == "returned"]
    stopped = sorted(
        {vm for status in statuses if status.phase in ("failed", "blocked", "returned") for vm in status.vms}
    )
    hints = []
    if failed:
        them = "it" if len(failed) == 1 else "them"
        hints.append(f"repair {', '.join(failed)}, then verify {them} and return {them} to service: {RESTORE}")
    hints += [f"{status.name}: {blocker.cure}." for status in gated for blocker in status.blockers]
    if stopped:
        hints.append(
            f"{', '.join(stopped)}: shut down for these hosts and recorded. The next run powers them on when their host is in service."
        )
    if blocked:
        hints.append(
            f"{', '.join(blocked)}: resolve what blocks them (see blockers of each host), then run the same again."
        )
    if held:
        hints.append(f"{', '.join(held)}: wait until the other run has ended ({STATUS}), then run the same again.")
    if returned:
        hints.append(
            f"{', '.join(returned)}: returned to service without a reboot. To reboot later: run the playbook of the rolling reboot again."
        )
    return (*hints, *_not_reached(statuses))


def _not_reached(statuses: Sequence[HostStatus]) -> Iterator[str]:
    """By the reason why they wait. If there is a reason to resolve, only running again does not help."""
    names: dict[str, list[str]] = {}
    for status in statuses:
        if status.phase == "waiting":
            names.setdefault("" if status.reason.startswith(ANOTHER_RUN) else status.reason, []).append(status.name)
    for reason, held in names.items():
        why = (
            f": {reason.rstrip('.')}. Resolve this, then run the same again."
            if reason
            else "; run the same again to continue."
        )
        yield f"{', '.join(held)}: not reached{why}"
