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
from pathlib import Path
from typing import Any

from ...module_utils._domain.errors import DirectPathError
from ...module_utils._domain.rolling.state.pause import RESUME
from ...module_utils._domain.text import counted, duration, literal, name_ranges, one_line, without_name
from .own_clock import CLOCKS_APART, describe_difference
from .progress import Line

Record = Mapping[str, Any]

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "guides" / "emergency.md"
"""On this machine, in the folder of the collection."""
_CONNECTION = {"notResponding": "not responding"}
_POWER = {"off": "OFF", "unknown": "UNKNOWN", "on": "running"}


def status_lines(result: Record, zone: tzinfo, now: float) -> tuple[Line, ...]:
    """Virtual machines that are off come first. ``now``: the time of the control node; times of the server are shifted to its clock."""
    clock = _Clock(zone, now, float(result.get("clock_difference") or 0))
    lines = [Line(text=f"{result['vcenter']}: {headline(result)}", tone=_tone(result))]
    for run in result["runs"]:
        lines += _run(run, clock, result["pending"])
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
    """What to do first: for a run that needs a person, otherwise for one that is alive."""
    ordered = sorted(runs, key=lambda run: (run["purpose"] != "reboot", not (run["interrupted"] or _failed([run]))))
    for first in (run["next"][0] for run in ordered if run["next"]):
        text = one_line(first["do"])
        return f"{text[:1].upper()}{text[1:]}" + (f": {one_line(first['command'])}" if first["command"] else "")
    return ""


def _failed(runs: Sequence[Record]) -> list[str]:
    return [host["name"] for run in runs for host in run["hosts"] if host["step"] == "failed"]


def headline(result: Record) -> str:
    """One clause: the most urgent facts."""
    runs = result["runs"]
    off, interrupted = list(result["vms_off"]), [run for run in runs if run["interrupted"]]
    kept = [host["name"] for run in runs if run["purpose"] == "maintenance" for host in run["hosts"]]
    failed = _failed(runs)
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
    early = sum(1 for run in runs if run["ended_early"])
    if early and not parts:
        return f"no VM is off and no host is out of service because of a rolling reboot; {early} ended early"
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


def _run(run: Record, clock: _Clock, pending: Sequence[str] | None) -> Iterator[Line]:
    if run["purpose"] == "maintenance":
        owner = one_line(run["owner"]) or "an account that is unknown"
        state = "interrupted, or in progress" if run["interrupted"] else "kept"
        yield Line(text=f"  maintenance by {owner}: {state}, began {clock.at(run['since'])}")
        yield from _objects(run, clock)
        return
    owner = f" of {one_line(run['owner'])}" if run["owner"] else ""
    text = f"  run {one_line(run['run_id'])}{owner}: {_state(run, pending)}, began {clock.at(run['since'])}"
    if run["last_heartbeat"] is not None:
        text += f", last heartbeat {clock.at(run['last_heartbeat'])}"
    yield Line(text=text, tone="bad" if run["interrupted"] else "")
    yield from _objects(run, clock)


def _state(run: Record, pending: Sequence[str] | None) -> str:
    """``pending``: hosts that require a reboot, None if that is unknown. Which of them the run was to reboot is not in the journal."""
    if run["alive"] == "yes":
        return "in progress"
    if run["alive"] == "unknown":
        return "UNKNOWN"
    if run["interrupted"]:
        return "interrupted"
    if not run["ended_early"]:
        return "ended"
    if pending is None:
        return "ended early; which hosts still require a reboot is unknown"
    if not pending:
        return "ended before it cleared its journal; no device requires a reboot any more"
    names = ", ".join(name_ranges(map(one_line, pending)))
    verb = "requires" if len(pending) == 1 else "require"
    return f"ended early; {counted(len(pending), 'host')} still {verb} a reboot ({names})"


def _objects(run: Record, clock: _Clock) -> Iterator[Line]:
    for vm in run["vms"]:
        how = "powered off" if vm["forced"] else "shut down"
        gone = ", not in the inventory any more" if vm["removed"] else ""
        since = clock.at(vm["since"])
        what = f"{how} for {one_line(vm['host'])}, {since}{gone}"
        what = f"is running again ({what})" if vm["power"] == "on" else what
        yield Line(
            text=f"    {_POWER[vm['power']]:8}VM {one_line(vm['name'])}: {what}",
            tone="" if vm["power"] == "on" else "bad",
        )
    for host in run["hosts"]:
        if not _is_settled(host):
            yield Line(text=f"    {_host(host, clock)}", tone="bad" if host["step"] == "failed" else "")
    yield from _settled([host for host in run["hosts"] if _is_settled(host)])
    for number, advice in enumerate(run["next"]):
        yield from _advice(advice, clock, "next" if number == 0 else "then")


def _is_settled(host: Record) -> bool:
    """Nothing is to be done for it, and it is where it belongs."""
    in_service = host["connection"] == "connected" and not host["in_maintenance"]
    return host["step"] in ("done", "blocked") and in_service


def _settled(hosts: Sequence[Record]) -> Iterator[Line]:
    """One line for all of them: they would hide the others."""
    parts = []
    for step, words in (("done", "done"), ("blocked", "back in service without a reboot")):
        names = name_ranges(one_line(host["name"]) for host in hosts if host["step"] == step)
        number = sum(1 for host in hosts if host["step"] == step)
        parts += [f"{counted(number, 'host')} {words} ({', '.join(names)})"] if number else []
    if parts:
        yield Line(text=f"    {'; '.join(parts)}")


def _host(host: Record, clock: _Clock) -> str:
    connection = str(host["connection"])
    state = [] if connection == "connected" else [one_line(_CONNECTION.get(connection, connection))]
    state += ["in maintenance mode"] if host["in_maintenance"] else []
    words = f"{one_line(host['cluster'])} {one_line(host['name'])}: {host['doing']}, since {clock.at(host['since'])}"
    words += f" [{', '.join(state)}]" if state else ""
    why = without_name(one_line(host["reason"]), one_line(host["name"]))
    return f"{words}: {why}" if why and host["step"] in ("failed", "blocked", "withdrawn") else words


def _advice(advice: Record, clock: _Clock, word: str) -> Iterator[Line]:
    """What to do, and the command on a line of its own, so that it can be copied as it is."""
    text = f"    {word}: {one_line(advice['do'])}"
    text += f" (no new one until {clock.at(advice['after'])})" if advice["after"] is not None else ""
    yield Line(text=f"{text}:" if advice["command"] else text)
    if advice["command"]:
        yield Line(text=f"      {one_line(advice['command'])}")


def _paused_place(pause: Record) -> str:
    return one_line(pause["cluster"]) or "the whole vCenter"


def _pause(pause: Record, clock: _Clock) -> str:
    since = f", since {clock.at(pause['since'])}" if pause["since"] is not None else ""
    by = f" (by {one_line(pause['by'])}{since})" if pause["by"] else ""
    chosen = json.dumps({"unpause_clusters": [literal(one_line(pause["cluster"]))]}, ensure_ascii=False)
    only = f" -e {shlex.quote(chosen)}" if pause["cluster"] else ""
    return f"paused: {_paused_place(pause)}: {one_line(pause['reason'])}{by}. To end the pause: {RESUME}{only}"


def _notes(result: Record) -> Iterator[str]:
    if result["status"] == "attention" and GUIDE.exists():
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
