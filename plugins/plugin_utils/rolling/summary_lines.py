# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines before a rolling reboot (its schedule) and after it (its summary). PRIVATE to the collection.

The input are merged results of the module.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...module_utils._domain.rolling.scheduling.notices import zoned
from ...module_utils._domain.rolling.state.lock import holder_of
from ...module_utils._domain.text import counted, duration, name_ranges, one_line, padded, width
from .merge_slices import span
from .progress import Line, Tone, View, meter

Record = Mapping[str, Any]

MOST_HOSTS = 40
"""A schedule with more hosts has one line for each wave, unless the reader wants reasons."""

MOST_WAVES = 25
"""Maximum number of lines for waves. With more waves, one line is for several of them."""

MOST_SKIPPED = 25
"""Maximum number of lines with reasons for hosts that are skipped. The others are named without a reason."""

MOST_TROUBLES = 20
"""Maximum number of blocked and of failed hosts in the summary; the result contains all."""

_ENDS = {"halted": "stopped early", "stalled": "ended incomplete"}
"""State of a result → its words, if they differ."""

_STATES: Mapping[str, Tone] = {"finished": "ok", "halted": "bad", "stalled": "warn", "interrupted": "warn"}


def schedule_lines(schedule: Record, view: View) -> tuple[Line, ...]:
    """The lines of the schedule in check mode. Every VM that will be stopped, and every host that is skipped, is named."""
    hosts = [host for host in schedule.get("hosts") or () if isinstance(host, Mapping)]
    skipped = skipped_lines(schedule)
    stops = sum(len(host.get("stops") or ()) for host in hosts)
    if not hosts:
        head = "No host can be rebooted now" if skipped else "No host would be rebooted"
    else:
        head = f"{_numbers(hosts, schedule.get('waves') or 0)}, in about {duration(schedule.get('seconds') or 0)}"
        off = [one_line(name) for name in schedule.get("vms_off") or ()]
        none = f"; no other VM would be stopped. Off already: {', '.join(off)}" if off else "; no VM would be stopped"
        head += f"; {counted(stops, 'VM')} would be stopped" if stops else none
    # What an earlier run left comes first: a VM may be off because of it.
    work = schedule.get("in_progress") or ()
    lines = [Line(text=zoned(one_line(text), view.zone), tone="warn") for text in work]
    lines.append(Line(text=head, tone="info"))
    if len(hosts) <= MOST_HOSTS or view.reasons:
        lines += _by_host(hosts, view)
    else:
        lines += _by_wave(hosts)
    lines += [Line(text=f"skipped: {zoned(text, view.zone)}", tone="warn") for text in skipped]
    if hosts:
        lines += [Line(text=f"not read: {one_line(text)}") for text in schedule.get("not_read") or ()]
    idle = schedule.get("idle") or ()
    return (
        *lines,
        *(
            [Line(text=f"{counted(len(idle), 'host')} require{'s' if len(idle) == 1 else ''} no reboot")]
            if idle
            else []
        ),
    )


def _numbers(hosts: Sequence[Record], waves: int) -> str:
    """How many hosts would be rebooted, in how many waves, and how many of those in progress would only be finished."""
    new, begun = ([host for host in hosts if bool(host.get("in_progress")) == is_begun] for is_begun in (False, True))
    over = [host for host in begun if host.get("is_rebooted")]
    parts = [f"{counted(len(new), 'host')} would be rebooted in {counted(waves, 'wave')}"] if new else []
    if len(begun) > len(over):
        parts.append(f"the reboot of {counted(len(begun) - len(over), 'host')} in progress would be finished")
    if over:
        parts.append(f"{counted(len(over), 'host')} would be returned to service without another reboot")
    return ", ".join(parts)


