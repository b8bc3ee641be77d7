# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a guest is expected to see and to do with its devices. PRIVATE to the collection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

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


def expectations_of(entries: Sequence[Mapping[str, Any]]) -> tuple[Expectation, ...]:
    """From the checked entries of ``expect`` in an intent. Commands are numbered as in ``commands_of``."""
    found = []
    number = 0
    for entry in entries:
        has_command = "command" in entry
        drivers = entry.get("driver", ())
        found.append(
            Expectation(
                ids=(str(entry["match"]).lower(),),
                count=int(entry.get("count", 1)),
                drivers=(drivers,) if isinstance(drivers, str) else tuple(drivers),
                works=entry.get("works", "auto"),
                min_memory_gb=entry.get("min_memory_gb"),
                command=number if has_command else None,
            )
        )
        number += has_command
    return tuple(found)


def commands_of(entries: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The commands of the user in the entries of ``expect``, for the probe."""
    return tuple(str(entry["command"]) for entry in entries if "command" in entry)


def expectations_from_devices(devices: Iterable[Mapping[str, Any]]) -> tuple[Expectation, ...]:
    """From the devices that are attached to a VM, as vm_pci_device_info returns them. Only fixed and dynamic devices have known ids."""
    counted = Counter(_models(device) for device in devices)
    return tuple(Expectation(ids=models, count=count) for models, count in counted.items() if models)


def _models(device: Mapping[str, Any]) -> tuple[str, ...]:
    if device.get("backing") == "fixed":
        pairs = [(device.get("vendor_id"), device.get("device_id"))]
    else:
        pairs = [(one.get("vendor_id"), one.get("device_id")) for one in device.get("allowed") or ()]
    return tuple(sorted({f"{vendor}:{model}" for vendor, model in pairs if vendor and model}))
