# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""PCI addresses move when cards come and go or firmware numbers the buses again, while settings stay with the address.

Source: field report of a boot disk passed through after a GPU swap (blog.flobernd.de, August 2024); KB 309346 for
driver options that follow slot order.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from . import encoding

if TYPE_CHECKING:
    from ...objects.pci import Function, Layout
    from ...objects.specs import HostSpec

FIRST_SLOT_BUS = 0x10
UNCORE_BUSES = (0xFE, 0xFF)
"""Where the processors' own functions sit; these never move."""


def shifted(functions: Iterable[Function], start: int, by: int, *, segment: int | None = None) -> list[Function]:
    """Every function on a bus from `start` on, `by` buses further; on-board devices below stay.

    Only those of a PCI `segment`, unless it is None: buses are counted by segment.
    """

    def move(address: str) -> str:
        if not address:
            return address
        where = encoding.place(address)
        if (
            segment not in (None, where.domain)
            or where.bus < start
            or (where.domain == 0 and where.bus in UNCORE_BUSES)
        ):
            return address
        return encoding.address(where._replace(bus=where.bus + by))

    return [
        dataclasses.replace(item, address=move(item.address), parent=move(item.parent), dependent=move(item.dependent))
        for item in functions
    ]


def moved_host(spec: HostSpec, layout: Layout, moved: Mapping[str, str]) -> HostSpec:
    """The host with its NICs and adapters at their new addresses; those whose card is gone are gone."""
    return dataclasses.replace(
        spec,
        layout=layout,
        nics=tuple(dataclasses.replace(nic, address=moved[nic.address]) for nic in spec.nics if nic.address in moved),
        adapters=tuple(
            dataclasses.replace(item, address=moved[item.address]) for item in spec.adapters if item.address in moved
        ),
        shared_gpus={moved[key]: value for key, value in spec.shared_gpus.items() if key in moved},
        vgpu_modes={moved[key]: value for key, value in spec.vgpu_modes.items() if key in moved},
        vgpu_abilities={moved[key]: value for key, value in spec.vgpu_abilities.items() if key in moved},
    )
