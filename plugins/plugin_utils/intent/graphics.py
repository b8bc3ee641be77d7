# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check of the graphics settings in an intent. PRIVATE to the collection.

``docs/intent.schema.json`` has the same rules (``tools/intent_schema.py``).
"""

from __future__ import annotations

from typing import Any

from ...module_utils._domain.errors import InputError
from ...module_utils._domain.graphics.desired import GPU_KEYS, GRAPHICS_KEYS, parse_graphics
from ...module_utils._domain.observed.graphics import MODES, POLICIES, TYPES
from .source_location import Place, PlacedError, choice, items, mapping, truth

CHOICES = {"default_type": TYPES, "assignment_policy": POLICIES}
GPU_CHOICES = {"type": TYPES, "vgpu_mode": MODES}


def graphics_entry(place: Place, raw: Any, *, for_several: bool) -> dict[str, Any]:
    """Check the graphics settings of hosts and return them. ``for_several``: they are for more than one host. Raises PlacedError."""
    entry = dict(mapping(place, raw, GRAPHICS_KEYS))
    for key, value in entry.items():
        where = place.key(key)
        if key in CHOICES:
            entry[key] = choice(where, value, CHOICES[key])
        elif key == "restart_xorg":
            entry[key] = truth(where, value)
        else:
            entry[key] = [_gpu(each, one) for each, one in items(where, value)]
    try:
        desired = parse_graphics(entry, place.path)
    except InputError as error:
        raise PlacedError(
            host=place.host,
            message=error.message if place.path in error.message else f"{place.path}: {error.message}",
            code=error.code,
            cure=error.cure,
            parameter=error.parameter if error.parameter.startswith(place.path) else place.path,
            candidates=error.candidates,
        ) from error
    for number, gpu in enumerate(desired.gpus):
        if for_several and gpu.selector.address is not None and not gpu.selector.names_kind:
            cure = "Add vendor_id and device_id to it, or use it for one host only: another host has another device at this address"
            problem = "has an address for several hosts without vendor_id and device_id of the device"
            place.key("devices").item(number).fail("address_needs_identity", problem, cure)
    return entry


def _gpu(place: Place, raw: Any) -> dict[str, Any]:
    entry = dict(mapping(place, raw, GPU_KEYS))
    for key in GPU_CHOICES:
        if key in entry:
            entry[key] = choice(place.key(key), entry[key], GPU_CHOICES[key])
    return entry
