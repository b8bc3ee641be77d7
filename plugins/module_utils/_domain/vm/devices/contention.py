# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wishes of one run that speak about the same devices. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ...observed.vms import DynamicBacking, FixedBacking
from ...plan import Blocker
from .draft import Draft
from .matching import is_meant


def waits_for_others(drafts: Sequence[Draft]) -> Mapping[str, Blocker]:
    """VM id → why it cannot have *all* devices of a kind in this run: another VM gives one of them up in the same run.

    What is given up is free only once that VM was reconfigured, so "all" would mean less now than in the next run.
    """
    found = {}
    for draft in drafts:
        if draft.desired.state == "absent" or draft.host is None:
            continue
        for entry in draft.desired.devices:
            if entry.count != "all":
                continue
            givers = [
                f"{other.vm.name} gives up {address}"
                for other in drafts
                if other is not draft and other.vm.host_moid == draft.vm.host_moid
                for address in _given_up(other)
                if (device := draft.host.device(address)) is not None and is_meant(entry, device)
            ]
            if givers:
                found[draft.vm.moid] = Blocker(
                    code="devices_changing_hands",
                    message=f"{draft.vm.name} asks for {entry.text}, and {', '.join(givers)} in this same run",
                    cure="Run this again once that is done, or ask for a number",
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
