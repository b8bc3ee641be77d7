# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Desired devices that another VM gives up in the same run. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ...observed.vms import DynamicBacking, FixedBacking
from ...planning.plan import Blocker
from .draft import Draft
from .matching import is_meant


def waits_for_others(drafts: Sequence[Draft]) -> Mapping[str, Blocker]:
    """VM id → blocker for ``count: all`` when another VM gives up such a device in the same run.

    The device is free only after the other VM was reconfigured, so "all" would mean fewer devices now than in the next run.
    """
    found = {}
    for draft in drafts:
        if draft.desired.state == "absent" or draft.host is None:
            continue
        for entry in draft.desired.devices:
            if entry.count != "all":
                continue
            releases = [
                f"{other.vm.name} gives up {address}"
                for other in drafts
                if other is not draft and other.vm.host_moid == draft.vm.host_moid
                for address in _given_up(other)
                if (device := draft.host.device(address)) is not None and is_meant(entry, device)
            ]
            if releases:
                found[draft.vm.moid] = Blocker(
                    code="devices_changing_hands",
                    message=f"{draft.vm.name} needs {entry.text}, but {', '.join(releases)} in the same run",
                    cure="Run this again after this run, or give a number as the count",
                )
    return found


def _given_up(draft: Draft) -> Iterator[str]:
    for device in draft.vm.devices:
        if device.key not in draft.detached:
            continue
        if isinstance(device.backing, FixedBacking) and device.backing.address:
            yield device.backing.address
        if isinstance(device.backing, DynamicBacking) and device.backing.assigned_address:
            yield device.backing.assigned_address
