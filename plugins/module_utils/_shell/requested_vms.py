# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""VMs and their desired devices in the parameters of a module. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from .._domain.names import Reference
from .._domain.observed.vms import Vm
from .._domain.vm.desired.mmio import parse_mmio
from .._domain.vm.desired.sriov_networks import parse_sriov_networks
from .._domain.vm.desired.units import parse_vm_devices
from .._domain.vm.desired.vm import DesiredVm
from .engine.vms import parse_vms

_INHERITED = (
    "sriov_networks",
    "state",
    "kinds",
    "backing",
    "power",
    "shutdown_timeout",
    "allow_shutdown",
    "allow_power_off",
    "mmio",
    "unlock_memory",
    "disable_hot_add",
    "latency_sensitivity",
    "minimum_hardware_version",
    "pin_to_host",
)
"""Options that an entry of ``vms`` takes from the module when it does not set them itself."""


@dataclass(frozen=True, kw_only=True)
class RequestedVm:
    """One VM that the parameters name. ``desired`` has no id yet: the inventory gives it."""

    reference: Reference
    desired: DesiredVm

    def desired_of(self, vm: Vm) -> DesiredVm:
        """The desired state of the VM that is meant."""
        return replace(self.desired, target=vm.name, moid=vm.moid)


def parse_requested_vms(params: Mapping[str, Any]) -> tuple[RequestedVm, ...]:
    """Read the VMs that the parameters name, each with its options. Raises InputError."""
    return parse_vms(params, ("devices", *_INHERITED), _parse_entry)


def _parse_entry(reference: Reference, options: Mapping[str, Any]) -> RequestedVm:
    mmio, adapters = options["mmio"], options["sriov_networks"]
    devices, units = parse_vm_devices(options["devices"] or (), f"devices of {reference.text}")
    desired = DesiredVm(
        target=reference.text,
        moid="",
        mmio=None
        if mmio is None
        else parse_mmio(mmio.get("size_gb"), mmio.get("device_gb"), f"mmio of {reference.text}"),
        devices=devices,
        names_devices=options["devices"] is not None or adapters is None,
        units=units,
        all_kinds=options["kinds"] == "all",
        sriov_networks=None
        if adapters is None
        else parse_sriov_networks(adapters, f"sriov_networks of {reference.text}"),
        state=options["state"],
        backing=options["backing"],
        power=options["power"],
        shutdown_timeout=options["shutdown_timeout"],
        allow_shutdown=options["allow_shutdown"],
        allow_power_off=options["allow_power_off"],
        unlock_memory=options["unlock_memory"],
        disable_hot_add=options["disable_hot_add"],
        pin_to_host=options["pin_to_host"],
        latency_sensitivity=options["latency_sensitivity"],
        minimum_hardware=options["minimum_hardware_version"],
    )
    return RequestedVm(reference=reference, desired=desired)
