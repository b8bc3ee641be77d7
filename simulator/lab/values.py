# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Custom attributes: `custom_values` of a lab on virtual machines, hosts and clusters, and what people write while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pyVmomi import vmodl

from ..base import Entity
from .hardware import LabError

if TYPE_CHECKING:
    from ..simulator import Simulator


def put(sim: Simulator, entity: Entity, attribute: str, value: str) -> None:
    """Give an object a value; the attribute is made, for objects of all types, when there is none of this name. Raises LabError."""
    fields = sim.services.custom_fields
    if fields is None:
        raise LabError("an ESXi host has no custom attributes")
    found = [item.key for item in fields.props["field"] if item.name == attribute]
    try:
        fields.store(entity, found[0] if found else fields.define(attribute, None).key, value)
    except vmodl.fault.InvalidArgument as fault:
        raise LabError(
            f"{entity.name}: custom attribute {attribute!r}: its {fault.invalidProperty} is refused"
        ) from None


def of_entry(entity: Entity, entry: Mapping[str, Any]) -> list[tuple[Entity, str, str]]:
    """What an entry of a lab says of the object made of it, to be put when everything is in its place. Raises LabError."""
    given = entry.get("custom_values") or {}
    if not isinstance(given, Mapping):
        raise LabError(f"{entity.name}: custom_values is a mapping of attributes to texts, not {given!r}")
    for attribute, value in given.items():
        if not isinstance(value, str):
            raise LabError(f"{entity.name}: custom attribute {attribute!r} is a text, not {value!r}")
    return [(entity, str(attribute), value) for attribute, value in given.items()]
