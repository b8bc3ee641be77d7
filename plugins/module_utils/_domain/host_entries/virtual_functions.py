# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries of desired devices with virtual functions. PRIVATE to the collection.

Nothing here needs hardware. ``host.virtual_functions`` selects the physical functions of a host.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NoReturn

from ..errors import InputError
from ..host.selector import SELECTOR_KEYS, DesiredDevice, Selector, parse_selector, refuse_no_list
from ..suggest import as_whole, suggest_word

FUNCTION_KEYS = ("match", "vmnic", "virtual_functions")
_FORM = 'Write {match: "8086:1572", virtual_functions: 8} or {vmnic: vmnic4, virtual_functions: 8}; 0 turns SR-IOV off'


def is_function_entry(entry: object) -> bool:
    """Whether an entry of a list of desired devices is for ``host_sriov``."""
    return isinstance(entry, Mapping) and ("virtual_functions" in entry or "vmnic" in entry)


def parse_function_entries(raw: object, parameter: str = "devices") -> tuple[DesiredDevice, ...]:
    """Entries that all have virtual functions. Raises InputError, as ``parse_host_entries``."""
    entries = tuple(
        parse_function_entry(entry, f"{parameter}[{number}]")
        for number, entry in enumerate(refuse_no_list(raw, parameter))
    )
    refuse_function_contradictions(entries, parameter)
    return entries


def refuse_function_contradictions(entries: Sequence[DesiredDevice], parameter: str) -> None:
    """Raise InputError for entries with virtual functions that are equal, or that conflict with another one, or with one for passthrough,
    on any hardware."""
    for left, right in combinations([entry for entry in entries if entry.mode is None], 2):
        if left.virtual_functions is None and right.virtual_functions is None:
            continue
        if not left.selector.covers(right.selector) and not right.selector.covers(left.selector):
            continue
        if left.virtual_functions is None or right.virtual_functions is None:
            why = "one is for passthrough and one has virtual_functions, and a function cannot have both"
        elif left.virtual_functions != right.virtual_functions:
            why = f"one has {left.virtual_functions} virtual functions and one has {right.virtual_functions}"
        elif left.selector == right.selector:
            raise InputError(
                message=f"{parameter} names {left.selector.text} twice",
                code="duplicate_wish",
                parameter=parameter,
                cure="Keep one entry",
            )
        else:
            continue
        raise InputError(
            message=f"{parameter} has conflicting entries {left.selector.text} and {right.selector.text}: {why}",
            code="contradicting_wishes",
            parameter=parameter,
            cure="Make the entries narrower, so that no function matches both",
        )


def parse_function_entry(entry: object, parameter: str) -> DesiredDevice:
    """One entry with virtual functions. Raises InputError."""
    if not isinstance(entry, Mapping):
        _fail(f"{parameter} {entry!r} is not a mapping with virtual_functions", parameter)
    unknown = sorted(str(key) for key in entry if key not in FUNCTION_KEYS)
    if unknown:
        _fail(f"{parameter} has the unknown key {', '.join(unknown)}{_hint(unknown)}", parameter, FUNCTION_KEYS)
    if entry.get("virtual_functions") is None:
        _fail(f"{parameter} has no virtual_functions", parameter)
    if (entry.get("match") is None) == (entry.get("vmnic") is None):
        _fail(f"{parameter} must have exactly one of match and vmnic", parameter)
    number = as_whole(entry["virtual_functions"])
    if number is None or number < 0:
        raise InputError(
            message=f"{parameter}.virtual_functions {entry['virtual_functions']!r} is not a number of virtual functions",
            code="bad_count",
            parameter=f"{parameter}.virtual_functions",
            cure="Give a whole number. 0 turns SR-IOV off",
        )
    return DesiredDevice(selector=_selector(entry, parameter), virtual_functions=number)


def _hint(unknown: Sequence[str]) -> str:
    if any(key in ("count", "label") for key in unknown):
        return " (an entry with virtual_functions is for every function that matches)"
    misplaced = [key for key in unknown if key in SELECTOR_KEYS]
    if misplaced:
        return f" (a condition belongs under match, as in match: {{{misplaced[0]}: ...}})"
    return suggest_word(unknown[0], FUNCTION_KEYS)


def _selector(entry: Mapping[str, object], parameter: str) -> Selector:
    vmnic = entry.get("vmnic")
    if vmnic is None:
        return parse_selector(entry["match"], f"{parameter}.match")
    if not isinstance(vmnic, str) or not vmnic.strip():
        _fail(f"{parameter}.vmnic {vmnic!r} is not the name of a physical NIC", parameter)
    return Selector(vmnic=vmnic.strip())


def _fail(message: str, parameter: str, candidates: Sequence[str] = ()) -> NoReturn:
    raise InputError(message=message, code="bad_devices", parameter=parameter, candidates=candidates, cure=_FORM)
