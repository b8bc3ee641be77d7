# SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of guest operations as messages for administrators. PRIVATE to the collection."""

from __future__ import annotations

from ..._domain.errors import DirectPathError
from ..sdk import vim, vmodl
from ..session.faults import explain, words

RESTARTING = "(3016,"
"""Part of the text of the SystemError that a guest operation gets while the guest restarts: ``vix error codes = (3016, 0)``."""

_RESTART, _PROGRAM, _FILE = "restart", "program", "file"
_KNOWN: tuple[tuple[str, str, str], ...] = (
    (
        "GuestOperationsUnavailable",
        "guest_not_ready",
        "Install or start VMware Tools (open-vm-tools) in the guest, wait until the guest is up, then run the task again",
    ),
    (
        "InvalidGuestLogin",
        "guest_login_refused",
        "Check guest_user and guest_password: an account of the guest operating system, on Windows optionally as DOMAIN\\user",
    ),
    (
        "GuestPermissionDenied",
        "guest_permission_denied",
        "Use an account that may run programs in the guest: root, or an administrator",
    ),
    (
        "OperationDisabledByGuest",
        "guest_operations_disabled",
        "The guest forbids guest operations: allow them in tools.conf of the guest ([guestoperations] disabled=false), or use the "
        "connection of Ansible instead",
    ),
    (
        "OperationNotSupportedByGuest",
        "guest_operations_disabled",
        "VMware Tools do not support this operation on this guest operating system: use the connection of Ansible instead",
    ),
    ("GuestComponentsOutOfDate", "guest_tools_outdated", "Upgrade VMware Tools in the guest, then run the task again"),
    (
        "TooManyGuestLogons",
        "guest_too_many_logons",
        "Too many guest operations are in progress in this VM: wait for them to end, then run the task again",
    ),
    ("InvalidPowerState", "guest_vm_off", "Power the VM on, and wait until the guest is up"),
    (
        _RESTART,
        "guest_restarting",
        "The guest restarts: wait until it is up, then run the task again, or set a longer guest_timeout",
    ),
    (
        _PROGRAM,
        "guest_no_shell",
        "The shell is missing in the guest, or the account may not run it: check os (linux or windows) and the account",
    ),
    (
        _FILE,
        "guest_file_refused",
        "Check whether the account may write to the folder for temporary files of the guest, and whether another program cleans it up",
    ),
)
"""(type of the fault, code, fix)."""
_BY_NAME = {name: (code, cure) for name, code, cure in _KNOWN}


def is_passing(fault: BaseException) -> bool:
    """Whether the same operation may succeed a little later: the guest restarts, or is busy with other operations."""
    if isinstance(fault, vmodl.fault.SystemError):
        return RESTARTING in words(fault)
    return isinstance(
        fault, vim.fault.TooManyGuestLogons | vim.fault.GuestOperationsUnavailable | vim.fault.TaskInProgress
    )


def explain_guest(fault: BaseException, *, doing: str, vm: str) -> DirectPathError:
    """Convert a fault of a guest operation. Other errors are explained as everywhere."""
    code, cure = _known(fault, starts=doing.startswith("run"))
    if not code:
        return explain(fault, doing=doing, on=vm)
    text = words(fault).strip()
    return DirectPathError(message=f"Cannot {doing} in the guest of {vm}: {text}", code=code, cure=cure)


def _known(fault: BaseException, *, starts: bool) -> tuple[str, str]:
    if isinstance(fault, vmodl.fault.SystemError) and RESTARTING in words(fault):
        return _BY_NAME[_RESTART]
    if isinstance(fault, vim.fault.FileFault):
        return _BY_NAME[_PROGRAM if starts else _FILE]
    for kind in type(fault).__mro__:
        name = kind.__name__.rpartition(".")[2]
        if name in _BY_NAME:
            return _BY_NAME[name]
    return "", ""
