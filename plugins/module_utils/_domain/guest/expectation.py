# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a guest is expected to see and to do with its devices. PRIVATE to the collection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:  # who reads the intent needs WORKS only
    from .report import GuestDevice

Works: TypeAlias = Literal["auto", "none", "nvidia-smi", "nvme", "link"]
WORKS: tuple[Works, ...] = ("auto", "none", "nvidia-smi", "nvme", "link")
"""How to verify that a device works. ``auto``: by vendor and class. ``none``: the driver is the last step."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Expectation:
    """Devices of one kind in one guest.

    ``ids``: accepted models, as ``vendor:device`` or as ``vendor`` alone. ``drivers``: accepted names; empty accepts any driver that is
    not a stub. ``command``: number of a command of the user among those of the probe, whose exit status must be 0.
    """

    ids: tuple[str, ...]
    count: int = 1
    drivers: tuple[str, ...] = ()
    works: Works = "auto"
    min_memory_gb: int | None = None
    command: int | None = None

    @property
    def text(self) -> str:
        return " or ".join(self.ids)

    def matches(self, device: GuestDevice) -> bool:
        return device.ids in self.ids or device.vendor_id in self.ids
