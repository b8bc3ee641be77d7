# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One result of several modules that a role called for the same hosts. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Record = Mapping[str, Any]

_WORST = ("failed", "refused", "not_reached", "changed", "pending", "skipped", "ok")
"""The status of a host that several modules worked on is the first of these that one of them returned."""
_TEXTS = ("msg", "summary")
_NUMBERS = ("calls", "logins")


def merged_calls(calls: Sequence[Record | None]) -> dict[str, Any]:
    """The results of module calls as if one module had made them. Calls that were skipped, or not made, are left out.

    Lists are joined. Each host is there once, with the worst status. The error code is that of the first call that failed.
    """
    made = [dict(call) for call in calls if call and not call.get("skipped")]
    if len(made) < 2:
        return made[0] if made else {"skipped": True}
    merged: dict[str, Any] = {}
    for call in made:
        for key, value in call.items():
            merged[key] = _merged(key, merged[key], value) if key in merged else value
    return merged


def _merged(key: str, first: Any, second: Any) -> Any:
    if key == "hosts":
        return _hosts([*first, *second])
    if key in _TEXTS:
        return f"{first} | {second}" if first != second else first
    if key in _NUMBERS:
        return first + second
    if isinstance(first, bool) and isinstance(second, bool):
        return first or second
    if isinstance(first, list) and isinstance(second, list):
        return [*first, *(entry for entry in second if entry not in first)]
    if key == "diff" and isinstance(first, Mapping) and isinstance(second, Mapping):
        return {side: f"{first.get(side, '')}{second.get(side, '')}" for side in ("before", "after")}
    return first


def _hosts(entries: Sequence[Record]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for entry in entries:
        moid = str(entry["moid"])
        found[moid] = _host(found[moid], entry) if moid in found else dict(entry)
    return sorted(found.values(), key=lambda host: (str(host["name"]), str(host["moid"])))


def _host(first: dict[str, Any], second: Record) -> dict[str, Any]:
    """``reboot_required`` is unknown (None) if one module knows of no reboot and another cannot tell."""
    host = {**second, **first}
    for key, value in second.items():
        if isinstance(value, list) and isinstance(first.get(key), list):
            host[key] = [*first[key], *(entry for entry in value if entry not in first[key])]
    states = [str(one.get("status")) for one in (first, second)]
    host["status"] = next((status for status in _WORST if status in states), states[0])
    reboots = [one.get("reboot_required") for one in (first, second)]
    host["reboot_required"] = True if True in reboots else None if None in reboots else False
    for key in ("error", "error_code", "next"):
        host[key] = first.get(key) or second.get(key)
    return host
