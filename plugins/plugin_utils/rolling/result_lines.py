# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a rolling reboot, as a role stores it, in lines for a terminal. PRIVATE to the collection.

The input is the mapping that the module returns; nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any

from ...module_utils._domain.rolling.state.timeline import clock
from ...module_utils._domain.text import counted, name_ranges, without_name
from .progress import View
from .summary_lines import MOST_HOSTS, schedule_lines, skipped_lines

Record = Mapping[str, Any]

MOST_IDLE = 20
"""Maximum number of host names in the line of hosts that require no reboot."""

_PHASES = {
    "idle": "requires no reboot",
    "waiting": "not reached",
    "done": "rebooted",
    "returned": "returned to service without a reboot",
    "failed": "FAILED",
}


def is_rolling(result: Record) -> bool:
    """Whether this is the result of a rolling reboot that has at least observed its hosts."""
    return "timeline" in result and "state" in result


def owing(result: Record) -> list[str]:
    """Names of the hosts that require a reboot, or would by now, including blocked and failed ones."""
    return [str(host["name"]) for host in result.get("hosts") or () if host.get("phase") not in ("idle", "done")]


def missing_for_success(planned: Record, vcenter: str = "") -> list[str]:
    """All that is missing so that the hosts that require a reboot are rebooted, where consent is not set. Each host is named once."""
    left = (planned.get("schedule") or {}).get("left") or ()
    unknown = {str(host.get("name")) for host in left if _is_unreachable(host)}
    names = [name for name in owing(planned) if name not in unknown]
    skipped = skipped_lines(planned.get("schedule") or {})
    blocked = {str(host.get("name")) for host in left}
    free = [name for name in names if name not in blocked]
    skips = len(names) - len(free)
    place = f" of {vcenter}" if vcenter else ""
    if not names:
        they = "it requires" if len(unknown) == 1 else "they require"
        return [
            f"{counted(len(unknown), 'host')}{place} cannot be reached, so it is unknown whether {they} a reboot. Resolve this, or set "
            "rolling_reboot_consent=false to continue without a reboot.",
            *(f"Unknown: {text}" for text in skipped),
        ]
    them = ", ".join([*name_ranges(free), *([f"and {skips} that cannot be rebooted now: see below"] if skips else [])])
    verb = "requires" if len(names) == 1 else "require"
    return [
        f"{counted(len(names), 'host')}{place} {verb} a reboot ({them}), and rolling_reboot_consent is not set. "
        f"Set rolling_reboot_consent=true to reboot {'it' if len(names) == 1 else 'them'} in maintenance mode, as many at once as "
        "rolling_reboot_max_unavailable allows, or rolling_reboot_consent=false to continue without a reboot.",
        *(f"Also missing: {text}" for text in skipped),
    ]


def _is_unreachable(host: Record) -> bool:
    blockers = host.get("blockers") or ()
    return any(blocker.get("code") == "host_unreachable" for blocker in blockers if isinstance(blocker, Mapping))


def rolling_lines(result: Record, zone: tzinfo, *, whole: bool = False) -> list[str]:
    """The schedule, with times in this zone; or one line for each host with its result, and what to do next. ``whole``: also of many
    hosts, each with reasons."""
    schedule = result.get("schedule")
    if schedule:
        reasons = whole or len(schedule.get("hosts") or ()) <= MOST_HOSTS
        return [line.text for line in schedule_lines(schedule, View(zone=zone, reasons=reasons))]
    return [*_done(result), *(f"next: {sentence}" for sentence in result.get("resume") or ())]


def _done(result: Record) -> list[str]:
    hosts: Sequence[Record] = result.get("hosts") or ()
    written = []
    for host in hosts:
        phase = str(host.get("phase", ""))
        if phase == "idle":
            if host.get("in_maintenance_mode"):
                written.append(
                    f"{host.get('cluster') or ''} {host['name']}: requires no reboot, is in maintenance mode".strip()
                )
            continue
        word = _PHASES.get(phase, phase)
        reason = str(host.get("reason") or "") if phase not in ("done", "returned") else ""
        why = f": {without_name(reason, host['name'])}" if reason else ""
        written.append(f"{host.get('cluster') or ''} {host['name']}: {word}{_seconds(host)}{why}".strip())
        messages = [str(blocker.get("message", blocker)) for blocker in host.get("blockers") or ()]
        written += [f"  {text}" for text in messages if text.rstrip(".") not in reason]
        if host.get("vms") and phase != "done":
            written.append(f"  stopped for it: {', '.join(host['vms'])}")
    return [*written, *_idle([str(host["name"]) for host in hosts if _is_idle(host)])] or ["nothing to do"]


def _is_idle(host: Record) -> bool:
    return host.get("phase") == "idle" and not host.get("in_maintenance_mode")


def _idle(names: list[str]) -> list[str]:
    if not names:
        return []
    shown = ", ".join(names) if len(names) <= MOST_IDLE else f"{len(names)} hosts"
    return [f"{shown}: {'requires' if len(names) == 1 else 'require'} no reboot"]


def _seconds(host: Record) -> str:
    """`` (drained in 00:04, back after 01:02)``."""
    seconds = host.get("seconds") or {}
    words = {"drain": "drained in", "reboot": "back after"}
    parts = [f"{word} {clock(seconds[key])}" for key, word in words.items() if seconds.get(key)]
    return f" ({', '.join(parts)})" if parts else ""
