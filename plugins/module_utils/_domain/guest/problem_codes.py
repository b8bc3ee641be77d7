# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The problem codes of Windows for devices, with what to do for a passthrough device. PRIVATE to the collection.

Source of numbers and names: Microsoft, "Device Manager error messages"
(https://learn.microsoft.com/windows-hardware/drivers/install/device-manager-error-messages), which refers to Cfg.h.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_NAMES = {
    0: "NONE",
    1: "NOT_CONFIGURED",
    3: "OUT_OF_MEMORY",
    9: "INVALID_DATA",
    10: "FAILED_START",
    12: "NORMAL_CONFLICT",
    14: "NEED_RESTART",
    16: "PARTIAL_LOG_CONF",
    18: "REINSTALL",
    19: "REGISTRY",
    21: "WILL_BE_REMOVED",
    22: "DISABLED",
    24: "DEVICE_NOT_THERE",
    28: "FAILED_INSTALL",
    29: "HARDWARE_DISABLED",
    31: "FAILED_ADD",
    32: "DISABLED_SERVICE",
    33: "TRANSLATION_FAILED",
    34: "NO_SOFTCONFIG",
    35: "BIOS_TABLE",
    36: "IRQ_TRANSLATION_FAILED",
    37: "FAILED_DRIVER_ENTRY",
    38: "DRIVER_FAILED_PRIOR_UNLOAD",
    39: "DRIVER_FAILED_LOAD",
    40: "DRIVER_SERVICE_KEY_INVALID",
    41: "LEGACY_SERVICE_NO_DEVICES",
    42: "DUPLICATE_DEVICE",
    43: "FAILED_POST_START",
    44: "HALTED",
    45: "PHANTOM",
    46: "SYSTEM_SHUTDOWN",
    47: "HELD_FOR_EJECT",
    48: "DRIVER_BLOCKED",
    49: "REGISTRY_TOO_LARGE",
    50: "SETPROPERTIES_FAILED",
    51: "WAITING_ON_DEPENDENCY",
    52: "UNSIGNED_DRIVER",
    53: "USED_BY_DEBUGGER",
    54: "DEVICE_RESET",
    55: "CONSOLE_LOCKED",
    56: "NEED_CLASS_CONFIG",
    57: "GUEST_ASSIGNMENT_FAILED",
}

PROBLEM_NAMES: Mapping[str, int] = {f"CM_PROB_{name}": number for number, name in _NAMES.items()}
"""Name → number."""


@dataclass(frozen=True, slots=True)
class Problem:
    """``fails``: the step that a device with this code does not pass. ``meaning``: a clause. ``cure``: what to do next."""

    fails: str
    meaning: str
    cure: str


_RESTART = Problem("driver", "Windows must be restarted first", "Restart the guest")
_INSTALL = "Install the vendor's driver for this model and this release of Windows"

_PROBLEMS: Mapping[int, Problem] = {
    1: Problem("driver", "no driver is configured", _INSTALL),
    10: Problem("driver", "the device did not start", f"{_INSTALL}, and look at the event log of the guest"),
    12: Problem(
        "memory",
        "Windows found no room in the address space for the memory (BARs) of the device",
        "Enable the 64-bit MMIO window of the VM and make it large enough, with EFI firmware: see the guide Memory and large BARs",
    ),
    14: _RESTART,
    22: Problem("driver", "the device is disabled in Device Manager", "Enable it: Enable-PnpDevice"),
    28: Problem("driver", "no driver is installed", _INSTALL),
    31: Problem("driver", "Windows could not load the driver", _INSTALL),
    32: Problem("driver", "the service of the driver is disabled", "Set the start type of the service in the guest"),
    37: Problem("driver", "the driver failed when it was initialized", _INSTALL),
    39: Problem("driver", "the driver is damaged or missing", _INSTALL),
    43: Problem(
        "works",
        "the driver runs and reported that the device failed",
        "Look at the event log of the guest. Frequent causes with passthrough: a consumer GPU driver that refuses to run in a VM (NVIDIA "
        "before 465; hypervisor.cpuid.v0 = FALSE for those), a card that was not reset (reboot the host), a damaged card",
    ),
    48: Problem("driver", "Windows blocks this driver", _INSTALL),
    52: Problem("driver", "the driver is not signed", "Install a signed driver, or check Secure Boot of the VM"),
    54: Problem("works", "the device failed and is being reset", "Verify once more. If it stays, reboot the host"),
}


def problem_of(code: int) -> Problem:
    """The meaning of a problem code. Codes without an entry, also of later releases, have a general one."""
    name = _NAMES.get(code)
    known = _PROBLEMS.get(code)
    if known is not None:
        return known
    return Problem("driver", f"Windows reports CM_PROB_{name}" if name else "Windows reports a problem", _INSTALL)
