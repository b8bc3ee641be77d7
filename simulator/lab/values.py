# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Custom attributes: `custom_values` of a lab on virtual machines, hosts and clusters, and what people write while it runs."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pyVmomi import vmodl

from ..core.base import Entity
from .hardware.cards import LabError

if TYPE_CHECKING:
    from ..endpoint import SimulatedEndpoint


def put(sim: SimulatedEndpoint, entity: Entity, attribute: str, value: str) -> None:
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
    start = entity.sim.clock.start
    return [(entity, str(attribute), written(value, start)) for attribute, value in given.items()]


_AGO = re.compile(r"\{ago ((?:[0-9]+[dhms] ?)+)\}")
_SEAL = " ~{crc}"
_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def written(text: str, start: datetime) -> str:
    """A text of a lab as it stands when the lab begins: `{ago 1h 30m}` becomes that time, ` ~{crc}` at the end a checksum.

    A served lab begins when its server starts, so ages in it cannot be written as dates; and what programs keep in an attribute may be
    sealed: with the last four hexadecimal digits of the CRC-32 of all before.
    """

    def then(found: re.Match[str]) -> str:
        parts = {_UNITS[part[-1]]: int(part[:-1]) for part in found[1].split()}
        return (start - timedelta(**parts)).strftime("%Y-%m-%dT%H:%M:%SZ")

    text = _AGO.sub(then, text)
    if not text.endswith(_SEAL):
        return text
    line = text.removesuffix(_SEAL)
    return f"{line} ~{zlib.crc32(line.encode()) & 0xFFFF:04x}"