def _by_host(hosts: Sequence[Record], view: View) -> Iterator[Line]:
    names = [(one_line(host.get("cluster") or ""), one_line(host.get("name") or "")) for host in hosts]
    columns = [max((width(pair[n]) for pair in names), default=0) for n in (0, 1)]
    for host, pair in zip(hosts, names, strict=True):
        wave = "running" if host.get("in_progress") else f"wave {host.get('wave', '?')}"
        padding = [padded(name, column) for name, column in zip(pair, columns, strict=True) if column]
        text = " ".join([f"{_after(host, 'starts'):>6} to {_after(host, 'ends'):>6}", padded(wave, 8), *padding])
        if host.get("stops"):
            text += f" stops {', '.join(_stop(vm, reasons=view.reasons) for vm in host['stops'])}"
        if view.reasons and host.get("reason"):
            text += f" ({one_line(host['reason'])})"
        yield Line(text=text.rstrip())
    yield from _gate(hosts)


def _gate(hosts: Sequence[Record]) -> Iterator[Line]:
    """What must be true of each host before another one takes its place. It is the same for all of them."""
    gate = next((host["gate"] for host in hosts if host.get("gate")), ())
    if gate:
        yield Line(text=f"before another host takes the place of one that is back: {'; '.join(map(one_line, gate))}")


