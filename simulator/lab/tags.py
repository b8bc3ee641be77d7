# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags of a lab: categories at its top, and `tags` on virtual machines, hosts and clusters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..core.base import Entity
from ..vapi.tags import Refusal
from .expand import unknown_keys
from .hardware.cards import LabError

if TYPE_CHECKING:
    from ..endpoint import SimulatedEndpoint


def categories(sim: SimulatedEndpoint, lab: Mapping[str, Any]) -> None:
    """Make `tag_categories: [{name, cardinality, types}]`. Raises LabError."""
    listed = lab.get("tag_categories") or []
    if listed and sim.kind != "vcenter":
        raise LabError("an ESXi host has no tags")
    for item in listed:
        given = item if isinstance(item, Mapping) else {"name": item}
        name, cardinality = str(given.get("name", "")), str(given.get("cardinality", "multiple"))
        unknown_keys(given, {"name", "cardinality", "types"}, f"tag category {name}")
        if cardinality not in ("single", "multiple"):
            raise LabError(f"tag category {name}: cardinality is single or multiple, not {cardinality!r}")
        types = [str(kind) for kind in given.get("types") or []]
        try:
            sim.tags.add_category(name, cardinality=cardinality.upper(), types=types)
        except Refusal as refusal:
            raise LabError(f"tag category {name}: {refusal}") from None


def attach(sim: SimulatedEndpoint, entity: Entity, entry: Mapping[str, Any]) -> None:
    """Put the `tags` of an entry, each as Category/name, on what was made of it. Raises LabError."""
    named = entry.get("tags") or []
    if named and sim.kind != "vcenter":
        raise LabError(f"{entity.name}: an ESXi host has no tags")
    if not isinstance(named, list):
        raise LabError(f"{entity.name}: tags is a list, not {named!r}")
    for path in named:
        try:
            sim.tags.attach(str(path), entity)
        except Refusal as refusal:
            raise LabError(f"{entity.name}: tag {path}: {refusal}") from None
