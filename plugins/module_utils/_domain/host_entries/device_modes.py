# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries of desired devices with a device mode. PRIVATE to the collection.

Nothing here needs hardware. ``device_modes.plan`` selects the devices of a host.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NoReturn

from ..errors import InputError
from ..host.selector import SELECTOR_KEYS, DesiredDevice, parse_selector, refuse_no_list
from ..observed.direct_path import MODES, PASSED_MODES
from ..suggest import suggest_word

MODE_KEYS = ("match", "mode")
MODE_NAMES = tuple(MODES.values())
_FORM = 'Write {match: "10de:20f1", mode: vgpu_mixed_size}'


def is_mode_entry(entry: object) -> bool:
    """Whether an entry of a list of desired devices is for ``host_device_mode``."""
    return isinstance(entry, Mapping) and "mode" in entry


def parse_mode_entries(raw: object, parameter: str = "devices") -> tuple[DesiredDevice, ...]:
    """Entries that all have a mode. Raises InputError, as ``parse_host_entries``."""
    entries = tuple(
        parse_mode_entry(entry, f"{parameter}[{number}]") for number, entry in enumerate(refuse_no_list(raw, parameter))
    )
    refuse_mode_contradictions(entries, parameter)
    return entries


def without_modes(entries: Sequence[DesiredDevice]) -> tuple[DesiredDevice, ...]:
    """The entries of other kinds."""
    return tuple(entry for entry in entries if entry.mode is None)


def with_modes(entries: Sequence[DesiredDevice]) -> tuple[DesiredDevice, ...]:
    """The entries with a mode."""
    return tuple(entry for entry in entries if entry.mode is not None)


def refuse_mode_contradictions(entries: Sequence[DesiredDevice], parameter: str) -> None:
    """Raise InputError for entries with a mode that are equal, or that conflict with another entry on any hardware."""
    for left, right in combinations(entries, 2):
        if left.mode is None and right.mode is None:
            continue
        if not left.selector.covers(right.selector) and not right.selector.covers(left.selector):
            continue
        if left.selector == right.selector and left.mode == right.mode:
            raise InputError(
                message=f"{parameter} names {left.selector.text} twice",
                code="duplicate_wish",
                parameter=parameter,
                cure="Keep one entry",
            )
        if left.mode == right.mode:
            continue
        why = _conflict(left, right)
        if not why:
            continue
        raise InputError(
            message=f"{parameter} has conflicting entries {left.selector.text} and {right.selector.text}: {why}",
            code="contradicting_wishes",
            parameter=parameter,
            cure="Make the entries narrower, so that no device matches both. Passthrough of the whole device is mode: directpath",
        )


def _conflict(left: DesiredDevice, right: DesiredDevice) -> str:
    """Why a device cannot be as both entries say; empty when it can: the host keeps a device in a mode that is not for passthrough, so it
    can have virtual functions."""
    if left.mode is not None and right.mode is not None:
        return f"one has the mode {left.mode} and one {right.mode}"
    mode, other = (left, right) if left.mode is not None else (right, left)
    if other.virtual_functions is None:
        return "one has a mode and one is for passthrough, and a device has one mode"
    if other.virtual_functions and mode.mode in PASSED_MODES:
        return (
            f"one has the mode {mode.mode} and one has virtual_functions, and a device that is passed through has none"
        )
    return ""


def parse_mode_entry(entry: object, parameter: str) -> DesiredDevice:
    """One entry with a mode. Raises InputError."""
    if not isinstance(entry, Mapping):
        _fail(f"{parameter} {entry!r} is not a mapping with mode", parameter)
    unknown = sorted(str(key) for key in entry if key not in MODE_KEYS)
    if unknown:
        _fail(f"{parameter} has the unknown key {', '.join(unknown)}{_hint(unknown)}", parameter, MODE_KEYS)
    if entry.get("match") is None:
        _fail(f"{parameter} selects no device: match is missing", parameter)
    mode = entry.get("mode")
    if mode not in MODE_NAMES:
        said = mode if isinstance(mode, str) else repr(mode)
        hint = (
            ": it lets the server choose, so no state can be compared with it"
            if said == "system_select"
            else suggest_word(str(mode), MODE_NAMES)
        )
        raise InputError(
            message=f"{parameter}.mode {said} is not a device mode{hint}",
            code="bad_mode",
            parameter=f"{parameter}.mode",
            candidates=MODE_NAMES,
            cure=f"Give one of {', '.join(MODE_NAMES)}. host_pci_device_info lists which of them each device offers",
        )
    return DesiredDevice(selector=parse_selector(entry["match"], f"{parameter}.match"), mode=str(mode))


def _hint(unknown: Sequence[str]) -> str:
    if any(key in ("count", "label") for key in unknown):
        return " (an entry with mode is for every device that matches)"
    misplaced = [key for key in unknown if key in SELECTOR_KEYS]
    if misplaced:
        return f" (a condition belongs under match, as in match: {{{misplaced[0]}: ...}})"
    return suggest_word(unknown[0], MODE_KEYS)


def _fail(message: str, parameter: str, candidates: Sequence[str] = ()) -> NoReturn:
    raise InputError(message=message, code="bad_devices", parameter=parameter, candidates=candidates, cure=_FORM)
