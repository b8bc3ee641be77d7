# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a guest is expected to see, from an intent or from the devices that are attached. PRIVATE to the collection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...module_utils._domain.guest.expectation import Expectation


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
