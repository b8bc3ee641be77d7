# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replaces option names in messages with the names that the reader can set: variables of a role. PRIVATE to the collection.

A message says ``set failed_hosts: verify``. A user of the role must set ``rolling_reboot_failed_hosts``; a variable ``failed_hosts`` would
have no effect.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

WORDS = tuple(
    """
    reboot_if booted_before on_missing allow_protected allow_build_change bmc bmc_defaults max_unavailable cluster_max_unavailable
    fleet_max_unavailable max_failures full_post operator_maintenance failed_hosts pinned_vms vm_order vm_order_tags never_stop
    never_stop_missing never_stop_tags wait_for_tools ignore_alarms evacuate_powered_off vsan_mode drain_timeout stop_timeout
    reboot_timeout verify_timeout leave_timeout restore_timeout ready_when ready_timeout canary_soak expected_minutes take_lock
    lock_ttl blocked_timeout pause_file journal_dir timeline_html timeline_json
    metrics_file vcenter_events
    """.split()
)
"""Options whose name is not an English word. Such a word always means the option."""

WITH_VALUE = {
    "method": "reboot|power_cycle",
    "journal": "auto|vcenter|file",
    "canary": "true|false",
    "progress": "auto|lines|none",
    "soak": r"\d",
}
"""Options whose name is an English word: it means the option only before one of these values."""

# No match inside something longer (esx-bmc, a path, a role variable) or inside quotes.
_BEFORE, _AFTER = r"(?<![\w./\\@:'\"-])", r"(?![\w/\\@'\"-])"
_STARTS_OF_VALUES = "|".join(f"{name}(?=: (?:{values}))" for name, values in WITH_VALUE.items())
_ANY = re.compile(f"{_BEFORE}(?:(?:{'|'.join(sorted(WORDS, key=len, reverse=True))}){_AFTER}|{_STARTS_OF_VALUES})")
_VALUED = re.compile(
    f"{_BEFORE}(?:(?:{'|'.join(sorted(WORDS, key=len, reverse=True))})(?=: [a-z0-9])|{_STARTS_OF_VALUES})"
)


def role_names(prefix: str, others: Mapping[str, str]) -> dict[str, str]:
    """Option → its name in the role: ``others``, and the prefix with the option for the rest. Empty without a prefix."""
    return {name: str(others.get(name) or prefix + name) for name in (*WORDS, *WITH_VALUE)} if prefix else {}


def renamed(text: str, names: Mapping[str, str], keep: Collection[str] = (), *, valued: bool = False) -> str:
    """The text with each option name replaced once. ``keep``: names of hosts and virtual machines, which are not changed. ``valued``: only
    replace options before a value, for texts that may contain any name.
    """
    pattern = _VALUED if valued else _ANY
    if not names or pattern.search(text) is None:
        return text
    held = [name for name in keep if name and pattern.search(name)]
    known = "|".join(map(re.escape, sorted(held, key=len, reverse=True)))
    parts = re.split(rf"(?<!\w)({known})(?!\w)", text) if held else [text]
    for place in range(0, len(parts), 2):  # the odd ones are names to keep
        parts[place] = pattern.sub(lambda found: names.get(found[0], found[0]), parts[place])
    return "".join(parts)


def renamed_record(record: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """A record of the progress file. The text of a note may contain the name of any virtual machine."""
    keep = [str(record.get(key) or "") for key in ("host", "cluster")]
    changed = dict(record)
    for key in ("reason", "text"):
        if isinstance(changed.get(key), str):
            changed[key] = renamed(changed[key], names, keep, valued=key == "text")
    return changed


def renamed_result(result: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """A result of the module with renamed options in its sentences. Names, codes and numbers are not changed."""
    if not names:
        return dict(result)
    keep = frozenset(_names_in(result))
    return {key: _told(key, value, names, keep) for key, value in result.items()}


_SENTENCES = ("msg", "reason", "error", "message", "cure", "reasons", "resume", "warnings", "why")
_WITHIN = ("hosts", "blockers", "schedule", "left", "timeline", "segments", "journal")


def _told(key: str, value: Any, names: Mapping[str, str], keep: Collection[str]) -> Any:
    if key == "notes":
        return [renamed(text, names, keep, valued=True) if isinstance(text, str) else text for text in value or ()]
    if key == "transitions":
        return [renamed_record(record, names) if isinstance(record, Mapping) else record for record in value or ()]
    if key in _SENTENCES and isinstance(value, str):
        return renamed(value, names, keep)
    if key in _SENTENCES and isinstance(value, Sequence):
        return [renamed(text, names, keep) if isinstance(text, str) else text for text in value]
    if key in _WITHIN and isinstance(value, Mapping):
        return {name: _told(name, part, names, keep) for name, part in value.items()}
    if key in _WITHIN and isinstance(value, Sequence) and not isinstance(value, str):
        return [_part(part, names, keep) for part in value]
    return value


def _part(part: Any, names: Mapping[str, str], keep: Collection[str]) -> Any:
    return (
        {name: _told(name, value, names, keep) for name, value in part.items()} if isinstance(part, Mapping) else part
    )


def _names_in(result: Mapping[str, Any]) -> Iterable[str]:
    """Names of hosts, clusters and virtual machines in the result."""
    schedule, timeline = result.get("schedule") or {}, result.get("timeline") or {}
    rows = [*(result.get("hosts") or ()), *(schedule.get("hosts") or ()), *(schedule.get("left") or ())]
    for row in [*rows, *(timeline.get("vms") or ())]:
        if not isinstance(row, Mapping):
            continue
        yield from (str(row[key]) for key in ("name", "cluster") if row.get(key))
        for vm in [*(row.get("vms") or ()), *(row.get("stops") or ())]:
            yield str(vm.get("name", "") if isinstance(vm, Mapping) else vm)
