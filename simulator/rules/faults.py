# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults with the texts the product gives, built in one place."""

from __future__ import annotations

from collections.abc import Sequence

from pyVmomi import vim, vmodl


def message(key: str, text: str) -> vmodl.LocalizableMessage:
    """One line of `faultMessage`."""
    return vmodl.LocalizableMessage(key=key, message=text)


def invalid_argument(name: str) -> vmodl.fault.InvalidArgument:
    """InvalidArgument with the text vCenter puts with it."""
    return vmodl.fault.InvalidArgument(invalidProperty=name, msg=f"A specified parameter was not correct: {name}")


def host_config_fault(text: str) -> vim.fault.HostConfigFault:
    """What HostPciPassthruSystem declares; the reason travels as text only."""
    return vim.fault.HostConfigFault(msg=text, faultMessage=[message("com.vmware.esx.hostctl.default", text)])


def platform_config_fault(text: str) -> vim.fault.PlatformConfigFault:
    """The subclass whose `text` is not localised."""
    return vim.fault.PlatformConfigFault(msg="An error occurred during host configuration.", text=text)


def config_refusal(kind: str, text: str, *, argument: str = "config.id") -> Exception:
    """The fault a knob of passthrough configuration names."""
    if kind == "platform_config_fault":
        return platform_config_fault(text)
    if kind == "invalid_argument":
        return invalid_argument(argument)
    if kind == "not_supported":
        return vmodl.fault.NotSupported(msg="The operation is not supported on the object.")
    return host_config_fault(text)


def vm_config_fault(lines: Sequence[tuple[str, str]], *, summary: str | None = None) -> vim.fault.GenericVmConfigFault:
    """GenericVmConfigFault as the VMX process gives it: the first line is the reason, all lines are messages."""
    text = summary or lines[0][1]
    return vim.fault.GenericVmConfigFault(
        reason=text, msg=text, faultMessage=[message(key, line) for key, line in lines]
    )


def invalid_state(text: str = "The operation is not allowed in the current state.") -> vim.fault.InvalidState:
    """InvalidState with its text."""
    return vim.fault.InvalidState(msg=text)


def invalid_power_state(
    requested: vim.VirtualMachine.PowerState | None, existing: vim.VirtualMachine.PowerState
) -> vim.fault.InvalidPowerState:
    """InvalidPowerState with both states and the text vCenter puts with it."""
    words = {"poweredOn": "Powered on", "poweredOff": "Powered off", "suspended": "Suspended"}
    return vim.fault.InvalidPowerState(
        requestedState=requested,
        existingState=existing,
        msg=f"The attempted operation cannot be performed in the current state ({words[str(existing)]}).",
    )


def insufficient_memory(unreserved: int, requested: int) -> vim.fault.InsufficientMemoryResourcesFault:
    """Admission failure; both numbers are bytes (API reference)."""
    return vim.fault.InsufficientMemoryResourcesFault(
        unreserved=unreserved,
        requested=requested,
        msg="The host does not have sufficient memory resources to satisfy the reservation.",
    )
