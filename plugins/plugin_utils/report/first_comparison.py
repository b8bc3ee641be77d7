# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The comparison that the playbook site makes before its first phase. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Record = Mapping[str, Any]


def compares_first(share: Record, devices: str, vms: str, reboot_if: str, *, fixed_targets: bool) -> bool:
    """Whether one comparison can replace all roles when everything is in sync.

    There must be a desired state, and no role may be configured to remove devices (``devices``: the state of enable_devices, ``vms``:
    that of attach_devices), or to reboot hosts for another reason than pending reboots (``reboot_if``, ``fixed_targets``: the variables
    of rolling_reboot).
    """
    desires = bool(share["targets"] or share["vms"] or share.get("graphics"))
    return desires and devices == "enabled" and vms != "absent" and reboot_if == "pending" and not fixed_targets


def first_result(comparison: Record) -> dict[str, Any] | None:
    """What the role verify would store, from a result of drift_info: None if something is left to do, or if nothing was compared."""
    if comparison.get("failed"):
        from .text import outcome  # imported here, because a run with nothing to do must not wait for it

        return {"differences": [], **outcome(comparison)}
    if not comparison.get("settled"):
        return None
    report = comparison["report"]
    return {"differences": [], "hosts": report["hosts"], "vms": report["vms"]}
