# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mode of a PCI device, from vSphere 9.1 on. PRIVATE to the collection.

Source: API reference, HostPciPassthruInfoDirectPathState: ``mode`` is the configured mode, which may need a reboot to take effect.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

MODES: Mapping[str, str] = {
    "none": "none",
    "host": "host",
    "directPath": "directpath",
    "enhancedDirectPath": "enhanced_directpath",
    "vGpuSameSize": "vgpu_same_size",
    "vGpuMixedSize": "vgpu_mixed_size",
}
"""Spelling of the API → that of the collection, which is also that of the Automation API in lower case.

``systemSelect`` is left out: it can be requested, but a device reads back another mode, so it is no state."""
PASSED_MODES = frozenset({"directpath", "enhanced_directpath"})
"""Modes in which a VM gets the whole device."""
SHARED_MODES = frozenset({"vgpu_same_size", "vgpu_mixed_size"})
_OF_EVERY_DEVICE = frozenset({"none", "host", "directpath"})
"""Modes of a device as installed, or shown as passthrough."""


def is_chosen_mode(mode: str) -> bool:
    """Whether the mode of a device was chosen, and passthrough does not show it."""
    return mode in MODES.values() and mode not in _OF_EVERY_DEVICE


@dataclass(frozen=True, kw_only=True, slots=True)
class DirectPathState:
    """``mode``: the configured mode. ``offered``: the modes that the device can be configured to, sorted."""

    mode: str
    offered: tuple[str, ...] = ()

    @classmethod
    def of(cls, mode: str, offered: Iterable[str]) -> DirectPathState:
        """From the spelling of the API. A mode of a later release keeps its name."""
        return cls(mode=MODES.get(mode, mode), offered=tuple(sorted({MODES.get(one, one) for one in offered})))
