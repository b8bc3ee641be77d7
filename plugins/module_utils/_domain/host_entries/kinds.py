# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of desired devices of a host with entries of all kinds. PRIVATE to the collection.

Each kind has a module of its own, because each is written in its own way: ``host_passthrough``, ``host_sriov`` (entries with
``virtual_functions``) and ``host_device_mode`` (entries with ``mode``).
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from ..host.selector import DesiredDevice, parse_entry, refuse_contradictions, refuse_no_list
from .device_modes import is_mode_entry, parse_mode_entry, refuse_mode_contradictions
from .virtual_functions import is_function_entry, parse_function_entry, refuse_function_contradictions

EntryKind: TypeAlias = Literal["passthrough", "sriov", "device_mode"]
"""The module of an entry is host_KIND."""
_PARSE = {"passthrough": parse_entry, "sriov": parse_function_entry, "device_mode": parse_mode_entry}


def kind_of(entry: object) -> EntryKind:
    """The kind of an entry as the user wrote it."""
    if is_function_entry(entry):
        return "sriov"
    return "device_mode" if is_mode_entry(entry) else "passthrough"


def parse_host_entries(raw: object, parameter: str = "devices") -> tuple[DesiredDevice, ...]:
    """Entries of all kinds. Raises InputError when an entry is wrong, is listed twice, or conflicts with another."""
    entries = tuple(
        _PARSE[kind_of(entry)](entry, f"{parameter}[{number}]")
        for number, entry in enumerate(refuse_no_list(raw, parameter))
    )
    refuse_contradictions([entry for entry in entries if entry.is_passthrough], parameter, default_is_all=False)
    refuse_function_contradictions(entries, parameter)
    refuse_mode_contradictions(entries, parameter)
    return entries
