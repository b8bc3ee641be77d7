# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of a rolling reboot that a signal stops: what is in progress, what is off, and how to go on. PRIVATE to the collection."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ...module_utils._domain.text import duration, one_line
from .last_look import LastLook
from .progress import Line, View

Record = Mapping[str, Any]

STATUS = "ansible-playbook directpath.vsphere.status"
RESTORE = "ansible-playbook directpath.vsphere.restore"
PAUSE = f"ansible-playbook directpath.vsphere.pause -e {shlex.quote(json.dumps({'pause_reason': 'why'}))}"

SLOWEST_REACTION = 30
"""Seconds until the module notices a request to stop at the latest: it may be waiting for a change in vCenter."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """``signal``: its name, such as SIGINT. ``pid``: the process to signal to stop at once, None if that is Ctrl-C. ``delay``: seconds
    until no further host is started; 0 if none is. ``pages``: paths of the timeline, which goes on."""

    signal: str
    pid: int | None = None
    delay: float = 0.0
    pages: Sequence[str] = ()


def opening_line(pages: Mapping[str, str]) -> Line:
    """The first line of a run. ``pages``: option → path."""
    parts = [f"{option}: {path} (updated from now on)." for option, path in pages.items()]
    return Line(text=" ".join([*parts, f"To pause: {PAUSE}"]))


def stop_lines(look: LastLook, stop: Stop, view: View, now: float) -> tuple[Line, ...]:
    """The lines right after the signal. ``now``: the time of the control node."""
    begins = f" in at most {stop.delay:.0f} s" if stop.delay else ""
    lines = [
        Line(
            text=f"stopping ({'Ctrl-C' if stop.signal == 'SIGINT' else stop.signal}): no further host is started{begins}",
            tone="warn",
        )
    ]
    lines += _begun(look, "being finished", view)
    longest = look.at_most
    if longest:
        longest += SLOWEST_REACTION + stop.delay
        here = view.here or view.zone
        today, ends = (datetime.fromtimestamp(moment, tz=here) for moment in (now, now + longest))
        until = ends.strftime("%H:%M" if ends.date() == today.date() else "%Y-%m-%d %H:%M")
        lines.append(Line(text=f"this takes at most {duration(longest)} (until {until}), usually much less"))
    if stop.pid is None:
        left = ", ".join(["VMs stay off"] * bool(look.vms) + ["hosts stay as they are"] * bool(look.hosts))
        then = f". Then {left} until: {RESTORE}" if left else ""
        lines.append(Line(text=f"Ctrl-C again stops at once{then}", tone="warn"))
    else:
        lines.append(
            Line(text=f"process {stop.pid} finishes this in the background. To stop it at once: kill {stop.pid}")
        )
    lines += [Line(text=f"timeline, still updated: {path}") for path in stop.pages]
    lines += [
        Line(text=f"what is off or in progress: {STATUS}"),
        Line(text="to continue with the other hosts: run the same playbook again"),
    ]
    return tuple(lines)


def abort_lines(look: LastLook, why: str, view: View) -> tuple[Line, ...]:
    """The last lines of a run that ends at once."""
    return (
        Line(text=f"stopped at once ({why}). Nothing is lost: the journal shows what was begun", tone="bad"),
        *_begun(look, "left as they are", view, is_final=True),
        Line(text=f"what is off or in progress: {STATUS}"),
        Line(text=f"to get VMs and hosts back: {RESTORE}"),
        Line(text="to continue: run the same playbook again"),
    )


def _begun(look: LastLook, what: str, view: View, *, is_final: bool = False) -> Iterator[Line]:
    """``is_final``: no other line of the run follows. Otherwise its next look is printed, too."""
    seen = f"at its last look ({_second(look.at, view)})" if look.at is not None else ""
    if look.vms:
        shown = ", ".join(f"{one_line(vm['name'])} ({_vm(vm, view)})" for vm in look.vms)
        yield Line(text=f"VMs off because of this run: {shown}", tone="bad")
    elif not seen or (is_final and look.may_hide_vms):
        yield Line(text=f"VMs off because of this run: not known. To see them: {STATUS}", tone="bad")
    else:
        yield Line(text=f"no VM was off because of this run {seen}")
    if look.hosts:
        shown = ", ".join(
            f"{one_line(host['cluster'])} {one_line(host['name'])} ({host['phase']} since {_time(host['since'], view)})".strip()
            for host in look.hosts
        )
        yield Line(text=f"hosts {what}: {shown}")
    elif not seen or (is_final and not look.is_last):
        yield Line(text=f"hosts {what}: not known. To see them: {STATUS}", tone="bad")
    else:
        yield Line(text=f"no host was in progress {seen}")


def _vm(vm: Record, view: View) -> str:
    state = "" if vm["state"] == "off" else f"{vm['state']}, "
    return f"{state}for {one_line(vm['host'])} since {_time(vm['since'], view)}"


def _time(moment: float, view: View) -> str:
    return datetime.fromtimestamp(moment, tz=view.zone).strftime("%H:%M")


def _second(moment: float, view: View) -> str:
    return datetime.fromtimestamp(moment, tz=view.zone).strftime("%H:%M:%S")