def _by_wave(hosts: Sequence[Record]) -> Iterator[Line]:
    """One line for each wave, or for several waves that follow each other."""
    waves: dict[Any, list[Record]] = {}
    for host in hosts:
        waves.setdefault(host.get("wave", "?"), []).append(host)
    numbers, size = list(waves), -(-len(waves) // MOST_WAVES)
    for begin in range(0, len(numbers), size):
        part = numbers[begin : begin + size]
        held = [host for number in part for host in waves[number]]
        names = ", ".join(name_ranges(one_line(host.get("name") or "") for host in held))
        stops = name_ranges(_stop(vm, reasons=False) for host in held for vm in host.get("stops") or ())
        title = f"wave {part[0]}" if len(part) == 1 else f"waves {part[0]} to {part[-1]}"
        text = f"{_after(held[0], 'starts'):>6} {padded(title, 8)} {counted(len(held), 'host')}: {names}"
        yield Line(text=text + (f"; stops {', '.join(stops)}" if stops else ""))
    yield from _gate(hosts)


def _after(host: Record, which: str) -> str:
    """``+1:05``: hours and minutes after the beginning."""
    seconds = host.get(f"{which}_after_seconds")
    if not isinstance(seconds, int | float):
        return "?"
    minutes = round(abs(seconds) / 60)
    return f"{'-' if seconds < 0 and minutes else '+'}{minutes // 60}:{minutes % 60:02}"


def _stop(vm: Any, *, reasons: bool) -> str:
    if not isinstance(vm, Mapping):
        return one_line(vm)
    name, reason = one_line(vm.get("name") or ""), one_line(vm.get("reason") or "")
    return f"{name} ({reason})" if reasons and reason else name


def skipped_lines(schedule: Record) -> list[str]:
    """Why hosts of a schedule are not rebooted. Hosts with the same reason share a line."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    held, rest_of = _held_by_runs([host for host in schedule.get("left") or () if isinstance(host, Mapping)])
    for host in rest_of:
        key = (one_line(host.get("cluster") or ""), one_line(host.get("phase") or "left"), _why(host))
        groups.setdefault(key, []).append(one_line(host.get("name") or ""))
    lines = [
        one_line(f"{cluster} {', '.join(name_ranges(names))} ({phase}): {why}")
        for (cluster, phase, why), names in groups.items()
    ]
    rest = [name for names in list(groups.values())[MOST_SKIPPED:] for name in names]
    more = (
        [f"{counted(len(rest), 'more host')}, see hosts in the result: {', '.join(name_ranges(rest))}"] if rest else []
    )
    return [*held, *lines[:MOST_SKIPPED], *more]


def _held_by_runs(hosts: Sequence[Record]) -> tuple[list[str], list[Record]]:
    """One line for each run that has locked clusters of these hosts. And the hosts that something else blocks, without the lock."""
    held: dict[str, list[tuple[Record, Record]]] = {}
    others: list[Record] = []
    for host in hosts:
        blockers = [blocker for blocker in host.get("blockers") or () if isinstance(blocker, Mapping)]
        locks = [blocker for blocker in blockers if _holder(blocker)]
        for blocker in locks[:1]:
            held.setdefault(_holder(blocker), []).append((host, blocker))
        rest = [blocker for blocker in blockers if blocker not in locks]
        if rest or not locks:
            others.append({**host, "blockers": rest})
    lines = []
    for pairs in held.values():
        clusters = dict.fromkeys(one_line(host.get("cluster") or "") for host, _unused in pairs)
        names = name_ranges(one_line(host.get("name") or "") for host, _unused in pairs)
        host, blocker = pairs[0]
        why = _sentence(blocker).removeprefix(f"{one_line(host.get('cluster') or '')} is locked by ")
        lines.append(one_line(f"{', '.join(clusters)} {', '.join(names)}: held by the run of {why}"))
    return lines, others


def _holder(blocker: Record) -> str:
    return holder_of(str(blocker.get("code") or ""), one_line(blocker.get("message") or ""))


def _describe(host: Record) -> str:
    """Cluster, host and reason. The reason does not repeat the name of the host."""
    cluster, name = one_line(host.get("cluster") or ""), one_line(host.get("name") or "")
    first, *_unused = _reasons(host)
    return one_line(f"{cluster} {name}{'' if first.startswith(f'{name} ') else ':'} {_why(host)}")


def _why(host: Record) -> str:
    """The reasons, without the name of the host at their beginning."""
    own = f"{one_line(host.get('name') or '')} "
    first, *more = _reasons(host)
    others = [f"It {text.removeprefix(own)}" if text.startswith(own) else text for text in more]
    return " ".join([first.removeprefix(own), *others])


def _reasons(host: Record) -> list[str]:
    blockers = [blocker for blocker in host.get("blockers") or () if isinstance(blocker, Mapping)]
    return [_sentence(blocker) for blocker in blockers] or [one_line(host.get("reason") or "no reason is known")]


def _sentence(blocker: Record) -> str:
    parts = [one_line(blocker.get(key) or "").rstrip(".") for key in ("message", "cure")]
    return ". ".join(part for part in parts if part) + "."


def ending_lines(result: Record, view: View) -> tuple[Line, ...]:
    """The summary at the end: the bar, the hosts that need an administrator, and what to do next."""
    state = one_line(result.get("state") or "ended")
    begun, ended = span(result.get("timeline") or {})
    took = f" after {duration(ended - begun)}" if ended > begun else ""
    why = "; ".join(one_line(reason) for reason in result.get("reasons") or ())
    counts = result.get("counts") or {}
    # A restore that finds nothing to do has no hosts to count.
    is_empty = state == "finished" and not counts
    numbers = "nothing was to be done" if is_empty else meter(counts, None, ended, view)
    lines = [
        Line(
            text=f"{_ENDS.get(state, state)}{took}: {numbers}" + (f" ({why})" if why and state != "finished" else ""),
            tone=_STATES.get(state, "warn"),
        )
    ]
    tones: Mapping[str, Tone] = {"failed": "bad", "blocked": "warn"}
    for phase, tone in tones.items():
        troubled = [
            host for host in result.get("hosts") or () if isinstance(host, Mapping) and host.get("phase") == phase
        ]
        held, troubled = _held_by_runs(troubled)
        told = [*held, *(zoned(_describe(host), view.zone, ended) for host in troubled[:MOST_TROUBLES])]
        lines += [Line(text=f"{phase}: {text}", tone=tone) for text in told]
        if len(troubled) > MOST_TROUBLES:
            more = len(troubled) - MOST_TROUBLES
            lines.append(Line(text=f"{phase}: {more} more, see hosts in the result", tone=tone))
    return (*lines, *(Line(text=f"next: {one_line(hint)}") for hint in result.get("resume") or ()))
