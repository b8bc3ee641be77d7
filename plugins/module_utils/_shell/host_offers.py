# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host offers to VMs beside PCI functions, in results. PRIVATE to the collection."""

from __future__ import annotations

from typing import Any

from .._domain.vm.offers import DvxClass, GroupPart, Offer, OfferedGroup
from .engine.output import backing_result


def offer_result(offer: Offer | None) -> dict[str, Any]:
    """The keys ``vgpu_profiles``, ``device_groups`` and ``dvx_classes`` of a host. Null when they were not read."""
    if offer is None:
        return dict.fromkeys(("vgpu_profiles", "device_groups", "dvx_classes"))
    return {
        "vgpu_profiles": [_profile(offer, name) for name in sorted(offer.offered | offer.known.keys())],
        "device_groups": [_group(group) for _name, group in sorted(offer.groups.items())],
        "dvx_classes": [_dvx_class(found) for _name, found in sorted(offer.classes.items())],
    }


def _profile(offer: Offer, name: str) -> dict[str, Any]:
    known = offer.known.get(name)
    return {
        "name": name,
        "offered": name in offer.offered,
        "sharing": known.sharing if known else None,
        "memory_gb": known.memory_gb if known else None,
        "gpu": known.model if known else None,
    }


def _group(group: OfferedGroup) -> dict[str, Any]:
    return {
        "name": group.name,
        "description": group.description,
        "can_be_attached": bool(group.parts) and all(part.backing is not None for part in group.parts),
        "devices": [_part(part) for part in group.parts],
    }


def _part(part: GroupPart) -> dict[str, Any]:
    more = {} if part.backing is None else {"backing": part.backing.kind, **backing_result(part.backing)}
    return {"type": part.type, "name": part.name, **more}


def _dvx_class(found: DvxClass) -> dict[str, Any]:
    return {
        "name": found.name,
        "label": found.label,
        "vendor": found.vendor,
        "for_network_adapters": found.for_nic,
        "parameters": [
            {
                "key": one.key,
                "label": one.label,
                "type": one.type,
                "minimum": one.minimum,
                "maximum": one.maximum,
                "choices": list(one.choices),
                "default": one.default,
            }
            for one in found.parameters
        ],
    }
