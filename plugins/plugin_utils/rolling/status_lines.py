# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of the rolling reboots of one server, in lines for a terminal. PRIVATE to the collection.

The input is the result of rolling_reboot_info; nothing is decided here.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from ...module_utils._domain.errors import DirectPathError
from ...module_utils._domain.left_behind import RESTORE
from ...module_utils._domain.rolling.state.pause import RESUME
from ...module_utils._domain.rolling.status import CONTINUE
from ...module_utils._domain.text import counted, duration, literal, one_line, without_name
from .own_clock import CLOCKS_APART, describe_difference
from .progress import Line

Record = Mapping[str, Any]

GUIDE = "docs/guides/emergency.md in the folder of the collection directpath.vsphere"
_POWER = {"off": "OFF", "unknown": "UNKNOWN", "on": "running"}


def status_lines(result: Record, zone: tzinfo, now: float) -> tuple[Line, ...]:
    """Virtual machines that are off come first. ``now``: the time of the control node; times of the server are shifted to its clock."""
    clock = _Clock(zone, now, float(result.get("clock_difference") or 0))
    lines = [Line(text=f"{result['vcenter']}: {headline(result)}", tone=_tone(result))]
    for run in result["runs"]:
        lines += _run(run, clock)
    lines += [Line(text=f"  {_pause(pause, clock)}", tone="warn") for pause in result["pauses"]]
    lines += [Line(text=f"  unknown: {one_line(sentence)}", tone="bad") for sentence in result["unreadable"]]
    lines += [Line(text=f"  note: {sentence}") for sentence in _notes(result)]
    return tuple(lines)


def judge_status(result: Record, on_attention: str) -> dict[str, Any]:
    """How the task ends: keys for its result. ``on_attention``: ``fail`` or ``report``."""
    if result["status"] != "attention" or on_attention != "fail":
        return {}
    error = DirectPathError(
        message=f"{result['vcenter']}: {headline(result)}",
        code="attention",
        cure=_cure(result["runs"]),
    )
    return {"failed": True, "error_code": error.code, "msg": error.sentence()}


def _cure(runs: Sequence[Record]) -> str:
    """What brings back everything. A run that is alive powers on its VMs itself: nobody should take that over."""
    if any(run["interrupted"] and run["purpose"] == "reboot" for run in runs):
        return f"To get VMs and hosts back: {RESTORE}. To continue instead: {CONTINUE}"
    if any(run["alive"] == "yes" for run in runs):
        return "A rolling reboot is in progress and powers on its VMs itself. See the lines that begin with next"
    return "See the lines that begin with next"


def headline(result: Record) -> str:
    """One clause: the most urgent facts."""
    runs = result["runs"]
    off, interrupted = list(result["vms_off"]), [run for run in runs if run["interrupted"]]
    kept = [host["name"] for run in runs if run["purpose"] == "maintenance" for host in run["hosts"]]
    failed = [host["name"] for run in runs for host in run["hosts"] if host["step"] == "failed"]
    parts = []
    if off:
        parts.append(f"{counted(len(off), 'VM')} off because of {_why_off(runs)}: {', '.join(map(one_line, off))}")
    if interrupted:
        words = {"reboot": "rolling reboot", "maintenance": "maintenance"}
        numbers = {word: sum(1 for run in interrupted if run["purpose"] == purpose) for purpose, word in words.items()}
        parts.append(f"{' and '.join(counted(n, word) for word, n in numbers.items() if n)} interrupted")
    if failed:
        parts.append(f"{counted(len(failed), 'host')} failed: {', '.join(map(one_line, failed))}")
    if result["unreadable"]:
        parts.append("the journal cannot be read completely")
    if kept:
        parts.append(f"{counted(len(kept), 'host')} in maintenance: {', '.join(map(one_line, kept))}")
    if result["pauses"]:
        parts.append(f"paused: {', '.join(map(_paused_place, result['pauses']))}")
    alive = sum(1 for run in runs if run["alive"] == "yes")
    if alive:
        parts.append(f"{counted(alive, 'rolling reboot')} in progress")
    return "; ".join(parts) if parts else "no rolling reboot is in progress, and no VM is off because of one"


def _why_off(runs: Sequence[Record]) -> str:
    purposes = {run["purpose"] for run in runs if any(vm["power"] != "on" for vm in run["vms"])}
    words = {"reboot": "a rolling reboot", "maintenance": "maintenance"}
    return " and ".join(words[purpose] for purpose in ("reboot", "maintenance") if purpose in purposes)


def _tone(result: Record) -> Any:
    return {"attention": "bad", "in_progress": "warn"}.get(result["status"], "ok")


class _Clock:
    """Shows times of the server by the clock of the control node."""

    def __init__(self, zone: tzinfo, now: float, ahead: float) -> None:
        self._zone, self._now, self._ahead = zone, now, ahead

    def at(self, moment: float) -> str:
        """``03:12 (14 min ago)``; with the date if it is not today. Marks of an earlier release have no time."""
        if moment <= 0:
            return "at an unknown time"
        local = moment - self._ahead
        shown, today = datetime.fromtimestamp(local, self._zone), datetime.fromtimestamp(self._now, self._zone)
        text = shown.strftime("%H:%M" if shown.date() == today.date() else "%Y-%m-%d %H:%M")
        apart = self._now - local
        return f"{text} ({duration(apart)} ago)" if apart >= 0 else f"{text} (in {duration(-apart)})"


