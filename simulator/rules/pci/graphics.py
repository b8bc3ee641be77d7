# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The graphics settings of a host: what is configured, and when it takes effect.

Sources: API reference (HostGraphicsConfig: an entry of a device overrides the default type; HostGraphicsConfigGraphicsType: shared,
sharedDirect; HostGraphicsConfigVgpuMode; UpdateGraphicsConfig declares no fault), vSphere Resource Management 6.5, 6.7 ("you must restart
Xorg on the host", VMs powered off), esxcli reference 8.0.3 (`graphics device set`: restart Xorg "if setting type"). When a vGPU mode takes
effect is not published: knob `vgpu_mode_in_effect`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pyVmomi import vmodl

from .. import faults
from ..knobs import Knobs

When = Literal["at_once", "xorg", "reboot"]
"""What happened to the host: its configuration was written, Xorg was restarted, or it booted."""
TYPES = ("shared", "sharedDirect")
POLICIES = ("performance", "consolidation")
MODES = ("sameSize", "mixedSize")
MIG = "multiInstanceGpu"
"""Switched in the GPU itself (nvidia-smi); no setting of the API changes it."""
_ORDER: tuple[When, ...] = ("at_once", "xorg", "reboot")


@dataclass(frozen=True, slots=True)
class DeviceType:
    """An entry of `deviceType`: its type and its mode, empty where it is unset."""

    kind: str
    mode: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What is configured. `devices`: by `deviceId`, in the order of the entries."""

    default: str = "shared"
    policy: str = "performance"
    devices: Mapping[str, DeviceType] = field(default_factory=dict)

    def of(self, address: str) -> DeviceType:
        """The type and mode that are configured for a device."""
        return self.devices.get(address) or DeviceType(self.default)


@dataclass(frozen=True, kw_only=True, slots=True)
class Present:
    """What is in effect, for GPUs with a driver: types and modes by address."""

    types: Mapping[str, str]
    modes: Mapping[str, str]


def started(types: Mapping[str, str], modes: Mapping[str, str]) -> Settings:
    """Settings that have been in effect since the last boot."""
    return Settings(
        devices={
            address: DeviceType(kind, _mode(modes.get(address, "")) if kind == "sharedDirect" else "")
            for address, kind in types.items()
        }
    )


def _mode(present: str) -> str:
    return present if present in MODES else "sameSize"


def checked(settings: Settings, known: Collection[str]) -> Settings:
    """The settings of a request. Raises InvalidArgument for a value that the reference does not list, or an unknown device.

    The method declares no fault of its own; InvalidArgument is a runtime fault that any method may raise.
    """
    if settings.default not in TYPES:
        raise faults.invalid_argument("config.hostDefaultGraphicsType")
    if settings.policy not in POLICIES:
        raise faults.invalid_argument("config.sharedPassthruAssignmentPolicy")
    for address, entry in settings.devices.items():
        if address not in known:
            raise faults.invalid_argument("config.deviceType.deviceId")
        if entry.kind not in TYPES:
            raise faults.invalid_argument("config.deviceType.graphicsType")
        if entry.mode and entry.mode not in MODES:
            raise faults.invalid_argument("config.deviceType.vgpuMode")
    return settings


def in_effect(settings: Settings, present: Present, when: When, busy: Iterable[str], knobs: Knobs) -> Present:
    """What is in effect after something happened. A GPU that a running VM uses (``busy``) stays as it is, except after a boot."""
    held = frozenset() if when == "reboot" else frozenset(busy)
    types, modes = dict(present.types), dict(present.modes)
    for address in types.keys() - held:
        entry = settings.of(address)
        if _reached(when, knobs.graphics_type_in_effect):
            types[address] = entry.kind
        if entry.mode and modes.get(address) != MIG and _reached(when, knobs.vgpu_mode_in_effect):
            modes[address] = entry.mode
    return Present(types=types, modes=modes)


def _reached(when: When, needed: str) -> bool:
    return _ORDER.index(when) >= _ORDER.index(needed)  # type: ignore[arg-type]


def moved(settings: Settings, places: Mapping[str, str]) -> Settings:
    """The settings after cards got other addresses: they follow the card. An entry of a card that is gone stays."""
    return dataclasses.replace(
        settings, devices={places.get(address, address): entry for address, entry in settings.devices.items()}
    )


def refused(knobs: Knobs) -> None:
    """Raise what a host answers that has no graphics to configure, if a lab asks for that."""
    if knobs.graphics_config_fault == "not_supported":
        raise vmodl.fault.NotSupported()
    if knobs.graphics_config_fault == "system_error":
        raise vmodl.fault.SystemError(
            msg="A general system error occurred: Failed to set graphics configuration", reason=""
        )
