# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of modules in words a person reads in a terminal. PRIVATE to the collection.

Input are the plain mappings modules return; nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Record = Mapping[str, Any]

_WORDS = {
    "ok": "as wanted",
    "changed": "changed",
    "pending": "waits for a reboot",
    "refused": "refused",
    "skipped": "skipped",
    "unreachable": "not reachable",
    "failed": "failed",
    "not_reached": "not reached, the run stopped before it",
}


def lines(result: Record) -> list[str]:
    """One line a host or VM, followed by one for each change, device still pending, refusal and warning."""
    written = []
    for target in _targets(result):
        name = target["name"]
        written.append(f"{name}: {_WORDS.get(target.get('status', ''), target.get('status', ''))}{_seconds(target)}")
        written += [f"  {change_line(record)}" for record in _changes_of(result, name)]
        written += [f"  {address} is enabled and waits for a reboot" for address in target.get("pending") or ()]
        written += [f"  refused: {blocker_sentence(blocker)}" for blocker in target.get("blockers") or ()]
        written += [f"  note: {warning}" for warning in target.get("warnings") or ()]
    return written or [str(result.get("summary") or result.get("msg") or "nothing to do")]


def differences(results: Sequence[Record]) -> list[str]:
    """What check runs of modules over the whole intent found not to be as wanted; empty when everything is.

    A change that would be made, a device that waits for a reboot, and a refusal are each a difference.
    """
    found = []
    for result in results:
        for target in _targets(result):
            name = target["name"]
            found += [f"{name}: {change_line(record)} is still to be done" for record in _changes_of(result, name)]
            found += [f"{name}: {address} is enabled, but not active before a reboot" for address in _waiting(target)]
            found += [f"{name}: {blocker_sentence(blocker)}" for blocker in target.get("blockers") or ()]
            if target.get("status") in ("skipped", "unreachable") and not target.get("blockers"):
                found.append(f"{name}: {_WORDS[target['status']]}")
        if result.get("failed") and not any(target.get("blockers") for target in _targets(result)):
            found.append(str(result.get("msg", "failed")))
    return found


def settled_targets(targets: Sequence[Record], hosts: Sequence[Record], waiting: Sequence[str]) -> list[dict[str, Any]]:
    """``targets`` without the hosts in ``waiting``; clusters become the hosts they hold (``hosts``: of host_passthrough).

    For a check run in which owed reboots are not going to be made: devices of waiting hosts must not count as active.
    """
    left_out = {name.casefold() for name in waiting}
    settled = []
    for target in targets:
        members = list(target.get("hosts") or ())
        clusters = set(target.get("cluster") or ())
        members += [host["name"] for host in hosts if host.get("cluster") in clusters and host["name"] not in members]
        kept = [name for name in members if name.casefold() not in left_out]
        if kept:
            settled.append({"hosts": kept, "devices": list(target.get("devices") or ())})
    return settled


def change_line(record: Record) -> str:
    """``0000:3b:00.0 off → on (10de:20f1 NVIDIA A100)``, or ``memory reservation: 0 → locked`` for other kinds."""
    before, after = record.get("before"), record.get("after")
    if record.get("kind") == "passthrough" and isinstance(before, Mapping) and isinstance(after, Mapping):
        label = ""
        if after.get("label") != before.get("label"):
            label = f", label {_plain(before.get('label'))} → {_plain(after.get('label'))}"
        return f"{record['subject']} {_switch(before)} → {_switch(after)}{label} ({after.get('device', '')})"
    kind = str(record.get("kind", "")).replace("_", " ")
    subject = str(record.get("subject", ""))
    head = kind if subject in ("", kind) else f"{kind} {subject}"
    return f"{head}: {_plain(before)} → {_plain(after)}"


def blocker_sentence(blocker: Record | str) -> str:
    """What, why, what would do instead and what to do, in one line."""
    if isinstance(blocker, str):
        return blocker
    parts = [str(blocker.get("message", "")).rstrip(".") + "."]
    if blocker.get("candidates"):
        parts.append("Candidates: " + "; ".join(blocker["candidates"]) + ".")
    if blocker.get("cure"):
        parts.append(str(blocker["cure"]).rstrip(".") + ".")
    return " ".join(parts)


def _targets(result: Record) -> list[Record]:
    return [*(result.get("hosts") or ()), *(result.get("vms") or ())]


def _changes_of(result: Record, name: str) -> list[Record]:
    return [record for record in result.get("changes") or () if record.get("target") == name]


def _waiting(target: Record) -> list[str]:
    return [str(entry) for entry in target.get("pending") or ()]


def _seconds(target: Record) -> str:
    """`` (drained in 4 s, back after 62 s)`` for a reboot that was made."""
    seconds = target.get("seconds") or {}
    words = {"drain": "drained in", "reboot": "back after", "verify": "verified in"}
    parts = [f"{words[key]} {round(seconds[key])} s" for key in words if seconds.get(key)]
    return f" ({', '.join(parts)})" if parts else ""


def _switch(side: Record) -> str:
    return "on" if side.get("enabled") else "off"


def _plain(value: Any) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(value[key])}" for key in sorted(value))
    if isinstance(value, list | tuple):
        return ", ".join(_plain(entry) for entry in value) or "-"
    return str(value)
