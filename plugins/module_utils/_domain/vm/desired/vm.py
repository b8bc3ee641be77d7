# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired state of VMs, and its checks that need no hardware. PRIVATE to the collection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from ...errors import InputError
from ...host.selector import DesiredDevice
from .mmio import DesiredMmio
from .sriov_networks import DesiredSriovNetwork
from .units import DesiredUnit

DesiredState: TypeAlias = Literal["present", "absent", "exactly"]
BackingChoice: TypeAlias = Literal["auto", "dynamic", "fixed"]
BackingKind: TypeAlias = Literal["dynamic", "fixed"]
LatencyChoice: TypeAlias = Literal["high", "normal"]
PowerChoice: TypeAlias = Literal["keep", "off", "cycle", "on"]
LOWEST_MINIMUM, HIGHEST_MINIMUM = 7, 99
"""Hardware versions. 7 is the first with passthrough devices; the API writes a version with two digits (``vmx-07``)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DesiredVm:
    """The desired passthrough devices of one VM.

    ``present``: at least these devices. ``absent``: no device that matches, whatever the count, so that the list that attached devices
    can also detach them. ``exactly``: these devices and no others. ``power`` and ``allow_shutdown``: see ``preconditions.power_steps``.
    ``shutdown_timeout``: seconds. ``unlock_memory`` applies when the last device is detached.
    """

    target: str
    moid: str
    devices: tuple[DesiredDevice, ...] = ()
    names_devices: bool = True
    """False when the entry has other kinds of devices only: ``exactly`` keeps all fixed and dynamic devices then."""
    units: tuple[DesiredUnit, ...] = ()
    """vGPUs, vendor device groups and DVX devices."""
    sriov_networks: tuple[DesiredSriovNetwork, ...] | None = None
    """Its SR-IOV network adapters. None: the entry does not name them, and they stay as they are."""
    all_kinds: bool = False
    """``exactly`` decides about devices of every kind, not only of the kinds that the entry names."""
    state: DesiredState = "present"
    backing: BackingChoice = "auto"
    power: PowerChoice = "keep"
    start_again: bool = False
    """This run shut the VM down and has to power it on again, whatever ``state`` is. Set for the plan before a write."""
    shutdown_timeout: int = 300
    allow_shutdown: bool = False
    allow_power_off: bool = False
    mmio: DesiredMmio | None = None
    unlock_memory: bool = False
    disable_hot_add: bool = False
    pin_to_host: bool | None = None
    """Whether a VM-host rule ties the VM to the host of its fixed devices. None: no rule is made."""
    latency_sensitivity: LatencyChoice | None = None
    """None: it does not change."""
    minimum_hardware: int | None = None
    """The VM is upgraded to this hardware version when its own is lower."""

    @property
    def names_passthrough(self) -> bool:
        """Whether ``exactly`` decides about fixed and dynamic devices: they are named, or the list of devices is empty."""
        return self.all_kinds or bool(self.devices) or (self.names_devices and not self.units)


def check_desired(desired: DesiredVm) -> None:
    """Raise InputError for the desired state of one VM when it is wrong in any state of the VM."""
    if desired.state == "absent" and not (desired.devices or desired.units or desired.sriov_networks):
        raise InputError(
            message=f"state: absent for {desired.target} has no devices",
            code="nothing_named",
            parameter="devices",
            cure="List the devices to detach, or use state: exactly with an empty list to detach all",
        )
    if desired.minimum_hardware is not None and not LOWEST_MINIMUM <= desired.minimum_hardware <= HIGHEST_MINIMUM:
        raise InputError(
            message=f"minimum_hardware_version of {desired.target} is {desired.minimum_hardware}",
            code="bad_amount",
            parameter="minimum_hardware_version",
            cure=f"Give a hardware version from {LOWEST_MINIMUM} to {HIGHEST_MINIMUM}, such as 20 for vmx-20",
        )
    for entry in desired.devices:
        if desired.state != "absent" and desired.backing == "dynamic" and needs_fixed(entry):
            raise InputError(
                message=f"{entry.text} for {desired.target} selects devices of one host, which backing: dynamic cannot do",
                code="dynamic_by_place",
                parameter="backing",
                cure="Select the devices by vendor:device and a count, or use backing: fixed",
            )


def needs_fixed(entry: DesiredDevice) -> bool:
    """True for an entry that needs a fixed backing because it selects specific devices of one host (address, slot, count: all), or
    virtual functions."""
    selector = entry.selector
    by_place = selector.address is not None or selector.slot is not None
    return by_place or entry.count == "all" or entry.virtual_function
