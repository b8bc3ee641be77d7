# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compute policies of a lab."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..rules.maintenance import EVACUATIONS
from ..vapi.policies import EFFECTS, NEWER, PREFIX, SINCE
from ..vapi.tags import Refusal
from .expand import unknown_keys
from .hardware.cards import LabError

if TYPE_CHECKING:
    from ..endpoint import SimulatedEndpoint

_KEYS = {"name", "capability", "tag", "effect"}


def load(sim: SimulatedEndpoint, lab: Mapping[str, Any]) -> None:
    """Make `compute_policies: [{name, capability, tag, effect}]`. Raises LabError.

    A capability that does not begin with `com.` is below the prefix of all. `effect` is required where the capability is not published, and
    an error where it is.
    """
    listed = lab.get("compute_policies") or []
    release = tuple(int(part) for part in sim.product_version.split("."))
    if listed and (sim.kind != "vcenter" or release < SINCE):
        raise LabError("only a vCenter of 7.0.3 or later has compute policies")
    for item in listed:
        if not isinstance(item, Mapping):
            raise LabError(f"compute_policies is a list of mappings, not of {item!r}")
        name, short = str(item.get("name", "")), str(item.get("capability", ""))
        unknown_keys(item, _KEYS, f"compute policy {name}")
        capability = short if short.startswith("com.") else PREFIX + short
        if release < NEWER.get(capability, SINCE):
            raise LabError(f"compute policy {name}: vCenter {sim.product_version} does not have {short}")
        effect = item.get("effect")
        if capability in EFFECTS and effect is not None:
            raise LabError(f"compute policy {name}: what {short} does is published, so it has no effect of its own")
        if capability not in EFFECTS and effect not in EVACUATIONS:
            known = ", ".join(repr(one) for one in EVACUATIONS)
            raise LabError(f"compute policy {name}: {short} is not published, so its effect is one of {known}")
        try:
            tag = sim.tags.made(str(item.get("tag", "")))
            sim.policies.add(name, capability, tag, EFFECTS.get(capability, str(effect or "")))
        except Refusal as refusal:
            raise LabError(f"compute policy {name}: {refusal}") from None