def _run(run: Record, clock: _Clock) -> Iterator[Line]:
    if run["purpose"] == "maintenance":
        owner = one_line(run["owner"]) or "an account that is unknown"
        state = "interrupted, or in progress" if run["interrupted"] else "kept"
        yield Line(text=f"  maintenance by {owner}: {state}, began {clock.at(run['since'])}")
        yield from _objects(run, clock)
        return
    states = {"yes": "in progress", "no": "interrupted" if run["interrupted"] else "ended", "unknown": "UNKNOWN"}
    owner = one_line(run["owner"]) or "an owner that is unknown, because no lock exists"
    text = f"  run {one_line(run['run_id'])} of {owner}: {states[run['alive']]}, began {clock.at(run['since'])}"
    if run["last_heartbeat"] is not None:
        text += f", last heartbeat {clock.at(run['last_heartbeat'])}"
    yield Line(text=text, tone="bad" if run["interrupted"] else "")
    yield from _objects(run, clock)


def _objects(run: Record, clock: _Clock) -> Iterator[Line]:
    for vm in run["vms"]:
        how = "powered off" if vm["forced"] else "shut down"
        gone = ", not in the inventory any more" if vm["removed"] else ""
        yield Line(
            text=f"    {_POWER[vm['power']]:8}VM {one_line(vm['name'])}: {how} for {one_line(vm['host'])}, "
            f"{clock.at(vm['since'])}{gone}",
            tone="" if vm["power"] == "on" else "bad",
        )
    for host in run["hosts"]:
        yield Line(text=f"    {_host(host, clock)}", tone="bad" if host["step"] == "failed" else "")
    yield Line(text=f"    next: {_next(run, clock)}")


def _host(host: Record, clock: _Clock) -> str:
    state = [] if host["connection"] == "connected" else [one_line(host["connection"])]
    state += ["in maintenance mode"] if host["in_maintenance"] else []
    words = f"{one_line(host['cluster'])} {one_line(host['name'])}: {host['doing']}, since {clock.at(host['since'])}"
    words += f" [{', '.join(state)}]" if state else ""
    why = without_name(one_line(host["reason"]), one_line(host["name"]))
    return f"{words}: {why}" if why and host["step"] in ("failed", "blocked", "withdrawn") else words


def _next(run: Record, clock: _Clock) -> str:
    if run["purpose"] == "maintenance":
        return "run the playbook that began it with phase end (host_maintenance with state: absent). It powers on the VMs, too"
    if run["alive"] == "yes":
        coming = [f"{one_line(host['name'])}: {host['next']}" for host in run["hosts"] if host["next"]]
        then = "; ".join(coming) or "the next host, or the end"
        given_up = {host["moid"] for host in run["hosts"] if host["step"] in ("failed", "withdrawn")}
        off = [vm for vm in run["vms"] if vm["power"] != "on"]
        coming_back = [one_line(vm["name"]) for vm in off if vm["host_moid"] not in given_up]
        staying = [one_line(vm["name"]) for vm in off if vm["host_moid"] in given_up]
        text = _wait(coming_back, then, run, clock) if coming_back else then
        return (
            f"{text}. Off until the run has ended, because the run gave up their host: {', '.join(staying)}. Then: {RESTORE}"
            if staying
            else text
        )
    if not run["interrupted"]:
        return "nothing. The journal is removed by the next rolling reboot"
    what = "the VMs back first" if run["vms"] else "the hosts back first"
    return (
        f"nothing, until an administrator acts. To get {what}: {RESTORE} (it reboots no host). To continue: {CONTINUE}"
    )


def _wait(off: Sequence[str], step: str, run: Record, clock: _Clock) -> str:
    """A restore during a run that is alive is refused: it would only cost time at night."""
    stops = "it stops"
    if run["lock_free_at"] is not None:
        stops = f"its heartbeat stops (no new one until {clock.at(run['lock_free_at'])})"
    return f"Wait: this run powers on {', '.join(off)} itself (coming: {step}). Only if {stops}: {RESTORE}"


def _paused_place(pause: Record) -> str:
    return one_line(pause["cluster"]) or "the whole vCenter"


def _pause(pause: Record, clock: _Clock) -> str:
    since = f", since {clock.at(pause['since'])}" if pause["since"] is not None else ""
    by = f" (by {one_line(pause['by'])}{since})" if pause["by"] else ""
    chosen = json.dumps({"unpause_clusters": [literal(one_line(pause["cluster"]))]}, ensure_ascii=False)
    only = f" -e {shlex.quote(chosen)}" if pause["cluster"] else ""
    return f"paused: {_paused_place(pause)}: {one_line(pause['reason'])}{by}. To end the pause: {RESUME}{only}"


def _notes(result: Record) -> Iterator[str]:
    if result["status"] == "attention":
        yield f"all commands for this situation, and what they do: {GUIDE}"
    apart = float(result.get("clock_difference") or 0)
    if abs(apart) > CLOCKS_APART:
        yield describe_difference(str(result["vcenter"]), apart)
    journal = result["journal"]
    if journal["file_exists"]:
        yield f"the journal file {journal['file']} of this machine was read, too"
    elif not journal["vcenter"]:
        yield (
            f"an ESXi host has no journal of its own, and this machine has no journal file for it ({journal['file']}). "
            "Run this on the machine where the rolling reboot was started"
        )
