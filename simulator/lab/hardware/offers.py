# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`device_groups` and `dvx_classes` of a host in a lab.

device_groups:
  - {name: "Nvidia:2@grid_a100-40c%NVLink", parts: [{vgpu: grid_a100-40c}, {vgpu: grid_a100-40c}]}
dvx_classes:
  - {name: com.example.dvx, parameters: {size: {low: 0, high: 100, default: 10}, mode: {choices: ["1", "2"]}}}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...rules.vm.units import DvxClass, Group, Parameter, Part
from ..expand import unknown_keys
from .cards import LabError

PART_KINDS = ("vgpu", "dvx", "nic")


def groups(entry: Mapping[str, Any], host: str) -> tuple[Group, ...]:
    """The vendor device groups. Raises LabError."""
    found = []
    for item in entry.get("device_groups") or ():
        where = f"host {host}, device_groups"
        unknown_keys(item, {"name", "description", "parts"}, where)
        parts = tuple(_part(part, where) for part in item.get("parts") or ())
        found.append(Group(name=str(item["name"]), description=str(item.get("description", "")), parts=parts))
    return tuple(found)


def _part(item: Mapping[str, Any], where: str) -> Part:
    unknown_keys(item, {*PART_KINDS, "sequence"}, where)
    kinds = [kind for kind in PART_KINDS if kind in item]
    if len(kinds) != 1:
        raise LabError(f"{where}: a part is one of {', '.join(PART_KINDS)}, not {dict(item)!r}")
    return Part(kind=kinds[0], value=str(item[kinds[0]]), sequence=item.get("sequence"))


def dvx_classes(entry: Mapping[str, Any], host: str) -> tuple[DvxClass, ...]:
    """The DVX classes. Raises LabError."""
    found = []
    for item in entry.get("dvx_classes") or ():
        where = f"host {host}, dvx_classes"
        unknown_keys(item, {"name", "label", "vendor", "nic", "parameters"}, where)
        parameters = tuple(_parameter(key, value or {}, where) for key, value in (item.get("parameters") or {}).items())
        found.append(
            DvxClass(
                name=str(item["name"]),
                label=str(item.get("label", "")),
                vendor=str(item.get("vendor", "VMware")),
                nic=bool(item.get("nic", False)),
                parameters=parameters,
            )
        )
    return tuple(found)


def _parameter(key: str, item: Mapping[str, Any], where: str) -> Parameter:
    unknown_keys(item, {"type", "low", "high", "choices", "default"}, where)
    choices = tuple(map(str, item.get("choices") or ()))
    kind = str(item.get("type", "choice" if choices else "long"))
    if kind not in ("long", "choice", "bool", "string"):
        raise LabError(f"{where}: {key} is long, choice, bool or string, not {kind!r}")
    default = item.get("default", 0 if kind == "long" else False if kind == "bool" else None)
    return Parameter(
        key=key,
        kind=kind,
        low=int(item.get("low", 0)),
        high=int(item.get("high", 2**63 - 1)),
        choices=choices,
        default=default,
    )
