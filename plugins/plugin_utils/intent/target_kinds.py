# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets of an intent by the module that applies them. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ...module_utils._domain.host.mode_entries import is_mode_entry

KINDS: Mapping[str, Callable[[object], bool]] = {
    "passthrough": lambda entry: not is_mode_entry(entry),
    "device_mode": is_mode_entry,
}
"""Kind → whether an entry of desired devices is of it. The module is host_KIND."""


def targets_of(targets: Sequence[Mapping[str, Any]], kind: str) -> list[dict[str, Any]]:
    """The targets with only their entries of one kind (``passthrough`` or ``device_mode``). Targets without any are left out."""
    if kind not in KINDS:
        raise AnsibleFilterError(f"targets_of: {kind!r} is none of {', '.join(KINDS)}")
    found = []
    for target in targets:
        devices = [entry for entry in target.get("devices") or () if KINDS[kind](entry)]
        if devices:
            found.append({**target, "devices": devices})
    return found
