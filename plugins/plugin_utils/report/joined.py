# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The results of several modules about the same hosts as one result. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .text import outcome

Record = Mapping[str, Any]

_TROUBLES = ("", "refused", "failed")
"""Values of ``trouble``, worst last."""
_STATUSES = ("skipped", "ok", "pending", "changed", "not_reached", "unreachable", "refused", "failed")
"""Statuses of a host. If several modules handled it, the last one of this list counts."""
_NAMES = ("reboot_required", "maintenance_mode_required", "refused", "passed_over", "overridden")
_ENTRIES = ("changes", "not_done", "notes")
_OF_A_HOST = ("pending", "groups", "overridden", "devices", "impacts", "blockers", "warnings")


def joined_outcome(calls: Sequence[Record | None]) -> dict[str, Any]:
    """The part of several module results that a role keeps: ``outcome`` of one, and their union if several were not skipped.

    ``trouble`` is the worst of them. A host has one entry, with the devices and messages of all modules.
    """
    made = [outcome(call) for call in calls if call and not call.get("skipped")]
    if len(made) < 2:
        return made[0] if made else outcome(None)
    joined: dict[str, Any] = {}
    for one in made:
        joined |= one
    for key in _NAMES:
        if any(key in one for one in made):
            joined[key] = sorted({str(name) for one in made for name in one.get(key) or ()})
    for key in _ENTRIES:
        if any(key in one for one in made):
            joined[key] = [entry for one in made for entry in one.get(key) or ()]
    joined["changed"] = any(one.get("changed") for one in made)
    joined["trouble"] = max((one["trouble"] for one in made), key=_TROUBLES.index)
    joined["summary"] = "; ".join(dict.fromkeys(str(one["summary"]) for one in made if one.get("summary")))
    joined["hosts"] = _hosts(made)
    for key in ("calls", "logins"):
        if any(key in one for one in made):
            joined[key] = sum(one.get(key) or 0 for one in made)
    bad = [one for one in made if one["trouble"]]
    if bad:
        joined["msg"] = " ".join(str(one.get("msg", "")) for one in bad).strip()
        joined["error_code"] = bad[0].get("error_code", "")
    return joined


def _hosts(made: Iterable[Record]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for one in made:
        for host in one.get("hosts") or ():
            known = found.get(str(host["moid"]))
            found[str(host["moid"])] = dict(host) if known is None else _joined_host(known, host)
    return sorted(found.values(), key=lambda host: (str(host["name"]), str(host["moid"])))


def _joined_host(left: Record, right: Record) -> dict[str, Any]:
    joined = {**left, **right}
    for key in _OF_A_HOST:
        if key in left or key in right:
            entries = [*(left.get(key) or ()), *(right.get(key) or ())]
            joined[key] = [entry for number, entry in enumerate(entries) if entry not in entries[:number]]
    joined["status"] = max((left["status"], right["status"]), key=_STATUSES.index)
    reboots = [one.get("reboot_required") for one in (left, right)]
    # Unknown (None) if one module cannot tell: see ``reboot_expectations``.
    joined["reboot_required"] = True if True in reboots else None if None in reboots else False
    for key in ("error", "error_code", "next"):
        if key in left or key in right:
            joined[key] = left.get(key) or right.get(key)
    return joined
