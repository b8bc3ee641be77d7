# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The VMs of an intent whose devices are detached. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

ONLY_FOR_ATTACHING = (
    "state",
    "kinds",
    "backing",
    "mmio",
    "disable_hot_add",
    "latency_sensitivity",
    "minimum_hardware_version",
    "pin_to_host",
)


def vms_to_release(vms: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The entries without what is for attaching only. ``power: on`` is for a VM with its devices: the run that detaches them decides."""
    return [{key: value for key, value in vm.items() if not _is_for_attaching(key, value)} for vm in vms]


def _is_for_attaching(key: str, value: Any) -> bool:
    return key in ONLY_FOR_ATTACHING or (key, value) == ("power", "on")
