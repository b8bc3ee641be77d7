# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is special about vendor device groups: all devices of a group come and go together. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Sequence

from ...observed.vms import Vm
from ...planning.details import GroupSpec
from ...planning.plan import Blocker
from ...suggest import suggest_word
from ..desired.units import DesiredGroup
from ..offers import Offer
from .held_units import HeldUnit
from .vgpu import where


def group_spec(entry: DesiredGroup, offer: Offer | None) -> GroupSpec:
    """The group with the devices of its template. It has no devices while the template is unknown, or when a device cannot be created: such
    a group is refused (``group_blockers``) and never written."""
    found = offer.groups.get(entry.name) if offer is not None else None
    parts = found.parts if found is not None else ()
    if any(part.backing is None for part in parts):
        parts = ()
    return GroupSpec(
        name=entry.name,
        parts=tuple((part.backing, part.sequence_id) for part in parts if part.backing is not None),
    )


def group_blockers(vm: Vm, entry: DesiredGroup, offer: Offer) -> list[Blocker]:
    """Why the hosts of a VM cannot give it a group; empty when they offer it whole."""
    found = offer.groups.get(entry.name)
    if found is None:
        return [
            Blocker(
                code="unknown_group",
                message=f"{vm.name} needs the vendor device group {entry.name}, which no host of {where(vm)} offers"
                + suggest_word(entry.name, offer.groups),
                cure="Use a group that is offered",
                candidates=tuple(sorted(offer.groups)),
            )
        ]
    others = [part for part in found.parts if part.backing is None]
    if found.parts and not others:
        return []
    kinds = ", ".join(dict.fromkeys(f"{part.name} ({part.type})".strip() for part in others))
    return [
        Blocker(
            code="group_unsupported",
            message=f"{vm.name} cannot get the vendor device group {entry.name}: "
            + (
                f"it has a device that needs more than the group says, such as a network: {kinds}"
                if others
                else "the server lists no device of it"
            )
            + ". A group is attached whole or not at all",
            cure="Attach this group in the vSphere Client, or use a group of vGPUs",
        )
    ]


def unread_name(vm: Vm, units: Sequence[HeldUnit]) -> Blocker:
    """The blocker when it is unknown which groups a VM has."""
    numbers = ", ".join(str(unit.instance) for unit in units)
    return Blocker(
        code="group_unknown",
        message=f"{vm.name} has the vendor device group {numbers}, whose name could not be read (config.deviceGroups)",
        cure="Check that the account has System.Read on the VM, and that pyvmomi is 8.0.0.1 or later",
    )
