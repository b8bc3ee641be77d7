# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modes of PCI devices from 9.1 on: which one is configured, which one is in effect, and what a change needs to take effect.

Sources: vSphere Automation API reference 9.1, Vcenter Host Hardware DirectPathDevices (ConfigureSpec, ConfigureImpact,
DirectPathDeviceMode, Info), Web Services API reference 9.1, HostPciPassthruInfoDirectPathState (``mode``: the currently configured mode).
What is not published is a knob: the impact of a change, and where a change that waits for a reboot is visible.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

from ..knobs import Knobs
from .passthrough import Passthrough

MODES = {
    "none": "NONE",
    "host": "HOST",
    "directPath": "DIRECTPATH",
    "enhancedDirectPath": "ENHANCED_DIRECTPATH",
    "vGpuSameSize": "VGPU_SAME_SIZE",
    "vGpuMixedSize": "VGPU_MIXED_SIZE",
    "systemSelect": "SYSTEM_SELECT",
}
"""Spelling of HostPciPassthruInfoDirectPathDeviceMode → that of the Automation API."""
SYSTEM_SELECT = "systemSelect"
PASSED = frozenset({"directPath", "enhancedDirectPath"})
"""Modes in which a VM gets the whole device: passthruEnabled says the same (inferred)."""
IMPACTS = {"": "NONE", "maintenance": "HOST_MAINTENANCE_MODE_REQUIRED", "reboot": "HOST_REBOOT_REQUIRED"}


class ModeRefused(ValueError):
    """The device cannot be configured so."""


def configured(state: Passthrough) -> str:
    """The configured mode. A device that was only switched by UpdatePassthruConfig is in one of two."""
    return state.mode or ("directPath" if state.enabled else "host")


def in_effect(state: Passthrough) -> str:
    """The mode that a device works in."""
    return state.mode_before if state.mode_waits else configured(state)


def configure(
    state: Passthrough, new_mode: str, offered: Collection[str], knobs: Knobs, *, rebinds: bool, used: bool
) -> tuple[Passthrough, str]:
    """The device with another mode, and the impact of the change. Raises ModeRefused.

    ``rebinds``: the host can take the device from its driver now. ``used``: a VM has it; that a device in use is refused is inferred.
    """
    if new_mode == SYSTEM_SELECT:
        new_mode = "host" if "host" in offered else configured(state)
    if new_mode not in offered:
        raise ModeRefused(f"The device {state.address} cannot be configured to mode {MODES.get(new_mode, new_mode)}")
    if new_mode == configured(state):
        return state, IMPACTS[state.mode_waits]
    if used:
        raise ModeRefused(f"The device {state.address} is in use by a virtual machine")
    before = in_effect(state)
    waits = "" if new_mode == before else _waits(before, new_mode, knobs, rebinds=rebinds)
    enabled = new_mode in PASSED
    shows = knobs.device_mode_pending == "passthrough_flags" and waits == "reboot"
    after = dataclasses.replace(
        state,
        mode=new_mode,
        mode_before=before,
        mode_waits=waits,
        enabled=enabled,
        active=(before in PASSED) if shows else enabled,
    )
    return after, IMPACTS[waits]


def _waits(before: str, after: str, knobs: Knobs, *, rebinds: bool) -> str:
    """By transition: another driver gets the device when it changes between the host, VMs and vGPUs (inferred)."""
    if knobs.device_mode_impact != "by_transition":
        return {"none": "", "maintenance_mode": "maintenance", "reboot": "reboot"}[knobs.device_mode_impact]
    if before.startswith("vGpu") and after.startswith("vGpu"):
        return "maintenance"
    return "" if rebinds else "reboot"


def settled(state: Passthrough, waits: str) -> Passthrough:
    """The device after what it waited for (``maintenance`` or ``reboot``, which is more) has happened."""
    done = state.mode_waits and (waits == "reboot" or state.mode_waits == waits)
    return dataclasses.replace(state, mode_before="", mode_waits="") if done else state


def wants_reboot(state: Passthrough, knobs: Knobs) -> bool:
    """Whether summary.rebootRequired is set because of this device."""
    return state.mode_waits == "reboot" and knobs.device_mode_pending == "reboot_flag"
