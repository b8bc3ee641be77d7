# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module vm_sriov_network: vm_pci_device with SR-IOV network adapters only. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._domain.errors import InputError
from .vm_pci_device import DeviceRequest, apply, observe, plan, predict, render

__all__ = ["apply", "observe", "parse", "plan", "predict", "render"]

_WITHOUT = {
    "devices": None,
    "backing": "auto",
    "kinds": "named",
    "latency_sensitivity": None,
    "minimum_hardware_version": None,
    "pin_to_host": None,
    "mmio": None,
    "assume_enabled": None,
    "allow_protected": (),
    "only_on_hosts": (),
    "host_device_limit": None,
}
"""The options of vm_pci_device that vm_sriov_network does not have."""


def parse(params: Mapping[str, Any]) -> DeviceRequest:
    """Read the parameters of vm_sriov_network: those of vm_pci_device, with SR-IOV network adapters only. Raises InputError."""
    request = DeviceRequest.of({**params, **_WITHOUT})
    for entry in request.entries:
        if entry.desired.sriov_networks is None:
            raise InputError(
                message=f"sriov_networks is not given for {entry.reference.text}",
                code="bad_sriov_network",
                parameter="sriov_networks",
                cure="List the desired adapters, or use an empty list with state: exactly to remove all",
            )
    return request
